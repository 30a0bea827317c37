"""The online form of thp: a stream of events updates sums (:mod:`causalnet.stats.hawkes_sums`), and no event is kept.

    state = init(topology=links)
    state = step(state, events)          # a log, or a frame with the columns event, timestamp (seconds) and device
    graph(state)

States are values. However the stream is cut, and in whatever order events come within ``patience`` seconds, the sums
are those of one pass over everything, so the graph is the same. Events of one instant are taken together, so those of
the latest instant wait; and the first ones wait for what they tell: WARM of them whether the stream is polled, so that
causes and effects share their times (:mod:`causalnet.stats.hawkes_sums`), and twice as many, and again, the mean delay,
until it no longer changes: a delay that is read too short leaves false edges, the more the longer the stream. An event
that comes later than ``patience`` allows is set aside and kept in the state, one that is there twice counts once.

Each BLOCK of events is predicted before it is counted. The log-likelihood per event of the LATEST blocks against that
of the blocks before, in standard deviations of such a mean, is the drift; above ALARM the stream no longer behaves as
it did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import scipy.sparse as sp

from ..base.arrays import Array
from ..base.asked import asks
from ..base.checks import number
from ..data import Events
from ..data.times import seconds
from ..data.topology import as_topology, undirected
from ..errors import DataError
from ..graph import Graph, Knowledge, PairEvidence, by_chain
from ..stats.hawkes import distances
from ..stats.hawkes_paths import Log, Paths, hop_matrices, paths_to
from ..stats.hawkes_sums import add, copied, forgotten, grown, lasting, no_sums, read
from ..stats.repeats import poll_interval
from ..stats.time_scales import POLLED, TELLING, device_share, mean_delay, polled_delay, polled_kernel, tied
from .hawkes_contrast import Fitted, fit_graph
from .stream_order import arrived, remarks
from .stream_state import Drift, State, Waiting, Watching

WARM = TELLING  # events that tell the polls, and the mean delay of a polled stream
SOME, MOST = 4 * WARM, 16 * WARM  # events that tell the mean delay of one of exact times: the least and the most
SETTLED = 1.15  # times the delay that half of them told
SHORT = 0.5  # of a poll: with quicker effects, what later polls tell of an order would hardly count
BLOCK = 1000  # events that are predicted together
GROWTH = 1.6  # blocks between one model that predicts and the next
PAST, LEAST = 200, 8  # blocks that a score is held against, and how many there must be
LATEST = 4  # blocks whose mean score is judged
ALARM = 5.0  # its standard deviations below the past
TOO_COARSE = (
    "{:.0%} of the events carry the time of another type's on their device, and the stream is read as one of exact times: "
    "effects count from later instants on; begin a state with poll, the seconds between two polls"
)
PRIOR = 5.0  # events that every device is credited with when it predicts


@asks("types", "devices", "knowledge")
def init(
    types: Sequence[Any] = (),
    devices: Sequence[Any] = (),
    *,
    topology: nx.Graph | None = None,
    knowledge: Knowledge | None = None,
    **settings: Any,
) -> State:
    """A state that has seen nothing; types and devices join as they come. settings: the fields of ``Watching``."""
    told = Watching(**settings)
    if told.decay is not None:
        number("decay", told.decay, above=0.0)
    if told.half_life is not None:
        number("half_life", told.half_life, above=0.0)
    if told.poll is not None:
        number("poll", told.poll, 0.0)
    number("patience", told.patience, 0.0)
    topology = as_topology(topology)
    links = () if topology is None else tuple(sorted(_pair(a, b) for a, b in undirected(topology).edges if a != b))
    told = replace(told, hops=distances(told.hops, linked=bool(links)))
    known = tuple(dict.fromkeys([*map(str, devices), *(name for pair in links for name in pair)]))
    kinds = tuple(dict.fromkeys([*map(str, types), *sorted((knowledge or Knowledge()).names)]))
    sums = no_sums(len(kinds), len(known), len(told.hops), bool(told.poll))
    return State(told, kinds, known, links, knowledge, sums, decay=told.decay, poll=told.poll)


def _pair(a: Any, b: Any) -> tuple[str, str]:
    first, second = sorted((str(a), str(b)))
    return first, second


@asks("state", "unit")
def step(state: State, events: Events | pd.DataFrame, unit: str | None = None) -> State:
    """The state with more events of the stream. unit: of timestamps of a frame that are numbers."""
    time, types, devices = _columns(events, unit)
    if len(time) == 0:
        return state
    origin = float(time.min()) if state.origin is None else state.origin
    names = tuple(dict.fromkeys([*state.types, *types])), tuple(dict.fromkeys([*state.devices, *devices]))
    sums = grown(state.sums, len(names[0]), len(names[1]), len(state.settings.hops), bool(state.poll))
    at = [{name: i for i, name in enumerate(some)} for some in names]
    kind = np.array([at[0][name] for name in types], dtype=np.int32)
    device = np.array([at[1][name] for name in devices], dtype=np.int32)
    state = replace(state, types=names[0], devices=names[1], sums=sums, origin=origin)
    state = arrived(state, Waiting(time - origin, kind, device))
    return _absorb(state, state.newest - state.settings.patience)


def _columns(events: Events | pd.DataFrame, unit: str | None) -> tuple[Array, list[str], list[str]]:
    """Seconds, types and devices of events, or a sentence."""
    if isinstance(events, Events):
        kinds = [events.types[i] for i in events.type_index]
        return events.time, kinds, [events.devices[i] for i in events.device_index]
    for name in ("event", "timestamp", "device"):
        if not isinstance(events, pd.DataFrame) or name not in events.columns:
            raise DataError(
                f"a step takes an event log or a frame with event, timestamp and device; {name!r} is missing"
            )
        if events[name].isna().any():
            raise DataError(
                f"column {name!r} is empty in row {int(np.argmax(events[name].isna())) + 1}; leave the row out"
            )
    types, devices = (events[name].astype(str).tolist() for name in ("event", "device"))
    return seconds(events["timestamp"], unit, sheet=False), types, devices


def _absorb(state: State, until: float) -> State:
    """The state with all that waits and came before ``until`` counted in; nothing while delay and polls are not known."""
    if state.decay is None or state.poll is None:
        state = _begun(state, int(np.searchsorted(state.waiting.time, until)), until == math.inf)
        if state.decay is None or state.poll is None:
            return state
    time = _poll_of(state, state.waiting.time)
    ready = int(np.searchsorted(time, _poll_of(state, until)))
    if ready == 0:
        return state
    now, w = replace(state.waiting, time=time).taken(slice(None, ready)), state.waiting.taken(slice(ready, None))
    state, first, paths = replace(state, waiting=w, sums=copied(state.sums)), 0, _paths(state)[0]
    while first < ready:
        end = min(ready, first + BLOCK - state.drift.inside)
        end = int(np.searchsorted(now.time, now.time[end - 1], side="right"))
        state = _counted(state, now.taken(slice(first, end)), paths)
        first = end
    return state


def _poll_of(state: State, time: Any) -> Any:
    """The times of the polls that tell events at ``time``; the same times where they are exact."""
    return np.ceil(time / state.poll - 1e-6) * state.poll if state.poll else time


def _begun(state: State, ready: int, now: bool) -> State:
    """The state that knows polls and delay once the ``ready`` first events that wait tell them, or now by all there are."""
    while ready > 0 and (state.decay is None or state.poll is None):
        n = max(SOME, 2 * state.asked) if state.asked else WARM
        if n > ready and not now:
            break
        state = _told_by(replace(state, asked=n), min(n, ready), n > ready)
    return state


def _told_by(state: State, n: int, last: bool) -> State:
    """The state with what the first n events that wait tell of polls and delay. last: the delay that they tell is used."""
    some, links, paths = state.waiting.taken(slice(None, n)), _links(state), _paths(state)[1]
    log, decay, poll = Log(some.time, some.device, paths), state.decay, state.poll
    if poll is None:
        first = log.taken(slice(WARM))
        poll = poll_interval(first.time) if n > 1 and tied(first, some.kind[:WARM], links) > POLLED else 0.0
    if decay is None:
        if n < 2 or some.time[-1] <= some.time[0]:
            raise DataError(f"{n} events at one time tell no delay; give decay, in 1/s, or wait for more events")
        if poll:
            decay = 1.0 / max(polled_delay(log, some.kind, poll), SHORT * poll)
        elif last or n >= SOME:
            decay = _settled(log, links, last or n == MOST)
    sums = grown(state.sums, len(state.types), len(state.devices), len(state.settings.hops), poll > 0.0)
    return replace(state, decay=decay, poll=poll, sums=sums)


def _settled(log: Log, links: sp.csr_array, last: bool) -> float | None:
    """One over the mean delay of a log, if half of it tells the same, or at last."""
    delay = mean_delay(log, links, device_share(log.device, links.shape[0]))
    if not last:
        half = log.taken(slice(len(log.time) // 2))
        before = (
            mean_delay(half, links, device_share(half.device, links.shape[0])) if np.ptp(half.time) > 0 else math.inf
        )
        if max(delay / before, before / delay) > SETTLED:
            return None
    return 1.0 / delay


def _counted(state: State, some: Waiting, paths: Paths) -> State:
    """One stretch of a block counted, in place of the sums that are this state's own; a full block is judged."""
    assert state.decay is not None and state.poll is not None
    drift = state.drift
    rates, share = _predicting(state)
    if drift.reached is None or len(drift.reached) != state.sums.gram.shape[0]:
        reached = np.zeros(state.sums.gram.shape[0])
        reached[: 0 if drift.reached is None else len(drift.reached)] = 0.0 if drift.reached is None else drift.reached
        drift = replace(drift, reached=reached)
    value = add(state.sums, some.time, some.kind, some.device, paths, state.decay, state.poll, rates, share)
    now = float(some.time[-1])
    drift = replace(drift, inside=drift.inside + len(some.time), value=drift.value + value)
    watched = state.watched + now - state.clock
    state = replace(state, drift=drift, clock=now, watched=watched, n=state.n + len(some.time))
    state = replace(state, tied=state.tied + _tied(some))
    return _judged(state, rates, share) if drift.inside >= BLOCK else state


def _tied(some: Waiting) -> int:
    """How many events carry the time of an event of another type on their device."""
    order = np.lexsort((some.time, some.device))
    same = (np.diff(some.device[order]) == 0) & (np.diff(some.time[order]) == 0)
    return int((np.append(same, False) | np.append(False, same)).sum())


def _predicting(state: State) -> tuple[Array, Array]:
    """The rates (V, 1 + C) and shares (M,) that predict by earlier instants, for new types and devices too."""
    assert state.decay is not None and state.poll is not None
    v, c, drift = len(state.types), state.sums.gram.shape[0], state.drift
    rates, share = np.zeros((v, 1 + c)), np.ones(len(state.devices))
    if drift.rates is not None and drift.share is not None:
        rates[: len(drift.rates), : drift.rates.shape[1]] = drift.rates
        share[: len(drift.share)] = drift.share
    rates[:, 1:] *= polled_kernel(state.decay * state.poll)[1]
    rates[:, 0] = np.maximum(rates[:, 0], 0.5 / max(state.watched * len(state.devices), 1e-9))
    return rates, share


def _judged(state: State, rates: Array, share: Array) -> State:
    """The state at the end of a block: its score against the past, what is forgotten, and a new model where one is due."""
    assert state.decay is not None and state.poll is not None
    drift, decay = state.drift, state.decay
    alive = state.sums.now * np.exp(-decay * (state.clock - state.sums.last))[:, None] * lasting(decay, state.poll)
    reached = (state.sums.reach - alive).sum(axis=0)
    scores, z, alarms = drift.scores, 0.0, drift.alarms
    if drift.rates is not None:
        expected = rates[:, 0].sum() * share.sum() * (state.clock - drift.began)
        expected += float(rates[:, 1:].sum(axis=0) @ (reached - drift.reached))
        score = (drift.value - expected) / drift.inside
        scores = np.append(scores, score)[-PAST:]
        past, latest = scores[:-LATEST], scores[-LATEST:]
        if len(past) >= LEAST:
            z = float((past.mean() - latest.mean()) / max(past.std(ddof=1), 1e-3) * math.sqrt(LATEST))
            alarms += z > ALARM
    half = state.settings.half_life
    if half is not None:
        keep = 0.5 ** ((state.clock - drift.began) / half)
        state = replace(state, sums=forgotten(state.sums, keep), watched=state.watched * keep)
        reached = (state.sums.reach - alive).sum(axis=0)
    due, blocks = drift.due - 1, state.n / BLOCK
    model, weights = drift.rates, drift.share
    if due <= 0:
        found = _fit(state, settled=False)
        seen = state.sums.events.sum(axis=1) + PRIOR
        model, weights, due = found.theta, seen / seen.mean(), max(1, int(blocks * (GROWTH - 1.0)))
    drift = Drift(model, weights, 0, 0.0, state.clock, reached, due, scores, z, int(alarms))
    return replace(state, drift=drift)


def reach_of(state: State) -> list[sp.csr_array]:
    """One sparse (M, M) matrix a hop: how strongly an event on a device (row) is felt on another (column)."""
    return hop_matrices(_links(state), tuple(state.settings.hops), "degree")


def _links(state: State) -> sp.csr_array:
    at, m = {name: i for i, name in enumerate(state.devices)}, len(state.devices)
    a, b = np.array([(at[a], at[b]) for a, b in state.links], dtype=np.int64).reshape(-1, 2).T
    return sp.csr_array((np.ones(2 * len(a)), (np.append(a, b), np.append(b, a))), shape=(m, m))


def _paths(state: State) -> tuple[Paths, Paths]:
    """Where an event on a device is felt, and from where a device feels."""
    matrices = reach_of(state)
    return paths_to([matrix.T.tocsr() for matrix in matrices]), paths_to(matrices)


def _fit(state: State, settled: bool = True) -> Fitted:
    assert state.decay is not None and state.poll is not None
    allowed, required = (state.knowledge or Knowledge()).compile(state.types)
    moments = read(state.sums, state.clock, state.watched, state.decay, state.poll)
    return fit_graph(moments, len(state.settings.hops), allowed, required, settled)


def fitted(state: State) -> tuple[State, Fitted]:
    """The state with all events so far counted in, those that wait included, and the rates that fit them."""
    if state.origin is None:
        raise DataError("the stream has shown no event yet: there is nothing to learn from")
    state = _absorb(state, math.inf)
    return state, _fit(state)


@asks("state")
def graph(state: State) -> Graph:
    """The graph of all events so far, those that wait included; nodes in alphabetical order."""
    state, found = fitted(state)
    assert state.decay is not None
    v, hops = len(state.types), len(state.settings.hops)
    effects = found.theta[:, 1:].reshape(v, v, hops).transpose(1, 0, 2)  # [cause, effect, hop], 1/s
    weight = np.where(found.adj, effects.sum(axis=2), 0.0)
    order = np.array(sorted(range(v), key=lambda i: state.types[i]))
    place = np.ix_(order, order)
    z, alpha = found.z[place], effects[place]
    bound, told_by = (found.least, "price") if found.odds is None else (found.odds, "log_odds")
    bound = bound[place]
    names, adj = tuple(state.types[i] for i in order), found.adj[place]

    def describe(j: int, i: int) -> dict[str, Any]:
        return {
            "z": float(z[j, i]),
            "log_likelihood_gain": float(z[j, i] ** 2 / 2),
            told_by: float(bound[j, i]),
            "alpha_by_hop": alpha[j, i].tolist(),
            **by_chain(names, adj, z**2, j, i),
        }

    says = [TOO_COARSE.format(state.tied / state.n)] * _coarse(state) + remarks(state)
    meta = {"backend": "thp (online)", "events": state.n, "delay_seconds": 1.0 / state.decay, **told(state)}
    meta |= {"warnings": says} if says else {}
    return Graph(names, adj, weight=weight[place], evidence=PairEvidence(names, adj, describe), meta=meta)


def _coarse(state: State) -> bool:
    """Whether a stream that is read as one of exact times was polled."""
    return state.poll == 0.0 and state.tied > POLLED * max(state.n, 1)


def told(state: State) -> dict[str, Any]:
    """What there is to say about the stream, as plain numbers."""
    scores = state.drift.scores
    return {
        "events": state.n,
        "waiting": len(state.waiting.time),
        "late": len(state.aside.time),
        "ahead": len(state.ahead.time),
        "duplicates": state.twice,
        "types": len(state.types),
        "devices": len(state.devices),
        "drift": round(state.drift.z, 3),
        "drift_alarms": state.drift.alarms,
        "poll_seconds": state.poll,
        "coarse": _coarse(state),
        "nats_per_event": float(scores[-1]) if len(scores) else None,
    }
