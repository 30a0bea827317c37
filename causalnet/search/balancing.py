"""Is y independent of the domain given everything that came before? Too many strata to count, so balance them.

If y is independent of the domain m given x, it is independent of m given any balancing score, and the coarsest one is
the likelihood ratios P(x | m) / P(x | m') of the domains (Rosenbaum and Rubin 1983, theorems 1 to 3; Imbens 2000 for
more than two): a few numbers in place of the joint state of a whole neighbourhood. Without this step every busy domain
seems to act on every reward, because busy neighbours collide more; the influence is real and runs through the
neighbours' buffers.
"""

from __future__ import annotations

import math

import numpy as np

from ..base.arrays import Array, Codes, Ints
from .parents import stratified_test

FEWEST_CELLS, MOST_CELLS = 4, 50


def log_likelihoods(codes: Ints, domain: Codes, n_domains: int) -> Array:
    """log P(x | m) of each row for every domain. codes, domain: (rows,); result (rows, n_domains).

    Relative frequencies with half a row added to every state, so that a state never seen in a domain stays possible.
    """
    states, index = np.unique(codes, return_inverse=True)
    counts = np.full((states.size, n_domains), 0.5)
    np.add.at(counts, (index, domain), 1.0)
    return np.log(counts / counts.sum(axis=0))[index]


def balanced_test(y: Codes, domain: Codes, score: Array, given: Codes, test: str = "exact") -> float:
    """log p-value of y independent of the domain given the balancing score and the given columns.

    y, domain: (rows,) codes; score: (rows, M) log-likelihoods of the past in each domain; given: (k, rows) codes. All
    domains are compared at once, within cells of rows whose log-likelihood ratios are alike.
    """
    cells = _cells(score - score.mean(axis=1, keepdims=True))
    return stratified_test(domain, y, np.vstack([given, cells[None]]), test)[2]


def _cells(ratios: Array) -> Codes:
    """(rows,) cells of like rows of ratios (rows, M): the largest is halved at the median of its most spread ratio until
    there are enough. Equal rows stay together. What stays unbalanced along a ratio within one of B cells falls as 1 / B^2
    and the power as B grows, so their number grows as the square root of the rows."""
    number = int(np.clip(math.sqrt(len(ratios)) / 8, FEWEST_CELLS, MOST_CELLS))
    parts, constant = [np.arange(len(ratios))], list[Ints]()
    while parts and len(parts) + len(constant) < number:
        rows = parts.pop(max(range(len(parts)), key=lambda k: len(parts[k])))
        ratio = ratios[rows, ratios[rows].std(axis=0).argmax()]
        middle = np.median(ratio)
        upper = ratio > middle if (ratio > middle).any() else ratio >= middle
        if upper.all():
            constant.append(rows)
        else:
            parts += [rows[upper], rows[~upper]]
    cells = np.empty(len(ratios), np.int32)
    for label, rows in enumerate([*parts, *constant]):
        cells[rows] = label
    return cells
