"""Columns that others determine: copies and exact linear combinations, by a Cholesky factor with pivots."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpstrf

from ..base.arrays import Array, Ints

EXACT = 1e-8  # a residual variance, of 1, no larger is none
SHARE = 1e-5  # a coefficient no larger takes no part


def exact_relations(corr: Array, exact: float = EXACT) -> list[tuple[int, Ints]]:
    """Each column that is an exact linear combination of others, with those; corr: (m, m), 1 on the diagonal.

    exact: the residual variance, of 1, that is none.
    """
    factor, pivots, rank, _ = dpstrf(corr, lower=1, tol=exact)
    if rank == len(corr):
        return []
    kept, rest = pivots[:rank] - 1, pivots[rank:] - 1
    lower = np.tril(factor)
    slopes = np.linalg.solve(lower[:rank, :rank].T, lower[rank:, :rank].T)  # (rank, columns determined)
    return [(int(j), np.sort(kept[np.abs(own) > SHARE])) for j, own in zip(rest, slopes.T, strict=True)]


def exact_copies(corr: Array) -> list[tuple[int, Ints]]:
    """Each column that is another one in other units, with the first such; what is left to see where rows are few."""
    twin = np.tril(np.abs(corr) > 1.0 - EXACT, -1)
    return [(int(j), np.flatnonzero(twin[j])[:1]) for j in np.flatnonzero(twin.any(axis=1))]
