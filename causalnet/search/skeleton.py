"""Skeleton in which x and y are joined iff no set of neighbours of x or of y separates them.

The stable variant of PC's first phase (Colombo and Maathuis 2014, "Order-independent constraint-based causal
structure learning"): at level k every pair still joined is tested given every set of k neighbours of either side,
with the neighbourhoods of the level's start; a pair is removed iff some p-value exceeds alpha. The separating set
kept is the one with the largest p-value at the first level that separates, over the whole level: an actual
separating set, and no function of the column order (up to exact ties, where the first set found stays).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import ndtri

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..base.clock import now
from ..stats.independence import DEGENERATE

CLOCK_EVERY = 1 << 14  # conditioning sets between two looks at the clock


class Tested(NamedTuple):
    """One level's largest p-value of each of m pairs: how weak the evidence, (m,); its set (m, size), statistic and df
    (m,); how many tests were made, and whether the clock stopped them."""

    weakness: Array
    sets: Codes
    statistic: Array
    df: Ints
    tests: int
    stopped: bool


class Search(NamedTuple):
    """Where a search starts, and how far it goes. adj: (d, d) symmetric bool, the pairs to start from; fixed: (d, d)
    symmetric bool, kept without a test; max_size: largest conditioning set, None for all that d variables have;
    deadline: time.monotonic."""

    adj: Bools
    fixed: Bools
    max_size: int | None = None
    deadline: float = math.inf


Level = Callable[[int, Bools, Codes, int, float], Tested]  # (size, adj, slot, m, deadline)


@dataclass(frozen=True)
class Skeleton:
    """adj: (d, d) symmetric bool. For every tested pair, the test with the largest p-value (the weakest evidence
    against independence) over all levels; for a removed pair that is the test that separated it.

    weakness: (d, d), grows with the p-value; -inf where nothing was tested. statistic: (d, d). df: (d, d) int64.
    size: (d, d) int64, members of the set, -1 where nothing was tested; its columns are
    members[start[i, j] : start[i, j] + size[i, j]]. tests: how many were made. depth: largest set size tried.
    complete: False when the deadline cut the search short.
    """

    adj: Bools
    weakness: Array
    statistic: Array
    df: Ints
    size: Ints
    start: Ints
    members: Codes
    tests: int
    depth: int
    complete: bool

    def separator(self, i: int, j: int) -> list[int]:
        """Columns of the set kept for the pair."""
        return [int(k) for k in self.members[self.start[i, j] : self.start[i, j] + self.size[i, j]]]


def pc_stable(level: Level, search: Search, cutoff: float) -> Skeleton:
    """Run the levels. cutoff: a pair is removed iff its weakness exceeds it."""
    adj, d = search.adj.copy(), len(search.adj)
    weakness, statistic = np.full((d, d), -np.inf), np.zeros((d, d))
    df, size = np.zeros((d, d), np.int64), np.full((d, d), -1, np.int64)
    start, pool, pooled, tests, k, complete = np.zeros((d, d), np.int64), [], 0, 0, 0, True
    deepest = d - 2 if search.max_size is None else min(d - 2, search.max_size)
    while k <= deepest and complete:
        open_pairs = np.triu(adj & ~search.fixed)
        crowded = adj.sum(axis=1) > k
        i, j = np.nonzero(open_pairs & (crowded[:, None] | crowded[None, :]))
        if not len(i):
            break
        slot = np.full((d, d), -1, np.int32)
        slot[i, j] = slot[j, i] = np.arange(len(i), dtype=np.int32)
        found = level(k, adj, slot, len(i), search.deadline)
        weak, sets = found.weakness, found.sets
        tests += found.tests
        complete = not found.stopped
        better = np.flatnonzero(weak > weakness[i, j])
        a, b = i[better], j[better]
        for matrix, values in (
            (weakness, weak[better]),
            (statistic, found.statistic[better]),
            (df, found.df[better]),
            (size, k),
            (start, pooled + k * better),
        ):
            matrix[a, b] = matrix[b, a] = values
        pool.append(sets.ravel())
        pooled += sets.size
        gone = weak > cutoff
        adj[i[gone], j[gone]] = adj[j[gone], i[gone]] = False
        k += 1
    members = np.concatenate(pool) if pool else np.zeros(0, np.int32)
    return Skeleton(adj, weakness, statistic, df, size, start, members, tests, max(k - 1, 0), complete)


def gaussian_skeleton(correlation: Array, n: int, alpha: float, search: Search) -> Skeleton:
    """Fisher's z: remove iff sqrt(n - |S| - 3) atanh|r| is below the normal quantile of 1 - alpha / 2.

    Weakness is minus that statistic. Levels stop at |S| = n - 4, beyond which the statistic does not exist. A set that
    determines x or y (residual variance below 1e-10 of the whole) never separates them, and a set whose own members
    determine one another is skipped: it says what a smaller set, already tested, said.
    """
    rho = np.array(correlation, dtype=np.float64, order="C")

    def level(k: int, joined: Bools, slot: Codes, m: int, until: float) -> Tested:
        best = np.full(m, np.inf)
        sets = np.zeros((m, k), np.int32)
        made, stopped = _gaussian_level(rho, joined, slot, k, best, sets, until)
        tested = np.isfinite(best)
        r = np.minimum(np.sqrt(np.where(tested, best, 0.0)), 1.0 - np.finfo(float).eps)
        z = math.sqrt(n - k - 3) * np.arctanh(r)
        return Tested(np.where(tested, -z, -np.inf), sets, z, np.zeros(m, np.int64), made, stopped)

    most = n - 4 if search.max_size is None else min(n - 4, search.max_size)
    return pc_stable(level, search._replace(max_size=most), float(ndtri(alpha / 2.0)))


def callable_skeleton(p_value: Callable[[int, int, tuple[int, ...]], float], alpha: float, search: Search) -> Skeleton:
    """Any test: p_value(x, y, z) with x < y and z ascending, asked once per pair and set. Weakness is the p-value."""

    def level(k: int, joined: Bools, slot: Codes, m: int, until: float) -> Tested:
        weak, sets, made = np.full(m, -np.inf), np.zeros((m, k), np.int32), 0
        for x, y in np.argwhere(np.triu(slot >= 0)).tolist():
            sides = [[v for v in np.flatnonzero(joined[side]).tolist() if v not in (x, y)] for side in (x, y)]
            seen = dict.fromkeys(combinations(sides[0], k)) | dict.fromkeys(combinations(sides[1], k))
            for z in sorted(seen):
                if time.monotonic() > until:
                    return Tested(weak, sets, np.maximum(weak, 0.0), np.zeros(m, np.int64), made, True)
                p = p_value(x, y, z)
                made += 1
                if p > weak[slot[x, y]]:
                    weak[slot[x, y]], sets[slot[x, y]] = p, z
        return Tested(weak, sets, np.maximum(weak, 0.0), np.zeros(m, np.int64), made, False)

    return pc_stable(level, search, alpha)


@njit(cache=True)
def _gaussian_level(
    rho: AnyArray, adj: AnyArray, slot: AnyArray, size: int, best: AnyArray, sets: AnyArray, deadline: float
) -> tuple[int, bool]:
    """Smallest squared partial correlation of every slot at one level, with its set: (tests, stopped).

    rho: (d, d). adj: (d, d) of the level's start. slot: (d, d) int32, row of the pair in best (m,) and
    sets (m, size), or -1 for pairs not to be tested.
    """
    d = rho.shape[0]
    tests = 0
    leaves = 0
    if size == 0:
        for x in range(d):
            for y in range(x + 1, d):
                if slot[x, y] >= 0:
                    best[slot[x, y]] = rho[x, y] * rho[x, y]
                    tests += 1
        return tests, False
    for x in range(d):
        near = np.flatnonzero(adj[x])
        if near.size <= size or not (slot[x] >= 0).any():
            continue
        made, leaves, stopped = _around(rho, x, near, slot, size, best, sets, leaves, deadline)
        tests += made
        if stopped:
            return tests, True
    return tests, False


@njit(cache=True)
def _around(
    rho: AnyArray,
    x: int,
    near: AnyArray,
    slot: AnyArray,
    size: int,
    best: AnyArray,
    sets: AnyArray,
    leaves: int,
    deadline: float,
) -> tuple[int, int, bool]:
    """All sets of `size` neighbours of x, depth first; each prefix's Schur complement is computed once.

    At depth j, block[j] (k, k), spread[j] (k,), cross[j] (k,) and own[j] hold the covariance among the neighbours,
    its diagonal, their covariance with x and the variance of x, all given the first j members of the set.
    """
    k = near.size
    block = np.empty((size, k, k))
    spread, cross, own = np.empty((size, k)), np.empty((size, k)), np.empty(size)
    low = np.empty(k)
    count = 0
    for a in range(k):
        cross[0, a] = rho[x, near[a]]
        spread[0, a] = 1.0
        row = slot[x, near[a]]
        low[a] = best[row] if row >= 0 else -1.0
        count += row >= 0
        for b in range(k):
            block[0, a, b] = rho[near[a], near[b]]
    own[0] = 1.0
    pick = np.zeros(size, np.int64)
    depth, tests, stopped = 0, 0, False
    while depth >= 0 and not stopped:
        s = pick[depth]
        if s > k - size + depth:
            depth -= 1
            if depth >= 0:
                pick[depth] += 1
            continue
        if spread[depth, s] <= DEGENERATE or own[depth] <= DEGENERATE:
            pick[depth] += 1
        elif depth == size - 1:
            _leaf(block[depth, s], spread[depth], cross[depth], own[depth], s, low, near, pick, sets, slot[x])
            tests += count
            for j in range(size):
                tests -= slot[x, near[pick[j]]] >= 0
            pick[depth] += 1
            leaves += 1
            if leaves % CLOCK_EVERY == 0 and deadline < np.inf:
                stopped = now() > deadline
        else:
            _eliminate(block, spread, cross, own, depth, s)
            depth += 1
            pick[depth] = s + 1
    for a in range(k):
        row = slot[x, near[a]]
        if row >= 0:
            best[row] = low[a]
    return tests, leaves, stopped


@njit(cache=True)
def _eliminate(block: AnyArray, spread: AnyArray, cross: AnyArray, own: AnyArray, depth: int, s: int) -> None:
    """Condition on neighbour s as well: the state of depth + 1 from that of depth, rows after s only."""
    k = spread.shape[1]
    row = block[depth, s]
    scale = 1.0 / spread[depth, s]
    for b in range(k):
        spread[depth + 1, b] = spread[depth, b] - row[b] * row[b] * scale
        cross[depth + 1, b] = cross[depth, b] - cross[depth, s] * row[b] * scale
    own[depth + 1] = own[depth] - cross[depth, s] * cross[depth, s] * scale
    spread[depth + 1, s] = 0.0
    cross[depth + 1, s] = 0.0
    for a in range(s + 1, k):
        factor = row[a] * scale
        for b in range(k):
            block[depth + 1, a, b] = block[depth, a, b] - factor * row[b]


@njit(cache=True)
def _leaf(
    row: AnyArray,
    spread: AnyArray,
    cross: AnyArray,
    own: float,
    s: int,
    low: AnyArray,
    near: AnyArray,
    pick: AnyArray,
    sets: AnyArray,
    slots: AnyArray,
) -> None:
    """Squared partial correlation of x and every neighbour given the set that ends with s.

    r^2 = (c_xy c_ss - c_xs c_sy)^2 / ((c_xx c_ss - c_xs^2)(c_yy c_ss - c_sy^2)), compared without a division;
    low (k,) and sets are updated in place.
    """
    pivot, shared = spread[s], cross[s]
    rest_x = own * pivot - shared * shared
    if rest_x <= DEGENERATE * pivot:
        return
    hit = False
    for b in range(low.size):
        joint = cross[b] * pivot - shared * row[b]
        rest = spread[b] * pivot - row[b] * row[b]
        rest = rest if rest > DEGENERATE * pivot else 0.0
        hit |= joint * joint < low[b] * rest_x * rest
    if hit:
        for b in range(low.size):
            joint = cross[b] * pivot - shared * row[b]
            rest = spread[b] * pivot - row[b] * row[b]
            if rest > DEGENERATE * pivot and joint * joint < low[b] * rest_x * rest:
                low[b] = joint * joint / (rest_x * rest)
                for j in range(pick.size):
                    sets[slots[near[b]], j] = near[pick[j]]
