"""Maximum likelihood of an intensity that is a non-negative sum of known effects, by projected Newton steps."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

START = 0.3  # share of the events that a fit lays to effects when it starts
HALVINGS = 6


@njit(cache=True, fastmath={"reassoc", "contract"})
def _value(phi, base, y, empty, rate):  # type: ignore[no-untyped-def]
    """sum_e log(base_e + y . phi_e) + empty log y_0 - sum y; fills ``rate`` (n,)."""
    p, n = phi.shape
    for e in range(n):
        rate[e] = base[e]
    for a in range(p):
        if y[a] > 0.0:
            for e in range(n):
                rate[e] += y[a] * phi[a, e]
    value = empty * math.log(y[0]) if empty > 0 else 0.0
    for a in range(p):
        value -= y[a]
    e = 0
    while e + 4 <= n:  # the logarithm of a product of four: the same sum at a quarter of the price
        value += math.log(rate[e] * rate[e + 1] * rate[e + 2] * rate[e + 3])
        e += 4
    while e < n:
        value += math.log(rate[e])
        e += 1
    return value


@njit(cache=True, fastmath={"reassoc", "contract"})
def _curvature(phi, weight, free, empty, first):  # type: ignore[no-untyped-def]
    """(f, f) -L'' in the coordinates ``free``: sum_e phi_a phi_b weight_e, weight (n,) = 1 / rate^2; a slight ridge."""
    f, n = len(free), phi.shape[1]
    h = np.empty((f, f))
    for s in range(f):
        for q in range(s + 1):
            total = 0.0
            for e in range(n):
                total += phi[free[s], e] * phi[free[q], e] * weight[e]
            h[s, q] = total
            h[q, s] = total
        if free[s] == 0 and empty > 0:
            h[s, s] += empty / (first * first)
        h[s, s] = h[s, s] * (1.0 + 1e-9) + 1e-12
    return h


@njit(cache=True, fastmath={"reassoc", "contract"})
def ascend(phi, base, start, empty, tol, max_iter):  # type: ignore[no-untyped-def]
    """max over y >= 0 of L = sum_e log(base_e + y . phi_e) + empty log y_0 - sum y, which is concave.

    phi (p, n) effects over their integrals, so that y (p,) are expected numbers of events; base (n,) what is fixed;
    empty: events that y_0 alone explains. Newton steps in the coordinates that are positive or want to be, cut off at
    zero; where none helps, one EM step. Stops when the quadratic model promises less than ``tol`` nats.
    Returns L and y. Source: Bertsekas, SIAM J. Control Optim. 20 (1982) 221-246.
    """
    p, n = phi.shape
    y, trial = start.copy(), np.empty(p)
    rate, inverse = np.empty(n), np.empty(n)
    g, free = np.empty(p), np.empty(p, dtype=np.int64)
    value = _value(phi, base, y, empty, rate)
    for _ in range(max_iter):
        for e in range(n):
            inverse[e] = 1.0 / rate[e]
        f = 0
        for a in range(p):
            total = 0.0
            for e in range(n):
                total += phi[a, e] * inverse[e]
            g[a] = total - 1.0
            if a == 0 and empty > 0:
                g[a] += empty / y[0]
            if y[a] > 0.0 or g[a] > 0.0:
                free[f] = a
                f += 1
        if f == 0:
            break
        for e in range(n):
            inverse[e] *= inverse[e]
        right = g[free[:f]]
        h = _curvature(phi, inverse, free[:f], empty, y[0])
        step = np.linalg.solve(h, right)
        promised = 0.0
        for s in range(f):
            promised += 0.5 * right[s] * step[s]
        if promised < tol:
            break
        size, better = 1.0, False
        for _ in range(HALVINGS):
            trial[:] = 0.0
            for s in range(f):
                a = free[s]
                trial[a] = max(y[a] + size * step[s], 0.0)
            trial[0] = max(trial[0], 0.1 * y[0])
            new = _value(phi, base, trial, empty, rate)
            if new > value:
                better = True
                break
            size *= 0.5
        if not better:
            for a in range(p):
                trial[a] = y[a] * (g[a] + 1.0)
            new = _value(phi, base, trial, empty, rate)
            if new < value + 1e-9:
                break
        value = new
        y[:] = trial
    return value, y
