"""A PettingZoo face for networked environments: dictionaries by agent, for other people's learners and wrappers.

Dictionaries cost time in proportion to the number of agents on every step; use the array interface above a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...base.checks import flag, whole
from ...errors import DataError, NotInstalled
from .. import answers
from .checks import check_sizes, networked
from .components import components_of, radices_of
from .neighbourhoods import hop_neighbourhoods
from .protocols import AgentNetwork, CodedEnv, ContinuousEnv, MaskedEnv, NetworkedEnv

try:
    from pettingzoo import ParallelEnv
except ImportError:  # everything else in this folder does without
    ParallelEnv = object


def to_parallel_env(env: AgentNetwork, *, kappa: int = 0, mask_in_observation: bool = False) -> NetworkedParallelEnv:
    """A PettingZoo ``ParallelEnv`` over ``env``, which it takes over; ``env`` must have no batch axis.

    Agent i observes the components of the agents within ``kappa`` hops (itself first, then by number) as MultiDiscrete, or
    their vectors as one Box. Real-valued actions are a Box. The mask of useful actions (int8) is in ``infos[agent]["action_mask"]``, beside what the environment's own
    info says of the whole network; with ``mask_in_observation`` the observation is also a dictionary with "observation"
    and "action_mask".
    """
    return NetworkedParallelEnv(env, kappa=kappa, mask_in_observation=mask_in_observation)


class NetworkedParallelEnv(ParallelEnv):  # type: ignore[misc, unused-ignore]
    """See :func:`to_parallel_env`. Agents are called "agent_0", "agent_1", ... in the order of the arrays."""

    def __init__(self, env: AgentNetwork, *, kappa: int = 0, mask_in_observation: bool = False) -> None:
        if ParallelEnv is object:
            raise NotInstalled("the PettingZoo face needs pettingzoo; install causalnet[marl]")
        self._real = isinstance(env, ContinuousEnv)
        check_sizes(env if self._real else networked(env, NetworkedEnv))
        if env.n_envs is not None:
            raise DataError(
                f"the PettingZoo face has no batch axis; make the environment with n_envs=None, not {env.n_envs}"
            )
        if env.horizon is None:
            raise DataError("the episodes of the PettingZoo face end; give the environment a horizon")
        self.env: Any = env
        self.mask_in_observation = flag("mask_in_observation", mask_in_observation)
        self.metadata = {"name": type(env).__name__.lower(), "render_modes": []}
        self.render_mode = None
        self.possible_agents = [f"agent_{i}" for i in range(env.n_agents)]
        self.agents: list[str] = []
        self._number = {agent: i for i, agent in enumerate(self.possible_agents)}
        near = hop_neighbourhoods(env.adjacency, kappa)
        rows = np.split(near.indices, near.indptr[1:-1])
        self._near = [np.append(i, row[row != i]) for i, row in enumerate(rows)]
        self._observation_spaces: dict[str, spaces.Space[Any]] = {}
        self._action_spaces: dict[str, spaces.Space[Any]] = {}
        self._coded, self._last = isinstance(env, CodedEnv), np.zeros(0)
        self._width = 0 if self._coded else np.shape(self._read(answers.reset(env, seed=None)[0]))[-1]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Components or vectors of the agents seen, or a Dict of them and the action mask; always the same object."""
        if agent not in self._observation_spaces:
            i = self._of(agent)
            space = self._space(self._near[i])
            if self.mask_in_observation and not self._real:
                mask = spaces.Box(0, 1, (int(self.env.n_actions[i]),), np.int8)
                space = spaces.Dict({"observation": space, "action_mask": mask})
            self._observation_spaces[agent] = space
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Discrete(n_actions[i]), or a Box from -1 to 1; always the same object."""
        if agent not in self._action_spaces:
            i = self._of(agent)
            box = spaces.Box(-1.0, 1.0, (int(self.env.action_size),)) if self._real else None
            self._action_spaces[agent] = box or spaces.Discrete(int(self.env.n_actions[i]))
        return self._action_spaces[agent]

    @property
    def state_space(self) -> spaces.Space[Any]:
        """Components or vectors of every agent, (n * c,): what :meth:`state` lies in."""
        return self._space(np.arange(len(self.possible_agents)))

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """First observations and infos by agent; ``options`` belong to PettingZoo's signature and change nothing."""
        s, _ = answers.reset(self.env, seed=seed)
        self.agents = list(self.possible_agents)
        return self._observe(s), self._infos({})

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Observations, rewards, terminations, truncations, infos by agent; every agent must act."""
        if not self.agents:
            raise DataError("the episode is over, or never began; call reset first")
        if not isinstance(actions, Mapping):
            raise DataError(f"step takes a dictionary of actions by agent, not {type(actions).__name__}")
        if actions.keys() != self._number.keys():
            odd = next(iter(self._number.keys() ^ actions.keys()))
            raise DataError(f"{odd!r} {'has no action in this step' if odd in self._number else 'is no agent here'}")
        s, r, ended, over, info = answers.step(self.env, self._actions(actions))
        names = self.possible_agents
        out = (
            self._observe(s),
            dict(zip(names, np.asarray(r).tolist(), strict=True)),
            dict.fromkeys(names, bool(ended)),
            dict.fromkeys(names, bool(over)),
            self._infos(info),
        )
        if over or ended:
            self.agents = []
        return out

    def state(self) -> NDArray[Any]:
        """Components or vectors of every agent, (n * c,), as last seen."""
        return self._last.ravel()

    def render(self) -> None:
        """Nothing is drawn; see the report of the pipelines for pictures."""

    def _of(self, agent: str) -> int:
        if agent not in self._number:
            raise DataError(f"there is no agent {agent!r}; they are 'agent_0' to {self.possible_agents[-1]!r}")
        return self._number[agent]

    def _observe(self, s: Any) -> dict[str, Any]:
        parts = self._last = self._read(s)
        seen = [parts[near].ravel() for near in self._near]
        if not self.mask_in_observation:
            return dict(zip(self.possible_agents, seen, strict=True))
        both = ({"observation": x, "action_mask": mask} for x, mask in zip(seen, self._fresh_masks(), strict=True))
        return dict(zip(self.possible_agents, both, strict=True))

    def _infos(self, shared: dict[str, Any]) -> dict[str, Any]:
        if self._real:
            return {agent: dict(shared) for agent in self.possible_agents}
        pairs = zip(self.possible_agents, self._fresh_masks(), strict=True)
        return {agent: {**shared, "action_mask": mask} for agent, mask in pairs}

    def _fresh_masks(self) -> Iterator[NDArray[np.int8]]:
        counts = np.asarray(self.env.n_actions)
        masks = np.ones((counts.size, counts.max()), np.int8)
        if isinstance(self.env, MaskedEnv):
            masks = np.asarray(self.env.action_masks()).astype(np.int8)
        return (mask[:k].copy() for mask, k in zip(masks, counts, strict=True))

    def _space(self, seen: Any) -> spaces.Space[Any]:
        if self._coded:
            return spaces.MultiDiscrete(radices_of(self.env)[seen].ravel())
        return spaces.Box(-np.inf, np.inf, (len(seen) * self._width,), np.float32)

    def _read(self, s: Any) -> NDArray[Any]:
        """Components (n, c) of the agents, or their vectors (n, d)."""
        if self._coded:
            return components_of(self.env, s)
        vectors = np.asarray(s, np.float32)
        if vectors.shape[:1] != (self.env.n_agents,) or vectors.ndim != 2:
            raise DataError(
                f"the environment gave observations of shape {vectors.shape}, and must give codes (n,) with n_states, or "
                f"vectors (n, d), for n = {self.env.n_agents}"
            )
        return vectors

    def _actions(self, actions: Mapping[str, Any]) -> NDArray[Any]:
        if self._real:
            return np.stack([np.asarray(actions[agent], np.float64) for agent in self.possible_agents])
        given = {agent: np.asarray(action)[()] for agent, action in actions.items()}  # 0-d arrays as their number
        return np.array([whole(f"the action of {agent!r}", given[agent], 0) for agent in self.possible_agents])
