"""What was noticed while data were read, and what is wrong with them: told at once, refused at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..base.arrays import Array
from ..errors import DataError, ReadingWarning
from .scanning import Scan, scan

Labels = tuple[Any, ...] | None


class Note(NamedTuple):
    """Something about a column that its reader decided. told: is it a change worth a warning? left_out: is it no variable?

    python, shell: the line that decides otherwise.
    """

    column: str
    text: str
    told: bool = False
    left_out: bool = False
    python: str = ""
    shell: str = ""


class Trouble(NamedTuple):
    """What stands in the way of discovery, and what to do about it in a program and on the command line."""

    text: str
    python: str = ""
    shell: str = ""


class Read(NamedTuple):
    """A column that was read: its labels (None: continuous), least and largest value, number of missing cells."""

    name: str
    levels: Labels
    low: float
    high: float
    missing: int


@dataclass
class Findings:
    """What was noticed, and what is wrong, in the order of the columns. names: of all columns; empty: those without a
    value; read: those that were.

    decimals: "," or ".", which of them stands before decimals in other columns, "" where none tells.
    """

    notes: list[Note] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    names: tuple[str, ...] = ()
    empty: list[str] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    decimals: str = ""

    def keep(self, columns: Sequence[str], levels: Sequence[Labels], values: Array, seen: Scan | None = None) -> None:
        """The columns that were read; values (n, d)."""
        seen = scan(values) if seen is None else seen
        facts = zip(columns, levels, seen.low.tolist(), seen.high.tolist(), seen.missing.tolist(), strict=True)
        self.read = list(map(Read._make, facts))

    def note(self, column: str, text: str, **more: Any) -> None:
        """Keep a note."""
        self.notes.append(Note(column, text, **more))

    def refuse(self) -> None:
        """One DataError of all troubles."""
        if self.troubles:
            together = {
                word: "; ".join(dict.fromkeys(getattr(t, word) for t in self.troubles if getattr(t, word)))
                for word in ("python", "shell")
            }
            raise DataError("; ".join(dict.fromkeys(t.text for t in self.troubles)), **together)

    def tell(self) -> None:
        """One warning of all notes that are told."""
        told = [note for note in self.notes if note.told]
        here, in_shell = (
            "; ".join(note.text + (f" ({getattr(note, word)})" if getattr(note, word) else "") for note in told)
            for word in ("python", "shell")
        )
        if told:
            warnings.warn(ReadingWarning(here, in_shell), stacklevel=3)
