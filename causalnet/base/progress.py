"""How far work of many cells is and how long it will take: a callback, or a bar on the terminal."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import chain
from statistics import fmean
from typing import NamedTuple

from . import log_lines
from .checks import flag, function


class Progress(NamedTuple):
    """The state of what is running. Times in seconds; ``remaining`` is None while nothing is known."""

    done: int
    total: int
    failed: int
    elapsed: float
    remaining: float | None
    last: str


Watcher = Callable[[Progress], object]
_listening: ContextVar[Callable[[int, int, str], object] | None] = ContextVar("listening", default=None)


class Estimate:
    """Counts cells and estimates the time left from the mean seconds of each method's finished cells."""

    def __init__(self, pending: Iterable[str], already: int, failed: int, lanes: int) -> None:
        """pending: the methods of the cells to run. already, failed: cells finished before. lanes: run at once."""
        self._left = Counter(pending)
        self._seen: dict[str, list[float]] = defaultdict(list)
        self._done, self._failed, self._lanes = already, failed, max(1, lanes)
        self._total = already + self._left.total()
        self._start = time.monotonic()

    def learn(self, method: str, seconds: float | None) -> None:
        """Take the duration of a finished cell into account."""
        if seconds is not None:
            self._seen[method].append(seconds)

    def finish(self, method: str, seconds: float | None, failed: bool) -> None:
        """Count a cell of this run."""
        self.learn(method, seconds)
        self._left[method] -= 1
        self._done += 1
        self._failed += failed

    def now(self, last: str) -> Progress:
        """The state, with the estimate."""
        elapsed = time.monotonic() - self._start
        return Progress(self._done, self._total, self._failed, elapsed, self._remaining(), last)

    def _remaining(self) -> float | None:
        if not self._seen:
            return None
        typical = list(chain(*self._seen.values()))  # for a method that no cell has finished of
        work = sum(count * fmean(self._seen.get(method, typical)) for method, count in self._left.items())
        return work / min(self._lanes, max(1, self._left.total()))


@contextlib.contextmanager
def watcher(
    progress: bool | Watcher | None, doing: str = "comparing", unit: str = "cells", after: float = 0.0
) -> Iterator[Watcher]:
    """The callback to tell: the given one, a bar on stderr for True (lines where they are asked for), or one that does nothing.

    after: seconds from which on the bar is shown.
    """
    if callable(progress):
        yield function("progress", progress, "state")
    elif progress is None or not flag("progress", progress):
        yield lambda state: None
    elif log_lines.asked():
        yield lambda state: log_lines.write(doing, unit=unit, **state._asdict())
    else:
        with _bar(doing, unit) as show:
            yield lambda state: show(state) if state.elapsed >= after else None


@contextlib.contextmanager
def heard(progress: bool | Watcher | None, doing: str) -> Iterator[None]:
    """What a search inside says by :func:`say_progress` goes to the watcher, with the time left at the pace so far."""
    begun = time.monotonic()
    with watcher(progress, doing, "rounds", after=1.0) as watch:

        def listen(done: int, total: int, last: str) -> None:
            elapsed = time.monotonic() - begun
            watch(Progress(done, total, 0, elapsed, elapsed * (total - done) / done if done else None, last))

        token = _listening.set(listen)
        try:
            yield
        finally:
            _listening.reset(token)


def say_progress(done: int, total: int, last: str) -> None:
    """How far a search is, to whoever listens."""
    listen = _listening.get()
    if listen is not None:
        listen(done, total, last)


@contextlib.contextmanager
def _bar(doing: str, unit: str) -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    columns = (
        TextColumn(doing),
        BarColumn(bar_width=16),
        TextColumn("{task.completed}/{task.total} " + unit),
        TextColumn("{task.fields[trouble]}", style="red"),
        TextColumn("{task.fields[clock]}"),
        TextColumn("{task.fields[last]}", style="dim", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    with Bar(*columns, console=Console(stderr=True), expand=True) as bar:
        task = bar.add_task(unit, total=None, visible=False, trouble="", clock="", last="")

        def show(state: Progress) -> None:
            left = "" if not state.remaining else f", about {duration(state.remaining)} left"
            trouble = f"{state.failed} failed" if state.failed else ""
            clock = f"{duration(state.elapsed)}{left}"
            bar.update(task, completed=state.done, total=state.total, visible=True)
            bar.update(task, trouble=trouble, clock=clock, last=state.last)

        yield show


def duration(seconds: float) -> str:
    """'8 s', '3 min 20 s', '2 h 5 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
