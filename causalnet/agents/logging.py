"""Where the numbers of a run go: a CSV file by default, TensorBoard on request, a bar on stderr."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..base import log_lines
from ..base.asked import asks
from ..base.checks import flag
from ..errors import DataError, NotApplicable, NotInstalled
from ..storage.rows import Found, RowFile, read_rows

STEP = "time/total_timesteps"
EPISODE = "time/episodes"
RETURN = "rollout/return"
EVERY = 1.0  # seconds between lines of JSON


@runtime_checkable
class Logger(Protocol):
    """What ``learn(log=...)`` writes to. Names follow stable-baselines3: rollout/..., train/..., time/..."""

    def write(self, scalars: Mapping[str, float]) -> None:
        """Take the numbers of one episode or update; ``time/total_timesteps`` is among them."""

    def close(self) -> None:
        """Called when ``learn`` returns or fails."""


@asks()
class CsvLogger:
    """One row an episode or update, one column a name. An existing file is continued: rows after ``episode`` are dropped."""

    def __init__(self, path: str | Path, episode: int = 0) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise DataError(f"{self.path} is a folder; give the name of a CSV file, such as {self.path / 'log.csv'}")
        found = read_rows(self.path) if self.path.exists() else Found([], [], False)
        if found.columns and EPISODE not in found.columns:
            raise DataError(f"{self.path} exists and is no log of an agent (no column {EPISODE}); give another name")
        self._file = RowFile(self.path, found.columns)
        self._file.replace(row for row in found.rows if row[EPISODE] is not None and row[EPISODE] <= episode)

    @asks()
    def write(self, scalars: Mapping[str, float]) -> None:
        """Append a row; a new name becomes a new column of the whole file."""
        row = {name: value if isinstance(value, int) else float(value) for name, value in scalars.items()}
        new = [name for name in row if name not in self._file.columns]
        if new:
            rows = self._file.read().rows
            self._file = RowFile(self.path, [*self._file.columns, *new])
            self._file.replace([*rows, row])
        else:
            self._file.append(row)

    def close(self) -> None:
        """Nothing is left to do: each row is whole when it is written."""


@asks()
class TensorBoardLogger:
    """Scalars for TensorBoard in ``folder``; needs the package ``tensorboard``."""

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise NotInstalled("TensorBoard logs need its package: pip install 'causalnet[tensorboard]'") from error
        try:
            self._writer = SummaryWriter(str(folder))
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error.strerror}; choose another name") from error

    def write(self, scalars: Mapping[str, float]) -> None:
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, int(scalars[STEP]))

    def close(self) -> None:
        self._writer.close()


@contextlib.contextmanager
def opened(log: str | Path | Logger | None, episode: int) -> Iterator[Logger | None]:
    """The logger that ``learn(log=...)`` names: a path is a CSV file. A logger of the caller's stays open."""
    if isinstance(log, str | Path):
        yield CsvLogger(log, episode)
        return
    if not isinstance(log, Logger | None):
        raise NotApplicable(f"log is the name of a CSV file, or a logger with write and close; got {log!r}")
    yield log


class _Lines:
    """Lines of JSON in place of a bar, EVERY seconds apart at least."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}
        self._last = -math.inf

    def add_task(self, doing: str, **known: Any) -> str:
        """As that of a bar."""
        self._known = known
        return doing

    def update(self, doing: str, **known: Any) -> None:
        """As that of a bar."""
        self._known |= known
        if time.monotonic() - self._last > EVERY:
            self._last = time.monotonic()
            log_lines.write(doing, **self._known)


class Bar:
    """Episodes done, or steps where no number of episodes was given, the count of steps, and the last return.

    progress: of rich; None shows nothing.
    """

    def __init__(self, progress: Any = None, by_steps: bool = False, total: int | None = None) -> None:
        self._progress, self._by_steps, self._steps = progress, by_steps, 0
        if progress is not None:
            self._task = progress.add_task("learning", total=total, mean="-", steps=0)

    def steps(self, more: int) -> None:
        """So many more steps were taken."""
        before, self._steps = self._steps, self._steps + more
        if before // 50 < self._steps // 50:
            self.show()

    def episodes(self, done: int, return_: float) -> None:
        """So many episodes are done, the last with this return."""
        self.show(mean=f"{return_:.2f}", **({} if self._by_steps else {"completed": done}))

    def show(self, **more: Any) -> None:
        """Draw the present state."""
        if self._progress is not None:
            done = {"completed": self._steps} if self._by_steps else {}
            self._progress.update(self._task, steps=self._steps, **done, **more)


@contextlib.contextmanager
def bar(show: bool | None, episodes: int | None, steps: int | None) -> Iterator[Bar]:
    """What draws a bar on stderr, or writes lines where they are asked for, or shows nothing."""
    if show is None or not flag("progress", show):
        yield Bar()
        return
    if log_lines.asked():
        yield Bar(_Lines(), episodes is None, steps if episodes is None else episodes)
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
        shown = Bar(progress, episodes is None, steps if episodes is None else episodes)
        try:
            yield shown
        finally:
            shown.show()
