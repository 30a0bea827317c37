"""Which cell the oracle and the oldest-alarm rule repair: controls that see more than a learner may, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def oracle_kernel(state: Any) -> Any:
    """(E,) cell of an alarm without a live father that has the most live children; 0 where there is no alarm."""
    found = np.zeros(len(state.n), np.int64)
    for e in range(len(state.n)):
        children = np.zeros(state.n[e], np.int64)
        for i in range(state.n[e]):
            if state.father[e, i] >= 0:
                children[state.father[e, i]] += 1
        best = -1
        for i in range(state.n[e]):
            if state.father[e, i] < 0 and children[i] > best:
                best, found[e] = children[i], state.cell[e, i]
    return found


@njit(cache=True)
def oldest_kernel(state: Any) -> Any:
    """(E,) cell of the alarm seen first; ties go to the least of hashed slots, which draws nothing from the stream."""
    found = np.zeros(len(state.n), np.int64)
    for e in range(len(state.n)):
        first, least = np.inf, np.uint64(0)
        for i in range(state.n[e]):
            mixed = state.random[e, 0] + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)  # splitmix64
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
            if state.seen[e, i] < first or (state.seen[e, i] == first and mixed < least):
                first, least, found[e] = state.seen[e, i], mixed, state.cell[e, i]
    return found
