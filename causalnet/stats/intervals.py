"""How sure is a mean: Student, bootstrap and Wilson intervals, inside the range that the quantity can have."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


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
