"""Which pairs stay joined when common causes may be hidden, and what separated the others.

The skeleton of PC, then every pair that is left given sets out of possible-d-sep of either member: level by level, with
the sets of the start, so that nothing depends on the order of the columns (FCI-stable: Colombo and Maathuis, JMLR 15,
2014). Of the sets of a level that separate a pair the one with the largest p-value is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...base.arrays import Bools
from ...graph.separation import as_set
from ..partial_correlation import PartialCorrelation
from ..sets import Lists, Tests, ask, size_limit
from ..skeleton import Search, Skeleton, Weakest, no_tests

AT_ONCE = 1 << 24  # pairs times sizes up to which one compiled search holds all levels


class Second(NamedTuple):
    """The second phase. adj: (d, d) symmetric bool, what stays joined. weakest: of the pairs that were tested the test with
    the largest p-value. tests: how many were made. depth: largest set. complete: False when the deadline stopped it."""

    adj: Bools
    weakest: Weakest
    tests: int
    depth: int
    complete: bool


def separate_further(tests: Tests, alpha: float, search: Search, skeleton: Skeleton, sets: Bools) -> Second:
    """Test the pairs of the skeleton given sets out of the rows of ``sets`` (d, d) bool, possible-d-sep of each node.

    Nodes whose set holds neighbours alone are passed over: those sets were tried in the first phase.
    """
    d, adj = len(skeleton.adj), skeleton.adj.copy()
    wide = (sets != adj).any(axis=1)
    i, j = np.nonzero(np.triu(adj & ~search.fixed) & (wide[:, None] | wide))
    owner, member = np.nonzero(sets & wide[:, None])
    near = Lists(np.searchsorted(owner, np.arange(d + 1)).astype(np.int64), member.astype(np.int64))
    most = min(tests.most, d - 2 if search.max_size is None else search.max_size)
    weakest = no_tests(i, j)
    if not skeleton.complete or not len(i) or most < 1:
        return Second(adj, weakest, 0, 0, skeleton.complete)
    made, depth, complete = _climb(tests, alpha, search, weakest, near, most)
    apart = weakest.weakness > tests.weakness_at(alpha)
    adj[i[apart], j[apart]] = adj[j[apart], i[apart]] = False
    return Second(adj, weakest, made, depth, complete)


def _climb(
    tests: Tests, alpha: float, search: Search, weakest: Weakest, near: Lists, most: int
) -> tuple[int, int, bool]:
    """Fill ``weakest`` level by level, the pairs that no smaller size separated: (tests, largest size, ran to the end)."""
    i, j, length = weakest.i, weakest.j, np.diff(near.first)
    limit = size_limit(near, most, search.max_sets)
    if isinstance(tests, PartialCorrelation) and len(i) * int(limit.max()) <= AT_ONCE:
        found, depth = tests.climb(i, j, near, limit, alpha, search.deadline)
        apart = found.weakness > tests.weakness_at(alpha)
        until = np.where(apart, found.size, np.minimum(most, np.maximum(length[i], length[j]) - 1))
        short = [(limit[v] < length[v]) & (until > limit[v]) for v in (i, j)]
        weakest.enter(np.arange(len(i)), found, short[0] | short[1])
        return found.tests, depth, not found.stopped
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


def separating_sets(skeleton: Skeleton, search: Search) -> dict[tuple[int, int], int]:
    """Of every pair i < j that the first phase took apart the set that did it."""
    i, j = np.nonzero(np.triu(search.adj & ~skeleton.adj))
    found = dict.fromkeys(zip(i.tolist(), j.tolist(), strict=True), 0)  # given nothing
    return found | _sets_of(skeleton.weakest, skeleton.adj)


def further_sets(second: Second) -> dict[tuple[int, int], int]:
    """The same of the pairs that the second phase took apart."""
    return _sets_of(second.weakest, second.adj)


def _sets_of(record: Weakest, adj: Bools) -> dict[tuple[int, int], int]:
    """The sets of a record's tests of pairs that are apart now."""
    apart = np.flatnonzero(~adj[record.i, record.j] & (record.size > 0))
    pairs = zip(record.i[apart].tolist(), record.j[apart].tolist(), strict=True)
    return {pair: as_set(record.given(k)) for pair, k in zip(pairs, apart.tolist(), strict=True)}
