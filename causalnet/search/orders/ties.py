"""Graphs of nearly the least score: local optima that the rounds of a search met, and what one edge of the best DAG makes.

A tie is told by the edges in which it differs from the best DAG. Not searched: graphs that differ from the best DAG in
several edges and that no round ended in; all but one of those that rounds met at exactly the same score.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Bools, Ints
from ...stats.scores.contract import BARE, SCRATCH, Slots, add, copy, drop, rise
from .state import CHANGED, SAVED, Rules, State, find

NEAR = 2.0  # units of score: two graphs that close are a tie
SAME = 1e-6  # two scores that close are one
FEW = 16  # parents up to which a slot is copied rather than mended
KEPT, ROOM = 32, 16  # graphs that a search keeps, of so many edges a variable


class Near(NamedTuple):
    """A DAG of nearly the least score. rise: its score less the least. toggled: (k, 2) the edges (cause, effect) that only one of
    it and the best DAG has."""

    rise: float
    toggled: Ints


class Met(NamedTuple):
    """The graphs of least score that a search met. total: (KEPT,) their scores, inf where there is none. size: (KEPT,)
    edges. edge: (KEPT, ROOM d) int32, d r + v for r -> v. slot: (d,) work."""

    total: Array
    size: Ints
    edge: AnyArray
    slot: Ints


def no_graphs(d: int) -> Met:
    return Met(np.full(KEPT, np.inf), np.zeros(KEPT, np.int64), np.zeros((KEPT, ROOM * d), np.int32), np.arange(d))


@njit(**BARE)
def note(slots: Slots, state: State, met: Met, total: float, old: bool) -> None:
    """Keep the present graph, or with ``old`` the one before this round, whose score is ``total``, unless one of that score is kept."""
    d, at = met.slot.size, 0
    for k in range(met.total.size):
        if abs(met.total[k] - total) < SAME:
            return
        if met.total[k] > met.total[at]:
            at = k
    for v in range(d):
        met.slot[v] = v
    if old:
        for i in range(state.tally[CHANGED]):
            met.slot[state.table[SAVED, i]] = d + SCRATCH + i
    edges = 0
    for v in range(d):
        edges += slots.size[met.slot[v]]
    if total >= met.total[at] or edges > met.edge.shape[1]:
        return
    edges = 0
    for v in range(d):
        for i in range(slots.size[met.slot[v]]):
            met.edge[at, edges] = d * slots.parents[met.slot[v], i] + v
            edges += 1
    met.total[at], met.size[at] = total, edges


@njit(cache=True)
def _scan(score: Any, slots: Slots, rules: Rules, edge: Ints, change: Array) -> int:
    """How many edges dropped, added or reversed raise the score by at most NEAR, cycles not looked at.

    edge: (m, 3) cause, effect, is it reversed, and change: (m,) the rise, of the first m of them, filled.
    """
    d, count, free = slots.node.size // 2 - 1, 0, not rules.any[0]
    for v in range(d):
        copy(score, slots, v, d)
        for r in range(d):
            if r == v or find(slots, r, v) >= 0:
                continue
            held, turned = find(slots, v, r) >= 0, np.inf
            if held:
                if not free and rules.required[v, r]:
                    continue
                drop(score, slots, d, find(slots, d, r))
                x = slots.value[d] - slots.value[v]
                if slots.size[v] <= FEW:
                    copy(score, slots, v, d)
                else:
                    add(score, slots, d, r)
                if free or rules.allowed[r, v] > 0.0:
                    turned = x + rise(score, slots, r, v)
            else:
                x = rise(score, slots, v, r) if free or rules.allowed[v, r] > 0.0 else np.inf
            for reverse in range(2):
                if (turned if reverse else x) <= NEAR:
                    if count < change.size:
                        edge[count, 0], edge[count, 1], edge[count, 2] = r, v, reverse
                        change[count] = turned if reverse else x
                    count += 1
    return count


def single_changes(score: Any, slots: Slots, rules: Rules, dag: Bools) -> list[Near]:
    """The DAGs of other classes that dropping, adding or reversing one edge of ``dag`` makes, the state of ``slots``.

    A reversal stays in the class where cause and effect have the same other parents (Chickering 1995).
    """
    size = _scan(score, slots, rules, np.zeros((0, 3), np.int64), np.zeros(0))
    edge, change = np.zeros((size, 3), np.int64), np.zeros(size)
    _scan(score, slots, rules, edge, change)
    found = []
    for (a, b, reverse), x in zip(edge.tolist(), change.tolist(), strict=True):
        if reverse and (np.flatnonzero(dag[:, a] != dag[:, b]).tolist() == [a] or leads(dag, a, b)):
            continue
        if reverse or dag[a, b] or not leads(dag, b, a):
            found.append(Near(x, np.array([(a, b), (b, a)][: 1 + reverse])))
    return found


def graphs_met(met: Met, dag: Bools, least: float) -> list[Near]:
    """Those that are kept, are within NEAR of ``least``, and are not ``dag``."""
    d, best, found = len(dag), np.flatnonzero(dag), []
    for k in np.flatnonzero(met.total <= least + NEAR):
        toggled = np.setxor1d(met.edge[k, : met.size[k]].astype(np.int64), best)
        if len(toggled):
            found.append(Near(float(met.total[k]) - least, np.column_stack(np.divmod(toggled, d))))
    return found


def leads(dag: Bools, a: int, b: int) -> bool:
    """Is there a directed path from a to b in ``dag`` (d, d), the edge a -> b apart?"""
    seen = np.zeros(len(dag), dtype=bool)
    front = dag[a].copy()
    front[b] = False
    while front.any():
        seen |= front
        front = dag[front].any(axis=0) & ~seen
        if front[b]:
            return True
    return False
