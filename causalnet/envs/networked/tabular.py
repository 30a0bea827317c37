"""A networked Markov decision process given by local tables: next state and reward of each agent from its neighbours.

The model of Qu, Wierman and Li (arXiv 1912.02906, eq. 1) and its collision-type extension:
P(s' | s, a) = prod_i P_i(s_i' | s_{N_i}, a_{N_i}),  r(s, a) = (1/n) sum_i r_i(s_{N_i}, a_{N_i}).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...base.arrays import Array, Ints
from ...errors import DataError
from .base import NetworkedEnv
from .model import (
    TabularNetwork,
)
from .neighbourhoods import adjacency_of, generator


class TabularEnv(NetworkedEnv):
    """Simulate a TabularNetwork, many copies at once. The copies share one numpy Generator, the seed's: with another
    ``n_envs`` the same seed gives other episodes.
    """

    component_names = ("state",)

    def __init__(
        self, model: TabularNetwork, *, n_envs: int | None = None, horizon: int | None = 10, seed: Any = None
    ) -> None:
        if not isinstance(model, TabularNetwork):
            raise DataError(f"TabularEnv simulates a TabularNetwork, not {type(model).__name__}.")
        super().__init__(
            model.n_states[:, None], model.n_actions, horizon=horizon, n_envs=n_envs, seed=seed, labels=[*model.graph]
        )
        self.model = model
        self.adjacency = adjacency_of(model.graph)
        self._packed = packed(model)

    def _seed(self, seed: Any) -> None:
        self._rng = generator(seed)

    def _start(self) -> None:
        u = self._rng.random(self.state.shape)
        for i, p in enumerate(self.model.initial or ()):
            self.state[:, i] = np.searchsorted(np.cumsum(p)[:-1], u[:, i], side="right")

    def _advance(self, actions: Ints) -> None:
        u = self._rng.random(self.state.shape)
        step_kernel(self.state.copy(), actions, u, *self._packed, self.state, self.reward)

    def _initial(self, agent: int) -> Array:
        return self.model.initial[agent]  # type: ignore[index]

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        def rows(table: Array, states: Sequence[int], actions: Sequence[int]) -> Array:
            at = [s[:, neighbours == j][:, 0] for j in states] + [a[:, neighbours == j][:, 0] for j in actions]
            return np.broadcast_to(table[tuple(at)], (len(s), *table.shape[len(at) :]))

        kernel, reward = self.model.local_tables(agent)
        return rows(*kernel[1:]), rows(*reward[1:])


def packed(model: TabularNetwork) -> tuple[NDArray[Any], ...]:
    """The tables of a model as flat arrays, for :func:`step_kernel`.

    cumulative, reward: the tables end to end; base (n, 2): where those of agent i begin. links (L, 4): one row an axis
    of a table, (parent, is it an action, is it the reward's, stride); ends (n + 1,): the links of agent i.
    """
    cumulative, reward, base, links, ends = [], [], np.zeros((model.n_agents, 2), np.int64), [], [0]
    at = [0, 0]
    for i in range(model.n_agents):
        base[i] = at
        for column, (_, table, states, actions) in enumerate(model.local_tables(i)):
            for axis, (agent, is_action) in enumerate([(j, 0) for j in states] + [(j, 1) for j in actions]):
                links.append((agent, is_action, column, table.strides[axis] // table.itemsize))
        cumulative.append(np.cumsum(model.kernels[i], axis=-1).ravel())
        reward.append(model.rewards[i].ravel())
        at = [at[0] + model.kernels[i].size, at[1] + model.rewards[i].size]
        ends.append(len(links))
    return (
        np.concatenate(cumulative), np.concatenate(reward), base,
        np.array(links, dtype=np.int64).reshape(-1, 4), np.array(ends, dtype=np.int64), model.n_states,
    )  # fmt: skip


@njit(cache=True)
def step_kernel(
    s: NDArray[np.int64], a: NDArray[np.int64], u: Array, cumulative: Array, reward: Array, base: NDArray[np.int64],
    links: NDArray[np.int64], ends: NDArray[np.int64], n_states: NDArray[np.int64], after: NDArray[np.int64], r: Array,
) -> None:  # fmt: skip
    """s, a (E, n), u (E, n) uniforms -> after (E, n), r (E, n), written in place; the six tables are ``packed``'s."""
    for e in range(s.shape[0]):
        for i in range(s.shape[1]):
            row, cell = base[i, 0], base[i, 1]
            for k in range(ends[i], ends[i + 1]):
                code = a[e, links[k, 0]] if links[k, 1] else s[e, links[k, 0]]
                if links[k, 2]:
                    cell += code * links[k, 3]
                else:
                    row += code * links[k, 3]
            new = 0
            while new < n_states[i] - 1 and u[e, i] >= cumulative[row + new]:
                new += 1
            after[e, i] = new
            r[e, i] = reward[cell]
