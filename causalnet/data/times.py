"""Times as seconds: numbers of any usual unit since 1970 told apart, dates, and spans of time."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ..base.arrays import Array, Ints
from ..base.checks import one_of
from ..errors import DataError
from .reading import finite, to_numbers

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # of which so many are a second
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# a number of this size is the year 5138 in the unit before, and 1973 in this one: no log reaches so far
FROM = {"ms": 1e11, "us": 1e14, "ns": 1e17}


def seconds(column: pd.Series, unit: str | None = None) -> Array:
    """(n,) seconds of numbers, dates or spans; NaN where missing.

    unit: "s", "ms", "us" or "ns" of numbers; None judges by their size, and warns where it is not seconds. Where float64
    seconds would make distinct times equal, they are counted from the first one, with a warning.
    """
    kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind):
        return _of_stamps(column)
    numeric = to_numbers(column)
    odd = np.flatnonzero((numeric.isna() & column.notna()).to_numpy())
    if len(odd) and len(odd) == column.notna().sum():  # not one number: perhaps dates or spans written the standard way
        for read in (_dates, _spans):
            stamps = read(column)
            if (stamps.notna() | column.isna()).all():
                return _of_stamps(stamps)
    if len(odd):
        raise DataError(
            f"column {column.name!r} must hold seconds or ISO dates (2024-01-31 12:00:00), but row {odd[0] + 1} has "
            f"{column.iloc[odd[0]]!r} ({len(odd)} such rows); convert text dates with pandas.to_datetime first"
        )
    found = finite(numeric, column.name)
    unit = one_of("unit", unit, UNITS) if unit is not None else _unit(found, str(column.name))
    if unit == "s":
        return found
    if pd.api.types.is_integer_dtype(numeric.dtype) and not numeric.isna().any():
        return _exact(numeric.to_numpy(dtype=np.int64), UNITS[unit], str(column.name))
    return found / UNITS[unit]


def _dates(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)


def _spans(column: pd.Series) -> pd.Series:
    return pd.to_timedelta(column.astype("string"), errors="coerce")


def _unit(found: Array, name: str) -> str:
    """The unit of numbers that are no seconds because they are too large, with a warning; "s" for all others."""
    size = np.abs(found[~np.isnan(found)])
    if len(size) == 0 or np.median(size) < FROM["ms"]:
        return "s"
    odd = {_by_size(float(end)) for end in (size.min(), size.max())}
    if len(odd) > 1 and size.max() > 100 * size.min():
        raise DataError(
            f"column {name!r} mixes times of different units: from {size.min():.6g} to {size.max():.6g}; "
            "write all in seconds"
        )
    unit = _by_size(float(np.median(size)))
    first = pd.Timestamp(int(found[~np.isnan(found)].min() / UNITS[unit]), unit="s") if size.max() < 9e18 else ""
    warnings.warn(
        f"column {name!r} is read as {NAMES[unit]} since 1970 (the first is {first}): as seconds its numbers would lie "
        "beyond the year 5000; pass unit='s' (--unit s) if they are seconds",
        UserWarning,
        stacklevel=4,
    )
    return unit


def _by_size(value: float) -> str:
    return next((unit for unit in ("ns", "us", "ms") if value >= FROM[unit]), "s")


def _exact(whole: Ints, a_second: int, name: str) -> Array:
    """Whole units as seconds; from the first one where float64 would make distinct times equal."""
    found = whole / a_second
    if len(np.unique(found)) == len(np.unique(whole)):
        return np.asarray(found)
    warnings.warn(
        f"times in {name!r} are counted from the first one: since 1970 they differ by less than float64 seconds hold",
        UserWarning,
        stacklevel=5,
    )
    return np.asarray((whole - whole.min()) / a_second)


def _of_stamps(column: pd.Series) -> Array:
    """Dates and spans of any resolution, far ones too."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    stamps = column.to_numpy()
    if stamps.dtype.kind not in "mM":  # arrow's own types
        stamps = stamps.astype("M8[ns]" if pd.api.types.is_datetime64_any_dtype(column.dtype) else "m8[ns]")
    missing = np.isnat(stamps)
    step = np.datetime_data(stamps.dtype)[0]
    if step not in UNITS:
        stamps, step = stamps.astype(f"{stamps.dtype.kind}8[s]"), "s"
    whole = stamps.astype(np.int64)
    if missing.any():
        return np.where(missing, np.nan, whole / UNITS[step])
    return _exact(whole, UNITS[step], str(column.name))
