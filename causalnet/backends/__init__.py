"""Discovery backends: one file each, found by its name; no other package's algorithms are imported before use.

A backend module holds ``TAKES`` (kinds of data), ``GIVES`` (kind of graph), ``KNOWLEDGE`` (what it honours),
``REQUIRES`` (packages), ``CAVEAT`` and ``learn(data, *, knowledge, rng, **params) -> Graph``; the first line of its
docstring is its summary. A module with ``ALGORITHMS`` (a mapping of names to :class:`Backend`) is a family: its
members are called ``family/member``. Other packages register through the entry-point group ``causalnet.backends``,
with a module of either form, or a :class:`Backend`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..base.doors import make_callable
from ..data import Events, Interactions, Table, as_table
from ..errors import (
    CausalnetError,
    DataError,
    KnowledgeError,
    NotApplicable,
    NotInstalled,
    UnknownNameError,
    nearest,
)
from ..graph import Graph, Knowledge

KINDS = frozenset({"continuous", "discrete", "mixed", "events", "interactions"})
GROUP = "causalnet.backends"


@dataclass(frozen=True)
class Backend:
    """One discovery method. ``learn(data, *, knowledge, rng, **params) -> Graph``."""

    name: str
    learn: Callable[..., Graph]
    takes: frozenset[str]
    gives: str
    summary: str
    knowledge: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    install: str = ""
    caveat: str = ""
    warm_up: Callable[[], None] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameter names with their defaults."""
        found = inspect.signature(self.learn).parameters.values()
        fixed = {"knowledge", "rng", "max_seconds"}
        return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY and p.name not in fixed}

    @property
    def bounded(self) -> bool:
        """True when the method stops itself at ``max_seconds`` and returns its best so far."""
        return "max_seconds" in inspect.signature(self.learn).parameters

    @property
    def installed(self) -> bool:
        """True when every package it requires can be imported."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The required packages that are not there."""
        return tuple(name for name in self.requires if importlib.util.find_spec(name) is None)

    @property
    def how_to_install(self) -> str:
        """The command that brings the missing packages."""
        return f"pip install {self.install or ' '.join(self.missing)}"


class BackendInfo(NamedTuple):
    """A line of ``cn.backends()``."""

    name: str
    takes: tuple[str, ...]
    gives: str
    summary: str
    installed: bool
    caveat: str
    knowledge: tuple[str, ...]
    parameters: dict[str, Any]
    how_to_install: str


@cache
def registry() -> Mapping[str, Backend]:
    """Every backend by name: the modules of this folder, then the entry points of other packages."""
    found: dict[str, Backend] = {}
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            _register(found, info.name.replace("_", "-"), importlib.import_module(f"{__name__}.{info.name}"))
    for entry in importlib.metadata.entry_points(group=GROUP):
        mine: dict[str, Backend] = {}
        try:
            _register(mine, entry.name, entry.load())
        except Exception as error:  # somebody else's code may fail in any way; the rest must go on
            _register(mine, entry.name, _broken(entry.name, f"{type(error).__name__}: {error}"))
        for name, backend in mine.items():
            if name in found:
                name = f"{entry.dist.name if entry.dist else entry.value}/{name}"
                backend = _broken(name, f"its name {backend.name!r} is taken; register it under another one")
            found[name] = backend
    return found


def _register(found: dict[str, Backend], name: str, plugin: Any) -> None:
    if isinstance(plugin, Backend):
        found[plugin.name] = plugin
    elif hasattr(plugin, "ALGORITHMS"):
        for backend in plugin.ALGORITHMS.values():
            found[backend.name] = backend
    else:
        found[name] = _of_module(name, plugin)


def _of_module(name: str, module: ModuleType) -> Backend:
    takes = frozenset(module.TAKES)
    if not takes <= KINDS:
        raise UnknownNameError(
            f"backend {name!r}: TAKES holds {sorted(takes - KINDS)}; known kinds are {sorted(KINDS)}"
        )
    doc = inspect.getdoc(module) or ""
    return Backend(
        name=name,
        learn=module.learn,
        takes=takes,
        gives=module.GIVES,
        summary=doc.split("\n")[0],
        knowledge=frozenset(getattr(module, "KNOWLEDGE", ())),
        requires=tuple(getattr(module, "REQUIRES", ())),
        install=getattr(module, "INSTALL", ""),
        caveat=getattr(module, "CAVEAT", ""),
        warm_up=getattr(module, "warm_up", None),
    )


def _broken(name: str, why: str) -> Backend:
    def learn(data: Any, *, knowledge: Any, rng: Any) -> Graph:
        raise NotInstalled(f"the plug-in {name!r} cannot be loaded: {why}")

    return Backend(name, learn, KINDS, "dag", f"cannot be loaded: {why}", caveat=f"cannot be loaded: {why}")


def get(name: str) -> Backend:
    """The backend called ``name``; UnknownNameError with the nearest name, NotInstalled with the install command."""
    known = registry()
    if name not in known:
        hint = nearest(name, known) or " See `causalnet backends`."
        raise UnknownNameError(f"there is no backend {name!r}.{hint}")
    backend = known[name]
    if not backend.installed:
        raise NotInstalled(f"{name} needs {', '.join(backend.missing)}: not installed: {backend.how_to_install}")
    return backend


def backends() -> list[BackendInfo]:
    """Every known backend: native ones first, then the families of other packages."""
    return [
        BackendInfo(
            b.name,
            tuple(sorted(b.takes)),
            b.gives,
            b.summary,
            b.installed,
            b.caveat,
            tuple(sorted(b.knowledge)),
            b.parameters,
            b.how_to_install if not b.installed else "",
        )
        for b in sorted(registry().values(), key=lambda b: ("/" in b.name, b.name))
    ]


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
        _compile(method.warm_up)
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
def _compile(warm_up: Callable[[], None]) -> None:
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


make_callable(__name__)
