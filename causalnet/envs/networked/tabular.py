"""A networked Markov decision process given by local tables: next state and reward of each agent from its neighbours.

The model of Qu, Wierman and Li (arXiv 1912.02906, eq. 1) and its collision-type extension:
P(s' | s, a) = prod_i P_i(s_i' | s_{N_i}, a_{N_i}),  r(s, a) = (1/n) sum_i r_i(s_{N_i}, a_{N_i}).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Ints
from ...base.checks import instance
from .base import CodedNetwork
from .model import TabularNetwork
from .neighbourhoods import adjacency_of
from .protocols import Parts
from .streams import generator


class PackedTables(NamedTuple):
    """The tables of a model as flat arrays: cumulative kernels and rewards end to end, base (n, 2) where agent i's begin.

    links (L, 4): one row an axis of a table, (parent, is it an action, is it the reward's, stride); ends (n + 1,): the
    links of agent i. n_states (n,).
    """

    cumulative: Array
    reward: Array
    base: Ints
    links: Ints
    ends: Ints
    n_states: Ints


class TabularEnv(CodedNetwork):
    """Simulate a TabularNetwork, many copies at once. The copies share one numpy Generator, the seed's: with another
    ``n_envs`` the same seed gives other episodes.
    """

    component_names = ("state",)

    def __init__(
        self, model: TabularNetwork, *, n_envs: int | None = None, horizon: int | None = 10, seed: Any = None
    ) -> None:
        self.model: TabularNetwork = instance("model", model, TabularNetwork, "a TabularNetwork")
        super().__init__(
            model.n_states[:, None], model.n_actions, horizon=horizon, n_envs=n_envs, seed=seed, labels=[*model.graph]
        )
        self.adjacency = adjacency_of(model.graph)
        self._packed = packed(model)

    def domain_parts(self) -> Parts:
        """Kernels, rewards and first laws of the model."""
        named = {"kernels": self.model.kernels, "rewards": self.model.rewards, "initial": self.model.initial or ()}
        return [(name, table) for name, tables in named.items() for table in tables]

    def _seed(self, seed: Any) -> None:
        self._rng = generator(seed)

    def _start(self) -> None:
        u = self._rng.random(self.state.shape)
        for i, p in enumerate(self.model.initial or ()):
            self.state[:, i] = np.searchsorted(np.cumsum(p)[:-1], u[:, i], side="right")

    def _advance(self, actions: Ints) -> None:
        u = self._rng.random(self.state.shape)
        step_kernel(self.state.copy(), actions, u, self._packed, self.state, self.reward)

    def _initial(self, agent: int) -> Array:
        return self.model.initial[agent]  # type: ignore[index]

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        def rows(table: Array, states: Sequence[int], actions: Sequence[int]) -> Array:
            at = [s[:, neighbours == j][:, 0] for j in states] + [a[:, neighbours == j][:, 0] for j in actions]
            return np.broadcast_to(table[tuple(at)], (len(s), *table.shape[len(at) :]))

        kernel, reward = self.model.local_tables(agent)
        return rows(*kernel[1:]), rows(*reward[1:])


def packed(model: TabularNetwork) -> PackedTables:
    """The tables of a model, for :func:`step_kernel`."""
    links, ends = [], [0]
    for i in range(model.n_agents):
        for column, (_, table, states, actions) in enumerate(model.local_tables(i)):
            for axis, (agent, is_action) in enumerate([(j, 0) for j in states] + [(j, 1) for j in actions]):
                links.append((agent, is_action, column, table.strides[axis] // table.itemsize))
        ends.append(len(links))
    sizes = [(kernel.size, reward.size) for kernel, reward in zip(model.kernels, model.rewards, strict=True)]
    return PackedTables(
        np.concatenate([np.cumsum(kernel, axis=-1).ravel() for kernel in model.kernels]),
        np.concatenate([reward.ravel() for reward in model.rewards]),
        np.cumsum([(0, 0), *sizes[:-1]], axis=0, dtype=np.int64),
        np.array(links, dtype=np.int64).reshape(-1, 4),
        np.array(ends, np.int64),
        model.n_states,
    )


@njit(cache=True)
def step_kernel(s: AnyArray, a: Ints, u: Array, net: PackedTables, after: AnyArray, r: Array) -> None:
    """s, a (E, n), u (E, n) uniforms -> after (E, n), r (E, n), written in place."""
    for e in range(s.shape[0]):
        for i in range(s.shape[1]):
            row, cell = net.base[i, 0], net.base[i, 1]
            for k in range(net.ends[i], net.ends[i + 1]):
                link = net.links[k]
                code = a[e, link[0]] if link[1] else s[e, link[0]]
                if link[2]:
                    cell += code * link[3]
                else:
                    row += code * link[3]
            new = 0
            while new < net.n_states[i] - 1 and u[e, i] >= net.cumulative[row + new]:
                new += 1
            after[e, i] = new
            r[e, i] = net.reward[cell]
