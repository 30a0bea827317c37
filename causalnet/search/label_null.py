"""What an edge must gain before it is believed: the log's own null, its types dealt out anew over its events.

A log whose labels are permuted keeps its times, its devices and how often each type occurs, and holds no edge. The
gains in log-likelihood that single edges reach there are what chance gives in a log like this one. The price of an
edge is the least gain c at which

    expected edges above c in a log of noise <= max(FEW, false_share * edges above c in this log)

the false-discovery rule of Storey and Tibshirani, PNAS 100 (2003) 9440-9445, over pairs of types: in noise hardly an
edge passes, in a log full of effects a weaker one is believed too.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..base.arrays import Array, Codes, Ints
from ..stats.hawkes import Exposure
from .hawkes_search import Scorer

ROUNDS = 5  # permuted logs
MOST = 20_000  # pairs of types that are fitted in a round; more are sampled
FEW = 0.25  # edges that a log of noise may hold on average
TAIL = 20  # the largest gains of noise, and beyond them, count by the exponential law that they follow
STEPS = 400  # prices that are tried
LEAST = 0.5  # nats


def least_gain(expose: Callable[[Codes], Exposure], kind: Codes, n_types: int, false_share: float, tol: float) -> float:
    """Nats that an edge must gain. expose: the effects in a log with the given types (N,); kind (N,): the log's own.

    The permutations are drawn from a seed of their own, so the answer is the log's alone. tol: of the fits, in nats.
    """
    if n_types < 2:
        return 0.0
    rng = np.random.default_rng(0)
    pairs = n_types * (n_types - 1)
    tried = np.arange(pairs) if pairs <= MOST else np.sort(rng.choice(pairs, MOST, replace=False))
    here = np.sort(_gains(expose(kind), tried, n_types, tol))
    noise = np.sort(np.concatenate([_gains(expose(rng.permutation(kind)), tried, n_types, tol) for _ in range(ROUNDS)]))
    c = np.linspace(LEAST, max(LEAST, here[-1], noise[-1]) + 1.0, STEPS)
    above = (len(here) - np.searchsorted(here, c)) * pairs / len(tried)
    chance = _exceed(noise, c) * pairs / len(tried) / ROUNDS
    passes = np.flatnonzero(chance <= np.maximum(FEW, false_share * above))
    return float(c[passes[0]]) if len(passes) else math.inf


def _gains(seen: Exposure, tried: Ints, n_types: int, tol: float) -> Array:
    """(P,) gains in log-likelihood of single edges over none; pair p is target p // (V - 1) and one of the others."""
    scorer = Scorer(seen, 0.0, tol, active=True, floor=0.0)
    target, source = np.divmod(tried, n_types - 1)
    source += source >= target
    alone = {i: scorer.fit(i, 1 << i).value for i in np.unique(target).tolist()}
    joined = zip(target.tolist(), source.tolist(), strict=True)
    return np.array([scorer.fit(i, 1 << i | 1 << j).value - alone[i] for i, j in joined])


def _exceed(sample: Array, c: Array) -> Array:
    """How many of the ascending ``sample`` lie above each of c; the largest TAIL of them as an exponential law."""
    k = min(TAIL, len(sample) - 1)
    start = sample[-1 - k]
    mean = max(float((sample[len(sample) - k :] - start).mean()), 1e-9)
    return np.where(c < start, len(sample) - np.searchsorted(sample, c), k * np.exp(-(c - start) / mean))
