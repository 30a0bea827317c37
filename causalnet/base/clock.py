"""The clock that compiled searches look at."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numba import njit, objmode

from .arrays import AnyArray

STEPS = 1 << 22  # of work between two looks


class Watch(NamedTuple):
    """deadline: by :func:`now`. spent: (1,) steps of work since the last look."""

    deadline: float
    spent: AnyArray


@njit(cache=True)
def now() -> float:
    """time.monotonic from compiled code."""
    with objmode(seconds="float64"):
        seconds = time.monotonic()
    return seconds


@njit(cache=True)
def watch_until(deadline: float) -> Watch:
    """A watch that has not been looked at; the first look is at once."""
    return Watch(deadline, np.full(1, STEPS))


@njit(cache=True)
def over(watch: Watch, steps: int) -> bool:
    """Is the time over, as far as the clock was looked at? ``steps``: the work done since it was last asked."""
    watch.spent[0] += steps
    if watch.spent[0] < STEPS or watch.deadline == np.inf or now() <= watch.deadline:
        watch.spent[0] %= STEPS
        return False
    return True
