"""Where a run of learning by doing is kept: its settings, its episodes, and the newest whole checkpoint."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..storage.files import write_atomic


@dataclass(frozen=True)
class EpisodeRow:
    """One finished episode: what the policy got, and how right the graph was afterwards (None without a truth)."""

    episode: int
    total: float
    interventions: int
    mean_alarms: float
    cleared: bool
    edges: int | None = None
    f1: float | None = None
    precision: float | None = None
    recall: float | None = None


LOCK = ".lock"
COLUMNS = ["return" if f.name == "total" else f.name for f in fields(EpisodeRow)]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes out of the folder, which is made if need be."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; give learn_by_doing a folder")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(f"another process uses {folder}; wait for it, or choose another folder") from error
        yield


class Saved:
    """A folder with settings.json, episodes.csv (a row as soon as its episode ends) and the newest whole checkpoint.

    A run that is killed goes on from the checkpoint; the episodes between it and the end are played again, to the bit.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.table = folder, folder / "episodes.csv"
        path, text = folder / "settings.json", json.dumps(settings, default=str) + "\n"
        if path.exists():
            old, new = json.loads(path.read_text(encoding="utf-8")), json.loads(text)
            odd = [name for name in new if old.get(name) != new[name]]
            if odd:
                raise DataError(
                    f"{folder} holds a run with other {', '.join(odd)}; repeat its call to go on, or choose another folder"
                )
        elif any(entry.name != LOCK for entry in folder.iterdir()):
            raise DataError(f"{folder} holds other files; give learn_by_doing an empty folder, or one of its own")
        else:
            write_atomic(path, text)

    def write(self, row: EpisodeRow) -> None:
        """Append one episode."""
        new = not self.table.exists()
        with self.table.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, _cells(row)] if new else [_cells(row)])

    def rewrite(self, rows: list[EpisodeRow]) -> None:
        """Replace episodes.csv whole."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *map(_cells, rows)])
        write_atomic(self.table, text.getvalue())

    def keep(self, run: Any) -> None:
        """Write a checkpoint beside the last one, then remove the last one."""
        draft, final = self.folder / "checkpoint.part", self.folder / f"checkpoint-{len(run.rows):06d}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        run.agent.save(draft / "agent.npz")
        if run.state is not None:
            run.state.backend.save(run.state, draft / "discovery.npz")
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        for old in self._checkpoints()[:-1]:
            shutil.rmtree(old)

    def restore(self, run: Any, learner: Any) -> None:
        """Bring ``run`` to the newest checkpoint, and episodes.csv with it."""
        found = self._checkpoints()
        if not found:
            self.table.unlink(missing_ok=True)
            return
        done = int(found[-1].name.split("-")[1])
        if not self.table.exists():
            raise DataError(f"{self.folder} has a checkpoint and no episodes.csv; remove the folder to start again")
        with self.table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
        if list(reader.fieldnames or []) != COLUMNS:
            raise DataError(f"{self.table} has other columns than episodes have; remove the folder to start again")
        if len(lines) < done:
            raise DataError(
                f"{self.table} has {len(lines)} episodes, and {found[-1].name} was taken after {done}; "
                f"choose another folder, or remove this one to start again"
            )
        run.rows = [_row(line) for line in lines[:done]]  # a last line may be torn
        self.rewrite(run.rows)
        if run.state is not None:
            run.state = run.state.backend.load(found[-1] / "discovery.npz")
            run.env.update(run.state.backend.graph(run.state))
        run.agent = learner.load(found[-1] / "agent.npz", run.env)

    def _checkpoints(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-[0-9]*"))


def _cells(row: EpisodeRow) -> list[Any]:
    return ["" if v is None else v for v in (getattr(row, f.name) for f in fields(row))]


def _row(text: dict[str, str]) -> EpisodeRow:
    """An episode as read back from episodes.csv."""
    whole = {k: int(text[k]) for k in ("episode", "interventions")}
    maybe: dict[str, Any] = {k: float(text[k]) if text[k] else None for k in ("f1", "precision", "recall")}
    edges = int(text["edges"]) if text["edges"] else None
    return EpisodeRow(
        total=float(text["return"]),
        mean_alarms=float(text["mean_alarms"]),
        cleared=text["cleared"] == "True",
        edges=edges,
        **whole,
        **maybe,
    )
