"""Events from a file that grows, or from standard input: whole lines as they come, and what each of them says."""

from __future__ import annotations

import io
import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ..base.checks import one_of
from ..data.json_rows import objects_of
from ..data.log_words import ALIASES, ENDS, STATES, called
from ..data.logs import event_columns, no_events
from ..data.times import FROM, UNITS
from ..errors import DataError

MARKS = ",;\t|"  # the first that a header has most of separates values
PIECE = 1 << 21  # bytes that are read at once
POLL = 0.2  # seconds between looks at a source that shows nothing new


class Piece(NamedTuple):
    """Whole lines, none while nothing comes; and the place in the source after them."""

    lines: bytes
    offset: int


def pieces(source: Path, offset: int, follow: bool, stopped: Callable[[], bool]) -> Iterator[Piece]:
    """Whole lines of the file from ``offset`` on, or of standard input ("-"), until it ends or ``stopped``.

    follow: a file is waited for when it shows nothing new; its last line counts once it ends in a newline. Otherwise it
    ends where it ends. An empty piece is given after every look in vain.
    """
    plain = str(source) != "-"
    with source.open("rb") if plain else io.FileIO(sys.stdin.fileno(), closefd=False) as file:
        if plain:
            if os.fstat(file.fileno()).st_size < offset:
                raise DataError(
                    f"{source.name} is shorter than what was read of it before: it was cut or replaced; give the file that "
                    "the state watched, or another --state"
                )
            file.seek(offset)
        rest = b""
        while not stopped():
            if not plain and not select.select([file], [], [], POLL)[0]:
                yield Piece(b"", offset)
                continue
            new = file.read(PIECE) or b""
            if new:
                lines, newline, rest = (rest + new).rpartition(b"\n")
                offset += len(lines) + len(newline)
                yield Piece(lines + newline, offset)
            elif plain and follow:
                if os.fstat(file.fileno()).st_size < offset:
                    raise DataError(
                        f"{source.name} became shorter while it was watched: it was cut or replaced; start again"
                    )
                yield Piece(b"", offset)
                time.sleep(POLL)
            else:
                if rest:
                    yield Piece(rest, offset + len(rest))
                return


class Lines:
    """What lines of separated values say, under the header that comes first, or lines of JSON, whose first object names the
    columns; spoilt ones are counted.

    columns: which column holds the event, timestamp and device. unit: of times that are numbers. before: "header", "mark",
    "spoilt" and "cleared" of what was read of the stream before. mark: what separates values; "{" for an object a line.
    cleared: so many lines said that an alarm cleared, or only how it stands, and are no events.
    """

    def __init__(
        self, name: str, columns: Mapping[str, str], unit: str | None = None, before: Mapping[str, Any] | None = None
    ) -> None:
        known = before or {}
        self.name, self.columns = name, columns
        self.header: list[str] | None = known.get("header")
        self.mark: str = known.get("mark", ",")
        self.spoilt: int = known.get("spoilt", 0)
        self.cleared: int = known.get("cleared", 0)
        self.scale = UNITS[one_of("unit", unit, UNITS)] if unit is not None else 1
        self.told = unit is not None

    def read(self, lines: bytes) -> pd.DataFrame:
        """A frame of event, timestamp (seconds) and device."""
        file = io.BytesIO(lines)
        if self.header is None:
            first = file.readline().decode("utf-8-sig", "replace")
            self.mark = "{" if first.lstrip().startswith("{") else max(MARKS, key=first.count)
            if self.mark == "{":  # the first object names the columns: others would depend on how the stream is cut
                self.header = list(next((row for row in objects_of(first.encode()) if row is not None), {}))
                file.seek(0)
            else:
                self.header = [word.strip().strip('"') for word in first.split(self.mark)]
        took = event_columns(self.header, self.name, self.columns)
        body = file.read()
        if not body.strip():
            return pd.DataFrame({"event": [], "timestamp": [], "device": []})
        rows, frame = self._objects(body, took) if self.mark == "{" else self._values(body, took)
        ended = no_events(frame)
        frame = frame[list(ALIASES)].assign(timestamp=self._seconds(frame["timestamp"]))
        good = frame.notna().all(axis=1)
        self.spoilt += rows - int(good.sum())
        self.cleared += int((good & ended).sum())
        return frame[good & ~ended]

    def _values(self, body: bytes, took: Mapping[str, str]) -> tuple[int, pd.DataFrame]:
        """How many rows there are, and those that can be read."""
        assert self.header is not None
        said = _of_states(self.header, took)
        try:
            frame = pd.read_csv(
                io.BytesIO(body), header=None, names=self.header, index_col=False, dtype=str, on_bad_lines="skip",
                usecols=[*took.values(), *said], encoding_errors="replace", sep=self.mark,
            )  # fmt: skip
        except (ValueError, pd.errors.ParserError) as error:
            raise DataError(f"{self.name} cannot be read as lines of {', '.join(self.header)}: {error}") from error
        rows = body.count(b"\n") + (not body.endswith(b"\n"))
        return rows, pd.DataFrame({role: frame[column] for role, column in took.items()} | {c: frame[c] for c in said})

    def _objects(self, body: bytes, took: Mapping[str, str]) -> tuple[int, pd.DataFrame]:
        """The same of lines of JSON."""
        found = [{} if row is None else row for row in objects_of(body)]
        keys = list(dict.fromkeys(key for row in found for key in row))
        wanted = {**took, **{key: key for key in _of_states(keys, took)}}
        frame = pd.DataFrame({role: [row.get(key) for row in found] for role, key in wanted.items()}, dtype=object)
        return len(found), frame.where(frame.isna(), frame.astype(str))

    def _seconds(self, column: pd.Series) -> pd.Series:
        found = pd.to_numeric(column, errors="coerce").astype("float64")
        if found.notna().any():
            if not self.told and found.abs().max() > FROM["ms"]:
                raise DataError(
                    f"the times of {self.name} are too large for seconds ({found.abs().max():g}); say --unit ms"
                )
            found = found.where(found.abs() < float("inf"))
            return found / self.scale
        stamps = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
        return (stamps - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


def _of_states(columns: list[str], took: Mapping[str, str]) -> list[str]:
    """The columns that may say how an alarm stands or when it ended, beside those of the event."""
    return [name for name in called(columns, (*STATES, *ENDS)) if name not in (*took.values(), *ALIASES)]
