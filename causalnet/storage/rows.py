"""Rows of a run that may be stopped at any time: those of a finished cell appear together or not at all."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Table:
    """results.csv of a pipeline: the rows of a finished cell appear together or not at all, whatever ends the run."""

    def __init__(self, folder: Path, columns: Sequence[str], quick: bool | None = None) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SystemExit(f"{folder} cannot be made: {error.strerror}; choose another --out") from error
        if quick is not None:
            _claim(folder, quick)
        self.path, self.columns = folder / "results.csv", ["cell", *columns]
        self.rows: list[Row] = []
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                self.rows = list(reader)
            if reader.fieldnames != self.columns:
                raise SystemExit(f"{self.path} has other columns than this pipeline writes; choose another --out")

    def has(self, cell: str) -> bool:
        """Are the rows of this cell there?"""
        return any(row["cell"] == cell for row in self.rows)

    def add(self, cell: str, rows: Sequence[Row]) -> None:
        """Keep the rows of one finished cell: the file is replaced whole."""
        for row in rows:
            full = {"cell": cell, **row}
            self.rows.append({c: "" if full.get(c) is None else str(full[c]) for c in self.columns})
        new = self.path.with_suffix(".new")
        with new.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self.rows)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def numbers(self, column: str, **key: Any) -> list[float]:
        """The values of a column over the rows with this key."""
        rows = [r for r in self.rows if all(str(r[k]) == str(v) for k, v in key.items())]
        return [float(r[column]) for r in rows if r[column] != ""]


def _claim(folder: Path, quick: bool) -> None:
    """Note whether a folder holds a quick run; the two kinds never mix."""
    note = folder / "plan.json"
    if note.exists() and is_quick(folder) != quick:
        raise SystemExit(f"{folder} holds a {'full' if quick else 'quick'} run; choose another --out")
    note.write_text(json.dumps({"quick": quick}) + "\n", encoding="utf-8")


def is_quick(folder: Path) -> bool:
    """Does this folder hold a quick run?"""
    note = folder / "plan.json"
    try:
        return note.exists() and bool(json.loads(note.read_text(encoding="utf-8"))["quick"])
    except (ValueError, KeyError, TypeError) as error:
        raise SystemExit(
            f'{note} is damaged; write {{"quick": true}} or {{"quick": false}} into it, or choose another --out'
        ) from error
