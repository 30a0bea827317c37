"""Alarms that are cleared: how long the effects of each event can last, and what of them is felt until then."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Codes


class Felt(NamedTuple):
    """Of an event of each type, mean of all: seconds (V, B), the integral of exp(-b t) until it is cleared, and the mean
    ``lag`` (V, B) of its effects in seconds; by decay b."""

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
    lasting = np.where(last > -np.inf, last - time, np.inf)[opens]
    return lasting if np.isfinite(lasting).any() else None


def felt(lasting: Array | None, kind: Codes, decay: Array, n_types: int) -> Felt:
    """What is felt of events of ``kind`` (N,) that last so long, (N,) or None for ever."""
    if lasting is None:
        every = np.tile(1.0 / decay, (n_types, 1))
        return Felt(every, every)
    gone = np.minimum(decay * lasting[:, None], 700.0)  # (N, B) mean delays until the end; exp(-700) is 0
    left = np.exp(-gone)
    sums = [
        np.stack([np.bincount(kind, part, n_types) for part in whole.T], axis=1)
        for whole in ((1.0 - left) / decay, (1.0 - left * (1.0 + gone)) / decay**2)
    ]
    count = np.maximum(np.bincount(kind, minlength=n_types), 1)[:, None]
    lag = np.divide(sums[1], sums[0], out=np.tile(1.0 / decay, (n_types, 1)), where=sums[0] > 0)
    return Felt(sums[0] / count, lag)
