"""What every networked environment shares: batch axis, seeds, checks of codes, components, exact local kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from ...base.arrays import AnyArray, Array, Bools, Ints
from ...base.asked import asks
from ...base.checks import whole
from ...errors import DataError, NotApplicable
from .checks import check_codes, count_agents
from .model import TabularNetwork
from .neighbourhoods import graph_of, hop_neighbourhoods, influencers
from .protocols import Parts
from .streams import Seed, spawn

Info = dict[str, Any]


@dataclass(frozen=True)
class LocalKernel:
    """P_i(s_i' | s_{N_i}, a_{N_i}) and E[r_i | s_{N_i}, a_{N_i}] as arrays, for exact solvers.

    neighbours (m,): the agents of N_i, sorted, i among them. probability: axes (s of each neighbour..., a of each
    neighbour..., s_i'). reward: the same axes without the last.
    """

    agent: int
    neighbours: Ints
    probability: Array
    reward: Array


class CodedNetwork(ABC):
    """The base class of networked environments with states in codes: s (E, n) local state codes, a (E, n) local action codes, r_local (E, n).

    The batch axis E is there exactly when ``n_envs`` is given. Agent i has ``n_states[i]`` states and ``n_actions[i]``
    actions. ``state`` (E, n) and ``streams`` (E, 2) are the live buffers that compiled loops may work on.
    What others may rely on is :class:`Described`; a subclass fills in ``component_names``, ``adjacency`` and four methods.
    """

    adjacency: sparse.csr_matrix  # (n, n) bool, no diagonal: [i, j] where i influences j within one step
    component_names: tuple[str, ...]
    radices: Ints  # (n, c): agent i's component k takes values 0 .. radices[i, k] - 1; code = little-endian mixed radix
    tables: Any = None  # a NamedTuple that compiled steps read: whole numbers are the network, real ones the domain

    def __init__(
        self, radices: Ints, n_actions: Ints, *, horizon: int | None, n_envs: int | None, seed: Seed, labels: Any = None
    ) -> None:
        for name, value in (("n_envs", n_envs), ("horizon", horizon)):
            if value is not None:
                whole(name, value, 1)
        count_agents(len(radices), n_envs)
        self.radices = _frozen(np.asarray(radices, np.int64))
        self.n_states = _frozen(self.radices.prod(axis=1))
        self.n_actions = _frozen(np.asarray(n_actions, np.int64))
        self.n_agents = len(self.n_states)
        self.horizon, self.n_envs = horizon, n_envs
        self.labels = labels  # the nodes of the caller's graph, in order; None where agents are only numbered
        self.time: int | None = None  # steps since reset; None before the first
        most = int(self.n_states.max())
        code = next((t for t in (np.int8, np.int16, np.int32) if most <= np.iinfo(t).max), None)
        if code is None:
            raise DataError(f"an agent has {most:,} states, more than a code can number: at most {2**31 - 1:,}")
        self.state: AnyArray = np.zeros((n_envs or 1, self.n_agents), code)
        self.reward: Array = np.zeros((n_envs or 1, self.n_agents))
        self._seed(seed)

    def _seed(self, seed: Seed) -> None:
        self.streams = spawn(seed, self.n_envs or 1)

    @abstractmethod
    def _start(self) -> None:
        """Draw the first state of every environment into ``state``."""

    @abstractmethod
    def _advance(self, actions: Ints) -> None:
        """One step of every environment: ``state`` and ``reward`` (E, n) in place."""

    @abstractmethod
    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        """Exact law of s_i' (K, S_i) and mean reward (K,) for the rows of s, a (K, m) of the neighbours."""

    @abstractmethod
    def _initial(self, agent: int) -> Array:
        """Exact law (S_i,) of the first state of an agent."""

    def network_parts(self) -> Parts:
        """The whole numbers of ``tables``, such as who reaches which access point; the law of first states is no part."""
        return [(name, part) for name, part in self._parts("iub") if name != "start"]

    def domain_parts(self) -> Parts:
        """The real numbers of ``tables``; a subclass adds what it keeps elsewhere."""
        return self._parts("f")

    def _parts(self, kinds: str) -> list[tuple[str, AnyArray]]:
        fields = {} if self.tables is None else self.tables._asdict()
        parts = [(name, np.asarray(value)) for name, value in fields.items()]
        return [(name, part) for name, part in parts if part.dtype.kind in kinds]

    def reset(self, seed: Seed = None) -> tuple[Ints, Info]:
        """First states (E, n), ``info``. With a seed (see ``streams``) the whole future is fixed; None goes on."""
        if seed is not None:
            self._seed(seed)
        self._start()
        self.time = 0
        return self._out(self.state.astype(np.int64)), {}

    def step(self, actions: Any) -> tuple[Ints, Array, Any, Any, Info]:
        """One step under ``actions`` (E, n) int: s' (E, n), r_local (E, n), terminated (E,), truncated (E,), info.

        Nothing ever terminates; all environments of the batch are truncated after ``horizon`` steps (None: never).
        """
        if self.time is None:
            raise DataError("step was called before reset; call reset first")
        if self.horizon is not None and self.time >= self.horizon:
            raise DataError(f"the episode of {self.horizon} steps is over; call reset before the next step")
        shape = (self.n_agents,) if self.n_envs is None else (self.n_envs, self.n_agents)
        actions = check_codes("action", actions, self.n_actions, shape)
        self._advance(actions if self.n_envs is not None else actions[None])
        self.time += 1
        batch = np.zeros(self.n_envs or 1, bool)
        over = np.full(self.n_envs or 1, self.horizon is not None and self.time >= self.horizon)
        out = self._out
        return out(self.state.astype(np.int64)), out(self.reward.copy()), out(batch), out(over), {}

    def action_masks(self) -> Bools:
        """(E, n, A) bool, A the largest ``n_actions``: which actions of each agent mean anything."""
        table = np.arange(self.n_actions.max()) < self.n_actions[:, None]
        return self._out(np.broadcast_to(table, (self.n_envs or 1, *table.shape)).copy())

    def components(self, s: Any) -> Ints:
        """State codes (..., n) -> components (..., n, c), named by ``component_names``."""
        s = check_codes("state", s, self.n_states)
        return (s[..., None] // self._strides) % self.radices

    def encode(self, components: Any) -> Ints:
        """Components (..., n, c) -> state codes (..., n): the inverse of :meth:`components`."""
        values = check_codes("component", components, self.radices, names=self.component_names)
        return (values * self._strides).sum(-1)

    @cached_property
    def graph(self) -> nx.Graph:
        """Agents 0 .. n - 1, joined where one influences the other within a step (built on first use); a DiGraph where
        that runs one way anywhere."""
        return graph_of(self.adjacency)

    def neighbourhoods(self, kappa: int = 1) -> sparse.csr_matrix:
        """Closed kappa-hop balls N_i^kappa, who influences i within kappa steps, as the rows of a bool CSR matrix (n, n)."""
        return hop_neighbourhoods(self.adjacency, kappa)

    @asks()
    def local_kernel(self, agent: int, *, max_entries: int = 2**24) -> LocalKernel:
        """Exact P_i and mean r_i of an agent over every state and action of its neighbourhood N_i."""
        whole("agent", agent, 0, self.n_agents - 1)
        row = self._influencers.indices[self._influencers.indptr[agent] : self._influencers.indptr[agent + 1]]
        near = np.sort(np.append(row, agent)).astype(np.int64)
        shape = tuple(int(k) for k in (*self.n_states[near], *self.n_actions[near]))
        entries = int(np.prod(np.array(shape, object))) * int(self.n_states[agent])
        if entries > whole("max_entries", max_entries, 0):
            raise NotApplicable(
                f"the exact kernel of agent {agent} with {len(near)} agents in its neighbourhood has {entries:,} entries, "
                f"more than max_entries={max_entries:,}; use a smaller network, or raise max_entries"
            )
        codes = np.indices(shape).reshape(len(shape), -1).T
        p, r = self._outcomes(int(agent), near, codes[:, : len(near)], codes[:, len(near) :])
        return LocalKernel(int(agent), _frozen(near), _frozen(p.reshape(*shape, -1)), _frozen(r.reshape(shape)))

    @asks()
    def transition_tables(self, *, max_entries: int = 2**24) -> tuple[LocalKernel, ...]:
        """The exact local kernel of every agent."""
        return tuple(self.local_kernel(i, max_entries=max_entries) for i in range(self.n_agents))

    @asks()
    def to_tabular(self, gamma: float, *, max_entries: int = 2**24) -> TabularNetwork:
        """The same model as a :class:`TabularNetwork` of exact tables, for small networks."""
        tables = self.transition_tables(max_entries=max_entries)
        first = [self._initial(i) for i in range(self.n_agents)]
        kernels, rewards = [t.probability for t in tables], [t.reward for t in tables]
        near = [tuple(t.neighbours.tolist()) for t in tables]
        return TabularNetwork(
            self.graph, kernels, rewards, gamma, first, near, near, near, near, n_actions=self.n_actions
        )

    @cached_property
    def _influencers(self) -> sparse.csr_matrix:
        return influencers(self.adjacency)

    @cached_property
    def _strides(self) -> Ints:
        return np.cumprod(np.column_stack([np.ones(self.n_agents, np.int64), self.radices[:, :-1]]), axis=1)

    def _out(self, x: Any) -> Any:
        return x if self.n_envs is not None else x[0]


def _frozen(array: Any) -> Any:
    array.setflags(write=False)
    return array
