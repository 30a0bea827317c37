"""Where the cells of a comparison run: threads that supervise worker processes here, or on a Dask cluster's nodes.

Both go through joblib and hand back each outcome as soon as it is there.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from typing import Any

from ..base.clusters import connect, count_lanes, spread
from ..errors import CausalnetError
from .cells import Blob, Done, Limits, Pool, run_remote, stop_remote

Keep = Callable[[dict[str, Any], dict[str, Any]], None]  # records (task, outcome)
Job = tuple[dict[str, Any], Blob, Limits]
Run = Callable[[list[Job], Keep], Iterator[Done]]


def open_engine(engine: str, n_jobs: int) -> AbstractContextManager[tuple[Run, int]]:
    """A function that runs jobs, records each outcome and then yields it; and how many jobs run at once.

    Here the thread that supervises a cell records it before it takes another, so that no finished cell waits.
    """
    return _local(n_jobs) if engine == "local" else _dask(engine)


class _Compiling:
    """Which methods are being compiled. Workers that did it at once would do it twice: they keep what they compiled."""

    def __init__(self) -> None:
        self.now: list[str | None] = []
        self.known: set[tuple[str | None, str]] = set()  # with the data set

    def first(self, waiting: list[Job]) -> int | None:
        """The place of the first cell that has not to wait for another one's kernels, None where all have to."""
        for k, (task, *_) in enumerate(waiting):
            name = task.get("backend")
            if name is None or name not in self.now or (name, task["dataset"]) in self.known:
                return k
        return None

    def begin(self, task: dict[str, Any]) -> None:
        """A worker takes the cell."""
        self.now.append(task.get("backend"))

    def end(self, task: dict[str, Any]) -> None:
        """It has compiled what the cell needs, or given up."""
        self.now.remove(task.get("backend"))
        self.known.add((task.get("backend"), task["dataset"]))


@contextlib.contextmanager
def _local(n_jobs: int) -> Iterator[tuple[Run, int]]:
    import joblib

    pool, recording, compiling = Pool(), threading.Condition(), _Compiling()

    def one(waiting: list[Job], keep: Keep) -> Done:
        with recording:
            recording.wait_for(lambda: compiling.first(waiting) is not None)
            task, blob, limits = waiting.pop(compiling.first(waiting) or 0)
            compiling.begin(task)

        def prepared() -> None:
            with recording:
                compiling.end(task)
                recording.notify_all()

        outcome = pool.run(task, blob, limits, prepared)
        with recording:
            if not pool.closed:  # else the cell was cut short by the end of the comparison
                keep(task, outcome)
        return task, outcome

    def run(jobs: list[Job], keep: Keep) -> Iterator[Done]:
        parallel = joblib.Parallel(n_jobs, backend="threading", return_as="generator_unordered", batch_size=1)
        waiting = jobs.copy()
        return _as_they_come(parallel(joblib.delayed(one)(waiting, keep) for _ in jobs), pool.stop)

    try:
        yield run, joblib.effective_n_jobs(n_jobs)
    finally:
        with recording:
            pool.close()


@contextlib.contextmanager
def _dask(engine: str) -> Iterator[tuple[Run, int]]:
    import joblib

    name, trouble = uuid.uuid4().hex, f"the Dask cluster at {engine.partition(':')[2]} could not run a cell"
    with connect(engine) as client:

        def stop() -> None:
            with contextlib.suppress(Exception):  # a cluster that is gone has nothing left to stop
                client.run(stop_remote, name)

        def run(jobs: list[Job], keep: Keep) -> Iterator[Done]:
            outcomes = spread(client, engine, (joblib.delayed(run_remote)(name, *job) for job in jobs))
            for item in _as_they_come(outcomes, stop, trouble):
                keep(*item)
                yield item

        try:
            yield run, count_lanes(client)
        finally:
            stop()


def _as_they_come(outcomes: Generator[Done, None, None], stop: Callable[[], None], trouble: str = "") -> Iterator[Done]:
    """Each outcome when it is there; if anything ends this early, the running cells are stopped first."""
    try:
        for item in outcomes:  # noqa: UP028
            # not `yield from`: an early end must reach this frame before joblib's
            yield item
    except BaseException as error:
        stop()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib's remark that the rest was abandoned: it was meant to be
            outcomes.close()
        if trouble and isinstance(error, Exception):
            raise CausalnetError(
                f"{trouble} ({type(error).__name__}: {error}); finished cells are kept: run the same command again"
            ) from error
        raise
