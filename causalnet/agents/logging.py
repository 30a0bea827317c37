"""Where the numbers of a run go: a CSV file by default, TensorBoard on request, a bar on stderr."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from ..errors import DataError, NotApplicable, NotInstalled
from ..storage.files import write_atomic

STEP = "time/total_timesteps"
EPISODE = "time/episodes"
RETURN = "rollout/return"


class Logger(Protocol):
    """What ``learn(log=...)`` writes to. Names follow stable-baselines3: rollout/..., train/..., time/..."""

    def write(self, scalars: Mapping[str, float]) -> None:
        """Take the numbers of one episode or update; ``time/total_timesteps`` is among them."""

    def close(self) -> None:
        """Called when ``learn`` returns or fails."""


class CsvLogger:
    """One row an episode or update, one column a name. An existing file is continued: rows from ``episode`` on are replaced."""

    def __init__(self, path: str | Path, episode: int = 0) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise DataError(f"{self.path} is a folder; give the name of a CSV file, such as {self.path / 'log.csv'}")
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
        if log is not None and not all(callable(getattr(log, name, None)) for name in ("write", "close")):
            raise NotApplicable(f"log is the name of a CSV file, or a logger with write and close; got {log!r}")
        yield log
        return
    logger = CsvLogger(log, episode)
    try:
        yield logger
    finally:
        logger.close()


class Silent:
    """What ``learn`` tells while it goes on; this one shows nothing."""

    def steps(self, more: int) -> None:
        """So many more steps were taken."""

    def episodes(self, done: int, return_: float) -> None:
        """So many episodes are done, the last with this return."""


class _Bar(Silent):
    """Episodes done, or steps where no number of episodes was given, the count of steps, and the last return."""

    def __init__(self, progress: Any, by_steps: bool, total: int | None) -> None:
        self._progress, self._by_steps, self._steps = progress, by_steps, 0
        self._task = progress.add_task("learning", total=total, mean="-", steps=0)

    def steps(self, more: int) -> None:
        before, self._steps = self._steps, self._steps + more
        if before // 50 < self._steps // 50:
            self.show()

    def episodes(self, done: int, return_: float) -> None:
        self.show(mean=f"{return_:.2f}", **({} if self._by_steps else {"completed": done}))

    def show(self, **more: Any) -> None:
        """Draw the present state."""
        done = {"completed": self._steps} if self._by_steps else {}
        self._progress.update(self._task, steps=self._steps, **done, **more)


@contextlib.contextmanager
def bar(show: bool, episodes: int | None, steps: int | None) -> Iterator[Silent]:
    """What draws a bar on stderr, or shows nothing."""
    if not show:
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("learning"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("steps" if episodes is None else "episodes, {task.fields[steps]} steps"),
        TimeRemainingColumn(),
        TextColumn("return {task.fields[mean]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        shown = _Bar(progress, episodes is None, steps if episodes is None else episodes)
        try:
            yield shown
        finally:
            shown.show()
