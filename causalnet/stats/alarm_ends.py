"""Alarms that are cleared: how long the effects of each event can last, and what of them is felt until then."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Codes


class Felt(NamedTuple):
    """Of the events of each type: the integral of exp(-b t) until it is cleared in seconds (V, B), mean of all, and the mean time to
    its effects in seconds (V, B), of the median event: those that nobody clears tell nothing of the others. By decay b."""

    seconds: Array
    lag: Array


def until_cleared(time: Array, duration: Array, kind: Codes, device: Codes, opens: Bools) -> Array | None:
    """(n,) seconds from each event that ``opens`` (N,) an episode of its type and device to the last end in it.

    duration: (N,) seconds; 0 says that nothing is known of an end, nan that there is none: inf. None where no end is known.
    """
    order = np.lexsort((np.arange(len(time)), kind, device))
    end = np.where(np.isnan(duration), np.inf, np.where(duration > 0, time + duration, -np.inf))[order]
    first = np.flatnonzero(opens[order])
    last = np.empty(len(time))
    last[order[first]] = np.maximum.reduceat(end, first)
    lasting = np.where(last > time, last - time, np.inf)[opens]  # none is shorter than the clock tells
    return lasting if np.isfinite(lasting).any() else None


def felt(lasting: Array | None, kind: Codes, decay: Array, n_types: int) -> Felt:
    """What is felt of events of ``kind`` (N,) that last so long, (N,) or None for ever."""
    every = np.tile(1.0 / decay, (n_types, 1))
    if lasting is None:
        return Felt(every, every)
    seconds, lag = _until(lasting[:, None], decay)
    order = np.argsort(kind, kind="stable")
    first = np.searchsorted(kind[order], np.arange(n_types + 1))
    there = np.flatnonzero(np.diff(first))
    by_type = Felt(np.zeros_like(every), every.copy())
    for v in there.tolist():
        mine = order[first[v] : first[v + 1]]
        by_type.seconds[v], by_type.lag[v] = seconds[mine].mean(axis=0), np.median(lag[mine], axis=0)
    return by_type


def usual_lag(lasting: Array, decay: Array) -> Array:
    """(B,) the mean time to the effects of an event, the median of all events that have any."""
    return np.asarray(np.median(_until(lasting[lasting > 0, None], decay)[1], axis=0))


def _until(lasting: Array, decay: Array) -> tuple[Array, Array]:
    """(N, B) the integral of exp(-b t) until ``lasting`` (N, 1), and the mean of t by that law; 1 / b for events that have no effects."""
    gone = np.minimum(decay * lasting, 700.0)  # mean delays until the end; exp(-700) is 0
    left = np.exp(-gone)
    whole, first = (1.0 - left) / decay, (1.0 - left * (1.0 + gone)) / decay**2
    return whole, np.divide(first, whole, out=np.broadcast_to(1.0 / decay, whole.shape).copy(), where=whole > 0)
