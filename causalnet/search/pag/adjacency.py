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

from ...base.arrays import Bools, Ints
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
        spared = Spared(tests, np.stack((i[safe], j[safe]), axis=1), near, limit, most)
        longest = np.diff(near.first)[spared.pairs].max(initial=1)
        least, i, j = min(most, int(longest) - 1), i[~safe], j[~safe]
    weakest = no_tests(i, j)
    more, depth, complete = _climb(tests, alpha, search, weakest, near, limit, most)
    apart = weakest.weakness > tests.weakness_at(alpha)
    adj[i[apart], j[apart]] = adj[j[apart], i[apart]] = False
    return Second(adj, weakest, made + more, max(least, depth), complete, spared)


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
    i, j, length = weakest.i, weakest.j, np.diff(near.first)
    if not len(i):
        return 0, 0, True
    if isinstance(tests, PartialCorrelation) and len(i) * int(limit.max()) <= AT_ONCE:
        return _climb_at_once(tests, alpha, weakest, near, limit, most, search.deadline)
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
    i, j, length = weakest.i, weakest.j, np.diff(near.first)
    found, depth = tests.climb(i, j, near, limit, alpha, deadline)
    apart = found.weakness > tests.weakness_at(alpha)
    until = np.where(apart, found.size, np.minimum(most, np.maximum(length[i], length[j]) - 1))
    short = [(limit[v] < length[v]) & (until > limit[v]) for v in (i, j)]
    weakest.enter(np.arange(len(i)), found, short[0] | short[1])
    return found.tests, depth, not found.stopped
