"""Figures of a run: mean, interval, published value, goal, and whether it is met."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array
from ..stats.intervals import ANYWHERE, Bounds, student_interval, wilson_interval
from ..storage.rows import Row
from .curves import Curve


def figure(
    values: ArrayLike, goal: str = "", published: float | None = None, *, ratio: bool = False, bounds: Bounds = ANYWHERE
) -> dict[str, Any]:
    """Mean and 95 % Student interval over the n runs that have a finite value, for summary.json; of logarithms for a ratio.

    bounds: the least and the greatest value that the quantity can have; no interval reaches beyond.
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    found = student_interval(np.log(x)) if ratio else student_interval(x, bounds=bounds)
    return _item([math.exp(v) for v in found] if ratio else found, len(x), goal, published)


def share(successes: Iterable[Any], goal: str = "", published: float | None = None) -> dict[str, Any]:
    """Share of runs that succeeded, each True or False, with its 95 % Wilson interval; None counts as no run."""
    told = [bool(v) for v in successes if v is not None]
    return _item(wilson_interval(sum(told), len(told)), len(told), goal, published)


def _item(found: Sequence[float], n: int, goal: str, published: float | None) -> dict[str, Any]:
    mean, low, high = (float(v) if math.isfinite(v) else None for v in found)
    return {"mean": mean, "low": low, "high": high, "n": n, "published": published, "goal": goal}


class Figures(dict[str, Row]):
    """Figures by name, in the order in which they were added."""

    def add(self, name: str, values: ArrayLike, goal: str = "", published: float | None = None, **how: Any) -> None:
        """One more, as :func:`figure` makes it."""
        self[name] = figure(values, goal, published, **how)


def band(x: ArrayLike, values: Array, bounds: Bounds = ANYWHERE) -> Curve:
    """Mean and 95 % Student band of values (runs, points), cut where no value can be; no band of fewer than three runs."""
    mean, low, high = student_interval(values, bounds=bounds)
    return Curve(x, mean) if len(values) < 3 else Curve(x, mean, low, high)


def met(item: Row) -> bool | None:
    """Does the mean reach its goal? None without a goal or a value."""
    if not item["goal"] or item["mean"] is None:
        return None
    sign, _, text = item["goal"].partition(" ")
    mean, goal = item["mean"], float(text)
    return bool({">=": mean >= goal, "<=": mean <= goal, "==": mean == goal}[sign])


def shown(item: Row) -> str:
    """A figure in words: '0.93 [0.91, 0.95]', or that there is none."""
    if item["mean"] is None:
        return "no value"
    spread = "" if item["low"] is None else f" [{item['low']:.4g}, {item['high']:.4g}]"
    return f"{item['mean']:.4g}{spread}"
