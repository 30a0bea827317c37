"""Fisher's z of many pairs at once: partial correlations by depth-first elimination.

All sets of k neighbours of x are visited depth first; the Schur complement of each prefix is computed once and serves
all the sets that begin with it, and one leaf answers every pair of x given its set.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import ndtr, ndtri

from ..base.arrays import AnyArray, Array, Ints
from ..base.clock import now
from ..stats.independence import DEGENERATE
from .sets import Lists, Question, Tested, pairs_of

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

    def weakness_at(self, p: float) -> float:
        """Minus the statistic with this two-sided p-value."""
        return float(ndtri(p / 2.0))

    def p_values(self, weakness: Array) -> Array:
        """Two-sided."""
        return 2.0 * ndtr(weakness)

    def level(self, question: Question, deadline: float) -> Tested:
        """Smallest |r| of every pair, which at one size is the largest p-value. Weakness is minus the statistic."""
        k, i, j, m = question.size, question.i, question.j, len(question.i)
        scale = math.sqrt(self.n - k - 3)
        if k == 0:
            z = _statistic(self.rho, i, j, scale)
            outside = np.repeat(-z, np.diff(question.middle.first))
            rest = np.zeros((m, 0), np.int32), question.inside, outside, m, False
            return Tested(-z, z, np.zeros(m, np.int64), np.full(m, self.n), *rest)
        known = question.known, question.inside, question.outside
        start = [_squared(part, scale) for part in known]
        kept = Least(start[0].copy(), np.zeros((m, k), np.int32), start[1].copy(), start[2].copy())
        tests, stopped = _level(self.rho, k, i, j, question.near, question.middle, kept, deadline)
        found = kept.squared, kept.inside, kept.outside
        weakness, inside, outside = (_weakness(*part, scale) for part in zip(found, start, known, strict=True))
        rest = kept.sets, inside, outside, tests, stopped
        return Tested(weakness, -weakness, np.zeros(m, np.int64), np.full(m, self.n), *rest)


@njit(cache=True)
def _statistic(rho: AnyArray, i: AnyArray, j: AnyArray, scale: float) -> AnyArray:
    """scale atanh |r| of pairs (m,)."""
    z = np.empty(i.size)
    for k in range(i.size):
        z[k] = scale * math.atanh(min(abs(rho[i[k], j[k]]), LARGEST_R))
    return z


@njit(cache=True)
def _squared(weakness: AnyArray, scale: float) -> AnyArray:
    """The r^2 at which scale atanh |r| is minus this weakness (m,); less a rounding error, so that nothing is found twice."""
    squared = np.empty(weakness.size)
    for k in range(weakness.size):
        squared[k] = math.tanh(weakness[k] / scale) ** 2 * (1.0 - 1e-12) if weakness[k] > -np.inf else np.inf
    return squared


@njit(cache=True)
def _weakness(squared: AnyArray, start: AnyArray, known: AnyArray, scale: float) -> AnyArray:
    """Minus scale atanh |r| (m,), where r^2 fell below its start, else what was known."""
    weakness = known.copy()
    for k in range(weakness.size):
        if squared[k] < start[k]:
            weakness[k] = -scale * math.atanh(min(math.sqrt(squared[k]), LARGEST_R))
    return weakness


@njit(cache=True)
def _level(
    rho: AnyArray,
    size: int,
    i: Ints,
    j: Ints,
    near: Lists,
    middle: Lists,
    kept: Least,
    deadline: float,
) -> tuple[int, bool]:
    """All sets of ``size`` neighbours of every variable: (tests, stopped)."""
    tests, leaves, pairs = 0, 0, pairs_of(i, j, rho.shape[0])
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
    bound, pairs = np.full(k, -1.0), 0
    for a in range(k):
        cross[0, a] = rho[x, members[a]]
        spread[0, a] = 1.0
        if rows[a] >= 0:
            bound[a] = _bound(rows[a], middle, kept)
            pairs += 1
        for b in range(drawn):
            block[0, b, a] = rho[members[b], members[a]]
    own[0] = 1.0
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
            at = block[depth, s], spread[depth], cross[depth], own[depth]
            if _leaf(at, s, bound, members, rows, pick, middle, kept):
                tests += pairs
                for p in pick:
                    tests -= rows[p] >= 0
            pick[depth] += 1
            leaves += 1
            if leaves % CLOCK_EVERY == 0 and deadline < np.inf:
                stopped = now() > deadline
        else:
            _eliminate(block, spread, cross, own, depth, s)
            depth += 1
            pick[depth] = s + 1
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
    at: tuple[AnyArray, AnyArray, AnyArray, float],
    s: int,
    bound: AnyArray,
    members: AnyArray,
    rows: AnyArray,
    pick: AnyArray,
    middle: Lists,
    kept: Least,
) -> bool:
    """Squared partial correlation of x and every member given the set that ends with s; False if it determines x.

    r^2 = (c_xy c_ss - c_xs c_sy)^2 / ((c_xx c_ss - c_xs^2)(c_yy c_ss - c_sy^2)), compared without a division.
    bound (k,): only an r^2 below it changes what is kept, -1 where there is no pair.
    """
    row, spread, cross, own = at
    pivot, shared = spread[s], cross[s]
    rest_x = own * pivot - shared * shared
    if rest_x <= DEGENERATE * pivot:
        return False
    hit = False
    for b in range(bound.size):
        joint = cross[b] * pivot - shared * row[b]
        rest = spread[b] * pivot - row[b] * row[b]
        rest = rest if rest > DEGENERATE * pivot else 0.0
        hit |= joint * joint < bound[b] * rest_x * rest
    if hit:
        for b in range(bound.size):
            joint = cross[b] * pivot - shared * row[b]
            rest = spread[b] * pivot - row[b] * row[b]
            if rest > DEGENERATE * pivot and joint * joint < bound[b] * rest_x * rest:
                _enter(joint * joint / (rest_x * rest), rows[b], members, pick, middle, kept)
                bound[b] = _bound(rows[b], middle, kept)
    return True


@njit(cache=True)
def _bound(row: int, middle: Lists, kept: Least) -> float:
    """The r^2 below which a test of the pair changes what is kept."""
    bound = kept.squared[row]
    for t in range(middle.first[row], middle.first[row + 1]):
        bound = max(bound, kept.inside[t], kept.outside[t])
    return bound


@njit(cache=True)
def _enter(squared: float, row: int, members: AnyArray, pick: AnyArray, middle: Lists, kept: Least) -> None:
    """Keep an r^2 where it is the smallest so far, of the pair, and of the sets with or without a middle."""
    if squared < kept.squared[row]:
        kept.squared[row] = squared
        for level in range(pick.size):
            kept.sets[row, level] = members[pick[level]]
    for t in range(middle.first[row], middle.first[row + 1]):
        within = False
        for p in pick:
            within |= members[p] == middle.member[t]
        if within:
            kept.inside[t] = min(kept.inside[t], squared)
        else:
            kept.outside[t] = min(kept.outside[t], squared)
