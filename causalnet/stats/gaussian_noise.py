"""How far from Gaussian is a variable? Negentropy by two moments, and the test that both are those of a Gaussian.

The negentropy of a standardised u is what its entropy H lacks of a Gaussian's, (1 + log 2 pi) / 2. By maximum entropy,

    J(u) = K1 (E log cosh u - GAMMA)^2 + K2 (E u exp(-u^2 / 2))^2

(Hyvärinen, NIPS 1997), the first moment for heavy or light tails, the second for skewness: the approximation of
DirectLiNGAM's pairwise measure (Hyvärinen and Smith, JMLR 14, 2013, section 3). So the test below asks the very
moments by which directions are told.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..base.arrays import Array

K1, K2, GAMMA = 79.047, 7.4129, 0.37457
FAST = {"contract", "reassoc", "nsz", "arcp"}
BLOCK = 512  # factors below 2 whose product is finite
FAR = 40.0  # exp(-40) is nothing beside 1


def _spread() -> tuple[float, float, float]:
    """Of a standard normal u: E log cosh u, and the standard deviations of log cosh u and of u exp(-u^2 / 2) once what
    their means lose by standardising with the sample's own mean and variance is taken out, their regressions on
    u^2 and on u (trapezoidal rule: exact to rounding for such smooth integrands)."""
    u = np.linspace(-12.0, 12.0, 4801)
    weight = np.exp(-u * u / 2) / math.sqrt(2 * math.pi) * (u[1] - u[0])
    even = np.log(np.cosh(u))
    mean = float(weight @ even)
    even = even - mean - float(weight @ (even * (u * u - 1))) / 2 * (u * u - 1)
    odd = u * np.exp(-u * u / 2)
    odd = odd - float(weight @ (odd * u)) * u
    return mean, math.sqrt(weight @ even**2), math.sqrt(weight @ odd**2)


MEAN, EVEN, ODD = _spread()


def standardised_rows(values: Array) -> Array:
    """(d, n) columns of values (n, d) with mean 0 and variance 1, a row each, for kernels that go through one at a time."""
    rows = np.ascontiguousarray((values - values.mean(axis=0)).T)
    rows /= np.sqrt(np.mean(rows**2, axis=1))[:, None]
    return rows


@njit(cache=True, inline="always")
def _exp_minus(x: float) -> float:
    """exp(-x) for 0 <= x <= FAR to 13 digits: Taylor's sum at x / 256, squared eight times (loops over it vectorise)."""
    y = x * (-1.0 / 256.0)
    e = 1.0 + y * (1.0 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720))))))
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    e *= e
    return e * e


@njit(cache=True, fastmath=FAST)
def moments(u: Array) -> tuple[float, float]:
    """Means of log cosh u and of u exp(-u^2 / 2); u (n,).

    log cosh u = |u| + log(1 + exp(-2 |u|)) - log 2, the logarithms taken of products of BLOCK factors.
    """
    n = u.size
    size, logs, odd = 0.0, 0.0, 0.0
    for start in range(0, n, BLOCK):
        product = 1.0
        for i in range(start, min(start + BLOCK, n)):
            x = u[i]
            size += abs(x)
            product *= 1.0 + _exp_minus(min(2.0 * abs(x), FAR))
            odd += x * _exp_minus(min(0.5 * x * x, FAR))
        logs += math.log(product)
    return (size + logs) / n - math.log(2.0), odd / n


@njit(cache=True)
def negentropy(u: Array) -> float:
    """J(u) >= 0 of a standardised u (n,), zero for a Gaussian."""
    even, odd = moments(u)
    return K1 * (even - GAMMA) ** 2 + K2 * odd**2


def gaussianity(u: Array) -> float:
    """p-value of the hypothesis that a standardised u (n,) is Gaussian: exp(-z^2 / 2), z^2 the squared z-scores of the two
    moments, which are uncorrelated, so chi-square with two degrees of freedom where n is large."""
    even, odd = moments(u)
    return math.exp(-0.5 * u.size * (((even - MEAN) / EVEN) ** 2 + (odd / ODD) ** 2))
