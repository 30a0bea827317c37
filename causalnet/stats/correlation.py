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
    # sum (x - a)(x - a)' - (sum x - a)(sum x - a)' / n, a the first row, which is no further from the mean than sqrt(n) deviations
    n, d = values.shape
    shifted, rho = values - values[0], np.zeros((d, d))
    total = np.ones(n) @ shifted
    variance = np.einsum("ij,ij->j", shifted, shifted) - total * total / n
    if not variance.all():
        flat = list_some([repr(columns[k]) for k in np.flatnonzero(variance == 0.0)])
        raise DataError(f"these columns are constant in this sample, so they have no correlation: {flat}; drop them")
    scale = 1.0 / np.sqrt(variance)
    for a in range(0, d, WIDE):
        if a and now() > deadline:
            break
        b = a + WIDE
        piece = shifted[:, a:b].T @ shifted[:, a:]
        piece -= total[a:b, None] * (total[a:] / n)
        piece *= scale[a:]
        piece *= scale[a:b, None]
        np.minimum(piece, 1.0, out=piece)
        rho[a:b, a:] = np.maximum(piece, -1.0, out=piece)
        if b < d:
            rho[b:, a:b] = piece[:, WIDE:].T
    rho.flat[:: d + 1] = 1.0
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
