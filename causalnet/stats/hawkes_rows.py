"""Sparse rows of effects: row r holds value[start[r] : start[r + 1]] at the events event[start[r] : start[r + 1]]."""

from __future__ import annotations

import numpy as np
from numba import njit

from .intensity_fit import ascend


@njit(cache=True)
def gather(where, start, event, value, size):  # type: ignore[no-untyped-def]
    """(p + 1, n) a row of ones and the given sparse rows at the n events that any of them touches; how many it leaves."""
    column = np.full(size, -1, dtype=np.int32)
    n = 0
    for r in where:
        if r >= 0:
            for z in range(start[r], start[r + 1]):
                if column[event[z]] < 0:
                    column[event[z]] = n
                    n += 1
    phi = np.zeros((len(where) + 1, n))
    phi[0] = 1.0
    for a, r in enumerate(where):
        if r >= 0:
            for z in range(start[r], start[r + 1]):
                phi[a + 1, column[event[z]]] = value[z]
    return phi, size - n


@njit(cache=True)
def summed_rates(where, start, event, value, rate, alpha):  # type: ignore[no-untyped-def]
    """(n,) ``rate`` with the rows' share added in place."""
    for a, r in enumerate(where):
        if r >= 0 and alpha[a] > 0.0:
            for z in range(start[r], start[r + 1]):
                rate[event[z]] += alpha[a] * value[z]
    return rate


@njit(cache=True)
def block_gains(first, ends, start, event, value, rate, integral):  # type: ignore[no-untyped-def]
    """(S,) nats gained by each block of rows first : ends, the rates of all else fixed."""
    gains = np.zeros(len(first))
    column = np.full(len(rate), -1, dtype=np.int32)
    for g in range(len(first)):
        low, p, n = start[first[g]], ends[g] - first[g], 0
        for z in range(low, start[ends[g]]):
            if column[event[z]] < 0:
                column[event[z]] = n
                n += 1
        phi, base = np.zeros((p, n)), np.empty(n)
        for a in range(p):
            r = first[g] + a
            for z in range(start[r], start[r + 1]):
                phi[a, column[event[z]]] = value[z] / integral[r]
                base[column[event[z]]] = rate[event[z]]
        for z in range(low, start[ends[g]]):
            column[event[z]] = -1
        value_at, _ = ascend(phi, base, np.zeros(p), 0, 0.01, 50)
        before = 0.0
        for e in range(n):
            before += np.log(base[e])
        gains[g] = value_at - before
    return gains
