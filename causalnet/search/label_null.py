"""What an edge must gain before it is believed: the log's own null, its types dealt out anew over its events.

A log whose labels are permuted keeps its times, its devices and how often each type occurs, and holds no edge. The
gains in log-likelihood that single edges reach there are what chance gives in a log like this one; the price of an
edge is the gain that is exceeded so seldom that a whole log of noise is expected to hold ``false_edges`` of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..base.arrays import Array, Codes
from ..stats.hawkes import Exposure
from .hawkes_search import Scorer

ROUNDS = 5  # permuted logs
MOST = 20_000  # pairs of types that are tried in all; more are sampled
TAIL = 0.02  # of the gains: beyond it they are continued as an exponential law where pairs were sampled


def label_null(expose: Callable[[Codes], Exposure], kind: Codes, n_types: int, false_edges: float, tol: float) -> float:
    """Nats that an edge must gain for ``false_edges`` expected in a log of noise. expose: the effects of given types.

    kind (N,): the log's types. The permutations are drawn from a seed of their own: the answer is the log's alone.
    """
    rng = np.random.default_rng(0)
    pairs = n_types * (n_types - 1)
    if pairs == 0:
        return 0.0
    each = min(pairs, math.ceil(MOST / ROUNDS))
    found: list[Array] = []
    for _ in range(ROUNDS):
        scorer = Scorer(expose(kind[rng.permutation(len(kind))]), 0.0, tol, active=True, floor=0.0)
        drawn = np.arange(pairs) if each == pairs else rng.choice(pairs, each, replace=False)
        target, source = np.divmod(np.sort(drawn), n_types - 1)
        source = source + (source >= target)
        alone = {int(i): scorer.fit(int(i), 1 << int(i)).value for i in np.unique(target)}
        gains = [
            scorer.fit(i, 1 << i | 1 << j).value - alone[i]
            for i, j in zip(target.tolist(), source.tolist(), strict=True)
        ]
        found.append(np.array(gains))
    gains_down = np.sort(np.concatenate(found))[::-1]
    expected = false_edges / pairs * len(gains_down)  # how many of the gains may lie above the price
    if expected >= 1.0:
        return float(gains_down[min(int(expected), len(gains_down) - 1)])
    tail = gains_down[: max(2, int(TAIL * len(gains_down)))]
    return float(tail[-1] + (tail - tail[-1]).mean() * math.log(len(tail) / expected))
