"""Which pairs stay joined when common causes may be hidden, and what separated the others.

The skeleton of PC, then every pair that is left given sets out of possible-d-sep of either member: level by level, with
the sets of the start, so that nothing depends on the order of the columns (FCI-stable: Colombo and Maathuis, JMLR 15,
2014). Of the sets of a level that separate a pair the one with the largest p-value is kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...base.arrays import Bools, Ints
from ...graph.separation import as_set, bits
from ..sets import Lists, Tests, ask, size_limit
from ..skeleton import Search, Skeleton, Weakest, no_tests
from .rules import SepSets


class Second(NamedTuple):
    """The second phase. adj: (d, d) symmetric bool, what stays joined. weakest: of the pairs that were tested the test with
    the largest p-value. tests: how many were made. depth: largest set. complete: False when the deadline stopped it."""

    adj: Bools
    weakest: Weakest
    tests: int
    depth: int
    complete: bool


def separate_further(tests: Tests, alpha: float, search: Search, skeleton: Skeleton, sets: list[int]) -> Second:
    """Test the pairs of the skeleton given sets out of ``sets``, an integer for each of d nodes, possible-d-sep.

    Nodes whose set holds neighbours alone are passed over: those sets were tried in the first phase.
    """
    d, adj = len(skeleton.adj), skeleton.adj.copy()
    near = [0 if found == as_set(np.flatnonzero(adj[v]).tolist()) else found for v, found in enumerate(sets)]
    wanted = np.triu(adj & ~search.fixed)
    wide = np.array([found > 0 for found in near], bool)
    i, j = np.nonzero(wanted & (wide[:, None] | wide))
    weakest, made, size, complete = no_tests(i, j), 0, 1, skeleton.complete
    lists = _lists(near)
    most = min(tests.most, d - 2 if search.max_size is None else search.max_size)
    length = np.diff(lists.first)
    threshold, joined = tests.weakness_at(alpha), np.ones(len(i), bool)
    while complete and size <= most:
        left = np.flatnonzero(joined & ((length[i] > size) | (length[j] > size)))
        if not len(left):
            break
        limit = size_limit(lists, size, search.max_sets)
        over = limit < np.minimum(length, size)
        a, b = i[left], j[left]
        found = tests.answer(ask(size, a, b, lists, limit, weakest.weakness[left]), search.deadline)
        weakest.enter(left, found, over[a] | over[b])
        made, complete = made + found.tests, not found.stopped
        joined &= ~(weakest.weakness > threshold)
        size += 1
    apart = ~joined
    adj[i[apart], j[apart]] = adj[j[apart], i[apart]] = False
    return Second(adj, weakest, made, size - 1, complete)


def separating_sets(skeleton: Skeleton, second: Second | None, search: Search) -> SepSets:
    """Of every pair i < j that a test took apart the set that did it: of the last phase that has a test of it."""
    final = skeleton.adj if second is None else second.adj
    found = {(int(i), int(j)): 0 for i, j in np.argwhere(np.triu(search.adj & ~final))}  # given nothing
    for record in (skeleton.weakest, *([second.weakest] if second else [])):
        for k in np.flatnonzero(~final[record.i, record.j] & (record.size > 0)):
            found[int(record.i[k]), int(record.j[k])] = as_set(record.given(int(k)))
    return found


def _lists(sets: list[int]) -> Lists:
    members = [list(bits(found)) for found in sets]
    first: Ints = np.concatenate([[0], np.cumsum([len(m) for m in members])]).astype(np.int64)
    return Lists(first, np.array([v for m in members for v in m], np.int64))
