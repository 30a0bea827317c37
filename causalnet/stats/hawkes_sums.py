"""Running sums of a Hawkes process that one pass over a stream of events keeps: all that a least-squares fit asks for.

The contrast of rates lambda_i(n, t) = theta_i . phi(n, t) over devices n and time (Hansen, Reynaud-Bouret, Rivoirard,
Bernoulli 21 (2015) 83-143),

    R_i(theta) = theta . G theta - 2 b_i . theta,    G = sum_n int phi phi' dt,    b_i = sum over events of i of phi,

is quadratic, so G and b are sufficient, add up over time, and can be forgotten by a factor. phi[j, k] is the decayed
count of earlier events of type j over hop k (:mod:`causalnet.stats.hawkes`). An event adds a kernel exp(-decay s) to a
sum that has the value S and decays alike, so its part of G is S times how long a product of two kernels lasts, at once
and for all time to come; what lies beyond the present is taken off when the sums are read.

In a stream polled every ``poll`` seconds time is a row of polls, integrals are sums over them, and effects follow the
kernel between polls (:func:`causalnet.stats.time_scales.polled_kernel`), phi = later S + at_once Y with S the decayed
count of what earlier polls told and Y that of the same poll, of other types than the effect's. S and Y have sums apart.
What one poll tells of a type, on all devices, is squared together: a storm brings many types to many devices at once.
Arrays: V types, M devices, K hops, C = V * K columns.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base import memory
from ..base.arrays import Array, Codes, Ints
from .hawkes_paths import Paths
from .time_scales import polled_kernel

A_SUM = 16.0  # bytes: a step adds to a copy
CUT = 1e-5  # of one event's effect: a sum that has decayed below is dropped


class Sums(NamedTuple):
    """What is kept of a stream; the arrays from ``tied_gram`` on are empty unless it is polled."""

    now: Array  # (M, C) S at ``last``
    last: Array  # (M,) seconds of the device's latest change
    live: Codes  # (M, C) the columns that are not zero, the first ``n_live`` (M,) of them
    n_live: Ints
    gram: Array  # (C, C) parts of int S S' dt, each pair of columns in one order or the other
    reach: Array  # (M, C) int S dt, for all time to come
    at: Array  # (V, C) S summed over the events of each type
    square: Array  # (V, C) S^2 summed over the events of each type; polled: over the polls, S of all its events in one
    events: Array  # (M, V) how many
    tied_gram: Array  # (C, C) parts of int Y Y' dt, as those of gram
    tied_cross: Array  # (C, C) int S Y' dt
    tied_reach: Array  # (M, C) int Y dt
    tied_at: Array  # (V, C) Y summed over the events of each type, and as those of square Y^2 and S Y
    tied_square: Array
    tied_mixed: Array


def no_sums(types: int, devices: int, hops: int, polled: bool = False) -> Sums:
    """The sums over no event."""
    v, m, c = types, devices, types * hops
    tied = [(c, c), (c, c), (m, c), (v, c), (v, c), (v, c)]
    memory.require(
        f"the sums of a stream of {types:,} types on {devices:,} devices",
        A_SUM * float((3 if polled else 1) * c * c + (5 if polled else 3) * m * c + 4 * v * c),
        "watch fewer types together, or give hops=(0,)",
    )
    shapes = [(c, c), (m, c), (v, c), (v, c), (m, v), *(tied if polled else [(0, 0)] * len(tied))]
    live = np.zeros((m, c), dtype=np.int32)
    return Sums(np.zeros((m, c)), np.zeros(m), live, np.zeros(m, dtype=np.int64), *map(np.zeros, shapes))


def grown(sums: Sums, types: int, devices: int, hops: int, polled: bool = False) -> Sums:
    """The same sums among more types and devices, which come last."""
    new = no_sums(types, devices, hops, polled)
    for name, old in sums._asdict().items():
        getattr(new, name)[tuple(map(slice, old.shape))] = old
    return new


def copied(sums: Sums) -> Sums:
    """The same sums, to add to."""
    return sums._replace(**{name: array.copy() for name, array in sums._asdict().items()})


def forgotten(sums: Sums, share: float) -> Sums:
    """The sums with all of the past counted ``share`` as much; what is alive now stays."""
    kept = ("now", "last", "live", "n_live")
    return sums._replace(**{name: a * share for name, a in sums._asdict().items() if name not in kept})


def lasting(decay: float, poll: float) -> float:
    """Seconds that exp(-decay s) lasts: its integral, or its sum over the polls to come."""
    return 1.0 / decay if poll == 0.0 else poll / math.expm1(decay * poll)


def add(
    sums: Sums,
    time: Array,
    kind: Codes,
    device: Codes,
    paths: Paths,
    decay: float,
    poll: float,
    rates: Array,
    share: Array,
) -> float:
    """Add events (N,), ascending in time, to the sums in place; the sum of log rates at them, by earlier events.

    paths: by the device that an event is on, where it is felt. poll: seconds between polls, 0 for exact times. rates:
    (V, 1 + C) of S in the model that is asked, share: (M,) its devices' shares of the background.
    """
    felt, pooled = np.zeros(sums.now.shape if poll else (0, 0)), np.zeros((2, *sums.at.shape) if poll else (2, 0, 0))
    spans = lasting(decay, poll), lasting(2.0 * decay, poll), poll
    return float(_add(*sums[:9], sums[9:], felt, pooled, time, kind, device, *paths, decay, *spans, rates, share))


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
def _heard(m, i, now, live, n_live, at, square, rates, share, polled, pooled):  # type: ignore[no-untyped-def]
    """An event of type i on device m, beside what earlier ones did there; its rate by the model that is asked."""
    rate = rates[i, 0] * share[m]
    for a in range(n_live[m]):
        c = live[m, a]
        x = now[m, c]
        at[i, c] += x
        if polled:
            pooled[0, i, c] += x
        else:
            square[i, c] += x * x
        rate += rates[i, 1 + c] * x
    return rate


@njit(cache=True)
def _tied(m, c, w, poll, now, felt, live, n_live, gram, cross, reach):  # type: ignore[no-untyped-def]
    """An event felt on device m, in column c, beside what the same poll told there and what earlier ones did."""
    for a in range(n_live[m]):
        x, y = now[m, live[m, a]], felt[m, live[m, a]]
        cross[live[m, a], c] += (x - y) * w * poll
        gram[live[m, a], c] += y * w * poll
    gram[c, c] += 0.5 * w * w * poll
    reach[m, c] += w * poll
    felt[m, c] += w


@njit(cache=True)
def _told(device, kind, felt, live, n_live, pooled, square, at, tied_square, mixed, start, to):  # type: ignore[no-untyped-def]
    """The events of one poll, beside all that it told where they are; after it ``felt`` and ``pooled`` are empty."""
    for e in range(len(kind)):
        m, i = device[e], kind[e]
        for a in range(n_live[m]):
            c = live[m, a]
            at[i, c] += felt[m, c]
            pooled[1, i, c] += felt[m, c]
    for e in range(len(kind)):
        m, i = device[e], kind[e]
        for a in range(n_live[m]):
            c = live[m, a]
            x, y = pooled[0, i, c], pooled[1, i, c]
            square[i, c] += x * x
            tied_square[i, c] += y * y
            mixed[i, c] += x * y
            pooled[0, i, c] = pooled[1, i, c] = 0.0
    for m in device:
        for there in to[start[m] : start[m + 1]]:
            for a in range(n_live[there]):
                felt[there, live[there, a]] = 0.0


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
    tied,
    felt,
    pooled,
    time,
    kind,
    device,
    start,
    to,
    hop,
    weight,
    hops,
    decay,
    single,
    pair,
    poll,
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
            _decay(device[e], now, last, live, n_live, t, decay)
            rate = _heard(device[e], kind[e], now, live, n_live, at, square, rates, share, poll > 0.0, pooled)
            count[device[e], kind[e]] += 1.0
            total += np.log(max(rate, 1e-300))
        for e in range(first, end):
            m = device[e]
            for s in range(start[m], start[m + 1]):
                there, c, w = to[s], kind[e] * hops + hop[s], weight[s]
                if last[there] < t:
                    _decay(there, now, last, live, n_live, t, decay)
                for a in range(n_live[there]):
                    gram[live[there, a], c] += now[there, live[there, a]] * w * pair
                gram[c, c] += 0.5 * w * w * pair
                reach[there, c] += w * single
                if poll > 0.0:
                    _tied(there, c, w, poll, now, felt, live, n_live, *tied[:3])
                if now[there, c] == 0.0:
                    live[there, n_live[there]] = c
                    n_live[there] += 1
                now[there, c] += w
        if poll > 0.0:
            _told(device[first:end], kind[first:end], felt, live, n_live, pooled, square, *tied[3:], start, to)
        first = end
    return total


class Polls(NamedTuple):
    """The sums of a polled stream, of the columns S and Y: gram (2C, 2C) and at (V, 2C) within devices, whole and heard
    with the means, square (V, C) of S, ground (2C,) the integrals."""

    later: float
    once: float
    gram: Array
    at: Array
    whole: Array
    heard: Array
    square: Array
    ground: Array


class Moments(NamedTuple):
    """The sums up to a time, within devices: of G and b what the means of each device leave.

    That is the fit with a background of its own for every type on every device: what differs from device to device says
    nothing of causes, the times alone do. Left out, it would pass for effects, the more the longer the stream.
    """

    gram: Array  # (C, C)
    at: Array  # (V, C)
    whole: Array  # (V, C) the diagonal of G with the means
    heard: Array  # (V, C) b with them
    square: Array  # (V, C)
    ground: Array  # (V, C) the integrals of what each type feels
    events: Array  # (V,)
    room: float  # seconds of all devices together
    polls: Polls | None = None

    def gram_of(self, i: int, hops: int) -> Array:
        """G of the effects that are felt by type i, which does not feel its own events of the same poll."""
        if self.polls is None:
            return self.gram
        later, once, c = self.polls.later, self.polls.once, self.gram.shape[0]
        own, g = slice(i * hops, (i + 1) * hops), self.gram.copy()
        rows = later * self.polls.gram[own]
        g[own] = later * rows[:, :c] + once * rows[:, c:]
        g[own, own] = later * rows[:, own]
        g[:, own] = g[own].T
        return g


def read(sums: Sums, clock: float, watched: float, decay: float, poll: float = 0.0) -> Moments:
    """G, b and the squares at ``clock`` seconds, ``watched`` seconds having been counted."""
    (m, v), c, watched = sums.events.shape, sums.at.shape[1], max(watched, 1e-12)
    alive = sums.now * np.exp(-decay * np.maximum(clock - sums.last, 0.0))[:, None]
    s = sums.gram + sums.gram.T - alive.T @ alive * lasting(2.0 * decay, poll)
    reach, told = sums.reach - alive * lasting(decay, poll), sums.at
    once, later = polled_kernel(decay * poll) if poll > 0.0 else (0.0, 1.0)
    other = np.repeat(1.0 - np.eye(v), c // max(v, 1), axis=1)
    whole, heard = np.tile(later**2 * np.diag(s), (v, 1)), later * sums.at
    square, ground = later**2 * sums.square, np.tile(later * reach.sum(axis=0), (v, 1))
    if poll > 0.0:
        y, cross = sums.tied_gram + sums.tied_gram.T, sums.tied_cross
        whole += other * (2.0 * later * once * np.diag(cross) + once**2 * np.diag(y))
        heard += once * other * sums.tied_at
        square += other * (once**2 * sums.tied_square + 2.0 * later * once * sums.tied_mixed)
        square = np.maximum(square - heard**2 * poll / watched, 0.0)
        ground += once * other * sums.tied_reach.sum(axis=0)
        s, told = np.block([[s, cross], [cross.T, y]]), np.hstack([sums.at, sums.tied_at])
        reach = np.hstack([reach, sums.tied_reach])
    mean, polls = reach / watched, None
    gram, at = s - reach.T @ mean, told - sums.events.T @ mean
    if poll > 0.0:
        alone = np.maximum(sums.square - sums.at**2 * poll / watched, 0.0)
        polls = Polls(later, once, gram, at, s, told, alone, reach.sum(axis=0))
        gram = later**2 * gram[:c, :c] + later * once * (gram[:c, c:] + gram[c:, :c]) + once**2 * gram[c:, c:]
        at = later * at[:, :c] + once * other * at[:, c:]
    return Moments(gram, at, whole, heard, square, ground, sums.events.sum(axis=0), watched * m, polls)
