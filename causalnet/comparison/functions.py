"""A function as a method of a comparison: ``cn.compare(data, [my_function])``.

It is called with the data and, where it has such parameters, ``knowledge``, ``rng`` and ``max_seconds``; its other parameters are
the method's. It returns a Graph, a (d, d) array or data frame with a nonzero entry [i, j] for i -> j, or a networkx graph. It
travels to the worker processes of this comparison as its own code (cloudpickle), never into a file, and is read back nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..data import KINDS
from ..discovery.contract import Backend
from ..discovery.dispatch import REMEDIES
from ..discovery.register import registry
from ..errors import DataError
from ..graph import Graph

ASKED = ("knowledge", "rng", "max_seconds")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")


def as_backend(function: Callable[..., Any]) -> Backend:
    """The method that a function is; DataError for one without a name, or that cannot be called with data alone."""
    name = getattr(function, "__name__", type(function).__name__)
    if not _NAME.fullmatch(name):
        raise DataError(f"a method needs a name, and {name} has none; write it as `def my_method(data): ...`")
    if name in registry():
        raise DataError(f"there is a method called {name!r} already; give the function another name")
    try:
        first, *others = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} cannot be called with data: it has no parameter; write `def {name}(data): ...`"
        ) from error
    named = [p for p in others if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    open_ended = [p.name for p in named if p.default is p.empty and p.name not in ASKED]
    if open_ended or first.kind is first.KEYWORD_ONLY:
        raise DataError(
            f"{name} must be callable with the data alone; give {', '.join(open_ended) or first.name} a default"
        )
    passed = {p.name for p in named} & set(ASKED)

    def learn(data: Any, *, knowledge: Any, rng: np.random.Generator, **params: Any) -> Graph:
        given = {"knowledge": knowledge, "rng": rng, **params}
        return read_answer(
            name, function(data, **{k: v for k, v in given.items() if k not in ASKED or k in passed}), data
        )

    kept = [
        inspect.Parameter(p.name, p.KEYWORD_ONLY, default=p.default)
        for p in named
        if p.name not in ("knowledge", "rng")
    ]
    fixed = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in ("knowledge", "rng")]
    data = inspect.Parameter("data", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    learn.__signature__ = inspect.Signature([data, *fixed, *kept])  # type: ignore[attr-defined]
    doc = inspect.getdoc(function) or "a function of one's own"
    takes = frozenset(getattr(function, "takes", KINDS))
    honoured = frozenset({"required", "forbidden"} if "knowledge" in passed else ())
    return Backend(
        name, learn, takes, getattr(function, "gives", ""), doc.split("\n")[0], honoured, handles=frozenset(REMEDIES)
    )


def read_answer(name: str, answer: Any, data: Any) -> Graph:
    """What a function returned, as a graph over the data's columns."""
    columns, d = tuple(data.columns), len(data.columns)
    if isinstance(answer, nx.Graph):
        answer = Graph.from_networkx(answer, nodes=columns)
    if isinstance(answer, pd.DataFrame):
        if sorted(map(str, answer.index)) != sorted(columns) or sorted(map(str, answer.columns)) != sorted(columns):
            raise DataError(f"{name} returned a frame whose rows and columns are not the variables of the data")
        answer = answer.rename(index=str, columns=str).loc[list(columns), list(columns)].to_numpy()
    if isinstance(answer, Graph):
        if sorted(answer.nodes) != sorted(columns):
            raise DataError(f"{name} returned a graph over other variables than those of the data")
        return answer.align(columns)
    array = np.asarray(answer) if isinstance(answer, np.ndarray | list) else None
    if array is None or array.shape != (d, d) or array.dtype.kind not in "biuf":
        told = type(answer).__name__ if array is None else f"an array of shape {array.shape}"
        raise DataError(
            f"{name} returned {told}; return a causalnet.Graph, or a ({d}, {d}) array with [i, j] nonzero for i -> j"
        )
    return Graph(columns, array != 0)


def digest(function: Callable[..., Any]) -> str:
    """A fingerprint of a function's code, defaults and closure, and of what it names in its own module: functions, classes and
    plain constants. The same name must stand for the same function in a folder."""
    found, seen = hashlib.sha256(), set[int]()

    def without_places(value: Any) -> bytes:
        return re.sub(r" at 0x[0-9a-f]+", "", repr(value)).encode()

    def add(code: CodeType, home: Any) -> None:
        found.update(code.co_code + repr((code.co_names, code.co_varnames)).encode())
        for item in code.co_consts:
            if isinstance(item, CodeType):
                add(item, home)
            else:
                found.update(repr(item).encode())
        for name in code.co_names:
            reach(getattr(home, "__globals__", {}).get(name), getattr(home, "__module__", None))

    def reach(thing: Any, module: Any) -> None:
        if isinstance(thing, int | float | str | tuple):
            found.update(without_places(thing))
        elif getattr(thing, "__module__", None) != module or id(thing) in seen:
            return
        elif isinstance(thing, FunctionType):
            take(thing)
        elif isinstance(thing, type):
            seen.add(id(thing))
            for part in vars(thing).values():
                reach(getattr(part, "__func__", part), module)

    def take(one: Any) -> None:
        seen.add(id(one))
        plain = getattr(one, "__func__", one)  # of a method
        home = plain if isinstance(plain, FunctionType) else getattr(type(one).__call__, "__func__", type(one).__call__)
        if isinstance(home, FunctionType):
            add(home.__code__, home)
        cells = [cell.cell_contents for cell in getattr(one, "__closure__", None) or ()]
        found.update(repr((getattr(one, "__defaults__", None), getattr(one, "__kwdefaults__", None))).encode())
        found.update(without_places(cells))

    take(function)
    return found.hexdigest()[:12]


def pack_function(function: Callable[..., Any]) -> str:
    """The function as text for our own workers; DataError for what cannot travel."""
    import cloudpickle

    try:
        return base64.b64encode(cloudpickle.dumps(function)).decode()
    except Exception as error:  # whatever the function holds may refuse in its own way
        name = getattr(function, "__name__", type(function).__name__)
        raise DataError(
            f"{name} cannot be sent to a worker process ({type(error).__name__}: {error}); keep open files, locks and connections out of it"
        ) from error


def check_unchanged(
    functions: Mapping[str, Callable[..., Any]], recorded: Mapping[str, Mapping[str, str]], out: Any
) -> None:
    """DataError where the folder holds results of another function of the same name."""
    for name, function in functions.items():
        before = recorded.get(name, {}).get(name)
        if before is not None and before != digest(function):
            raise DataError(
                f"{out} holds results of another version of the function {name}; give it another name, or choose another folder"
            )
