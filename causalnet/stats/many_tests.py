"""Many tests at once: which hypotheses are rejected while the chance of any false rejection stays at a level."""

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
