"""Names of nodes, and matrices over them: what is labelled is put into the order of the names, what is odd is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..base.arrays import AnyArray
from ..base.checks import shaped
from ..errors import DataError

CODES = {  # of matrices: what is to be done about numbers that are neither 0 nor 1
    "python": "codes of other packages are read by causalnet.graph.from_causal_learn and from_pcalg",
    "shell": "write 1 where row acts on column and 0 elsewhere, or the marks -->, o->, <->, --- of each pair",
}
NAMELESS = ("None", "nan", "<NA>", "NaT")  # what a missing value is printed as


@runtime_checkable
class Networked(Protocol):
    """A graph of networkx."""

    nodes: Any
    edges: Any

    def is_directed(self) -> bool:
        """Do its edges have a direction?"""


def edge_list(given: Any, what: str) -> list[tuple[str, str]]:
    """Pairs of names as texts; DataError for what is no pair."""
    if isinstance(given, (str, dict)) or not isinstance(given, Iterable):
        raise DataError(f"{what} is {given!r:.60}, and must be a list of pairs; write [('a', 'b')]")
    found = []
    for pair in given:
        if isinstance(pair, str) or not isinstance(pair, Iterable) or len(ends := tuple(pair)) != 2:
            raise DataError(f"{what} holds {pair!r:.60}, and must hold pairs of names; write [('a', 'b')]")
        found.append((str(ends[0]), str(ends[1])))
    return found


def node_names(given: Any) -> tuple[str, ...]:
    """Names of nodes as texts; DataError for a list of edges or a matrix in their place."""
    if not isinstance(given, Iterable):
        raise DataError(f"nodes is {given!r}, and must be a list of names")
    if type(given) is tuple and {type(name) for name in given} == {str}:
        return given
    found = list(given)
    odd = [name for name in found if isinstance(name, (tuple, list, dict, set, np.ndarray))]
    if odd:
        raise DataError(
            f"nodes holds {odd[0]!r}, and a node is a name; edges are given to Graph.from_edges(nodes, edges)"
        )
    if isinstance(given, set | frozenset):
        raise DataError("nodes is a set, which has no order; a row of the matrix is a node: write a list of names")
    if any(not isinstance(name, str) and str(name) in NAMELESS for name in found):
        raise DataError("nodes holds None or nan, and a node is a name; give it one")
    return tuple(str(name) for name in found)


def aligned(matrix: Any, names: Sequence[str], what: str) -> Any:
    """``matrix`` in the order of the names where it is a labelled frame, in full where it is sparse, else as it is; DataError for other labels."""
    dense = getattr(matrix, "toarray", None)  # of a sparse matrix
    if callable(dense):
        return dense()
    rows, columns = getattr(matrix, "index", None), getattr(matrix, "columns", None)
    if rows is None or columns is None or callable(rows):
        return matrix
    counted = list(range(len(names)))
    found = []
    for labels in (rows, columns):
        if list(labels) == counted and list(map(str, counted)) != list(names):  # not labelled
            found.append(np.arange(len(names)))
            continue
        texts = [str(label) for label in labels]
        if sorted(texts) != sorted(names):
            off = sorted(set(texts) ^ set(names)) or texts
            raise DataError(
                f"the labels of {what} are not the nodes; not in both: {', '.join(map(repr, off[:5]))}; "
                f"label its rows and columns by the nodes, or pass {what}.to_numpy() in their order"
            )
        found.append(np.array([texts.index(name) for name in names], dtype=int))
    return matrix.to_numpy()[np.ix_(*found)]


def zeros_and_ones(array: AnyArray, what: str, names: Sequence[str]) -> None:
    """DataError, naming the entries, unless every entry is 0 or 1."""
    if array.dtype == np.bool_:
        return
    try:
        odd = ~((array == 0) | (array == 1))
    except (TypeError, ValueError):
        odd = np.ones(array.shape, bool)
    if not np.all(odd == np.False_):
        places = np.argwhere(odd)
        cells = array.astype(object)
        shown = sorted({repr(cells[tuple(at)] if cells.ndim else cells.item()) for at in places[:100]})
        raise DataError(
            f"{what} holds {', '.join(shown[:5])}, and its entries are 0 or 1; an edge with a weight is adj=W != 0 and weight=W",
            **CODES,
        )


def frozen(array: Any, dtype: Any, names: tuple[str, ...], name: str) -> AnyArray:
    """A read-only (d, d) copy in the order of the names."""
    try:
        given = np.asarray(aligned(array, names, name))
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{name} is no matrix: its rows have different lengths") from error
    if given.dtype.kind == "f" and dtype is not np.float64 and np.isnan(given).any():
        raise DataError(f"{name} holds NaN; an edge is there or not")
    shaped(name, given, (len(names), len(names)), "a row and a column a node")
    if dtype is np.bool_:
        zeros_and_ones(given, name, names)
    try:
        copy = np.array(given, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} holds what is no number: {error}") from error
    copy.setflags(write=False)
    return copy
