"""Sparse rows of effects: row r holds value[start[r] : start[r + 1]] at the events event[start[r] : start[r + 1]]."""

from __future__ import annotations

import numpy as np
from numba import njit

from .intensity_fit import START, ascend


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
def row_moments(start, event, value, rate):  # type: ignore[no-untyped-def]
    """(2, R) sums over the events of value / rate and of its square, by row."""
    found = np.zeros((2, len(start) - 1))
    for r in range(len(start) - 1):
        for z in range(start[r], start[r + 1]):
            x = value[z] / rate[event[z]]
            found[0, r] += x
            found[1, r] += x * x
    return found


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
                phi[a, column[event[z]]] = (
                    value[z] / integral[r] if integral[r] > 0.0 else 0.0
                )  # only felt at the log's end
                base[column[event[z]]] = rate[event[z]]
        for z in range(low, start[ends[g]]):
            column[event[z]] = -1
        value_at, _ = ascend(phi, base, np.zeros(p), np.int64(0), 0.01, np.int64(50))  # no literals: compiled once
        before = 0.0
        for e in range(n):
            before += np.log(base[e])
        gains[g] = value_at - before
    return gains


@njit(cache=True)
def newton_fit(where, c, start, event, value, size, tol, max_iter):  # type: ignore[no-untyped-def]
    """Log-likelihood and y (p + 1,) of a background and the given rows with integrals c (p + 1,); c of an unused one is set to 1."""
    phi, empty = gather(where, start, event, value, size)
    n, used = phi.shape[1], 0
    share = np.zeros(len(c))
    for a in range(1, len(c)):
        felt = False
        for e in range(n):
            felt = felt or phi[a, e] != 0.0
        if felt and c[a] > 0.0:
            share[a] = 1.0
            used += 1
        else:
            c[a] = 1.0
    for a in range(len(c)):
        share[a] *= START * size / max(1, used)
        for e in range(n):
            phi[a, e] /= c[a]
    share[0] = (1.0 - START) * size
    reached, y = ascend(phi, np.zeros(n), share, empty, tol, max_iter)
    return reached - empty * np.log(c[0]), y


@njit(cache=True)
def fits_beside(kinds, sources, have, start, event, value, size, integral, horizon, slots, tol, max_iter):  # type: ignore[no-untyped-def]
    """(S,) log-likelihoods of the blocks of rows ``kinds``, ascending, with each of ``sources`` (S,) in its place among them."""
    found = np.empty(len(sources))
    p = (len(kinds) + 1) * slots
    for s in range(len(sources)):
        blocks = np.sort(np.append(kinds, sources[s]))
        c, where = np.empty(p + 1), np.empty(p, dtype=np.int64)
        c[0] = horizon
        for b in range(len(blocks)):
            for k in range(slots):
                row = blocks[b] * slots + k
                at = np.searchsorted(have, row)
                where[b * slots + k] = at if at < len(have) and have[at] == row else -1
                c[b * slots + k + 1] = integral[row]
        found[s] = newton_fit(where, c, start, event, value, size, tol, max_iter)[0]
    return found
