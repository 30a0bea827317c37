"""Files of event logs: which column is which, rows that say raised and cleared, alarms still open, rows that are spoilt."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base.checks import instance, known, whole
from ..errors import DataError
from .ends import opened, until_last, with_days
from .events import Events, durations
from .log_words import (
    ALIASES,
    BARE,
    BETWEEN,
    CLEARED,
    ENDS,
    RAISED,
    SEVERITIES,
    STATES,
    VENDORS,
    WEAK,
    called,
    first_called,
    spelt,
)
from .numerals import to_numbers
from .reading import column_names, read_frame
from .times import seconds_and_unit
from .topology import as_topology, plain_names, stripped

NAMED = frozenset(spelt(name) for role in ("event", "device") for name in (*ALIASES[role], *VENDORS[role]))


def read_events(
    path: str | Path,
    topology: Any = None,
    event_types: Sequence[Any] | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    unit: str | None = None,
    duration_unit: str | None = None,
    skip_bad_rows: int = 0,
) -> Events:
    """Read an event log (.csv or .parquet). Known spellings of the columns are accepted (alarm_id, device_id, ...).

    topology: a networkx.Graph, a file, or links as :func:`causalnet.data.topology.as_topology` takes them.
    columns: which column of the file holds what, as in {"event": "AlarmName", "timestamp": "When", "device": "NE"}.
    unit: of times that are numbers ("s", "ms", "us", "ns"); None judges by their size and warns. duration_unit: that of
    durations, as in :class:`Events`. skip_bad_rows: so many
    rows without an event, a time or a device, or with more or fewer cells than the header, are left out, with a warning.
    Where a column says raised or cleared, each pair becomes one event with a duration. DataError for all else.
    """
    quota = whole("skip_bad_rows", skip_bad_rows, 0)
    frame = read_frame(_file(path), as_text=_names_devices, skip_bad_rows=quota)
    skipped = int(frame.attrs.get("skipped", 0))
    name = Path(path).name
    took = event_columns(column_names(frame), name, columns)
    log = pd.DataFrame({role: frame[column] for role, column in took.items()})
    log["timestamp"] = with_days(frame, took["timestamp"], took.get("device"))
    for role in ("event", "device"):
        log[role] = plain_names(stripped(log[role]))
    ends = first_called(frame.columns, ENDS)
    state = next((c for c in called(frame.columns, STATES) if c not in took.values() and _states(frame[c])), None)
    if "duration" in frame.columns:
        log["duration"] = frame["duration"]
    elif ends:
        log["_end"] = opened(frame[ends])
    if state is not None and "_end" in log and _tells_ends(frame[state], log["_end"]):
        _warn(f"columns {state!r} and {ends!r} say how each alarm stands and when it ended: every row is one alarm")
    elif state is not None:
        log["_state"] = frame[state]
    log = _without_bad(log, name, quota, skipped, unit)
    n = len(log)
    if n > 1 and log["event"].astype(str).nunique() == 1:
        _warn(
            f"every event is called {log['event'].iloc[0]!r} (column {took['event']!r}); where another column names them, say "
            "which: columns={'event': ...} (--event-column NAME)"
        )
    moments = log["timestamp"].rename(took["timestamp"])
    if "_end" in log:
        moments = pd.concat([moments, log.pop("_end")], ignore_index=True).rename(took["timestamp"])
    times, found = seconds_and_unit(moments, unit)
    log["timestamp"] = times[:n]
    if "duration" in log:
        span = float(times.max() - times.min()) if n else 0.0
        log["duration"] = durations(log["duration"], duration_unit, found, span)
    if len(times) > n:
        log["duration"] = until_last(times[n:], times[:n])
    if "_state" in log:
        log = _paired(log, str(state))
    topology = as_topology(topology, log["device"])
    return Events(log, topology, event_types, unit="s")


def _file(path: Any) -> Any:
    """The path as it is; a frame is a log without being read."""
    if isinstance(path, pd.DataFrame):
        raise DataError("path is a frame; one with the columns event, timestamp and device is a log by Events(frame)")
    return path


def event_columns(columns: Sequence[str], file: str, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which column holds the event, the timestamp and the device; DataError where none or several may.

    Exact spellings come first, then other cases of them, then names that vendors use.
    """
    instance("columns", given, (Mapping, type(None)), "a dict such as {'event': 'AlarmName', 'timestamp': 'When'}")
    given = dict(given or {})
    for role, column in given.items():
        known(role, ALIASES, f"columns names {role!r}, and an event log has event, timestamp and device")
        known(column, columns, f"the {role} column {column!r} is not in {file}")
    took = {}
    for role, spellings in ALIASES.items():
        if role in given:
            took[role] = given[role]
            continue
        found = [s for s in spellings if s in columns] or called(columns, spellings) or called(columns, VENDORS[role])
        if not found and role == "event" and called(columns, ENDS):
            found = called(columns, BARE)[:1]
        if role not in found:
            found = [name for name in found if spelt(name) not in map(spelt, WEAK)] or found
        if not found:
            raise DataError(
                f"{file} has no {role} column (looked for {', '.join(spellings)}) among: {', '.join(columns)}; "
                f"rename the one that holds it to {role!r}"
                + (", or add one that says the same in every row, if all is of one device" if role == "device" else ""),
                python=f"or pass columns={{{role!r}: ...}}",
                shell=f"or name it: --{'time' if role == 'timestamp' else role}-column NAME",
            )
        if len(found) > 1 and found[0] != role:
            raise DataError(
                f"{file} has several columns that may hold the {role}: {', '.join(found)}; "
                f"rename the right one to {role!r}",
                python=f"or pass columns={{{role!r}: {found[0]!r}}}",
                shell=f"or name it: --{'time' if role == 'timestamp' else role}-column {found[0]}",
            )
        took[role] = found[0]
    return took


def is_log(columns: Iterable[str]) -> bool:
    """Do the columns name an event, a timestamp and a device each?"""
    try:
        return bool(event_columns([str(c) for c in columns], ""))
    except DataError:
        return False


def _names_devices(name: str) -> bool:
    return spelt(name) in NAMED


def hint_of_log(columns: Iterable[str]) -> str:
    """A sentence where a time and an event or a device are called as in an event log, and the others are not; else ""."""
    columns = [str(c) for c in columns]
    found = {role: called(columns, (*ALIASES[role], *VENDORS[role])) for role in ALIASES}
    if not found["timestamp"] or not (found["event"] or found["device"]):
        return ""
    names = ", ".join(repr(name) for some in found.values() for name in some[:1])
    return (
        f"it is read as a table, and {names} are called as in an event log; if it is one, it tells the event, the time and the device of each row: name the columns, columns={{'event': ...}}, "
        "in the shell --event-column, --time-column, --device-column"
    )


def _states(column: pd.Series) -> bool:
    """Does a column say raised and cleared, or how severe an alarm is and that it cleared?"""
    words = {str(v).strip().lower() for v in column.dropna().unique()[:20]}
    strange = words - RAISED - CLEARED - SEVERITIES - BETWEEN
    if (len(words) == 2 and strange == words) or (strange and words & RAISED and words & CLEARED):
        _warn(
            f"column {column.name!r} holds {' and '.join(sorted(words)[:5])}, and every row is read as an event of its own; if it says whether "
            "an alarm was raised or cleared, write raised and cleared"
        )
    return bool(words & CLEARED) and bool(words - CLEARED - BETWEEN) and not strange


def no_events(rows: pd.DataFrame) -> pd.Series:
    """(n,) which rows of a stream only say that an alarm cleared, or how it stands; a row that tells its end is a whole alarm.

    A row is judged by itself, so that the answer is the same however the stream is cut.
    """
    ended, whole_alarm = pd.Series(False, rows.index), pd.Series(False, rows.index)
    for name in called(rows.columns, STATES):
        words = rows[name].astype("string").str.strip().str.lower()
        ended |= words.isin(CLEARED | BETWEEN).to_numpy(dtype=bool, na_value=False)
    for name in called(rows.columns, ENDS):
        whole_alarm |= opened(rows[name]).notna().to_numpy()
    return ended & ~whole_alarm


def _tells_ends(state: pd.Series, ends: pd.Series) -> bool:
    """Do the rows that say cleared tell an end each, so that a row is a whole alarm?"""
    cleared = state.astype("string").str.strip().str.lower().isin(CLEARED).to_numpy(dtype=bool, na_value=False)
    return bool(ends[cleared].notna().mean() > 0.5)


def _without_bad(log: pd.DataFrame, name: str, quota: int, skipped: int, unit: str | None) -> pd.DataFrame:
    """The log without rows that lack an event, a time or a device, as many as the quota allows."""
    bad = log[list(ALIASES)].isna().any(axis=1).to_numpy(copy=True)
    if quota:
        stamp = log["timestamp"]
        if not pd.api.types.is_numeric_dtype(stamp.dtype) and not pd.api.types.is_datetime64_any_dtype(stamp.dtype):
            numbers = to_numbers(stamp)
            dates = pd.to_datetime(stamp, format="ISO8601", errors="coerce", utc=True)
            good = numbers if numbers.notna().sum() >= dates.notna().sum() else dates
            bad |= good.isna().to_numpy()
            log = log.assign(timestamp=good)
    count = int(bad.sum()) + skipped
    if count and count > quota:
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(bad)[:5])
        empty = ", ".join(repr(c) for c in ALIASES if log[c].isna().any())
        raise DataError(
            f"{name}: {count} rows lack an event, a time or a device or cannot be read (rows {rows}; column {empty} is "
            f"empty in row {rows.split(',')[0]}); fill them in or drop them",
            python=f"skip_bad_rows={count} leaves them out",
            shell=f"--skip-bad-rows {count} leaves them out",
        )
    if count:
        _warn(f"{name}: {count} rows that cannot be read were left out")
    return log[~bad].reset_index(drop=True) if bad.any() else log


def _paired(log: pd.DataFrame, state: str) -> pd.DataFrame:
    """Rows raised and cleared as one event with a duration: first raised, first cleared, within a type and a device."""
    words = log.pop("_state").astype("string").str.strip().str.lower()
    between = words.isin(BETWEEN).to_numpy(dtype=bool, na_value=False)
    log, words = log[~between].reset_index(drop=True), words[~between].reset_index(drop=True)
    time = log["timestamp"].to_numpy()
    end = np.full(len(log), np.nan)
    waiting: dict[tuple[Any, Any], deque[int]] = {}
    lost = 0
    raised = ~words.isin(CLEARED).to_numpy(dtype=bool, na_value=False)
    keys = list(zip(log["event"], log["device"], strict=True))
    for row in np.lexsort((~raised, time)):
        if raised[row]:
            waiting.setdefault(keys[row], deque()).append(int(row))
        elif waiting.get(keys[row]):
            end[waiting[keys[row]].popleft()] = time[row]
        else:
            lost += 1
    others = f"; {int(between.sum())} rows that do neither are left out" if between.any() else ""
    _warn(
        f"column {state!r} says raised or cleared: {int(raised.sum())} events were raised, {int((~np.isnan(end)).sum())} "
        f"cleared, and the rows that clear are no events of their own{f' ({lost} clear nothing)' if lost else ''}{others}"
    )
    if not raised.any():
        raise DataError(f"column {state!r} says cleared in every row, and no row raises an alarm")
    kept = log[raised].reset_index(drop=True)
    last = float(time.max())
    kept["duration"] = np.where(np.isnan(end[raised]), last, end[raised]) - time[raised]
    return kept


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)
