"""The skeleton of :mod:`causalnet.search.skeleton` by Fisher's z in one compiled search, all levels of it: the same answer."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Bools, Ints
from .elimination import LARGEST_R, eliminate_sets
from .partial_correlation import PartialCorrelation
from .sets import Largest, Lists, Question, either_way, size_limits
from .skeleton import Alone, Search, Skeleton, Weakest


def find_at_once(tests: PartialCorrelation, alpha: float, search: Search) -> Skeleton:
    """Run the levels of the stable search at the level alpha of every test; rates of false discoveries are not its business."""
    d = len(search.adj)
    deepest = d - 2 if search.max_size is None else min(d - 2, search.max_size)
    how = deepest, tests.most, math.inf if search.max_sets is None else float(search.max_sets)
    statistic, (i, j), record, members, joined, (made, depth, bounded, stopped) = _search(
        tests.rho, tests.n, search.adj, search.fixed, how, tests.weakness_at(alpha), search.deadline
    )
    (weakness, own), (size, start), partial = record
    df, n = np.zeros(len(i), np.int64), np.full(len(i), tests.n)
    weakest = Weakest(i, j, weakness, own, df, n, size, start, partial, members)
    adj = np.zeros((d, d), bool)
    adj[i[joined], j[joined]] = adj[j[joined], i[joined]] = True
    return Skeleton(adj, Alone(statistic, 0, tests.n), weakest, made, depth, bounded, not stopped)


@njit(cache=True)
def _search(
    rho: AnyArray,
    n: int,
    adj: Bools,
    fixed: Bools,
    how: tuple[int, int, float],
    threshold: float,
    deadline: float,
) -> tuple[AnyArray, AnyArray, tuple[AnyArray, AnyArray, AnyArray], AnyArray, AnyArray, tuple[int, int, bool, bool]]:
    """how: largest size wanted, and possible, and max_sets. Gives the statistics given nothing (d (d - 1) / 2,); of the m pairs
    that stay i and j (2, m), weakness and statistic (2, m), size and start (2, m), partial (m,), then their members, whether
    they are joined (m,); and tests, largest size, bounded, stopped."""
    deepest, most, max_sets = how
    statistic, pairs, made = _given_nothing(rho, math.sqrt(n - 3), adj, fixed, threshold)
    i, j = pairs
    m, d = i.size, adj.shape[0]
    told, sets = np.empty((2, m)), np.zeros((2, m), np.int64)
    keeps, partial, members = np.empty(m, np.bool_), np.zeros(m, np.bool_), np.empty(0, np.int32)
    for row in range(m):
        keeps[row] = fixed[i[row], j[row]]
        told[1, row] = statistic[i[row] * (2 * d - i[row] - 1) // 2 + j[row] - i[row] - 1]
        told[0, row] = -np.inf if math.isnan(told[1, row]) else -told[1, row]
    joined, scale = np.ones(m, np.bool_), np.sqrt(np.maximum(n - np.arange(d) - 3.0, 0.0))
    size, bounded, stopped = 1, False, False
    while size <= deepest and not stopped:
        near = either_way(i[joined], j[joined], d)
        limit = size_limits(near.first, size, max_sets)
        free = joined & ~keeps
        asked, short, longest = _asked(size, i, j, free, near, limit)
        if asked.size == 0:
            break
        if size > most:
            bounded = True
            break
        if limit.max() < size:  # the budget leaves no set of this size, nor of any larger one
            partial[asked] |= short
            size = min(longest, deepest + 1, most + 1)
            bounded = most < size <= deepest
            break
        none = Lists(np.zeros(asked.size + 1, np.int64), np.zeros(0, np.int64))
        question = Question(size, size, i[asked], j[asked], near, limit, none, told[0][asked])
        found = _room(question)
        tests, stopped = eliminate_sets(rho, scale, question, (size, size), free[asked], found, deadline)
        members = _enter(asked, found, told, sets, members)
        partial[asked] |= short
        made += tests
        for row in asked:
            joined[row] = not told[0, row] > threshold
        size += 1
    return statistic, pairs, (told, sets, partial), members, joined, (made, size - 1, bounded, stopped)


@njit(cache=True)
def _given_nothing(
    rho: AnyArray, scale: float, adj: AnyArray, fixed: AnyArray, threshold: float
) -> tuple[AnyArray, AnyArray, int]:
    """The statistic of every pair, NaN where it is not tested; the pairs that this leaves joined (2, m); tests."""
    d = adj.shape[0]
    statistic, i, j, at, made = np.full(d * (d - 1) // 2, np.nan), [0][:0], [0][:0], 0, 0
    for a in range(d):
        for b in range(a + 1, d):
            if adj[a, b] and not fixed[a, b]:
                statistic[at] = scale * math.atanh(min(abs(rho[a, b]), LARGEST_R))
                made += 1
            if adj[a, b] and not -statistic[at] > threshold:
                i.append(a)
                j.append(b)
            at += 1
    pairs = np.empty((2, len(i)), np.int64)
    for row in range(len(i)):
        pairs[0, row], pairs[1, row] = i[row], j[row]
    return statistic, pairs, made


@njit(cache=True)
def _asked(
    size: int, i: AnyArray, j: AnyArray, free: AnyArray, near: Lists, limit: AnyArray
) -> tuple[Ints, Bools, int]:
    """Which pairs a level tests, those that are free and of which one member has more than ``size`` neighbours; is their budget
    short? And the most neighbours that one of them has."""
    asked, short, m, longest = np.empty(i.size, np.int64), np.zeros(i.size, np.bool_), 0, 0
    for row in range(i.size):
        if free[row]:
            a, b = near.first[i[row] + 1] - near.first[i[row]], near.first[j[row] + 1] - near.first[j[row]]
            if max(a, b) > size:
                asked[m], longest = row, max(longest, a, b)
                short[m] = limit[i[row]] < min(a, size) or limit[j[row]] < min(b, size)
                m += 1
    return asked[:m], short[:m], longest


@njit(cache=True)
def _room(question: Question) -> Largest:
    """An answer to be filled."""
    m, t = question.i.size, np.empty(0)
    whole = np.zeros((3, m), np.int64)
    sets = np.zeros((m, question.size), np.int32)
    return Largest(question.known.copy(), np.zeros(m), whole[0], whole[1], whole[2], sets, t, t)


@njit(cache=True)
def _enter(asked: AnyArray, found: Largest, told: AnyArray, sets: AnyArray, members: AnyArray) -> AnyArray:
    """Enter a level's tests, in place, where they are weaker; the members of all sets, theirs at the end."""
    more, end = np.empty(found.sets.size, np.int32), 0
    for k in range(asked.size):
        row = asked[k]
        if found.weakness[k] > told[0, row]:
            told[0, row], told[1, row] = found.weakness[k], -found.weakness[k]
            sets[0, row], sets[1, row] = found.size[k], members.size + end
            for p in range(found.size[k]):
                more[end] = found.sets[k, p]
                end += 1
    return np.concatenate((members, more[:end]))
