"""Where a run of learning by doing is kept: its settings, its episodes, and the newest whole checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..storage.folder import RunFolder
from ..storage.rows import Row, RowFile


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


COLUMNS = ["return" if f.name == "total" else f.name for f in fields(EpisodeRow)]


class Saved:
    """A folder with settings.json, episodes.csv (a row as soon as its episode ends) and the newest whole checkpoint.

    A run that is killed goes on from the checkpoint; the episodes between it and the end are played again, to the bit, and
    their rows stay where they are.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.folder = RunFolder(path, "settings.json", "causalnet.learn_by_doing/1", unmarked=True)
        self.table = RowFile(path / "episodes.csv", COLUMNS)
        self._ahead: list[Row] = []  # of episodes that are to be played again
        if not self.folder.holds(settings):
            self.folder.tell(settings)

    def write(self, row: EpisodeRow) -> None:
        """Append one episode, or find it as it was."""
        known = self._ahead.pop(0) if self._ahead else None
        if known is None:
            self.table.append(_cells(row))
        elif _episode(known) != row:  # the environment goes another way than before
            self._ahead = []
            self.table.replace([*self.table.read().rows[: row.episode], _cells(row)])

    def keep(self, run: Any) -> None:
        """Write a checkpoint beside the last one, then remove the last one."""

        def fill(path: Path) -> None:
            run.agent.save(path / "agent.npz")
            if run.state is not None:
                run.state.backend.save(run.state, path / "discovery.npz")

        self.folder.keep(len(run.rows), fill)

    def restore(self, run: Any, learner: Any) -> None:
        """Bring ``run`` to the newest checkpoint."""
        newest = self.folder.newest()
        path = self.table.path
        if newest is None:
            self._ahead = self.table.read().rows
            return
        done, checkpoint = newest
        if not path.exists():
            raise DataError(f"{path.parent} has a checkpoint and no {path.name}; remove the folder to start again")
        rows = self.table.read().rows
        if len(rows) < done:
            raise DataError(
                f"{path} has {len(rows)} episodes, and {checkpoint.name} was taken after {done}; choose another folder, "
                "or remove this one to start again"
            )
        self._ahead = rows[done:]
        run.rows = [_episode(row) for row in rows[:done]]
        if run.state is not None:
            run.state = run.state.backend.load(checkpoint / "discovery.npz")
            run.env.update(run.state.backend.graph(run.state))
        run.agent = learner.load(checkpoint / "agent.npz", run.env)


def _cells(row: EpisodeRow) -> Row:
    return {"return" if name == "total" else name: value for name, value in vars(row).items()}


def _episode(row: Row) -> EpisodeRow:
    return EpisodeRow(**{"total" if name == "return" else name: value for name, value in row.items()})
