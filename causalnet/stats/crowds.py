"""Crowds: events that come on many devices at once, out of each other's reach, and so are nobody's effect.

A sweep of the management system, a lost collector or bad weather raises the same types all over a network. What it raises on
one device looks like cause and effect there, thousands of times. Such events show by their own type elsewhere: event e is in
a crowd if on so many devices that its own does not reach its type came within a window around it as by chance no event of
the whole log would see, of N and for any of the windows, by Chernoff's bound on the tail of a Poisson law with mean E:

    K log(K / E) - K + E >= log(N windows),    K >= LEAST.

The windows are those in which EXPECTED events of the type come, so neither the unit of time nor how common a type is matters.
A crowd that would have to be of more than MOST devices, as where a poll tells many of a type at once, is none; nor is one behind
LOOK events of its type.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from .hawkes_paths import Log

EXPECTED = np.array([0.01, 0.03, 0.1, 0.3, 1.0])  # events of the type in a window
LEAST, MOST = 3, 200  # devices
LOOK = 1000  # events of the type around one that are looked at


def crowded(log: Log, kind: Codes, tick: float) -> Bools:
    """(N,) which events of types ``kind`` (N,) are in a crowd. tick: seconds between the times that the clock, or a poll, tells."""
    time, device, paths = log.time, log.device, log.paths
    n, seconds = len(time), max(float(time[-1] - time[0]), tick)
    count = np.bincount(kind)
    rate = np.maximum(count - 1, 1) / seconds
    half = EXPECTED / rate[:, None] / 2.0  # (V, windows)
    needed = _needed(rate[:, None] * (2.0 * half + tick), math.log(n * len(EXPECTED)))
    by_type = np.argsort(kind, kind="stable")
    first = np.concatenate([[0], np.cumsum(count)])
    by_device = np.argsort(device, kind="stable")
    return _crowded(time, kind, device, by_type, first, by_device, paths.start, paths.device, half, needed)


def _needed(expected: Array, limit: float) -> Ints:
    """The fewest devices that no event sees by chance, where so many are expected."""
    found = np.full(expected.shape, np.iinfo(np.int64).max)
    for k in range(MOST, LEAST - 1, -1):
        unlikely = (k > expected) & (k * np.log(k / expected) - k + expected >= limit)
        found[unlikely] = k
    return found


@njit(cache=True)
def _crowded(
    time: Array,
    kind: AnyArray,
    device: AnyArray,
    by_type: Ints,
    first: Ints,
    by_device: Ints,
    start: AnyArray,
    near: AnyArray,
    half: Array,
    needed: Ints,
) -> Bools:
    n, m = time.size, start.size - 1
    place = np.empty(n, np.int64)
    for p in range(n):
        place[by_type[p]] = p
    near_to, met = np.full(m, -1, np.int64), np.full(m, -1, np.int64)
    found = np.zeros(n, np.bool_)
    for e in by_device:
        here, v = device[e], kind[e]
        if near_to[here] != here:  # the first event of this device
            near_to[here] = here
            for z in range(start[here], start[here + 1]):
                near_to[near[z]] = here
        low = high = place[e]
        devices, looked = 0, 0
        for s in range(half.shape[1]):
            for back in (True, False):
                while devices < needed[v, s] and looked < LOOK:
                    p = low - 1 if back else high + 1
                    if p < first[v] or p >= first[v + 1] or abs(time[by_type[p]] - time[e]) > half[v, s]:
                        break
                    low, high = (p, high) if back else (low, p)
                    looked += 1
                    there = device[by_type[p]]
                    if near_to[there] != here and met[there] != e:
                        met[there] = e
                        devices += 1
            if devices >= needed[v, s]:
                found[e] = True
                break
    return found
