"""A networked system by its tables, and what they must satisfy: right shapes, parents within reach, rows that are laws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np

from ...base.arrays import Array, Ints
from ...base.asked import asks
from ...base.checks import entries, laws, number, one_of, shaped, whole, whole_numbers
from ...errors import DataError, NotApplicable
from .checks import agent_rows, frozen
from .neighbourhoods import closed_neighbourhoods
from .streams import generator

Parents = Sequence[Sequence[int]]
_LARGEST = 1 << 27  # numbers in one table of a random network: a gigabyte


def parents(name: str, given: Any, near: Parents) -> tuple[tuple[int, ...], ...]:
    """The parents of each agent, distinct and within its closed neighbourhood ``near[i]``."""
    rows = agent_rows(name, given, len(near))
    for i, row in enumerate(rows):
        far = [j for j in row if j not in near[i]]
        if far:
            raise DataError(
                f"{name}[{i}] holds agent {far[0]}, which is not {i} or joined to it; add the edge (to {i}, if directed) or drop it"
            )
    return rows


def count_actions(model: TabularNetwork, n: int) -> Ints:
    """(n,): what the caller says, or the longest axis that any table gives the actions of an agent."""
    if model.n_actions is not None:
        return whole_numbers("n_actions", model.n_actions, n, 1)
    count = np.ones(n, dtype=np.int64)
    for i in range(n):
        for _, table, states, actions in model.local_tables(i):
            for j, size in zip(actions, table.shape[len(states) :], strict=False):  # too few axes: see check_tables
                count[j] = max(count[j], size)
    return count


def check_tables(model: TabularNetwork) -> None:
    """Refuse tables whose axes do not fit the parents, and kernels with a row that is no law."""
    for i in range(model.n_agents):
        for name, table, states, actions in model.local_tables(i):
            last = [i] * (name == "kernels")
            want = [*model.n_states[[*states]], *model.n_actions[[*actions]], *model.n_states[last]]
            axes = "states, then actions, of its parents (of kernels, then the next state)"
            shaped(f"{name}[{i}]", table, tuple(map(int, want)), axes)
        laws(f"kernels[{i}]", model.kernels[i])


def refuse_large(near: Parents, wide: Parents, n_states: int, n_actions: int) -> None:
    """Refuse a random network whose largest table no memory holds, before any is made."""
    i = max(range(len(near)), key=lambda k: len(near[k]))
    size = n_states ** (len(near[i]) + 1) * n_actions ** len(wide[i])
    if size > _LARGEST:
        less = "fewer states or actions" if len(wide[i]) > 1 else "fewer states"
        raise NotApplicable(
            f"the kernel of agent {i}, which has {len(near[i]) - 1} neighbours, would hold about 10^{math.log10(size):.0f} "
            f"numbers, more than {_LARGEST:,}; take a graph of smaller degree, or {less}"
        )


@dataclass(frozen=True, eq=False)
class TabularNetwork:
    """A finite networked model, frozen. Agent i is the i-th node of ``graph``; every index below is such a number.

    graph: n nodes; the closed neighbourhood N_i holds i and the nodes joined to it, in a DiGraph those with an edge to it.
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
    n_states: Ints = field(init=False)

    def __post_init__(self) -> None:
        near = closed_neighbourhoods(self.graph)
        n = len(near)
        own = [[i] for i in range(n)]
        defaults = {"state_parents": near, "action_parents": own, "reward_states": own, "reward_actions": own}
        for name, default in defaults.items():
            given = getattr(self, name)
            self._set(name, parents(name, default if given is None else given, near))
        for name in ("kernels", "rewards"):
            given = entries(name, getattr(self, name), "tables", n)
            self._set(name, tuple(frozen(f"{name}[{i}]", table) for i, table in enumerate(given)))
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
        self._set(
            "initial", tuple(frozen(f"initial[{i}]", p) for i, p in enumerate(entries("initial", start, "laws", n)))
        )
        for i, p in enumerate(self.initial or ()):
            laws(f"initial[{i}]", shaped(f"initial[{i}]", p, (int(n_states[i]),), "a law of the agent's states"))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @asks()
    def local_tables(self, i: int) -> tuple[tuple[str, Array, Sequence[int], Sequence[int]], ...]:
        """The two tables of agent i, each as (field, table, agents of the state axes, agents of the action axes)."""
        whole("i", i, 0, self.n_agents - 1)
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
        cls,
        graph: nx.Graph,
        rng: np.random.Generator | int,
        *,
        n_states: int = 2,
        n_actions: int = 2,
        gamma: float = 0.9,
        coupling: str = "states",
        concentration: float = 1.0,
    ) -> TabularNetwork:
        """Dirichlet kernels and Uniform[0, 1] rewards on a graph.

        coupling: "states" is P_i(s_i' | s_{N_i}, a_i), r_i(s_i, a_i), the model of the paper; "actions" is the
        collision type P_i(s_i' | s_{N_i}, a_{N_i}), r_i(s_{N_i}, a_{N_i}) of shared channels.
        """
        one_of("coupling", coupling, ("states", "actions"))
        concentration = number("concentration", concentration, above=0)  # small is nearly deterministic
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
        return cls(graph, kernels, rewards, gamma, None, near, wide, wide, wide)
