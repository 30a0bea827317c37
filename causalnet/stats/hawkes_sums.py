"""Running sums of a Hawkes process that one pass over a stream of events keeps: all that a least-squares fit asks for.

The contrast of rates lambda_i(n, t) = theta_i . phi(n, t) over devices n and time (Hansen, Reynaud-Bouret, Rivoirard,
Bernoulli 21 (2015) 83-143),

    R_i(theta) = theta . G theta - 2 b_i . theta,    G = sum_n int phi phi' dt,    b_i = sum over events of i of phi,

is quadratic, so G and b are sufficient, add up over time, and can be forgotten by a factor. phi[j, k] is the decayed
count of earlier events of type j over hop k (:mod:`causalnet.stats.hawkes`). An event adds a kernel exp(-decay s) to a
sum that has the value S and decays alike, so its part of G is S / (2 decay), at once and for all time to come; what
lies beyond the present is taken off when the sums are read. Arrays: V types, M devices, K hops, C = V * K columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Codes, Ints
from .hawkes_paths import Paths

CUT = 1e-5  # of one event's effect: a sum that has decayed below is dropped


class Sums(NamedTuple):
    """What is kept of a stream."""

    now: Array  # (M, C) phi at ``last``
    last: Array  # (M,) seconds of the device's latest change
    live: Codes  # (M, C) the columns that are not zero, the first ``n_live`` (M,) of them
    n_live: Ints
    gram: Array  # (C, C) parts of G, each pair of columns in one order or the other
    reach: Array  # (M, C) int phi dt, for all time to come
    at: Array  # (V, C) b: phi summed over the events of each type
    square: Array  # (V, C) phi^2 summed over the events of each type
    events: Array  # (M, V) how many


def no_sums(types: int, devices: int, hops: int) -> Sums:
    """The sums over no event."""
    m, c = devices, types * hops
    live = np.zeros((m, c), dtype=np.int32)
    parts = (np.zeros((c, c)), np.zeros((m, c)), np.zeros((types, c)), np.zeros((types, c)), np.zeros((m, types)))
    return Sums(np.zeros((m, c)), np.zeros(m), live, np.zeros(m, dtype=np.int64), *parts)


def grown(sums: Sums, types: int, devices: int, hops: int) -> Sums:
    """The same sums among more types and devices, which come last."""
    new = no_sums(types, devices, hops)
    for name, old in sums._asdict().items():
        getattr(new, name)[tuple(map(slice, old.shape))] = old
    return new


def copied(sums: Sums) -> Sums:
    """The same sums, to add to."""
    return sums._replace(**{name: array.copy() for name, array in sums._asdict().items()})


def forgotten(sums: Sums, share: float) -> Sums:
    """The sums with all of the past counted ``share`` as much; what is alive now stays."""
    past = {name: getattr(sums, name) * share for name in ("gram", "reach", "at", "square", "events")}
    return sums._replace(**past)


def add(
    sums: Sums, time: Array, kind: Codes, device: Codes, paths: Paths, decay: float, rates: Array, share: Array
) -> float:
    """Add events (N,), ascending in time, to the sums in place; the sum of log rates at them.

    paths: by the device that an event is on, where it is felt. rates: (V, 1 + C) theta of the model that is asked,
    share: (M,) its devices' shares of the background.
    """
    return float(_add(*sums, time, kind, device, *paths, decay, rates, share))


@njit(cache=True)
def _decay(row, now, last, live, n_live, t, decay):  # type: ignore[no-untyped-def]
    factor = np.exp(-decay * (t - last[row]))
    last[row] = t
    a = 0
    while a < n_live[row]:
        c = live[row, a]
        now[row, c] *= factor
        if now[row, c] < CUT:
            now[row, c] = 0.0
            n_live[row] -= 1
            live[row, a] = live[row, n_live[row]]
        else:
            a += 1


@njit(cache=True)
def _add(  # type: ignore[no-untyped-def]
    now,
    last,
    live,
    n_live,
    gram,
    reach,
    at,
    square,
    count,
    time,
    kind,
    device,
    start,
    to,
    hop,
    weight,
    hops,
    decay,
    rates,
    share,
):
    total, first, n = 0.0, 0, len(time)
    while first < n:
        end = first
        while end < n and time[end] == time[first]:
            end += 1
        t = time[first]
        for e in range(first, end):
            m, i = device[e], kind[e]
            _decay(m, now, last, live, n_live, t, decay)
            rate = rates[i, 0] * share[m]
            for a in range(n_live[m]):
                c = live[m, a]
                x = now[m, c]
                at[i, c] += x
                square[i, c] += x * x
                rate += rates[i, 1 + c] * x
            count[m, i] += 1.0
            total += np.log(max(rate, 1e-300))
        for e in range(first, end):
            m = device[e]
            for s in range(start[m], start[m + 1]):
                there, c, w = to[s], kind[e] * hops + hop[s], weight[s]
                if last[there] < t:
                    _decay(there, now, last, live, n_live, t, decay)
                for a in range(n_live[there]):
                    gram[live[there, a], c] += now[there, live[there, a]] * w / (2.0 * decay)
                gram[c, c] += 0.5 * w * w / (2.0 * decay)
                reach[there, c] += w / decay
                if now[there, c] == 0.0:
                    live[there, n_live[there]] = c
                    n_live[there] += 1
                now[there, c] += w
        first = end
    return total


class Moments(NamedTuple):
    """The sums up to a time, with the background as first column: gram (1 + C, 1 + C), at and square (V, 1 + C)."""

    gram: Array
    at: Array
    square: Array
    share: Array  # (M,) of the background


def read(sums: Sums, clock: float, watched: float, decay: float, prior: float = 5.0) -> Moments:
    """G, b and the squares at ``clock`` seconds, ``watched`` seconds having been counted.

    The background of a device is its share of all events, drawn towards 1 by ``prior`` events.
    """
    seen = sums.events.sum(axis=1)
    share = np.where(seen > 0, seen + prior, 0.0)
    share = share / max(share[seen > 0].mean(), 1e-12) if (seen > 0).any() else share
    alive = sums.now * np.exp(-decay * np.maximum(clock - sums.last, 0.0))[:, None]
    gram = sums.gram + sums.gram.T - alive.T @ alive / (2.0 * decay)
    ground = share @ (sums.reach - alive / decay)
    first = np.append(watched * (share**2).sum(), ground)
    gram = np.vstack([first, np.column_stack([ground, gram])])
    return Moments(
        gram,
        np.column_stack([share @ sums.events, sums.at]),
        np.column_stack([(share**2) @ sums.events, sums.square]),
        share,
    )
