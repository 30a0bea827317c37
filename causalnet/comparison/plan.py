"""What a comparison was asked to do, checked before anything runs."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..base.checks import file_name, number, whole
from ..base.clusters import check_engine, processes
from ..datasets import Dataset
from ..datasets.catalogue import find_card
from ..discovery.contract import Backend
from ..discovery.register import find, registry
from ..errors import DataError, UnknownNameError, nearest
from .functions import as_backend
from .labels import label, parse
from .store import Cell

Function = Callable[..., Any]
Method = str | Function | tuple[str | Function, Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """What was asked for, checked."""

    datasets: dict[str, Dataset | None]  # None: known by its name
    methods: dict[str, tuple[str, str]]  # label -> backend, parameters as JSON
    seeds: list[int]
    out: Path
    n_jobs: int
    max_seconds: float | None
    engine: str
    load_seconds: float
    functions: dict[str, Function]  # methods that are functions of the caller's own, by name

    def method(self, name: str) -> Backend:
        """The method called so."""
        return as_backend(self.functions[name]) if name in self.functions else registry()[name]

    @property
    def cells(self) -> list[Cell]:
        """Every cell; those that share a draw of the data follow each other."""
        return [Cell(d, *m, s) for s in self.seeds for d in self.datasets for m in self.methods.values()]

    @property
    def settings(self) -> dict[str, Any]:
        """The plan as JSON-able settings."""
        lists = {"datasets": list(self.datasets), "backends": list(self.methods), "seeds": self.seeds}
        return {**lists, "max_seconds": self.max_seconds, "n_jobs": self.n_jobs, "engine": self.engine}

    @property
    def command(self) -> str:
        """The shell line that repeats the plan, or the Python line if it has data sets of the user's own."""
        typed = {n: n if d is None else d.card.get("path") for n, d in self.datasets.items()}  # files have a path
        if self.functions or not all(typed.values()):
            methods = ", ".join(m if m in self.functions else repr(m) for m in self.methods)
            data = ", ".join(repr(n) if d is None else f"<Dataset {n!r}>" for n, d in self.datasets.items())
            rest = {k: v for k, v in self.settings.items() if k not in ("datasets", "backends") and v is not None}
            told = ", ".join(f"{k}={v!r}" for k, v in {**rest, "out": str(self.out)}.items())
            return f"# in Python: causalnet.compare([{data}], [{methods}], {told})"
        counted = self.seeds == list(range(len(self.seeds)))
        listed = ",".join(map(str, self.seeds)) + "," * (len(self.seeds) == 1)
        truths = [d.card["truth_path"] for d in self.datasets.values() if d is not None and "truth_path" in d.card]
        options = {
            "data": ",".join(map(str, typed.values())),
            "truth": truths[0] if len(set(truths)) == 1 else "",
            "backend": ",".join(self.methods),
            "seeds": str(len(self.seeds)) if counted else listed,
            "out": str(self.out),
            "max-seconds": "" if self.max_seconds is None else f"{self.max_seconds:g}",
            "n-jobs": "" if self.n_jobs == 1 else str(self.n_jobs),
            "engine": "" if self.engine == "local" else self.engine,
            **{
                name.removeprefix("--"): value
                for dataset in filter(None, self.datasets.values())
                for name, value in dataset.card.get("options", {}).items()
            },
        }
        words = [word for name, value in options.items() if value for word in (f"--{name}", value)]
        words += [word for path in truths if len(set(truths)) > 1 for word in ("--truth", path)]
        return shlex.join(["causalnet", "compare", *words])


def make_plan(
    datasets: Any,
    backends: Any,
    seeds: Any,
    out: Any,
    n_jobs: Any,
    max_seconds: Any,
    engine: str,
    params: Any,
    load_seconds: Any,
) -> Plan:
    """The plan that the arguments of ``compare`` ask for; an error for what cannot be right."""
    found = _seeds(seeds)
    methods, functions = _methods(backends, params or {})
    n_jobs = processes(whole("n_jobs", n_jobs, -1))
    return Plan(
        datasets=_datasets(datasets, found),
        methods=methods,
        seeds=found,
        out=file_name(out, "runs/compare"),
        n_jobs=n_jobs,
        max_seconds=None if max_seconds is None else number("max_seconds", max_seconds, above=0.0),
        engine=check_engine(engine),
        load_seconds=number("load_seconds", load_seconds, above=0.0),
        functions=functions,
    )


def _seeds(seeds: Any) -> list[int]:
    """How many, or which."""
    if isinstance(seeds, int):
        return list(range(whole("seeds", seeds, 1, 10**9)))
    if isinstance(seeds, str) or not isinstance(seeds, Sequence | np.ndarray) or len(seeds) == 0:
        raise DataError(f"seeds must be how many (at least 1) or a list of whole numbers, got {seeds!r}")
    return list(dict.fromkeys(whole("a seed", seed, 0) for seed in seeds))


def _datasets(given: Any, seeds: list[int]) -> dict[str, Dataset | None]:
    if isinstance(given, Mapping):
        texts = [name for name, one in given.items() if isinstance(one, str)]
        if texts:
            raise DataError(
                f"datasets holds a text under {texts[0]!r}; a dict takes frames and Datasets, a list takes names"
            )
        given = [
            replace(one, name=name) if isinstance(one, Dataset) else _bare(one, name) for name, one in given.items()
        ]
    many = isinstance(given, Sequence | Set | Iterator) and not isinstance(given, str)
    items = list(given) if many else [given]
    bare = sum(not isinstance(item, str | Dataset) for item in items)
    found: dict[str, Dataset | None] = {}
    for item in items:
        if isinstance(item, str):
            _check_name(item)
            name, item = item, None
        elif isinstance(item, Dataset):
            name = item.name
            if item.sampled and len(seeds) > 1:
                raise DataError(
                    f"the Dataset {name!r} is one sample that was drawn already, so {len(seeds)} seeds would all see "
                    "the same data; pass its name in the catalogue to draw a sample for each seed, or "
                    "dataclasses.replace(dataset, sampled=False) to resample this one"
                )
        else:
            name = "data" if bare == 1 else f"data {1 + sum(one is not None for one in found.values())}"
            item = _bare(item, name)
        if name in found and (found[name] is not item):
            raise DataError(f"two data sets are called {name!r}; give them different names")
        found[name] = item
    if not found:
        raise DataError("there is no data set to compare on; name at least one")
    return found


def _check_name(name: str) -> None:
    """UnknownNameError for the name of no data set; DataError where it is that of a file."""
    try:
        find_card(name)
    except UnknownNameError:
        if os.path.isfile(name):
            raise DataError(
                f"{name!r} is a file; read it first: causalnet.data.read_table({name!r}), or read_events"
            ) from None
        raise


def _bare(item: Any, name: Any) -> Dataset:
    """A frame, or data of any kind, as a data set without truth."""
    try:
        return Dataset(name, item)
    except DataError as error:
        raise DataError(
            f"a data set is a name, a causalnet.Dataset, data or a frame; the {type(item).__name__} is none: {error}",
            python="write causalnet.Dataset('my-data', causalnet.as_table(frame), truth)",
        ) from error


def _methods(
    given: Any, params: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, tuple[str, str]], dict[str, Function]]:
    """Label -> (backend, parameters as JSON), and the functions among them by name."""
    pair = isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], Mapping)
    found: dict[str, tuple[str, str]] = {}
    functions: dict[str, Function] = {}
    used = set()
    if not isinstance(given, Iterable) and not callable(given):
        raise DataError(f"backends is {given!r}, and must be names of methods, such as ['pc', 'notears']")
    for item in [given] if isinstance(given, str) or pair or callable(given) else list(given):
        paired = isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[1], Mapping)
        if not (isinstance(item, str) or callable(item) or paired):
            raise DataError(f"backends holds {item!r:.60}, and must hold names of methods, such as ['pc', 'notears']")
        name, own = parse(item) if isinstance(item, str) else (item, {}) if callable(item) else (item[0], dict(item[1]))
        if callable(name):
            method, function = as_backend(name), name
            if functions.setdefault(method.name, function) is not function:
                raise DataError(f"two functions are called {method.name!r}; give them different names")
            name = method.name
        else:
            method = find(name)
        used.add(name)
        chosen = {**params.get(name, {}), **own}
        method.check_names(chosen)
        text = _as_json(name, chosen)
        found[label(name, json.loads(text))] = (name, text)
    extra = sorted(set(params) - used)
    if extra:
        raise UnknownNameError(
            f"params has an entry for {extra[0]!r}, which is not among the backends to compare.{nearest(extra[0], used)}"
        )
    if not found:
        raise DataError("there is no method to compare; name at least one")
    return found, functions


def _as_json(backend: str, params: Mapping[str, Any]) -> str:
    for name, value in params.items():
        try:
            json.dumps(value, default=_scalar, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{backend}: the parameter {name} is {value!r}, which cannot be written down and repeated; "
                "a comparison takes numbers, text, lists and null"
            ) from error
    return json.dumps(dict(params), sort_keys=True, default=_scalar)


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"not JSON: {type(value).__name__}")
