"""Likelihood ratio test of the degenerate Gaussian: continuous columns and categories in one covariance matrix.

A column of k categories becomes k - 1 indicators, a *block*, rare ones as one (:mod:`causalnet.stats.coding`); the blocks
are treated as jointly Gaussian (Andrews, Ramsey and Cooper, KDD Workshop on Causal Discovery 2019). Given z, x and y are independent iff the determinants factor, and

    L = |S[x, y, z]| |S[z]| / (|S[x, z]| |S[y, z]|),  - (n - 1 - |B(z)| - (|B(x)| + |B(y)| + 1) / 2) ln L

is about chi-square with |B(x)| |B(y)| degrees of freedom; the factor, which is n as n grows, is Bartlett's (Anderson
2003, section 8.5) and keeps the level in small samples. With blocks of one column L is 1 - r^2, r the partial correlation.

A test with missing cells uses the rows that lack none of its variables, and their number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Ints
from .coding import Coded, code_blocks
from .independence import DEGENERATE

NOT_MADE = -1  # degrees of freedom of a test for which there are too few rows
FEWEST = 4  # rows that any test needs
FLAT = 1e-13  # of the variance over all rows this much among those of a test is rounding


class Blocks(NamedTuple):
    """Variables as blocks of columns. values: (n, D), each with mean 0 and variance 1 over the rows it has, 0 where
    missing. first: (d + 1,) the columns of variable v are first[v] .. first[v + 1]. present: (n, d) bool, or (0, 0) if
    nothing is missing; then second: (D, D) their covariance. fisher: all blocks have one column, and z is the statistic.
    """

    values: Array
    first: Ints
    present: Bools
    second: Array
    fisher: bool


def as_blocks(values: Array, discrete: Bools, missing: Bools | None, *, fisher: bool = False) -> Blocks:
    """values: (n, d), codes where discrete (d,) and of any value where missing (n, d)."""
    if missing is None:
        return _complete(code_blocks(values, discrete), fisher)
    seen = ~missing
    coded = code_blocks(np.where(seen, values, np.nan), discrete)
    there = ~np.isnan(coded.values)
    wide, count = np.where(there, coded.values, 0.0), there.sum(axis=0)
    wide = np.where(there, wide - wide.sum(axis=0) / count, 0.0)
    wide /= np.sqrt(np.maximum((wide**2).sum(axis=0) / count, np.finfo(float).tiny))
    if seen.all():
        return _complete(coded, fisher)
    return Blocks(np.ascontiguousarray(wide), coded.start, seen, np.zeros((0, 0)), fisher)


def _complete(coded: Coded, fisher: bool) -> Blocks:
    """The same of a table without gaps, whose rows are used up."""
    wide = coded.values
    wide -= wide.mean(axis=0)
    wide /= np.sqrt(np.maximum(np.einsum("ij,ij->j", wide, wide) / len(wide), np.finfo(float).tiny))
    return Blocks(wide, coded.start, np.zeros((0, 0), bool), wide.T @ wide / len(wide), fisher)


@njit(cache=True)
def likelihood_ratio(blocks: Blocks, x: int, y: int, z: AnyArray) -> tuple[float, int, int]:
    """(statistic, degrees of freedom, rows used). With ``fisher`` the statistic is z^2, df 1. (inf, 1, n) when z
    determines x or y, (0, 0, n) where x or y is constant; df is NOT_MADE when there are too few rows, or one of them is
    constant among those but not elsewhere."""
    first, none = blocks.first, np.int64(0)  # no literal: for each of those numba compiles anew
    q = none
    for v in z:
        q += first[v + 1] - first[v]
    wide_x, wide_y = first[x + 1] - first[x], first[y + 1] - first[y]
    column = np.empty(q + wide_x + wide_y, np.int64)
    at = 0
    for v in z:
        for c in range(first[v], first[v + 1]):
            column[at] = c
            at += 1
    for v in (x, y):
        for c in range(first[v], first[v + 1]):
            column[at] = c
            at += 1
    if blocks.present.size:
        moment, n = _moments(blocks, x, y, z, column)
    else:
        n = blocks.values.shape[0]
        moment = np.empty((column.size, column.size))
        for a in range(column.size):
            for b in range(column.size):
                moment[a, b] = blocks.second[column[a], column[b]]
    scale = np.diag(moment).copy()
    if n < FEWEST:
        return 0.0, NOT_MADE, n
    if not (scale[q : q + wide_x] > FLAT).any() or not (scale[q + wide_x :] > FLAT).any():
        return 0.0, NOT_MADE if _varies(blocks, x) and _varies(blocks, y) else 0, n
    rank_z = _eliminate(moment, scale, none, q)[0]
    if blocks.fisher:
        return _fisher(moment, scale, q, rank_z, n)
    rest = moment[q + wide_x :, q + wide_x :].copy()
    rank_y, before = _eliminate(rest, scale[q + wide_x :], none, wide_y)
    rank_x = _eliminate(moment, scale, q, q + wide_x)[0]
    factor = n - 1 - rank_z - 0.5 * (rank_x + rank_y + 1)
    if factor < 1.0:
        return 0.0, NOT_MADE, n
    if rank_x == 0 or rank_y == 0:
        return np.inf, 1, n
    after = moment[q + wide_x :, q + wide_x :].copy()
    rank, determinant = _eliminate(after, scale[q + wide_x :], none, wide_y)
    if rank < rank_y:  # x determines y given z
        return np.inf, rank_x * rank_y, n
    return max(factor * (before - determinant), 0.0), rank_x * rank_y, n


@njit(cache=True)
def _varies(blocks: Blocks, v: int) -> bool:
    """Has variable v more than one value in the rows that have it?"""
    return bool((blocks.values[:, blocks.first[v] : blocks.first[v + 1]] != 0.0).any())


@njit(cache=True)
def _fisher(moment: AnyArray, scale: AnyArray, q: int, rank_z: int, n: int) -> tuple[float, int, int]:
    """(z^2, 1, n): (n - |z| - 3) atanh^2 of the partial correlation."""
    if n - rank_z - 3 < 1:
        return 0.0, NOT_MADE, n
    if moment[q, q] <= DEGENERATE * scale[q] or moment[q + 1, q + 1] <= DEGENERATE * scale[q + 1]:
        return np.inf, 1, n
    r = min(abs(moment[q, q + 1]) / math.sqrt(moment[q, q] * moment[q + 1, q + 1]), 1.0 - 2.3e-16)
    return (n - rank_z - 3) * math.atanh(r) ** 2, 1, n


@njit(cache=True)
def _moments(blocks: Blocks, x: int, y: int, z: AnyArray, column: AnyArray) -> tuple[AnyArray, int]:
    """Covariance of the columns over the rows that have x, y and all of z, and how many those are."""
    m, n = column.size, 0
    total, moment = np.zeros(m), np.zeros((m, m))
    for r in range(blocks.values.shape[0]):
        there = blocks.present[r, x] and blocks.present[r, y]
        for v in z:
            there = there and blocks.present[r, v]
        if there:
            n += 1
            for a in range(m):
                value = blocks.values[r, column[a]]
                total[a] += value
                for b in range(a + 1):
                    moment[a, b] += value * blocks.values[r, column[b]]
    for a in range(m):
        for b in range(a + 1):
            moment[a, b] = moment[a, b] / max(n, 1) - total[a] / max(n, 1) * (total[b] / max(n, 1))
            moment[b, a] = moment[a, b]
    return moment, n


@njit(cache=True)
def _eliminate(moment: AnyArray, scale: AnyArray, lo: int, hi: int) -> tuple[int, float]:
    """Condition on columns lo .. hi, in place, those that others determine left out: (rank, log determinant)."""
    rank, log_det = 0, 0.0
    for k in range(lo, hi):
        pivot = moment[k, k]
        if pivot <= DEGENERATE * scale[k]:
            continue
        rank += 1
        log_det += math.log(pivot)
        for a in range(k + 1, moment.shape[0]):
            part = moment[a, k] / pivot
            for b in range(k + 1, moment.shape[0]):
                moment[a, b] -= part * moment[k, b]
    return rank, log_det
