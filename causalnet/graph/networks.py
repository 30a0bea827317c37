"""Graphs as networkx, GraphML and Graphviz have them, end marks included."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Protocol
from xml.etree.ElementTree import ParseError

import numpy as np

from ..base.arrays import Bools
from ..errors import DataError
from .marks import ARROW, CIRCLE, TAIL, Marks, read, spell

_SHAPES = {TAIL: "none", ARROW: "normal", CIRCLE: "odot"}  # of Graphviz


class Drawn(Protocol):
    """What a graph shows of itself to be written down."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """d names."""

    @property
    def adj(self) -> Bools:
        """(d, d)."""

    @property
    def marks(self) -> Marks | None:
        """(d, d), or None."""

    @property
    def skeleton(self) -> Bools:
        """(d, d) symmetric bool: which pairs are joined."""


def marks_of_arcs(names: Sequence[str], spelt: Sequence[tuple[str, str, Any]], joined: Bools) -> Marks:
    """(d, d) end marks of arcs (u, v, mark), the mark read from u to v; DataError where two disagree or one is missing.

    joined: (d, d) symmetric bool, the pairs that have an arc.
    """
    index, found = {name: k for k, name in enumerate(names)}, np.zeros((len(names), len(names)), np.int8)
    for u, v, text in spelt:
        i, j = index[u], index[v]
        try:
            ends = read(str(text))
        except ValueError as error:
            raise DataError(f"the mark of the arc {u} to {v}: {error}") from error
        if found[i, j] and (found[j, i], found[i, j]) != ends:
            raise DataError(f"the two arcs between {u} and {v} have marks that disagree; write one of them, or none")
        found[j, i], found[i, j] = ends
    for i, j in np.argwhere(joined & (found == 0)):
        raise DataError(f"the arc between {names[i]} and {names[j]} has no mark, and others have; give every arc one")
    return found


def to_graphml(network: Any) -> str:
    """GraphML text of a networkx graph."""
    import networkx as nx

    odd = [name for name in network.nodes if not all(c.isprintable() or c in "\t\n" for c in name)]
    if odd:
        raise DataError(f"the name {odd[0]!r} has characters that XML cannot hold; rename the node, or save as .json")
    return "\n".join(nx.generate_graphml(network)) + "\n"


def read_graphml(text: str) -> Any:
    """The networkx graph in a GraphML text; DataError for anything else."""
    import networkx as nx

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError("it declares entities, which no graph needs; leave the declaration out")
    try:
        return nx.read_graphml(io.BytesIO(text.encode()))
    except (ParseError, nx.NetworkXError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"it is not GraphML ({error})") from error


def to_dot(graph: Drawn) -> str:
    """Graphviz text: arrows, circles and plain ends as the graph has them."""
    quoted = ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in graph.nodes]
    lines = [f"  {name};" for name in quoted]
    for i, j in np.argwhere(np.triu(graph.skeleton)):
        a, b = (i, j) if graph.adj[i, j] else (j, i)
        left, right = read(spell(graph.adj, graph.marks, a, b))
        lines.append(f"  {quoted[a]} -> {quoted[b]} [dir=both, arrowtail={_SHAPES[left]}, arrowhead={_SHAPES[right]}];")
    return "\n".join(["digraph {", *lines, "}"]) + "\n"
