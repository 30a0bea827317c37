"""Rows put in order of time: what the times say about order, repeats, gaps and the length of a step."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..base.arrays import Array, Ints
from ..errors import DataError
from .regimes import factorized
from .tables import Table
from .times import seconds

ALIKE = 0.15  # relative difference from the usual step up to which a step counts as one (months do)
REGULAR = 0.9  # share of such steps from which longer ones are gaps, and not a want of regularity
CALLED = re.compile(r"(time|date|datetime|timestamp|t|hour|day|week|month|year|second|minute)s?", re.IGNORECASE)
LOOKED_AT = 50  # cells of a column that may hold dates


class Order(NamedTuple):
    """order: (n,) the rows in order of segment and time. segment: (n,) of the ordered rows, 0, 1, ... step: (n,) how many
    steps after the first row of its run each one stands. notes: what was found, a sentence each."""

    order: Ints
    segment: Ints
    step: Ints
    notes: tuple[str, ...] = ()


def order_rows(data: Any, time: str | None, segment: str | None) -> Order:
    """The order of the rows of a data frame (or a Table, whose rows are in order), and the segments that gaps leave."""
    n = data.n if isinstance(data, Table) else len(data)
    if n == 0:
        raise DataError("the series is empty: it has no rows")
    run = np.zeros(n, np.int64) if segment is None else _runs(data[segment])
    when = None if isinstance(data, Table) else _times(data, time)
    if when is None:
        order = np.argsort(run, kind="stable")
        run = run[order]
        first = np.searchsorted(run, run)
        return Order(order, run, np.arange(n) - first, _shuffled(data))
    order = np.lexsort((when, run))
    notes = _disorder(run, when)
    run, when = run[order], when[order]
    _refuse_repeats(run, when, segment is None)
    return _split(order, run, when, notes)


def _runs(column: pd.Series) -> Ints:
    codes, _ = factorized(column)
    if (codes < 0).any():
        raise DataError(f"the column {column.name!r} names no run in {int((codes < 0).sum())} rows; fill or drop them")
    if len(codes) > 1 and codes.max() == len(codes) - 1:
        raise DataError(
            f"the column {column.name!r} names a run of its own for every row, so that none has a past; a run is several rows"
        )
    return np.asarray(codes, np.int64)


def _times(frame: pd.DataFrame, time: str | None) -> Array | None:
    """(n,) times as numbers, of the column or of the index where it holds dates; None where rows are in order."""
    if time is None:
        if not isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex | pd.TimedeltaIndex):
            return None
        index = frame.index.to_timestamp() if isinstance(frame.index, pd.PeriodIndex) else frame.index
        column = pd.Series(index, name="index")
    else:
        column = frame[time].reset_index(drop=True)
    plain = pd.api.types.is_numeric_dtype(column.dtype)
    when = column.to_numpy(np.float64, na_value=np.nan) if plain else seconds(column)
    if not np.isfinite(when).all():
        lost = int((~np.isfinite(when)).sum())
        raise DataError(
            f"{lost} row{'s have' if lost > 1 else ' has'} no time in {column.name!r}; fill or drop such rows"
        )
    return when


def time_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that seem to hold the times of the rows: dates, or rising numbers called time, date, hour and the like."""
    found = []
    for name, column in frame.items():
        if column.dtype.kind in "biufc":
            called = len(column) > 2 and column.dtype.kind != "c" and CALLED.fullmatch(str(name)) is not None
            dated = called and bool((np.diff(column.to_numpy(dtype=float, na_value=np.nan)) > 0).all())
        else:
            first = column.dropna().head(LOOKED_AT)
            dated = len(first) > 2 and bool(
                pd.to_datetime(first, format="ISO8601", errors="coerce", utc=True).notna().all()
            )
        if dated:
            found.append(str(name))
    return found


def _shuffled(data: Any) -> tuple[str, ...]:
    """A sentence where the numbers that index the rows do not ascend, as after frame.sample or a sort by another column."""
    index = data.index if isinstance(data, pd.DataFrame) else pd.RangeIndex(1)
    if not pd.api.types.is_integer_dtype(index.dtype) or index.is_monotonic_increasing or not index.is_unique:
        return ()
    return (
        "the numbers that index the rows do not ascend, and the rows are read in the order given; frame.sort_index() puts them "
        "in the order of the index",
    )


def _disorder(run: Ints, when: Array) -> list[str]:
    """A sentence where times of a run do not ascend."""
    order = np.argsort(run, kind="stable")
    steps = np.diff(when[order])[np.diff(run[order]) == 0]
    if not len(steps) or (steps >= 0).all():
        return []
    back = int((steps < 0).sum())
    if back == len(steps):
        return ["time runs backwards from row to row; the rows were sorted by time"]
    return [f"the times are not ascending (they go back {back} times); the rows were sorted by time"]


def _refuse_repeats(run: Ints, when: Array, alone: bool) -> None:
    twice = (np.diff(when) == 0) & (np.diff(run) == 0)
    if twice.any():
        first, many = _told(when[int(np.flatnonzero(twice)[0])]), int(twice.sum())
        runs = "name the column of runs with {}, or keep" if alone else "keep"
        remedy = f"{runs} one row a time (a clock set back by daylight saving does this: {{}} tells its hours apart)"
        raise DataError(
            f"{many} row{'s repeat' if many > 1 else ' repeats'} the time of another row, first at {first}",
            python=remedy.format(*["segment="] * alone, "frame.tz_localize('Europe/Paris', ambiguous='infer')"),
            shell=remedy.format(*["--segment"] * alone, "an offset, as in 02:30:00+01:00,"),
        )


def _split(order: Ints, run: Ints, when: Array, notes: list[str]) -> Order:
    """Segments end at gaps, where the steps are regular enough for longer ones to be gaps."""
    inside = np.diff(run) == 0
    steps = np.diff(when)
    own = steps[inside]
    first = np.searchsorted(run, run)
    if not len(own):
        return Order(order, run, np.zeros(len(run), np.int64), tuple(notes))
    usual = float(np.median(own))
    alike = np.abs(own / usual - 1.0) <= ALIKE
    if alike.mean() < REGULAR:
        notes.append(
            f"the steps between rows vary from {own.min():g} to {own.max():g}{_unit(when[0])}; they are read as equal "
            "(resample to equal steps first if lags are to mean times)"
        )
        return Order(order, run, np.arange(len(run)) - first, tuple(notes))
    gap = inside & (steps > 1.5 * usual)
    if gap.any():
        longest = int(np.argmax(np.where(gap, steps, 0.0)))
        notes.append(
            f"{int(gap.sum())} gap{'s' if gap.sum() > 1 else ''} between rows, the longest of {steps[longest]:g}{_unit(when[0])} "
            f"after {_told(when[longest])} (the usual step is {usual:g}); no lag reaches across"
        )
    segment = np.concatenate([[0], np.cumsum(gap | ~inside)])
    step = np.rint((when - when[first]) / usual).astype(np.int64)
    return Order(order, segment.astype(np.int64), step, tuple(notes))


def _told(when: float) -> str:
    """A time: a date where the number can be one of our days in seconds."""
    return str(pd.Timestamp(when, unit="s")) if _unit(when) else f"{when:g}"


def _unit(when: float) -> str:
    """Of steps from this time: seconds where it is a date."""
    return " s" if 1e8 < abs(when) < 1e11 else ""
