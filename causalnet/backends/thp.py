"""Topological Hawkes process: the graph that maximises the penalised likelihood of an event log (Cai et al. 2022).

Type i fires on device n at the rate mu_i + sum over parents j, hops k and decays b of alpha[j, k, b] times the
decayed count of earlier events of type j on devices k links away. The graph maximises log-likelihood minus a price
per coefficient by steepest ascent over single additions, deletions and reversals.

With ``decay=None``, the default, the log decides all that a user could not know
(:mod:`causalnet.search.hawkes_unaided`): the mean delay, whether simultaneous events count (a polled log), whether alarms
act until they are cleared (where durations are told), what comes on many devices at once and is left out
(:mod:`causalnet.search.hawkes_crowds`), each device's share of the background, and the price of an edge; what events of any
type raise alike is explained before an edge is; and edges too weak for the price are there where the odds of all pairs say so.
These rules were settled on simulated logs alone. With a decay it is the paper's model.

``init / step / graph / save / load`` are the online form, for a stream (:mod:`causalnet.search.hawkes_stream`): sums and
a least-squares fit in place of events and the likelihood, so its graph is the same however the stream is cut, but need
not be that of ``learn`` edge by edge.

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
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp

from ..base.arrays import Array, Bools, Codes
from ..base.checks import number, one_of, whole
from ..data import Events
from ..errors import DataError
from ..graph import Graph, Knowledge, PairEvidence, by_chain
from ..search.hawkes_crowds import learn_beside_crowds
from ..search.hawkes_search import Found, Limits, Scorer, climb, members
from ..search.hawkes_stream import graph as graph
from ..search.hawkes_stream import init as init
from ..search.hawkes_stream import step as step
from ..search.hawkes_unaided import Told, for_ever
from ..search.label_null import Null
from ..search.stream_state import load as load
from ..search.stream_state import save as save
from ..stats.alarm_ends import Felt, felt, until_cleared, usual_lag
from ..stats.hawkes import Normalization, distances
from ..stats.hawkes_paths import Log, hop_matrices, paths_to
from ..stats.hawkes_traces import Traces, trace
from ..stats.repeats import clock_tick, episode_gap, gaps_before, neighbouring_gaps, span

TAKES = frozenset({"events"})
GIVES = "digraph"  # a DAG unless acyclic=False
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "acyclicity (unless acyclic=False)", "stationarity", "additive effects", "no inhibition")
PROBED = 1000  # events that are traced to see how long one takes, four times as many until
MEASURED = 0.03  # seconds have passed
TRACED = 0.3  # of the time left may go into tracing what events feel, with given decays


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
    keep_crowds: bool = False,
    price: Literal["auto", "slots", "active"] = "auto",
    false_share: float = 0.33,
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
        episode and are left out. None: estimated from the gaps if decay is None, otherwise 0 (all count, which tells more
        where each repeat brings its effects). keep_crowds: True keeps what comes on many devices at once too, where decay is None.
    price: what an edge pays for: all its hops x decays ("slots") or those with a positive coefficient, one at least ("active").
        "auto": slots with one decay, active with several or with None.
    false_share: with decay=None, the share of false edges that the price admits, by the log's own null, which overstates.
    max_parents, max_changes: limits of the search; with the latter no weak edges are added. max_seconds: return the best graph
    so far when they are over. rng is not used: the search is deterministic. Weight of j -> i: alpha[j, i], summed.
    meta["delay_seconds"] is the usual time from cause to effect; meta["until_cleared"] whether an alarm's effects end with it (with
    decay=None, where durations above 0 are told): its ``decay`` is then that of an alarm that stands.
    """
    half, until = (None, None) if max_seconds is None else (clock.monotonic() + max_seconds * x for x in (0.5, 1.0))
    _check_words(penalty=penalty, normalization=normalization, price=price)
    _check_numbers(penalty_scale, repeats, ties, max_parents, max_changes)
    number("false_share", false_share, above=0.0)
    number("tol", tol, above=0.0)
    span(data.time)
    allowed, required = (knowledge or Knowledge()).compile(data.types)
    kept, gap = _episodes(data, 0.0 if decay is not None and repeats is None else repeats)
    kind, links = data.type_index[kept], _links(data)
    use = distances(hops, linked=links.nnz > 0)
    paths = paths_to(hop_matrices(links, use, normalization))
    log = Log(data.time[kept], data.device_index[kept], paths, _ends(data, kept) if decay is None else None)
    aic = penalty == "aic" or (penalty == "auto" and decay is None)
    unit = penalty_scale * (1.0 if aic else math.log(len(kind)) / 2.0)
    limits = Limits(allowed, required, acyclic, max_changes, max_parents, until)
    if decay is None:
        told = Told(data.d, false_share, tol, unit, half)
        fitted = _unaided(log, kind, links, ties, told, limits, keep_crowds)
    else:
        rates = _rates(decay)
        active = price == "active" or (price == "auto" and len(rates) > 1)
        scorer = Scorer(_affordable(log, kind, rates, data.d, ties or 0.0, until), unit, tol, active)
        fitted = Fitted(scorer, climb(scorer, *limits), rates, ties or 0.0, kind)
    meta = _meta(fitted, use) | _left_out(data.n, fitted, gap, decay is None)
    meta |= {"ties": fitted.ties, "false_share": None if fitted.null is None else false_share}
    return _graph(data, fitted, meta | ({} if data.duration is None else {"until_cleared": fitted.lasting is not None}))


class Fitted(NamedTuple):
    """A graph, the scorer that it is best by, decays (B,), the weight of ties, and the types (n,) of the events that told it.

    With decay=None also the null, the pairs' probabilities (V, V), until when events act (n,), None for ever, and how many were in
    crowds."""

    scorer: Scorer
    found: Found
    rates: Array
    ties: float
    kind: Codes
    null: Null | None = None
    joined: Array | None = None
    lasting: Array | None = None
    crowded: int = 0


def _unaided(
    log: Log, kind: Codes, links: sp.csr_array, ties: float | None, told: Told, limits: Limits, keep_crowds: bool
) -> Fitted:
    """The log decides delay, ties, background, prices, ends and crowds."""
    learned, used = learn_beside_crowds(log, kind, links, ties, told, limits, keep_crowds)
    views, rates = learned.views, np.array([1.0 / learned.delay])
    more = learned.null, learned.joined, for_ever(views.log)[1], int((~used).sum())
    return Fitted(learned.scorer, learned.found, rates, views.tie, kind[used], *more)


def _affordable(log: Log, kind: Codes, rates: Array, types: int, ties: float, until: float | None) -> Traces:
    """What events feel, of as many, from the first on, as TRACED of the time left is enough for: what a few take tells."""
    n, size, spent = len(kind), PROBED, 0.0
    while until is not None and spent < MEASURED and size < n:
        size, begun = min(4 * size, n), clock.monotonic()
        trace(log.taken(slice(size)), kind[:size], rates, types, ties)
        spent = clock.monotonic() - begun
    room = n if until is None or not spent else int(TRACED * (until - clock.monotonic()) / spent * size)
    some = max(PROBED, min(n, room))
    some = some if log.time[min(some, n) - 1] > log.time[0] else n
    return trace(log.taken(slice(some)), kind[:some], rates, types, ties)


def _ends(data: Events, opens: Bools) -> Array | None:
    """(n,) seconds that the alarm of each event that opens an episode stands; None where no end is told."""
    if data.duration is None:
        return None
    return until_cleared(data.time, data.duration, data.type_index, data.device_index, opens)


def _check_words(**given: str) -> None:
    """DataError for a word that is none of its option's."""
    words = {"penalty": ("auto", "bic", "aic"), "normalization": get_args(Normalization)}
    for name, word in given.items():
        one_of(name, word, words.get(name, ("auto", "slots", "active")))


def _check_numbers(
    penalty_scale: float, repeats: float | None, ties: float | None, max_parents: int | None, max_changes: int | None
) -> None:
    """DataError for what is neither None nor a number of its kind."""
    number("penalty_scale", penalty_scale, 0.0)
    for name, given, most in (("repeats", repeats, math.inf), ("ties", ties, 1.0)):
        if given is not None:
            number(name, given, 0.0, most)
    for name, limit in (("max_parents", max_parents), ("max_changes", max_changes)):
        if limit is not None:
            whole(name, limit, 0)


def _meta(fitted: Fitted, use: tuple[int, ...]) -> dict[str, Any]:
    """What the search says of itself."""
    scorer, found, null = fitted.scorer, fitted.found, fitted.null
    v = len(found.parents)
    lag = 1.0 / fitted.rates if fitted.lasting is None else usual_lag(fitted.lasting, fitted.rates)
    return {
        "decay": fitted.rates.tolist(),
        "delay_seconds": lag.tolist(),
        "hops": list(use),
        "score": float(found.score - scorer.price * v),
        "log_likelihood": float(sum(scorer.fit(i, found.parents[i]).value for i in range(v))),
        "fits": len(scorer.memo),
        "changes": found.changes,
        "complete": found.complete and (null is None or null.tried > 0 or v < 2),
        **({} if null is None else {"least_gain": scorer.floor, "null_edges": null.tried}),
    }


def _acts(fitted: Fitted) -> Felt:
    return felt(fitted.lasting, fitted.kind, fitted.rates, len(fitted.found.parents))


def _links(data: Events) -> sp.csr_array:
    """(M, M) links between devices, 1 both ways."""
    at = {name: k for k, name in enumerate(data.devices)}
    ends = [] if data.topology is None else [(at[a], at[b]) for a, b in data.topology.edges if a != b]
    a, b = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    m = len(at)
    return sp.csr_array((np.ones(2 * len(a)), (np.append(a, b), np.append(b, a))), shape=(m, m))


def warm_up(kind: str) -> None:
    """Compile the kernels on two tiny logs, one of them polled."""
    rng = np.random.default_rng(0)
    starts = np.cumsum(rng.exponential(100.0, 40))
    at = np.concatenate([starts, starts + rng.exponential(5.0, 40)])
    for time in (at, 20.0 * np.ceil(at / 20.0)):
        frame = pd.DataFrame({"event": np.repeat(["a", "b"], 40), "timestamp": time, "device": "d"})
        log = Events(frame.sort_values("timestamp"))
        learn(log, rng=rng)
    learn(log, rng=rng, decay=0.1)


def _rates(decay: float | Sequence[float]) -> Array:
    """The decays (B,) in 1/s."""
    try:
        rates = np.atleast_1d(np.asarray(decay, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        rates = np.empty(0)
    if rates.ndim != 1 or len(rates) == 0 or not (np.isfinite(rates) & (rates > 0)).all():
        raise DataError(f"decay is {decay!r}, and must be positive, in 1/s")
    return rates


def _episodes(data: Events, repeats: float | None) -> tuple[Bools, float]:
    """Which events open an episode, (N,) bool, and the gap in seconds that separates episodes."""
    if repeats == 0.0:
        return np.ones(data.n, dtype=bool), 0.0
    cells = data.type_index, data.device_index, data.d
    gaps = gaps_before(data.time, *cells)
    if repeats is None:
        pairs = neighbouring_gaps(gaps, *cells)
        repeats = episode_gap(gaps[np.isfinite(gaps)], clock_tick(data.time), pairs)
    return gaps > repeats if repeats > 0 else np.ones(data.n, dtype=bool), float(repeats)


def _left_out(n: int, fitted: Fitted, gap: float, drawn: bool) -> dict[str, Any]:
    """Of n events those that open an episode and are in no crowd, and those of them that there was time to look at."""
    opening, crowded = len(fitted.kind), fitted.crowded
    looked, says = int(fitted.scorer.exposure.size.sum()), []
    if opening + crowded < n:
        says.append(
            f"{n - opening - crowded:,} of {n:,} events continue an episode (same type and device, at most {gap:.0f} s after the "
            "one before) and were left out; repeats=0 keeps them"
        )
    if crowded:
        says.append(
            f"{crowded:,} of {n:,} events came on many devices at once, out of each other's reach, and no cause explains them, so "
            "they were left out; keep_crowds=True keeps them"
        )
    if looked < opening:
        says.append(
            f"there was no time for more than {looked:,} of {opening:,} events, {'those of devices drawn at random' if drawn else 'the first ones'}; "
            "a larger max_seconds looks at all"
        )
    return {
        "repeats_seconds": gap,
        "events_in_crowds": crowded,
        "events_used": looked,
        **({"warnings": says} if says else {}),
    }


def _graph(data: Events, fitted: Fitted, meta: dict[str, Any]) -> Graph:
    scorer, found, joined, acts = fitted.scorer, fitted.found, fitted.joined, _acts(fitted)
    hops, decays = len(meta["hops"]), len(meta["decay"])
    weight, gains = np.zeros((data.d, data.d)), np.zeros((data.d, data.d))
    why: dict[tuple[int, int], dict[str, Any]] = {}
    for i in np.flatnonzero(found.adj.any(axis=0)).tolist():
        fit, mask = scorer.fit(i, found.parents[i]), found.parents[i]
        alpha = fit.alpha.reshape(-1, hops, decays)
        for at, j in enumerate(members(mask)):
            if j == i:
                continue
            weight[j, i] = alpha[at].sum()
            gains[j, i] = gain = fit.value - scorer.fit(i, mask & ~(1 << j)).value
            why[j, i] = {
                "log_likelihood_gain": float(gain),
                "bic_change": float(2.0 * (scorer.score(i, mask & ~(1 << j)) - scorer.score(i, mask))),
                "alpha_by_hop": [float(a) for a in alpha[at].sum(axis=1)],
                **_told(alpha[at], (acts.seconds[j], acts.lag[j]), meta, fitted.null, gain),
                **({} if joined is None else {"probability": float(joined[j, i])}),
            }
    evidence = PairEvidence(data.types, found.adj, partial(_describe, why, (data.types, found.adj, gains)))
    return Graph(data.types, found.adj, weight=weight, evidence=evidence, meta=meta)


def _told(
    alpha: Array, acts: tuple[Array, Array], meta: dict[str, Any], null: Null | None, gain: float
) -> dict[str, Any]:
    """Further evidence of one edge, from its alpha (hops, decays). acts: seconds and lag of its cause, as in Felt."""
    effects = (alpha * acts[0]).sum(axis=1)
    children = effects.sum()
    delay = float(alpha.sum(axis=0) @ (acts[0] * acts[1]) / children) if children > 0 else math.nan
    told = {
        "rate_per_second": float(alpha.sum()),
        "delay_seconds": delay,
        "effects_by_hop": {hop: float(x) for hop, x in zip(meta["hops"], effects, strict=True)},
    }
    if null is None or not null.tried:
        return told
    beyond = null.exceeded(gain)
    chance = (1 + beyond) / (1 + null.tried)
    return told | {
        "price": meta["least_gain"],
        "null_exceeding": beyond,
        "null_edges": null.tried,
        "null_p_value": chance,
    }


def _describe(
    why: dict[tuple[int, int], dict[str, Any]], among: tuple[tuple[str, ...], Bools, Array], j: int, i: int
) -> dict[str, Any]:
    """The evidence of one edge among all, given as types, edges (V, V) and their gains (V, V)."""
    return why[j, i] | by_chain(*among, j, i)
