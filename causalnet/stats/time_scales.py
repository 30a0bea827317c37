"""How long an event goes on to matter, read from a log before any graph is: one Hawkes fit that is blind to types.

    r(n, t) = b_n (mu + sum over hops k and scales s of a[k, s] phi[k, s](n, t) / b_n)

phi counts earlier events of every type, decayed with the mean delay s (:mod:`causalnet.stats.hawkes`); b_n is the
device's share of the events. The scales are a logarithmic grid between the shortest gaps of the log and half its span,
so that nothing hangs on the clock's resolution; EM starts with a tenth of the events explained, so that a scale that
the background explains as well stays empty. The delay that is used is the geometric mean of the scales that explain
more than a few per cent of the events, weighted by how many they explain.

In a polled log most effects may be told by the poll that tells their cause. Then events of other types in the same
poll count too, by the kernel between polls, and by half: of two such events one at most is the other's cause.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp
from numba import njit

from ..base.arrays import Array, Bools, Codes
from .hawkes_paths import Log
from .hawkes_traces import trace
from .unit_shares import shares

RATIO = 3.0  # between neighbouring scales
EXPLAINED = 0.1  # share of the events that are laid to earlier ones when EM starts
WORTH = 0.03  # a scale counts from this share of the events on
PRIOR = 5.0  # events that every device is credited with
POLLED = 0.05  # from this share of events with a simultaneous one nearby on, ties count as possible causes
TELLING = 2000  # events of a polled log that tell its delay
SHORTEST = 0.125  # of a poll: effects that are quicker are hardly ever told by a later one
CELLS = 10_000_000  # of a device and a type
SAME = 1e-4  # of a delay: polls that are closer are as good as exact times


def polled_kernel(x: float) -> tuple[float, float]:
    """The kernel exp(-b s) between events that happened somewhere in the x / b seconds before the poll that told them.

    Its mean over both places: phi_0 = (1 - (1 - exp(-x)) / x) / x told by one poll, and phi_m = (exp(x) - 2 + exp(-x)) / x^2 * exp(-m x) told m polls later.
    Returns phi_0 and the factor of exp(-m x); 1/2 and 1 as x falls to 0.
    """
    if x < SAME:
        return 0.5, 1.0
    return (1.0 + math.expm1(-x) / x) / x, (math.expm1(x) + math.expm1(-x)) / x**2


def device_share(device: Codes, n_devices: int) -> Array:
    """(M,) b_n: events of each device over the mean of the devices that have any, drawn towards 1 by PRIOR events."""
    count = np.bincount(device, minlength=n_devices).astype(np.float64)
    active = count > 0
    share = np.where(active, count + PRIOR, 0.0)
    return share / share[active].mean()


def type_share(kind: Codes, device: Codes, types: int, share: Array, receives: Bools | None = None) -> Array:
    """(M, V) how the background of each type falls on the devices; (M,) ``share`` where there are more than CELLS of them.

    As all events do, by ``share``, and as far as the types differ as the type's own do, which decides for each cell by how
    many events of it there are (:mod:`causalnet.stats.unit_shares`): a type that some devices have and others lack seems
    otherwise to be caused by the types that the same devices have. receives (M,): devices that count.
    """
    m = len(share)
    if m * types > CELLS:
        return share
    cell = device.astype(np.int64) * types + kind
    count = np.bincount(cell, minlength=m * types).reshape(m, types).astype(np.float64)
    used = share > 0 if receives is None else (share > 0) & receives
    found = np.repeat(share[:, None], types, axis=1)
    found[used] *= shares(count[used], found[used])
    found[used] *= share[used].mean() / found[used].mean(axis=0)
    return found


def mean_delay(log: Log, links: sp.csr_array, share: Array, receives: Bools | None = None) -> float:
    """Seconds from cause to effect. links (M, M): who is whose neighbour; receives (M,): devices to judge by, or all.

    Where no scale explains WORTH of the events, it is the one that explains most.
    """
    gaps = _near_gaps(log.time, log.device, links.indptr, links.indices)
    gaps = gaps[np.isfinite(gaps) & (gaps > 0)]
    scales = _grid(log, float(np.quantile(gaps, 0.01)) if len(gaps) else math.inf)
    seen = trace(log, np.zeros(len(log.time), dtype=np.int32), 1.0 / scales, 1, share=share, receives=receives)
    phi, integral = seen.dense(0, np.arange(seen.slots)), seen.integral[: seen.slots]
    return _between(scales, _fit(phi, integral, seen.horizon).reshape(-1, len(scales)).sum(axis=0))


def polled_delay(log: Log, kind: Codes, poll: float) -> float:
    """The same of a log with ``poll`` seconds between its polls; kind (N,) its types. Its first TELLING events tell; inf where all of them are of one poll."""
    log, kind = log.taken(slice(TELLING)), kind[:TELLING]
    if log.time[-1] == log.time[0]:
        return math.inf
    share = device_share(log.device, len(log.paths.start) - 1)
    scales, types = _grid(log, SHORTEST * poll), int(kind.max()) + 1
    phi, integral, horizon = [], [], 0.0
    for scale in scales:
        once, later = polled_kernel(poll / scale)
        seen = trace(log, kind, np.array([1.0 / scale]), types, once / later / 2.0, share)
        common = np.arange(types * seen.slots, (types + 1) * seen.slots)
        phi.append(later * np.concatenate([seen.dense(i, common) for i in range(types)], axis=1))
        integral.append(seen.integral[common])
        horizon = seen.horizon
    explained = _fit(np.concatenate(phi), np.concatenate(integral), horizon)
    return _between(scales, explained.reshape(len(scales), -1).sum(axis=1))


def _between(scales: Array, explained: Array) -> float:
    """The geometric mean of the scales (B,) that explain WORTH of all events, or of the one that explains most."""
    used = explained > WORTH if (explained > WORTH).any() else explained >= explained.max()
    weight = np.maximum(explained[used], 1e-12)
    return float(np.exp(weight @ np.log(scales[used]) / weight.sum()))


def some_devices(device: Codes, n_devices: int, n_events: int) -> Bools:
    """(M,) devices drawn at random until they hold ``n_events`` events, for what a part of the log can tell."""
    count = np.bincount(device, minlength=n_devices)
    order = np.random.default_rng(0).permutation(n_devices)
    before = np.cumsum(count[order]) - count[order]
    chosen = np.zeros(n_devices, dtype=bool)
    chosen[order[before < n_events]] = True
    return chosen


def tied(log: Log, kind: Codes, links: sp.csr_array) -> float:
    """Share of the events that carry the timestamp of an event of another type on their device or a neighbour of it."""
    return float(_tied(log.time, kind, log.device, links.indptr, links.indices))


def _grid(log: Log, least: float) -> Array:
    """(B,) ascending mean delays in seconds, from ``least`` or a little less to half the span of the log."""
    high = (log.time[-1] - log.time[0]) / 2.0
    low = min(least, high)
    steps = math.ceil(math.log(high / low, RATIO)) if high > low else 0
    return high / RATIO ** np.arange(steps, -1, -1, dtype=np.float64)


def _fit(phi: Array, integral: Array, horizon: float, tol: float = 0.2, max_iter: int = 1000) -> Array:
    """(K,) the share of the n events that each effect explains, by EM: mu + a . phi (K, n) at them, mu T + a . C expected."""
    k, n = phi.shape
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
    return a * integral / n


@njit(cache=True)
def _near_gaps(time, device, start, near):  # type: ignore[no-untyped-def]
    """(N,) seconds since the last event on the device or its neighbours; inf for the first."""
    last = np.full(len(start) - 1, -np.inf)
    gap = np.empty(len(time))
    for e in range(len(time)):
        here = device[e]
        latest = last[here]
        for s in range(start[here], start[here + 1]):
            latest = max(latest, last[near[s]])
        gap[e] = time[e] - latest
        last[here] = time[e]
    return gap


@njit(cache=True)
def _tied(time, kind, device, start, near):  # type: ignore[no-untyped-def]
    n, count, first = len(time), 0, 0
    only = np.full(len(start) - 1, -1)  # the type of a device's events in this instant: -1 none, -2 several
    while first < n:
        end = first
        while end < n and time[end] == time[first]:
            here = device[end]
            only[here] = kind[end] if only[here] == -1 or only[here] == kind[end] else -2
            end += 1
        for e in range(first, end if end - first > 1 else first):
            here, k = device[e], kind[e]
            found = only[here] != k
            for s in range(start[here], start[here + 1]):
                found = found or (only[near[s]] != -1 and only[near[s]] != k)
            count += found
        for e in range(first, end):
            only[device[e]] = -1
        first = end
    return count / n
