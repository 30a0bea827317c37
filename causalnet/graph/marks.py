"""End marks of edges: tail, arrow and circle, as numbers, as text, and what they say about the direction."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.arrays import Bools
from ..errors import DataError

TAIL, ARROW, CIRCLE = 1, 2, 3  # end marks of a partial ancestral graph; 0 is "no edge"
_TEXT = {TAIL: "-", ARROW: ">", CIRCLE: "o"}
_CODE = {"-": TAIL, ">": ARROW, "<": ARROW, "o": CIRCLE}
Marks = NDArray[np.int8]


def codes_of(given: Any) -> Marks:
    """End marks as a matrix of 0, 1, 2, 3; DataError for anything else."""
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise DataError("marks is no matrix: its rows have different lengths") from error
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not np.isin(array, (0, TAIL, ARROW, CIRCLE)).all():
        raise DataError(
            "marks is a square matrix of 0 (no edge), 1 (tail), 2 (arrow) and 3 (circle), the mark at j in [i, j]"
        )
    return array.astype(np.int8)


def directions(marks: Marks) -> Bools:
    """(d, d) ``adj`` of marks: directed where tail meets arrow; both bits on every other adjacency."""
    joined = marks > 0
    against = (marks == TAIL) & (marks.T == ARROW)  # mark at j is a tail, at i an arrow: the edge is j -> i
    result: Bools = joined & ~against
    return result


def spell(adj: Bools, marks: Marks | None, i: int, j: int) -> str:
    """'->', '--', 'o->', '<->', ...: the ends of the edge read from node i to node j."""
    if marks is None:
        return "->" if not adj[j, i] else "--"
    left, right = _TEXT[int(marks[j, i])], _TEXT[int(marks[i, j])]
    left = "<" if left == ">" else left
    return f"{left}{right}" if left == "-" else f"{left}-{right}"


def read(text: str) -> tuple[int, int]:
    """(mark at i, mark at j) of what ``spell`` wrote; ValueError for anything else."""
    if not re.fullmatch(r"[<o]-[->o]|-[->o]", text):
        raise ValueError(f"{text!r} is no edge mark; write ->, --, <->, o->, o-o, ...")
    return _CODE[text[0]], _CODE[text[-1]]
