"""Graphs as networkx, GraphML and Graphviz have them, end marks included."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from xml.etree.ElementTree import ParseError

import numpy as np

from ..base.arrays import Array, Bools
from ..base.checks import known, number
from ..errors import DataError, NotApplicable, NotInstalled
from .labels import Networked, node_names
from .marks import ARROW, CIRCLE, TAIL, Marks, read, spell
from .order import is_acyclic

SHAPES = {TAIL: "none", ARROW: "normal", CIRCLE: "odot"}  # of Graphviz


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


class Arcs(NamedTuple):
    """What a graph of networkx holds: names, (d, d) bool, (d, d) float64 or None, (d, d) end marks or None."""

    names: tuple[str, ...]
    adj: Bools
    weight: Array | None
    marks: Marks | None


def arcs_of(graph: Any, nodes: Sequence[str] | None) -> Arcs:
    """The arcs of a graph of networkx, u - v as both; DataError for what is none, odd weights and names."""
    if not isinstance(graph, Networked):
        raise DataError(f"got {type(graph).__name__}, and from_networkx takes a networkx graph")
    names = tuple(str(n) for n in graph.nodes) if nodes is None else node_names(nodes)
    index = {name: i for i, name in enumerate(names)}
    arcs = [(str(u), str(v), w) for u, v, w in graph.edges(data="weight")]
    if not graph.is_directed():
        arcs += [(v, u, w) for u, v, w in arcs]
    adj = np.zeros((len(names), len(names)), dtype=bool)
    for u, v, _ in arcs:
        for name in (u, v):
            known(name, index, f"edge ({u!r}, {v!r}) names {name!r}, no node")
        adj[index[u], index[v]] = True
    weight = None
    if arcs and all(w is not None for _, _, w in arcs):
        weight = np.zeros(adj.shape)
        for u, v, w in arcs:
            weight[index[u], index[v]] = number(f"the weight of {u} -> {v}", w)
    spelt = [(str(u), str(v), mark) for u, v, mark in graph.edges(data="mark") if mark is not None]
    return Arcs(names, adj, weight, marks_of_arcs(names, spelt, adj | adj.T) if spelt else None)


def to_pgmpy(graph: Drawn) -> Any:
    """pgmpy's DAG of a directed graph, its PDAG where edges have no direction; NotApplicable for end marks or a cycle."""
    if graph.marks is not None:
        raise NotApplicable("pgmpy has no graph with circles and <->; pass a member of the class, or use to_networkx")
    try:
        from pgmpy.base import DAG, PDAG
    except ImportError as error:
        raise NotInstalled("to_pgmpy needs pgmpy: not installed: pip install 'causalnet[peers]'") from error
    both = graph.adj & graph.adj.T
    arcs = [(graph.nodes[i], graph.nodes[j]) for i, j in np.argwhere(graph.adj & ~both)]
    loose = [(graph.nodes[i], graph.nodes[j]) for i, j in np.argwhere(np.triu(both))]
    if not loose and not is_acyclic(graph.adj):
        raise NotApplicable("pgmpy takes graphs without cycles, and this one has a cycle; use to_networkx")
    found = PDAG(directed_ebunch=arcs, undirected_ebunch=loose) if loose else DAG(arcs)
    found.add_nodes_from(graph.nodes)
    return found


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
        return _labelled(nx.read_graphml(io.BytesIO(text.encode())))
    except (ParseError, nx.NetworkXError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"it is not GraphML ({error})") from error


def _labelled(graph: Any) -> Any:
    """The graph with its nodes called by their labels, with a warning, where an editor numbered them n0, n1, ..."""
    import networkx as nx

    labels = {node: str(label) for node, label in graph.nodes(data="label") if label is not None}
    if len(set(labels.values())) < max(1, len(graph)) or not all(
        re.fullmatch(r"n\d+(::n\d+)*", str(n)) for n in labels
    ):
        return graph
    node, label = next(iter(labels.items()))
    warnings.warn(f"the nodes are called by their labels ({node!r} is {label!r})", UserWarning, stacklevel=4)
    return nx.relabel_nodes(graph, labels)


def to_dot(graph: Drawn) -> str:
    """Graphviz text: arrows, circles and plain ends as the graph has them."""
    quoted = ['"' + _escaped(name) + '"' for name in graph.nodes]
    lines = [f"  {name};" for name in quoted]
    for i, j in np.argwhere(np.triu(graph.skeleton)):
        a, b = (i, j) if graph.adj[i, j] else (j, i)
        left, right = read(spell(graph.adj, graph.marks, a, b))
        lines.append(f"  {quoted[a]} -> {quoted[b]} [dir=both, arrowtail={SHAPES[left]}, arrowhead={SHAPES[right]}];")
    return "\n".join(["digraph {", *lines, "}"]) + "\n"


def _escaped(name: str) -> str:
    """A name between the quotes of Graphviz: on one line, without characters that drive a terminal."""
    plain = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return "".join(letter if letter.isprintable() or letter == "\t" else f"\\\\x{ord(letter):02x}" for letter in plain)
