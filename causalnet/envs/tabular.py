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

from ..errors import DataError, NotApplicable
from ._network import adjacency_of, check_topology, generator, whole_number

Array = NDArray[np.float64]
Parents = Sequence[Sequence[int]]
_LARGEST = 1 << 27  # numbers in one table of a random network: a gigabyte
_ROW = 1e-9  # how far a row of probabilities may sum from one


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
        check_topology(self.graph)
        n = self.graph.number_of_nodes()
        index = {node: i for i, node in enumerate(self.graph)}
        near = [sorted({i, *(index[v] for v in self.graph[u])}) for i, u in enumerate(self.graph)]
        own = [[i] for i in range(n)]
        for name, default in (
            ("state_parents", near), ("action_parents", own), ("reward_states", own), ("reward_actions", own)
        ):  # fmt: skip
            given = getattr(self, name)
            object.__setattr__(self, name, _parents(name, default if given is None else given, near))
        for name in ("kernels", "rewards"):
            tables = tuple(_frozen(name, i, table) for i, table in enumerate(getattr(self, name)))
            if len(tables) != n:
                raise DataError(f"{name} has {len(tables)} tables, and the graph {n} nodes; give one table an agent")
            object.__setattr__(self, name, tables)
        if not 0 <= self.gamma < 1:
            raise DataError(f"gamma is {self.gamma}, and must lie in [0, 1)")
        n_states = np.array([k.shape[-1] if k.ndim else 0 for k in self.kernels])
        if n_states.min() < 1:
            raise DataError(
                f"kernels[{n_states.argmin()}] knows no next state; its last axis is the law of s_i', not empty"
            )
        n_actions = _count_actions(self, n)
        for name, value in (("n_states", n_states), ("n_actions", n_actions)):
            value = value.astype(np.int64)
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        _check_tables(self)
        start = [np.full(k, 1 / k) for k in n_states] if self.initial is None else self.initial
        if len(start) != n:
            raise DataError(f"initial has {len(start)} laws, and the graph {n} nodes; give one law an agent")
        object.__setattr__(self, "initial", tuple(_law(i, p, int(n_states[i])) for i, p in enumerate(start)))

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
        if not (isinstance(concentration, (int, float, np.number)) and 0 < concentration < np.inf):
            raise DataError(
                f"concentration is {concentration!r}; write a number above 0 (small is nearly deterministic)"
            )
        n_states, n_actions = whole_number("n_states", n_states, 1), whole_number("n_actions", n_actions, 1)
        rng = generator(rng)
        check_topology(graph)
        index = {node: i for i, node in enumerate(graph)}
        near = [sorted({i, *(index[v] for v in graph[u])}) for i, u in enumerate(graph)]
        own = [[i] for i in range(len(near))]
        wide = near if coupling == "actions" else own
        _refuse_large(near, wide, n_states, n_actions)
        kernels, rewards = [], []
        for i in range(len(near)):
            shape = (n_states,) * len(near[i]) + (n_actions,) * len(wide[i])
            kernels.append(rng.dirichlet(np.full(n_states, concentration), size=shape))
            rewards.append(rng.random((n_states,) * len(wide[i]) + (n_actions,) * len(wide[i])))
        return cls(
            graph,
            kernels,
            rewards,
            gamma,
            state_parents=near,
            action_parents=wide,
            reward_states=wide,
            reward_actions=wide,
        )


class TabularEnv:
    """Simulate a TabularNetwork, many copies at once: the array contract of every networked environment.

    reset(seed) -> (s, info); step(a) -> (s, r_local, terminated, truncated, info): s, a (E, n) int64, r_local (E, n);
    the leading axis E is dropped when ``n_envs`` is None. An episode is truncated after ``horizon`` steps (None: never).
    """

    def __init__(
        self, model: TabularNetwork, *, n_envs: int | None = None, horizon: int | None = 10, seed: int | None = None
    ) -> None:
        for name, value in (("n_envs", n_envs), ("horizon", horizon)):
            if value is not None:
                whole_number(name, value, 1)
        self.model, self.n_envs, self.horizon = model, n_envs, horizon
        self.graph, self.n_agents = model.graph, model.n_agents
        self.n_states, self.n_actions = model.n_states, model.n_actions
        self.adjacency = adjacency_of(model.graph)
        self._tables = packed(model)
        self.radices, self.component_names = model.n_states[:, None], ("state",)
        self._rng = generator(seed)
        self._s: NDArray[np.int64] | None = None

    def reset(self, seed: int | None = None) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Draw s(0) in every copy; with a seed the whole future is fixed by it."""
        if seed is not None:
            self._rng = generator(seed)
        u = self._rng.random((self.n_envs or 1, self.n_agents))
        first = [
            np.searchsorted(np.cumsum(p)[:-1], u[:, i], side="right") for i, p in enumerate(self.model.initial or ())
        ]
        self._s, self._t = np.stack(first, axis=1).astype(np.int64), 0
        return self._out(self._s), {}

    def step(self, a: NDArray[np.integer[Any]]) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step of every copy under the actions a, (E, n) or (n,) without a batch axis."""
        if self._s is None:
            raise DataError("step was called before reset; call reset first")
        if self.horizon is not None and self._t >= self.horizon:
            raise DataError(f"the episode of {self.horizon} steps is over; call reset before the next step")
        a, want = np.asarray(a), self._s.shape if self.n_envs is not None else (self.n_agents,)
        if a.dtype.kind not in "iu" or a.shape != want:
            raise DataError(
                f"actions are whole numbers of shape {want}, one an agent; this array is {a.dtype} of shape {a.shape}"
            )
        a = np.ascontiguousarray(a, dtype=np.int64).reshape(self._s.shape)
        wrong = np.argwhere((a < 0) | (a >= self.n_actions))
        if len(wrong):
            e, i = wrong[0]
            raise DataError(
                f"action of agent {i} is {a[e, i]}, and it has {self.n_actions[i]}: 0 to {self.n_actions[i] - 1}"
            )
        u = self._rng.random(a.shape)
        after, r = np.empty_like(self._s), np.empty(a.shape)
        step_kernel(self._s, a, u, *self._tables, after, r)
        self._s, self._t = after, self._t + 1
        over = np.full(len(a), self.horizon is not None and self._t >= self.horizon)
        return self._out(after), self._out(r), self._out(np.zeros_like(over)), self._out(over), {}

    def components(self, s: Any) -> NDArray[np.int64]:
        """State codes (..., n) -> components (..., n, 1): an agent of tables has one, its state."""
        return np.asarray(s, dtype=np.int64)[..., None]

    def _out(self, x: Any) -> Any:
        return x.copy() if self.n_envs is not None else x[0].copy()


def packed(model: TabularNetwork) -> tuple[NDArray[Any], ...]:
    """The tables of a model as flat arrays, for :func:`step_kernel`.

    cumulative, reward: the tables end to end; base (n, 2): where those of agent i begin. links (L, 4): one row an axis
    of a table, (parent, is it an action, is it the reward's, stride); ends (n + 1,): the links of agent i.
    """
    cumulative, reward, base, links, ends = [], [], np.zeros((model.n_agents, 2), np.int64), [], [0]
    at = [0, 0]
    for i in range(model.n_agents):
        kernel, r = model.kernels[i], model.rewards[i]
        base[i] = at
        cumulative.append(np.cumsum(kernel, axis=-1).ravel())
        reward.append(r.ravel())
        at = [at[0] + kernel.size, at[1] + r.size]
        for table, (states, actions), column in (
            (kernel, _axes(model, i, "kernel"), 0), (r, _axes(model, i, "reward"), 1)
        ):  # fmt: skip
            strides = [s // table.itemsize for s in np.ascontiguousarray(table).strides]
            for axis, (agent, is_action) in enumerate([(j, 0) for j in states] + [(j, 1) for j in actions]):
                links.append((agent, is_action, column, strides[axis]))
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


def _axes(model: TabularNetwork, i: int, kind: str) -> tuple[Sequence[int], Sequence[int]]:
    if kind == "kernel":
        return model.state_parents[i], model.action_parents[i]  # type: ignore[index]
    return model.reward_states[i], model.reward_actions[i]  # type: ignore[index]


def _parents(name: str, given: Parents, near: Parents) -> tuple[tuple[int, ...], ...]:
    if len(given) != len(near):
        raise DataError(f"{name} has {len(given)} rows, and the graph {len(near)} nodes; give one row an agent")
    for i, row in enumerate(given):
        if len(set(row)) != len(row):
            raise DataError(f"{name}[{i}] names an agent twice: {tuple(row)}")
        far = [j for j in row if j not in near[i]]
        if far:
            raise DataError(
                f"{name}[{i}] holds agent {far[0]}, which is not {i} or joined to it; add the edge or drop it"
            )
    return tuple(tuple(int(j) for j in row) for row in given)


def _frozen(name: str, i: int, table: Any) -> Array:
    table = np.array(table, dtype=np.float64, order="C")
    if not np.isfinite(table).all():
        raise DataError(f"{name}[{i}] holds a value that is not a finite number")
    table.setflags(write=False)
    return table


def _count_actions(model: TabularNetwork, n: int) -> NDArray[np.int64]:
    if model.n_actions is not None:
        given = np.asarray(model.n_actions)
        if given.dtype.kind not in "iu" or given.shape not in {(), (n,)} or given.min() < 1:
            raise DataError(
                f"n_actions takes a whole number from 1 up, or one for each of {n} agents; got {model.n_actions!r}"
            )
        return np.broadcast_to(given, (n,))
    count = np.ones(n, dtype=np.int64)
    for i in range(n):
        for table, kind in ((model.kernels[i], "kernel"), (model.rewards[i], "reward")):
            states, actions = _axes(model, i, kind)
            for axis, j in enumerate(actions, start=len(states)):
                if axis < table.ndim:
                    count[j] = max(count[j], table.shape[axis])
    return count


def _refuse_large(near: Parents, wide: Parents, n_states: int, n_actions: int) -> None:
    """Refuse a random network whose largest table no memory holds, before any is made."""
    i = max(range(len(near)), key=lambda k: len(near[k]))
    size = n_states ** (len(near[i]) + 1) * n_actions ** len(wide[i])
    if size > _LARGEST:
        raise NotApplicable(
            f"the kernel of agent {i}, which has {len(near[i]) - 1} neighbours, would hold {float(size):.3g} numbers, more "
            f"than {_LARGEST:,}; take a graph of smaller degree, or fewer states" + " or actions" * (len(wide[i]) > 1)
        )


def _check_tables(model: TabularNetwork) -> None:
    for i in range(model.n_agents):
        for table, kind in ((model.kernels[i], "kernel"), (model.rewards[i], "reward")):
            states, actions = _axes(model, i, kind)
            want = (*model.n_states[list(states)], *model.n_actions[list(actions)])
            want = (*want, model.n_states[i]) if kind == "kernel" else want
            if table.shape != tuple(int(k) for k in want):
                raise DataError(
                    f"{kind}s[{i}] has shape {table.shape}, and should have {tuple(int(k) for k in want)}: states of {tuple(states)}, "
                    f"actions of {tuple(actions)}" + (f", then the next state of {i}" if kind == "kernel" else "")
                )
        kernel = model.kernels[i]
        off = np.argwhere((kernel.min(-1) < 0) | (np.abs(kernel.sum(-1) - 1) > _ROW))
        if len(off):
            row = tuple(int(k) for k in off[0])
            raise DataError(
                f"kernels[{i}]{list(row)} sums to {kernel[row].sum():.6g} (least entry {kernel[row].min():.3g}); every row is a "
                f"law of the next state: no entry below 0, sum 1"
            )


def _law(i: int, p: Any, size: int) -> Array:
    p = _frozen("initial", i, p)
    if p.shape != (size,) or p.min() < 0 or abs(p.sum() - 1) > _ROW:
        raise DataError(f"initial[{i}] must be {size} probabilities that sum to 1, and is {p.tolist()}")
    return p
