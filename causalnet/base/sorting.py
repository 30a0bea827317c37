"""The order of a few keys from compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit

from .arrays import AnyArray, Ints


@njit(cache=True)
def sorted_places(keys: AnyArray) -> Ints:
    """(n,) the places of ``keys`` (n,) from the least on, equal ones as they stand: a merge sort from the bottom up.

    In kernels in place of numpy's, which take seconds to compile.
    """
    n, width = len(keys), 1
    order, other = np.arange(n), np.arange(n)
    while width < n:
        for lo in range(0, n, 2 * width):
            mid, hi = min(lo + width, n), min(lo + 2 * width, n)
            a, b = lo, mid
            for k in range(lo, hi):
                left = b >= hi or (a < mid and keys[order[a]] <= keys[order[b]])
                other[k] = order[a if left else b]
                a += left
                b += not left
        order, other = other, order
        width *= 2
    return order
