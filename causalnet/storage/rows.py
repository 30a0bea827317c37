"""Rows in a CSV file that come back as what they were: whole numbers, floats, True, False and None, and columns of text.

A file does not tell the text "12" from the number: which columns hold text is what their dataclass says, and all others
hold none. Any reader of CSV finds what it expects.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..base.text import guarded, unguarded
from ..errors import CausalnetError, DataError
from .files import sentence, write_all, write_atomic
from .folder import alone_in

Row = dict[str, Any]
WAIT = 30.0  # seconds that a run waits for another one to write its rows

_WORDS = {"": None, "True": True, "False": False}


def plain(value: Any) -> Any:
    """A cell's value as it comes back: numbers of numpy as Python's; DataError for what is no cell."""
    if isinstance(value, np.bool_ | np.integer | np.floating | np.str_):
        value = value.item()
    if value is not None and not isinstance(value, bool | int | float | str):
        raise DataError(f"a row holds {value!r}; a cell is a whole number, a float, True, False, None or text")
    if isinstance(value, str) and "\r" in value.replace("\r\n", ""):
        raise DataError(f"a row holds {value!r}, a text with a carriage return; end its lines with \\n")
    return value


def _typed(text: str) -> Any:
    """What a cell stands for in a column without text; ValueError for anything else."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text)
    except ValueError:
        return float(text)


class Found(NamedTuple):
    """What a file holds."""

    columns: list[str]
    rows: list[Row]
    torn: bool  # its last line was cut short, and is left out


def read_rows(path: str | Path, texts: Iterable[str] = ()) -> Found:
    """The whole rows of a file; a last line that a killed process left unfinished is no row. DataError if it is damaged.

    texts: the columns that hold text.
    """
    path, texts, lines = Path(path), frozenset(texts), []
    try:
        data = path.read_bytes()
        end = data.rfind(b"\n") + 1
        for cells in csv.reader(io.StringIO(data[:end].decode("utf-8"), newline=""), strict=True):
            lines.append(cells)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is damaged, or is no table of rows: {error}") from error
    except csv.Error as error:
        if str(error) != "unexpected end of data":  # inside quotation marks: a text was cut short
            raise DataError(f"{path} is damaged: line {len(lines) + 1}: {error}") from error
        end = -1
    columns, rows = lines[0] if lines else [], []
    for number, cells in enumerate(lines[1:], 2):
        if len(cells) != len(columns):
            raise DataError(f"{path} is damaged: line {number} has {len(cells)} cells for {len(columns)} columns")
        try:
            rows.append(
                {n: unguarded(cell) if n in texts else _typed(cell) for n, cell in zip(columns, cells, strict=True)}
            )
        except ValueError as error:
            raise DataError(f"{path} is damaged: line {number}: {error}") from error
    return Found(columns, rows, end < len(data))


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
        if found.columns not in ([], self.columns):
            raise DataError(f"{self.path} has other columns than {', '.join(self.columns)}; choose another folder")
        return found

    def replace(self, rows: Iterable[Row]) -> None:
        """Write all rows anew: the old file stays until the new one is complete."""
        write_atomic(self.path, _lines(([self.columns] if self.columns else []) + [self._cells(row) for row in rows]))

    def append(self, row: Row) -> None:
        """Add one row behind the whole ones; where that fails, the file is left as it was."""
        if not self._whole:
            found = self.read()
            if found.torn or not self.path.exists():
                self.replace(found.rows)
            self._whole = True
        data = _lines([self._cells(row)]).encode("utf-8")
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

    def _cells(self, row: Row) -> list[Any]:
        cells = {name: plain(row.get(name)) for name in self.columns}
        odd = [name for name, value in cells.items() if isinstance(value, str) and name not in self.texts]
        if odd:
            raise DataError(f"a row holds the text {cells[odd[0]]!r} as {odd[0]}, which is no column of text")
        return [guarded(value) if isinstance(value, str) else value for value in cells.values()]


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def sheet(frame: pd.DataFrame) -> str:
    """CSV text of a frame, its texts guarded: no spreadsheet computes them."""
    texts = [name for name, kind in frame.dtypes.items() if kind.kind not in "biufc"]
    safe = frame.assign(
        **{str(name): frame[name].map(lambda v: guarded(v) if isinstance(v, str) else v) for name in texts}
    )
    return safe.to_csv(index=False, lineterminator="\n")


class Table:
    """The results of a run in cells: the rows of a finished cell appear together or not at all, whatever ends the run.

    texts: see :func:`read_rows`. Several processes may add cells to one folder.
    """

    def __init__(self, folder: Path, columns: Sequence[str], texts: Iterable[str] = ()) -> None:
        self.path = folder / "results.csv"
        self._file = RowFile(self.path, ["cell", *columns], ["cell", *texts])
        with alone_in(folder, WAIT):
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
