"""Fisher's z of many pairs at once, a level of a search or all of them in one compiled call."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import ndtr, ndtri

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..data.sealed import settle
from .elimination import LARGEST_R, eliminate_sets
from .levels import enter_tests, plan_level
from .sets import Largest, Lists, Question, Tested, ask, largest, untested


class Searched(NamedTuple):
    """A skeleton from one compiled search, in the parts of :class:`causalnet.search.skeleton.Skeleton`. adj: (d, d) bool. statistic:
    of each pair given nothing. i, j, kept, members: the record of the others. how: tests, depth, bounded, complete."""

    adj: Bools
    statistic: Array
    i: Ints
    j: Ints
    kept: tuple[Array, Array, Ints, Ints, Ints, Ints, Bools]
    members: Codes
    how: tuple[int, int, bool, bool]


class PartialCorrelation:
    """sqrt(n - |S| - 3) atanh|r|, standard normal under independence; sets up to |S| = n - 4.

    A set that determines x or y (residual variance below 1e-10 of the whole) never separates them, and a set whose own
    members determine one another is skipped: it says what a smaller set, already tested, said.
    """

    def __init__(self, correlation: Array, n: int) -> None:
        self.rho = _to_read(np.ascontiguousarray(correlation, np.float64))
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
            sizes, every = (max(question.least, 1), question.size), np.ones(len(question.i), bool)
            tests, stopped = eliminate_sets(self.rho, scale, question, sizes, every, largest(found), deadline)
            made += tests
        found.df[:] = 0
        found.n[:] = self.n
        return found._replace(statistic=-found.weakness, tests=made, stopped=stopped)

    def search(
        self, adj: Bools, fixed: Bools, deepest: int, max_sets: float, alpha: float, deadline: float
    ) -> Searched:
        """All levels of a skeleton in one compiled search. The rest: see :class:`causalnet.search.skeleton.Search`."""
        scale = np.sqrt(np.maximum(self.n - np.arange(max(min(deepest, self.most), 0) + 1) - 3.0, 0.0))
        limits = deepest, self.most, max_sets, self.weakness_at(alpha), deadline
        return Searched(*_search(self.rho, self.n, scale, _to_read(adj), _to_read(fixed), limits))

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


def _to_read(array: AnyArray) -> AnyArray:
    """It, not to be written through this: numba compiles anew for each of the two."""
    return settle(array.view())


@njit(cache=True)
def _levels(
    rho: AnyArray, scale: AnyArray, question: Question, found: Largest, threshold: float, deadline: float
) -> tuple[int, int, bool]:
    """Sizes 1 to question.size, of the pairs that no smaller size separated: (tests, largest size tried, stopped)."""
    i, j, near = question.i, question.j, question.near
    tests, joined = 0, np.ones(i.size, np.bool_)
    for size in range(1, question.size + 1):
        more = False
        for row in range(i.size):
            if joined[row]:
                joined[row] = not found.weakness[row] > threshold
                a, b = i[row], j[row]
                joined[row] &= max(near.first[a + 1] - near.first[a], near.first[b + 1] - near.first[b]) > size
                more |= joined[row]
        if not more:
            return tests, size - 1, False
        made, stopped = eliminate_sets(rho, scale, question, (size, size), joined, found, deadline)
        tests += made
        if stopped:
            return tests, size, True
    return tests, question.size, False


@njit(cache=True)
def _alone(rho: AnyArray, question: Question, scale: float, weakness: AnyArray, outside: AnyArray) -> None:
    """Minus scale atanh |r| of every pair given nothing."""
    for row in range(question.i.size):
        r = abs(rho[question.i[row], question.j[row]])
        weakness[row] = -scale * math.atanh(min(r, LARGEST_R))
        outside[question.middle.first[row] : question.middle.first[row + 1]] = weakness[row]


@njit(cache=True)
def _search(
    rho: AnyArray,
    n: int,
    scale: AnyArray,
    adj: AnyArray,
    fixed: AnyArray,
    limits: tuple[int, int, float, float, float],
) -> tuple[
    Bools, Array, Ints, Ints, tuple[Array, Array, Ints, Ints, Ints, Ints, Bools], Codes, tuple[int, int, bool, bool]
]:
    """The fields of :class:`Searched`. scale: sqrt(n - |S| - 3) by size. limits: deepest, most, max_sets, threshold, deadline."""
    (deepest, most, max_sets, threshold, deadline), d = limits, rho.shape[0]
    statistic, i, j, weakness = np.full(d * (d - 1) // 2, np.nan), [0][:0], [0][:0], [0.0][:0]
    at = made = 0
    for a in range(d):
        for b in range(a + 1, d):
            own = -np.inf
            if adj[a, b] and not fixed[a, b]:
                statistic[at] = scale[0] * math.atanh(min(abs(rho[a, b]), LARGEST_R))
                own, made = -statistic[at], made + 1
            if adj[a, b] and not own > threshold:
                i.append(a)
                j.append(b)
                weakness.append(own)
            at += 1
    ends, others, m = np.array(i, np.int64), np.array(j, np.int64), len(i)
    kept = _record(np.array(weakness, np.float64), n)
    joined, given = np.ones(m, np.bool_), np.zeros(m, np.bool_)
    for row in range(m):
        given[row] = fixed[ends[row], others[row]]
    members, bounded, complete = np.empty(0, np.int32), False, True
    k = int(np.int64(1))  # no literal: for each of those numba compiles anew
    while k <= deepest and complete:
        asked, a, b, near, limit, over = plan_level(k, ends, others, joined, given, d, max_sets)
        if asked.size == 0:
            break
        if k > most:
            bounded = True
            break
        if limit.max() < k:  # the budget leaves no set of this size, nor of any larger one
            for row in range(asked.size):
                kept[6][asked[row]] |= over[row]
            length = near.first[1:] - near.first[:-1]
            k = min(int(max(length[a].max(), length[b].max())), deepest + 1, most + 1)
            bounded = most < k <= deepest
            break
        found = _untested(kept[0][asked], k, n)
        none = Lists(np.zeros(asked.size + 1, np.int64), asked[:0])
        question, every = Question(k, k, a, b, near, limit, none, found.weakness), np.ones(asked.size, np.bool_)
        tests, stopped = eliminate_sets(rho, scale, question, (k, k), every, found, deadline)
        found.statistic[:] = -found.weakness
        members = np.concatenate((members, enter_tests(kept, asked, found, over, members.size)))
        made, complete = made + tests, not stopped
        for row in asked:
            joined[row] = not kept[0][row] > threshold
        k += 1
    left = np.zeros((d, d), np.bool_)
    for row in range(m):
        left[ends[row], others[row]] = left[others[row], ends[row]] = joined[row]
    return left, statistic, ends, others, kept, members, (made, k - 1, bounded, complete)


@njit(cache=True)
def _record(weakness: AnyArray, n: int) -> tuple[Array, Array, Ints, Ints, Ints, Ints, Bools]:
    """What :class:`causalnet.search.skeleton.Weakest` has of pairs with these tests given nothing, -inf where there is none."""
    m = weakness.size
    statistic, none = np.empty(m), np.zeros(m, np.int64)
    for row in range(m):
        statistic[row] = -weakness[row] if weakness[row] > -np.inf else np.nan
    return weakness, statistic, none, np.full(m, n), none.copy(), none.copy(), np.zeros(m, np.bool_)


@njit(cache=True)
def _untested(known: AnyArray, size: int, n: int) -> Largest:
    """An answer about pairs of which so much is known, given sets of this size, to be filled."""
    m, none = known.size, np.zeros(0)
    zeros, sets = np.zeros(m, np.int64), np.zeros((m, size), np.int32)
    return Largest(known, np.zeros(m), zeros, np.full(m, n), zeros.copy(), sets, none, none)
