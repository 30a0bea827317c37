"""Which pairs of a stream are joined, by how strong its clear edges are: empirical Bayes over strengths.

A count X of which chance brings n is as likely as Poisson(n) without an edge, and as Poisson(n + a m) with one of strength
a, where m is what strength 1 brings. The edges with z above CLEAR give the strengths of the others, whole, halved and
quartered, hop by hop, and the share of joined pairs is that of the graph at hand:

    odds = share / (1 - share) * mean over strengths a of prod over hops of (1 + a m / n)^X exp(-a m)

So an excess that a true edge would far surpass counts for little, and one that is all that a rare cause can bring counts
(Efron, Large-Scale Inference, 2010).
"""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Bools
from ..stats.hawkes_sums import Moments
from .hawkes_target import target_of

CLEAR = 6.0  # deviations of an edge whose strength is told
FEWEST = 20  # of them
MOST = 200  # strengths that are looked at; of more, as many by rank
PARTS = {1.0: 0.5, 0.5: 0.25, 0.25: 0.25}  # of their strengths that another edge may have, and how probably


def log_odds(moments: Moments, hops: int, adj: Bools, z: Array, share: float, least: float = 0.0) -> Array | None:
    """(V, V) log odds that types are joined, each beside the other causes in ``adj`` (V, V); None where too few edges are clear.

    z: (V, V) of each pair beside the graph; pairs that are not joined and have ``least`` or less are not asked: -inf. share: of
    the pairs that are joined.
    """
    clear = adj & (z > CLEAR)
    if clear.sum() < FEWEST:
        return None
    chance, excess, felt = (np.empty((len(adj), len(adj), hops)) for _ in range(3))
    for i in range(len(adj)):
        target = target_of(moments, i, hops)
        for j in (-1, *np.flatnonzero(adj[:, i]).tolist()):  # -1: all that are no causes
            found = target.counts(*target.fit(adj[:, i] & (np.arange(len(adj)) != j)))
            rows = ~adj[:, i] if j < 0 else np.arange(len(adj)) == j
            for kept, new in ((chance, found.chance), (excess, found.excess), (felt, found.felt)):
                kept[rows, i] = new.reshape(-1, hops)[:-1][rows]
    strengths = np.maximum(excess[clear], 0.0) / np.maximum(felt[clear], 1e-12)
    if len(strengths) > MOST:
        ranked = np.argsort(strengths.sum(axis=1), kind="stable")
        strengths = strengths[ranked[np.linspace(0, len(ranked) - 1, MOST).astype(np.int64)]]
    asked = adj | (z > least)
    n, m = chance[asked], felt[asked]
    seen, best, total = np.maximum(n + excess[asked], 0.0), np.full(len(n), -np.inf), np.zeros(len(n))
    for part, weight in PARTS.items():
        for a in part * strengths:
            value = (seen * np.log1p(a * m / n) - a * m).sum(axis=1)
            top = np.maximum(best, value)
            total, best = total * np.exp(best - top) + weight * np.exp(value - top), top
    odds = np.full(adj.shape, -np.inf)
    odds[asked] = best + np.log(total / len(strengths)) + np.log(share / (1.0 - share))
    return odds
