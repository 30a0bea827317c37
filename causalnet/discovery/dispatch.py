"""One call for every method: the data is read, the method asked whether it applies, run on its clock, and its answer checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from ..data import Events, Interactions, Table, as_table
from ..errors import CausalnetError, DataError, KnowledgeError, NotApplicable, UnknownNameError, nearest
from ..graph import Graph, Knowledge
from .contract import Backend
from .register import get, registry


def discover(
    data: Any,
    backend: str = "pc",
    *,
    knowledge: Knowledge | None = None,
    seed: int | np.random.Generator = 0,
    max_seconds: float | None = None,
    **params: Any,
) -> Graph:
    """Learn a causal graph from a DataFrame, Table, Events, Interactions or Dataset.

    backend: a name from ``cn.backends()``. knowledge: hard constraints. seed: decides all randomness (0, 1, ...).
    max_seconds: native backends stop in time and return their best so far with ``meta["complete"] = False``;
    a backend that cannot stop itself refuses it (use ``cn.compare``, which bounds every backend from outside).
    """
    method = get(backend)
    data, extra = _validated(data)
    knowledge = extra if knowledge is None else knowledge
    check_applicable(method, data, knowledge, params)
    if max_seconds is not None:
        if not (isinstance(max_seconds, int | float) and max_seconds > 0):
            raise DataError(f"max_seconds must be a positive number of seconds, got {max_seconds!r}")
        if not method.bounded:
            raise NotApplicable(
                f"{backend} cannot stop itself, so max_seconds would not bound it here; "
                "run it through cn.compare(..., max_seconds=...), which stops it from outside"
            )
        params["max_seconds"] = max_seconds
    if not isinstance(seed, np.random.Generator) and not (isinstance(seed, int | np.integer) and seed >= 0):
        raise DataError(f"seed is a whole number from 0 on, or a numpy Generator; got {seed!r}")
    rng = np.random.default_rng(seed)  # a Generator stays itself
    if method.warm_up is not None:
        compile_kernels(method.warm_up)
    wall, cpu = time.perf_counter(), time.process_time()
    graph = method.learn(data, knowledge=knowledge, rng=rng, **params)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if graph.nodes != tuple(data.columns):
        raise CausalnetError(f"backend {backend} returned nodes {graph.nodes[:3]}... instead of the data's columns")
    if knowledge:
        knowledge.check(graph)
    record = {
        "backend": backend,
        "params": {k: v if isinstance(v, int | float | str | bool | None) else str(v) for k, v in params.items()},
        "seed": None if isinstance(seed, np.random.Generator) else int(seed),
        "seconds": wall,
        "cpu_seconds": cpu,
        "data": repr(data),
    }
    return graph.replace(meta={"complete": True, **graph.meta, **record})


@cache
def compile_kernels(warm_up: Callable[[], None]) -> None:
    """Compile a backend's kernels, once in a process, so that no limit and no record counts it."""
    warm_up()


def check_applicable(
    method: Backend, data: Table | Events | Interactions, knowledge: Knowledge | None, params: Mapping[str, Any]
) -> None:
    """Raise NotApplicable / UnknownNameError / KnowledgeError before anything runs."""
    if data.kind not in method.takes:
        raise NotApplicable(
            f"{method.name} takes {_or(sorted(method.takes))} data, and this is {data.kind}. "
            f"Backends for {data.kind} data: {', '.join(b.name for b in registry().values() if data.kind in b.takes and '/' not in b.name)}"
        )
    known = method.parameters
    for name, value in params.items():
        if name not in known:
            hint = nearest(name, known) or f" It takes: {', '.join(known) or 'no parameters'}."
            raise UnknownNameError(f"{method.name} has no parameter {name!r}.{hint}")
        wanted = _unlike(known[name], value)
        if wanted:
            raise DataError(f"{method.name}: the parameter {name} is {wanted}, such as {known[name]!r}; got {value!r}")
    if knowledge:
        allowed, required = knowledge.compile(data.columns)
        unmet = []
        if required.any() and "required" not in method.knowledge:
            unmet.append("required")
        if (~allowed).sum() > len(allowed) + required.sum() and "forbidden" not in method.knowledge:
            unmet.append("forbidden")
        if unmet:
            able = [b.name for b in registry().values() if set(unmet) <= b.knowledge and data.kind in b.takes]
            raise KnowledgeError(
                f"{method.name} cannot honour {_or(unmet)} edges; these can: {', '.join(able) or 'none for such data'}"
            )


def _unlike(default: Any, value: Any) -> str:
    """What a value should have been, judging by the default's type; empty when it fits or the default tells nothing."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if isinstance(default, bool):
        return "" if isinstance(value, bool | np.bool_) else "true or false"
    if isinstance(default, int | float):
        return "" if number and np.isfinite(value) else "a finite number"
    if isinstance(default, str):
        return "" if isinstance(value, str) or callable(value) else "a text"
    if isinstance(default, tuple | list):
        return "" if isinstance(value, tuple | list | range | np.ndarray) else "a list"
    return ""


def _validated(data: Any) -> tuple[Table | Events | Interactions, Knowledge | None]:
    if isinstance(data, Table | Events | Interactions):
        return data, None
    if hasattr(data, "truth") and hasattr(data, "data"):  # a Dataset brings its knowledge along
        return data.data, data.knowledge
    return as_table(data), None


def _or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
