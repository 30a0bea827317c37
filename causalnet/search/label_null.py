"""What an edge must gain before it is believed: the log's own null, its types dealt out anew over its events.

A log whose labels are permuted keeps its times, its devices and how often each type occurs, and holds no edge. The
gains in log-likelihood that single edges reach there are what chance gives in a log like this one. The price of an
edge is the least gain c at which

    expected edges above c in a log of noise <= max(FEW, false_share * edges above c in this log)

the false-discovery rule of Storey and Tibshirani, PNAS 100 (2003) 9440-9445, over pairs of types, and at which edges
above c less WORSE times those of noise are as many as they can be: in noise hardly an edge passes, in a log full of
weak effects a weak one is believed too, and where the gains of effects lie far above those of noise, so does the price.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Codes, Ints
from ..stats.hawkes_traces import Traces
from .hawkes_search import Scorer

ROUNDS = 5  # permuted logs
MOST = 300_000  # pairs of types that are looked at in a round; of more, those of sampled targets
FEW = 0.25  # edges that a log of noise may hold on average
WORSE = 2.0  # a true edge found counts one, a false one takes one away: edges less twice the false ones
TAIL = 20  # the largest gains of noise, and beyond them, count by the exponential law that they follow
STEPS = 400  # prices that are tried
LEAST = 0.5  # nats
CLOSE = (0.5, 30.0)  # promised gains in nats that are fitted; below and above the promise will do


class Null(NamedTuple):
    """The gains of single edges in permuted logs: price (nats an edge must gain), sorted gains (G,), and out of how many."""

    price: float
    gains: Array
    tried: int

    def exceeded(self, gain: float) -> int:
        """How many edges of the permuted logs gained as much."""
        return int(len(self.gains) - np.searchsorted(self.gains, gain))


def draw_null(
    scorer: Scorer,
    permuted: Callable[[Codes], Traces],
    kind: Codes,
    false_share: float,
    deadline: float | None = None,
) -> Null:
    """Nats that an edge must gain, with the null that says so. scorer: of the log itself, with price and floor 0.

    permuted: the effects in a log with the given types (N,). kind (N,): the log's own. The permutations are drawn from
    a seed of their own, so the answer is the log's alone. deadline: time.monotonic() after which no further one is
    drawn; without any the price is that of BIC, log(N) / 2 nats per coefficient.
    """
    v = len(scorer.exposure.size)
    if v < 2:
        return Null(0.0, np.empty(0), 0)
    rng = np.random.default_rng(0)
    targets = np.arange(v) if v * v <= MOST else np.sort(rng.choice(v, max(1, MOST // v), replace=False))
    noise: list[Array] = []
    while len(noise) < ROUNDS and not (deadline is not None and time.monotonic() > deadline):
        seen = permuted(rng.permutation(kind).astype(np.int32))
        noise.append(_gains(Scorer(seen, 0.0, scorer.tol, active=True, floor=0.0), targets))
    pairs = len(targets) * (v - 1)
    if not noise:
        return Null(scorer.exposure.slots * math.log(len(kind)) / 2.0, np.empty(0), 0)
    here, null = np.sort(_gains(scorer, targets)), np.sort(np.concatenate(noise))
    c = np.linspace(LEAST, max(LEAST, here.max(initial=0.0), null.max(initial=0.0)) + 1.0, STEPS)
    c = np.unique(np.concatenate([c, np.arange(LEAST, min(c[-1], 50.0), 0.1)]))
    scale = v / len(targets)
    above = (len(here) - np.searchsorted(here, c)) * scale
    chance = _exceed(null, c) * scale / len(noise)
    right = np.where(chance <= np.maximum(FEW, false_share * above), above - WORSE * chance, -math.inf)
    passes = np.flatnonzero((right >= right.max() - FEW) & (right > -math.inf))
    return Null(float(c[passes[0]]) if len(passes) else math.inf, null, pairs * len(noise))


def _gains(scorer: Scorer, targets: Ints) -> Array:
    """Gains in log-likelihood of single edges over none that are not zero: fitted if CLOSE, as promised otherwise."""
    found = []
    for i in targets.tolist():
        alone = 1 << i
        source, gain = scorer.promises(i, alone) or (np.empty(0, dtype=np.int64), np.empty(0))
        other = source != i
        source, gain = source[other], gain[other]
        for at in np.flatnonzero((gain > CLOSE[0]) & (gain < CLOSE[1])):
            gain[at] = scorer.fit(i, alone | 1 << int(source[at])).value - scorer.fit(i, alone).value
        found.append(gain)
    return np.concatenate(found)


def _exceed(sample: Array, c: Array) -> Array:
    """How many of the ascending ``sample`` lie above each of c; the largest TAIL of them as an exponential law."""
    k = min(TAIL, len(sample) - 1)
    if k < 1:
        return np.zeros(len(c))
    start = sample[-1 - k]
    mean = max(float((sample[len(sample) - k :] - start).mean()), 1e-9)
    return np.where(c < start, len(sample) - np.searchsorted(sample, c), k * np.exp(-(c - start) / mean))
