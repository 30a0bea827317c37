"""Checks of single arguments that several layers share; each gives the value back, or an error that is a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import DataError


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """``value`` as an int from ``least`` to ``most`` (None: no end); DataError for anything else, also for True and 3.0."""
    real = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not real or value < least or (most is not None and value > most):
        end = "up" if most is None else f"to {most}"
        raise DataError(f"{name} is {value!r}, and must be a whole number from {least} {end}")
    return int(value)


def number(
    name: str, value: Any, least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf
) -> float:
    """``value`` as a finite float from ``least`` to ``most`` and greater than ``above``; DataError otherwise, also for True."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or not least <= value <= most or value <= above:
        ends = [f"above {above:g}"] if above > -math.inf else []
        ends += [f"from {least:g}" + (" up" if most == math.inf else "")] if least > -math.inf else []
        ends += [f"to {most:g}"] if most < math.inf else []
        raise DataError(f"{name} is {value!r}, and must be {' '.join(['a finite number', *ends])}")
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
        raise DataError(f"{name} is {_short(value)}, and must be {what}")
    return value


def function(name: str, value: Any, what: str = "a function, or None") -> None:
    """Something that can be called, or None."""
    if value is not None and not callable(value):
        raise DataError(f"{name} is {_short(value)}, and must be {what}")


def generator(name: str, rng: Any) -> np.random.Generator:
    """A numpy Generator as it is, or the one of a seed."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(whole(name, rng, 0))


def _short(value: Any) -> str:
    """A value in an error: its text, or its type where the text is long."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"of type {type(value).__name__}"
