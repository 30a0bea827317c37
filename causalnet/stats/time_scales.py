"""How long an event goes on to matter, read from a log before any graph is: one Hawkes fit that is blind to types.

    r(n, t) = b_n (mu + sum over hops k and scales s of a[k, s] phi[k, s](n, t) / b_n)

phi counts earlier events of every type, decayed with the mean delay s (:mod:`causalnet.stats.hawkes`); b_n is the
device's share of the events. The scales are a logarithmic grid between the shortest gaps of the log and half its span,
so that nothing hangs on the clock's resolution; EM starts with a tenth of the events explained, so that a scale that
the background explains as well stays empty. The delay that is used is the geometric mean of the scales that explain
more than a few per cent of the events, weighted by how many they explain.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Codes
from .hawkes import expose

RATIO = 3.0  # between neighbouring scales
EXPLAINED = 0.1  # share of the events that are laid to earlier ones when EM starts
WORTH = 0.03  # a scale counts from this share of the events on
PRIOR = 5.0  # events that every device is credited with


def device_share(device: Codes, n_devices: int) -> Array:
    """(M,) b_n: events of each device over the mean of the devices that have any, drawn towards 1 by PRIOR events."""
    count = np.bincount(device, minlength=n_devices).astype(np.float64)
    active = count > 0
    share = np.where(active, count + PRIOR, 0.0)
    return share / share[active].mean()


def mean_delay(time: Array, device: Codes, adjacency: Bools, weights: list[Array], share: Array) -> float:
    """Seconds from cause to effect in a log sorted by ``time`` (N,), on devices (N,); weights: one (M, M) per hop.

    Where no scale explains WORTH of the events, it is the one that explains most.
    """
    scales = _grid(time, device, adjacency)
    one_type = np.zeros(len(time), dtype=np.int32)
    seen = expose(time, one_type, device, weights, 1.0 / scales, 1, share=share)
    a = _fit(seen.effects[0], seen.integral, seen.horizon)
    explained = (a * seen.integral).reshape(len(weights), len(scales)).sum(axis=0) / len(time)
    used = explained > WORTH if (explained > WORTH).any() else explained >= explained.max()
    weight = np.maximum(explained[used], 1e-12)
    return float(np.exp(weight @ np.log(scales[used]) / weight.sum()))


def tied(time: Array, kind: Codes, device: Codes, adjacency: Bools) -> float:
    """Share of the events that carry the timestamp of an event of another type on their device or a neighbour of it."""
    return _tied(time, kind, device, adjacency)


def _grid(time: Array, device: Codes, adjacency: Bools) -> Array:
    """(B,) ascending mean delays in seconds: the last is half the span, the first the shortest gaps nearby."""
    gaps = _near_gaps(time, device, adjacency)
    gaps = gaps[np.isfinite(gaps) & (gaps > 0)]
    high = (time[-1] - time[0]) / 2.0
    low = min(float(np.quantile(gaps, 0.01)), high) if len(gaps) else high
    steps = math.ceil(math.log(high / low, RATIO)) if high > low else 0
    return high / RATIO ** np.arange(steps, -1, -1, dtype=np.float64)


def _fit(phi: Array, integral: Array, horizon: float, tol: float = 0.2, max_iter: int = 1000) -> Array:
    """(K,) a by EM on the effects phi (K, N): mu + a . phi at the events, against mu T + a . C."""
    n, k = phi.shape[1], len(integral)
    reached = integral > 0
    size = np.where(reached, integral, 1.0)
    mu, a = (1.0 - EXPLAINED) * n / horizon, np.where(reached, EXPLAINED * n / k / size, 0.0)
    before = -np.inf
    for _ in range(max_iter):
        rate = mu + a @ phi
        value = float(np.log(rate).sum() - mu * horizon - a @ integral)
        if value - before < tol:
            break
        before, inverse = value, 1.0 / rate
        mu *= inverse.sum() / horizon
        a *= np.where(reached, phi @ inverse / size, 0.0)
    return a


@njit(cache=True)
def _near_gaps(time, device, adjacency):  # type: ignore[no-untyped-def]
    """(N,) seconds since the last event on the device or its neighbours; inf for the first."""
    last = np.full(len(adjacency), -np.inf)
    gap = np.empty(len(time))
    for e in range(len(time)):
        here = device[e]
        latest = last[here]
        for m in range(len(adjacency)):
            if adjacency[m, here] and last[m] > latest:
                latest = last[m]
        gap[e] = time[e] - latest
        last[here] = time[e]
    return gap


@njit(cache=True)
def _tied(time, kind, device, adjacency):  # type: ignore[no-untyped-def]
    n, count, first = len(time), 0, 0
    while first < n:
        end = first
        while end < n and time[end] == time[first]:
            end += 1
        for e in range(first, end):
            for o in range(first, end):
                if kind[o] != kind[e] and (device[o] == device[e] or adjacency[device[o], device[e]]):
                    count += 1
                    break
        first = end
    return count / n
