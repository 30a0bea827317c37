"""The clock that compiled searches look at."""

from __future__ import annotations

import time

from numba import njit, objmode


@njit(cache=True)
def now() -> float:
    """time.monotonic from compiled code."""
    with objmode(seconds="float64"):
        seconds = time.monotonic()
    return seconds
