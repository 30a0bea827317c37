"""Keep queues short on a network of road links by choosing which turns may flow: the traffic task of GSAC.

arXiv 2510.21427, appendix H.2, after arXiv 1912.02906 and max-pressure control. Link i holds x_ij vehicles that want to
turn to link j; y_ij in {0, 1} opens the turn; F_ij = min(C_ij y_ij, x_ij) flow, and vehicles entering a link split at
random over its turns: x_ij' = [x_ij - F_ij + (what entered i and wants to j)] clipped to [0, S]; r_i = - sum_j x_ij.
Choices that the paper leaves open: C_ij ~ Poisson (its mean is the domain factor), each entering vehicle picks its turn
independently (a multinomial split), Bernoulli arrivals from outside, exits, and the clip around the whole sum (as
printed, around the outflow alone, a queue could exceed S).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numba import njit
from scipy import sparse
from scipy.special import pdtr

from ...base.arrays import AnyArray, Array, Bools, Codes, Ints
from ...base.checks import entries, flag, improper, number, numbers, whole
from ...errors import DataError
from .base import CodedNetwork
from .checks import check_topology, count_agents
from .protocols import Parts
from .streams import Seed, Words, uniform


class TrafficTables(NamedTuple):
    """turns (n, m) int32: link that each turn leads to; n is the outside, n + 1 no turn. split (n, m): sums over turns of
    the probability that an entering vehicle picks them. arrival (n,): chance that one enters from outside.
    strides (m,) int64: value of one vehicle of each turn in the state code. room: S. start: most vehicles a turn at
    first. offset: added to every reward (so that it can be >= 0).
    """

    turns: Codes
    split: Array
    arrival: Array
    strides: Ints
    room: int
    start: int
    offset: Array


@njit(cache=True)
def traffic_reset(net: TrafficTables, states: AnyArray, streams: Words) -> None:
    """First states (E, n): each turn holds 0 .. start vehicles, uniformly."""
    n, m = net.turns.shape
    for e in range(states.shape[0]):
        for i in range(n):
            code = np.int64(0)
            for k in range(m):
                if net.turns[i, k] <= n and net.start > 0:
                    code += np.int64(uniform(streams[e]) * (net.start + 1)) * net.strides[k]
            states[e, i] = code


@njit(cache=True)
def traffic_step(
    net: TrafficTables, capacity: Array, states: AnyArray, actions: Ints, rewards: Array, lost: Ints, streams: Words
) -> None:
    """One step of every environment, in place; ``lost`` (E,) counts the vehicles that found no room.

    capacity (1 or E, n, S): P(C_i <= k), k < S. states, actions, rewards (E, n), streams (E, 2); action bit k opens turn k.
    The reward is of the state before the step.
    """
    n, m = net.turns.shape
    queue, inflow = np.empty((n, m), np.int32), np.empty(n + 1, np.int32)
    for e in range(states.shape[0]):
        state, action, stream, law = states[e], actions[e], streams[e], capacity[e % capacity.shape[0]]
        inflow[:] = 0
        for i in range(n):
            code = np.int64(state[i])
            total = np.int64(0)
            for k in range(m):
                x = code % (net.room + 1)
                code //= net.room + 1
                total += x
                flow = 0
                if (action[i] >> k) & 1 and x > 0:
                    u = uniform(stream)
                    while flow < x and u >= law[i, flow]:
                        flow += 1
                    inflow[net.turns[i, k]] += flow
                queue[i, k] = x - flow
            rewards[e, i] = net.offset[i] - total
        lost[e] = 0
        for i in range(n):
            entering = inflow[i]
            if net.arrival[i] > 0:
                entering += uniform(stream) < net.arrival[i]
            for _ in range(entering):
                u = uniform(stream)
                k = 0
                while u >= net.split[i, k]:
                    k += 1
                if queue[i, k] < net.room:
                    queue[i, k] += 1
                else:
                    lost[e] += 1
            after = np.int64(0)
            for k in range(m):
                after += queue[i, k] * net.strides[k]
            state[i] = after


@dataclass(frozen=True)
class TrafficRules:
    """How vehicles enter, turn and leave."""

    capacity: Any = 2.0  # mean of C, the domain factor omega: a number, (n,), or (E, 1) or (E, n) for different domains
    room: int = 10  # S: most vehicles a turn holds
    arrival: float = 0.3  # probability a step that a vehicle enters each of the entries
    entries: Iterable[Hashable] | None = None  # links that vehicles come into; None: those that no turn leads into
    exits: Iterable[Hashable] | None = None  # links with one more turn, out of the network; None: those without a turn
    split: Any = None  # (n, m) probabilities of the turns in the order of the graph's edges, the exit last; None: equal
    start: int = 2  # most vehicles a turn at first
    shifted: bool = False  # True adds S * turns to the reward, so that it lies in [0, S * turns]


class Traffic(CodedNetwork):
    """Queues on a directed graph whose nodes are road links and whose edge i -> j is a turn (at most 6 turns a link).

    rules: the keywords of :class:`TrafficRules`. ``step``'s info holds "lost" (E,): vehicles that found a full queue.
    """

    def __init__(
        self, links: nx.DiGraph, *, horizon: int | None = 50, n_envs: int | None = None, seed: Seed = None, **rules: Any
    ) -> None:
        o, labels = TrafficRules(**rules), check_topology(links, directed=True, what="network of road links")
        number_of, n = {v: i for i, v in enumerate(labels)}, len(labels)
        leave = _members("exits", o.exits, number_of, [v for v in labels if links.out_degree(v) == 0])
        enter = _members("entries", o.entries, number_of, [v for v in labels if links.in_degree(v) == 0])
        room = whole("room", o.room, 1, 1000)
        turns = _turns(
            [[number_of[w] for w in links[v]] + [n] * (i in leave) for i, v in enumerate(labels)], labels, room
        )
        real, m = turns <= n, turns.shape[1]
        width = real.sum(1)
        self.component_names = tuple(f"x_{k + 1}" for k in range(m))
        radices = np.where(real, room + 1, 1)
        super().__init__(radices, 2**width, horizon=horizon, n_envs=n_envs, seed=seed, labels=labels)
        self.tables = TrafficTables(
            turns,
            _split(o.split, real),
            arrival=np.where(np.isin(np.arange(n), enter), number("arrival", o.arrival, 0, 1), 0),
            strides=(room + 1) ** np.arange(m),
            room=room,
            start=whole("start", o.start, 0, room),
            offset=room * width.astype(np.float64) if flag("shifted", o.shifted) else np.zeros(n),
        )
        self.capacity = _capacity(o.capacity, n, n_envs, room)
        if not enter.size:
            raise DataError("no vehicle ever enters: every link is fed by another one; name entries=[...]")
        source, k = np.nonzero(turns < n)
        into = sparse.csr_matrix((np.ones(source.size, bool), (source, turns[source, k])), shape=(n, n))
        self.adjacency = sparse.csr_matrix((into + into.T) > 0)
        self.adjacency.sort_indices()
        self.lost = np.zeros(n_envs or 1, np.int64)

    def domain_parts(self) -> Parts:
        """The law of the capacities, and the real numbers of the tables."""
        return [("capacity", self.capacity), *super().domain_parts()]

    def step(self, actions: Any) -> tuple[Ints, Array, Any, Any, dict[str, Any]]:
        """See ``CodedNetwork.step``; info["lost"] (E,) counts vehicles that found a full queue."""
        *out, info = super().step(actions)
        info["lost"] = self._out(self.lost.copy())
        return (*out, info)

    def _start(self) -> None:
        traffic_reset(self.tables, self.state, self.streams)

    def _advance(self, actions: Ints) -> None:
        traffic_step(self.tables, self.capacity, self.state, actions, self.reward, self.lost, self.streams)

    def _initial(self, agent: int) -> Array:
        x = (np.arange(self.n_states[agent])[:, None] // self._strides[agent]) % self.radices[agent]
        return np.asarray((x <= self.tables.start).all(1) / (x <= self.tables.start).all(1).sum())

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        net, n, room = self.tables, self.n_agents, self.tables.room
        if (self.capacity != self.capacity[0]).any():
            raise DataError("the environments of this batch differ in capacity; make one for the domain you ask about")
        me = int(np.flatnonzero(neighbours == agent)[0])
        entering = np.ones((len(s), 1))  # law of how many vehicles enter the link
        for j, other in enumerate(neighbours):
            for k in np.flatnonzero(net.turns[other] == agent):
                entering = _convolve(entering, self._flow(other, k, s[:, j], a[:, j]))
        chance = net.arrival[agent]
        entering = _convolve(entering, np.broadcast_to([1 - chance, chance], (len(s), 2)))
        law = np.ones((len(s), 1))  # law of the queues after departures, as little-endian codes
        for k in np.flatnonzero(net.turns[agent] <= n):
            flow = self._flow(agent, k, s[:, me], a[:, me])
            x = (s[:, me] // net.strides[k]) % (room + 1)
            left = x[:, None] - np.arange(room + 1)
            one = np.zeros((len(s), room + 1))
            rows, f = np.nonzero(left >= 0)
            one[rows, left[rows, f]] = flow[rows, f]
            law = (one[:, :, None] * law[:, None, :]).reshape(len(s), -1)
        after, add = np.zeros_like(law), self._one_vehicle(agent)
        for count in range(entering.shape[1]):
            after += entering[:, [count]] * law
            law = law @ add
        queues = (s[:, [me]] // net.strides) % (room + 1)
        return after, net.offset[agent] - queues.sum(1).astype(np.float64)

    def _flow(self, link: Any, k: Any, s: Ints, a: Ints) -> Array:
        """Law (K, S + 1) of F for one turn: min(C, x) where it is open, else 0."""
        room = self.tables.room
        x = (s // self.tables.strides[k]) % (room + 1)
        x = np.where((a >> k) & 1, x, 0)
        below = np.column_stack([np.broadcast_to(self.capacity[0, link], (len(s), room)), np.ones(len(s))])
        below = np.where(np.arange(room + 1) >= x[:, None], 1.0, below)  # P(min(C, x) <= f)
        return np.diff(below, axis=1, prepend=0.0)

    def _one_vehicle(self, agent: int) -> Array:
        """(S_i, S_i): where one entering vehicle takes the queues of a link; it is lost where its queue is full."""
        net = self.tables
        codes = np.arange(self.n_states[agent])
        move = np.zeros((codes.size, codes.size))
        chance = np.diff(net.split[agent], prepend=0.0)
        for k in np.flatnonzero(net.turns[agent] <= self.n_agents):
            fits = (codes // net.strides[k]) % (net.room + 1) < net.room
            move[codes, codes + np.where(fits, net.strides[k], 0)] += chance[k]
        return move


def traffic_grid(size: int, width: int | None = None, **options: Any) -> Traffic:
    """size x width links, each turning to the one on its east and its south; entries north and west, exits south and east."""
    rows, columns = whole("size", size, 1, 10**5), whole("width", size if width is None else width, 1, 10**5)
    count_agents(rows * columns)
    links = nx.DiGraph()
    links.add_nodes_from((r, c) for r in range(rows) for c in range(columns))
    links.add_edges_from(((r, c), (r, c + 1)) for r in range(rows) for c in range(columns - 1))
    links.add_edges_from(((r, c), (r + 1, c)) for r in range(rows - 1) for c in range(columns))
    options.setdefault("entries", [v for v in links if 0 in v])
    options.setdefault("exits", [v for v in links if v[0] == rows - 1 or v[1] == columns - 1])
    return Traffic(links, **options)


def _members(name: str, given: Any, number_of: dict[Hashable, int], default: list[Hashable]) -> Ints:
    """The links that a list of nodes names, in order."""
    if isinstance(given, str):
        raise DataError(f"{name} is a list of nodes of the network, not {given!r}")
    chosen = entries(name, default if given is None else given, "nodes of the network")
    for v in chosen:
        if not isinstance(v, Hashable) or v not in number_of:
            raise DataError(f"{name} names {v!r}, which is not a node of the network")
    return np.unique(np.array([number_of[v] for v in chosen], np.int64))


def _turns(rows: list[list[int]], labels: list[Hashable], room: int) -> Codes:
    """(n, m): where the turns of each link lead, padded with n + 1."""
    for v, row in zip(labels, rows, strict=True):
        if not row:
            raise DataError(f"link {v!r} has no turn and is no exit; its vehicles could never leave")
    n, m = len(rows), max(map(len, rows))
    if m > 6 or (room + 1) ** m > 2**31 - 1:
        raise DataError(
            f"a link with {m} turns of up to {room} vehicles has too many states for one code; "
            "use at most 6 turns a link, or a smaller room"
        )
    turns = np.full((n, m), n + 1, np.int32)
    for i, row in enumerate(rows):
        turns[i, : len(row)] = row
    return turns


def _split(split: Any, real: Bools) -> Array:
    """Sums over the turns of the probability of each, the last of a link exactly 1 whatever the rounding."""
    table = real / real.sum(1, keepdims=True) if split is None else numbers("split", split, real.shape, 0, 1)
    off = improper(table * real) | (table * ~real).any(1)
    if off.any():
        i = int(np.flatnonzero(off)[0])
        raise DataError(f"split of link {i} is {table[i].tolist()}; its {real[i].sum()} turns must share the sum 1")
    sums = np.cumsum(table, axis=1)
    sums[np.arange(len(real)), real.sum(1) - 1] = 1.0
    return sums


def _capacity(mean: Any, n: int, n_envs: int | None, room: int) -> Array:
    """P(C <= k), k = 0 .. room - 1, for each link, (1, n, room) or (E, n, room), from mean numbers of vehicles a step."""
    means = numbers("capacity", mean, (1 if np.ndim(mean) < 2 else (n_envs or 1), n), 0)
    return np.ascontiguousarray(pdtr(np.arange(room), means[:, :, None]))


def _convolve(a: Array, b: Array) -> Array:
    """Row by row, the law of the sum of two independent counts."""
    out = np.zeros((len(a), a.shape[1] + b.shape[1] - 1))
    for k in range(b.shape[1]):
        out[:, k : k + a.shape[1]] += b[:, [k]] * a
    return out
