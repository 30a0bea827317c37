"""What makes a series non-stationary taken out: a straight line, and the mean of each phase of a season."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Ints
from ..errors import DataError


def remove(values: Array, segment: Ints, step: Ints, trend: bool, season: int | None) -> tuple[Array, tuple[str, ...]]:
    """(n, d) values without them, missing cells staying missing, and what was removed, in words.

    segment: (n,) the runs a line is fitted to, each its own. step: (n,) position in time, whose remainder by ``season``
    is the phase; phases are averaged over all segments.
    """
    left, words = values.copy(), []
    if trend:
        for run in np.unique(segment):
            rows = np.flatnonzero(segment == run)
            for column in left.T:
                seen = rows[~np.isnan(column[rows])]
                if len(seen) > 1:
                    line = np.polynomial.Polynomial.fit(step[seen], column[seen], 1)
                    column[seen] -= line(step[seen]) - column[seen].mean()
        words.append("linear trend")
    if season is not None:
        for phase in range(season):
            rows = step % season == phase
            count = (~np.isnan(left[rows])).sum(axis=0)
            left[rows] -= np.where(count, np.nansum(left[rows], axis=0) / np.maximum(count, 1), 0.0)
        words.append(f"season of {season} steps")
    flat = np.flatnonzero(
        np.nanmax(left, axis=0) - np.nanmin(left, axis=0) <= 1e-9 * (np.nanstd(values, axis=0) + 1e-300)
    )
    if len(flat):
        raise DataError(f"without {' and '.join(words)} nothing is left of column {int(flat[0])}; drop it")
    return left, tuple(words)
