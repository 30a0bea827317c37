"""Zhang's rules that follow uncovered paths, those of which no two nodes but neighbours on the path are joined around one: R5, R9, R10."""

from __future__ import annotations

import numpy as np
from numba import njit

from ...base.arrays import AnyArray
from ...base.clock import Watch, over
from ...graph.marks import ARROW, CIRCLE, TAIL
from .ends import RULE, Ends, Round, around, directed, want


@njit(cache=True)
def uncovered_cycles(ends: Ends, wanted: Round) -> None:
    """R5: a o-o b on an uncovered cycle (a, c, ..., last, b) of circles: a - b, and all edges of it likewise."""
    marks = ends.marks
    loose = _of_both(ends)
    for a in range(marks.shape[0]):
        for b in around(ends, a):
            if over(wanted.watch, 1):
                return
            if b > a and marks[a, b] == CIRCLE and marks[b, a] == CIRCLE and _goes_around(ends, wanted, a, b, loose):
                want(ends, wanted, a, b, TAIL, RULE[5])
                want(ends, wanted, b, a, TAIL, RULE[5])


@njit(cache=True)
def _goes_around(ends: Ends, wanted: Round, a: int, b: int, loose: AnyArray) -> bool:
    """Does an uncovered path of circles lead from a to b, but for its first and its last node apart from b and a?"""
    for at in range(ends.near.first[a], ends.near.first[a + 1]):
        c = ends.near.member[at]
        if loose[at] and ends.apart[b, c]:
            tail, head = _walk(ends, wanted.watch, a, c, loose)
            for k in range(1, head.size):
                if head[k] == b and ends.apart[a, tail[k]]:
                    return True
    return False


@njit(cache=True)
def _of_both(ends: Ends) -> AnyArray:
    """Of each entry of ``near``: are both ends of that edge circles?"""
    found, marks = np.zeros(ends.near.member.size, np.bool_), ends.marks
    for v in range(marks.shape[0]):
        for at in range(ends.near.first[v], ends.near.first[v + 1]):
            w = ends.near.member[at]
            found[at] = marks[v, w] == CIRCLE and marks[w, v] == CIRCLE
    return found


@njit(cache=True)
def uncovered_ways(ends: Ends, wanted: Round) -> None:
    """R9 and R10: a o-> c, and uncovered possibly directed paths from a that c would have to be a cause of: a -> c."""
    near, marks, d = ends.near, ends.marks, ends.marks.shape[0]
    ahead = np.zeros(near.member.size, np.bool_)
    for v in range(d):
        for at in range(near.first[v], near.first[v + 1]):
            w = near.member[at]
            ahead[at] = marks[w, v] != ARROW and marks[v, w] != TAIL
    for a in range(d):
        aims = False
        for c in around(ends, a):
            aims |= marks[a, c] == ARROW and marks[c, a] == CIRCLE
        if not aims:
            continue
        start = [at for at in range(near.first[a], near.first[a + 1]) if ahead[at]]
        begin = near.member[np.array(start, np.int64)]
        reach = np.zeros((begin.size, d), np.bool_)
        for k in range(begin.size):
            for v in _walk(ends, wanted.watch, a, begin[k], ahead)[1]:
                reach[k, v] = True
        for c in around(ends, a):
            if over(wanted.watch, begin.size):
                return
            if marks[a, c] == ARROW and marks[c, a] == CIRCLE:
                rule = 0
                for k in range(begin.size):
                    if ends.apart[begin[k], c] and reach[k, c]:
                        rule = 9  # (a, b, ..., c), b and c apart
                if rule == 0 and _two_ways(ends, wanted.watch, c, begin, reach):
                    rule = 10
                if rule:
                    want(ends, wanted, c, a, TAIL, rule)


@njit(cache=True)
def _two_ways(ends: Ends, watch: Watch, c: int, begin: AnyArray, reach: AnyArray) -> bool:
    """R10: b -> c <- t, paths from a to b by m and to t by w, m and w apart; begin: the first nodes of paths, reach: (., d) bool
    where they lead to."""
    into = np.zeros(reach.shape[1], np.bool_)
    for b in around(ends, c):
        into[b] = directed(ends, b, c)
    for k in range(begin.size):
        for m in range(k):
            if over(watch, 1):
                return False
            if begin[k] != c and begin[m] != c and ends.apart[begin[k], begin[m]]:
                over(watch, 4 * into.size)
                one = (reach[k] & into).any() and (reach[m] & into).any()
                if one and ((reach[k] | reach[m]) & into).sum() > 1:
                    return True
    return False


@njit(cache=True)
def _walk(ends: Ends, watch: Watch, a: int, first: int, ahead: AnyArray) -> tuple[AnyArray, AnyArray]:
    """The edges (tail, head) that uncovered paths (a, first, ...) along ``ahead`` take, that of (a, first) first, shortest paths
    first, as many as the time allows. ahead: bool, of each entry of ``near``.

    Of the paths that end in one edge the shortest goes on, which misses none where the marks are those of a class: there
    an uncovered path has no chord.
    """
    near = ends.near
    seen, room = np.zeros(near.member.size, np.bool_), near.member.size + 1
    tail, head, back = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    tail[0], head[0], back[0] = a, first, -1
    at, count = 0, 1
    while at < count and not over(watch, 1):
        u, v = tail[at], head[at]
        for place in range(near.first[v], near.first[v + 1]):
            w = near.member[place]
            if not ahead[place] or seen[place] or not ends.apart[u, w] or w == a:
                continue
            over(watch, 1)
            step = at
            while step >= 0 and head[step] != w:
                step = back[step]
            if step < 0:
                seen[place] = True
                tail[count], head[count], back[count] = v, w, at
                count += 1
        at += 1
    return tail[:count], head[:count]
