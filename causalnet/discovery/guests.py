"""What every adapter of another package shares: a quiet, seeded room to run it in, and a register of what it offers."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..base.checks import choose, share
from ..data import Series, Table
from ..errors import CausalnetError, NotApplicable, UnknownNameError, nearest
from ..graph import Graph, Knowledge
from .contract import Backend

_VARIABLES = ("PYTHONHASHSEED", "CUDA_VISIBLE_DEVICES", "CASTLE_BACKEND")

Read = Callable[[str, Any, Table], Any]


class Parameter(NamedTuple):
    """One parameter of an adapter: its default, what the package calls it, and how a value is read.

    theirs: the argument of the package, or several with blanks between them; empty where ``run`` passes it on by hand.
    read(name, value, data): the value as the package wants it, or an error that is a sentence; None: as it is.
    """

    theirs: str
    default: Any
    read: Read | None = None


def param(theirs: str, default: Any, read: Read | None = None) -> Any:
    """A :class:`Parameter`; typed as anything, since the attribute of that name holds the value when a method runs."""
    return Parameter(theirs, default, read)


class Method:
    """One algorithm of another package: its parameters as class attributes in their order, its call in ``run``.

    The docstring is what the user reads: the objective, then what each parameter means.
    """

    name = ""
    caveat = ""
    assumes = ""  # terms with commas between them
    tensors = False  # computes with torch

    def __init__(self, data: Any, knowledge: Knowledge | None, chosen: Mapping[str, Any]) -> None:
        self.knowledge = knowledge or Knowledge()
        self.theirs: dict[str, Any] = {}  # the package's arguments
        for name, parameter in self.parameters().items():
            value = chosen.get(name, parameter.default)
            value = parameter.read(name, value, data) if parameter.read else value
            setattr(self, name, value)
            self.theirs.update(dict.fromkeys(parameter.theirs.split(), value))

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """The parameters by our names, in their order."""
        return {k: p for base in reversed(cls.__mro__) for k, p in vars(base).items() if isinstance(p, Parameter)}

    def run(self, data: Any, seed: int) -> Graph:
        """The graph over the columns of ``data``; called inside :func:`guest`."""
        raise NotImplementedError


def family(
    prefix: str, register: dict[str, Backend], requires: tuple[str, ...], install: str
) -> Callable[..., Callable[[type[Method]], type[Method]]]:
    """A decorator factory that enters a :class:`Method` into ``register`` as ``prefix/name``.

    takes, knowledge: words with blanks between them. handles: of ``Table.demands``. also: packages that this one method needs as well.
    """

    def offer(
        name: str,
        takes: str,
        gives: str,
        *,
        knowledge: str = "",
        also: tuple[str, ...] = (),
        handles: tuple[str, ...] = (),
    ) -> Callable[[type[Method]], type[Method]]:
        def enter(method: type[Method]) -> type[Method]:
            method.name = f"{prefix}/{name}"
            register[method.name] = Backend(
                name=method.name,
                learn=_learner(method),
                takes=frozenset(takes.split()),
                gives=gives,
                summary=(method.__doc__ or "").strip().split("\n")[0],
                knowledge=frozenset(knowledge.split()),
                requires=(*requires, *also),
                install=" ".join((install, *also)),
                caveat=method.caveat,
                handles=frozenset(handles),
                assumes=tuple(method.assumes.split(", ")),
            )
            return method

        return enter

    return offer


def _learner(method: type[Method]) -> Callable[..., Graph]:
    """``learn(data, *, knowledge, rng, **params) -> Graph`` with the signature and the docstring of the method."""

    def learn(data: Any, *, knowledge: Knowledge | None = None, rng: np.random.Generator, **params: Any) -> Graph:
        signature.bind(data, rng=rng, **params)  # a TypeError for what is no parameter, as of any function
        data = _one_run(method.name, data)
        made = method(data, knowledge, params)
        with guest(method.name, rng, tensors=method.tensors) as seed:
            return made.run(data, seed)

    frame = list(inspect.signature(learn).parameters.values())[:-1]
    own = [inspect.Parameter(k, frame[-1].kind, default=p.default) for k, p in method.parameters().items()]
    signature = inspect.Signature([*frame, *own])
    learn.__signature__ = signature  # type: ignore[attr-defined]
    learn.__doc__ = method.__doc__
    return learn


def _one_run(name: str, data: Any) -> Any:
    """A series as a table of its rows, for packages that read them as one run; other data as they are."""
    if not isinstance(data, Series):
        return data
    if data.segments > 1 or data.n < len(data.values) or np.isnan(data.values).any():
        raise NotApplicable(
            f"{name} reads all rows as one run without gaps or missing cells, which this series is not ({data.segments} runs, "
            f"{data.n} of {len(data.values)} rows drawn); pcmci and granger never join runs"
        )
    return Table(data.columns, data.values, np.zeros(data.d, dtype=bool), (None,) * data.d)


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


def words(*same: str, **renamed: Any) -> Read:
    """Reads one of some words; ``renamed`` are those that the package calls otherwise."""
    options = dict(zip(same, same, strict=True)) | renamed
    return lambda name, value, data: choose(name, value, options)


def level(name: str, value: Any, data: Table) -> float:
    """Reads a significance level: strictly between 0 and 1."""
    return share(name, value)


def column(name: str, value: str | None, data: Table) -> int | None:
    """Reads the position of a column, or None."""
    if value is not None and value not in data.columns:
        raise UnknownNameError(f"{name}={value!r} is not a column.{nearest(value, data.columns)}")
    return None if value is None else data.columns.index(value)


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
