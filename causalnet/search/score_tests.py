"""Least squares over non-negative columns by their sums, and the score test of a further column, as a Poisson count.

With theta = argmin theta . G theta - 2 b . theta over the columns S, a further column a of ``expected`` E = G_aS theta
and seen b_a is tested as counts are that have the weights phi_a: divided by w = sum phi_a^2 / sum phi_a they have the
mean and the variance of a Poisson law, E / w against b_a / w. What S leaves of a, the share 1 - G_aS G_SS^-1 G_Sa / G_aa
of its expected count, bears the excess s = b_a - E alone, so

    z^2 / 2 = ((E' + s) log((E' + s) / E') - s) / w        E' = left E

the deviance of a Poisson count (McCullagh, Nelder, Generalized Linear Models, 1989), with the sign of s. A few effects
where next to none are expected are many deviations then, as they are by likelihood.
"""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Ints

RIDGE = 1e-9
LEAST_LEFT = 1e-6  # of a column: less is not told from the others


def fit_columns(gram: Array, b: Array, use: Ints) -> tuple[Ints, Array]:
    """The columns in use out of ``use`` (p,), the first always, and theta >= 0 of them.

    Those that come out negative leave, the most negative first.
    """
    while True:
        theta = np.linalg.solve(_ridged(gram, use), b[use])
        if len(use) <= 1 or theta[1:].min() >= 0:
            return use, np.maximum(theta, 1e-12)
        use = np.delete(use, 1 + int(np.argmin(theta[1:])))


def scores(gram: Array, b: Array, square: Array, use: Ints, theta: Array) -> Array:
    """(C,) z of each column of ``gram`` (C, C) on top of those in use; square (C,): sum of phi^2, inf: not tested."""
    cross = np.linalg.solve(_ridged(gram, use), gram[use])
    left = np.clip(1.0 - (gram[use] * cross).sum(axis=0) / np.maximum(np.diag(gram), 1e-300), 0.0, 1.0)
    expected = np.maximum(theta @ gram[use], 1e-12)
    some = (left > LEAST_LEFT) & (b > 0) & np.isfinite(square)
    weight = np.where(some, square, 1.0) / np.where(some, b, 1.0)
    low = np.where(some, expected * left, 1.0)
    high = np.maximum(low + np.where(some, b - expected, 0.0), 0.0)
    nats = (high * np.log(np.maximum(high, 1e-300) / low) - (high - low)) / weight
    return np.where(some, np.sign(high - low) * np.sqrt(2.0 * np.maximum(nats, 0.0)), 0.0)


def _ridged(gram: Array, use: Ints) -> Array:
    h = gram[np.ix_(use, use)]
    return h + RIDGE * np.diag(np.diag(h))
