"""Conditional Gaussian score of mixed tables: numbers are jointly Gaussian within each configuration of the categories.

The likelihood of a set S of variables, D its categories and C its numbers, is that of D times, for each configuration j of D, the
marginal likelihood m(C, j) of its n_j rows of k numbers under a normal law whose mean and covariance have the conjugate
(normal-inverse Wishart) prior of mean 0, T = t 1, mean weight 1 and a + k - 1 degrees of freedom:

    ln m = -n_j k / 2 ln pi + k / 2 ln 1 / (1 + n_j) + sum_(i < k) ln G((a + i + n_j) / 2) / G((a + i) / 2)
           + (a + k - 1) k / 2 ln t - (a + k - 1 + n_j) / 2 ln det (T + sum x x' - n_j^2 / (1 + n_j) mean mean')

G the gamma function (Geiger and Heckerman, Annals of Statistics 30, 2002). Then

    f(v | P) = -2 [ln m(C_P + v, .) - ln m(C_P, .)] summed over configurations of D_P          v a number
    f(v | P) = fNML(v | D_P) - 2 [sum_jk ln m(C_P, jk) - sum_j ln m(C_P, j)]                   v a category of states k

and price |P|. So a category may change means, variances and slopes of numbers, and numbers tell categories as in quadratic
discriminant analysis (Andrews, Ramsey and Cooper, International Journal of Data Science and Analytics 6, 2018, with BIC).
The prior keeps configurations of few rows from saying much. Numbers are scaled to mean 0 and variance 1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Bools, Ints
from .contract import INNER
from .counting import LARGEST, Counts

FREEDOM, SPREAD = 2, 1.0  # a and t of the prior


class Numbers(NamedTuple):
    """The numbers of a mixed table, and work. values: (d, n) scaled, 0 where categories. numeric: (d,) bool. gammas: (m,) ln G(i / 2). rows: (n,) the rows by cell; first: (cells,) where those of each cell end. member: (2, d)
    the parents, and the numbers among them and the variable. moment: (3, k + 1, k) sums of products and, in row k, sums."""

    values: Array
    numeric: Bools
    gammas: Array
    rows: Ints
    first: Ints
    member: Ints
    moment: Array


def scale_numbers(values: Array, discrete: Bools, most: int) -> Numbers:
    """values: (n, d), anything where discrete (d,). most: parents of a variable."""
    n, d = values.shape
    numbers = np.where(discrete, 0.0, values - values.mean(axis=0))
    numbers /= np.where(discrete, 1.0, numbers.std(axis=0))
    k = min(most + 1, int((~discrete).sum()))
    return Numbers(
        np.ascontiguousarray(numbers.T),
        ~discrete,
        np.array([math.lgamma(max(i, 1) / 2.0) for i in range(n + d + FREEDOM + 1)]),
        np.zeros(n, np.int64),
        np.zeros(max(n, LARGEST), np.int64),
        np.zeros((2, d), np.int64),
        np.zeros((3, k + 1, k)),
    )


@njit(**INNER)
def list_parents(numbers: Numbers, v: int, held: AnyArray, x: int) -> tuple[int, int]:
    """member: the parents ``held`` with x, or without it where it is among them, or as they are where x is -1; how many, and how
    many numbers there are among them and v, which comes last."""
    member, numeric, size, k = numbers.member, numbers.numeric, 0, 0
    more = x >= 0
    for p in held:
        if p == x:
            more = False
        else:
            member[0, size] = p
            size += 1
    if more:
        member[0, size] = x
        size += 1
    for i in range(1, size):  # in order, so that equal sets have equal sums
        p, at = member[0, i], i
        while at > 0 and member[0, at - 1] > p:
            member[0, at] = member[0, at - 1]
            at -= 1
        member[0, at] = p
    for i in range(size):
        if numeric[member[0, i]]:
            member[1, k] = member[0, i]
            k += 1
    if numeric[v]:
        member[1, k] = v
        k += 1
    return size, k


@njit(**INNER)
def _law(numbers: Numbers, n: int, k: int, logdet: float) -> float:
    """ln m of k numbers in n rows, logdet of the matrix above."""
    total, gammas, a = 0.0, numbers.gammas, FREEDOM
    for i in range(k):
        total += gammas[a + i + n] - gammas[a + i]
    total -= 0.5 * k * (n * math.log(math.pi) + math.log(1.0 + n))
    return total + 0.5 * (a + k - 1) * (k * math.log(SPREAD) - logdet) - 0.5 * n * logdet


@njit(**INNER)
def _marginal(numbers: Numbers, sums: AnyArray, n: int, k: int, last: bool) -> float:
    """ln m of k numbers in the n rows whose ``sums`` (row k) and sums of products are those of moment; with ``last`` less that
    of all but the last number."""
    work = numbers.moment[2]
    if n == 0 or k == 0:
        return 0.0
    logdet, before = 0.0, 0.0
    for i in range(k):
        before = logdet
        for j in range(i + 1):
            t = sums[i, j] - sums[k, i] * sums[k, j] / (1.0 + n)
            for h in range(j):
                t -= work[i, h] * work[j, h]
            if i == j:
                t += SPREAD
                logdet += math.log(t)
                work[i, i] = math.sqrt(t)
            else:
                work[i, j] = t / work[j, j]
    return _law(numbers, n, k, logdet) - (_law(numbers, n, k - 1, before) if last else 0.0)


@njit(**INNER)
def _gather(numbers: Numbers, begin: int, end: int, k: int) -> None:
    """moment[0]: sums and sums of products of the k numbers in rows[begin:end]."""
    sums, values, member, rows = numbers.moment[0], numbers.values, numbers.member[1], numbers.rows
    for i in range(k):
        own, total = values[member[i]], 0.0
        for p in range(begin, end):
            total += own[rows[p]]
        sums[k, i] = total
        for j in range(i + 1):
            other, total = values[member[j]], 0.0
            for p in range(begin, end):
                total += own[rows[p]] * other[rows[p]]
            sums[i, j] = total


@njit(**INNER)
def normal_part(numbers: Numbers, counts: Counts, v: int, r: int, strata: int, k: int) -> float:
    """What the k numbers listed add to ln p(v | P), over strata of r cells each; v is the last of them if it is a number."""
    first, rows, moment = numbers.first, numbers.rows, numbers.moment
    at = 0
    for c in range(strata * r):
        first[c] = at
        at += counts.size[c]
    for p in range(counts.cell.size):
        c = counts.cell[p]
        rows[first[c]] = p
        first[c] += 1
    total, end = 0.0, np.int64(0)  # no literal: for each of those numba compiles anew
    for t in range(strata):
        n_t = np.int64(0)
        moment[1, : k + 1] = 0.0
        for c in range(t * r, t * r + r):
            n = counts.size[c]
            if n == 0:
                continue
            _gather(numbers, end, end + n, k)
            end += n
            n_t += n
            total += _marginal(numbers, moment[0], n, k, numbers.numeric[v])
            for i in range(k + 1):
                for j in range(min(i + 1, k)):
                    moment[1, i, j] += moment[0, i, j]
        if not numbers.numeric[v]:
            total -= _marginal(numbers, moment[1], n_t, k, numbers.numeric[v])
    return total
