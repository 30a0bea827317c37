"""Least squares over non-negative columns by their sums, and the score test of further columns, as Poisson counts.

With theta = argmin theta . G theta - 2 b . theta over the columns S, a further column a of ``expected`` E = G_aS theta
and seen b_a is tested as counts are that have the weights phi_a: divided by w = sum phi_a^2 / sum phi_a they have the
mean and the variance of a Poisson law, E / w against b_a / w. What S leaves of a, the share 1 - G_aS G_SS^-1 G_Sa / G_aa
of its expected count, bears the excess s = b_a - E alone, so

    z^2 / 2 = ((E' + s) log((E' + s) / E') - s) / w        E' = left E

the deviance of a Poisson count (McCullagh, Nelder, Generalized Linear Models, 1989), with the sign of s. A few effects
where next to none are expected are many deviations then, as they are by likelihood. So that the last trace of a kernel
is no such effect, w is int phi_a^2 / int phi_a at least, which is what chance makes of it, and E a LEAST of what
chance alone would bring.

Columns of one cause are tested together: the largest z, and what the others add once it is there, where positive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints

RIDGE = 1e-9
LEAST_LEFT = 1e-6  # of a column: less is not told from the others
LEAST = 0.1  # of what chance brings is expected
CLOSEST = 0.99  # correlation of columns of one cause


class Tested(NamedTuple):
    """What tests take beside G and b (C,), from which the means may have been taken out: the diagonal of G and b with
    them, the sum of phi^2 over the events (inf: not tested), and int phi."""

    whole: Array
    heard: Array
    square: Array
    ground: Array


def fit_columns(gram: Array, b: Array, use: Ints) -> tuple[Ints, Array]:
    """The columns in use out of ``use`` (p,), and theta >= 0 of them.

    Those that come out negative leave, the most negative first.
    """
    while True:
        theta = np.linalg.solve(_ridged(gram, use), b[use])
        if len(use) == 0 or theta.min() >= 0:
            return use, np.maximum(theta, 0.0)
        use = np.delete(use, int(np.argmin(theta)))


class Counted(NamedTuple):
    """Columns (C,) as counts beside a fit: what chance brings, the excess, what theta = 1 would bring; 1, 0, 0 where nothing is told.

    alike: (V, K, K) correlation of the columns of one cause beside the fit.
    """

    chance: Array
    excess: Array
    felt: Array
    told: Bools
    alike: Array


def counted(gram: Array, b: Array, tested: Tested, use: Ints, theta: Array, size: int) -> Counted:
    """What the columns of ``gram`` (C, C), ``size`` of each cause, have seen on top of the columns in use."""
    whole, heard, square, ground = tested
    cross = np.linalg.solve(_ridged(gram, use), gram[use])
    v, by = len(gram) // size, (len(use), len(gram) // size, size)
    remains = np.einsum("vkvl->vkl", gram.reshape(v, size, v, size))
    remains = remains - np.einsum("uvk,uvl->vkl", gram[use].reshape(by), cross.reshape(by))
    alone = np.maximum(np.einsum("vkk->vk", remains), 1e-150)
    left = np.clip(alone.ravel() / np.maximum(whole, 1e-300), 0.0, 1.0)
    excess = b - theta @ gram[use]
    told = (left > LEAST_LEFT) & (heard > 0) & np.isfinite(square)
    weight = np.where(told, np.maximum(square / np.where(told, heard, 1.0), whole / np.maximum(ground, 1e-300)), 1.0)
    expected = np.maximum(heard - excess, np.maximum(LEAST * (heard - b), 1e-12))
    chance, excess = np.where(told, expected * left, 1.0), np.where(told, excess, 0.0)
    felt = np.where(told, left * whole, 0.0)
    alike = remains / np.sqrt(alone[:, :, None] * alone[:, None, :])
    return Counted(chance / weight, excess / weight, felt / weight, told, alike)


def scores(gram: Array, b: Array, tested: Tested, use: Ints, theta: Array, size: int) -> Array:
    """(C / size,) z of each cause, ``size`` neighbouring columns of ``gram`` (C, C), on top of the columns in use."""
    found = counted(gram, b, tested, use, theta, size)
    low = found.chance
    high = np.maximum(low + found.excess, 0.0)
    nats = high * np.log(np.maximum(high, 1e-300) / low) - (high - low)
    z = np.where(found.told, np.sign(high - low) * np.sqrt(2.0 * np.maximum(nats, 0.0)), 0.0)
    return _together(z.reshape(-1, size), found.alike)


def _together(z: Array, r: Array) -> Array:
    """(V,) the z of columns (V, K) that are correlated by r (V, K, K): the largest, and what others add to it."""
    at, best, total = np.arange(len(z)), z.max(axis=1), np.zeros(len(z))
    for _ in range(z.shape[1]):
        first = z.argmax(axis=1)
        top = np.maximum(z[at, first], 0.0)
        total += top**2
        by = np.clip(r[at, first], 0.0, CLOSEST)
        left = np.sqrt(1.0 - by**2)
        z = (z - by * top[:, None]) / left
        r = (r - by[:, :, None] * by[:, None, :]) / (left[:, :, None] * left[:, None, :])
        z[at, first] = -np.inf
    return np.where(best > 0.0, np.sqrt(total), best)


def _ridged(gram: Array, use: Ints) -> Array:
    h = gram[np.ix_(use, use)]
    return h + RIDGE * np.diag(np.diag(h))
