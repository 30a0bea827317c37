"""The ends of the edges of a graph that is being oriented, and how what one round of rules implies is written."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Bools
from ...graph.knowledge import KnownEnds
from ...graph.marks import ARROW, CIRCLE, TAIL
from ..sets import Lists

KNOWN = 11  # beside the rules 0 to 10
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
    them; end: (ends there are, 2) those with a mark asked, and filled: (1,) how many they are."""

    asked: AnyArray
    by: AnyArray
    end: AnyArray
    filled: AnyArray


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
def new_round(ends: Ends) -> Round:
    """A round in which nothing is wanted yet."""
    asked = np.zeros(ends.marks.shape, np.int8)
    return Round(asked, asked.copy(), np.empty((ends.near.member.size, 2), np.int64), np.zeros(1, np.int64))


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
    asked, many = wanted.asked, wanted.filled[0]
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        if asked[u, v] == TORN:
            ends.stuck[u, v] = True
        else:
            ends.marks[u, v], ends.rule[u, v] = asked[u, v], wanted.by[u, v]
    round_trip = np.zeros(many, np.bool_)
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        if directed(ends, u, v):
            round_trip[k] = _leads(ends, v, u)
        elif directed(ends, v, u):
            round_trip[k] = _leads(ends, u, v)
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        for a, b in ((u, v), (v, u)):
            if round_trip[k] and 0 < asked[a, b] < TORN:
                ends.marks[a, b], ends.rule[a, b], ends.stuck[a, b] = CIRCLE, -1, True
    written = False
    for k in range(many):
        u, v = wanted.end[k, 0], wanted.end[k, 1]
        written |= not ends.stuck[u, v]
    for k in range(many):
        asked[wanted.end[k, 0], wanted.end[k, 1]] = 0
    wanted.filled[0] = 0
    return written


@njit(cache=True)
def _leads(ends: Ends, a: int, b: int) -> bool:
    """Is there a directed path from a to b?"""
    seen, queue, last = np.zeros(ends.marks.shape[0], np.bool_), np.empty(ends.marks.shape[0], np.int64), 1
    queue[0], at = a, 0
    while at < last:
        v = queue[at]
        at += 1
        for w in around(ends, v):
            if not seen[w] and directed(ends, v, w):
                if w == b:
                    return True
                seen[w], queue[last] = True, w
                last += 1
    return False
