"""Columns that others determine: copies and exact linear combinations, by a Cholesky factor with pivots."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpstrf

from ..base.arrays import Array, Ints

EXACT = 1e-8  # a residual variance, of 1, no larger is none
NAMED = 5  # columns named in a sentence
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


def tell_relations(columns: tuple[str, ...], corr: Array, n: int, start: Ints | None = None) -> list[str]:
    """A sentence on the columns that are copies or sums of others, if any are. corr: (m, m) of n rows. start: (d + 1,) where the
    coded columns of each begin, None where each is one."""
    found = exact_relations(corr) if n > len(corr) + 1 else exact_copies(corr)
    owner = np.arange(len(corr)) if start is None else np.repeat(np.arange(len(start) - 1), np.diff(start))
    return tell_determined(columns, [(int(owner[j]), owner[others]) for j, others in found])


def tell_determined(columns: tuple[str, ...], found: list[tuple[int, Ints]]) -> list[str]:
    """The same of columns and those that determine them."""
    told: dict[str, list[str]] = {}
    for j, others in found:
        told.setdefault(columns[j], []).extend(columns[k] for k in others)
    lines = [f"{name!r} of {list_some([repr(o) for o in dict.fromkeys(os) if o != name])}" for name, os in told.items()]
    if not lines:
        return []
    return [
        f"columns that others determine exactly: {'; '.join(lines[:NAMED])}{' and more' if len(lines) > NAMED else ''}; all are "
        "kept, and which of such columns gets the edges of the others is arbitrary: drop those that are copies or sums"
    ]


def list_some(names: list[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
