"""The covariance of columns with missing cells, by expectation-maximisation under a Gaussian (Dempster et al. 1977).

With O = S^-1, and m, o the missing and the observed cells of a row,

    E    E[x_m | x_o] = mu_m - O_mm^-1 O_mo (x_o - mu_o),  Cov[x_m | x_o] = O_mm^-1
    M    mu = mean of E[x | x_o],  S = mean of E[x | x_o] E[x | x_o]' + Cov[x_m | x_o] - mu mu'

until S stands still: the maximum of the likelihood of the observed cells, right where what is missing depends on
observed cells only (missing at random). Rows with the same cells missing share one factor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Ints

STEADY = 1e-4  # the largest change of a correlation in one step at which it stands still
STEPS = 100
PRIOR = 1e-6  # variances this much larger keep copies and sums of columns apart
CROWDED = 2.0  # rows for each column below which the E step leans on a shrunk covariance


class Estimate(NamedTuple):
    """mean: (m,). covariance: (m, m), maximum likelihood. steps: made. steady: did it stand still?"""

    mean: Array
    covariance: Array
    steps: int
    steady: bool


def estimate_covariance(values: Array, steps: int = STEPS) -> Estimate:
    """EM of mean and covariance of ``values`` (n, m), NaN where missing, each column observed in two unlike rows at least."""
    n, m = values.shape
    gone = np.isnan(values)
    centre = np.nanmean(values, axis=0)
    scale = np.nanstd(values, axis=0)
    x = np.where(gone, 0.0, (values - centre) / scale)
    if not gone.any():
        return Estimate(centre, (x.T @ x / n) * np.outer(scale, scale), 0, True)
    order, first = group_patterns(gone)
    x, gone = np.ascontiguousarray(x[order]), np.ascontiguousarray(gone[order])
    mean, cov = np.zeros(m), x.T @ x / n
    np.fill_diagonal(cov, 1.0)
    made, change = 0, np.inf
    while made < steps and change > STEADY:
        lean = shrinkage(x, cov) if n < CROWDED * m else 0.0
        precision = np.linalg.inv((1.0 - lean) * cov + (lean + PRIOR) * np.eye(m))
        spread = fill_rows(x, gone, first, mean, (precision + precision.T) / 2.0)
        mean = x.mean(axis=0)
        new = (x - mean).T @ (x - mean) / n + spread / n
        change = float(np.abs(new - cov).max())
        cov, made = new, made + 1
    return Estimate(centre + scale * mean, cov * np.outer(scale, scale), made, change <= STEADY)


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
