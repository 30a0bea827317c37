"""A networked Markov decision process given by local tables: next state and reward of each agent from its neighbours.

The model of Qu, Wierman and Li (arXiv 1912.02906, eq. 1) and its collision-type extension:
P(s' | s, a) = prod_i P_i(s_i' | s_{N_i}, a_{N_i}),  r(s, a) = (1/n) sum_i r_i(s_{N_i}, a_{N_i}).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..base.arrays import Array, Ints
from ..base.checks import entries, number, whole
from ..errors import DataError
from ._network import adjacency_of, generator
from ._networked import NetworkedEnv
from ._tabular_checks import (
    Parents,
    check_tables,
    closed_neighbourhoods,
    count_actions,
    frozen,
    law,
    parents,
    refuse_large,
)


@dataclass(frozen=True, eq=False)
class TabularNetwork:
    """A finite networked model, frozen. Agent i is the i-th node of ``graph``; every index below is such a number.

    graph: undirected, n nodes; the closed neighbourhood N_i holds i and the nodes joined to it.
    kernels[i]: P_i, axes (s of each state parent..., a of each action parent..., s_i'); rows sum to one.
    rewards[i]: r_i, axes (s of each of reward_states[i]..., a of each of reward_actions[i]...).
    gamma: discount in [0, 1). initial[i]: (n_states[i],) law of s_i(0); independent over agents; uniform by default.
    state_parents[i], action_parents[i]: agents in N_i, in the order of the axes; by default all of N_i, and i alone.
    reward_states[i], reward_actions[i]: the same for rewards; by default i alone.
    n_states, n_actions: (n,) int64; read off the tables (give n_actions where some action touches no table).
    """

    graph: nx.Graph
    kernels: Sequence[Array]
    rewards: Sequence[Array]
    gamma: float = 0.9
    initial: Sequence[Array] | None = None
    state_parents: Parents | None = None
    action_parents: Parents | None = None
    reward_states: Parents | None = None
    reward_actions: Parents | None = None
    n_actions: Any = None
    n_states: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        near = closed_neighbourhoods(self.graph)
        n = len(near)
        own = [[i] for i in range(n)]
        for name, default in (
            ("state_parents", near), ("action_parents", own), ("reward_states", own), ("reward_actions", own)
        ):  # fmt: skip
            given = getattr(self, name)
            self._set(name, parents(name, default if given is None else given, near))
        for name in ("kernels", "rewards"):
            given = entries(name, getattr(self, name), "tables", n)
            self._set(name, tuple(frozen(name, i, table) for i, table in enumerate(given)))
        self._set("gamma", number("gamma", self.gamma))
        if not 0 <= self.gamma < 1:
            raise DataError(f"gamma is {self.gamma}, and must lie in [0, 1)")
        n_states = np.array([k.shape[-1] if k.ndim else 0 for k in self.kernels])
        if n_states.min() < 1:
            raise DataError(
                f"kernels[{n_states.argmin()}] knows no next state; its last axis is the law of s_i', not empty"
            )
        for name, value in (("n_states", n_states), ("n_actions", count_actions(self, n))):
            value = value.astype(np.int64)
            value.setflags(write=False)
            self._set(name, value)
        check_tables(self)
        start = [np.full(k, 1 / k) for k in n_states] if self.initial is None else self.initial
        laws = entries("initial", start, "laws", n)
        self._set("initial", tuple(law(i, p, int(n_states[i])) for i, p in enumerate(laws)))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def local_tables(self, i: int) -> tuple[tuple[str, Array, Sequence[int], Sequence[int]], ...]:
        """The two tables of agent i, each as (field, table, agents of the state axes, agents of the action axes)."""
        return (
            ("kernels", self.kernels[i], self.state_parents[i], self.action_parents[i]),  # type: ignore[index]
            ("rewards", self.rewards[i], self.reward_states[i], self.reward_actions[i]),  # type: ignore[index]
        )

    @property
    def n_agents(self) -> int:
        """Number of agents n."""
        return len(self.kernels)

    @classmethod
    def random(
        cls, graph: nx.Graph, rng: np.random.Generator | int, *, n_states: int = 2, n_actions: int = 2,
        gamma: float = 0.9, coupling: str = "states", concentration: float = 1.0,
    ) -> TabularNetwork:  # fmt: skip
        """Dirichlet kernels and Uniform[0, 1] rewards on a graph.

        coupling: "states" is P_i(s_i' | s_{N_i}, a_i), r_i(s_i, a_i), the model of the paper; "actions" is the
        collision type P_i(s_i' | s_{N_i}, a_{N_i}), r_i(s_{N_i}, a_{N_i}) of shared channels.
        """
        if coupling not in {"states", "actions"}:
            raise DataError(f"coupling is {coupling!r}; write 'states' or 'actions'")
        if number("concentration", concentration) <= 0:
            raise DataError(
                f"concentration is {concentration!r}; write a number above 0 (small is nearly deterministic)"
            )
        n_states, n_actions = whole("n_states", n_states, 1), whole("n_actions", n_actions, 1)
        rng = generator(rng)
        near = closed_neighbourhoods(graph)
        wide = near if coupling == "actions" else [[i] for i in range(len(near))]
        refuse_large(near, wide, n_states, n_actions)
        kernels, rewards = [], []
        for i in range(len(near)):
            shape = (n_states,) * len(near[i]) + (n_actions,) * len(wide[i])
            kernels.append(rng.dirichlet(np.full(n_states, concentration), size=shape))
            rewards.append(rng.random((n_states,) * len(wide[i]) + (n_actions,) * len(wide[i])))
        return cls(
            graph, kernels, rewards, gamma,
            state_parents=near, action_parents=wide, reward_states=wide, reward_actions=wide,
        )  # fmt: skip


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
