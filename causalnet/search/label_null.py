"""What an edge must gain before it is believed: the log's own null, its types dealt out anew over its events.

A log whose labels are permuted keeps its times, its devices and how often each type occurs, and holds no edge. The
gains in log-likelihood that single edges reach there are what chance gives in a log like this one. With N(c) pairs of
types in this log that gain more than c, and E(c) as many in a log of noise, over the pairs that are not joined, the
price of an edge is the c with the best F1 that is to be expected,

    F1(c) = 2 (N - E) / (N + T)        T = max over c of N - E, the edges that there are

among those with E <= FEW, or with E <= false_share * N and N beyond E by CLEAR deviations: the false-discovery rule of
Storey and Tibshirani, PNAS 100 (2003) 9440-9445. In noise hardly an edge passes; in a log full of weak effects a weak one
is believed too; and where the gains of effects lie far above those of noise, so does the price.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Codes, Ints
from ..stats.hawkes_traces import Traces
from .hawkes_search import Scorer, ancestors

ROUNDS = 5  # permuted logs
MOST = 300_000  # pairs of types that are looked at in a round; of more, those of sampled targets
FEW = 0.25  # edges that a log of noise may hold on average
SLACK = 0.008  # of the best F1, or as much as FEW edges are of it, for a lower price
CLEAR = 3.0  # deviations by which edges must outnumber those of noise, where more than FEW of noise are admitted
TAIL = 20  # the largest gains of noise, and beyond them, count by the exponential law that they follow
STEPS = 400  # prices that are tried
LEAST = 0.5  # nats
CLOSE = (0.5, 30.0)  # promised gains in nats that are fitted; below and above the promise will do


class Null(NamedTuple):
    """The gains of single edges in permuted logs: sorted gains (G,), and out of how many pairs of types."""

    gains: Array
    tried: int

    def exceeded(self, gain: float) -> int:
        """How many edges of the permuted logs gained as much."""
        return int(len(self.gains) - np.searchsorted(self.gains, gain))


def draw_null(
    scorer: Scorer, permuted: Callable[[Codes], Traces], kind: Codes, targets: Ints, deadline: float | None = None
) -> Null:
    """What single edges into ``targets`` gain in a log of noise. scorer: of the log itself, with price and floor 0.

    permuted: the effects in a log with the given types (N,). kind (N,): the log's own. The permutations are drawn from
    a seed of their own, so the answer is the log's alone. deadline: time.monotonic() after which no further one is
    drawn, and the last one is left where it is.
    """
    v = len(scorer.exposure.size)
    rng = np.random.default_rng(0)
    noise, tried = [np.empty(0)], 0
    while v > 1 and len(noise) <= ROUNDS and not over(deadline):
        seen = permuted(rng.permutation(kind).astype(np.int32))
        alone = Scorer(seen, 0.0, scorer.tol, active=True, floor=0.0)
        found, pairs = gains(alone, [1 << i for i in range(v)], targets, deadline=deadline)
        noise, tried = [*noise, found], tried + pairs
    return Null(np.sort(np.concatenate(noise)), tried)


def over(deadline: float | None) -> bool:
    """Whether time.monotonic() has passed the deadline."""
    return deadline is not None and time.monotonic() > deadline


def some_targets(v: int) -> Ints:
    """The types into which edges are looked at: all, or where there are many pairs as many as hold MOST of them."""
    if v * v <= MOST:
        return np.arange(v)
    return np.sort(np.random.default_rng(0).choice(v, max(1, MOST // v), replace=False))


def price_of(null: Null, here: Array, pairs: int, joined: int, false_share: float) -> float:
    """Nats that an edge must gain: the least c that the rule above admits.

    here: what edges gain in this log, out of ``pairs``, of which ``joined`` are in the graph that they were added to or
    taken from: those hold no noise.
    """
    here = np.sort(here)
    top = max(LEAST, here.max(initial=0.0), null.gains.max(initial=0.0)) + 1.0
    c = np.unique(np.concatenate([np.linspace(LEAST, top, STEPS), np.arange(LEAST, min(top, 50.0), 0.1)]))
    above = len(here) - np.searchsorted(here, c)
    chance = _exceed(null.gains, c) * (pairs - joined) / max(null.tried, 1)
    right = np.maximum(above - chance, 0.0)
    clear = right >= CLEAR * np.sqrt(chance)
    total = max(right[clear].max(initial=0.0), 1.0)  # edges that there are
    f1 = 2.0 * right / (above + total)
    admitted = (chance <= FEW) | (clear & (chance <= false_share * above))
    passes = np.flatnonzero(admitted & (f1 >= f1[admitted].max(initial=0.0) - max(FEW / (2.0 * total), SLACK)))
    return float(c[passes[0]]) if len(passes) else math.inf


def gains(
    scorer: Scorer, parents: list[int], targets: Ints, adj: Bools | None = None, deadline: float | None = None
) -> tuple[Array, int]:
    """Gains in log-likelihood that are not zero, of single edges into ``targets`` beside ``parents``, and of how many.

    Those that would close a cycle in ``adj`` (V, V) are none; one that is there gains what its loss would cost. Gains
    that are CLOSE are fitted, the others as promised. After the deadline no further target is looked at.
    """
    v = len(parents)
    adj = np.zeros((v, v), dtype=bool) if adj is None else adj
    found, pairs = [np.empty(0)], 0
    upstream = ancestors(adj)
    for i in targets.tolist():
        if over(deadline):
            break
        free = ~adj[:, i] & ~upstream[i]
        free[i] = False
        pairs += int(free.sum()) + int(adj[:, i].sum())
        source, gain = scorer.promises(i, parents[i]) or (np.empty(0, dtype=np.int64), np.empty(0))
        source, gain = source[free[source]], gain[free[source]]
        close = (gain > CLOSE[0]) & (gain < CLOSE[1])
        if close.any():
            gain[close] = scorer.joined(i, parents[i], source[close]) - scorer.fit(i, parents[i]).value
        lost = [
            scorer.fit(i, parents[i]).value - scorer.fit(i, parents[i] & ~(1 << int(j))).value
            for j in np.flatnonzero(adj[:, i])
        ]
        found += [gain, np.array(lost)]
    return np.concatenate(found), pairs


def _exceed(sample: Array, c: Array) -> Array:
    """How many of the ascending ``sample`` lie above each of c; the largest TAIL of them as an exponential law."""
    k = min(TAIL, len(sample) - 1)
    if k < 1:
        return np.zeros(len(c))
    start = sample[-1 - k]
    mean = max(float((sample[len(sample) - k :] - start).mean()), 1e-9)
    return np.where(c < start, len(sample) - np.searchsorted(sample, c), k * np.exp(-np.maximum(c - start, 0.0) / mean))
