"""What a level of a search by tests asks, and where its answers go: compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Bools, Ints
from .sets import Largest, Lists, either_way, size_limits


@njit(cache=True)
def plan_level(
    size: int, i: Ints, j: Ints, joined: Bools, fixed: Bools, d: int, max_sets: float
) -> tuple[Ints, Ints, Ints, Lists, Ints, Bools]:
    """The pairs that a level tests, their numbers and members, (m,) each: joined, not fixed, one member with more than
    ``size`` neighbours. Then the neighbours of all, the largest sets drawn from them, and is a pair's budget short? (m,)"""
    kept = np.flatnonzero(joined)
    near = either_way(i[kept], j[kept], d)
    first = near.first
    limit = size_limits(first, size, max_sets)
    asked = kept[:0].copy() if kept.size == 0 else np.empty(kept.size, np.int64)
    over, m = np.zeros(kept.size, np.bool_), 0
    for k in kept:
        if not fixed[k]:
            longest = 0
            for v in (i[k], j[k]):
                length = first[v + 1] - first[v]
                longest = max(longest, length)
                over[m] |= limit[v] < min(length, size)
            if longest > size:
                asked[m] = k
                m += 1
            else:
                over[m] = False
    asked = asked[:m]
    return asked, i[asked], j[asked], near, limit, over[:m]


@njit(cache=True)
def enter_tests(
    kept: tuple[AnyArray, AnyArray, AnyArray, AnyArray, AnyArray, AnyArray, AnyArray],
    at: AnyArray,
    found: Largest,
    short: AnyArray,
    end: int,
) -> AnyArray:
    """Enter tests into a record's arrays, in place, where their p-values are larger: their sets, to be put at ``end``."""
    weakness, statistic, df, n, size, start, partial = kept
    width, filled = found.sets.shape[1], 0
    members = np.empty(at.size * width, np.int32)
    for m in range(at.size):
        k = at[m]
        partial[k] |= short[m]
        if found.weakness[m] > weakness[k]:
            weakness[k], statistic[k], df[k] = found.weakness[m], found.statistic[m], found.df[m]
            n[k], size[k], start[k] = found.n[m], found.size[m], end + filled
            for p in range(size[k]):
                members[filled] = found.sets[m, p]
                filled += 1
    return members[:filled]
