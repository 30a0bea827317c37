"""Columns of plain numbers, read all at once: only the others are looked at one by one, and those of few levels quickly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools
from .gaps import NINES, SENTINELS
from .reading import FEW_LEVELS
from .scanning import Scan, few_levels, scan

BLOCK = 1 << 14  # rows of a frame copied at a time


class Plain(NamedTuple):
    """values: (n, d), of the columns of plain numbers. easy: (d,) which of them need no further look. levels: of the others
    those that are at most FEW_LEVELS whole numbers, by column. seen: a scan of the values."""

    values: Array
    easy: Bools
    levels: dict[int, Array]
    seen: Scan


def plain_numbers(
    frame: pd.DataFrame, kinds: Sequence[Any], columns: tuple[str, ...], wanted: dict[str, bool]
) -> Plain:
    """The columns of plain numbers. kinds: (d,) the types of all."""
    values = np.zeros(frame.shape)
    plain = np.array([isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in kinds])
    plain &= np.array([wanted.get(name) is not True for name in columns])
    at = np.flatnonzero(plain)
    for row in range(0, len(frame), BLOCK):
        some = frame.iloc[row : row + BLOCK]
        values[row : row + BLOCK, at] = (some if plain.all() else some.iloc[:, at]).to_numpy(np.float64)
    seen = scan(values)
    easy = plain & (seen.infinite == 0) & np.isfinite(seen.low)
    easy &= ~(np.isin(seen.low, SENTINELS) | np.isin(seen.high, NINES))
    doubtful = np.flatnonzero(easy & seen.whole)
    met = np.sort(
        values[: 4 * FEW_LEVELS, doubtful], axis=0
    )  # most columns of many levels show them in their first rows
    levels = {}
    for j in doubtful[1 + (met[1:] > met[:-1]).sum(axis=0) <= FEW_LEVELS].tolist():
        few = None if columns[j] in wanted else few_levels(values[:, j], FEW_LEVELS)
        if few is not None:
            levels[j], easy[j] = few, False
    return Plain(values, easy, levels, seen)


def as_categories(column: Array, levels: Array, whole: bool) -> tuple[Array, tuple[Any, ...]]:
    """(n,) codes of a column of few levels, nan where missing, and the labels, whole where the column is of such a type."""
    codes = np.searchsorted(levels, column).astype(np.float64)
    codes[np.isnan(column)] = np.nan
    return codes, tuple(int(level) if whole else level for level in (levels + 0.0).tolist())
