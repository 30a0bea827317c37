"""The results of a comparison on disk: one SQLite file, one transaction a cell, one writer at a time.

A cell is (dataset, backend, params, seed). A run that is killed at any moment leaves every finished cell in place:
the file is written with a rollback journal and ``synchronous=FULL``, and only by the process that holds the lock.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.text import writable
from ..errors import CausalnetError, DataError
from ..storage.files import sentence
from ..storage.folder import alone_in, now
from .labels import label

FILE = "results.sqlite"
APPLICATION, VERSION = 0x63_6E_65_74, 1  # "cnet"
STATUSES = ("ok", "failed", "timeout", "not applicable", "not installed")
_PLAIN = (
    "status TEXT NOT NULL, reason TEXT NOT NULL, seconds REAL, cpu_seconds REAL, elapsed REAL, peak_mb REAL, "
    "complete INTEGER, max_seconds REAL, finished TEXT NOT NULL, host TEXT"
)
_JSON = ("metrics", "warnings", "versions")
_SCHEMA = f"""
CREATE TABLE cells (
  dataset TEXT NOT NULL, backend TEXT NOT NULL, params TEXT NOT NULL, seed INTEGER NOT NULL, {_PLAIN},
  metrics TEXT NOT NULL, warnings TEXT NOT NULL, versions TEXT NOT NULL, graph TEXT, log TEXT,
  PRIMARY KEY (dataset, backend, params, seed)
);
CREATE TABLE draws (
  dataset TEXT NOT NULL, seed INTEGER NOT NULL, fingerprint TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
  sampled INTEGER NOT NULL, truth TEXT, card TEXT NOT NULL,
  PRIMARY KEY (dataset, seed)
);
CREATE TABLE runs (id INTEGER PRIMARY KEY, created TEXT NOT NULL, command TEXT NOT NULL, settings TEXT NOT NULL);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
_TROUBLE = {
    "full | disk I/O": "cannot grow: the disk is full or a quota is reached ({}); every cell finished so far is kept: "
    "make room and run the same command again",
    "readonly | unable to open": "cannot be written ({}); choose an output folder that you may write to",
    "locked": "is in use by another program ({}); close it and run the same command again",
}
_DAMAGED = "is damaged or is no results file ({}); move it away or choose another output folder"


@dataclass(frozen=True)
class Cell:
    """One run of one method on one draw of one data set; ``params`` is JSON text with sorted keys."""

    dataset: str
    backend: str
    params: str
    seed: int

    @property
    def method(self) -> str:
        """The text that stands for the method with its parameters."""
        return label(self.backend, json.loads(self.params))


class Store:
    """An open results file. ``Store.create`` to write, ``Store.open`` to read. One thread may use it at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    @classmethod
    def open(cls, out: str | Path) -> Store:
        """Open the results in a folder for reading."""
        path = Path(out) / FILE
        if not path.is_file():
            raise DataError(f"there are no results in {out}: it has no {FILE}; causalnet compare --out {out} makes one")
        with _sentences(path), contextlib.ExitStack() as undo:
            try:
                store = cls(path, _connect(path, "rw"))
            except sqlite3.OperationalError:  # where the folder cannot be written
                store = cls(path, _connect(path, "ro"))
            undo.callback(store.close)
            store._verify()
            undo.pop_all()
        return store

    @classmethod
    @contextlib.contextmanager
    def create(cls, out: str | Path, metrics: Iterable[str]) -> Iterator[Store]:
        """Open the results in a folder for writing, making both if need be; nobody else writes meanwhile."""
        path = Path(out) / FILE
        with alone_in(path.parent):
            with _sentences(path):
                store = cls(path, _connect(path, "rwc"))
            with contextlib.closing(store):
                with _sentences(path):
                    store._prepare(metrics)
                yield store

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _prepare(self, metrics: Iterable[str]) -> None:
        self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.execute("PRAGMA synchronous=FULL")
        if not self._tables():
            self._db.executescript(f"BEGIN EXCLUSIVE; {_SCHEMA} COMMIT;")
        self._verify()
        columns = ", ".join(f"""json_extract(metrics, '$.{name}') AS "{name}\"""" for name in metrics)
        sql = f"SELECT dataset, backend, params, seed, status, reason, seconds, cpu_seconds, complete, {columns} FROM cells"
        self._db.executescript(f"BEGIN; DROP VIEW IF EXISTS results; CREATE VIEW results AS {sql}; COMMIT;")

    def _tables(self) -> set[str]:
        return {name for (name,) in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _verify(self) -> None:
        """Refuse a file that is damaged, of another program, or of another version."""
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION or not {"cells", "draws", "runs"} <= self._tables():
            raise DataError(f"{self.path} is a database of another program; choose another output folder")
        if version != VERSION:
            raise DataError(
                f"{self.path} has format {version}, and this version of causalnet reads format {VERSION}; "
                "choose another output folder"
            )
        (health,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if health != "ok":
            raise sqlite3.DatabaseError(health)

    # ---- writing ------------------------------------------------------------------------------------------------

    def begin_run(self, command: str, settings: Mapping[str, Any]) -> None:
        """Note what was asked for, once for equal commands."""
        with self._write():
            if not self._db.execute("SELECT 1 FROM runs WHERE command = ?", (writable(command),)).fetchone():
                row = (now(), writable(command), json.dumps(settings, sort_keys=True))
                self._db.execute("INSERT INTO runs (created, command, settings) VALUES (?, ?, ?)", row)

    def check_draw(self, dataset: str, seed: int, draw: Mapping[str, Any]) -> None:
        """Record a draw of a data set, or refuse it if it is not the one recorded under the same name and seed."""
        self.check_draws({(dataset, seed): draw})

    def check_draws(self, draws: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
        """The same of several, all or none."""
        with self._write():
            for (dataset, seed), draw in draws.items():
                self._check_draw(dataset, seed, draw)

    def _check_draw(self, dataset: str, seed: int, draw: Mapping[str, Any]) -> None:
        known = self._db.execute(
            "SELECT fingerprint, text FROM draws WHERE dataset = ? AND seed = ?", (dataset, seed)
        ).fetchone()
        if known is None:
            texts = (
                draw["kind"],
                writable(draw["text"]),
                int(draw["sampled"]),
                draw["truth"],
                json.dumps(draw["card"]),
            )
            row = (dataset, seed, draw["fingerprint"], *texts)
            self._db.execute("INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        elif known[0] != draw["fingerprint"]:
            raise DataError(
                f"the data set {dataset!r} is not the one that {self.path} holds results for "
                f"(now {draw['text']}, then {known[1]}, seed {seed}; data, truth or knowledge differ); "
                "give it another name, or choose another output folder"
            )

    def write(self, cell: Cell, outcome: Mapping[str, Any], max_seconds: float | None) -> None:
        """Record a finished cell and its draw in one transaction."""
        complete = outcome.get("complete")
        row: dict[str, Any] = {
            **cell.__dict__,
            **{name: outcome.get(name) for name in ("seconds", "cpu_seconds", "elapsed", "peak_mb", "graph")},
            **{name: json.dumps(outcome.get(name) or ([] if name == "warnings" else {})) for name in _JSON},
            "status": outcome["status"],
            "reason": outcome["reason"],
            "complete": None if complete is None else int(complete),
            "max_seconds": max_seconds,
            "finished": now(),
            "host": socket.gethostname(),
            "log": outcome.get("log", ""),
        }
        row = {name: writable(value) if isinstance(value, str) else value for name, value in row.items()}
        names = ", ".join(row)
        with self._write():
            if "draw" in outcome:
                self._check_draw(cell.dataset, cell.seed, outcome["draw"])
            marks = ", ".join("?" * len(row))
            self._db.execute(f"INSERT OR REPLACE INTO cells ({names}) VALUES ({marks})", tuple(row.values()))

    @contextlib.contextmanager
    def _write(self) -> Iterator[None]:
        with _sentences(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    # ---- reading ------------------------------------------------------------------------------------------------

    def rows(self, table: str, columns: str = "*") -> list[dict[str, Any]]:
        """The rows of ``cells``, ``draws`` or ``runs`` in the order they were made, as dicts."""
        with _sentences(self.path):
            found = self._db.execute(f"SELECT {columns} FROM {table} ORDER BY rowid")
            names = [item[0] for item in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]

    def finished(self) -> dict[Cell, dict[str, Any]]:
        """Status, limit, completeness and versions of each recorded cell."""
        rows = self.rows(
            "cells", "dataset, backend, params, seed, status, max_seconds, complete, seconds, elapsed, versions"
        )
        return {Cell(r["dataset"], r["backend"], r["params"], r["seed"]): r for r in rows}


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection with explicit transactions; mode: "ro", "rw", or "rwc", which makes a file that is not there."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("rb") as file:
            head = file.read(16)
        if head not in (b"", b"SQLite format 3\0"):  # SQLite itself would take a file of a few bytes for a new one
            raise sqlite3.DatabaseError("file is not a database")
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, timeout=30.0, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except BaseException:
        db.close()
        raise
    return db


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite says about a file into a sentence that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        known = (why for words, why in _TROUBLE.items() if any(word in text for word in words.split(" | ")))
        raise DataError(f"{path} {next(known, _DAMAGED).format(text)}") from error
    except OSError as error:
        if isinstance(error, CausalnetError):
            raise
        raise CausalnetError(sentence(path, error)) from error
