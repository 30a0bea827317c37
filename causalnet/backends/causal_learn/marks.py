"""How causal-learn's graphs are read, and the family that its algorithms enter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import family
from ...graph import ARROW, CIRCLE, TAIL, Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("causal-learn", ALGORITHMS, ("causallearn",), "causal-learn")


def marks_of(matrix: Any) -> NDArray[np.int8]:
    """(d, d) our end marks: theirs at [j, i] is the mark at j of i *-* j, ours is at [i, j]."""
    theirs = np.asarray(matrix).T  # [j, i] -> [i, j]
    marks = np.zeros(theirs.shape, dtype=np.int8)
    for code, mark in ((-1, TAIL), (1, ARROW), (2, CIRCLE)):
        marks[theirs == code] = mark
    return marks


def pattern(table: Table, matrix: Any, **meta: Any) -> Graph:
    """A CPDAG from the package's mark matrix; a bidirected edge (a conflict) is left unoriented and counted."""
    marks = marks_of(matrix)
    directed = (marks == ARROW) & (marks.T == TAIL)
    adj = directed | ((marks > 0) & ~directed & ~directed.T)
    conflicts = int(np.triu((marks == ARROW) & (marks.T == ARROW)).sum())
    return Graph(table.columns, adj, meta={**meta, "conflicts": conflicts})
