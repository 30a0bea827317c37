"""Cells without a value: those that are declared, and numbers that stand for none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools
from ..errors import DataError
from .findings import Findings
from .numerals import to_numbers

SENTINELS = (-99.0, -999.0, -9999.0, -99999.0)  # numbers that mean a missing value where they lie far below all others
NINES = (999.0, 9999.0, 99999.0)  # and numbers that may, where they lie far above
FAR = 5.0  # times the range of all others


def declared_missing(frame: pd.DataFrame, missing: Sequence[Any] | Any, found: Findings) -> pd.DataFrame:
    """The frame with the cells that hold one of the declared values empty."""
    if isinstance(missing, Mapping) or not isinstance(missing, Iterable | str | int | float):
        raise DataError(f"missing is {missing!r:.60}, and must be a list of values; write ['?', -99]")
    values = [missing] if isinstance(missing, str | int | float) else list(missing)
    odd = [value for value in values if not isinstance(value, str | int | float | np.number)]
    if odd:
        raise DataError(f"missing holds {odd[0]!r:.60}, and must hold numbers and texts; write ['?', -99]")
    texts = {str(value) for value in values}
    numbers = [float(v) for v in to_numbers(pd.Series(values, dtype=object)) if v == v]
    columns = []
    for j in range(frame.shape[1]):
        column = frame.iloc[:, j]
        try:
            hit = (
                column.isin(numbers) if pd.api.types.is_numeric_dtype(column.dtype) else column.astype(str).isin(texts)
            )
        except (TypeError, ValueError):  # lists and other objects: refused where they are parsed
            hit = pd.Series(False, index=column.index)
        if hit.any():
            found.note(
                str(frame.columns[j]), f"{int(hit.sum())} cells of {str(frame.columns[j])!r} are missing as declared"
            )
            column = column.mask(hit)
        columns.append(column)
    return pd.concat(columns, axis=1) if columns else frame


def sentinel(values: Array) -> Bools | None:
    """(n,) the cells with a number that means missing: one of SENTINELS, met twice or more.

    All others are 0 or more, or lie within a range that the number is FAR away from.
    """
    low = np.nanmin(values)
    if low not in SENTINELS:
        return None
    gaps = values == low
    return gaps if gaps.sum() > 1 and _apart(low, values[~gaps & ~np.isnan(values)]) else None


def suspect(values: Array) -> float | None:
    """One of NINES, met twice or more, that all others lie FAR below; None where there is none."""
    high = float(np.nanmax(values))
    if high not in NINES or (values == high).sum() < 2:
        return None
    others = values[(values != high) & ~np.isnan(values)]
    return high if len(others) and high - others.max() > FAR * max(np.ptp(others), 1e-300) else None


def _apart(low: float, others: Array) -> bool:
    if len(others) == 0:
        return False
    return bool(others.min() >= 0 or others.min() - low > FAR * max(np.ptp(others), 1e-300))
