"""The covariance of columns with missing cells, by expectation-maximisation under a Gaussian (Dempster et al. 1977).

With O = S^-1, and m, o the missing and the observed cells of a row,

    E    E[x_m | x_o] = mu_m - O_mm^-1 O_mo (x_o - mu_o),  Cov[x_m | x_o] = O_mm^-1
    M    mu = mean of E[x | x_o],  S = mean of E[x | x_o] E[x | x_o]' + Cov[x_m | x_o] - mu mu'

until S stands still: the maximum of the likelihood of the observed cells, right where what is missing depends on
observed cells only (missing at random). Rows with the same cells missing share one factor.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Ints
from ..base.clock import now

STEADY = 1e-4  # the largest change of a correlation in one step at which it stands still
STEPS = 100
LEFT = 1e-3  # added to the variance that parents leave, so that an exact relation fills a gap without doubt being none
PRIOR = 1e-6  # variances this much larger keep copies and sums of columns apart
CROWDED = 2.0  # rows for each column below which the E step leans on a shrunk covariance


class Gaps(NamedTuple):
    """Rows sorted by which cells they lack. x: (n, m) standardised by what is observed, what is missing filled by the last
    step. gone: (n, m) bool. first: where each group of rows that lack the same cells starts, with n at the end."""

    x: Array
    gone: Bools
    first: Ints


def sort_gaps(values: Array) -> Gaps:
    """``values`` (n, m), NaN where missing, each column observed in two unlike rows at least; gaps hold the means."""
    gone = np.isnan(values)
    order, first = group_patterns(gone)
    scaled = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    return Gaps(np.where(gone, 0.0, scaled)[order], gone[order], first)


def estimate_covariance(gaps: Gaps, steps: int = STEPS, deadline: float = math.inf) -> tuple[Array, Array]:
    """EM of the mean (m,) and the covariance (m, m) of the standardised columns; fills the gaps. deadline: no step after it."""
    n, m = gaps.x.shape
    mean, cov = np.zeros(m), gaps.x.T @ gaps.x / n
    if not gaps.gone.any():
        return mean, cov
    np.fill_diagonal(cov, 1.0)
    for _ in range(steps):
        lean = shrinkage(gaps.x, cov) if n < CROWDED * m else 0.0
        old = cov
        mean, cov = take_step(gaps, mean, np.linalg.inv((1.0 - lean) * cov + (lean + PRIOR) * np.eye(m)))
        if np.abs(cov - old).max() <= STEADY or now() > deadline:
            break
    return mean, cov


def take_step(gaps: Gaps, mean: Array, precision: Array) -> tuple[Array, Array]:
    """Mean and covariance after one step of EM under N(mean, precision^-1); fills the gaps."""
    n = len(gaps.x)
    spread = fill_rows(gaps.x, gaps.gone, gaps.first, mean, (precision + precision.T) / 2.0)
    mean = gaps.x.mean(axis=0)
    return mean, (gaps.x - mean).T @ (gaps.x - mean) / n + spread / n


def graph_precision(cov: Array, start: Ints, dag: Bools) -> Array:
    """(m, m) the inverse of the covariance that a DAG of blocks implies, its regressions those of ``cov`` (m, m).

    x = B'x + e, so that precision = (1 - B) D^-1 (1 - B)', D the covariance of e, in blocks. start: (d + 1,), the columns
    of v are start[v] .. start[v + 1] - 1. dag: (d, d) bool.
    """
    unit, inner = np.eye(len(cov)), np.zeros_like(cov)
    for v in range(len(dag)):
        own = np.arange(start[v], start[v + 1])
        rest = cov[np.ix_(own, own)]
        given = np.concatenate([np.arange(start[p], start[p + 1]) for p in np.flatnonzero(dag[:, v])] or [own[:0]])
        if given.size:
            inside = cov[np.ix_(given, given)] + PRIOR * np.eye(given.size)
            slopes = np.linalg.solve(inside, cov[np.ix_(given, own)])
            unit[np.ix_(given, own)] = -slopes
            rest = rest - cov[np.ix_(own, given)] @ slopes
        inner[np.ix_(own, own)] = np.linalg.inv(rest + LEFT * np.eye(own.size))
    return np.asarray(unit @ inner @ unit.T)


def shrinkage(x: Array, cov: Array) -> float:
    """The weight of the unit matrix in the best convex mixture with ``cov`` (m, m) of ``x`` (n, m) (Ledoit and Wolf 2004)."""
    n, m = x.shape
    far = float(((cov - np.eye(m)) ** 2).sum())
    noise = float((((x**2).sum(axis=1) ** 2).mean() - (cov**2).sum()) / n)
    return min(1.0, max(0.0, noise) / far) if far > 0.0 else 0.0


def group_patterns(gone: Bools) -> tuple[Ints, Ints]:
    """Rows (n,) sorted by which of their cells (n, m) are missing, and where each group starts, with n at the end."""
    packed = np.packbits(gone, axis=1)
    order = np.lexsort(packed.T[::-1]).astype(np.int64)
    changed = (packed[order][1:] != packed[order][:-1]).any(axis=1)
    return order, np.concatenate([[0], np.flatnonzero(changed) + 1, [len(gone)]]).astype(np.int64)


@njit(cache=True)
def fill_rows(x: Array, gone: Bools, first: Ints, mean: Array, precision: Array) -> Array:
    """Put E[x_m | x_o] in the missing cells of x (n, m); returns the sum of their covariances (m, m)."""
    m = x.shape[1]
    spread = np.zeros((m, m))
    at = np.empty(m, np.int64)
    for g in range(first.size - 1):
        k = 0
        for j in range(m):
            if gone[first[g], j]:
                at[k] = j
                k += 1
        if k == 0:
            continue
        inner = np.empty((k, k))
        for a in range(k):
            for b in range(k):
                inner[a, b] = precision[at[a], at[b]]
        cov = np.linalg.inv(inner)
        for a in range(k):
            for b in range(k):
                spread[at[a], at[b]] += (first[g + 1] - first[g]) * cov[a, b]
        pull = np.empty(k)
        for i in range(first[g], first[g + 1]):
            for a in range(k):
                t = 0.0
                for j in range(m):
                    if not gone[i, j]:
                        t += precision[at[a], j] * (x[i, j] - mean[j])
                pull[a] = t
            for a in range(k):
                t = mean[at[a]]
                for b in range(k):
                    t -= cov[a, b] * pull[b]
                x[i, at[a]] = t
    return spread


def pair_counts(gone: AnyArray) -> Array:
    """(d, d) rows in which both of two columns are observed; gone: (n, d) bool."""
    there = (~gone).astype(np.float32)
    return np.asarray(there.T @ there, float)
