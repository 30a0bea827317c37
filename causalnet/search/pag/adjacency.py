"""Which pairs stay joined when common causes may be hidden, and what separated the others.

The skeleton of PC, then every pair that is left given sets out of possible-d-sep of either member: level by level, with
the sets of the start, so that nothing depends on the order of the columns (FCI-stable: Colombo and Maathuis, JMLR 15,
2014). Of the sets of a level that separate a pair the one with the largest p-value is kept.

With Fisher's z most pairs are shown to be separated by no set at all (:mod:`causalnet.search.pag.inseparable`); their tests are
made when somebody asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Bools, Ints
from ..partial_correlation import PartialCorrelation
from ..sets import Lists, Tests, ask, size_limit
from ..skeleton import Search, Skeleton, Weakest, no_tests
from .inseparable import find_inseparable

AT_ONCE = 1 << 24  # pairs times sizes up to which one compiled search holds all levels


@dataclass(frozen=True)
class Spared:
    """Pairs (m, 2) whose tests were not made, for no set can separate them. near, limit, most: what those sets would be."""

    tests: PartialCorrelation
    pairs: Ints
    near: Lists
    limit: Ints
    most: int

    def record(self, i: int, j: int) -> Weakest | None:
        """The tests of the pair i < j, made now; None where it was not spared them."""
        if not (self.pairs == (i, j)).all(axis=1).any():
            return None
        weakest = no_tests(np.array([i]), np.array([j]))
        _climb_at_once(self.tests, 1.0, weakest, self.near, self.limit, self.most, np.inf)
        return weakest


class Second(NamedTuple):
    """The second phase. adj: (d, d) symmetric bool, what stays joined. weakest: of the pairs that were tested the test with
    the largest p-value. tests: how many were made. depth: largest set. complete: False when the deadline stopped it.
    spared: the pairs that were not tested because nothing separates them."""

    adj: Bools
    weakest: Weakest
    tests: int
    depth: int
    complete: bool
    spared: Spared | None = None


def separate_further(tests: Tests, alpha: float, search: Search, skeleton: Skeleton, sets: Bools) -> Second:
    """Test the pairs of the skeleton given sets out of the rows of ``sets`` (d, d) bool, possible-d-sep of each node.

    Nodes whose set holds neighbours alone are passed over: those sets were tried in the first phase.
    """
    d, adj = len(skeleton.adj), skeleton.adj.copy()
    i, j, near = _wider(adj, search.fixed, sets)
    most = min(tests.most, d - 2 if search.max_size is None else search.max_size)
    if not skeleton.complete or not len(i) or most < 1:
        return Second(adj, no_tests(i, j), 0, 0, skeleton.complete)
    limit, spared, made, least = size_limit(near, most, search.max_sets), None, 0, 0
    if isinstance(tests, PartialCorrelation):
        safe, made = find_inseparable(tests, (i, j), near, limit, most, alpha, search.deadline)
        pairs, i, j, longest = _divide(i, j, safe, near.first)
        spared, least = Spared(tests, pairs, near, limit, most), min(most, longest - 1)
    weakest = no_tests(i, j)
    more, depth, complete = _climb(tests, alpha, search, weakest, near, limit, most)
    _take_apart(adj, i, j, weakest.weakness, tests.weakness_at(alpha))
    return Second(adj, weakest, made + more, max(least, depth), complete, spared)


@njit(cache=True)
def _divide(i: Ints, j: Ints, safe: Bools, first: Ints) -> tuple[Ints, Ints, Ints, int]:
    """The pairs that are safe, (m, 2), i and j of the others, and the longest list of a member of the safe ones, 1 at least."""
    pairs, a, b, longest, at = np.empty((safe.sum(), 2), np.int64), i[~safe], j[~safe], 1, 0
    for k in range(i.size):
        if safe[k]:
            pairs[at, 0], pairs[at, 1] = i[k], j[k]
            at += 1
            for v in (i[k], j[k]):
                longest = max(longest, first[v + 1] - first[v])
    return pairs, a, b, longest


@njit(cache=True)
def _take_apart(adj: Bools, i: Ints, j: Ints, weakness: Array, threshold: float) -> None:
    """Take from adj, in place, the pairs whose test is weaker."""
    for k in range(i.size):
        if weakness[k] > threshold:
            adj[i[k], j[k]] = adj[j[k], i[k]] = False


@njit(cache=True)
def _wider(adj: Bools, fixed: Bools, sets: Bools) -> tuple[Ints, Ints, Lists]:
    """Pairs i < j (m,) to be tested, joined and not fixed, with a member whose set is wider than its neighbourhood; those sets."""
    d = adj.shape[0]
    wide, first, member, count = np.zeros(d, np.bool_), np.zeros(d + 1, np.int64), np.empty(sets.sum(), np.int64), 0
    for x in range(d):
        wide[x] = (sets[x] != adj[x]).any()
        for v in range(d):
            if wide[x] and sets[x, v]:
                member[count] = v
                count += 1
        first[x + 1] = count
    i, j, m = np.empty(adj.sum() // 2, np.int64), np.empty(adj.sum() // 2, np.int64), 0
    for x in range(d):
        for y in range(x + 1, d):
            if adj[x, y] and not fixed[x, y] and (wide[x] or wide[y]):
                i[m], j[m] = x, y
                m += 1
    return i[:m], j[:m], Lists(first, member[:count])


def _climb(
    tests: Tests, alpha: float, search: Search, weakest: Weakest, near: Lists, limit: Ints, most: int
) -> tuple[int, int, bool]:
    """Fill ``weakest`` level by level, the pairs that no smaller size separated: (tests, largest size, ran to the end)."""
    i, j = weakest.i, weakest.j
    if not len(i):
        return 0, 0, True
    if isinstance(tests, PartialCorrelation) and len(i) * int(limit.max()) <= AT_ONCE:
        return _climb_at_once(tests, alpha, weakest, near, limit, most, search.deadline)
    length = np.diff(near.first)
    threshold, joined, made, size = tests.weakness_at(alpha), np.ones(len(i), bool), 0, 1
    while size <= most:
        left = np.flatnonzero(joined & ((length[i] > size) | (length[j] > size)))
        if not len(left):
            break
        a, b, bound = i[left], j[left], np.minimum(limit, size)
        over = bound < np.minimum(length, size)
        found = tests.answer(ask(size, a, b, near, bound, weakest.weakness[left]), search.deadline)
        weakest.enter(left, found, over[a] | over[b])
        made += found.tests
        if found.stopped:
            return made, size, False
        joined &= ~(weakest.weakness > threshold)
        size += 1
    return made, size - 1, True


def _climb_at_once(
    tests: PartialCorrelation, alpha: float, weakest: Weakest, near: Lists, limit: Ints, most: int, deadline: float
) -> tuple[int, int, bool]:
    """The same in one compiled search."""
    i, j = weakest.i, weakest.j
    found, depth = tests.climb(i, j, near, limit, alpha, deadline)
    asked = found.weakness, found.size, tests.weakness_at(alpha), most
    weakest.enter(np.arange(len(i)), found, _fell_short(i, j, near.first, limit, asked))
    return found.tests, depth, not found.stopped


@njit(cache=True)
def _fell_short(i: Ints, j: Ints, first: Ints, limit: Ints, asked: tuple[AnyArray, AnyArray, float, int]) -> Bools:
    """(m,) were sets of a pair left out for the budget? asked: weakness and size of its test, the threshold, the largest size."""
    (weakness, size, threshold, most), short = asked, np.zeros(i.size, np.bool_)
    for k in range(i.size):
        a, b = first[i[k] + 1] - first[i[k]], first[j[k] + 1] - first[j[k]]
        until = size[k] if weakness[k] > threshold else min(most, max(a, b) - 1)
        short[k] = (limit[i[k]] < min(a, until)) or (limit[j[k]] < min(b, until))
    return short
