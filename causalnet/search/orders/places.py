"""The order in which columns are looked at: by what they hold."""

from __future__ import annotations

import numpy as np

from ...base.arrays import Array, Ints


def canonical_order(corr: Array) -> Ints:
    """(d,) the columns in an order that depends on what they hold, not on where they stand: by their correlations."""
    squares = corr**2
    keys = [np.round((squares**power).sum(axis=1), 9) for power in (2, 1)]
    return np.lexsort(keys).astype(np.int64)
