"""Engines by name: this machine, or the nodes of a Dask cluster that is running."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import CausalnetError, DataError, NotInstalled

MOST = 10**6  # processes

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


@contextmanager
def connect(engine: str) -> Iterator[Any]:
    """The client of the cluster that an engine names, closed at the end; CausalnetError where no scheduler answers."""
    from distributed import Client

    address = engine.partition(":")[2]
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CausalnetError(
            f"no Dask scheduler answers at {address} ({type(error).__name__}); start one with `dask scheduler` "
            "and `dask worker ADDRESS`, or use --engine local"
        ) from error
    try:
        yield client
    finally:
        client.close()


def spread(client: Any, engine: str, calls: Iterable[Any]) -> Generator[Any, None, None]:
    """What calls of ``joblib.delayed`` give on a cluster's nodes, each as soon as it is there."""
    import joblib

    with joblib.parallel_config(backend="dask", client=client):
        try:
            found: Any = joblib.Parallel(n_jobs=-1, return_as="generator_unordered", batch_size=1)(calls)
        except TimeoutError as error:
            address = engine.partition(":")[2]
            raise CausalnetError(f"the Dask scheduler at {address} has no workers; start some") from error
    return found


def processes(n_jobs: int) -> int:
    """How many processes are asked for: a number, or -1 for one a core."""
    if n_jobs == 0 or n_jobs < -1 or n_jobs > MOST:
        raise DataError(f"n_jobs is {n_jobs}, and must be a number of processes, or -1 for one a core")
    return int(n_jobs)


@contextmanager
def side_by_side(engine: str, n_jobs: int) -> Iterator[tuple[Callable[[Iterable[Any]], Iterator[Any]], int]]:
    """A function that runs calls of ``joblib.delayed`` in processes here or on a cluster; and how many run at once."""
    import joblib

    if engine == "local":
        yield joblib.Parallel(n_jobs, return_as="generator_unordered"), joblib.effective_n_jobs(n_jobs)
        return
    with connect(engine) as client:
        yield lambda calls: spread(client, engine, calls), count_lanes(client)


def count_lanes(client: Any) -> int:
    """How many calls a cluster runs at once."""
    return max(1, sum(client.ncores().values()))
