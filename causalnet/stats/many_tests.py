"""Many tests at once: which hypotheses are rejected while the chance of a false rejection, or their share, stays at a level."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Bools


def holm(p: Array, alpha: float) -> Bools:
    """(d,) bool: the hypotheses rejected at family-wise level alpha by their p-values (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    small = p[order] <= alpha / np.arange(len(p), 0, -1)
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order[np.logical_and.accumulate(small)]] = True
    return rejected


def false_discoveries(p: Array, tested: Bools, alpha: float) -> Bools:
    """The tested hypotheses rejected at false-discovery rate alpha, in the shape of p (Benjamini and Hochberg 1995).

    All p-values up to the largest p_(k) <= alpha k / m of the m that are tested.
    """
    found = np.zeros(p.shape, bool)
    values = np.sort(p[tested])
    below = np.flatnonzero(values <= alpha * np.arange(1, len(values) + 1) / max(len(values), 1))
    if len(below):
        found = tested & (p <= values[below[-1]])
    return found
