"""Skeleton in which x and y are joined iff no set of neighbours of x or of y separates them.

The stable variant of PC's first phase (Colombo and Maathuis 2014, "Order-independent constraint-based causal
structure learning"): at level k every pair still joined is tested given every set of k neighbours of either side,
with the neighbourhoods of the level's start; a pair is removed iff some p-value exceeds alpha.

*False discoveries* (Li and Wang, JMLR 10, 2009): instead of alpha itself the level's threshold is that of Benjamini and
Hochberg over the largest p-value so far of every pair tested, so that of the edges kept an expected share alpha at most
is false, as far as those p-values are valid and positively dependent.

*Budget*: sets are drawn from the neighbourhood of a variable up to the size of which it has more than ``max_sets``; which
pairs that concerned is told. So around a hub the large sets, whose tests are the weakest and which there are most of, are
left out.

*Memory*: a pair that the first level separates leaves its statistic, 8 bytes; only the others have a set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Codes, Ints
from .levels import enter_tests, plan_level
from .partial_correlation import PartialCorrelation
from .sets import Lists, Question, Tested, Tests, ask, largest

BLOCK = 1 << 20  # pairs tested at once given nothing


class Search(NamedTuple):
    """Where a search starts, and how far it goes. adj: (d, d) symmetric bool, the pairs to start from; fixed: (d, d)
    symmetric bool, kept without a test; max_size: largest conditioning set, None for all that d variables have;
    deadline: time.monotonic; max_sets: the most sets of one size that one neighbourhood may give, or it gives none of
    that size nor of larger ones, None for no limit; fdr: alpha is the rate of false discoveries."""

    adj: Bools
    fixed: Bools
    max_size: int | None = None
    deadline: float = math.inf
    max_sets: int | None = None
    fdr: bool = False


class Alone(NamedTuple):
    """Tests given nothing. statistic: (d (d - 1) / 2,) float64, i < j row by row, NaN where not tested; df, n: the same
    shape, or the one number that all of them have."""

    statistic: Array
    df: Codes | int
    n: Codes | int

    def of(self, i: Ints, j: Ints) -> tuple[Array, Ints, Ints]:
        """(statistic, df, n), each (k,), of pairs i < j."""
        d = (1 + math.isqrt(1 + 8 * len(self.statistic))) // 2
        k = _number(i, j, d)
        df, n = (np.full(len(k), a) if isinstance(a, int) else a[k].astype(np.int64) for a in (self.df, self.n))
        return self.statistic[k], df, n


@dataclass
class Weakest:
    """The test with the largest p-value so far of each of m pairs i < j: weakness (m,), -inf where none was made,
    statistic, df, n (m,); its set is members[start[k] : start[k] + size[k]]. partial: (m,) bool, were some sets left out
    for the budget?"""

    i: Ints
    j: Ints
    weakness: Array
    statistic: Array
    df: Ints
    n: Ints
    size: Ints
    start: Ints
    partial: Bools
    members: Codes

    def enter(self, at: Ints, found: Tested, partial: Bools) -> None:
        """Enter a level's tests of the pairs ``at`` where their p-values are larger."""
        kept = self.weakness, self.statistic, self.df, self.n, self.size, self.start, self.partial
        self.members = np.concatenate([self.members, enter_tests(kept, at, largest(found), partial, len(self.members))])

    def given(self, k: int) -> list[int]:
        """The set of a pair's test."""
        begin = self.start[k]
        members: list[int] = self.members[begin : begin + self.size[k]].tolist()
        return members

    def place(self, i: int, j: int) -> int:
        """Number of the pair i < j, or -1; the pairs must be sorted."""
        lo, hi = np.searchsorted(self.i, [i, i + 1])
        k = int(lo + np.searchsorted(self.j[lo:hi], j))
        return k if k < hi and self.j[k] == j else -1


def no_tests(i: Ints, j: Ints) -> Weakest:
    """A record of these pairs without a test."""
    m = len(i)
    df, n, size, start = np.zeros((4, m), np.int64)
    nothing = np.full(m, -np.inf), np.zeros(m), df, n, size, start, np.zeros(m, bool)
    return Weakest(i, j, *nothing, np.zeros(0, np.int32))


@dataclass(frozen=True)
class Skeleton:
    """adj: (d, d) symmetric bool. alone: the tests given nothing. weakest: of the pairs which those did not separate,
    sorted by (i, j), the test with the largest p-value; for a removed pair that separated it. tests: how many were made.
    depth: largest set size tried. bounded: would the next size have been too large for the rows? complete: False when
    the deadline cut the search short."""

    adj: Bools
    alone: Alone
    weakest: Weakest
    tests: int
    depth: int
    bounded: bool
    complete: bool


def find_skeleton(tests: Tests, alpha: float, search: Search) -> Skeleton:
    """Run the levels of the stable search."""
    d = len(search.adj)
    deepest = d - 2 if search.max_size is None else min(d - 2, search.max_size)
    max_sets = math.inf if search.max_sets is None else float(search.max_sets)
    if isinstance(tests, PartialCorrelation) and not search.fdr:
        found = tests.search(search.adj, search.fixed, deepest, max_sets, alpha, search.deadline)
        weakest = Weakest(found.i, found.j, *found.kept, found.members)
        return Skeleton(found.adj, Alone(found.statistic, 0, tests.n), weakest, *found.how)
    alone, weakest, made, reached = _first_level(tests, alpha, search)
    complete = reached == d
    i, j, weakness = weakest.i, weakest.j, weakest.weakness
    fixed = search.fixed[i, j]
    threshold = _Threshold(tests, alpha, int(np.isfinite(alone.statistic).sum()) if search.fdr else 0)
    joined = fixed | ~(weakness > threshold.of(weakness, ~fixed))
    k, bounded = 1, False
    while k <= deepest and complete:
        asked, a, b, near, limit, over = plan_level(k, i, j, joined, fixed, d, max_sets)
        if not len(asked):
            break
        if k > tests.most:
            bounded = True
            break
        if limit.max() < k:  # the budget leaves no set of this size, nor of any larger one
            weakest.partial[asked] |= over
            k = min(int(np.diff(near.first)[np.concatenate([a, b])].max()), deepest + 1, tests.most + 1)
            bounded = tests.most < k <= deepest
            break
        told = tests.answer(ask(k, a, b, near, limit, weakness[asked]), search.deadline)
        weakest.enter(asked, told, over)
        made, complete = made + told.tests, not told.stopped
        joined &= fixed | ~(weakness > threshold.of(weakness, joined & ~fixed))
        k += 1
    adj = np.zeros((d, d), bool)
    adj[reached:, reached:] = search.adj[reached:, reached:]
    adj[i[joined], j[joined]] = adj[j[joined], i[joined]] = True
    return Skeleton(adj, alone, weakest, made, k - 1, bounded, complete)


def _first_level(tests: Tests, alpha: float, search: Search) -> tuple[Alone, Weakest, int, int]:
    """Every pair given nothing, a block of rows of the matrix at a time, and those that it leaves joined; how many tests, and
    how many rows were begun before the deadline, d where it did not come. Of the pairs of the others no record is kept."""
    d = len(search.adj)
    step = max(1, BLOCK // d)
    wanted, limit = search.adj & ~search.fixed, tests.weakness_at(alpha)
    statistic, rest = np.full(d * (d - 1) // 2, np.nan), []
    same: list[tuple[Codes | int, Codes | int]] = []  # df and n of each block's tests
    made, reached = 0, d
    for lo in range(0, d - 1, step):
        hi = min(lo + step, d)
        i, j = _pairs(lo, hi, wanted)
        found = tests.answer(_given_nothing(i, j, d), search.deadline)
        made += found.tests
        statistic[_number(i, j, d)] = np.where(found.weakness > -np.inf, found.statistic, np.nan)
        same.append((_one(found.df), _one(found.n)))
        rest.append(_stay(lo, hi, search.adj, wanted, found.weakness, limit))
        if found.stopped:
            reached = min(hi, d - 1)
            break
    alone = Alone(statistic, *(_together([part[k] for part in same], wanted, step) for k in (0, 1)))
    i, j, weakness = (np.concatenate(part) for part in zip(*rest, strict=True)) if rest else (*_NONE, np.zeros(0))
    weakest = no_tests(i, j)
    weakest.weakness = weakness
    weakest.statistic, weakest.df, weakest.n = alone.of(i, j)
    return alone, weakest, made, reached


_NONE = np.zeros((2, 0), np.int64)


def _number(i: Ints, j: Ints, d: int) -> Ints:
    """The numbers of pairs i < j < d, row by row."""
    return i * (2 * d - i - 1) // 2 + j - i - 1


@njit(cache=True)
def _pairs(begin: int, end: int, wanted: Bools) -> tuple[Ints, Ints]:
    """The pairs i < j with begin <= i < end that are wanted, (d, d), row by row."""
    d, at = wanted.shape[0], 0
    m = (end - begin) * (d - 1) - (end * (end - 1) - begin * (begin - 1)) // 2
    i, j = np.empty(m, np.int64), np.empty(m, np.int64)
    for a in range(begin, end):
        for b in range(a + 1, d):
            if wanted[a, b]:
                i[at], j[at] = a, b
                at += 1
    return i[:at], j[:at]


@njit(cache=True)
def _stay(begin: int, end: int, adj: Bools, wanted: Bools, weakness: Array, limit: float) -> tuple[Ints, Ints, Array]:
    """The pairs of the same rows that stay joined, and their weakness, -inf where not tested. weakness: of the wanted
    pairs, in their order, as far as they were tested."""
    i, j, left, k = [0][:0], [0][:0], [0.0][:0], 0
    for a in range(begin, end):
        for b in range(a + 1, adj.shape[0]):
            own = -np.inf
            if wanted[a, b]:
                if k < weakness.size:
                    own = weakness[k]
                k += 1
            if adj[a, b] and not own > limit:
                i.append(a)
                j.append(b)
                left.append(own)
    return np.array(i, np.int64), np.array(j, np.int64), np.array(left)


def _given_nothing(i: Ints, j: Ints, d: int) -> Question:
    none = np.zeros(d + 1, np.int64)
    return ask(0, i, j, Lists(none, none[:0]), none[:-1], np.full(len(i), -np.inf))


def _one(values: Ints) -> Codes | int:
    """The one number that all values are, or they themselves in less memory."""
    if len(values) and (values == values[0]).all():
        return int(values[0])
    return values.astype(np.int32) if len(values) else 0


def _together(parts: list[Codes | int], wanted: Bools, step: int) -> Codes | int:
    """The numbers of all pairs, 0 where not wanted, or the one that all are. parts: of ``step`` rows each."""
    if all(isinstance(part, int) and part == parts[0] for part in parts):
        return int(parts[0]) if parts else 0
    d = len(wanted)
    whole = np.zeros(d * (d - 1) // 2, np.int32)
    for k, part in enumerate(parts):
        i, j = _pairs(k * step, min((k + 1) * step, d), wanted)
        whole[_number(i, j, d)] = part
    return whole


class _Threshold:
    """The weakness above which pairs are separated: that of p = alpha, or with ``total`` pairs tested for a
    false-discovery rate of the largest p_(k) <= alpha k / total (Benjamini and Hochberg, JRSS B 57, 1995)."""

    def __init__(self, tests: Tests, alpha: float, total: int) -> None:
        self.tests, self.alpha, self.total = tests, alpha, total
        self.fixed = tests.weakness_at(alpha)

    def of(self, weakness: Array, joined: Bools) -> float:
        """weakness: of all pairs; joined: those that are tested and not yet separated."""
        if not self.total:
            return self.fixed
        ranked = np.sort(weakness[joined])
        share = np.arange(1, len(ranked) + 1) / self.total
        passed = np.flatnonzero(self.tests.p_values(ranked) <= self.alpha * share)
        return float(ranked[passed[-1]]) if len(passed) else -math.inf
