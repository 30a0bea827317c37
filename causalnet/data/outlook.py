"""How data are read, before anything is learnt: every column, what was guessed, what stands in the way, what to write."""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base.asked import asks
from ..base.checks import instance, known, names
from ..errors import CausalnetError, DataError, UnknownNameError
from .events import Events
from .findings import Findings, Trouble
from .frames import as_frame
from .kinds import is_data
from .logs import hint_of_log, is_log, read_events
from .reading import STDIN, read_frame
from .series import Series
from .steps import time_columns
from .tables import Table, asked_regimes, survey

UNITS = "kg g mg ml l km m cm mm s sec ms min h hz khz mhz c f k pct percent usd eur gb mb"
UNIT = re.compile(rf"[\[(]([^)\]]{{1,12}})[\])]\s*$|_({'|'.join(UNITS.split())})$", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnLook:
    """One column. kind: "continuous", "discrete", "left out" or "not read"; levels, low, high None where they say nothing."""

    name: str
    kind: str
    levels: int | None = None
    low: float | str | None = None
    high: float | str | None = None
    missing: int = 0
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, repr=False)
class Look:
    """What :func:`look` found. kind: of the data, "" where something stands in the way; ``frame`` has a row a column.

    notes: what was decided, as sentences. troubles: what stands in the way, each with what to write in a program and in
    the shell.
    """

    source: str
    kind: str
    n: int
    columns: tuple[ColumnLook, ...]
    notes: tuple[str, ...]
    troubles: tuple[Trouble, ...]

    @property
    def ready(self) -> bool:
        """True when nothing stands in the way of discovery."""
        return not self.troubles

    def frame(self) -> pd.DataFrame:
        """A fresh DataFrame with a row for each column."""
        return pd.DataFrame([asdict(column) for column in self.columns], columns=list(ColumnLook.__annotations__))

    def to_dict(self) -> dict[str, Any]:
        """Plain, JSON-able form."""
        troubles = [{"what": t.text, "python": t.python, "shell": t.shell} for t in self.troubles]
        return {**asdict(self), "troubles": troubles, "notes": list(self.notes), "ready": self.ready}

    def __repr__(self) -> str:
        head = f"{self.source}: {self.n} {'events' if self.kind == 'events' else 'rows'}"
        head += f", {self.kind or 'not ready for discovery'}"
        grid: list[tuple[str, ...]] = [("column", "kind", "levels", "from", "to", "missing", "unit")]
        grid += [
            (c.name, c.kind, *map(shown, (c.levels, c.low, c.high, c.missing or None)), c.unit) for c in self.columns
        ]
        widths = [max(len(row[k]) for row in grid) for k in range(len(grid[0]))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in grid]
        told = [f"read: {text}" for text in self.notes]
        for trouble in self.troubles:
            told.append(f"in the way: {trouble.text}" + (f"; {trouble.python}" if trouble.python else ""))
        return "\n".join([head, *lines, *told])


def shown(value: Any) -> str:
    """A cell of the printed table."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


@asks("regime", "time", "segment")
def look(
    data: Any,
    *,
    discrete: Sequence[str] | bool | None = None,
    continuous: Sequence[str] | None = None,
    missing: Sequence[Any] = (),
    drop: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    unit: str | None = None,
    duration_unit: str | None = None,
    skip_bad_rows: int = 0,
    regime: str | None = None,
    targets: Mapping[Any, Any] | None = None,
    time: str | None = None,
    segment: str | None = None,
    topology: Any = None,
) -> Look:
    """How a file, a frame or data of any kind is read, what was guessed, and what stands in the way of discovery.

    Reads through the same door as ``discover``; nothing is refused here but an unreadable file or a wrong option.
    discrete, continuous, missing: as for :func:`as_table`. regime, targets: as there. drop: columns to leave out. columns, unit,
    duration_unit, skip_bad_rows, topology: as for :func:`read_events`. time, segment: the columns of a series that hold its times and its runs (:class:`Series`).
    """
    instance("columns", columns, (Mapping, type(None)), "a dict such as {'event': 'AlarmName', 'timestamp': 'When'}")
    if isinstance(data, Series):
        return _of_series(data, "data", {}, ())
    if isinstance(data, Events):
        return _of_events(data, "data", ())
    if isinstance(data, Table):
        found = Findings(notes=list(data.notes))
        found.keep(data.columns, data.levels, data.values)
        return _of_table(data, found, "data", data.n)
    if is_data(data):
        return Look("data", data.kind, data.n, tuple(ColumnLook(name, data.kind) for name in data.columns), (), ())
    source, hint = "data", ""
    if isinstance(data, str | Path):
        source = "standard input" if str(data) == STDIN else Path(data).name
        frame = read_frame(data)
        if columns or (is_log(frame.columns) and time is None and segment is None):
            how = {"unit": unit, "duration_unit": duration_unit, "skip_bad_rows": skip_bad_rows, "topology": topology}
            return _look_at_log(data, source, len(frame), {"columns": columns, **how})
        data, hint = frame, hint_of_log(frame.columns)
    elif columns:
        raise DataError(
            "columns names those of the file of an event log; rename those of a frame, and pass Events(frame)"
        )
    frame = as_frame(data, None)
    for name in (drop := names("drop", drop)):
        known(name, map(str, frame.columns), f"drop names {name!r}, which is not a column")
    data = frame.loc[:, [str(name) not in drop for name in frame.columns]]
    if time is not None or segment is not None:
        if regime is not None or discrete:
            raise DataError("a series holds numbers of one run or of several, and takes neither regime= nor discrete=")
        return _look_at_series(data, source, time, segment, missing)
    table, found = survey(data, None, discrete, continuous, missing, asked_regimes(regime, targets))
    shown = _of_table(table, found, source, len(data) if table is None else table.n)
    return replace(shown, notes=(*shown.notes, *filter(None, [hint]), *_times_told(data)))


def _times_told(data: Any) -> list[str]:
    """How the rows may be read in order of time, where something holds times."""
    if not isinstance(data, pd.DataFrame):
        return []
    if isinstance(data.index, pd.DatetimeIndex | pd.PeriodIndex):
        return [
            "the index holds times: Series(frame) reads the rows in their order, for methods with lags such as pcmci"
        ]
    return [
        f"column {name!r} seems to hold the times of the rows: Series(frame, time={name!r}), in the shell --time "
        f"{shlex.quote(name)}, reads them in that order, for methods with lags such as pcmci"
        for name in time_columns(data)[:1]
    ]


def _look_at_series(data: Any, source: str, time: str | None, segment: str | None, missing: Sequence[Any]) -> Look:
    """A frame as a series: its times, its runs, and what was found of order, gaps and steps."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            series = Series(data, time, segment, missing=missing)
        except UnknownNameError:
            raise
        except CausalnetError as error:
            return Look(source, "", len(data), (), (), (Trouble(*error.parts),))
    told = dict.fromkeys([*series.notes, *(str(w.message) for w in caught)])
    apart = {name: data[name] for name in (time, segment) if name is not None}
    roles = {name: "time" if name == time else "segment" for name in apart}
    cells = {}
    for name, column in apart.items():
        low, high = map(str, _ends(column))
        cells[name] = ColumnLook(name, roles[name], None if name == time else int(column.nunique()), low, high)
    return _of_series(series, source, cells, tuple(told))


def _ends(column: pd.Series) -> tuple[Any, Any]:
    seen = column.dropna()
    try:
        return seen.min(), seen.max()
    except TypeError:
        return seen.iloc[0], seen.iloc[-1]


def _of_series(series: Series, source: str, apart: Mapping[str, ColumnLook], notes: tuple[str, ...]) -> Look:
    seen = list(apart.values())
    for name, column in zip(series.columns, series.values.T, strict=True):
        gone = np.isnan(column)
        kind = "clock" if name in series.clocks else "continuous"
        low, high = float(column[~gone].min()), float(column[~gone].max())
        seen.append(ColumnLook(name, kind, None, low, high, int(gone.sum()), _unit(name)))
    length = np.bincount(series.segment)
    runs = (
        f"in {series.segments} stretches of {' to '.join(map(str, sorted({length.min(), length.max()})))} rows"
        if len(length) > 1
        else "in one stretch"
    )
    told = notes or series.notes
    return Look(source, "series", series.n, tuple(seen), (f"{series.n} rows in order of time, {runs}", *told), ())


def _of_table(table: Table | None, found: Findings, source: str, n: int) -> Look:
    by_name = {note.column: note for note in found.notes}
    seen = []
    for read in found.read:
        levels = read.levels
        low, high = (read.low, read.high) if levels is None else (str(levels[0]), str(levels[-1]))
        note = by_name.get(read.name)
        kind = "continuous" if levels is None else "discrete"
        count = None if levels is None else len(levels)
        seen.append(
            ColumnLook(read.name, kind, count, low, high, read.missing, _unit(read.name), note.text if note else "")
        )
    there = {column.name for column in seen}
    regime = None if table is None or table.regimes is None else table.regimes
    for note in (note for note in found.notes if note.left_out):
        told = regime is not None and note.column == regime.column
        kind, count = ("regime", len(regime.labels)) if regime is not None and told else ("left out", None)
        seen.append(ColumnLook(note.column, kind, count, note=note.text))
    left = {column.name for column in seen}
    seen += [ColumnLook(name, "not read") for name in found.names if name not in there | left]
    notes = [note.text + (f"; {note.shell}" if note.shell else "") for note in found.notes]
    if table is not None:
        notes += [f"{text}; not every method takes that" for text in table.demands.values()]
    return Look(source, "" if table is None else table.kind, n, tuple(seen), tuple(notes), tuple(found.troubles))


def _look_at_log(path: Any, source: str, rows: int, how: dict[str, Any]) -> Look:
    """A file as an event log; how: the arguments of :func:`read_events`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            log = read_events(path, **how)
        except CausalnetError as error:
            return Look(source, "", rows, (), (), (Trouble(*error.parts),))
    return _of_events(log, source, tuple(dict.fromkeys(str(w.message) for w in caught)))


def _of_events(log: Events, source: str, notes: tuple[str, ...]) -> Look:
    low, high = (float(log.time[0]), float(log.time[-1]))
    seen = [
        ColumnLook("event", "discrete", log.d, log.types[0], log.types[-1]),
        ColumnLook("timestamp", "continuous", None, low, high, unit="s"),
        ColumnLook("device", "discrete", len(log.devices), log.devices[0], log.devices[-1]),
    ]
    if log.duration is not None:
        low, high = float(np.min(log.duration)), float(np.max(log.duration))
        seen.append(ColumnLook("duration", "continuous", None, low, high, unit="s"))
    return Look(source, "events", log.n, tuple(seen), notes, ())


def _unit(name: str) -> str:
    """The unit that a column's name seems to give."""
    found = UNIT.search(name)
    return "" if found is None else (found[1] or found[2])
