"""Is y independent of the domain given everything that came before? Too many strata to count, so balance them.

If y is independent of the domain m given x, it is independent of m given any balancing score, and the coarsest one is
the likelihood ratio P(x | m) / P(x | m') of two domains (Rosenbaum and Rubin 1983, theorems 1 to 3): one number in place
of the joint state of a whole neighbourhood. Without this step every busy domain seems to act on every reward, because
busy neighbours collide more; the influence is real and runs through the neighbours' buffers.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .parents import stratified_test

FEWEST_BINS, MOST_BINS = 4, 50


def log_likelihoods(codes: NDArray[np.int64], domain: NDArray[np.int32], n_domains: int) -> NDArray[np.float64]:
    """log P(x | m) of each row for every domain. codes, domain: (rows,); result (rows, n_domains).

    Relative frequencies with half a row added to every state, so that a state never seen in a domain stays possible.
    """
    states, index = np.unique(codes, return_inverse=True)
    counts = np.full((states.size, n_domains), 0.5)
    np.add.at(counts, (index, domain), 1.0)
    return np.log(counts / counts.sum(axis=0))[index]


def balanced_test(
    y: NDArray[np.int32],
    domain: NDArray[np.int32],
    score: NDArray[np.float64],
    given: NDArray[np.int32],
    test: str = "exact",
) -> float:
    """log p-value of y independent of the domain given the balancing score and the given columns.

    y, domain: (rows,) codes; score: (rows, M) log-likelihoods of the past in each domain; given: (k, rows) codes. Every
    pair of domains is tested within quantile bins of its log-likelihood ratio; the smallest p-value, times the number
    of pairs, counts.
    """
    pairs = list(combinations(range(score.shape[1]), 2))
    best = 0.0
    for m, other in pairs:
        rows = np.flatnonzero((domain == m) | (domain == other))
        bins = _bins(score[rows, m] - score[rows, other])
        *_, log_p = stratified_test(domain[rows], y[rows], np.vstack([given[:, rows], bins[None]]), test)
        best = min(best, log_p)
    return min(best + math.log(max(len(pairs), 1)), 0.0)


def _bins(ratio: NDArray[np.float64]) -> NDArray[np.int32]:
    """Quantile bins, equal values together. ratio: (rows,). What stays unbalanced within one of B bins falls as 1 / B^2
    and the power as B grows, so their number grows as the square root of the rows."""
    number = int(np.clip(math.sqrt(ratio.size) / 10, FEWEST_BINS, MOST_BINS))
    edges = np.unique(np.quantile(ratio, np.linspace(0, 1, number + 1)[1:-1]))
    return np.searchsorted(edges, ratio, side="right").astype(np.int32)
