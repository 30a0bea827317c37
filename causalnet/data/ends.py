"""When an alarm begins and ends: days and hours in two columns, alarms that are still open."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from ..base.arrays import Array
from ..errors import DataError
from .log_words import DAYS, first_called

OPEN = frozenset(
    (
        "",
        "-",
        "--",
        "0",
        "open",
        "active",
        "ongoing",
        "none",
        "not cleared",
        "uncleared",
        "0000-00-00 00:00:00",
        "\\n",
        "n/a",
        "null",
    )
)
NEVER = 2.5e11  # seconds since 1970 from which an end stands for none: 31 December 9999
BEFORE = -6e10  # and up to which one does, among times since 1970: 1 January of the year 1
HOURS = r"\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?\s*"
EPOCH = 1e8  # seconds since 1970 from which a time is one of our days, and an end of 0 none


def with_days(frame: pd.DataFrame, column: str, device: str | None = None) -> pd.Series:
    """A column of times; hours of the day together with the column called date, where there is one."""
    times = frame[column]
    days = first_called(frame.columns, DAYS)
    if not _texts(times) or not times.dropna().str.fullmatch(HOURS).all():
        return times
    if days is None or days == column or not _texts(frame[days]):
        _refuse_midnight(times, column, None if device is None else frame[device])
        return times
    _warn(f"the times are those of the columns {days!r} and {column!r} together")
    return frame[days].str.strip() + " " + times.str.strip()


def _refuse_midnight(times: pd.Series, column: str, device: pd.Series | None) -> None:
    """DataError where hours without a day go back by half a day or more, on one device: a new one begins, and which is not told."""
    hours = times.str.extract(r"(\d+):")[0].astype(float)
    back = np.flatnonzero((hours.diff() <= -12.0) & (device is None or device == device.shift()))
    if len(back) and not times.str.contains("[AaPp][Mm]", regex=True).any():
        raise DataError(
            f"column {column!r} holds hours without a day, and goes back from {times.iloc[back[0] - 1].strip()} to "
            f"{times.iloc[back[0]].strip()} in row {back[0] + 1}; write the days too, in a column 'date' or with the hours"
        )


def _texts(column: pd.Series) -> bool:
    values = column.dropna()
    return len(values) > 0 and bool(values.map(lambda value: isinstance(value, str)).all())


def opened(ends: pd.Series) -> pd.Series:
    """Ends of alarms, missing where a text says that an alarm is open."""
    if not (pd.api.types.is_object_dtype(ends.dtype) or isinstance(ends.dtype, pd.StringDtype)):
        return ends
    marks = ends.map(lambda value: isinstance(value, str) and value.strip().lower() in OPEN, na_action="ignore")
    gone = marks.fillna(False).astype(bool)
    if not gone.any():
        return ends
    kept = ends.mask(gone)
    numbers = pd.to_numeric(kept, errors="coerce")
    return numbers if numbers.notna().sum() == kept.notna().sum() else kept


def until_last(end: Array, start: Array) -> Array:
    """Durations; what has no end, or the end 0 or the year 1 among times since 1970, or the year 9999, lasts until the last time of the log, with a warning."""
    since = np.nanmin(start) > EPOCH
    still = np.isnan(end) | (((end == 0) | (end < BEFORE)) & since) | ((end > NEVER) & (np.nanmax(start) < NEVER))
    if still.any():
        last = float(np.nanmax(np.concatenate([start, end[~still]])))
        _warn(f"{int(still.sum())} events have no end: they are taken to last until the last time of the log")
        end = np.where(still, last, end)
    return end - start


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)
