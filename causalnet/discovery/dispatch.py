"""One call for every method: the data is read, the method asked whether it applies, run on its clock, and its answer checked."""

from __future__ import annotations

import gc
import shlex
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from ..base import checks, memory
from ..base.progress import Watcher, heard
from ..data import Data, Demanding, Table, as_data, as_series
from ..data.kinds import is_data
from ..data.regimes import DEMANDS
from ..datasets import Dataset
from ..errors import CausalnetError, DataError, KnowledgeError, NotApplicable
from ..graph import Graph, Knowledge
from ..graph.knowledge import as_knowledge
from .choice import AUTO, choose, takers
from .contract import Backend
from .register import get, registry

POOLED = "pools the rows as if they came from one"
REMEDIES = {  # what else can be done about data that a method does not take: in Python, in the shell
    "missing": ("frame.dropna() keeps the complete rows", "keep the complete rows of the file"),
    "few rows": ("add rows, or select fewer columns",) * 2,
    **dict.fromkeys(
        DEMANDS, (f"a table made without regime= {POOLED}", f"--drop COLUMN in place of --regime COLUMN {POOLED}")
    ),
    "streamed": ("read_table keeps the rows of a table that fits in memory",) * 2,
}
WHOLE = 1 << 63  # the whole numbers that compiled code holds are smaller
FREE = 1 << 26  # bytes that need no asking for
SECONDS = 4e-8  # that a method takes for each pair of variables, whatever it finds: to lay out matrices and hand over
MANY = 1000  # variables up to which that is no time
A_PAIR = 64  # bytes that a method holds for each pair of variables: eight matrices of numbers, as the searches of order and pc do


def discover(
    data: Any,
    backend: str | Backend = AUTO,
    *,
    knowledge: Knowledge | None = None,
    seed: int | np.random.Generator = 0,
    max_seconds: float | None = None,
    progress: bool | Watcher | None = None,
    **params: Any,
) -> Graph:
    """Learn a causal graph from a Dataset, from data of any kind (:class:`causalnet.data.Data`), or from a data frame.

    backend: a name from ``cn.backends()``, a :class:`Backend` itself, or "auto": the native method for the kind of data
    (:mod:`causalnet.discovery.choice`); ``meta["backend"]`` and ``meta["chosen"]`` tell which and why.
    knowledge: hard constraints. seed: decides all randomness (0, 1, ...). max_seconds: native backends stop in time and return
    their best so far with ``meta["complete"] = False``; one that cannot stop itself refuses it (use ``cn.compare``).
    progress: True for a bar, or a callback; what it is told, and how often, is the method's choice (``order``: its rounds).
    """
    chosen: dict[str, str] = {}
    if isinstance(data, str) and not isinstance(backend, str):
        raise DataError(f"the data come first, then the backend; write discover(data, {data!r})")
    method = None if isinstance(backend, str) and backend == AUTO else get(backend)
    data, extra = (data.data, data.knowledge) if isinstance(data, Dataset) else (_read(data, method), None)
    knowledge = as_knowledge(extra if knowledge is None else knowledge)
    if method is None:
        method, chosen["chosen"] = choose(data, registry(), lambda b: check_applicable(b, data, knowledge, params))
    else:
        with _reading_told(data):
            check_applicable(method, data, knowledge, params)
    params |= _limit(method, max_seconds)
    rng = checks.generator("seed", seed)
    compile_kernels(method, data)
    wall, cpu = time.perf_counter(), time.process_time()
    with _reading_told(data), _within_means(method.name, data), heard(progress, method.name):
        beyond = _out_of_reach(method, data, knowledge, max_seconds)
        graph = beyond or method.learn(data, knowledge=knowledge, rng=rng, **params)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if graph.nodes != tuple(data.columns):
        raise CausalnetError(f"backend {method.name} returned nodes {graph.nodes[:3]}... instead of the data's columns")
    if knowledge:
        knowledge.check(graph)
    record: dict[str, Any] = {
        "backend": method.name,
        **chosen,
        "params": {k: v if isinstance(v, int | float | str | bool | None) else str(v) for k, v in params.items()},
        "seed": None if isinstance(seed, np.random.Generator) else int(seed),
        "seconds": wall,
        "cpu_seconds": cpu,
        "data": repr(data),
    }
    if isinstance(data, Table) and data.kind == "mixed" and data.notes:
        record["read"] = [note.text for note in data.notes if not note.told]
    return graph.replace(meta={"complete": True, **graph.meta, **record})


def _limit(method: Backend, max_seconds: float | None) -> dict[str, float]:
    """The limit as a parameter of a method that stops itself."""
    if max_seconds is None:
        return {}
    checks.number("max_seconds", max_seconds, above=0.0)
    if not method.bounded:
        raise NotApplicable(
            f"{method.name} cannot stop itself, so max_seconds would not bound it here",
            python="run it through cn.compare(..., max_seconds=...), which stops it from outside",
            shell="run it through `causalnet compare --max-seconds`, which stops it from outside",
        )
    return {"max_seconds": max_seconds}


def _read(data: Any, method: Backend | None) -> Data:
    """Data as they are; a data frame as a series where the method reads rows in order of time, as a table elsewhere."""
    if isinstance(data, Table):
        return data
    return as_series(data) if method is not None and method.in_time and not is_data(data) else as_data(data)


def _out_of_reach(method: Backend, data: Data, knowledge: Knowledge | None, max_seconds: float | None) -> Graph | None:
    """What is known beforehand, where variables are so many that a method could do no more than lay out their pairs in its time."""
    d = len(data.columns)
    if (
        d <= MANY or max_seconds is None or SECONDS * d * d <= max_seconds or not method.assumes
    ):  # a control looks at no data
        return None
    told = (
        f"{method.name} takes about {SECONDS * d * d:.0f} s to lay out the pairs of {d:,} variables alone, more than max_seconds="
        f"{max_seconds:g}: no pair was looked at, and a missing edge says nothing; allow more seconds, or select fewer variables"
    )
    warnings.warn(told, UserWarning, stacklevel=3)
    required = [] if knowledge is None else knowledge.over(data.columns).required
    return Graph.from_edges(data.columns, required, meta={"complete": False, "warnings": [told]})


@contextmanager
def _within_means(name: str, data: Data) -> Iterator[None]:
    """A refusal of what cannot fit into memory; memory that ran out, and numbers that nobody can compute with, as sentences."""
    d = len(data.columns)
    if A_PAIR * d * d > FREE and A_PAIR * d * d > (there := memory.room()):
        raise DataError(
            f"a search over {d} variables holds about {memory.size(A_PAIR * d * d)} for their pairs, and {memory.size(there)} of "
            f"memory are free; keep at most {int((there / A_PAIR) ** 0.5)} variables"
        )
    try:
        yield
    except CausalnetError:
        raise
    except MemoryError as error:
        raise CausalnetError(f"{name} ran out of memory on {data!r}; keep fewer variables or rows") from error
    except np.linalg.LinAlgError as error:
        raise CausalnetError(
            f"{name} cannot compute with {data!r}: {error}; look for columns that others determine"
        ) from error


def compile_kernels(method: Backend, data: Data) -> None:
    """Compile what the method needs for data of this kind, and for regimes where a table has some, so that no limit and no
    record counts it."""
    if method.warm_up is not None:
        for kind in (data.kind, "regimes") if isinstance(data, Table) and data.regimes else (data.kind,):
            _compile_once(method.warm_up, kind)


@cache
def _compile_once(warm_up: Callable[[str], None], kind: str) -> None:
    """Once in a process, and with fewer searches for garbage, which take a tenth of the time that compiling does."""
    usual = gc.get_threshold()
    gc.set_threshold(100 * max(usual[0], 1000), *usual[1:])
    try:
        warm_up(kind)
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _reading_told(data: Data) -> Iterator[None]:
    """A refusal of a mixed table says which whole numbers were read as categories, and how to read them as numbers."""
    try:
        yield
    except NotApplicable as error:
        notes = data.notes if isinstance(data, Table) and data.kind == "mixed" else ()
        names = [note.column for note in notes if note.python.startswith("continuous=") and not note.left_out]
        if not names:
            raise
        told = f"{', '.join(map(repr, names))} held few whole numbers and {'was' if len(names) == 1 else 'were'}"
        raise NotApplicable(
            f"{error}; {told} read as categories",
            python=f"as_table(frame, continuous={names!r}) reads numbers",
            shell=f"--continuous {shlex.quote(','.join(names))} reads numbers",
        ) from error


def check_applicable(method: Backend, data: Data, knowledge: Knowledge | None, params: Mapping[str, Any]) -> None:
    """Raise NotApplicable / UnknownNameError / KnowledgeError before anything runs."""
    if data.kind not in method.takes:
        raise NotApplicable(
            f"{method.name} takes {_or(sorted(method.takes))} data, and this is {data.kind}. "
            f"Backends for {data.kind} data: {takers(data.kind, registry())}"
        )
    demands = data.demands if isinstance(data, Table | Demanding) else {}
    unmet = demands.keys() - method.handles
    if unmet:
        python, shell = ("; ".join(said) for said in zip(*(REMEDIES[word] for word in sorted(unmet)), strict=True))
        raise NotApplicable(
            f"{method.name} cannot take this table: {'; '.join(demands[word] for word in sorted(unmet))}. "
            f"These can: {takers(data.kind, registry(), frozenset(demands))}",
            python=f"otherwise {python}",
            shell=f"otherwise {shell}",
        )
    method.check_names(params)
    known = method.parameters
    for name, value in params.items():
        wanted = _unlike(known[name], value)
        if wanted:
            raise DataError(f"{method.name}: the parameter {name} is {wanted}, such as {known[name]!r}; got {value!r}")
    if knowledge:
        allowed, required = knowledge.compile(data.columns)
        edges = []
        if required.any() and "required" not in method.knowledge:
            edges.append("required")
        if (~allowed).sum() > len(allowed) + required.sum() and "forbidden" not in method.knowledge:
            edges.append("forbidden")
        if edges:
            able = [b.name for b in registry().values() if set(edges) <= b.knowledge and data.kind in b.takes]
            raise KnowledgeError(
                f"{method.name} cannot honour {_or(edges)} edges; these can: {', '.join(able) or 'none for such data'}"
            )


def _unlike(default: Any, value: Any) -> str:
    """What a value should have been, judging by the default's type; empty when it fits or the default tells nothing."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if isinstance(default, bool):
        return "" if isinstance(value, bool | np.bool_) else "true or false"
    if isinstance(default, int | float):
        held = abs(value) < WHOLE if isinstance(value, int) else np.isfinite(value) if number else False
        return "" if number and held else "a finite number"
    if isinstance(default, str):
        return "" if isinstance(value, str) or callable(value) else "a text"
    if isinstance(default, tuple | list):
        return "" if isinstance(value, tuple | list | range | np.ndarray) else "a list"
    return ""


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
