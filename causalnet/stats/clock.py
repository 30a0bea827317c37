"""The clock that compiled searches look at."""

from __future__ import annotations

import time

from numba import njit, objmode


@njit(cache=True)
def clock() -> float:
    """time.monotonic from compiled code."""
    with objmode(now="float64"):
        now = time.monotonic()
    return now
