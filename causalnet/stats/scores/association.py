"""How close two columns of categories are: their mutual information, what stands for a correlation, a first test."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtri

from ...base.arrays import Array, Bools, Codes, Ints
from ...base.clock import now

ALPHA = 0.05
LUMPED, BLOCK, CELLS = 16, 4096, 1 << 23  # states kept apart; rows, and cells of tables of two columns, counted at once


def mutual_information(codes: Codes, deadline: float = math.inf) -> Array:
    """(d, d) in nats, of every pair of columns of (n, d) codes from 0. States beyond the LUMPED-th count as one.

    With counts c of n rows, n I(a, b) = sum_jk c_jk ln c_jk - sum_j c_j ln c_j - sum_k c_k ln c_k + n ln n. deadline: by
    base.clock; pairs that are not counted by then have NaN, the
    last of all among them.
    """
    n, d = codes.shape
    r = min(int(codes.max()) + 1, LUMPED)
    states = np.minimum(np.ascontiguousarray(codes.T), r - 1)
    count = np.stack([np.bincount(column, minlength=r) for column in states], axis=1).astype(np.int64)
    whole = np.arange(n + 1.0)
    whole *= np.log(np.maximum(whole, 1.0))
    own, found = whole[count].sum(axis=0), np.full((d, d), np.nan)
    wide = max(1, CELLS // (d * r * r))
    for a in range(0, d, wide):
        if a and now() > deadline:
            break
        b = min(a + wide, d)
        joint = _information(states[a:], count[:, a:], b - a, whole)
        found[a:b, a:] = (joint - own[a:b, None] - own[None, a:] + whole[n]) / n
        found[a:, a:b] = found[a:b, a:].T
    return np.asarray(np.maximum(found, 0.0, out=found))


def _information(states: Codes, count: Ints, p: int, whole: Array) -> Array:
    """(p, q) sum_jk c_jk ln c_jk over the rows c_jk in which one of the first p columns has state j and any has k.

    states: (q, n). count: (r, q) how often each has each state. whole: m ln m.
    """
    (r, q), n = count.shape, states.shape[1]
    inner = np.zeros(((r - 1) * p, (r - 1) * q), np.float64 if n > 1 << 24 else np.float32)  # whole numbers, exact
    for start in range(0, n, BLOCK):
        block = states[:, start : start + BLOCK]
        every = np.asarray(block == np.arange(r - 1)[:, None, None], np.float32)
        inner += every[:, :p].reshape(-1, block.shape[1]) @ every.reshape(-1, block.shape[1]).T
    table = inner.reshape(r - 1, p, r - 1, q).astype(np.int64)
    right = count[:-1, :p, None] - table.sum(axis=2)  # the last state of one and of the other, by what is left
    below = count[:-1, None] - table.sum(axis=0).swapaxes(0, 1)
    last = count[-1] - right.sum(axis=0)
    return np.asarray(whole[table].sum(axis=(0, 2)) + whole[right].sum(axis=0) + whole[below].sum(axis=0) + whole[last])


def closeness(codes: Codes, mutual: Array | None = None) -> Array:
    """(d, d) in place of a correlation, to choose a first order by: sqrt(1 - exp(-2 I)), and 1 on the diagonal.

    mutual: (d, d) the information I, 0 where NaN.
    """
    near = mutual_information(codes) if mutual is None else mutual.copy()
    near[np.isnan(near)] = 0.0
    near *= -2.0  # in place: of thousands of columns, fresh memory takes longer than the sums
    np.negative(np.expm1(near, out=near), out=near)
    np.sqrt(near, out=near)
    np.fill_diagonal(near, 1.0)
    return near


def dependent(codes: Codes, mutual: Array | None = None, alpha: float = ALPHA) -> Bools:
    """(d, d): does a G-square test, 2 n I, at level ``alpha`` tell the pair from independent? mutual: as above."""
    states = [max(1, min(int(np.count_nonzero(np.bincount(column))), LUMPED) - 1) for column in codes.T]
    kinds, kind = np.unique(states, return_inverse=True)
    least = chdtri(np.outer(kinds, kinds).astype(float), alpha) / (2.0 * len(codes))
    known = mutual_information(codes) if mutual is None else mutual
    return np.asarray(known >= np.take(least.take(kind, axis=0), kind, axis=1))
