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

from ..errors import CausalnetError, DataError, NotInstalled
from .cells import Blob, Done, Limits, Pool, run_remote, stop_remote

Keep = Callable[[dict[str, Any], dict[str, Any]], None]  # records (task, outcome)
Job = tuple[dict[str, Any], Blob, Limits]
Run = Callable[[list[Job], Keep], Iterator[Done]]
CONNECT_SECONDS = 20.0


def check_engine(engine: str) -> str:
    """The engine's name, if there is such an engine."""
    if engine == "local":
        return engine
    kind, _, address = str(engine).partition(":")
    if kind != "dask" or not address:
        raise DataError(
            f"there is no engine {engine!r}; write 'local', or 'dask:ADDRESS' like dask:tcp://10.0.0.5:8786"
        )
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise NotInstalled(
            f"the engine {engine!r} needs distributed: not installed: pip install 'causalnet[dask]'"
        ) from error
    return engine


def open_engine(engine: str, n_jobs: int) -> AbstractContextManager[tuple[Run, int]]:
    """A function that runs jobs, records each outcome and then yields it; and how many jobs run at once.

    Here the thread that supervises a cell records it before it takes another, so that no finished cell waits.
    """
    return _local(n_jobs) if engine == "local" else _dask(engine.partition(":")[2])


@contextlib.contextmanager
def _local(n_jobs: int) -> Iterator[tuple[Run, int]]:
    import joblib

    pool, recording = Pool(), threading.Lock()

    def one(task: dict[str, Any], blob: Blob, limits: Limits, keep: Keep) -> Done:
        outcome = pool.run(task, blob, limits)
        with recording:
            if not pool.closed:  # else the cell was cut short by the end of the comparison
                keep(task, outcome)
        return task, outcome

    def run(jobs: list[Job], keep: Keep) -> Iterator[Done]:
        parallel = joblib.Parallel(n_jobs, backend="threading", return_as="generator_unordered", batch_size=1)
        return _as_they_come(parallel(joblib.delayed(one)(*job, keep) for job in jobs), pool.stop)

    try:
        yield run, joblib.effective_n_jobs(n_jobs)
    finally:
        with recording:
            pool.close()


@contextlib.contextmanager
def _dask(address: str) -> Iterator[tuple[Run, int]]:
    import joblib
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CausalnetError(
            f"no Dask scheduler answers at {address} ({type(error).__name__}); start one with `dask scheduler` "
            "and `dask worker ADDRESS`, or use --engine local"
        ) from error
    name = uuid.uuid4().hex

    def stop() -> None:
        with contextlib.suppress(Exception):  # a cluster that is gone has nothing left to stop
            client.run(stop_remote, name)

    def run(jobs: list[Job], keep: Keep) -> Iterator[Done]:
        with joblib.parallel_config(backend="dask", client=client):
            parallel = joblib.Parallel(n_jobs=-1, return_as="generator_unordered", batch_size=1)
            calls = (joblib.delayed(run_remote)(name, *job) for job in jobs)
            try:
                outcomes = parallel(calls)
            except TimeoutError as error:
                raise CausalnetError(f"the Dask scheduler at {address} has no workers; start some") from error
        for item in _as_they_come(outcomes, stop, f"the Dask cluster at {address} could not run a cell"):
            keep(*item)
            yield item

    try:
        yield run, max(1, sum(client.ncores().values()))
    finally:
        stop()
        client.close()


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
