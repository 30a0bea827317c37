"""How sure is a mean: Student, bootstrap and Wilson intervals, inside the range that the quantity can have."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError, UnknownNameError, nearest


def interval(values: NDArray[np.float64], name: str = "") -> tuple[float, float, float]:
    """Mean and 95 % limits of the mean over values (n,): mean -/+ t(n - 1, 0.975) s / sqrt(n); NaN limits if n < 2."""
    from scipy.special import stdtrit

    n = len(values)
    if n == 0:
        return math.nan, math.nan, math.nan
    mean = float(values.mean())
    if n == 1:
        return mean, math.nan, math.nan
    half = float(stdtrit(n - 1, 0.975)) * float(values.std(ddof=1)) / math.sqrt(n)
    top = 1.0 if name.endswith(("f1", "precision", "recall")) else math.inf
    return mean, max(mean - half, 0.0), min(mean + half, top)


Statistic = Literal["iqm", "mean", "median"] | Callable[[NDArray[np.float64]], ArrayLike]


def iqm(x: ArrayLike, axis: int | None = None) -> Any:
    """Interquartile mean: the mean without the lowest and highest quarter, each rounded down to whole values.

    Robust to single runs, and less noisy than the median (arXiv 2108.13264). Over all values, or along an axis.
    """
    values = _numbers(x)
    values = np.sort(values.ravel() if axis is None else values, axis=-1 if axis is None else axis)
    n = values.shape[-1 if axis is None else axis]
    middle = np.take(values, np.arange(n // 4, n - n // 4), axis=-1 if axis is None else axis)
    result = middle.mean(axis=-1 if axis is None else axis)
    return float(result) if axis is None else result


def bootstrap_interval(
    x: ArrayLike,
    stat: Statistic = "iqm",
    *,
    level: float = 0.95,
    reps: int = 2000,
    rng: np.random.Generator | int = 0,
) -> tuple[float, float]:
    """(low, high): percentile bootstrap interval of a statistic over runs; (nan, nan) for a single run.

    x: (n,) one value a run, or (n, tasks), whose runs are drawn anew within each task (stratified, arXiv 2108.13264).
    stat: "iqm", "mean", "median", or a function of (reps, values) that reduces the last axis.
    """
    values = _numbers(x)
    if values.ndim not in (1, 2):
        raise DataError(f"x is (runs,) or (runs, tasks), got shape {values.shape}")
    if not 0.0 < level < 1.0:
        raise DataError(f"level is a probability such as 0.95, got {level!r}")
    reduce = _statistic(stat)
    if len(values) < 2:
        return float("nan"), float("nan")
    table = values.reshape(len(values), -1)
    rng = np.random.default_rng(rng)
    drawn = rng.integers(len(table), size=(reps, *table.shape))
    samples = np.take_along_axis(table[None], drawn, axis=1).reshape(reps, -1)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(np.asarray(reduce(samples)), [tail, 1.0 - tail])
    return float(low), float(high)


def summarize(x: ArrayLike, *, level: float = 0.95, rng: np.random.Generator | int = 0) -> dict[str, float]:
    """mean, low and high (its bootstrap interval), iqm, iqm_low and iqm_high, and n, of one value a run."""
    values = _numbers(x).ravel()
    low, high = bootstrap_interval(values, "mean", level=level, rng=rng)
    iqm_low, iqm_high = bootstrap_interval(values, "iqm", level=level, rng=rng)
    found = {"mean": float(values.mean()), "low": low, "high": high, "iqm": iqm(values)}
    return {**found, "iqm_low": iqm_low, "iqm_high": iqm_high, "n": float(values.size)}


def _numbers(x: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(x, dtype=np.float64)
    if values.size == 0:
        raise DataError("there are no values; give at least one run")
    if not np.isfinite(values).all():
        where = ", ".join(map(str, np.argwhere(~np.isfinite(np.atleast_1d(values)))[0]))
        raise DataError(f"value {where} is not finite; drop or repeat the runs that failed, and say so")
    return np.atleast_1d(values)


def _statistic(stat: Statistic) -> Callable[[NDArray[np.float64]], ArrayLike]:
    named: dict[str, Callable[[NDArray[np.float64]], ArrayLike]] = {
        "iqm": lambda values: iqm(values, axis=-1),
        "mean": lambda values: values.mean(axis=-1),
        "median": lambda values: np.median(values, axis=-1),
    }
    if callable(stat):
        return stat
    if stat not in named:
        raise UnknownNameError(f"stat is iqm, mean, median or a function, got {stat!r}.{nearest(str(stat), named)}")
    return named[stat]
