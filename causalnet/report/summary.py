"""Figures of a run: mean, interval, published value, goal, and whether it is met."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import stats

from ..storage.rows import Row
from .curves import Curve


def figure(
    values: Iterable[float], goal: str = "", published: float | None = None, ratio: bool = False
) -> dict[str, Any]:
    """Mean and 95 % Student interval over the n runs that have a finite value, for summary.json; of logarithms for a ratio."""
    x = np.array([v for v in values if math.isfinite(v)], dtype=float)
    x = np.log(x) if ratio else x
    mean = float(x.mean()) if len(x) else None
    half = float(stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x))) if len(x) > 1 else None
    low, high = (mean - half, mean + half) if mean is not None and half is not None else (None, None)
    if ratio:
        mean, low, high = (None if v is None else math.exp(v) for v in (mean, low, high))
    return {"mean": mean, "low": low, "high": high, "n": len(x), "published": published, "goal": goal}


def band(x: Sequence[float], values: np.ndarray, floor: float = -math.inf) -> Curve:
    """Mean and 95 % Student band of values (runs, points), cut where no value can be; no band of fewer than three runs."""
    mean, n = values.mean(axis=0), len(values)
    if n < 3:
        return Curve(x, mean)
    half = stats.t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n)
    return Curve(x, mean, np.maximum(mean - half, floor), mean + half)


def met(item: Row) -> bool | None:
    """Does the mean reach its goal? None without a goal or a value."""
    if not item["goal"] or item["mean"] is None:
        return None
    sign, _, text = item["goal"].partition(" ")
    return {">=": item["mean"] >= float(text), "<=": item["mean"] <= float(text), "==": item["mean"] == float(text)}[
        sign
    ]


def shown(item: Row) -> str:
    if item["mean"] is None:
        return "no value"
    spread = "" if item["low"] is None else f" [{item['low']:.4g}, {item['high']:.4g}]"
    return f"{item['mean']:.4g}{spread}"
