"""Values as people read them: one way to write a number, an interval, and whatever else stands in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def number(value: float, digits: int) -> str:
    """A number of a leaderboard: fixed digits, three significant ones below 0.1, a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if digits == 3 and 0 < abs(value) < 0.1:
        return f"{value:.2g}" if abs(value) < 0.01 else f"{value:.3f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{digits}f}" if digits != 1 or value % 1 else f"{value:.0f}"


def short(value: Any, digits: int = 4) -> str:
    """Any value as short text: significant digits of a float, words of a list; nothing for None and not-a-number."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{digits}g}" if abs(value) < 10**digits or math.isinf(value) else f"{value:.0f}"
    if isinstance(value, Mapping):
        return "; ".join(f"{heading(k)}: {short(v, digits)}" for k, v in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(short(item, digits) for item in value) or "none"
    return str(value)


def heading(key: Any) -> str:
    """A key as a heading: 'p_value' is 'P value'."""
    return str(key).replace("_", " ").capitalize()


def texts(value: Any) -> list[str]:
    """One text, several or none, as a list."""
    return [value] if value and isinstance(value, str) else [str(item) for item in value or ()]
