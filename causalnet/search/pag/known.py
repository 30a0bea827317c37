"""What knowledge says of the ends of edges, drawn before any rule is asked."""

from __future__ import annotations

import numpy as np

from ...graph.knowledge import KnownEnds
from ...graph.marks import ARROW, TAIL
from .ends import KNOWN, Ends


def draw_known(ends: Ends, known: KnownEnds) -> None:
    """Write the ends that the knowledge decides; no rule writes over them."""
    if not (known.arrow.any() or known.tail.any()):
        return
    joined = ends.marks() > 0
    for matrix, mark in ((known.arrow, ARROW), (known.tail, TAIL)):
        for i, j in np.argwhere(joined & matrix).tolist():
            ends.put((i, j), mark, KNOWN)
