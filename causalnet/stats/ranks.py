"""Which of several methods is better: paired intervals, ranks over data sets, and how far apart ranks must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array
from ..errors import DataError
from .intervals import student_interval

FEWEST = 6  # paired runs from which the bootstrap alone can tell: below, all of one sign happens by chance in more than 1 of 32
BLOCKS = 6  # data sets from which ranks are compared


def paired_interval(
    differences: ArrayLike, rng: np.random.Generator | int = 0, reps: int = 2000
) -> tuple[float, float, float]:
    """Mean of paired differences (n,) and its 95 % interval; NaN limits of a single pair.

    From six pairs on the percentile bootstrap, its level widened to what Student's interval would have,
        alpha' / 2 = Phi(-sqrt(n / (n - 1)) t(n - 1, .975))
    (Hesterberg 2015, "expanded percentile"); Student's interval of fewer pairs, of which resamples say too little.
    """
    from scipy.special import ndtr, stdtrit

    x = np.asarray(differences, dtype=np.float64)
    n = len(x)
    if n < FEWEST:
        return student_interval(x)
    drawn = x[np.random.default_rng(rng).integers(n, size=(reps, n))].mean(axis=1)
    tail = float(ndtr(-math.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.975)))
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return float(x.mean()), float(low), float(high)


def nested_interval(
    groups: Sequence[ArrayLike], rng: np.random.Generator | int = 0, reps: int = 2000
) -> tuple[float, float, float]:
    """Mean over groups (data sets) of the mean of their paired differences (seeds), with its 95 % interval.

    Groups are drawn with replacement, then the differences within each; the level is widened as in ``paired_interval``.
    """
    from scipy.special import ndtr, stdtrit

    found = [np.asarray(group, dtype=np.float64) for group in groups]
    n = len(found)
    means = np.array([group.mean() for group in found])
    if n < FEWEST:
        return student_interval(means)
    rng = np.random.default_rng(rng)
    inner = np.stack([g[rng.integers(len(g), size=(reps, len(g)))].mean(axis=1) for g in found], axis=1)
    drawn = np.take_along_axis(inner, rng.integers(n, size=(reps, n)), axis=1).mean(axis=1)
    tail = float(ndtr(-math.sqrt(n / (n - 1)) * stdtrit(n - 1, 0.975)))
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return float(means.mean()), float(low), float(high)


def rank_each(values: ArrayLike) -> Array:
    """(blocks, k) ranks of each row, 1 for the greatest value; equals share the mean of their ranks."""
    from scipy.stats import rankdata

    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise DataError(f"ranks need a full table (data sets, methods) of finite numbers, got shape {x.shape}")
    found: Array = rankdata(-x, axis=1)
    return found


def compare_ranks(ranks: Array) -> tuple[float, float]:
    """Friedman's statistic with its correction for ties, and its p-value as Iman and Davenport's F (1980).

    ranks: (N blocks, k methods). Q = (k - 1) sum_j (R_j - N (k + 1) / 2)^2 / (sum of squared ranks - N k (k + 1)^2 / 4);
    F = (N - 1) Q / (N (k - 1) - Q) with k - 1 and (k - 1)(N - 1) degrees of freedom.
    """
    from scipy.special import fdtrc

    n, k = ranks.shape
    spread = float((ranks**2).sum()) - n * k * (k + 1) ** 2 / 4
    if spread <= 0:
        return 0.0, 1.0
    q = (k - 1) * float(((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2).sum()) / spread
    left = n * (k - 1) - q
    return q, 0.0 if left <= 1e-9 else float(fdtrc(k - 1, (k - 1) * (n - 1), (n - 1) * q / left))


@cache
def critical_difference(k: int, n: int, level: float = 0.95) -> float:
    """How far apart the mean ranks of two of k methods over n data sets must be (Nemenyi 1963; Demsar 2006).

    q sqrt(k (k + 1) / (6 n)), q the quantile of the studentised range of k over sqrt(2).
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(level, k, np.inf)) / math.sqrt(2.0)
    return q * math.sqrt(k * (k + 1) / (6.0 * n))


def find_groups(means: Sequence[float], apart: float) -> list[tuple[int, int]]:
    """Maximal runs (first, last) of methods, in ascending order of mean rank, that are less than ``apart`` apart."""
    found: list[tuple[int, int]] = []
    for first in range(len(means)):
        last = max(k for k in range(first, len(means)) if means[k] - means[first] <= apart)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found
