"""Randomised conditional independence test: random Fourier features in the place of kernels.

x and y are independent given z iff no function of x is correlated with a function of y once functions of z are taken
out. Functions are drawn from those that a Gaussian kernel spans, f(v) = sqrt(2) cos(w.v / s + b) with w normal, b
uniform on [0, 2 pi] and s the median distance of two rows (Rahimi and Recht, NeurIPS 2007), beside the variables
themselves; some of those of z are of one of its variables alone, since causes mostly add up. With R_x, R_y the residuals
of a few such functions of x and of y regressed on many of z, the statistic is n |cov(R_x, R_y)|_F^2; under
independence it is a sum of chi-squares weighted by the eigenvalues of the covariance of the products of residuals
(Strobl, Zhang and Visweswaran, J. Causal Inference 7, 2019), of which the first three moments are matched (Hall 1983;
Buckley and Eagleson 1988). z is not put among the functions of y as well (the paper's RCoT): so the test is symmetric,
and keeps its level better.

That statistic has its eye on every pair of functions, and little power for each. What causes mostly move is the mean, so
two F tests stand beside it: does the mean of y, given functions of z, follow functions of x, and that of x those of y?
The p-values are combined by Cauchy's law, which holds its level whatever their dependence (Liu and Xie, JASA 115, 2020).

What is drawn depends on the columns' content alone, not on their places, names, units or signs.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import pdist
from scipy.special import fdtrc, gammaincc

from ..base.arrays import Array, Bools, Ints

OWN, GIVEN = 10, 100  # functions of x and of y, and of z (at most a tenth of the rows)
MEAN = 5  # of those of x and of y, the first so many that a mean may follow
ROWS = 250  # rows that the median distance is taken from
ALONE = 5  # functions of each variable of z alone
SHARE = 6  # rows for each function of z, at least
RIDGE = 1e-8
KEEP = 1 << 27  # bytes of features kept for further tests
FLAT = 1e-6  # a share of variance up to which a residual is none
MOST_P = 0.99  # no p-value counts for more in a combination


class Features(NamedTuple):
    """phi: (n, k) centred functions of a set of variables; factor: Cholesky's of their Gram matrix plus a ridge."""

    phi: Array
    factor: tuple[Array, bool]


class Rcit:
    """p-values by RCIT; columns as :class:`.degenerate_gaussian.Blocks` has them. seed: (two) 64-bit words."""

    def __init__(self, values: Array, first: Sequence[int], present: Bools | None, seed: int) -> None:
        skew = np.sign(np.sum(values**3, axis=0))
        self.columns = [values[:, a:b] * np.where(skew[a:b] < 0, -1.0, 1.0) for a, b in pairwise(first)]
        self.present = present
        self.seed = seed
        self.keys = [_key(np.argsort(block, axis=0, kind="stable").astype(np.int64)) for block in self.columns]
        self.kept: OrderedDict[tuple[int, ...], Features] = OrderedDict()

    def __call__(self, x: int, y: int, z: tuple[int, ...]) -> float:
        """The chance of a statistic at least as large if x and y were independent given z."""
        rows: Bools | None = None if self.present is None else np.all(self.present[:, [x, y, *z]], axis=1)
        one, two = (self._features((v,), OWN, rows).phi for v in (x, y))
        n = len(one)
        if n < 2 * OWN + 3:
            return 1.0
        spent = 1
        if z:
            given = self._features(tuple(sorted(z, key=lambda v: self.keys[v])), GIVEN, rows)
            one, two = (f - given.phi @ cho_solve(given.factor, given.phi.T @ f) for f in (one, two))
            spent += given.phi.shape[1]
        wide = [self.columns[v].shape[1] for v in (x, y)]
        p = [_p_value(one, two)]
        for (of, own), (by, others) in (((two, wide[1]), (one, wide[0])), ((one, wide[0]), (two, wide[1]))):
            p += _mean_tests(of[:, :own], by[:, : others + MEAN], spent)
        return _combine(np.array(p))

    def _features(self, variables: tuple[int, ...], most: int, rows: Bools | None) -> Features:
        known = self.kept.get((*variables, most)) if rows is None else None
        if known is not None:
            self.kept.move_to_end((*variables, most))
            return known
        blocks = [self.columns[v][... if rows is None else rows] for v in variables]
        keys = [self.keys[v] for v in variables]
        phi = np.concatenate(self._drawn(blocks, keys, max(1, min(most, len(blocks[0]) // 10))), axis=1)
        phi -= phi.mean(axis=0)
        gram = phi.T @ phi
        found = Features(phi, cho_factor(gram + RIDGE * len(phi) * np.eye(len(gram))))
        if rows is None:
            self.kept[(*variables, most)] = found
            while len(self.kept) > max(2 * len(self.columns), KEEP // (phi.nbytes + 1)):
                self.kept.popitem(last=False)
        return found

    def _drawn(self, blocks: list[Array], keys: list[int], k: int) -> list[Array]:
        """The columns themselves, functions of each block alone where there are several, and k or fewer of all together."""
        found, m, n = list(blocks), len(blocks), len(blocks[0])
        alone = min(ALONE, (n // SHARE - m - k // 2) // m) if m > 1 else 0
        if alone > 0:
            found += [self._cosines([one], [key], alone, 2) for one, key in zip(blocks, keys, strict=True)]
            k = max(1, min(k, n // SHARE - m - alone * m))
        return [*found, self._cosines(blocks, keys, k, 1)]

    def _cosines(self, blocks: list[Array], keys: list[int], k: int, salt: int) -> Array:
        """(n, k) sqrt(2) cos(w.v / s + b)."""
        start = [[self.seed, key] if salt == 1 else [self.seed, salt, 0, key] for key in keys]
        weight = [
            np.random.default_rng(own).standard_normal((one.shape[1], k))
            for own, one in zip(start, blocks, strict=True)
        ]
        phase = np.random.default_rng([self.seed, salt, *keys]).uniform(0.0, 2.0 * math.pi, k)
        together = np.concatenate(blocks, axis=1)
        width = float(np.median(pdist(together[:ROWS]))) or 1.0
        return np.asarray(math.sqrt(2.0) * np.cos(together @ np.concatenate(weight) / width + phase))


def _key(order: Ints) -> int:
    return int.from_bytes(hashlib.sha256(order.tobytes()).digest()[:8], "little")


def _mean_tests(of: Array, by: Array, spent: int) -> list[float]:
    """p of the F test that the mean of each column of ``of`` (n, k) follows none of ``by`` (n, l), both residuals of
    functions that took ``spent`` degrees of freedom; 1 for a column of which nothing is left."""
    size, directions = np.linalg.eigh(by.T @ by)
    use = size > FLAT * len(by)
    df, rest = int(use.sum()), len(by) - spent - int(use.sum())
    total = (of**2).sum(axis=0)
    explained = ((of.T @ (by @ directions[:, use])) ** 2 / size[use]).sum(axis=1)
    if not df or rest < 2:
        return [1.0] * len(total)
    ratio = explained / df / np.maximum((total - explained) / rest, 1e-300)
    return np.where(total > FLAT * len(of), fdtrc(df, rest, ratio), 1.0).tolist()


def _combine(p: Array) -> float:
    """The p-value of a mean of Cauchy variables."""
    mean = float(np.mean(1.0 / np.tan(math.pi * np.clip(p, 1e-300, MOST_P))))
    return math.atan2(1.0, mean) / math.pi


def _p_value(one: Array, two: Array) -> float:
    """p of n |cov|^2 for residuals (n, k) and (n, l): the weighted chi-squares by their first three cumulants."""
    n = len(one)
    one, two = one - one.mean(axis=0), two - two.mean(axis=0)
    statistic = n * float(((one.T @ two / n) ** 2).sum())
    product = (one[:, :, None] * two[:, None, :]).reshape(n, -1)
    product -= product.mean(axis=0)
    spread = product.T @ product / n
    square = spread @ spread
    mean, variance = float(np.trace(spread)), 2.0 * float(np.trace(square))  # sums of powers of the eigenvalues
    third = 8.0 * float((square * spread).sum())
    if not third > 0.0:
        return 1.0
    shape = 4.0 * variance**3 / third**2  # of a gamma with that skewness
    place = shape + (statistic - mean) * math.sqrt(shape / variance)
    return float(gammaincc(shape, max(place, 0.0)))
