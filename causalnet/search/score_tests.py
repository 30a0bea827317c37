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
    """The columns in use out of ``use`` (p,), and theta >= 0 of them.

    Those that come out negative leave, the most negative first.
    """
    while True:
        theta = np.linalg.solve(_ridged(gram, use), b[use])
        if len(use) == 0 or theta.min() >= 0:
            return use, np.maximum(theta, 0.0)
        use = np.delete(use, int(np.argmin(theta)))


def scores(gram: Array, b: Array, whole: Array, heard: Array, square: Array, use: Ints, theta: Array) -> Array:
    """(C,) z of each column of ``gram`` (C, C) on top of those in use; square (C,): sum of phi^2, inf: not tested.

    whole and heard (C,): G_aa and b_a with what was taken out of ``gram`` and ``b`` (C,) beforehand.
    """
    cross = np.linalg.solve(_ridged(gram, use), gram[use])
    remains = np.diag(gram) - (gram[use] * cross).sum(axis=0)
    left = np.clip(remains / np.maximum(whole, 1e-300), 0.0, 1.0)
    excess = b - theta @ gram[use]
    some = (left > LEAST_LEFT) & (heard > 0) & np.isfinite(square)
    weight = np.where(some, square, 1.0) / np.where(some, heard, 1.0)
    low = np.where(some, np.maximum(heard - excess, 1e-12) * left, 1.0)
    high = np.maximum(low + np.where(some, excess, 0.0), 0.0)
    nats = (high * np.log(np.maximum(high, 1e-300) / low) - (high - low)) / weight
    return np.where(some, np.sign(high - low) * np.sqrt(2.0 * np.maximum(nats, 0.0)), 0.0)


def _ridged(gram: Array, use: Ints) -> Array:
    h = gram[np.ix_(use, use)]
    return h + RIDGE * np.diag(np.diag(h))
