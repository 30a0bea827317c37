"""Where the numbers of a run go: a CSV file by default, TensorBoard on request, a bar on stderr."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from .._files import write_atomic
from ..errors import DataError, NotInstalled

STEP = "time/total_timesteps"
EPISODE = "time/episodes"


class Logger(Protocol):
    """What ``learn(log=...)`` writes to. Names follow stable-baselines3: rollout/..., train/..., time/..."""

    def write(self, scalars: Mapping[str, float]) -> None:
        """Take the numbers of one episode; ``time/total_timesteps`` is among them."""

    def close(self) -> None:
        """Called when ``learn`` returns or fails."""


class CsvLogger:
    """One row an episode, one column a name. An existing file is continued: rows from ``episode`` on are replaced."""

    def __init__(self, path: str | Path, episode: int = 0) -> None:
        self.path = Path(path)
        self._columns: list[str] = []
        self._rows: list[dict[str, Any]] = []
        if self.path.exists():
            self._continue(episode)
        self._rewrite()
        self._file = self.path.open("a", encoding="utf-8", newline="")

    def write(self, scalars: Mapping[str, float]) -> None:
        """Append a row and flush it; a new name becomes a new column of the whole file."""
        new = [name for name in scalars if name not in self._columns]
        row = {
            name: repr(float(value)) if not isinstance(value, int) else str(value) for name, value in scalars.items()
        }
        if new:
            self._file.close()
            with self.path.open(encoding="utf-8", newline="") as file:
                self._rows = list(csv.DictReader(file))
            self._columns += new
            self._rewrite()
            self._file = self.path.open("a", encoding="utf-8", newline="")
        csv.DictWriter(self._file, self._columns, restval="", lineterminator="\n").writerow(row)
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _continue(self, episode: int) -> None:
        with self.path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            self._columns = list(reader.fieldnames or [])
            if self._columns and EPISODE not in self._columns:
                raise DataError(
                    f"{self.path} exists and is no log of an agent (no column {EPISODE}); give another name"
                )
            for row in reader:
                try:
                    keep = float(row[EPISODE] or "nan") <= episode and None not in row.values()
                except ValueError:
                    keep = False  # a line cut short when the run was killed
                if keep:
                    self._rows.append(row)

    def _rewrite(self) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        if self._columns:
            writer.writeheader()
        writer.writerows(self._rows)
        write_atomic(self.path, text.getvalue())
        self._rows = []


class TensorBoardLogger:
    """Scalars for TensorBoard in ``folder``; needs the package ``tensorboard``."""

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise NotInstalled("TensorBoard logs need its package: pip install 'causalnet[tensorboard]'") from error
        self._writer = SummaryWriter(str(folder))

    def write(self, scalars: Mapping[str, float]) -> None:
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, int(scalars[STEP]))

    def close(self) -> None:
        self._writer.close()


@contextlib.contextmanager
def opened(log: str | Path | Logger | None, episode: int) -> Iterator[Logger | None]:
    """The logger that ``learn(log=...)`` names: a path is a CSV file. A logger of the caller's stays open."""
    if log is None or not isinstance(log, str | Path):
        yield log
        return
    logger = CsvLogger(log, episode)
    try:
        yield logger
    finally:
        logger.close()


@contextlib.contextmanager
def bar(show: bool, episodes: int | None, steps: int | None) -> Iterator[Callable[[int, int, float], None]]:
    """A callback (episodes done, steps done, return) that draws a bar on stderr, or does nothing."""
    if not show:
        yield lambda episodes_done, steps_done, return_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("learning"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("episodes" if episodes is not None else "steps"),
        TimeRemainingColumn(),
        TextColumn("return {task.fields[mean]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("learning", total=episodes if episodes is not None else steps, mean="-")

        def tell(episodes_done: int, steps_done: int, return_: float) -> None:
            done = episodes_done if episodes is not None else steps_done
            progress.update(task, completed=done, mean=f"{return_:.2f}")

        yield tell
