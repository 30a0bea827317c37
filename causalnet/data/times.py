"""Times as seconds: numbers of any usual unit since 1970 told apart, dates, and spans of time."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Ints
from ..base.checks import one_of
from ..errors import DataError
from .dates import in_one_number, written_times
from .numerals import decimal_sign, read_numerals, to_numbers
from .reading import finite, shown_rows


class Clock(NamedTuple):
    """A count of time: its first and last numbers that a log may hold, and how seconds since 1970 are made of it."""

    name: str
    first: float
    last: float
    how: str


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "d": 1 / 86400}  # of which so many are a second
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "d": "days of a spreadsheet"}
# a number of this size is the year 5138 in the unit before, and 1973 in this one: no log reaches so far
FROM = {"ms": 1e11, "us": 1e14, "ns": 1e17}
DAYS = (36526.0, 55153.0)  # the years 2000 to 2050 as spreadsheets count days: from the end of 1899 on
CLOCKS = (  # the years 2000 to 2050 of other clocks, which count steps of 100 ns
    Clock("file times of Windows", 125911584e9, 141690816e9, "seconds are (t - 116444736000000000) / 1e7"),
    Clock("ticks of .NET", 630822816e9, 646602048e9, "seconds are (t - 621355968000000000) / 1e7"),
    Clock("steps of 100 ns since 1970", 9466848e9, 25246080e9, "seconds are t / 1e7"),
)
CLOCK = 0.05  # seconds: what days with six digits are off a clock's second at most


def seconds(column: pd.Series, unit: str | None = None, sheet: bool = True) -> Array:
    """(n,) seconds of numbers, dates or spans; NaN where missing. See :func:`seconds_and_unit`."""
    return seconds_and_unit(column, unit, sheet)[0]


def seconds_and_unit(column: pd.Series, unit: str | None = None, sheet: bool = True) -> tuple[Array, str]:
    """(n,) seconds of numbers, dates or spans, NaN where missing; and the unit of the numbers, "s" for dates and spans.

    unit: "s", "ms", "us", "ns" or "d" (days) of numbers; None judges by their size, and warns where it is not seconds. sheet: may
    they be days of a spreadsheet? Not those of a piece of a stream. Where float64 seconds would make distinct times equal, they
    are counted from the first one, with a warning. Dates that are written day first or month first are read where one of them
    tells which, and refused where none does.
    """
    kind = column.dtype
    if isinstance(kind, pd.PeriodDtype):
        column = column.dt.to_timestamp()
        kind = column.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind) or _arrow_time(kind):
        return _of_stamps(column), "s"
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_complex_dtype(kind):
        raise DataError(f"column {column.name!r} must hold seconds or dates, not {kind} values")
    stamps = in_one_number(column) if unit is None else None
    if stamps is not None:
        return _of_stamps(stamps), "s"
    numeric = to_numbers(column)
    odd = np.flatnonzero((numeric.isna() & column.notna()).to_numpy())
    if len(odd) and len(odd) == column.notna().sum():  # not one number: perhaps dates or spans written in a usual way
        stamps = written_times(column)
        if stamps is not None:
            return _of_stamps(stamps), "s"
    if len(odd):
        numeric = _written(column, numeric)
        odd = np.flatnonzero((numeric.isna() & column.notna()).to_numpy())
    if len(odd):
        texts = column.iloc[odd].astype(str)
        strange = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True).isna().to_numpy()
        odd = odd[strange] if strange.any() else odd  # no use in naming the dates
        more = f" ({len(odd)} such rows: {shown_rows(odd)})" if len(odd) > 1 else ""
        raise DataError(
            f"column {column.name!r} must hold seconds or ISO dates (2024-01-31 12:00:00), but row {odd[0] + 1} has "
            f"{column.iloc[odd[0]]!r}{more}",
            python="convert text dates with pandas.to_datetime first",
            shell="write all of them in one such form",
        )
    found = finite(numeric, column.name)
    unit = one_of("unit", unit, UNITS) if unit is not None else _unit(found, str(column.name), sheet)
    if unit == "s":
        return found, unit
    if pd.api.types.is_integer_dtype(numeric.dtype) and not numeric.isna().any():
        return _exact(numeric.to_numpy(dtype=np.int64), UNITS[unit], str(column.name)), unit
    return found / UNITS[unit], unit


def _arrow_time(kind: object) -> bool:
    return isinstance(kind, pd.ArrowDtype) and kind.kind in "mM"


def _written(column: pd.Series, numeric: pd.Series) -> pd.Series:
    """Numbers as people write them (1,5 in a file with commas before decimals), where all can be read as such."""
    texts = [value if isinstance(value, str | int | float) else None for value in column.dropna()]
    if None in texts or (not decimal_sign(texts) and any("," in str(text) for text in texts)):
        return numeric
    read = read_numerals([str(text) for text in texts])
    if np.isnan(read.numbers).any() or read.units != ("",):
        return numeric
    if read.how:
        _warn(f"column {column.name!r} is read as numbers: {', '.join(read.how)}")
    return pd.Series(read.numbers, index=column.dropna().index).reindex(column.index)


def _unit(found: Array, name: str, sheet: bool) -> str:
    """The unit of numbers that are no seconds because they are too large, with a warning; "s" for all others."""
    size = np.abs(found[~np.isnan(found)])
    if sheet and len(size) and DAYS[0] <= size.min() and size.max() < DAYS[1]:
        return _days_or_seconds(size, name)
    if len(size) == 0 or np.median(size) < FROM["ms"]:
        return "s"
    odd = {_by_size(float(end)) for end in (size.min(), size.max())}
    if len(odd) > 1 and size.max() > 100 * size.min():
        raise DataError(
            f"column {name!r} mixes times of different units: from {size.min():.6g} to {size.max():.6g}; "
            "write all in seconds"
        )
    unit = _by_size(float(np.median(size)))
    _refuse_other_clocks(size, name, unit)
    first = f" (the first is {_date(found, unit)})" if size.max() < 9e18 else ""
    _warn(
        f"column {name!r} is read as {NAMES[unit]} since 1970{first}: as seconds its numbers would lie "
        "beyond the year 5000; pass unit='s' (--unit s) if they are seconds"
    )
    return unit


def _refuse_other_clocks(size: Array, name: str, unit: str) -> None:
    """DataError for counts of another epoch or another unit, and for dates without a century in one number."""
    low, high = float(size[size > 0].min()), float(size.max())
    clocks = [c for c in CLOCKS if c.first <= low and high < c.last]
    odd = "" if not clocks else f"{clocks[0].name}, {clocks[0].how}"
    if not odd and unit == "ms" and high < 1e12 and len(size) > 2 and _short_dates(size):
        odd = "dates without a century such as 240131120000, written as 2024-01-31 12:00:00"
    if odd:
        raise DataError(
            f"column {name!r} seems to hold {odd}; pass unit={unit!r} (--unit {unit}) if they are {NAMES[unit]} since 1970"
        )


def _short_dates(size: Array) -> bool:
    """Are all of them yymmddhhmmss?"""
    texts = pd.Series(size).astype(np.int64).astype(str)
    return bool(pd.to_datetime("20" + texts, format="%Y%m%d%H%M%S", errors="coerce").notna().all())


def _days_or_seconds(size: Array, name: str) -> str:
    """Are times from 36526 to 55153 days of a spreadsheet? Where all are whole seconds of a day, as those of no other clock are."""
    first = (pd.Timestamp("1899-12-30") + pd.Timedelta(days=float(size.min()))).round("s")
    told = np.round(size * 86400.0)
    to_the_second = np.abs(size * 86400.0 - told).max() < CLOCK and (told % 60 > 0).any()
    if to_the_second:
        _warn(
            f"column {name!r} is read as {NAMES['d']} (the first is {first}); pass unit='s' (--unit s) if they are seconds"
        )
        return "d"
    _warn(f"column {name!r} is read as seconds; pass unit='d' (--unit d) for {NAMES['d']} (the first would be {first})")
    return "s"


def _date(found: Array, unit: str) -> pd.Timestamp:
    return pd.Timestamp(int(found[~np.isnan(found)].min() / UNITS[unit]), unit="s")


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=5)


def _by_size(value: float) -> str:
    return next((unit for unit in ("ns", "us", "ms") if value >= FROM[unit]), "s")


def _exact(whole: Ints, a_second: float, name: str) -> Array:
    """Whole units as seconds; from the first one where float64 would make distinct times equal."""
    found = whole / a_second
    if len(np.unique(found)) == len(np.unique(whole)):
        return np.asarray(found)
    _warn(f"times in {name!r} are counted from the first one: since 1970 they differ by less than float64 seconds hold")
    return np.asarray((whole - whole.min()) / a_second)


def _of_stamps(column: pd.Series) -> Array:
    """Dates and spans of any resolution, far ones too."""
    stamps = _arrow_stamps(column) if isinstance(column.dtype, pd.ArrowDtype) else _stamps(column)
    missing = np.isnat(stamps)
    step = np.datetime_data(stamps.dtype)[0]
    if step not in UNITS:
        stamps, step = stamps.astype(f"{stamps.dtype.kind}8[s]"), "s"
    whole = stamps.astype(np.int64)
    if missing.any():
        return np.where(missing, np.nan, whole / UNITS[step])
    return _exact(whole, UNITS[step], str(column.name))


def _stamps(column: pd.Series) -> AnyArray:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.to_numpy()


def _arrow_stamps(column: pd.Series) -> AnyArray:
    """Arrow's own times in their own unit, as UTC."""
    import pyarrow as pa

    cells = pa.chunked_array(column.array.__arrow_array__())
    if pa.types.is_date(cells.type):
        cells = cells.cast(pa.timestamp("s"))
    letter = "m" if pa.types.is_duration(cells.type) else "M"
    whole = cells.cast(pa.int64())
    values = np.asarray(whole.fill_null(np.iinfo(np.int64).min).to_numpy(), np.int64)
    return values.view(f"{letter}8[{cells.type.unit}]")  # the least number is NaT
