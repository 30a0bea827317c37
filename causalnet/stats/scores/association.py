"""How close two columns of categories are: their mutual information, what stands for a correlation, a first test."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, xlogy

from ...base.arrays import Array, Bools, Codes

LUMPED, BLOCK = 16, 4096


def mutual_information(codes: Codes) -> Array:
    """(d, d) in nats, of every pair of columns of (n, d) codes from 0. States beyond the LUMPED-th count as one."""
    n, d = codes.shape
    r = min(int(codes.max()) + 1, LUMPED)
    joint = np.zeros((d * r, d * r))
    for start in range(0, n, BLOCK):
        block = np.minimum(codes[start : start + BLOCK].T, r - 1)
        states = (block[:, None] == np.arange(r)[:, None]).reshape(d * r, -1).astype(np.float32)
        joint += states @ states.T
    table = joint.reshape(d, r, d, r) / n
    entropy = -xlogy(np.einsum("akak->ak", table), np.einsum("akak->ak", table)).sum(axis=1)
    mutual = entropy[:, None] + entropy[None, :] + xlogy(table, table).sum(axis=(1, 3))
    return np.asarray(np.maximum(mutual, 0.0))


def closeness(codes: Codes) -> Array:
    """(d, d) in place of a correlation, to choose a first order by: sqrt(1 - exp(-2 I)), and 1 on the diagonal."""
    near = np.sqrt(-np.expm1(-2.0 * mutual_information(codes)))
    np.fill_diagonal(near, 1.0)
    return np.asarray(near)


def dependent(codes: Codes, alpha: float) -> Bools:
    """(d, d): does a G-square test, 2 n I, at level ``alpha`` tell the pair from independent?"""
    states = np.array([min(np.count_nonzero(np.bincount(column)), LUMPED) for column in codes.T]) - 1.0
    freedom = np.maximum(np.outer(states, states), 1.0)
    return np.asarray(chdtrc(freedom, 2.0 * len(codes) * mutual_information(codes)) <= alpha)
