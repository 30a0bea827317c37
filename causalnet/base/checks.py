"""Checks of single arguments that several layers share; each gives the value back, or an error that is a sentence."""

from __future__ import annotations

import inspect
import math
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import CausalnetError, DataError, UnknownNameError, nearest
from .arrays import AnyArray, Array, Bools, Ints

PASSED_ON = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}  # (*args, **kwargs) tells nothing
LARGEST = sys.float_info.max  # a whole number beyond it is none of float64


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """``value`` as an int from ``least`` to ``most`` (None: no end); DataError for anything else, also for True and 3.0."""
    real = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not real or value < least or (most is not None and value > most):
        end = "up" if most is None else f"to {most}"
        raise DataError(f"{name} is {shown(value)}, and must be a whole number from {least} {end}")
    return int(value)


def number(
    name: str, value: Any, least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf
) -> float:
    """``value`` as a finite float from ``least`` to ``most`` and greater than ``above``; DataError otherwise, also for True."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not abs(value) <= LARGEST or not least <= value <= most or value <= above:
        ends = [f"above {above:g}"] if above > -math.inf else []
        ends += [f"from {least:g}" + (" up" if most == math.inf else "")] if least > -math.inf else []
        ends += [f"to {most:g}"] if most < math.inf else []
        raise DataError(f"{name} is {shown(value)}, and must be {' '.join(['a finite number', *ends])}")
    return float(value)


def flag(name: str, value: Any) -> bool:
    """True or False, and nothing that only counts as one of them."""
    if not isinstance(value, (bool, np.bool_)):
        raise DataError(f"{name} is {value!r}; write True or False")
    return bool(value)


def entries(name: str, given: Any, what: str, n: int | None = None) -> list[Any]:
    """``given`` as a list, with ``n`` entries where n is given, or a sentence; ``what`` says what an entry is."""
    if not isinstance(given, Iterable):
        raise DataError(f"{name} is a list of {what}, not {given!r}")
    found = list(given)
    if n is not None and len(found) != n:
        raise DataError(f"{name} has {len(found)} {what}, and the graph {n} nodes; give one an agent")
    return found


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """A word of a list; DataError otherwise."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise DataError(f"{name} is {value!r}; write one of {', '.join(known)}")
    return value


def instance(name: str, value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """``value`` as it is, DataError unless it is of the kind; ``what`` says what it must be, such as "a Graph"."""
    if not isinstance(value, kind):
        raise DataError(f"{name} is {shown(value)}, and must be {what}")
    return value


def function(name: str, value: Any, takes: str, gives: str = "", *, needed: bool = False) -> Any:
    """``value`` as it is: a function that can be called with ``takes``, or None where it is not needed; DataError otherwise.

    takes: what it is called with, names with commas between; those that end in ``=`` are given by name. What the function
    raises when it is called is its own.
    """
    if value is None and not needed:
        return None
    what = f"a function ({takes})" + (f" -> {gives}" if gives else "")
    if not callable(value):
        raise DataError(f"{name} is {shown(value)}, and must be {what}{'' if needed else ', or None'}")
    given = [one.strip() for one in takes.split(",") if one.strip()]
    by_name = {one[:-1]: None for one in given if one.endswith("=")}
    try:
        told = inspect.signature(value, follow_wrapped=False)  # a wrapper may be called otherwise than what it wraps
        if {one.kind for one in told.parameters.values()} == PASSED_ON:
            told = inspect.signature(
                getattr(value, "forward", value), follow_wrapped=False
            )  # a torch module hands all on to it
    except (TypeError, ValueError):  # some built-in functions do not tell
        return value
    try:
        told.bind(*given[: len(given) - len(by_name)], **by_name)
    except TypeError as error:
        raise DataError(f"{name} takes {told}, and is called with ({takes}): it must be {what}") from error
    return value


def generator(name: str, rng: Any) -> np.random.Generator:
    """A numpy Generator as it is, or the one of a seed."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(whole(name, rng, 0))


def shown(value: Any) -> str:
    """A value in an error: its text, or its type where the text is long."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"of type {type(value).__name__}"


def names(name: str, given: Any, error: type[CausalnetError] = DataError) -> tuple[str, ...]:
    """A list of names as texts; one text is refused, since its letters would be taken for the names."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise error(f"{name} takes a list of names, not {shown(given)}; write [{shown(given)}]")
    return tuple(str(one) for one in given)


def array_of(name: str, value: Any) -> AnyArray:
    """``value`` as an array of any kind, DataError for rows of different lengths."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no array: its rows have different lengths") from error


def numbers(
    name: str, value: Any, shape: tuple[int, ...] | None = None, least: float = -math.inf, most: float = math.inf
) -> Array:
    """A new float64 array of finite numbers from ``least`` to ``most``, broadcast to ``shape`` where one is given."""
    fit = f"numbers that fit the shape {shape}" if shape else "numbers"
    size = f"a number, or {fit}" if shape is not None else fit
    try:
        array = np.array(value, np.float64, order="C") if not isinstance(value, str) else None
        array = array if array is None or shape is None else np.array(np.broadcast_to(array, shape))
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None:
        raise DataError(f"{name} is {shown(value)}, and must be {size}")
    right = np.isfinite(array)
    if least > -math.inf or most < math.inf:
        right &= (array >= least) & (array <= most)
    if not right.all():
        number(f"{name} holds a number that", float(array[~right].flat[0]), least, most)
    return array


def whole_numbers(name: str, value: Any, n: int, least: int, most: int | None = None) -> Ints:
    """(n,): one whole number for all, or ``n`` of them, from ``least`` to ``most`` (None: no end)."""
    try:
        given = np.asarray(value)
    except ValueError:
        given = np.empty(0)
    if given.dtype.kind not in "iu" or given.shape not in ((), (n,)):
        raise DataError(f"{name} is {shown(value)}, and must be a whole number, or {n} of them")
    for end in (given.min(), given.max()):
        whole(f"a number in {name}", int(end), least, most)
    return np.array(np.broadcast_to(given, (n,)), np.int64)


def rows_of(name: str, value: Any, n: int) -> Ints:
    """(m,) row numbers below ``n``, of which one may occur often, or of the rows that (n,) bools choose."""
    given = array_of(name, value)
    if given.dtype.kind == "b" and given.shape == (n,):
        return np.flatnonzero(given)
    if given.ndim != 1 or not (given.dtype.kind in "iu" or given.size == 0):
        raise DataError(f"{name} is {shown(value)}, and must be a list of whole numbers from 0 to {n - 1}")
    for end in (given.min(), given.max()) if given.size else ():
        whole(f"a number in {name}", int(end), 0, n - 1)
    return given.astype(np.int64)


def improper(table: Array, slack: float = 1e-9) -> Bools:
    """Which rows along the last axis are no laws: an entry below 0 or nan, or a sum that is off 1 by more than ``slack``."""
    return np.asarray(~((table.min(-1) >= 0) & (np.abs(table.sum(-1) - 1) <= slack)))


def laws(name: str, table: Array, slack: float = 1e-9) -> Array:
    """``table`` as it is; DataError unless every row along its last axis is a law."""
    off = improper(table, slack)
    if off.any():
        at = np.argwhere(off)[0].tolist()
        row = table[tuple(at)]
        raise DataError(
            f"{name}{at or ''} sums to {row.sum():.6g} (least entry {row.min():.3g}), and must be a law: no entry below 0, sum 1"
        )
    return table


def shaped(name: str, array: AnyArray, shape: tuple[int, ...], axes: str) -> AnyArray:
    """``array`` as it is; DataError unless it has the shape; ``axes`` says what its axes are."""
    if array.shape != shape:
        raise DataError(f"{name} has shape {array.shape}, and must have {shape}: {axes}")
    return array


def share(name: str, value: Any) -> float:
    """A level, a rate, a relative change: a float strictly between 0 and 1."""
    if not isinstance(value, int | float | np.floating) or not 0 < value < 1:
        raise DataError(f"{name} is {value!r}, and must be a number strictly between 0 and 1")
    return float(value)


def distinct(name: str, given: Any) -> tuple[str, ...]:
    """Names as texts, at least one of them and none twice."""
    texts = names(name, given)
    if not texts:
        raise DataError(f"{name} is empty; name at least one")
    if len(set(texts)) < len(texts):
        twice = next(text for at, text in enumerate(texts) if text in texts[:at])
        raise DataError(f"{name} names {twice!r} twice")
    return texts


def choose(name: str, value: Any, options: Mapping[str, Any]) -> Any:
    """``options[value]``; an UnknownNameError names the nearest option."""
    if not isinstance(value, str) or value not in options:
        hint = nearest(str(value), options)
        raise UnknownNameError(f"{name}={value!r} is unknown.{hint} It is one of: {', '.join(options)}")
    return options[value]


def known(name: Any, options: Iterable[str], sentence: str, otherwise: str = "") -> None:
    """UnknownNameError where a name is none of the options: the sentence, and the nearest option or ``otherwise``."""
    options = list(options)
    if not any(name is option or (isinstance(name, type(option)) and name == option) for option in options):
        raise UnknownNameError(f"{sentence}.{nearest(str(name), options) or otherwise}")


def file_name(value: Any, example: str) -> Path:
    """A path; DataError for what is none."""
    if not isinstance(value, str | os.PathLike):
        raise DataError(f"path is {shown(value)}; give the name of a file, such as {example!r}")
    return Path(value)
