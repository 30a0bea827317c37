"""Repeated events: which arrivals continue an episode of the same type on the same device.

An alarm that chatters reports one episode many times. Such repeats are neither independent causes nor independent
effects, so a likelihood that counts them is too sure of itself. Gaps between arrivals of one type on one device are
a mixture of two exponential laws, repeats (fast) and new episodes (slow); a gap is a repeat where the first is the
more likely of the two (the usual two-state reading of bursts: Fischer, Meier-Hellstern 1993; Kleinberg 2002).

Rates that differ between devices, or grow, look like such a mixture too. Then short gaps lie beside short ones and long
beside long ones; under two laws neighbouring gaps of one type on one device are short or long by themselves, whatever the shape of
the laws. Where neighbours differ much more seldom than that, two laws must lie further apart.
"""

from __future__ import annotations

import math

import numpy as np

from ..base.arrays import Array, Bools, Codes
from ..errors import DataError

MIN_GAPS = 30  # fewer gaps than this cannot tell two rates apart
MOST_GAPS = 100_000  # of more, as many by rank tell the laws as well
SEPARATION = 10.0  # and neither can laws less than a decade apart: drift of one rate looks like that,
DRIFT = 100.0  # nor less than two where neighbouring gaps are alike,
ALIKE = 0.8  # differing less than so often as by chance: 1.0 to 1.3 in simulated chatter, .45 to .61 where rates differ or grow


def span(time: Array) -> float:
    """Seconds from the first to the last of sorted times (N,); DataError where all are the same."""
    if time[-1] <= time[0]:
        raise DataError("every event carries the same timestamp, so nothing comes before anything; give real times")
    return float(time[-1] - time[0])


def clock_tick(time: Array) -> float:
    """Resolution in seconds of sorted times (N,): the largest power of ten that divides all gaps, seconds at most.

    Times finer than a microsecond count as continuous; a hundredth of the median gap (as a power of ten) then serves.
    """
    gaps = np.diff(time)
    gaps = gaps[gaps > 0]
    tick = 1.0
    while tick > 0.5e-6:
        steps = np.rint(gaps / tick)
        if np.abs(gaps / tick - steps).max(initial=0.0) < 1e-3 and steps.min(initial=1.0) >= 1.0:
            return tick
        tick /= 10.0
    return float(10.0 ** math.floor(math.log10(np.median(gaps) / 100.0)))


def poll_interval(time: Array) -> float:
    """Seconds between the polls that sorted times (N,) come from: what divides all gaps, by the clock's resolution."""
    tick = clock_tick(time)
    steps = np.rint(np.unique(np.diff(time)) / tick).astype(np.int64)
    return tick * max(int(np.gcd.reduce(steps)), 1)


def gaps_before(time: Array, kind: Codes, device: Codes, n_types: int) -> Array:
    """(N,) seconds since the previous event of the same type on the same device; inf for the first one. time ascends."""
    key = device.astype(np.int64) * n_types + kind
    order = np.argsort(key, kind="stable")
    gap = np.full(len(time), np.inf)
    same = key[order][1:] == key[order][:-1]
    gap[order[1:][same]] = np.diff(time[order])[same]
    return gap


def neighbouring_gaps(gap: Array, kind: Codes, device: Codes, n_types: int) -> Array:
    """(P, 2) the finite gaps (N,) of :func:`gaps_before` that follow each other in one type on one device."""
    ordered = gap[np.argsort(device.astype(np.int64) * n_types + kind, kind="stable")]
    both = np.isfinite(ordered[1:]) & np.isfinite(ordered[:-1])
    return np.stack([ordered[:-1][both], ordered[1:][both]], axis=1)


def episode_gap(gaps: Array, resolution: float, pairs: Array | None = None, max_iter: int = 500) -> float:
    """Seconds below which a gap is a repeat: where two fitted exponential laws are equally likely; 0 if there is one law.

    gaps (G,): finite gaps in seconds; pairs (P, 2): those that follow each other, to tell two laws from one that drifts.
    The second law must earn its two parameters by BIC. EM, monotone in likelihood.
    """
    if len(gaps) < MIN_GAPS:
        return 0.0
    every = -(-len(gaps) // MOST_GAPS)
    g = np.maximum(gaps if every == 1 else np.sort(gaps)[every // 2 :: every], resolution / 2)
    single = -len(g) * (math.log(g.mean()) + 1.0)
    low = g <= np.median(g)
    share, fast, slow, old = 0.5, 1.0 / g[low].mean(), 1.0 / g[~low].mean() if (~low).any() else 0.0, -np.inf
    if slow <= 0.0:
        return 0.0
    for _ in range(max_iter):
        a, b = share * fast * np.exp(-fast * g), (1.0 - share) * slow * np.exp(-slow * g)
        value = float(np.log(a + b + 1e-300).sum())
        w = a / (a + b + 1e-300)
        if value - old < 1e-3 or not 1.0 < w.sum() < len(g) - 1.0:
            break
        old = value
        share, fast, slow = float(w.mean()), float(w.sum() / (w @ g)), float((1 - w).sum() / ((1 - w) @ g))
    if value - single < math.log(len(g)) or not fast > SEPARATION * slow > 0.0:
        return 0.0
    odds = share * fast / ((1.0 - share) * slow)
    gap = max(0.0, math.log(odds) / (fast - slow)) if odds > 0 else 0.0
    return 0.0 if fast < DRIFT * slow and pairs is not None and _alike(pairs <= gap) else gap


def _alike(short: Bools) -> bool:
    """Whether neighbouring gaps (P, 2), marked where they are short, differ more seldom than if each were so by itself."""
    p = short.mean() if len(short) else 0.0
    return bool((short[:, 0] != short[:, 1]).mean() < ALIKE * 2.0 * p * (1.0 - p)) if 0.0 < p < 1.0 else False
