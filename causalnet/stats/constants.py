"""The columns of a sample that carry no information; a resample may hold one where the whole table does not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError


def refuse_constants(values: NDArray[np.float64], columns: tuple[str, ...]) -> None:
    """Raise DataError naming the first column of ``values`` (n, d) that holds one value only."""
    flat = np.flatnonzero((values == values[0]).all(axis=0))
    if len(flat):
        name = columns[int(flat[0])]
        raise DataError(
            f"column {name!r} is constant in this sample (always {values[0, flat[0]]:g}), so it has no edges to learn; "
            "drop it, or draw a larger sample"
        )
