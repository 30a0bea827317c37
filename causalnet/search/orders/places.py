"""The order in which columns are looked at: by what they hold."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Array, Ints

Kind = TypeVar("Kind", bound=np.generic)


def canonical_order(corr: Array) -> Ints:
    """(d,) the columns in an order that depends on what they hold, not on where they stand: by their correlations."""
    squares = corr**2
    second = squares.sum(axis=1)
    fourth = np.square(squares, out=squares).sum(axis=1)
    return np.lexsort([np.round(fourth, 9), np.round(second, 9)]).astype(np.int64)


def reorder(matrix: NDArray[Kind], place: Ints) -> NDArray[Kind]:
    """matrix[place][:, place] of a (d, d) matrix, C-contiguous; of many columns in a fraction of the time that both at once take."""
    return matrix.take(place, axis=0).take(place, axis=1)
