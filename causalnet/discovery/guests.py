"""What every adapter of another package shares: a quiet, seeded room to run it in, and a register of what it offers."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..data import Table
from ..errors import CausalnetError, DataError, NotApplicable, UnknownNameError, nearest
from ..graph import Graph
from .contract import Backend

_VARIABLES = ("PYTHONHASHSEED", "CUDA_VISIBLE_DEVICES", "CASTLE_BACKEND")

Learn = Callable[..., Graph]


def family(
    prefix: str, register: dict[str, Backend], requires: tuple[str, ...], install: str
) -> Callable[..., Callable[[Learn], Learn]]:
    """A decorator factory that enters a ``learn`` function into ``register`` as ``prefix/name``.

    takes, knowledge: words with blanks between them. assumes: terms with commas between them.
    """

    def offer(
        name: str,
        takes: str,
        gives: str,
        *,
        caveat: str = "",
        assumes: str = "",
        knowledge: str = "",
        also_requires: tuple[str, ...] = (),
        also_install: str = "",
    ) -> Callable[[Learn], Learn]:
        def enter(learn: Learn) -> Learn:
            full = f"{prefix}/{name}"
            register[full] = Backend(
                name=full,
                learn=learn,
                takes=frozenset(takes.split()),
                gives=gives,
                summary=(learn.__doc__ or "").strip().split("\n")[0],
                knowledge=frozenset(knowledge.split()),
                requires=(*requires, *also_requires),
                install=f"{install} {also_install}".strip(),
                caveat=caveat,
                assumes=tuple(filter(None, assumes.split(", "))),
            )
            return learn

        return enter

    return offer


@contextlib.contextmanager
def guest(name: str, rng: np.random.Generator, *, tensors: bool = False) -> Iterator[int]:
    """Run another package: its global state seeded from ``rng``, its noise held back, all of it put back afterwards.

    Yields the seed, for packages that also take one. tensors: the package computes with torch (one thread, double
    precision). Whatever the package raises becomes a CausalnetError that says who failed and how.
    """
    seed = int(rng.integers(2**31 - 1))
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(np.printoptions())
        stack.enter_context(_environment())
        stack.enter_context(_silent_logging())
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.enter_context(_seeded(seed))
        if tensors:
            stack.enter_context(_torch(seed))
        try:
            yield seed
        except (CausalnetError, MemoryError):
            raise
        except Exception as error:
            raise CausalnetError(f"{name} failed inside its package: {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _VARIABLES}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _silent_logging() -> Iterator[None]:
    """Nothing is logged, and what is imported meanwhile leaves no handler behind on the root logger."""
    root = logging.getLogger()
    handlers, level, disabled = list(root.handlers), root.level, root.manager.disable
    root.addHandler(logging.NullHandler())  # logging.info() would install a handler if there were none
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.disable(disabled)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - the peers draw from it
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


@contextlib.contextmanager
def _torch(seed: int) -> Iterator[None]:
    import torch

    state, dtype, threads = torch.get_rng_state(), torch.get_default_dtype(), torch.get_num_threads()
    torch.manual_seed(seed)
    torch.set_default_dtype(torch.double)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_rng_state(state)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)


def choose(parameter: str, value: Any, options: Mapping[str, Any] | tuple[str, ...]) -> Any:
    """``options[value]``, or ``value`` itself among plain names; an UnknownNameError names the nearest option."""
    if not isinstance(value, str) or value not in options:
        hint = nearest(str(value), options)
        raise UnknownNameError(f"{parameter}={value!r} is unknown.{hint} It is one of: {', '.join(options)}.")
    return options[value] if isinstance(options, Mapping) else value


def column(table: Table, parameter: str, name: str) -> int:
    """The position of the column that a parameter names."""
    if name not in table.columns:
        raise UnknownNameError(f"{parameter}={name!r} is not a column.{nearest(name, table.columns)}")
    return table.columns.index(name)


def share(parameter: str, value: float) -> float:
    """A significance level: strictly between 0 and 1."""
    if not (isinstance(value, int | float) and 0 < value < 1):
        raise DataError(f"{parameter} is a probability strictly between 0 and 1, got {value!r}")
    return float(value)


def at_most(name: str, table: Table, limit: int, instead: str) -> None:
    """Refuse a table too wide for a search whose cost explodes with the number of variables."""
    if table.d > limit:
        raise NotApplicable(
            f"{name} looks at every graph or parent set and is offered for at most {limit} variables; "
            f"this table has {table.d}: {instead}"
        )


def of_effects(table: Table, effects: Any, threshold: float = 0.0, **meta: Any) -> Graph:
    """A weighted graph from B, (d, d), where ``B[i, j]`` is the effect of j on i (the LiNGAM convention).

    Pairs marked NaN were left open by the method: they become undirected.
    """
    weight = np.array(effects, dtype=np.float64).T  # B[effect, cause] -> ours [cause, effect]
    np.fill_diagonal(weight, 0.0)
    open_pair = np.isnan(weight)
    weight[open_pair] = 0.0
    adj = (np.abs(weight) > threshold) | open_pair | open_pair.T
    return Graph(table.columns, adj, np.where(adj, weight, 0.0), meta=meta)


def of_causes(table: Table, matrix: Any, weight: Any = None, **meta: Any) -> Graph:
    """A graph from a matrix whose ``[i, j]`` already means i -> j; the diagonal is cleared."""
    adj = np.array(matrix, dtype=np.float64) != 0
    np.fill_diagonal(adj, False)
    if weight is not None:
        weight = np.where(adj, np.array(weight, dtype=np.float64), 0.0)
    return Graph(table.columns, adj, weight, meta=meta)
