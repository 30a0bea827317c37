"""Rows in a CSV file that come back as what they were: whole numbers, floats, True, False, None and text.

A text is written bare, and quoted where it would otherwise come back as something else ("12", "nan", "", "a, b"): any
reader of CSV finds what it expects, and this one the types too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import CausalnetError, DataError
from .files import sentence, write_all, write_atomic
from .folder import RunFolder, alone_in

Row = dict[str, Any]
WAIT = 30.0  # seconds that a pipeline waits for another one to write its row

_WORDS = {"": None, "True": True, "False": False}
_FIELD = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n)')
_UNCLOSED = re.compile(r'"[^"]*(?:""[^"]*)*')


# ---- cells and lines ----------------------------------------------------------------------------------------------


def line(cells: Iterable[Any]) -> str:
    """Cells as a line of CSV; DataError for what would not come back."""
    return ",".join(map(_written, cells)) + "\n"


def plain(value: Any) -> Any:
    """A cell's value as it comes back: numbers of numpy as Python's; DataError for what is no cell."""
    if isinstance(value, np.bool_ | np.integer | np.floating | np.str_):
        value = value.item()
    if value is not None and not isinstance(value, bool | int | float | str):
        raise DataError(f"a row holds {value!r}; a cell is a whole number, a float, True, False, None or text")
    return value


def _written(value: Any) -> str:
    value = plain(value)
    if not isinstance(value, str):
        return "" if value is None else repr(value)
    bare = _typed(value) == value and not any(mark in value for mark in '",\r\n')
    return value if bare else '"' + value.replace('"', '""') + '"'


def _typed(text: str) -> Any:
    """What a cell without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _split(path: Path, text: str) -> tuple[list[list[tuple[str, bool]]], bool]:
    """The cells of each whole line as (text, was it quoted), and whether a quoted text at the end was cut short."""
    lines: list[list[tuple[str, bool]]] = []
    cells: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        found = _FIELD.match(text, at)
        if found is None:
            if _UNCLOSED.fullmatch(text, at):
                return lines, True
            raise DataError(f"{path} is damaged: line {len(lines) + 1} has a quotation mark inside a cell")
        quoted, bare, end = found.groups()
        cells.append((bare, False) if quoted is None else (quoted.replace('""', '"'), True))
        at = found.end()
        if end != ",":
            lines.append(cells)
            cells = []
    return lines, False


# ---- files ----------------------------------------------------------------------------------------------------------


class Found(NamedTuple):
    """What a file holds."""

    columns: list[str]
    rows: list[Row]
    torn: bool  # its last line was cut short, and is left out


def read_rows(path: str | Path, texts: Iterable[str] = ()) -> Found:
    """The whole rows of a file; a last line that a killed process left unfinished is no row. DataError if it is damaged.

    texts: columns of nothing but text. Only files of 0.1.0 need them, where "12" and "" stand without quotes.
    """
    path, texts = Path(path), frozenset(texts)
    try:
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        lines, torn = _split(path, data[:end].decode("utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is damaged, or is no table of rows: {error}") from error
    columns = [text for text, _ in lines[0]] if lines else []
    for number, cells in enumerate(lines, 1):
        if len(cells) != len(columns):
            raise DataError(f"{path} is damaged: line {number} has {len(cells)} cells for {len(columns)} columns")
    rows = [
        {
            name: text if quoted or name in texts else _typed(text)
            for name, (text, quoted) in zip(columns, cells, strict=True)
        }
        for cells in lines[1:]
    ]
    return Found(columns, rows, torn or end < len(data))


class RowFile:
    """A CSV file of rows with the same columns, replaced whole or appended to; rows may lack a column (None)."""

    def __init__(self, path: str | Path, columns: Sequence[str], texts: Iterable[str] = ()) -> None:
        self.path, self.columns, self.texts = Path(path), list(columns), frozenset(texts)
        self._whole = False  # it ends with a whole line, as far as this object has looked

    def read(self) -> Found:
        """Its whole rows, none where there is no file; DataError if it has other columns."""
        if not self.path.exists():
            return Found(self.columns, [], torn=False)
        found = read_rows(self.path, self.texts)
        if found.columns != self.columns and (found.columns or found.rows):
            raise DataError(f"{self.path} has other columns than {', '.join(self.columns)}; choose another folder")
        return found

    def replace(self, rows: Iterable[Row]) -> None:
        """Write all rows anew: the old file stays until the new one is complete."""
        write_atomic(self.path, line(self.columns) + "".join(self._line(row) for row in rows))

    def append(self, row: Row) -> None:
        """Add one row behind the whole ones; where that fails, the file is left as it was."""
        if not self._whole:
            found = self.read()
            if found.torn or not self.path.exists():
                self.replace(found.rows)
            self._whole = True
        data = self._line(row).encode("utf-8")
        try:
            with self.path.open("ab", buffering=0) as file:
                before = file.tell()
                try:
                    write_all(file.fileno(), data)
                except OSError:
                    os.truncate(self.path, before)
                    raise
        except OSError as error:
            raise CausalnetError(sentence(self.path, error)) from error

    def _line(self, row: Row) -> str:
        return line(row.get(name) for name in self.columns)


# ---- the table of a pipeline ----------------------------------------------------------------------------------------


class Table:
    """results.csv of a pipeline: the rows of a finished cell appear together or not at all, whatever ends the run.

    quick: noted in plan.json, so that quick runs and full ones never mix. texts: see :func:`read_rows`. Several processes
    may add cells to one folder.
    """

    def __init__(
        self, folder: Path, columns: Sequence[str], quick: bool | None = None, texts: Iterable[str] = ()
    ) -> None:
        self.path = folder / "results.csv"
        self._file = RowFile(self.path, ["cell", *columns], ["cell", *texts])
        with alone_in(folder, WAIT):
            plan = _plan(folder)
            if quick is not None and not plan.holds({"quick": quick}, foreign=()):
                plan.tell({"quick": quick})
            self.rows = self._read()

    def _read(self) -> list[Row]:
        found = self._file.read()
        if found.torn and found.rows:  # only another program tears this file: the cell it touched is run again
            return [row for row in found.rows if row["cell"] != found.rows[-1]["cell"]]
        return found.rows

    def has(self, cell: str) -> bool:
        """Are the rows of this cell there?"""
        return any(row["cell"] == cell for row in self.rows)

    def add(self, cell: str, rows: Sequence[Row]) -> None:
        """Keep the rows of one finished cell: the file is replaced whole."""
        new = [{name: plain({"cell": cell, **row}.get(name)) for name in self._file.columns} for row in rows]
        with alone_in(self.path.parent, WAIT):
            self.rows = [row for row in self._read() if row["cell"] != cell] + new
            self._file.replace(self.rows)

    def numbers(self, column: str, **key: Any) -> list[float]:
        """The values of a column over the rows with this key."""
        rows = [row for row in self.rows if all(row[name] == value for name, value in key.items())]
        return [float(row[column]) for row in rows if row[column] is not None]


def _plan(folder: Path) -> RunFolder:
    return RunFolder(folder, "plan.json", "causalnet.pipeline/1", unmarked=True)


def is_quick(folder: Path) -> bool:
    """Does this folder hold a quick run?"""
    return bool((_plan(folder).told() or {}).get("quick"))
