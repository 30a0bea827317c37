"""The graph of a Hawkes process where the log decides its own delay, ties, background and prices.

1. A fit blind to types tells a delay (:mod:`causalnet.stats.time_scales`), or ties do, where polls hide all effects; labels
   dealt out anew, what noise gains (:mod:`causalnet.search.label_null`); and what single edges gain over none, a price. The
   first graph is climbed at it.
2. The delay is doubled, or where polls are coarse halved, while causes explain more beyond what all types explain alike;
   and where the log tells when alarms are cleared, causes act no longer than that if they explain more so.
   In a polled log (many ties) the kernel is the mean over the places where cause and effect can have been before their
   polls; a tick of the clock is a short poll.
3. The price is set anew by what each edge gains beside the others of the graph, and the graph climbed again, until the
   price settles. Single gains show the descendants of a cause too, and where causes are dense they say little about
   what an edge adds to the others.
4. In a polled log the edges are then turned round where that is likelier.
5. Edges too weak for that price are added where the odds of all pairs say so (:mod:`causalnet.search.hawkes_odds`), but where
   polls are coarse: pairs of which they tell no order are as likely both ways.

In a log that lasts LONG, the background of a type falls on the devices as its own events do, drawn towards all events'
(:func:`causalnet.stats.time_scales.type_share`).

A wrong shape of the delays leaves a part of what the causes explain to types that follow the same causes, however long
the log. So an edge must also gain LEFT of the nats per event by which its target's causes raise the likelihood, times
the events of the rarer type; before they are known MISFIT nats per event. All constants here were settled on
simulated logs: the cascades of :mod:`causalnet.datasets.incidents`, :func:`causalnet.datasets.hawkes.simulate_hawkes`
and :func:`causalnet.envs.fault_alarm.observational_log`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Array, Bools, Codes, Ints
from ..stats.hawkes_paths import Log
from ..stats.hawkes_traces import Traces, trace
from ..stats.repeats import poll_interval
from ..stats.time_scales import (
    POLLED,
    SHORTEST,
    device_share,
    mean_delay,
    polled_delay,
    polled_kernel,
    some_devices,
    tied,
    type_share,
)
from .hawkes_odds import by_odds
from .hawkes_search import Found, Limits, Scorer, climb
from .label_null import Null, draw_null, gains, over, price_of, some_targets

MISFIT = 0.01  # nats per event
LEFT = 0.02  # of what the causes of a type explain
ENOUGH = 50_000  # events by which the delay and the null are judged
STEP = 2.0  # from one delay to the next
BETTER = 1.0  # nats by which a delay must be better
ROUNDS = 3  # of prices
SETTLED = 0.05  # relative change of the price
LONG = 300.0  # delays that a log must last, or a device's counts of a type are of few cascades
FINE = 0.1  # of a delay: a clock finer than this shows the delay
FAR = 100.0  # times the delay that ties tell: one so long is none, where that is shorter than the time between polls


class Told(NamedTuple):
    """What the log does not decide: V types, share of false edges, nats at which a fit stops, nats per coefficient.

    half: time.monotonic() from which on there is time for a part of the devices alone; None: time for all.
    """

    types: int
    false_share: float
    tol: float
    unit: float
    half: float | None = None


class Views(NamedTuple):
    """How the events of a log are seen, whatever the delay."""

    log: Log
    kind: Codes
    types: int
    tie: float
    poll: float  # seconds between the polls of a polled log; 0: its times are those of the events
    share: Array  # (M,) of the background
    some: Bools  # (M,) devices with ENOUGH events
    most: Bools | None  # (M,) devices that there is time for; None: all
    long: bool  # whether a device's counts tell the background of each type from effects

    def seen(self, delay: float, kind: Codes | None = None, partly: bool = False, ordered: bool = False) -> Traces:
        """The effects at a mean delay in seconds, on all devices or on some, of the log's types or of others.

        ordered: what is told by the same poll is no part of the effects of all types together.
        """
        types = self.kind if kind is None else kind
        some = self.some if partly else self.most
        tie, later = (self.tie, 1.0) if self.poll == 0.0 else polled_kernel(self.poll / delay)
        share = self.share
        if self.long:
            share = type_share(types, self.log.device, self.types, share, some)
        weight, rate = tie / later, np.array([1.0 / delay])
        seen = trace(self.log, types, rate, self.types, weight, share, some, not ordered)
        if later == 1.0:
            return seen
        integral = seen.integral.copy()
        if ordered:
            integral[-seen.slots :] *= 1.0 - tie * self.poll / delay  # the sums hold later polls alone
        return seen._replace(value=tuple(later * value for value in seen.value), integral=integral)


class Unaided(NamedTuple):
    """The graph, the scorer that priced it, how it saw the log, the delay in seconds, the null and the pairs' probabilities (V, V)."""

    scorer: Scorer
    found: Found
    views: Views
    delay: float
    null: Null
    joined: Array | None


def learn_unaided(
    log: Log, kind: Codes, links: sp.csr_array, ties: float | None, told: Told, limits: Limits
) -> Unaided:
    """The graph, and what the log decided."""
    log, lasting = for_ever(log)
    v, m = told.types, links.shape[0]
    share, some = device_share(log.device, m), some_devices(log.device, m, ENOUGH)
    tie = ties if ties is not None else float(tied(log, kind, links) > POLLED)
    delay = mean_delay(log, links, share, some)
    poll = poll_interval(log.time) if ties is None and tie else 0.0
    near = polled_delay(log, kind, poll) if poll else delay
    if near < poll and delay > FAR * near:  # most effects are told by the poll of their cause, and later ones show none
        delay = near
    most, long = some if over(told.half) else None, log.time[-1] - log.time[0] > LONG * delay
    views = Views(log, kind, v, tie, poll, share, some, most, bool(long))
    found, alone, null = _first(views, delay, told, limits)
    if found[1].adj.any() and null.tried and not over(limits.deadline):
        better = _better_view(views, delay, lasting, found[1].parents, told.tol, limits.deadline)
        if better[0] is not views or better[1] != delay:
            views, delay = better
            found, alone, null = _first(views, delay, told, limits)
    if null.tried:
        found = _settled(alone, null, found, told, limits)
    if views.poll and found[1].adj.any() and not over(limits.deadline):
        found = _directed(views, delay, found, told, limits)
    graph, joined = by_odds(*found, limits) if null.tried and views.poll <= FINE * delay else (found[1], None)
    return Unaided(found[0], graph, views, delay, null, joined)


def for_ever(log: Log) -> tuple[Log, Array | None]:
    """The log with effects that have no end, and where some have one, until when (N,); events without effects stay so."""
    if log.lasting is None:
        return log, None
    silent, ended = log.lasting == 0, np.isfinite(log.lasting) & (log.lasting > 0)
    endless = log._replace(lasting=np.where(silent, 0.0, np.inf) if silent.any() else None)
    return endless, log.lasting if ended.any() else None


def _first(views: Views, delay: float, told: Told, limits: Limits) -> tuple[tuple[Scorer, Found], Scorer, Null]:
    """The graph at the price of single edges, a scorer without a price, and the null; BIC's price where time is over."""
    v, targets = views.types, some_targets(views.types)
    alone = Scorer(views.seen(delay), 0.0, told.tol, active=True, floor=0.0)
    null = draw_null(alone, lambda kind: views.seen(delay, kind, True), views.kind, targets, limits.deadline)
    price = 0.0 if v < 2 else alone.exposure.slots * math.log(len(views.kind)) / 2.0
    if null.tried:
        here, pairs = gains(alone, [1 << i for i in range(v)], targets, deadline=limits.deadline)
        price = price_of(null, here, pairs, 0, told.false_share)
    scorer = alone.priced(told.unit, price, np.full(v, MISFIT))
    return (scorer, climb(scorer, *limits)), alone, null


def _better_view(
    views: Views, delay: float, lasting: Array | None, parents: list[int], tol: float, deadline: float | None
) -> tuple[Views, float]:
    """The views and the delay by which parents explain most: an alarm acts for ever, or until it is cleared, where that is FINE enough."""
    best, raised = _better_delay(views, delay, parents, tol, deadline)
    if lasting is None or views.poll > FINE * best:
        return views, best
    cleared = views._replace(log=views.log._replace(lasting=lasting))
    later, more = _better_delay(cleared, best, parents, tol, deadline)
    return (cleared, later) if more > raised + BETTER else (views, best)


def _better_delay(
    views: Views, delay: float, parents: list[int], tol: float, deadline: float | None
) -> tuple[float, float]:
    """The delay at which parents explain most beyond a type's own effects and those of all types, and how much, in nats.

    It is at most the span of the log, or the longest time that an alarm acts: so long, it says that nothing fades before.

    Where alarms grow in number, or no more are told of what has many, all types together ask for a delay of their own.
    Shortened where polls hide it alone, to a poll's SHORTEST part at least. What a FINE clock shows of short delays the
    fit blind to types has seen, and with one scale for many delays the likelihood asks for the shortest that matter.
    """
    least = SHORTEST * views.poll if views.poll > FINE * delay else delay
    stands = for_ever(views.log)[1]
    span = float(np.ptp(views.log.time) if stands is None else stands[np.isfinite(stands)].max())

    def value(delay: float) -> float:
        seen = Scorer(views.seen(delay, partly=True), 0.0, tol, active=True, floor=0.0)
        return sum(seen.fit(i, mask).value - seen.fit(i, 1 << i).value for i, mask in enumerate(parents))

    here, first = value(delay), delay
    for factor in (STEP, 1.0 / STEP):
        while least <= delay * factor <= span and not over(deadline):
            there = value(delay * factor)
            if there <= here + BETTER:
                break
            delay, here = delay * factor, there
        if delay != first:
            break
    return delay, here


def _settled(
    alone: Scorer, null: Null, found: tuple[Scorer, Found], told: Told, limits: Limits
) -> tuple[Scorer, Found]:
    """The graph at the price by which its own edges are right."""
    targets: Ints = some_targets(told.types)
    for _ in range(ROUNDS):
        scorer, graph = found
        if not graph.adj.any() or over(limits.deadline):
            break
        here, pairs = gains(alone, graph.parents, targets, graph.adj, limits.deadline)
        price = price_of(null, here, pairs, int(graph.adj[:, targets].sum()), told.false_share)
        raised = [alone.fit(i, mask).value - alone.fit(i, 1 << i).value for i, mask in enumerate(graph.parents)]
        scorer = alone.priced(told.unit, price, LEFT * np.array(raised) / np.maximum(alone.exposure.size, 1))
        before, found = found[0].floor or 0.0, (scorer, climb(scorer, *limits))
        if abs(price - before) < SETTLED * before:
            break
    return found


def _directed(
    views: Views, delay: float, found: tuple[Scorer, Found], told: Told, limits: Limits
) -> tuple[Scorer, Found]:
    """The same pairs of types, joined the way round that explains a polled log best.

    What one poll tells together has no order, so effects of all types together that hold it explain a cause by its own
    effects. They tell apart who belongs together, as bursts do not, but not which way.
    """
    before, graph = found
    ordered = Scorer(views.seen(delay, ordered=True), 0.0, told.tol, active=True, floor=0.0)
    scorer = ordered.priced(told.unit, before.floor or 0.0, before.misfit)
    pairs = limits.allowed & (graph.adj | graph.adj.T)
    return scorer, climb(scorer, *limits._replace(allowed=pairs))
