"""Adjacency matrices as people bring them: labelled frames, other packages' codes, and what is no matrix of zeros and ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..base.arrays import AnyArray, Bools
from ..base.checks import one_of
from ..errors import DataError
from .graph import Graph
from .labels import aligned, node_names
from .marks import ARROW, CIRCLE, TAIL, Marks

# the mark of a code; causal-learn writes the mark at i into [i, j], pcalg the mark at j
CAUSAL_LEARN: Mapping[int, int] = {0: 0, -1: TAIL, 1: ARROW, 2: CIRCLE}
PCALG_PAG: Mapping[int, int] = {0: 0, 1: CIRCLE, 2: ARROW, 3: TAIL}


def from_causal_learn(matrix: Any, nodes: Sequence[str] | None = None) -> Graph:
    """A graph from causal-learn's ``graph.graph`` (d, d): [i, j] = -1 and [j, i] = 1 is i -> j; -1 and -1 is i - j, 2 a circle.

    nodes: names in the order of the matrix; a labelled DataFrame has its own. Graphs of tails and arrows without <->
    come back as plain graphs, any other as a partial ancestral graph.
    """
    names, array = _whole_numbers(matrix, nodes, CAUSAL_LEARN, "causal-learn's graph.graph")
    return _of_marks(names, _recode(array, CAUSAL_LEARN).T)


def from_pcalg(matrix: Any, nodes: Sequence[str] | None = None, *, code: str = "cpdag") -> Graph:
    """A graph from a matrix (d, d) of the R package pcalg.

    code: "cpdag" (type amat.cpdag): [a, b] = 0 and [b, a] = 1 is a -> b, both 1 is a - b. "pag" (type amat.pag):
    [a, b] is the mark at b, 1 a circle, 2 an arrow, 3 a tail.
    """
    if one_of("code", code, ("cpdag", "pag")) == "pag":
        names, array = _whole_numbers(matrix, nodes, PCALG_PAG, "pcalg's amat.pag")
        return _of_marks(names, _recode(array, PCALG_PAG))
    names, array = _whole_numbers(matrix, nodes, (0, 1), "pcalg's amat.cpdag")
    return Graph(names, array.T.astype(bool))


def _whole_numbers(matrix: Any, nodes: Any, known: Any, what: str) -> tuple[tuple[str, ...], AnyArray]:
    labels = getattr(matrix, "columns", None)
    if nodes is None and labels is None:
        raise DataError("nodes is missing; give the names in the order of the matrix")
    names = node_names(labels if nodes is None else nodes)
    try:
        array = np.asarray(aligned(matrix, names, "matrix"))
    except DataError:
        raise
    except ValueError as error:
        raise DataError("the matrix is none: its rows have different lengths") from error
    if array.shape != (len(names), len(names)):
        raise DataError(f"the matrix has shape {array.shape}, and must have {(len(names), len(names))}: one row a node")
    if array.dtype.kind not in "biuf":
        raise DataError(f"the matrix holds what is no number; {what} holds {', '.join(map(str, known))} alone")
    odd = sorted({str(value) for value in array[~np.isin(array, list(known))].tolist()})
    if odd:
        raise DataError(f"the matrix holds {', '.join(odd[:5])}; {what} holds {', '.join(map(str, known))} alone")
    return names, array.astype(np.int64)


def _recode(array: AnyArray, marks: Mapping[int, int]) -> Marks:
    found = np.zeros(array.shape, np.int8)
    for code, mark in marks.items():
        found[array == code] = mark
    half = np.argwhere((found > 0) & (found.T == 0))
    if len(half):
        i, j = half[0]
        raise DataError(f"the matrix has a mark in row {i}, column {j} but none in row {j}, column {i}: half an edge")
    return found


def _of_marks(names: tuple[str, ...], marks: Marks) -> Graph:
    """A plain graph where every edge is -> or -, a partial ancestral graph otherwise."""
    tail: Bools = marks == TAIL
    plain = (~(marks == CIRCLE)).all() and not ((marks == ARROW) & (marks.T == ARROW)).any()
    if not plain:
        return Graph.from_marks(names, marks)
    return Graph(names, (marks > 0) & ~(tail & (marks.T == ARROW)))
