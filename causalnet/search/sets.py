"""What a search by conditional independence asks at one level, and what it is told.

A question is every test of some pairs given sets of some sizes, drawn from the neighbours of either member. A family of
tests answers it (:class:`Tests`): partial correlations, contingency tables, or one test at a time.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Codes, Ints
from ..stats.independence import log_chi2_sf


class Lists(NamedTuple):
    """A list for each of k owners: member[first[v] : first[v + 1]]. first: (k + 1,) int64; member: int64."""

    first: Ints
    member: Ints


class Question(NamedTuple):
    """Pairs to test given every set of ``least`` to ``size`` neighbours of either member.

    i, j: (m,) int64, the pairs. near: of each of d variables the neighbours that sets are drawn from, ascending; limit:
    (d,) the largest set drawn from them. middle: of each pair the variables for which it matters whether they are in the
    set, t in all (none while a skeleton is sought). known: (m,) the weakness found so far, -inf for none.
    """

    least: int
    size: int
    i: Ints
    j: Ints
    near: Lists
    limit: Ints
    middle: Lists
    known: Array


class Tested(NamedTuple):
    """The test with the largest p-value of each of m pairs, where that is larger than what was known.

    weakness: (m,), how weak the evidence against independence: grows with the p-value; what was known where no test is
    weaker, and then the rest says nothing. statistic: (m,). df: (m,) int64, 0 where the test has none. n: (m,) int64,
    rows used. size, sets: the first size (m,) of sets (m, largest size) int32. inside, outside: (t,) largest weakness given
    a set with, and without, the middle. tests: how many were made. stopped: did the clock end them early?
    """

    weakness: Array
    statistic: Array
    df: Ints
    n: Ints
    size: Ints
    sets: Codes
    inside: Array
    outside: Array
    tests: int
    stopped: bool


class Largest(NamedTuple):
    """The part of :class:`Tested` that compiled searches fill, in place."""

    weakness: AnyArray
    statistic: AnyArray
    df: AnyArray
    n: AnyArray
    size: AnyArray
    sets: AnyArray
    inside: AnyArray
    outside: AnyArray


class Tests(Protocol):
    """A family of tests. most: the largest set for which it has a test."""

    most: int

    def weakness_at(self, p: float) -> float:
        """The weakness of a test with this p-value."""

    def p_values(self, weakness: Array) -> Array:
        """The p-values of tests as weak as this; 0 for -inf."""

    def answer(self, question: Question, deadline: float) -> Tested:
        """Make the tests; deadline: time.monotonic."""


class ByLogarithm:
    """The part of a family of tests whose weakness is log p."""

    def weakness_at(self, p: float) -> float:
        """log p."""
        return math.log(p)

    def p_values(self, weakness: Array) -> Array:
        """Of log p."""
        return np.exp(weakness)


@njit(cache=True)
def _both_ways(a: AnyArray, of_a: AnyArray, b: AnyArray, of_b: AnyArray, d: int) -> Lists:
    """Of each of d owners what the pairs in which it is ``a`` bring, of_a, and then the others."""
    first, member = np.zeros(d + 1, np.int64), np.empty(2 * a.size, np.int64)
    for k in range(a.size):
        first[a[k] + 1] += 1
        first[b[k] + 1] += 1
    for v in range(d):
        first[v + 1] += first[v]
    fill = first.copy()
    for k in range(a.size):
        member[fill[a[k]]] = of_a[k]
        fill[a[k]] += 1
    for k in range(a.size):
        member[fill[b[k]]] = of_b[k]
        fill[b[k]] += 1
    return Lists(first, member)


@njit(cache=True)
def pairs_of(i: AnyArray, j: AnyArray, d: int) -> Lists:
    """Of each of d variables the numbers of the pairs it is in."""
    row = np.arange(i.size)
    return _both_ways(i, row, j, row, d)


@njit(cache=True)
def either_way(i: Ints, j: Ints, d: int) -> Lists:
    """Of each variable the other members of its pairs, ascending when the pairs are sorted and i < j."""
    return _both_ways(j, i, i, j, d)


NOBODY = Lists(np.zeros(1, np.int64), np.zeros(0, np.int64))


def ask(size: int, i: Ints, j: Ints, near: Lists, limit: Ints, known: Array) -> Question:
    """The question about these pairs (i < j) given sets of one size, no middle watched."""
    middle = Lists(np.zeros(len(i) + 1, np.int64), NOBODY.member)
    return Question(size, size, i, j, near, limit, middle, known)


def untested(question: Question) -> Tested:
    """An answer in which nothing is tested yet, to be filled."""
    m, t = len(question.i), len(question.middle.member)
    n, size = np.zeros((2, m), np.int64)
    sets = np.zeros((m, question.size), np.int32)
    nothing = np.full(t, -np.inf), np.full(t, -np.inf), 0, False
    return Tested(question.known.copy(), np.zeros(m), np.full(m, -1), n, size, sets, *nothing)


def largest(found: Tested) -> Largest:
    """Its arrays, to be filled."""
    return Largest(*found[:8])


def size_limit(near: Lists, size: int, max_sets: int | None) -> Ints:
    """(d,) the largest set, at most ``size``, drawn from each list: no size up to it has more than ``max_sets`` sets."""
    return size_limits(near.first, size, np.inf if max_sets is None else float(max_sets))


@njit(cache=True)
def size_limits(first: AnyArray, size: int, max_sets: float) -> AnyArray:
    """The same of lists that begin at first (d + 1,); max_sets: inf for no limit."""
    limit = np.empty(first.size - 1, np.int64)
    for v in range(limit.size):
        length = first[v + 1] - first[v]
        limit[v] = min(length, size)
        within, sets = 0, 1.0
        while within < limit[v] and max_sets < np.inf:
            sets = sets * (length - within) / (within + 1)
            if sets > max_sets:
                limit[v] = within
            within += 1
    return limit


@njit(cache=True)
def repeated(x: int, y: int, members: AnyArray, near: Lists, limit: AnyArray) -> bool:
    """Is the set no set for this pair, holding y, or tested from y's side, being the smaller and drawing it as well?"""
    pool = near.member[near.first[y] : near.first[y + 1]]
    shared = y < x and members.size <= limit[y]
    for s in members:
        if s == y:
            return True
        if shared:
            place = np.searchsorted(pool, s)
            shared = place < pool.size and pool[place] == s
    return shared


@njit(cache=True)
def keep(row: int, value: float, free: int, used: int, members: AnyArray, middle: Lists, found: Largest) -> None:
    """Enter a test where it has the largest p-value of its pair so far, or of a middle's sets."""
    lo, hi = middle.first[row], middle.first[row + 1]
    weakness = found.weakness
    if lo == hi and weakness[row] > -np.inf and free <= found.df[row] and value >= found.statistic[row]:
        return  # fewer degrees of freedom and a larger statistic: the p-value cannot be larger
    if hi > lo and free == 0:
        return  # a table without degrees of freedom says nothing about colliders
    new = log_chi2_sf(value, free)
    if new > weakness[row] or weakness[row] == -np.inf:
        weakness[row], found.statistic[row], found.df[row], found.n[row] = new, value, free, used
        found.size[row] = members.size
        for p in range(members.size):
            found.sets[row, p] = members[p]
    for t in range(lo, hi):
        within = False
        for s in members:
            within |= s == middle.member[t]
        if within:
            found.inside[t] = max(found.inside[t], new)
        else:
            found.outside[t] = max(found.outside[t], new)
