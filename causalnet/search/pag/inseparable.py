"""Pairs that no set can separate by Fisher's z, told without making all its tests.

Given I already, let c be the covariance of x and y, v_x and v_y their variances, a and b their covariances with the variables
R that may still join the set, M those of R. For S in R put p_S = a_S' M_S^-1 b_S and q_x(S) = a_S' M_S^-1 a_S, q_y(S) likewise, so
that c_S = c - p_S is the covariance given I and S. q_x, q_y and the same form of any t a + b / t grow with S, and

  4 p_S = q of (t a + b / t) - q of (t a - b / t),   so for all t   -(t^2 q_x + q_y / t^2 - 2 p) <= 4 p_S <= t^2 q_x + q_y / t^2 + 2 p

with q_x, q_y and p those of all of R. The best t makes both squares sqrt(q_x q_y), and since variances only fall,

  |r of x and y given I and S| >= (|2 c - p| - sqrt(q_x q_y)) / (2 sqrt(v_x v_y))   for every S in R.

Where that exceeds what the largest sets need to be significant, no set that holds I and else members of R separates. Where
not, a member of R is taken into I and left out of R in turn, first the one that ties x and y most: branch and bound, which
ends after a few nodes where an edge is clear. What it finds is what all the tests would, up to rounding.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Bools, Ints
from ...base.clock import now
from ..partial_correlation import PartialCorrelation
from ..sets import Lists

NODES = 1000  # after which a pair is left to the tests
TINY = 1e-8  # share of a variance below which rounding may decide


def find_inseparable(
    tests: PartialCorrelation,
    pairs: tuple[Ints, Ints],
    near: Lists,
    limit: Ints,
    most: int,
    alpha: float,
    deadline: float,
) -> tuple[Bools, int]:
    """Which of the pairs, i and j (m,), no set out of the list of either separates at the level alpha, whatever its size up to
    ``most``; False also where that is not worth finding out, or not clear. And how many tests were made.

    limit: (d,) the sizes that the tests would go to: where they are few, they are left to do it.
    """
    apart_at = -tests.weakness_at(alpha)
    return _indivisible(tests.rho, tests.n, *pairs, near, limit, most, apart_at, deadline)


@njit(cache=True)
def _indivisible(
    rho: AnyArray,
    n: int,
    i: AnyArray,
    j: AnyArray,
    near: Lists,
    limit: AnyArray,
    most: int,
    apart_at: float,
    deadline: float,
) -> tuple[AnyArray, int]:
    found, made, widest = np.zeros(i.size, np.bool_), 0, 0
    gain, worth = np.empty(limit.size), np.zeros(i.size, np.bool_)
    for x in range(limit.size):
        gain[x] = _spared(near.first[x + 1] - near.first[x] - 1, limit[x])
    for k in range(i.size):
        worth[k] = gain[i[k]] + gain[j[k]] > 0.0
        for x in (i[k], j[k]):
            widest = max(widest, near.first[x + 1] - near.first[x] if worth[k] else 0)
    stack = np.empty((widest + 2, widest + 2, widest + 2))
    for k in range(i.size):
        if not worth[k] or (deadline < np.inf and now() > deadline):
            continue
        found[k] = True
        for x, y in ((i[k], j[k]), (j[k], i[k])):
            pool = near.member[near.first[x] : near.first[x + 1]]
            if found[k] and pool.size:
                found[k], nodes = _never(rho, n, x, y, pool, most, apart_at, stack)
                made += nodes
    return found, made


@njit(cache=True)
def _spared(many: int, size: int) -> float:
    """How many sets of up to ``size`` out of ``many`` there are, less those that take as long as a few factors of a matrix."""
    sets, level = 0.0, 1.0
    for s in range(size):
        level *= (many - s) / (s + 1)
        sets += level
    return sets - 8.0 - many**3 / 4.0


@njit(cache=True)
def _never(
    rho: AnyArray, n: int, x: int, y: int, pool: AnyArray, most: int, apart_at: float, stack: AnyArray
) -> tuple[bool, int]:
    """Does no set out of the pool separate x and y? And the nodes that it took. stack: room for the covariances of the nodes."""
    members = np.concatenate((np.array([x, y]), pool[pool != y]))
    k = members.size
    rest = np.empty((k, k), np.int64)  # of each node on the stack the places of R
    left, inside, fresh = np.empty(k, np.int64), np.zeros(k, np.int64), np.zeros(k, np.bool_)
    for a in range(k):
        rest[0, a] = a + 2
        for b in range(k):
            stack[0, a, b] = rho[members[a], members[b]]
    left[0], top, nodes = k - 2, np.int64(0), 0  # no literal: for each of those numba compiles anew
    factor = np.empty((k, k))
    while top >= 0:
        nodes += 1
        cov, size = stack[top], inside[top]
        spread = cov[0, 0] * cov[1, 1]
        if nodes > NODES or cov[0, 0] < TINY or cov[1, 1] < TINY:
            return False, nodes
        r = min(abs(cov[0, 1]) / math.sqrt(spread), 1.0 - TINY)
        if fresh[top] and math.sqrt(n - size - 3) * math.atanh(r) < apart_at:
            return False, nodes  # I separates
        largest = min(size + left[top], most)
        if largest == size:
            top -= 1
            continue
        bound = _least(cov, rest[top, : left[top]], factor)
        if math.isnan(bound):
            return False, nodes
        if bound > 2.0 * math.sqrt(spread) * (math.tanh(apart_at / math.sqrt(n - largest - 3)) + TINY):
            top -= 1
            continue
        _split(stack, rest, left, top, k)
        inside[top + 1], fresh[top], fresh[top + 1] = size + 1, False, True
        top += 1
    return True, nodes


@njit(cache=True)
def _least(cov: AnyArray, rest: AnyArray, factor: AnyArray) -> float:
    """|2 c - p| - sqrt(q_x q_y) of x and y, the first two, and the rest; NaN where M is singular. factor: filled, M = L L',
    and beside it L^-1 a and L^-1 b, whose products are p and the q."""
    r, q_x, q_y, p = rest.size, 0.0, 0.0, 0.0
    for s in range(r):
        for t in range(s + 1):
            value = cov[rest[s], rest[t]]
            for m in range(t):
                value -= factor[s, m] * factor[t, m]
            if t < s:
                factor[s, t] = value / factor[t, t]
            elif value < TINY:
                return np.nan
            else:
                factor[s, s] = math.sqrt(value)
        for v in range(2):
            value = cov[v, rest[s]]
            for m in range(s):
                value -= factor[s, m] * factor[m, r + v]
            factor[s, r + v] = value / factor[s, s]
        of_x, of_y = factor[s, r], factor[s, r + 1]
        q_x, q_y, p = q_x + of_x * of_x, q_y + of_y * of_y, p + of_x * of_y
    return abs(2.0 * cov[0, 1] - p) - math.sqrt(q_x * q_y)


@njit(cache=True)
def _split(stack: AnyArray, rest: AnyArray, left: AnyArray, top: int, k: int) -> None:
    """Put the node with the member that ties x and y most in its set above the node without it."""
    cov, most, at = stack[top], -1.0, 0
    for s in range(left[top]):
        m = rest[top, s]
        tie = abs(cov[0, m] * cov[1, m]) / cov[m, m]
        if tie > most:
            most, at = tie, s
    m = rest[top, at]
    left[top] -= 1
    for s in range(at, left[top]):
        rest[top, s] = rest[top, s + 1]
    left[top + 1] = left[top]
    rest[top + 1, : left[top]] = rest[top, : left[top]]
    for a in range(k):
        share = cov[a, m] / cov[m, m]
        for b in range(k):
            stack[top + 1, a, b] = cov[a, b] - share * cov[m, b]
