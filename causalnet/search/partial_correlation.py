"""Fisher's z of many pairs at once, a level of a search or all of them in one compiled call."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.special import ndtr, ndtri

from ..base.arrays import AnyArray, Array, Ints
from .elimination import LARGEST_R, eliminate_sets
from .sets import Largest, Lists, Question, Tested, ask, largest, untested


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
            sizes, every = (max(question.least, 1), question.size), np.ones(len(question.i), bool)
            tests, stopped = eliminate_sets(self.rho, scale, question, sizes, every, largest(found), deadline)
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
