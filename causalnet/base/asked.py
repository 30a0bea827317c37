"""Arguments checked by the types that a public function says of them: a wrong one is answered in a sentence."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial, wraps
from os import PathLike
from typing import Any, Literal, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse

from ..errors import DataError
from .checks import LARGEST, shown

Call = TypeVar("Call", bound=Callable[..., Any])
ARRAY = "an array of numbers"
PLAIN: Mapping[Any, tuple[str, tuple[type, ...]]] = {
    bool: ("True or False", (bool, np.bool_)),
    int: ("a whole number", (int, np.integer)),
    float: ("a number", (int, float, np.integer, np.floating)),
    str: ("a text", (str,)),
    PathLike: ("a path", (PathLike,)),
    type(None): ("None", (type(None),)),
}


def asks(*names: str) -> Callable[[Call], Call]:
    """Answer arguments of another type than the function, or the class, says of ``names`` (none given: of all) with DataError.

    What is looked at: plain types, classes, functions, mappings, lists, arrays of numbers, and unions of them; all else is left to
    the function. Rows in place of an array become one; a ``seed`` is no number below 0.
    """

    def wrap(call: Call) -> Call:
        inner: Any = call.__init__ if isinstance(call, type) else call  # type: ignore[misc]
        by_place = _by_place(inner)

        def fitting(name: str, value: Any) -> Any:
            told, fits = _kinds(inner).get(name, ("", None)) if name in names or not names else ("", None)
            if fits is not None and not fits(value):
                raise DataError(f"{name} is {shown(value)}, and must be {told}")
            return np.asarray(value) if told.startswith(ARRAY) and value is not None else value

        @wraps(inner)
        def asked(*args: Any, **kwargs: Any) -> Any:
            first = list(map(fitting, by_place, args))
            rest = {name: fitting(name, value) for name, value in kwargs.items()}
            return inner(*first, *args[len(by_place) :], **rest)

        if isinstance(call, type):
            call.__init__ = asked  # type: ignore[misc]
            return call
        return asked  # type: ignore[return-value]

    return wrap


def _by_place(call: Any) -> list[str]:
    """The names of the parameters that may be given by their place."""
    named = inspect.signature(call).parameters.values()
    return [p.name for p in named if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


@cache
def _kinds(call: Any) -> dict[str, tuple[str, Callable[[Any], bool]]]:
    """Of each parameter whose type can be looked at, what it must be, in words, and whether a value is that."""
    found = {}
    for name, parameter in inspect.signature(call).parameters.items():
        kind = parameter.annotation
        if kind is parameter.empty:
            continue
        holder = types.SimpleNamespace(__annotations__={name: kind})
        try:
            kind = get_type_hints(holder, call.__globals__)[name]
        except (NameError, AttributeError, TypeError):  # a name that only the type checker loads
            continue
        read = _kind(kind)
        if read is not None and name == "seed":
            read = f"{read[0]} from 0 up", partial(_is_seed, read[1])
        if read is not None and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            found[name] = read
    return found


def _kind(kind: Any) -> tuple[str, Callable[[Any], bool]] | None:
    """What a value of this type is, in words, and the check; None where nothing can be said."""
    origin = get_origin(kind)
    if kind is ArrayLike or kind is np.ndarray or origin is np.ndarray:
        return ARRAY, partial(_is_array, 0 if kind is ArrayLike else 1)
    if origin is Literal:
        words = get_args(kind)
        return f"one of {', '.join(map(repr, words))}", lambda v: any(type(v) is type(w) and v == w for w in words)
    if origin in (Union, types.UnionType):
        parts = [_kind(part) for part in get_args(kind)]
        known = [part for part in parts if part is not None]
        told = " or ".join(dict.fromkeys(part[0] for part in known))
        return (told, lambda v: any(part[1](v) for part in known)) if len(known) == len(parts) else None
    if isinstance(kind, type) and kind.__module__.startswith("scipy.sparse"):
        return "a sparse matrix", issparse
    base = origin or kind
    if not isinstance(base, type) or base in (Any, object, type) or Protocol in base.__bases__:
        return None
    if base in PLAIN:
        told, fit = PLAIN[base]
        if base in (int, float):
            return told, lambda v: isinstance(v, fit) and not isinstance(v, bool) and not _is_beyond(v)
        return told, lambda v: isinstance(v, fit)
    if issubclass(base, PathLike):
        return "a path", lambda v: isinstance(v, PathLike)
    if base.__name__ == "Callable":
        return "a function", callable
    if origin is not None and issubclass(base, Mapping):
        return "a dict", lambda v: isinstance(v, Mapping)
    if origin is not None and issubclass(base, Iterable):
        if get_args(kind)[:1] == (str,):
            return "a list of texts", _is_texts
        return "a list", _is_list
    return f"of the type {base.__name__}", lambda v: isinstance(v, base)


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def _is_texts(value: Any) -> bool:
    """A list of texts; what can be gone through only once is left to the function."""
    return _is_list(value) and (isinstance(value, Iterator) or all(isinstance(one, str) for one in value))


def _is_array(axes: int, value: Any) -> bool:
    """Is it an array of numbers with so many axes at least, or rows that make one?"""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last of tensors that carry gradients
        return False
    return array.dtype.kind in "biuf" and array.ndim >= axes


def _is_seed(fits: Callable[[Any], bool], value: Any) -> bool:
    return fits(value) and not (isinstance(value, (int, np.integer)) and value < 0)


def _is_beyond(value: Any) -> bool:
    """Is it a whole number that no float holds?"""
    return isinstance(value, int) and abs(value) > LARGEST
