"""Searches that make one test at a time: blocks of columns, missing cells, and any function."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np
from numba import njit

from ..base.arrays import AnyArray
from ..base.clock import now
from ..stats.degenerate_gaussian import NOT_MADE, Blocks, likelihood_ratio
from .sets import ByLogarithm, Largest, Question, Tested, keep, largest, pairs_of, repeated, untested

ROWS_PER_LOOK = 1 << 18  # of tests made between two looks at the clock

Function = Callable[[int, int, tuple[int, ...]], float]


class LikelihoodRatio(ByLogarithm):
    """The test of the degenerate Gaussian, or Fisher's z with missing cells: each test with its own rows."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks
        self.most = len(blocks.values) - 4

    def answer(self, question: Question, deadline: float) -> Tested:
        """Largest p-value of every pair."""
        found = untested(question)
        made, stopped = _all_sets(self.blocks, question, largest(found), deadline)
        if self.blocks.fisher:  # z^2 is chi-square with one degree of freedom, told as z
            np.sqrt(found.statistic, out=found.statistic)
            found.df[:] = 0
        return found._replace(tests=made, stopped=stopped)


class AnyFunction(ByLogarithm):
    """p_value(x, y, z) with x < y and z ascending, asked once per pair and set. The statistic is the p-value."""

    def __init__(self, p_value: Function, d: int) -> None:
        self.p_value = p_value
        self.most = d
        self.known: dict[tuple[int, int, tuple[int, ...]], float] = {}

    def answer(self, question: Question, deadline: float) -> Tested:
        """Largest p-value of every pair; of equal ones the set that comes first."""
        found, made = untested(question), 0
        for row, (x, y) in enumerate(zip(question.i.tolist(), question.j.tolist(), strict=True)):
            for z in _sets(question, x, y):
                if (x, y, z) not in self.known:
                    if time.monotonic() > deadline:
                        return found._replace(tests=made, stopped=True)
                    self.known[x, y, z] = self.p_value(x, y, z)
                    made += 1
                p = self.known[x, y, z]
                weakness = math.log(max(p, 5e-324))
                if weakness > found.weakness[row]:
                    found.weakness[row], found.statistic[row], found.df[row], found.size[row] = weakness, p, 0, len(z)
                    found.sets[row, : len(z)] = z
                for t in range(question.middle.first[row], question.middle.first[row + 1]):
                    side = found.inside if question.middle.member[t] in z else found.outside
                    side[t] = max(side[t], weakness)
        return found._replace(tests=made)


def _sets(question: Question, x: int, y: int) -> list[tuple[int, ...]]:
    """The sets of a pair, small ones first."""
    drawn: set[tuple[int, ...]] = set()
    for v in (x, y):
        near = question.near.member[question.near.first[v] : question.near.first[v + 1]].tolist()
        side = [w for w in near if w not in (x, y)]
        for k in range(question.least, min(question.size, int(question.limit[v])) + 1):
            drawn.update(combinations(side, k))
    return sorted(drawn, key=lambda z: (len(z), z))


@njit(cache=True)
def _all_sets(blocks: Blocks, question: Question, found: Largest, deadline: float) -> tuple[int, bool]:
    """All sets of neighbours of every variable, small ones first, in lexicographic order: (tests, stopped)."""
    nears, pairs = question.near, pairs_of(question.i, question.j, blocks.first.size - 1)
    tests, read = 0, 0
    for x in range(blocks.first.size - 1):
        own = pairs.member[pairs.first[x] : pairs.first[x + 1]]
        near = nears.member[nears.first[x] : nears.first[x + 1]]
        for size in range(question.least, min(question.size, question.limit[x]) + 1 if own.size else 0):
            pick = np.arange(size)
            while True:
                members = near[pick]
                for row in own:
                    y = question.j[row] if question.i[row] == x else question.i[row]
                    read += max(blocks.values.shape[0], 1024)
                    if read > ROWS_PER_LOOK and deadline < np.inf:
                        read = 0
                        if now() > deadline:
                            return tests, True
                    if repeated(x, y, members, nears, question.limit):
                        continue
                    value, free, used = likelihood_ratio(blocks, question.i[row], question.j[row], members)
                    if free != NOT_MADE and value < np.inf:
                        tests += 1
                        keep(row, value, free, used, members, question.middle, found)
                if not _next(pick, near.size):
                    break
    return tests, False


@njit(cache=True)
def _next(pick: AnyArray, n: int) -> bool:
    """The next of the sets of pick.size out of n in lexicographic order, in place; False after the last."""
    place = pick.size - 1
    while place >= 0 and pick[place] == n - pick.size + place:
        place -= 1
    if place < 0:
        return False
    pick[place] += 1
    for k in range(place + 1, pick.size):
        pick[k] = pick[k - 1] + 1
    return True
