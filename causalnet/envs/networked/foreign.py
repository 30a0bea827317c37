"""Anybody's PettingZoo parallel environment as a network of agents: arrays in place of dictionaries, an adjacency beside them.

PettingZoo itself is not needed for it: whatever has the methods of its ``ParallelEnv`` will do. Dictionaries cost time in proportion
to the number of agents on every step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import networkx as nx
import numpy as np
from scipy import sparse

from ...base.arrays import AnyArray, Array, Bools, Ints
from ...base.checks import flag, function, whole
from ...errors import DataError
from .. import answers
from .checks import check_adjacency, check_codes, check_topology
from .protocols import lacking
from .readers import CodeReader, Encode, VectorReader, numbers_read, reader_of, real_actions, start_of
from .streams import Seed, generator


@runtime_checkable
class ParallelLike(Protocol):
    """What is asked of a parallel environment; ``agents``, those who live now, is there after ``reset``."""

    possible_agents: Sequence[str]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """First observations and infos by agent."""

    def step(self, actions: dict[str, Any]) -> Any:
        """Observations, rewards, terminations, truncations and infos by agent."""

    def observation_space(self, agent: str) -> Any:
        """The Gymnasium space of an agent's observations."""

    def action_space(self, agent: str) -> Any:
        """The Gymnasium space of an agent's actions."""


@dataclass(frozen=True, eq=False)
class Played:
    """A finished episode: of which copy, its steps, the return of each agent (n,), and whether it ended by itself or was cut off."""

    copy: int
    steps: int
    returns: Array
    terminated: bool


def from_parallel_env(
    env: Any,
    *,
    adjacency: Any,
    encode: Encode | None = None,
    n_states: Any = None,
    horizon: int | None = None,
    absent: bool = False,
) -> ForeignNetwork | ContinuousForeign:
    """A PettingZoo parallel environment, or a list of them (a copy each), as a ``NetworkedEnv``, which takes them over.

    Agents are numbered in the order of ``possible_agents``. adjacency: (n, n) of 0 and 1, [i, j]: agent i influences agent j
    within one step; or a networkx graph whose nodes are the agents' names. Observations that are Discrete, MultiDiscrete or
    MultiBinary become state codes, those of a Box vectors. encode: a function (agent, observation) -> a state code below
    ``n_states`` (one number, or one an agent), or, without ``n_states``, a vector of numbers. horizon: steps after which
    everybody is cut off; None: the environment alone ends episodes. absent: agents may leave early and come late; they then
    have one more state, the last one (vectors: one more component, 1 while away), and their actions mean nothing. Masks are
    read from ``infos[agent]["action_mask"]`` or ``obs["action_mask"]``. ``episodes`` holds every finished one, whatever
    happens later.
    """
    copies = list(env) if isinstance(env, list | tuple) else [env]
    if not copies:
        raise DataError("env is an empty list; give at least one parallel environment")
    for one in copies:
        _parallel(one)
    agents = list(copies[0].possible_agents)
    if not agents or len(set(agents)) < len(agents):
        raise DataError(f"possible_agents is {agents!r:.80}, and must name at least one agent, and none twice")
    for e, one in enumerate(copies):
        if list(one.possible_agents) != agents:
            raise DataError(f"copy {e} has other agents than copy 0; give copies of one environment")
    function("encode", encode, "agent, observation", "a code or a vector")
    if n_states is not None and encode is None:
        raise DataError("n_states counts the codes that encode gives; give encode as well, or leave n_states out")
    reader = reader_of(copies[0], agents, encode, n_states, flag("absent", absent))
    matrix = _adjacency(adjacency, agents)
    n_envs = len(copies) if isinstance(env, list | tuple) else None
    limit = None if horizon is None else whole("horizon", horizon, 1)
    kind = ForeignNetwork if real_actions(copies[0], agents) is None else ContinuousForeign
    return kind(copies, agents, reader, matrix, n_envs, limit)


class _Foreign(ABC):
    """What both kinds share; see :func:`from_parallel_env`."""

    n_states: Ints
    component_names: tuple[str, ...]
    radices: Ints

    def __init__(
        self,
        copies: list[Any],
        agents: list[str],
        reader: CodeReader | VectorReader,
        adjacency: sparse.csr_matrix,
        n_envs: int | None,
        horizon: int | None,
    ) -> None:
        self.copies, self.labels, self.adjacency = copies, agents, adjacency
        self.n_agents, self.n_envs, self.horizon = len(agents), n_envs, horizon
        self.episodes: list[Played] = []
        self.time: int | None = None
        self._reader, self._number = reader, {agent: i for i, agent in enumerate(agents)}
        if isinstance(reader, CodeReader):
            self.n_states, self.radices, self.component_names = reader.n_states, reader.radices, reader.names
        shape = (len(copies), self.n_agents)
        self._over, self._returns = np.zeros(len(copies), bool), np.zeros(shape)
        self._live = np.zeros(shape, bool)
        self._seen: AnyArray = np.zeros(shape)
        self._masks: Bools | None = None
        self._act_in([copies[0].action_space(agent) for agent in agents])

    @abstractmethod
    def _act_in(self, spaces: list[Any]) -> None:
        """Take the spaces of the agents' actions, one kind for all."""

    def network_parts(self) -> list[tuple[str, AnyArray]]:
        """Nothing beside sizes, neighbours and components."""
        return []

    def domain_parts(self) -> list[tuple[str, AnyArray]]:
        """Nothing: a foreign environment does not say what sets its domain apart."""
        return []

    def reset(self, seed: Seed = None) -> tuple[AnyArray, dict[str, Any]]:
        """First observations, info; a list of copies gets seeds that follow from ``seed``, a single one gets it as it is."""
        keys = self._seeds(seed)
        self._seen = self._reader.empty(len(self.copies), self.n_agents)
        self._over[:], self._live[:], self._returns[:] = False, False, 0.0
        self.time = 0
        for e, env in enumerate(self.copies):
            seen, infos = answers.reset(env, seed=keys[e])
            self._look(e, seen, infos, list(env.agents))
        return self._out(self._seen.copy()), self._info()

    def advance(self, given: Callable[[int, int], Any]) -> tuple[AnyArray, Array, Any, Any, dict[str, Any]]:
        """One step of every copy that is not over; given(e, i): what agent i of copy e does."""
        if self.time is None:
            raise DataError("step was called before reset; call reset first")
        if self.horizon is not None and self.time >= self.horizon:
            raise DataError(f"the episode of {self.horizon} steps is over; call reset before the next step")
        rewards, ended = np.zeros(self._live.shape), np.zeros(len(self.copies), bool)
        for e, env in enumerate(self.copies):
            if not self._over[e]:
                acts = {self.labels[i]: given(e, i) for i in np.flatnonzero(self._live[e]).tolist()}
                seen, paid, stops, cuts, infos = answers.step(env, acts)
                rewards[e] = self._paid(e, acts, paid)
                over = not env.agents or all(stops.get(a, False) or cuts.get(a, False) for a in acts)
                self._look(e, seen, infos, list(acts) if over else list(env.agents), last=over)
                self._returns[e] += rewards[e]
                if over:
                    ended[e] = any(stops.get(agent, False) for agent in acts)
                    self._finish(e, bool(ended[e]))
        self.time += 1
        if self.horizon is not None and self.time >= self.horizon:
            for e in np.flatnonzero(~self._over).tolist():
                self._finish(e, False)
        cut = self._over & ~ended
        return self._out(self._seen.copy()), self._out(rewards), self._out(ended), self._out(cut), self._info()

    # ---- one copy ---------------------------------------------------------------------------------------------------

    def _look(self, e: int, seen: Mapping[str, Any], infos: Any, live: list[str], *, last: bool = False) -> None:
        """Take in the observations and masks of those who live now."""
        for agent in (*live, *seen):
            if agent not in self._number:
                raise DataError(
                    f"{self._when(e)} has an agent {agent!r}, and possible_agents names {len(self.labels)} others"
                )
        away = [agent for agent in self.labels if agent not in live]
        if away and not self._reader.absent:
            raise DataError(
                f"{self._when(e)} is without agent {away[0]!r} while {len(live)} others go on; write absent=True, which gives those "
                "who are away a state of their own"
            )
        self._live[e] = [agent in live for agent in self.labels]
        for i, agent in enumerate(self.labels):
            if agent in live and agent in seen:
                self._seen[e, i] = self._reader.read(i, agent, seen[agent], self._when(e))
                self._mask(e, i, agent, seen[agent], infos)
            elif agent in live and not last:
                raise DataError(f"{self._when(e)} gives no observation to agent {agent!r}, who is among its agents")
            elif agent not in live:
                self._seen[e, i] = self._reader.away(i)

    def _mask(self, e: int, i: int, agent: str, seen: Any, infos: Any) -> None:
        """Note which actions an agent says are allowed."""
        told = infos.get(agent, {}) if isinstance(infos, Mapping) else {}
        found = told.get("action_mask", seen.get("action_mask") if isinstance(seen, Mapping) else None)
        if found is not None and self._masks is not None:
            mask = np.asarray(found).astype(bool).ravel()
            count = int(self._masks.shape[2])
            if mask.size > count:
                raise DataError(
                    f"{self._when(e)} gives agent {agent!r} a mask of {mask.size} actions, more than it has"
                )
            self._masks[e, i, : mask.size] = mask

    def _paid(self, e: int, acts: Mapping[str, Any], paid: Mapping[str, Any]) -> Array:
        """(n,) rewards of those who acted; 0 for the others."""
        rewards = np.zeros(self.n_agents)
        for agent in acts:
            if agent not in paid:
                raise DataError(f"{self._when(e)} pays agent {agent!r} nothing, not even 0, for an action")
            rewards[self._number[agent]] = numbers_read(
                f"{self._when(e)}: the reward of agent {agent!r}", paid[agent], 1
            )[0]
        return rewards

    def _finish(self, e: int, terminated: bool) -> None:
        steps = (self.time or 0) + (0 if self.horizon is not None and self.time == self.horizon else 1)
        self.episodes.append(Played(e, steps, self._returns[e].copy(), terminated))
        self._over[e], self._live[e] = True, False

    def _when(self, e: int) -> str:
        return f"copy {e} of the environment, {self.time} steps after reset,"

    def _seeds(self, seed: Seed) -> list[int | None]:
        if seed is None:
            return [None] * len(self.copies)
        if self.n_envs is None and isinstance(seed, int | np.integer) and not isinstance(seed, bool):
            return [whole("seed", seed, 0)]
        return [int(key) for key in generator(seed).integers(2**31 - 1, size=len(self.copies))]

    def _info(self) -> dict[str, Any]:
        return {} if self._masks is None else {"action_mask": self._out(self._masks.copy())}

    def _out(self, x: Any) -> Any:
        return x if self.n_envs is not None else x[0]


class ForeignNetwork(_Foreign):
    """Discrete actions: a ``NetworkedEnv``, and a ``CodedEnv`` where observations are codes. See :func:`from_parallel_env`."""

    def _act_in(self, spaces: list[Any]) -> None:
        self.n_actions: Ints = np.array([int(space.n) for space in spaces], np.int64)
        self._starts = [start_of(space) for space in spaces]
        own = np.arange(self.n_actions.max()) < self.n_actions[:, None]
        self._masks = np.repeat(own[None], len(self.copies), axis=0)

    def action_masks(self) -> Bools:
        """(E, n, A) bool: which actions of each agent are allowed now, as far as the environment says."""
        assert self._masks is not None
        return self._out(self._masks.copy())

    def step(self, actions: Any) -> tuple[AnyArray, Array, Any, Any, dict[str, Any]]:
        """actions (E, n) -> observations, rewards (E, n), terminated, truncated (E,), info; a copy that is over stays as it is."""
        shape = self._live.shape if self.n_envs is not None else self._live.shape[1:]
        codes = check_codes("action", actions, self.n_actions, shape).reshape(self._live.shape)
        return self.advance(lambda e, i: int(codes[e, i]) + self._starts[i])


class ContinuousForeign(_Foreign):
    """Actions of a Box: a ``ContinuousEnv`` with ``action_size`` numbers from -1 to 1 an agent, scaled to the Box's bounds."""

    def _act_in(self, spaces: list[Any]) -> None:
        self._boxes, self.action_size = spaces, int(np.prod(spaces[0].shape))

    def step(self, actions: Any) -> tuple[AnyArray, Array, Any, Any, dict[str, Any]]:
        """actions (E, n, k) in [-1, 1] -> observations, rewards (E, n), terminated, truncated (E,), info."""
        want = (*self._live.shape, self.action_size)
        a = numbers_read("the actions", actions, int(np.prod(want))).reshape(want)
        if np.abs(a).max(initial=0.0) > 1:
            e, i, _ = np.argwhere(np.abs(a) > 1)[0]
            raise DataError(f"an action of agent {i} is {a[e, i].tolist()}, and actions are numbers from -1 to 1")
        return self.advance(lambda e, i: self._scaled(self._boxes[i], a[e, i]))

    def _scaled(self, box: Any, action: Array) -> AnyArray:
        unit = (action.reshape(box.shape) + 1) / 2
        return np.asarray(box.low + unit * (box.high - box.low)).astype(box.dtype)


def _parallel(env: Any) -> None:
    """Refuse what is no parallel environment, by what it lacks."""
    if getattr(env, "agent_iter", None) is not None:
        raise DataError(
            f"env is {type(env).__name__}, where agents take turns (AEC); give aec_to_parallel(env) of pettingzoo.utils.conversions"
        )
    absent = lacking(env, ParallelLike)
    if absent:
        raise DataError(
            f"env is {type(env).__name__}, and must be a PettingZoo parallel environment: it lacks {', '.join(absent)}"
        )


def _adjacency(given: Any, agents: list[str]) -> sparse.csr_matrix:
    """(n, n) bool in the order of the agents, from a matrix, or a graph of their names."""
    if isinstance(given, nx.Graph):
        nodes = check_topology(given, directed=None, what="adjacency")
        odd = [f"lacks {a!r}" for a in agents if a not in given] + [f"has {v!r}" for v in nodes if v not in agents]
        if odd:
            raise DataError(
                f"the adjacency {odd[0]}, and its nodes must be the {len(agents)} agents of the environment, such as {agents[0]!r}"
            )
        return check_adjacency(nx.to_scipy_sparse_array(given, nodelist=agents, dtype=bool, weight=None, format="csr"))
    matrix = check_adjacency(given)
    if matrix.shape != (len(agents), len(agents)):
        raise DataError(f"the adjacency is {matrix.shape}, and there are {len(agents)} agents: a row and a column each")
    return matrix
