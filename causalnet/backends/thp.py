"""Topological Hawkes process: the graph that maximises the penalised likelihood of an event log (Cai et al. 2022).

Type i fires on device n at the rate mu_i + sum over parents j, hops k and decays b of alpha[j, k, b] times the
decayed count of earlier events of type j on devices k links away. The graph maximises log-likelihood minus a price
per coefficient by steepest ascent over single additions, deletions and reversals.

With ``decay=None``, the default, the log decides all that a user could not know: the mean delay
(:mod:`causalnet.stats.time_scales`), whether simultaneous events count (a polled log), each device's share of the
background, and the price of an edge (:mod:`causalnet.search.label_null`); and what events of any type raise alike is
explained before an edge is. These rules were settled on simulated logs alone. With a decay it is the paper's model.

Assumes: effects add up and never inhibit, rates are steady apart from them, nothing unrecorded drives two types.
Cost: one scan of the log, then one small EM fit per (type, parent set) that the search asks for; fits are kept.
Reference: Cai, Wu, Qiao, Hao, Zhang, Zhang, "THPs: Topological Hawkes Processes for learning causal structure on
event sequences", IEEE Transactions on Neural Networks and Learning Systems 35 (2024) 479-493.
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, get_args

import numpy as np

from ..base.arrays import Array, Bools, Codes
from ..base.checks import number, one_of
from ..data import Events
from ..errors import DataError
from ..graph import Graph, Knowledge, PairEvidence
from ..search.hawkes_search import Found, Scorer, climb, members
from ..search.label_null import least_gain
from ..stats.hawkes import Exposure, Normalization, distances, expose, hop_weights, with_common
from ..stats.repeats import clock_tick, episode_gap, gaps_before, span
from ..stats.time_scales import device_share, mean_delay, tied

TAKES = frozenset({"events"})
GIVES = "digraph"  # a DAG unless acyclic=False
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "acyclicity (unless acyclic=False)", "stationarity", "additive effects", "no inhibition")
POLLED = 0.05  # from this share of events with a simultaneous one nearby on, ties count as possible causes


def learn(
    data: Events,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    decay: float | Sequence[float] | None = None,
    hops: Sequence[int] = (0, 1),
    penalty: Literal["auto", "bic", "aic"] = "auto",
    penalty_scale: float = 1.0,
    acyclic: bool = True,
    normalization: Normalization = "degree",
    tol: float = 0.01,
    ties: float | None = None,
    repeats: float | None = None,
    price: Literal["auto", "slots", "active"] = "auto",
    false_share: float = 0.1,
    max_parents: int | None = None,
    max_changes: int | None = None,
    max_seconds: float | None = None,
) -> Graph:
    """Maximise sum_i log L_i(Pa(i)) - penalty_scale * penalty per coefficient over directed graphs.

    decay: rate of forgetting in 1/s, or several (the kernel is then their mixture, weighted per edge by likelihood).
        None: the mean delay that the log itself shows, and the other choices of this default (above).
    hops: topology distances over which types act on each other; without a topology only distance 0 exists.
    acyclic: never close a directed cycle. False allows cycles of three types and more, never both j -> i and i -> j:
        two opposite edges would read as one undirected edge, so the search keeps the better of the two.
    penalty: "bic" charges log(events) / 2 nats per coefficient, "aic" one nat; "auto" is "aic", with an edge's price
        from the log's null, where decay is None, and "bic" otherwise. tol: EM stops below this gain in nats.
    ties: weight in [0, 1] of an event of another type in the same instant as a possible cause. With 0 only strictly
        earlier events count: a tie raises the likelihood of i -> j and of j -> i alike, so it tells no direction.
        None: 0, or 1 where decay is None and so many events are tied that the log must have been polled.
    repeats: events within so many seconds of the previous one of the same type on the same device continue its
        episode and are left out. None: estimated from the gaps if decay is None, otherwise 0 (every event counts).
    price: what an edge pays for: all its hops x decays ("slots") or those with a positive coefficient, one at least
        ("active"). "auto": slots with one decay, active with several or with None.
    false_share: with decay=None, the share of false edges that the price admits, by the log's own null.
    max_parents, max_changes: limits of the search. max_seconds: return the best graph so far when they are over.
    The weight of j -> i is alpha[j, i] summed over hops and decays. rng is not used: the search is deterministic.
    """
    started = clock.monotonic()
    one_of("penalty", penalty, ("auto", "bic", "aic"))
    one_of("normalization", normalization, get_args(Normalization))
    one_of("price", price, ("auto", "slots", "active"))
    number("penalty_scale", penalty_scale, 0.0)
    number("repeats", repeats or 0.0, 0.0)
    number("ties", ties or 0.0, 0.0, 1.0)
    number("false_share", false_share, above=0.0)
    number("tol", tol, above=0.0)
    span(data.time)  # there must be one
    allowed, required = (knowledge or Knowledge()).compile(data.types)
    kept, gap = _episodes(data, 0.0 if decay is not None and repeats is None else repeats)
    when, kind, device = data.time[kept], data.type_index[kept], data.device_index[kept]
    use = distances(hops, linked=bool(data.adjacency.any()))
    weights = hop_weights(data.adjacency, use, normalization)
    bic = penalty == "bic" or (penalty == "auto" and decay is not None)
    unit = penalty_scale * (math.log(len(when)) / 2.0 if bic else 1.0)
    floor: float | None = None
    if decay is None:
        share = device_share(device, len(data.adjacency))
        rates = np.array([1.0 / mean_delay(when, device, data.adjacency, weights, share)])
        if ties is None:
            ties = float(tied(when, kind, device, data.adjacency) > POLLED)

        def seen(types: Codes) -> Exposure:
            return with_common(expose(when, types, device, weights, rates, data.d, ties, share))

        floor = least_gain(seen, kind, data.d, false_share, tol)
        exposure = seen(kind)
    else:
        rates = _rates(decay)
        exposure = expose(when, kind, device, weights, rates, data.d, ties or 0.0)
    active = price == "active" or (price == "auto" and (decay is None or len(rates) > 1))
    scorer = Scorer(exposure, unit, tol, active, floor)
    until = None if max_seconds is None else started + max_seconds
    found = climb(scorer, allowed, required, acyclic, max_changes, max_parents, until)
    meta: dict[str, Any] = {
        "decay": [float(r) for r in rates],
        "hops": list(use),
        "score": found.score - unit * data.d,
        "log_likelihood": sum(scorer.fit(i, found.parents[i]).value for i in range(data.d)),
        "fits": len(scorer.memo),
        "changes": found.changes,
        "repeats_seconds": gap,
        "events_used": len(when),
        "ties": ties or 0.0,
        **({} if floor is None else {"least_gain": floor}),
        "complete": found.complete,
    }
    if len(when) < data.n:
        meta["warnings"] = [_left_out(data.n, data.n - len(when), gap)]
    return _graph(data, scorer, found, len(use), len(rates), meta)


def warm_up() -> None:
    """Compile the kernels on a tiny log."""
    now, kind = np.array([0.0, 1.0, 2.0]), np.array([0, 1, 0], dtype=np.int32)
    ring = hop_weights(np.zeros((1, 1), dtype=bool), (0,), "none")
    exposure = expose(now, kind, np.zeros(3, dtype=np.int32), ring, np.array([0.1]), 2)
    Scorer(exposure, 1.0, 0.1).fit(0, 3)


def _rates(decay: float | Sequence[float]) -> Array:
    """The decays (B,) in 1/s."""
    rates = np.atleast_1d(np.asarray(decay, dtype=np.float64))
    if rates.ndim != 1 or len(rates) == 0 or not (np.isfinite(rates) & (rates > 0)).all():
        raise DataError(f"decay is {decay!r}, and must be positive, in 1/s")
    return rates


def _episodes(data: Events, repeats: float | None) -> tuple[Bools, float]:
    """Which events open an episode, (N,) bool, and the gap in seconds that separates episodes."""
    if repeats == 0.0:
        return np.ones(data.n, dtype=bool), 0.0
    gaps = gaps_before(data.time, data.type_index, data.device_index, data.d)
    if repeats is None:
        repeats = episode_gap(gaps[np.isfinite(gaps)], clock_tick(data.time))
    return gaps > repeats if repeats > 0 else np.ones(data.n, dtype=bool), float(repeats)


def _left_out(n: int, left_out: int, gap: float) -> str:
    return (
        f"{left_out:,} of {n:,} events continue an episode (same type and device, at most {gap:.0f} s after the one "
        "before) and were left out; repeats=0 keeps them"
    )


def _graph(data: Events, scorer: Scorer, found: Found, hops: int, decays: int, meta: dict[str, Any]) -> Graph:
    v = data.d
    weight, gain, change = np.zeros((3, v, v))
    alpha = np.zeros((v, v, hops))
    for i in range(v):
        fit = scorer.fit(i, found.parents[i])
        for at, j in enumerate(members(found.parents[i])):
            if not found.adj[j, i]:
                continue
            alpha[j, i] = fit.alpha.reshape(-1, hops, decays)[at].sum(axis=1)
            weight[j, i] = alpha[j, i].sum()
            without = scorer.fit(i, found.parents[i] & ~(1 << j))
            gain[j, i] = fit.value - without.value
            change[j, i] = 2.0 * (without.score - fit.score)
    evidence = PairEvidence(data.types, found.adj, partial(_describe, gain, change, alpha))
    return Graph(data.types, found.adj, weight=weight, evidence=evidence, meta=meta)


def _describe(gain: Array, change: Array, alpha: Array, j: int, i: int) -> dict[str, Any]:
    """The evidence of one edge, from the (V, V) arrays of one search and alpha (V, V, hops)."""
    return {
        "log_likelihood_gain": float(gain[j, i]),
        "bic_change": float(change[j, i]),
        "alpha_by_hop": [float(a) for a in alpha[j, i]],
    }
