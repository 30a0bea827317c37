"""Fisher's z of many pairs at once: partial correlations by depth-first elimination.

All sets of k neighbours of x are visited depth first; the Schur complement of each prefix is computed once and serves
all the sets that begin with it, and one leaf answers every pair of x given its set.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import log_ndtr

from ..base.arrays import AnyArray, Array, Ints
from ..base.clock import now
from ..stats.independence import DEGENERATE
from .sets import Lists, Question, Tested

CLOCK_EVERY = 1 << 14  # conditioning sets between two looks at the clock
LARGEST_R = 1.0 - np.finfo(float).eps


class Least(NamedTuple):
    """Smallest squared partial correlations so far, in place: squared (m,) with its sets (m, k), and of each pair's
    middles (t,) given a set with the middle and without it."""

    squared: AnyArray
    sets: AnyArray
    inside: AnyArray
    outside: AnyArray


class PartialCorrelation:
    """sqrt(n - |S| - 3) atanh|r|, standard normal under independence; sets up to |S| = n - 4.

    A set that determines x or y (residual variance below 1e-10 of the whole) never separates them, and a set whose own
    members determine one another is skipped: it says what a smaller set, already tested, said.
    """

    def __init__(self, correlation: Array, n: int) -> None:
        self.rho = np.ascontiguousarray(correlation, np.float64)
        self.n = n
        self.most = n - 4

    def level(self, question: Question, deadline: float) -> Tested:
        """Smallest |r| of every pair, which at one size is the largest p-value."""
        k, i, j, m = question.size, question.i, question.j, len(question.i)
        t = len(question.middle.member)
        least, inside, outside = np.full(m, np.inf), np.full(t, np.inf), np.full(t, np.inf)
        sets, tests, stopped = np.zeros((m, k), np.int32), m, False
        if k == 0:
            least = self.rho[i, j] ** 2
            outside = np.repeat(least, np.diff(question.middle.first))
        else:
            kept = Least(least, sets, inside, outside)
            tests, stopped = _level(self.rho, k, i, j, question.pairs, question.near, question.middle, kept, deadline)
        log_p, statistic = self._log_p(least, k)
        none = np.zeros(m, np.int64)
        rest = sets, self._log_p(inside, k)[0], self._log_p(outside, k)[0], tests, stopped
        return Tested(log_p, statistic, none, np.full(m, self.n), *rest)

    def _log_p(self, squared: Array, size: int) -> tuple[Array, Array]:
        tested = np.isfinite(squared)
        r = np.minimum(np.sqrt(np.where(tested, squared, 0.0)), LARGEST_R)
        z = math.sqrt(self.n - size - 3) * np.arctanh(r)
        return np.where(tested, math.log(2.0) + log_ndtr(-z), -np.inf), z


@njit(cache=True)
def _level(
    rho: AnyArray,
    size: int,
    i: Ints,
    j: Ints,
    pairs: Lists,
    near: Lists,
    middle: Lists,
    kept: Least,
    deadline: float,
) -> tuple[int, bool]:
    """All sets of ``size`` neighbours of every variable: (tests, stopped)."""
    tests, leaves = 0, 0
    for x in range(rho.shape[0]):
        own = pairs.member[pairs.first[x] : pairs.first[x + 1]]
        pool = near.member[near.first[x] : near.first[x + 1]]
        if own.size == 0 or pool.size < size:
            continue
        members, rows, count = _gather(x, own, pool, i, j)
        made, leaves, stopped = _around(rho, x, members, rows, count, size, middle, kept, leaves, deadline)
        tests += made
        if stopped:
            return tests, True
    return tests, False


@njit(cache=True)
def _gather(x: int, own: AnyArray, pool: AnyArray, i: AnyArray, j: AnyArray) -> tuple[AnyArray, AnyArray, int]:
    """The variables at play around x, those sets are drawn from first: (variables (k,), row of their pair with x in
    the question or -1 (k,), how many can be drawn)."""
    members = np.empty(pool.size + own.size, np.int64)
    rows = np.full(members.size, -1, np.int64)
    members[: pool.size] = pool
    k = pool.size
    for row in own:
        y = j[row] if i[row] == x else i[row]
        place = np.searchsorted(pool, y)
        if place < pool.size and pool[place] == y:
            rows[place] = row
        else:
            members[k], rows[k] = y, row
            k += 1
    return members[:k], rows[:k], pool.size


@njit(cache=True)
def _around(
    rho: AnyArray,
    x: int,
    members: AnyArray,
    rows: AnyArray,
    drawn: int,
    size: int,
    middle: Lists,
    kept: Least,
    leaves: int,
    deadline: float,
) -> tuple[int, int, bool]:
    """All sets of ``size`` of the first ``drawn`` members, depth first: (tests, leaves, stopped).

    At depth l, block[l] (drawn, k), spread[l] (k,), cross[l] (k,) and own[l] hold the covariance of the members with
    those that can be drawn, their variances, their covariance with x and the variance of x, given the first l of the set.
    """
    k = members.size
    block = np.empty((size, drawn, k))
    spread, cross, own = np.empty((size, k)), np.empty((size, k)), np.empty(size)
    low = np.full(k, -1.0)
    for a in range(k):
        cross[0, a] = rho[x, members[a]]
        spread[0, a] = 1.0
        if rows[a] >= 0:
            low[a] = kept.squared[rows[a]]
        for b in range(drawn):
            block[0, b, a] = rho[members[b], members[a]]
    own[0] = 1.0
    watched = kept.inside.size > 0
    pick = np.zeros(size, np.int64)
    depth, tests, stopped = 0, 0, False
    while depth >= 0 and not stopped:
        s = pick[depth]
        if s > drawn - size + depth:
            depth -= 1
            if depth >= 0:
                pick[depth] += 1
            continue
        if spread[depth, s] <= DEGENERATE or own[depth] <= DEGENERATE:
            pick[depth] += 1
        elif depth == size - 1:
            row = block[depth, s]
            tests += _leaf(row, spread[depth], cross[depth], own[depth], s, low, members, rows, pick, kept.sets)
            if watched:
                _watch(row, spread[depth], cross[depth], own[depth], s, members, rows, pick, middle, kept)
            pick[depth] += 1
            leaves += 1
            if leaves % CLOCK_EVERY == 0 and deadline < np.inf:
                stopped = now() > deadline
        else:
            _eliminate(block, spread, cross, own, depth, s)
            depth += 1
            pick[depth] = s + 1
    for a in range(k):
        if rows[a] >= 0:
            kept.squared[rows[a]] = low[a]
    return tests, leaves, stopped


@njit(cache=True)
def _eliminate(block: AnyArray, spread: AnyArray, cross: AnyArray, own: AnyArray, depth: int, s: int) -> None:
    """Condition on member s as well: the state of depth + 1 from that of depth, rows after s only."""
    k = spread.shape[1]
    row = block[depth, s]
    scale = 1.0 / spread[depth, s]
    for b in range(k):
        spread[depth + 1, b] = spread[depth, b] - row[b] * row[b] * scale
        cross[depth + 1, b] = cross[depth, b] - cross[depth, s] * row[b] * scale
    own[depth + 1] = own[depth] - cross[depth, s] * cross[depth, s] * scale
    spread[depth + 1, s] = 0.0
    cross[depth + 1, s] = 0.0
    for a in range(s + 1, block.shape[1]):
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
    members: AnyArray,
    rows: AnyArray,
    pick: AnyArray,
    sets: AnyArray,
) -> int:
    """Squared partial correlation of x and every member given the set that ends with s; the number of tests.

    r^2 = (c_xy c_ss - c_xs c_sy)^2 / ((c_xx c_ss - c_xs^2)(c_yy c_ss - c_sy^2)), compared without a division;
    low (k,), -1 where there is no pair, and sets are updated in place.
    """
    pivot, shared = spread[s], cross[s]
    rest_x = own * pivot - shared * shared
    if rest_x <= DEGENERATE * pivot:
        return 0
    hit, tests = False, 0
    for b in range(low.size):
        joint = cross[b] * pivot - shared * row[b]
        rest = spread[b] * pivot - row[b] * row[b]
        rest = rest if rest > DEGENERATE * pivot else 0.0
        tests += low[b] >= 0.0 and rest > 0.0
        hit |= joint * joint < low[b] * rest_x * rest
    if hit:
        for b in range(low.size):
            joint = cross[b] * pivot - shared * row[b]
            rest = spread[b] * pivot - row[b] * row[b]
            if rest > DEGENERATE * pivot and joint * joint < low[b] * rest_x * rest:
                low[b] = joint * joint / (rest_x * rest)
                for level in range(pick.size):
                    sets[rows[b], level] = members[pick[level]]
    return tests


@njit(cache=True)
def _watch(
    row: AnyArray,
    spread: AnyArray,
    cross: AnyArray,
    own: float,
    s: int,
    members: AnyArray,
    rows: AnyArray,
    pick: AnyArray,
    middle: Lists,
    kept: Least,
) -> None:
    """As :func:`_leaf`, kept apart for sets with and without each middle of the pair."""
    pivot, shared = spread[s], cross[s]
    rest_x = own * pivot - shared * shared
    if rest_x <= DEGENERATE * pivot:
        return
    for b in range(members.size):
        rest = spread[b] * pivot - row[b] * row[b]
        if rows[b] < 0 or rest <= DEGENERATE * pivot:
            continue
        joint = cross[b] * pivot - shared * row[b]
        squared = joint * joint / (rest_x * rest)
        for t in range(middle.first[rows[b]], middle.first[rows[b] + 1]):
            within = False
            for p in pick:
                within |= members[p] == middle.member[t]
            if within:
                kept.inside[t] = min(kept.inside[t], squared)
            else:
                kept.outside[t] = min(kept.outside[t], squared)
