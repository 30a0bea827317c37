"""The ends of the edges of a graph that is being oriented, and how what one round of rules implies is written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Bools
from ...base.clock import Watch, watch_until
from ...graph.knowledge import KnownEnds
from ...graph.marks import ARROW, CIRCLE, TAIL
from ..sets import Lists

KNOWN = 11  # beside the rules 0 to 10
RULE = tuple(np.int64(k) for k in range(KNOWN))  # no literals: for each of those numba compiles anew
TORN = 4  # beside the marks: wanted as a tail and as an arrow


class Ends(NamedTuple):
    """End marks over d nodes, (d, d) each; [u, v] is the end at v of the edge u *-* v.

    marks: int8, 0 where not joined. apart: bool, which pairs are separated; a pair that is neither joined nor apart is one of
    which nothing is known, and no rule argues from it. stuck: bool, ends left as circles because of a contradiction. rule:
    int8, what gave the mark: 0 to 10, KNOWN, or -1. near: whom each node is joined to, ascending.
    """

    marks: AnyArray
    apart: AnyArray
    stuck: AnyArray
    rule: AnyArray
    near: Lists


class Round(NamedTuple):
    """What a round wants. asked: (d, d) int8, the marks, TORN, or 0; by: (d, d) int8, the first of the rules that want
    them; end: (ends there are, 2) those with a mark asked, and filled: (1,) how many they are. watch: for how long rules look."""

    asked: AnyArray
    by: AnyArray
    end: AnyArray
    filled: AnyArray
    watch: Watch


def open_ends(joined: Bools, apart: Bools, known: KnownEnds | None = None) -> Ends:
    """Circles at all ends, but for those that knowledge decides: no rule writes over them."""
    arrow, tail = (np.zeros(joined.shape, bool),) * 2 if known is None else (known.arrow, known.tail)
    return Ends(*_opened(joined, apart, np.ascontiguousarray(arrow), np.ascontiguousarray(tail)))


@njit(cache=True)
def _opened(joined: AnyArray, apart: AnyArray, arrow: AnyArray, tail: AnyArray) -> Ends:
    """The same, told which ends are arrows and which are tails, (d, d) bool."""
    d = joined.shape[0]
    marks, rule = np.zeros((d, d), np.int8), np.full((d, d), -1, np.int8)
    first, member, count = np.zeros(d + 1, np.int64), np.empty(joined.sum(), np.int64), 0
    for u in range(d):
        for v in range(d):
            if joined[u, v]:
                marks[u, v] = TAIL if tail[u, v] else ARROW if arrow[u, v] else CIRCLE
                rule[u, v] = KNOWN if tail[u, v] or arrow[u, v] else -1
                member[count] = v
                count += 1
        first[u + 1] = count
    return Ends(marks, apart, np.zeros((d, d), np.bool_), rule, Lists(first, member))


@njit(cache=True)
def new_round(ends: Ends, deadline: float) -> Round:
    """A round in which nothing is wanted yet."""
    asked, end = np.zeros(ends.marks.shape, np.int8), np.empty((ends.near.member.size, 2), np.int64)
    return Round(asked, asked.copy(), end, np.zeros(1, np.int64), watch_until(deadline))


@njit(cache=True)
def around(ends: Ends, v: int) -> AnyArray:
    """Whom v is joined to."""
    return ends.near.member[ends.near.first[v] : ends.near.first[v + 1]]


@njit(cache=True)
def is_open(ends: Ends, u: int, v: int) -> bool:
    """Is there a circle at v of u *-* v that may become a mark?"""
    return ends.marks[u, v] == CIRCLE and not ends.stuck[u, v]


@njit(cache=True)
def directed(ends: Ends, a: int, b: int) -> bool:
    """Is it a -> b?"""
    return ends.marks[a, b] == ARROW and ends.marks[b, a] == TAIL


@njit(cache=True)
def want(ends: Ends, wanted: Round, u: int, v: int, mark: int, rule: int) -> None:
    """Ask for a mark at v of u *-* v, if that end is open."""
    if not is_open(ends, u, v):
        return
    if wanted.asked[u, v] == 0:
        wanted.end[wanted.filled[0], 0], wanted.end[wanted.filled[0], 1] = u, v
        wanted.filled[0] += 1
        wanted.asked[u, v], wanted.by[u, v] = mark, rule
        return
    if wanted.asked[u, v] != mark:
        wanted.asked[u, v] = TORN
    wanted.by[u, v] = min(wanted.by[u, v], rule)


@njit(cache=True)
def settle(ends: Ends, wanted: Round) -> bool:
    """Write the marks that one round wants, together, and empty it; True where one was written.

    An end that is wanted as a tail and as an arrow stays a circle, and so do the ends that would close a directed
    cycle: the answer does not depend on the order in which they come.
    """
    asked, many, ways = wanted.asked, wanted.filled[0], 0
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        if asked[u, v] == TORN:
            ends.stuck[u, v] = True
        else:
            ends.marks[u, v], ends.rule[u, v] = asked[u, v], wanted.by[u, v]
            ways += directed(ends, u, v) or directed(ends, v, u)
    if ways:
        _open_cycles(ends, wanted)
    written = False
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        written |= not ends.stuck[u, v]
        asked[u, v] = 0
    wanted.filled[0] = 0
    return written


@njit(cache=True)
def _open_cycles(ends: Ends, wanted: Round) -> None:
    """Make circles again of the ends asked of an edge on a directed cycle, and let them be."""
    group, many, asked = _cycles(ends), wanted.filled[0], wanted.asked
    round_trip = np.zeros(many, np.bool_)
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        round_trip[k] = group[u] == group[v] and (directed(ends, u, v) or directed(ends, v, u))
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        for a, b in ((u, v), (v, u)):
            if round_trip[k] and 0 < asked[a, b] < TORN:
                ends.marks[a, b], ends.rule[a, b], ends.stuck[a, b] = CIRCLE, -1, True


@njit(cache=True)
def _cycles(ends: Ends) -> AnyArray:
    """(d,) a number for each node: two nodes have the same iff directed paths lead from each to the other (Tarjan 1972)."""
    near, d = ends.near, ends.marks.shape[0]
    group, low, entered = np.full(d, -1), np.zeros(d, np.int64), np.full(d, -1)
    path, open_, place = np.empty(d, np.int64), np.empty(d, np.int64), near.first[:-1].copy()
    count, waiting = 0, 0
    for root in range(d):
        if entered[root] >= 0:
            continue
        path[0], depth = root, 0
        while depth >= 0:
            v = path[depth]
            if entered[v] < 0:
                entered[v] = low[v] = count
                open_[waiting] = v
                count, waiting = count + 1, waiting + 1
            if place[v] < near.first[v + 1]:
                w = near.member[place[v]]
                place[v] += 1
                if directed(ends, v, w):
                    if entered[w] < 0:
                        depth += 1
                        path[depth] = w
                    elif group[w] < 0:
                        low[v] = min(low[v], entered[w])
                continue
            if low[v] == entered[v]:
                while group[v] < 0:
                    waiting -= 1
                    group[open_[waiting]] = v
            depth -= 1
            if depth >= 0:
                low[path[depth]] = min(low[path[depth]], low[v])
    return group
