"""How sure is a mean: Student, bootstrap and Wilson intervals, inside the range that the quantity can have."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array
from ..base.checks import choose, function, share, whole
from ..errors import DataError

Bounds = tuple[float, float]  # the least and the greatest value that a quantity can have
ANYWHERE: Bounds = (-math.inf, math.inf)
SHARE: Bounds = (0.0, 1.0)
POSITIVE: Bounds = (0.0, math.inf)


def student_interval(values: ArrayLike, *, level: float = 0.95, bounds: Bounds = ANYWHERE) -> tuple[Any, Any, Any]:
    """Mean over runs and the limits of that mean, cut to ``bounds``; NaN limits of fewer than two runs.

        mean -/+ t(n - 1, (1 + level) / 2) s / sqrt(n)

    values: (n,) one value a run, which gives three floats, or (n, points), which gives three arrays (points,).
    DataError for values outside ``bounds``: then they are not the bounds of this quantity.
    """
    from scipy.special import stdtrit

    x = np.asarray(values, dtype=np.float64)
    if ((x < bounds[0] - 1e-9) | (x > bounds[1] + 1e-9)).any():
        raise DataError(f"bounds is {bounds}, and the values reach from {x.min():g} to {x.max():g}; write wider bounds")
    n, none = len(x), np.full(x.shape[1:], math.nan)
    mean = x.mean(axis=0) if n else none
    half = stdtrit(n - 1, (1 + share("level", level)) / 2) * x.std(axis=0, ddof=1) / math.sqrt(n) if n > 1 else none
    found = (mean, np.maximum(mean - half, bounds[0]), np.minimum(mean + half, bounds[1]))
    return found if x.ndim > 1 else (float(found[0]), float(found[1]), float(found[2]))


def wilson_interval(successes: int, n: int, *, level: float = 0.95) -> tuple[float, float, float]:
    """Share of successes and its score interval, never outside [0, 1]; NaN of no trial (Wilson 1927).

    (p + z^2 / 2n -/+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n): where all trials agree, as they often do among
    few, Student's interval has no width, and this one is honest.
    """
    from scipy.special import ndtri

    n = whole("n", n, 0)
    successes = whole("successes", successes, 0, n)
    if n == 0:
        return math.nan, math.nan, math.nan
    p, z = successes / n, float(ndtri((1 + share("level", level)) / 2))
    middle, scale = p + z**2 / (2 * n), 1 + z**2 / n
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return p, max(min((middle - half) / scale, p), 0.0), min(max((middle + half) / scale, p), 1.0)  # but for rounding


Statistic = Literal["iqm", "mean", "median"] | Callable[[Array], ArrayLike]
NAMED: dict[str, Callable[[Array], ArrayLike]] = {  # each reduces the last axis
    "iqm": lambda values: iqm(values, axis=-1),
    "mean": lambda values: values.mean(axis=-1),
    "median": lambda values: np.median(values, axis=-1),
}


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
    bounds: Bounds = ANYWHERE,
) -> tuple[float, float]:
    """(low, high): percentile bootstrap interval of a statistic over runs, cut to ``bounds``; (nan, nan) for a single run.

    x: (n,) one value a run, or (n, tasks), whose runs are drawn anew within each task (stratified, arXiv 2108.13264).
    stat: "iqm", "mean", "median", or a function of (reps, values) that reduces the last axis.
    """
    values = _numbers(x)
    if values.ndim not in (1, 2):
        raise DataError(f"x is (runs,) or (runs, tasks), got shape {values.shape}")
    tail = (1.0 - share("level", level)) / 2.0
    reduce = function("stat", stat, "values", "numbers") if callable(stat) else choose("stat", stat, NAMED)
    if len(values) < 2:
        return float("nan"), float("nan")
    table = values.reshape(len(values), -1)
    rng = np.random.default_rng(rng)
    drawn = rng.integers(len(table), size=(reps, *table.shape))
    samples = np.take_along_axis(table[None], drawn, axis=1).reshape(reps, -1)
    low, high = np.clip(np.quantile(np.asarray(reduce(samples)), [tail, 1.0 - tail]), *bounds)
    return float(low), float(high)


def summarize(x: ArrayLike, *, level: float = 0.95, rng: np.random.Generator | int = 0) -> dict[str, float]:
    """mean, low and high (its bootstrap interval), iqm, iqm_low and iqm_high, and n, of one value a run."""
    values = _numbers(x).ravel()
    low, high = bootstrap_interval(values, "mean", level=level, rng=rng)
    iqm_low, iqm_high = bootstrap_interval(values, "iqm", level=level, rng=rng)
    found = {"mean": float(values.mean()), "low": low, "high": high, "iqm": iqm(values)}
    return {**found, "iqm_low": iqm_low, "iqm_high": iqm_high, "n": float(values.size)}


def _numbers(x: ArrayLike) -> Array:
    values = np.asarray(x, dtype=np.float64)
    if values.size == 0:
        raise DataError("there are no values; give at least one run")
    if not np.isfinite(values).all():
        where = ", ".join(map(str, np.argwhere(~np.isfinite(np.atleast_1d(values)))[0]))
        raise DataError(f"value {where} is not finite; drop or repeat the runs that failed, and say so")
    return np.atleast_1d(values)
