"""Effects of one variable on another, adjusted for others: a slope by least squares, a contrast by standardisation.

Slope. With a and y both freed of what the columns of z say of them (Frisch and Waugh 1933), b = a'y / a'a. Its variance is
robust to noise whose size depends on the regressors (HC3: MacKinnon and White 1985), h the leverages of the whole regression:

    b = a'y / a'a,    V(b) = sum a^2 (e / (1 - h))^2 / (a'a)^2

Contrast. E[y | do(a = t)] - E[y | do(a = s)], a a category, by the doubly robust mean of

    psi = m(t, z) - m(s, z) + [a = t] (y - m(t, z)) / e(t, z) - [a = s] (y - m(s, z)) / e(s, z)

(Robins, Rotnitzky and Zhao 1994), m the mean of y given a and z, and e the share of each a given z; its error is the
deviation of psi over sqrt(n).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints
from .coding import code_blocks

DETERMINED = 1e-8  # a share of variance no larger is none
LEAST = 1e-6  # of 1 - h: a row that the regression runs through says nothing of the noise


class Estimate(NamedTuple):
    """mean: the effect. error: its standard error. freedom: of Student's law, inf for the normal one. rows: used.
    thin: share of the rows whose like was never, or almost never, seen with one of the two values."""

    mean: float
    error: float
    freedom: float
    rows: int
    thin: float = 0.0

    def interval(self, level: float) -> tuple[float, float]:
        """mean -/+ t(freedom, (1 + level) / 2) error."""
        from scipy.special import ndtri, stdtrit

        high = (1 + level) / 2
        half = self.error * float(ndtri(high) if math.isinf(self.freedom) else stdtrit(self.freedom, high))
        return self.mean - half, self.mean + half


def slope(y: Array, a: Array, z: Array) -> Estimate | None:
    """Least squares of y (n,) on a (n,) and the columns of z (n, k); None where z determines a, or rows do not suffice."""
    n = len(y)
    base = _basis(np.column_stack([np.ones(n), z]))
    freedom = n - base.shape[1] - 1
    if freedom < 1:
        return None
    rest = a - base @ (base.T @ a)
    size = float(rest @ rest)
    if size <= DETERMINED * float(((a - a.mean()) ** 2).sum()):
        return None
    b = float(rest @ y) / size
    error = y - base @ (base.T @ y) - b * rest
    leverage = (base**2).sum(axis=1) + rest**2 / size
    spread = rest * error / np.maximum(1.0 - leverage, LEAST)
    return Estimate(b, float(np.sqrt(spread @ spread)) / size, float(freedom), n)


def slope_from_moments(covariance: Array, n: int) -> Estimate | None:
    """The same from a covariance over (y, a, z...), (k + 2, k + 2) divided by n: the error takes noise to be of one size."""
    freedom = n - len(covariance)
    scale = np.sqrt(np.diag(covariance))
    corr = covariance / np.outer(scale, scale)
    given = corr[2:, 2:]
    block = corr[:2, :2] - corr[:2, 2:] @ np.linalg.lstsq(given, corr[2:, :2], rcond=1e-10)[0]
    if freedom < 1 or block[1, 1] <= DETERMINED:
        return None
    b = block[0, 1] / block[1, 1]
    left = max(block[0, 0] - b * block[0, 1], 0.0)
    unit = scale[0] / scale[1]
    return Estimate(float(b * unit), float(unit * math.sqrt(left / block[1, 1] / freedom)), float(freedom), n)


def _basis(columns: Array) -> Array:
    """(n, rank) orthonormal columns that span those given."""
    scale = np.sqrt((columns**2).sum(axis=0))
    u, size, _ = np.linalg.svd(columns / np.where(scale > 0, scale, 1.0), full_matrices=False)
    return np.asarray(u[:, size > 1e-8 * size[0]])


def contrast(y: Array, a: Ints, start: int, end: int, z: Array, discrete: Bools) -> Estimate | None:
    """E[y | do(a = end)] - E[y | do(a = start)] of y (n,), a (n,) codes; z (n, k) the variables adjusted for, codes where
    ``discrete`` (k,). None where either value of a has fewer than two rows."""
    means, shares, thin = [], [], np.zeros(len(y), dtype=bool)
    for value in (start, end):
        arm = a == value
        if arm.sum() < 2:
            return None
        mean, share, few = (_by_strata if discrete.all() else _by_regression)(y, arm, z, discrete)
        means.append(mean)
        shares.append(share)
        thin |= few
    psi = means[1] - means[0]
    for sign, value, mean, share in zip((-1.0, 1.0), (start, end), means, shares, strict=True):
        psi = psi + sign * np.where(a == value, (y - mean) / share, 0.0)
    n = len(y)
    values = np.unique(y)
    size = 0.25 * float(values[-1] - values[0]) ** 2 if values.size == 2 else float(y.var())
    floor = size * sum(1.0 / np.sum(a == value) ** 2 for value in (start, end))  # a row could have gone either way
    error = math.sqrt(float(psi.var(ddof=1)) / n + floor)
    return Estimate(float(psi.mean()), error, math.inf, n, float(thin.mean()))


def _by_strata(y: Array, arm: Bools, z: Array, discrete: Bools) -> tuple[Array, Array, Bools]:
    """(n,) m and e of each row's stratum, from all of its rows but that one, and is the arm all but unseen there?

    Leaving the row out keeps m and e from fitting the noise that psi is made of. Strata lean, as if by a row, on the additive
    regression, so that those without another row get an answer at all.
    """
    mean, share, _ = _by_regression(y, arm, z, discrete)
    at = np.unique(z, axis=0, return_inverse=True)[1].ravel() if z.shape[1] else np.zeros(len(y), dtype=np.int64)
    own, total = np.where(arm, y, 0.0), np.bincount(at)[at]
    seen = np.bincount(at, arm)[at] - arm
    m = (np.bincount(at, own)[at] - own + mean) / (seen + 1.0)
    e = (seen + share) / total
    return m, e, seen < 1


def _by_regression(y: Array, arm: Bools, z: Array, discrete: Bools) -> tuple[Array, Array, Bools]:
    """(n,) m by least squares within the arm, e by logistic regression, both on the coded columns of z."""
    coded = code_blocks(z, discrete).values
    scale = coded.std(axis=0)
    coded = (coded - coded.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    design = np.column_stack([np.ones(len(y)), coded])
    own = design[arm]
    ridge = np.diag([0.0, *np.ones(coded.shape[1])])  # as if by a row
    mean = design @ np.linalg.solve(own.T @ own + ridge, own.T @ y[arm])
    share = np.clip(_logistic(design, arm, ridge), 1.0 / len(y), 1.0)
    return mean, share, share * len(y) < 2.0


def _logistic(design: Array, arm: Bools, ridge: Array, steps: int = 25) -> Array:
    """(n,) P(arm | design) by Newton's method for the penalised likelihood."""
    b = np.zeros(design.shape[1])
    rate = min(max(arm.mean(), 1e-9), 1 - 1e-9)
    b[0] = math.log(rate / (1 - rate))
    for _ in range(steps):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ b, -30, 30)))
        w = np.maximum(p * (1 - p), 1e-9)
        step = np.linalg.solve((design * w[:, None]).T @ design + ridge, design.T @ (arm - p) - ridge @ b)
        b += np.clip(step, -5.0, 5.0)
        if np.abs(step).max() < 1e-8:
            break
    return 1.0 / (1.0 + np.exp(-np.clip(design @ b, -30, 30)))
