"""Columns of plain numbers, read all at once: only the others are looked at one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools
from .gaps import NINES, SENTINELS
from .reading import FEW_LEVELS
from .scanning import Scan, has_few_levels, scan

BLOCK = 1 << 14  # rows of a frame copied at a time


def plain_numbers(frame: pd.DataFrame, columns: tuple[str, ...], wanted: dict[str, bool]) -> tuple[Array, Bools, Scan]:
    """Values (n, d) of the columns of plain numbers, which of them need no further look, and a scan of the values."""
    values = np.zeros(frame.shape)
    plain = np.array([isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in frame.dtypes])
    plain &= np.array([wanted.get(name) is not True for name in columns])
    at = np.flatnonzero(plain)
    for row in range(0, len(frame), BLOCK):
        some = frame.iloc[row : row + BLOCK]
        values[row : row + BLOCK, at] = (some if plain.all() else some.iloc[:, at]).to_numpy(np.float64)
    seen = scan(values)
    easy = plain & (seen.infinite == 0) & np.isfinite(seen.low)
    easy &= ~(np.isin(seen.low, SENTINELS) | np.isin(seen.high, NINES))
    met = np.sort(values[: 4 * FEW_LEVELS], axis=0)  # most columns of many levels show them in their first rows
    doubtful = easy & seen.whole & (1 + (met[1:] > met[:-1]).sum(axis=0) <= FEW_LEVELS)
    for j in np.flatnonzero(doubtful):
        easy[j] = columns[j] in wanted or not has_few_levels(values[:, j], FEW_LEVELS)
    return values, easy, seen
