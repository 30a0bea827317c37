"""Every known backend by name: one file each in ``causalnet.backends``, and the entry points of other packages."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

from ..base.checks import choose, names
from ..data import KINDS
from ..errors import DataError, NotInstalled, UnknownNameError, nearest
from ..graph import Graph
from .contract import Backend, BackendInfo

GROUP = "causalnet.backends"
GRAPHS = {
    "dag": "directed, without cycles",
    "digraph": "directed, perhaps with cycles",
    "cpdag": "of a Markov equivalence class",
    "pag": "with circles where latent causes leave an end open",
}
# likeness from which a new word counts as a misspelling of a known one; two assumptions may differ by "non-" alone
SAME = {"TAKES": 0.8, "ASSUMES": 0.9}


@runtime_checkable
class Family(Protocol):
    """A plug-in with many methods."""

    ALGORITHMS: Mapping[str, Backend]


@cache
def registry() -> Mapping[str, Backend]:
    """Every backend by name: the modules of ``causalnet.backends``, then the entry points of other packages."""
    return _Registry()


class _Registry(Mapping[str, Backend]):
    """Loads the module of ours, or what other packages offer, when it is asked for a name of theirs, and all when asked for more."""

    def __init__(self) -> None:
        plugins = importlib.import_module("causalnet.backends")
        own = [info.name for info in pkgutil.iter_modules(plugins.__path__) if not info.name.startswith("_")]
        self._own = {name.replace("_", "-"): f"{plugins.__name__}.{name}" for name in own}
        self._read: dict[str, Mapping[str, Backend]] = {}  # by the name of the module

    def __getitem__(self, name: str) -> Backend:
        found = self._ours(name) or self._others.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def _ours(self, name: str) -> Backend | None:
        family = name.partition("/")[0] if isinstance(name, str) else ""
        return self._methods(family).get(name) if family in self._own else None

    def _methods(self, own: str) -> Mapping[str, Backend]:
        """Those of a module of ours."""
        if own not in self._read:
            self._read[own] = _load(own, partial(importlib.import_module, self._own[own]), tuple)
        return self._read[own]

    @cached_property
    def _all_ours(self) -> Mapping[str, Backend]:
        found: dict[str, Backend] = {}
        for own in self._own:
            for name, method in self._methods(own).items():
                try:
                    _check_words(method, found.values)
                except UnknownNameError as error:
                    method = _broken(name, f"{type(error).__name__}: {error}")
                found[name] = method
        return found

    def _known(self, others: Mapping[str, Backend]) -> Iterable[Backend]:
        return [*self._all_ours.values(), *others.values()]

    @cached_property
    def _others(self) -> Mapping[str, Backend]:
        """Those of other packages."""
        found: dict[str, Backend] = {}
        for entry in importlib.metadata.entry_points(group=GROUP):
            source = entry.dist.name if entry.dist else entry.value
            known = partial(self._known, found)
            for name, backend in _load(entry.name, entry.load, known).items():
                if name in found or self._ours(name):
                    name = f"{source}/{name}"
                    backend = _broken(name, f"its name {backend.name!r} is taken; register it under another one")
                found[name] = backend
        return found

    @cached_property
    def _all(self) -> Mapping[str, Backend]:
        return {**self._all_ours, **self._others}


def _load(offered: str, load: Callable[[], Any], others: Callable[[], Iterable[Backend]]) -> dict[str, Backend]:
    """The methods of a plug-in, or one that says why there are none; others: those that are known already."""
    mine: dict[str, Backend] = {}
    try:
        _register(mine, offered, load(), others)
    except Exception as error:  # somebody else's code may fail in any way; the rest must go on
        _register(mine, offered, _broken(offered, f"{type(error).__name__}: {error}"), others)
    return mine


def _register(mine: dict[str, Backend], name: str, plugin: Any, others: Callable[[], Iterable[Backend]]) -> None:
    if isinstance(plugin, Backend):
        methods = [plugin]
    else:
        methods = list(plugin.ALGORITHMS.values()) if isinstance(plugin, Family) else [_of_module(name, plugin)]
    for method in methods:
        _check_words(method, others)
        mine[method.name] = method


def _check_words(method: Backend, others: Callable[[], Iterable[Backend]]) -> None:
    """UnknownNameError for what a backend cannot mean; a kind or an assumption that is like no known one may be new."""
    who = f"backend {method.name!r}"
    own = " If it is a kind of your own, decorate its class with causalnet.data.data_kind"
    if not method.takes:
        raise UnknownNameError(f"{who}: TAKES is empty; name the kinds of data that it takes: {', '.join(KINDS)}")
    choose(f"{who}: GIVES", method.gives, GRAPHS)
    terms = _terms([method])
    known_terms = _terms(others()) if terms else terms
    for field, words, known, more in (("TAKES", method.takes, KINDS, own), ("ASSUMES", terms, known_terms, "")):
        for word in words.difference(known):
            if difflib.get_close_matches(word, known, cutoff=SAME[field]):
                raise UnknownNameError(f"{who}: {field} holds {word!r}.{nearest(word, known)}{more}")


def _terms(methods: Iterable[Backend]) -> set[str]:
    """What these methods assume, without the choices in brackets."""
    return {term.partition(" (")[0] for method in methods for term in method.assumes}


def _of_module(name: str, module: ModuleType) -> Backend:
    def listed(field: str) -> tuple[str, ...]:
        return names(f"backend {name!r}: {field}", getattr(module, field, ()), UnknownNameError)

    doc = inspect.getdoc(module) or ""
    return Backend(
        name=name,
        learn=module.learn,
        takes=frozenset(listed("TAKES")),
        gives=getattr(module, "GIVES", ""),
        summary=doc.split("\n")[0],
        knowledge=frozenset(listed("KNOWLEDGE")),
        requires=listed("REQUIRES"),
        install=getattr(module, "INSTALL", ""),
        caveat=getattr(module, "CAVEAT", ""),
        assumes=listed("ASSUMES"),
        handles=frozenset(listed("HANDLES")),
        warm_up=getattr(module, "warm_up", None),
    )


def _broken(name: str, why: str) -> Backend:
    def learn(data: Any, *, knowledge: Any, rng: Any) -> Graph:
        raise NotInstalled(f"the plug-in {name!r} cannot be loaded: {why}")

    return Backend(name, learn, frozenset(KINDS), "dag", f"cannot be loaded: {why}", caveat=f"cannot be loaded: {why}")


def kinds() -> list[str]:
    """Every kind of data that is known: those that loaded classes declare, and those that backends take."""
    return sorted(set(KINDS).union(*(method.takes for method in registry().values())))


def find(name: str) -> Backend:
    """The backend called ``name``, installed or not; UnknownNameError with the nearest name."""
    known = registry()
    if name not in known:
        hint = nearest(name, known) or " See `causalnet backends`."
        raise UnknownNameError(f"there is no backend {name!r}.{hint}")
    return known[name]


def get(name: str | Backend) -> Backend:
    """The backend called ``name``, or as it is; UnknownNameError with the nearest name, NotInstalled with the install command."""
    if isinstance(name, Backend):
        return name
    if not isinstance(name, str):
        hint = " (a function is a method of cn.compare(data, [function]))" if callable(name) else ""
        raise DataError(
            f"backend is of type {type(name).__name__}, and must be a name, such as 'order'{hint}; cn.backends() lists them"
        )
    backend = find(name)
    if not backend.installed:
        raise NotInstalled(backend.needs)
    return backend


def backends() -> list[BackendInfo]:
    """Every known backend: native ones first, then the families of other packages."""
    lines = []
    for b in sorted(registry().values(), key=lambda b: ("/" in b.name, b.name)):
        line: dict[str, Any] = {name: getattr(b, name) for name in BackendInfo._fields}
        line |= {
            "takes": tuple(sorted(b.takes)),
            "knowledge": tuple(sorted(b.knowledge)),
            "handles": tuple(sorted(b.handles)),
        }
        line["how_to_install"] = "" if b.installed else b.how_to_install
        lines.append(BackendInfo(**line))
    return lines
