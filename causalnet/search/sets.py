"""What a search by conditional independence asks at one level, and what it is told.

A *level* is every test of the given pairs given sets of one size, drawn from the neighbours of either member. A family
of tests answers it (:class:`Tests`): partial correlations, contingency tables, or one test at a time.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..stats.independence import log_chi2_sf


class Lists(NamedTuple):
    """A list for each of k owners: member[first[v] : first[v + 1]]. first: (k + 1,) int64; member: int64."""

    first: Ints
    member: Ints


class Question(NamedTuple):
    """Pairs to test given every set of ``size`` neighbours of either member.

    i, j: (m,) int64, the pairs. near: of each of d variables the neighbours that sets are drawn from, ascending. middle:
    of each pair the variables for which it matters whether they are in the set, t in all (none while a skeleton is
    sought). known: (m,) the weakness found so far, -inf for none; inside, outside: (t,) likewise, see :class:`Tested`.
    """

    size: int
    i: Ints
    j: Ints
    near: Lists
    middle: Lists
    known: Array
    inside: Array
    outside: Array


class Tested(NamedTuple):
    """The test with the largest p-value of each of m pairs, where that is larger than what was known.

    weakness: (m,), how weak the evidence against independence: grows with the p-value; what was known where no test of
    the level is weaker, and then the rest says nothing. statistic: (m,). df: (m,) int64, 0 where the test has none.
    n: (m,) int64, rows used. sets: (m, size) int32. inside, outside: (t,) largest weakness given a set with, and without,
    the middle. tests: how many were made. stopped: did the clock end the level early?
    """

    weakness: Array
    statistic: Array
    df: Ints
    n: Ints
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

    def level(self, question: Question, deadline: float) -> Tested:
        """Answer one level; deadline: time.monotonic."""


@njit(cache=True)
def lists(owner: AnyArray, member: AnyArray, count: int) -> Lists:
    """The members of each of ``count`` owners, in the order in which they come."""
    first = np.zeros(count + 1, np.int64)
    for v in owner:
        first[v + 1] += 1
    first = np.cumsum(first)
    fill, placed = first.copy(), np.empty(owner.size, np.int64)
    for k in range(owner.size):
        placed[fill[owner[k]]] = member[k]
        fill[owner[k]] += 1
    return Lists(first, placed)


@njit(cache=True)
def pairs_of(i: AnyArray, j: AnyArray, d: int) -> Lists:
    """Of each of d variables the numbers of the pairs it is in."""
    row = np.arange(i.size)
    return lists(np.concatenate((i, j)), np.concatenate((row, row)), d)


def either_way(i: Ints, j: Ints, d: int) -> Lists:
    """Of each variable the other members of its pairs, ascending when the pairs are sorted and i < j."""
    return lists(np.concatenate([j, i]), np.concatenate([i, j]), d)


def ask(size: int, i: Ints, j: Ints, near: Lists, known: Array) -> Question:
    """The question about these pairs (i < j), no middle watched."""
    return Question(size, i, j, near, Lists(np.zeros(len(i) + 1, np.int64), _NONE), known, known[:0], known[:0])


_NONE = np.zeros(0, np.int64)


def untested(question: Question) -> Tested:
    """An answer in which nothing is tested yet, to be filled."""
    m = len(question.i)
    known, inside, outside = (part.copy() for part in (question.known, question.inside, question.outside))
    sets = np.zeros((m, question.size), np.int32)
    return Tested(known, np.zeros(m), np.full(m, -1), np.zeros(m, np.int64), sets, inside, outside, 0, False)


def largest(found: Tested) -> Largest:
    """Its arrays, to be filled."""
    return Largest(*found[:5], found.inside, found.outside)


def within_budget(near: Lists, size: int, max_sets: int | None) -> tuple[Lists, Bools]:
    """The lists of those with at most ``max_sets`` sets of this size, the others emptied: (lists, (k,) bool which)."""
    length = np.diff(near.first)
    over = np.zeros(len(length), bool)
    if max_sets is None or math.comb(int(length.max(initial=0)), size) <= max_sets:
        return near, over
    for k in np.unique(length):
        over[length == k] = math.comb(int(k), size) > max_sets
    owner = np.repeat(np.arange(len(length)), length)
    return lists(owner[~over[owner]], near.member[~over[owner]], len(length)), over


@njit(cache=True)
def repeated(x: int, y: int, members: AnyArray, near: Lists) -> bool:
    """Is the set no set for this pair, holding y, or tested from y's side, being the smaller and having it all near?"""
    pool = near.member[near.first[y] : near.first[y + 1]]
    shared = y < x
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
    new = log_chi2_sf(value, free)
    if new > weakness[row] or weakness[row] == -np.inf:
        weakness[row], found.statistic[row], found.df[row], found.n[row] = new, value, free, used
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
