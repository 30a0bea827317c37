"""Fisher's z of many pairs at once: partial correlations by depth-first elimination.

All sets of k neighbours of x are visited depth first; the Schur complement of each prefix is computed once and serves
all the sets that begin with it, and one leaf answers every pair of x given its set.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.special import ndtr, ndtri

from ..base.arrays import AnyArray, Array, Ints
from ..base.clock import now
from ..stats.independence import DEGENERATE
from .sets import Largest, Lists, Question, Tested, ask, largest, lists, pairs_of, untested

CLOCK_EVERY = 1 << 23  # numbers worked out between two looks at the clock
LARGEST_R = 1.0 - np.finfo(float).eps


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

    def answer(self, question: Question, deadline: float) -> Tested:
        """Largest p-value of every pair. Weakness is minus the statistic."""
        found, made, stopped = untested(question), 0, False
        if question.least == 0:
            _alone(self.rho, question, math.sqrt(self.n - 3), found.weakness, found.outside)
            made = len(question.i)
        if question.size:
            scale = np.sqrt(self.n - np.arange(question.size + 1) - 3.0)
            tests, stopped = all_sets(self.rho, scale, question, largest(found), deadline)
            made += tests
        found.df[:] = 0
        found.n[:] = self.n
        return found._replace(statistic=-found.weakness, tests=made, stopped=stopped)

    def climb(self, i: Ints, j: Ints, near: Lists, limit: Ints, alpha: float, deadline: float) -> tuple[Tested, int]:
        """The pairs (m,) given every set of 1, 2, ... up to limit (d,) members of fixed lists, each until a size separates it.

        The answer of a level after the other in one compiled search; the largest size tried beside it.
        """
        most = int(min(self.most, limit.max(initial=0)))
        question = ask(most, i, j, near, limit, np.full(len(i), -np.inf))
        found = untested(question)
        scale = np.sqrt(np.maximum(self.n - np.arange(most + 1) - 3.0, 0.0))
        tests, depth, stopped = _levels(self.rho, scale, question, largest(found), self.weakness_at(alpha), deadline)
        found.df[:], found.n[:] = 0, self.n
        return found._replace(statistic=-found.weakness, tests=tests, stopped=stopped), depth


@njit(cache=True)
def _levels(
    rho: AnyArray, scale: AnyArray, question: Question, found: Largest, threshold: float, deadline: float
) -> tuple[int, int, bool]:
    """Sizes 1 to question.size, of the pairs that no smaller size separated: (tests, largest size tried, stopped)."""
    i, j, near, limit = question.i, question.j, question.near, question.limit
    tests, spent, d = 0, 0, rho.shape[0]
    joined = np.ones(i.size, np.bool_)
    for size in range(1, question.size + 1):
        rows = np.flatnonzero(joined)
        longer = np.zeros(rows.size, np.bool_)
        for k in range(rows.size):
            a, b = i[rows[k]], j[rows[k]]
            longer[k] = near.first[a + 1] - near.first[a] > size or near.first[b + 1] - near.first[b] > size
        rows = rows[longer]
        if rows.size == 0:
            return tests, size - 1, False
        pairs = lists(np.concatenate((i[rows], j[rows])), np.concatenate((rows, rows)), d)
        for x in range(d):
            own = pairs.member[pairs.first[x] : pairs.first[x + 1]]
            if own.size == 0 or limit[x] < size:
                continue
            pool = near.member[near.first[x] : near.first[x + 1]]
            members, place, count = _gather(x, own, pool, i, j)
            part = scale[: size + 1]
            sizes = (size, size)
            made, spent, stopped = _around(
                rho, part, x, members, place, count, sizes, question.middle, found, spent, deadline
            )
            tests += made
            if stopped:
                return tests, size, True
        for row in rows:
            joined[row] = not found.weakness[row] > threshold
    return tests, question.size, False


@njit(cache=True)
def _alone(rho: AnyArray, question: Question, scale: float, weakness: AnyArray, outside: AnyArray) -> None:
    """Minus scale atanh |r| of every pair given nothing."""
    for row in range(question.i.size):
        r = abs(rho[question.i[row], question.j[row]])
        weakness[row] = -scale * math.atanh(min(r, LARGEST_R))
        outside[question.middle.first[row] : question.middle.first[row + 1]] = weakness[row]


@njit(cache=True)
def all_sets(rho: AnyArray, scale: AnyArray, question: Question, found: Largest, deadline: float) -> tuple[int, bool]:
    """All sets of neighbours of every variable: (tests, stopped). scale: (size + 1,), sqrt(n - |S| - 3)."""
    pairs, near = pairs_of(question.i, question.j, rho.shape[0]), question.near
    tests, spent, least = 0, 0, max(question.least, 1)
    for x in range(rho.shape[0]):
        own = pairs.member[pairs.first[x] : pairs.first[x + 1]]
        top = min(question.size, question.limit[x])
        if own.size == 0 or top < least:
            continue
        pool = near.member[near.first[x] : near.first[x + 1]]
        members, rows, count = _gather(x, own, pool, question.i, question.j)
        sizes = (least, top)
        made, spent, stopped = _around(
            rho, scale, x, members, rows, count, sizes, question.middle, found, spent, deadline
        )
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
    scale: AnyArray,
    x: int,
    members: AnyArray,
    rows: AnyArray,
    drawn: int,
    sizes: tuple[int, int],
    middle: Lists,
    found: Largest,
    spent: int,
    deadline: float,
) -> tuple[int, int, bool]:
    """All sets of sizes[0] to sizes[1] of the first ``drawn`` members, depth first: (tests, spent, stopped). spent: numbers
    worked out since the last look at the clock.

    At depth l, block[l] (drawn, k), spread[l] (k,), cross[l] (k,) and own[l] hold the covariance of the members with
    those that can be drawn, their variances, their covariance with x and the variance of x, given the first l of the set.
    """
    k, (least, top) = members.size, sizes
    spent += drawn * k
    if spent > CLOCK_EVERY and deadline < np.inf:
        spent = 0
        if now() > deadline:
            return 0, spent, True
    block = np.empty((top, drawn, k))
    spread, cross, own = np.empty((top, k)), np.empty((top, k)), np.empty(top)
    cap, asked = np.zeros((3, k)), np.flatnonzero(rows >= 0)
    for b in asked:
        _cap(cap[:, b], rows[b], middle, found, scale[-1])
    for a in range(k):
        cross[0, a] = rho[x, members[a]]
        spread[0, a] = 1.0
        block[0, :, a] = rho[members[:drawn], members[a]]
    pick, own[0] = np.zeros(top, np.int64), 1.0
    depth, tests, stopped = 0, 0, False
    while depth >= 0 and not stopped:
        s = pick[depth]
        if s >= drawn - max(least - 1 - depth, 0):
            depth -= 1
            if depth >= 0:
                pick[depth] += 1
            continue
        if spread[depth, s] <= DEGENERATE or own[depth] <= DEGENERATE:
            pick[depth] += 1
            continue
        if depth >= least - 1:
            rest_x = own[depth] * spread[depth, s] - cross[depth, s] * cross[depth, s]
            if rest_x > DEGENERATE * spread[depth, s]:
                if _weaker(block, spread, cross, depth, s, rest_x, asked, cap[0]):
                    at = block[depth, s], spread[depth], cross[depth], rest_x
                    _leaf(at, s, cap, members, rows, pick[: depth + 1], middle, found, scale)
                tests += len(asked)
                for level in range(depth + 1):
                    tests -= rows[pick[level]] >= 0
            spent += k
            if spent > CLOCK_EVERY and deadline < np.inf:
                spent = 0
                stopped = now() > deadline
        if depth < top - 1 and s < drawn - 1:
            _eliminate(block, spread, cross, own, depth, s)
            spent += (drawn - s) * k
            depth += 1
            pick[depth] = s + 1
        else:
            pick[depth] += 1
    return tests, spent, stopped


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
def _weaker(
    block: AnyArray,
    spread: AnyArray,
    cross: AnyArray,
    depth: int,
    s: int,
    rest_x: float,
    asked: AnyArray,
    bound: AnyArray,
) -> bool:
    """Has x with some member that is ``asked`` a squared partial correlation below its bound, given the set that ends with s?

    r^2 = (c_xy c_ss - c_xs c_sy)^2 / ((c_xx c_ss - c_xs^2)(c_yy c_ss - c_sy^2)), compared without a division.
    """
    pivot, shared, hit = spread[depth, s], cross[depth, s], False
    for b in asked:
        of_s = block[depth, s, b]
        joint = cross[depth, b] * pivot - shared * of_s
        rest = spread[depth, b] * pivot - of_s * of_s
        rest = rest if rest > DEGENERATE * pivot else 0.0
        hit |= joint * joint < bound[b] * rest_x * rest
    return hit


@njit(cache=True)
def _leaf(
    at: tuple[AnyArray, AnyArray, AnyArray, float],
    s: int,
    cap: AnyArray,
    members: AnyArray,
    rows: AnyArray,
    pick: AnyArray,
    middle: Lists,
    found: Largest,
    scale: AnyArray,
) -> None:
    """Enter the tests of x and every member given the set that ends with s. cap: see :func:`_cap`; (3, k)."""
    row, spread, cross, rest_x = at
    pivot, shared, bound = spread[s], cross[s], cap[0]
    for b in range(rows.size):
        joint = cross[b] * pivot - shared * row[b]
        rest = spread[b] * pivot - row[b] * row[b]
        if rows[b] >= 0 and rest > DEGENERATE * pivot and joint * joint < bound[b] * rest_x * rest:
            squared = joint * joint / (rest_x * rest)
            lo, hi = middle.first[rows[b]], middle.first[rows[b] + 1]
            if hi == lo + 1 and squared >= cap[1 + _holds(middle.member[lo], members, pick), b]:
                continue
            new = -scale[pick.size] * math.atanh(min(math.sqrt(squared), LARGEST_R))
            _enter(new, rows[b], members, pick, middle, found)
            _cap(cap[:, b], rows[b], middle, found, scale[-1])


@njit(cache=True)
def _holds(z: int, members: AnyArray, pick: AnyArray) -> bool:
    """Is z in the set?"""
    found = False
    for p in pick:
        found |= members[p] == z
    return found


@njit(cache=True)
def _cap(cap: AnyArray, row: int, middle: Lists, found: Largest, scale: float) -> None:
    """The r^2 below which a test of the pair can change what was found: of any set, and of those that hold none, or some,
    of its middles (3,). scale: that of the largest sets; the others need no more, for theirs are larger."""
    lo, hi = middle.first[row], middle.first[row + 1]
    cap[0] = _squared(found.weakness[row], scale) if lo == hi else 0.0
    cap[1] = cap[2] = 0.0
    for t in range(lo, hi):
        cap[1] = max(cap[1], _squared(found.outside[t], scale))
        cap[2] = max(cap[2], _squared(found.inside[t], scale))
    cap[0] = max(cap[0], cap[1], cap[2])


@njit(cache=True)
def _squared(weakness: float, scale: float) -> float:
    """The r^2 of which scale atanh |r| is minus the weakness."""
    return math.tanh(weakness / scale) ** 2 if weakness > -np.inf else np.inf


@njit(cache=True)
def _enter(new: float, row: int, members: AnyArray, pick: AnyArray, middle: Lists, found: Largest) -> None:
    """Keep a test where it is the weakest so far, of the pair, and of the sets with or without a middle."""
    if new > found.weakness[row]:
        found.weakness[row], found.size[row] = new, pick.size
        for level in range(pick.size):
            found.sets[row, level] = members[pick[level]]
    for t in range(middle.first[row], middle.first[row + 1]):
        if _holds(middle.member[t], members, pick):
            found.inside[t] = max(found.inside[t], new)
        else:
            found.outside[t] = max(found.outside[t], new)
