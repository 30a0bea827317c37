"""Covariances within regimes, and the local score of a variable on the rows in which it was left alone."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints

SINGULAR = 1e-9  # a share of variance no larger is none


class Moments(NamedTuple):
    """Of r regimes and d variables. n: (r,) rows. mean: (r, d). scatter: (r, d, d) sums of products about the regime's own means."""

    n: Array
    mean: Array
    scatter: Array


class Pooled(NamedTuple):
    """corr: (g, d, d) correlations within regimes, one for each distinct set of regimes that count for a variable; a column
    that never varies in them is uncorrelated. group: (d,) which of them is a variable's own. n: (d,) the rows that count
    for it; regimes: (d,) in how many regimes. near: (d, d) the correlations within all regimes."""

    corr: Array
    group: Ints
    n: Array
    regimes: Ints
    near: Array


def sum_regimes(values: Array, rows: list[Ints]) -> Moments:
    """The sufficient statistics of values (n, d) whose regimes have the given rows."""
    parts = [values[own] for own in rows]
    mean = np.array([part.mean(axis=0) for part in parts])
    centred = (part - m for part, m in zip(parts, mean, strict=True))
    return Moments(np.array([float(len(part)) for part in parts]), mean, np.array([c.T @ c for c in centred]))


def pool(moments: Moments, acted: Bools) -> Pooled:
    """Each variable's rows are those of the regimes that do not act on it; acted: (r, d). Centred *within* each regime:

        S_v = sum_{k: v not in T_k} scatter_k / n_v,     n_v = sum_{k: v not in T_k} n_k

    since pooling without an intercept for each regime turns every shift into edges.
    """
    left, group = np.unique(~acted.T, axis=0, return_inverse=True)  # (g, r) distinct sets of regimes
    corr = np.array([correlate_some(np.tensordot(own.astype(float), moments.scatter, 1)) for own in left])
    n = (left @ moments.n)[group]
    return Pooled(
        corr, group.ravel().astype(np.int64), n, left.sum(axis=1)[group], correlate_some(moments.scatter.sum(0))
    )


def correlate_some(products: Array) -> Array:
    """(d, d) correlations from sums of products about means; a column that does not vary has none with others."""
    variance = products.diagonal()
    still = variance <= 0.0
    scale = 1.0 / np.sqrt(np.where(still, 1.0, variance))
    corr = np.clip(products * scale * scale[:, None], -1.0, 1.0)
    corr[still] = corr[:, still] = 0.0
    np.fill_diagonal(corr, 1.0)
    return np.asarray(corr)


class RegimeLocal(NamedTuple):
    """f(v | parents) = n_v ln s2_v(v | parents) + price |parents|, straight from its definition; n: (d,) the factors n_v."""

    corr: Array
    group: Ints
    n: Array
    price: float

    def __call__(self, v: int, parents: Ints) -> float:
        corr, s2 = self.corr[self.group[v]], 1.0
        if len(parents):
            inverse = np.linalg.pinv(corr[np.ix_(parents, parents)], SINGULAR, hermitian=True)
            s2 -= float(corr[v, parents] @ inverse @ corr[parents, v])
        return float(self.n[v]) * math.log(max(s2, SINGULAR)) + self.price * len(parents)
