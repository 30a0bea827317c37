"""Correlations of complete columns in pieces, as far as the time goes."""

from __future__ import annotations

import math

import numpy as np

from ..base.arrays import Array
from ..base.clock import now
from ..errors import DataError
from .coding import Coding
from .dependence import list_some

WIDE, LONG = 512, 1 << 14  # columns, and rows, of a piece


def correlate_until(values: Array, columns: tuple[str, ...], deadline: float = math.inf) -> Array:
    """(d, d) Pearson correlations of ``values`` (n, d), in the memory of one such matrix; 0 for pairs not come to by then.

    deadline: by base.clock. DataError naming the constant columns.
    """
    d = values.shape[1]
    scaled = values - values.mean(axis=0)
    size = np.sqrt(np.einsum("ij,ij->j", scaled, scaled))
    if not size.all():
        flat = list_some([repr(columns[k]) for k in np.flatnonzero(size == 0.0)])
        raise DataError(f"these columns are constant in this sample, so they have no correlation: {flat}; drop them")
    scaled /= size
    rho = np.zeros((d, d))
    for a in range(0, d, WIDE):
        if a and now() > deadline:
            break
        rho[a : a + WIDE, a:] = np.clip(scaled[:, a : a + WIDE].T @ scaled[:, a:], -1.0, 1.0)
        rho[a:, a : a + WIDE] = rho[a : a + WIDE, a:].T
    np.fill_diagonal(rho, 1.0)
    return rho


def correlate_coded(values: Array, coding: Coding, deadline: float = math.inf) -> tuple[Array, int]:
    """(m, m) correlations of the blocks of complete ``values`` (n, d), 0 with a column of one value; and of how many rows.

    deadline: by base.clock; the pieces of rows are read in a random order, so that those that are read until then are a sample.
    """
    n, m = len(values), int(coding.start[-1])
    total, second, read, near = np.zeros(m), np.zeros((m, m)), 0, np.zeros(m)
    for piece in np.random.default_rng(0).permutation(-(-n // LONG)):
        if read and now() > deadline:
            break
        rows = coding.code(values[piece * LONG : (piece + 1) * LONG])
        near = near if read else rows.mean(axis=0)
        rows -= near  # the sums of products stay small
        total += rows.sum(axis=0)
        second += rows.T @ rows
        read += len(rows)
    second -= np.outer(total, total / read)
    size = np.sqrt(np.maximum(second.diagonal(), 0.0))
    size[size == 0.0] = np.inf
    second /= size
    second /= size[:, None]
    np.fill_diagonal(second, 1.0)
    return second, read
