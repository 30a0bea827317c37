"""R(n, k), what normalised maximum likelihood charges n rows of k categories."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...base.arrays import Array
from .contract import BARE


@njit(**BARE)
def regret(n: int, k: float) -> float:
    """R(n, k), ln of the sum of the largest likelihoods of all samples of n rows in k categories (Szpankowski and
    Weinberger 2012)."""
    a = k / n
    c = 0.5 + 0.5 * math.sqrt(1.0 + 4.0 / a)
    return n * (math.log(a) + (a + 2.0) * math.log(c) - 1.0 / c) - 0.5 * math.log(c + 2.0 / a)


@njit(cache=True)
def tabulate(logs: Array, states: Array) -> Array:
    """(len(states), m) n ln n + R(n, r)."""
    whole = np.zeros((states.size, logs.size))
    for i in range(states.size):
        for n in range(1, logs.size):
            whole[i, n] = logs[n] + (regret(n, states[i]) if states[i] > 1.0 else 0.0)
    return whole
