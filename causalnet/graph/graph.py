"""A causal graph: ``adj[i, j]`` is True iff ``nodes[i] -> nodes[j]``; ``i - j`` (undirected) sets both bits.

This is the only meaning anywhere in causalnet. Adapters of other packages convert at their own door.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array, Bools
from ..base.checks import instance, known, whole
from ..base.doors import Reach
from ..errors import DataError, NotApplicable, UnknownNameError
from ..storage.files import write_atomic
from .evidence import PairEvidence
from .foreign import FIELDS, NETWORKS
from .forms import FORMAT, READ, fields_of_json, form, format_of, plain
from .labels import aligned, edge_list, frozen, node_names
from .marks import CIRCLE, Marks, codes_of, directions, spell
from .meek import extension
from .networks import arcs_of, to_dot, to_graphml, to_pgmpy
from .order import is_acyclic
from .sheets import to_sheet


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph over named variables, frozen.

    nodes: d distinct names, in the order of the data's columns.
    adj: (d, d) bool; ``adj[i, j]`` means i -> j, both bits mean i - j. The diagonal is False. Not given, it is read from marks.
    weight: (d, d) float64 or None, same orientation as ``adj``; finite, and zero off the edges.
    marks: (d, d) int8 or None; for partial ancestral graphs only: the mark *at j* of the edge i *-* j
        (0 none, 1 tail, 2 arrow, 3 circle). ``adj`` is then directed only where the marks are tail and arrow;
        every other adjacency (circles, bidirected) sets both bits.
    evidence: maps a pair of names to a dict that says why the pair is, or is not, joined.
    meta: how the graph came about (backend, parameters, seed, seconds, versions, ...); must be JSON-able.
    """

    FORMAT: ClassVar[str] = FORMAT  # of its file
    OTHERS: ClassVar[dict[str, type[Graph]]] = {}  # graphs that hold more, by the format of their files

    nodes: tuple[str, ...]
    adj: Bools = None  # type: ignore[assignment]  # missing, it is asked for in a sentence
    weight: Array | None = None
    marks: Marks | None = None
    evidence: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __init_subclass__(cls) -> None:
        Graph.OTHERS[cls.FORMAT] = cls

    def __post_init__(self) -> None:
        if self.adj is None and self.marks is None:
            raise DataError(
                "a graph is its nodes and a (d, d) matrix, Graph(nodes, adj); Graph.from_edges(nodes, edges) takes edges"
            )
        nodes = node_names(self.nodes)
        d = len(nodes)
        if len(set(nodes)) != d:
            twice = sorted({name for name in nodes if nodes.count(name) > 1})
            raise DataError(f"node names must be distinct; repeated: {', '.join(twice)}")
        marks = None if self.marks is None else frozen(self.marks, np.int8, nodes, "marks")
        told = None if marks is None else directions(marks)
        adj = frozen(told if self.adj is None else self.adj, np.bool_, nodes, "adj")
        if adj.diagonal().any():
            loop = nodes[int(np.flatnonzero(adj.diagonal())[0])]
            raise DataError(f"adj has a self-loop at {loop!r}; clear the diagonal: self-excitation is not an edge")
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "adj", adj)
        if self.weight is not None:
            weight = np.where(adj, frozen(self.weight, np.float64, nodes, "weight"), 0.0)
            if not np.isfinite(weight).all():
                i, j = np.argwhere(~np.isfinite(weight))[0]
                raise DataError(f"the weight of {nodes[i]} -> {nodes[j]} is {weight[i, j]}; weights are finite numbers")
            object.__setattr__(self, "weight", frozen(weight, np.float64, nodes, "weight"))
        if marks is not None:
            joined = marks > 0
            if (joined != joined.T).any() or marks.view(np.uint8).max(initial=0) > CIRCLE or (adj != told).any():
                raise DataError("marks and adj disagree; build the graph with Graph.from_marks(nodes, marks)")
            object.__setattr__(self, "marks", marks)
        evidence = self.evidence if self.evidence is not None else {}
        instance("evidence", evidence, Mapping, "a dict of pairs of names")
        instance("meta", {} if self.meta is None else self.meta, Mapping, "a dict")
        object.__setattr__(self, "evidence", evidence if isinstance(evidence, PairEvidence) else dict(evidence))
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta or {})))

    # ---- constructors -------------------------------------------------------------------------------------

    @classmethod
    def from_edges(
        cls,
        nodes: Sequence[str],
        edges: Sequence[tuple[str, str]] = (),
        undirected: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> Graph:
        """A graph from named directed and undirected edges."""
        names = node_names(nodes)
        index = {name: i for i, name in enumerate(names)}
        adj = np.zeros((len(names), len(names)), dtype=bool)
        both = edge_list(undirected, "undirected")
        for u, v in [*edge_list(edges, "edges"), *both, *((v, u) for u, v in both)]:
            for name in (u, v):
                known(name, index, f"edge ({u!r}, {v!r}) names {name!r}, no node")
            adj[index[u], index[v]] = True
        return cls(names, adj, **kwargs)

    @classmethod
    def from_marks(cls, nodes: Sequence[str], marks: ArrayLike, **kwargs: Any) -> Graph:
        """A partial ancestral graph from its end marks, (d, d): the mark at j of the edge i *-* j."""
        names = node_names(nodes)
        array = codes_of(aligned(marks, names, "marks"))
        return cls(names, directions(array), marks=array, **kwargs)

    @classmethod
    def from_networkx(cls, graph: Any, nodes: Sequence[str] | None = None) -> Graph:
        """From a networkx DiGraph (u -> v) or Graph (u - v); node order kept, or given by ``nodes``.

        Weights are kept when every edge has the attribute ``weight``; end marks, such as ``"o->"``, where arcs have the
        attribute ``mark``, which ``to_networkx`` writes for a partial ancestral graph. One that a graph with lags wrote gives
        that again.
        """
        other = cls.OTHERS.get(str(dict(getattr(graph, "graph", {})).get("format", "")))
        if other is not None and cls is Graph:
            return other.from_networkx(graph, nodes)
        names, adj, weight, marks = arcs_of(graph, nodes)
        return cls(names, adj, weight) if marks is None else cls.from_marks(names, marks, weight=weight)

    # ---- reading ------------------------------------------------------------------------------------------

    @property
    def d(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @property
    def directed(self) -> Bools:
        """(d, d) bool: the directed edges alone."""
        return self.adj & ~self.adj.T

    @property
    def skeleton(self) -> Bools:
        """(d, d) symmetric bool: which pairs are joined."""
        return self.adj | self.adj.T

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Directed edges as (cause, effect), in node order."""
        return tuple((self.nodes[i], self.nodes[j]) for i, j in np.argwhere(self.directed))

    @property
    def undirected(self) -> tuple[tuple[str, str], ...]:
        """Unoriented adjacencies, each once, in node order."""
        return tuple((self.nodes[i], self.nodes[j]) for i, j in np.argwhere(np.triu(self.adj & self.adj.T)))

    @property
    def is_dag(self) -> bool:
        """True iff every edge is directed and there is no directed cycle."""
        return not (self.adj & self.adj.T).any() and is_acyclic(self.adj)

    def explain(self, a: str, b: str) -> Mapping[str, Any]:
        """Why a and b are joined or not: test, p-value, separating set, score change, rule, as the backend kept it."""
        for name in (a, b):
            known(name, self.nodes, f"no node {name!r} in this graph")
        for key in ((a, b), (b, a)):
            if key in self.evidence:
                return self.evidence[key]
        return {"note": "this backend kept no evidence for the pair"}

    def align(self, nodes: Sequence[str]) -> Graph:
        """The same graph with its nodes in another order; the names must be the same."""
        nodes = node_names(nodes)
        if sorted(nodes) != sorted(self.nodes):
            missing = sorted(set(self.nodes) ^ set(nodes))
            raise UnknownNameError(f"cannot align graphs over different nodes; not in both: {', '.join(missing)}")
        where = {name: i for i, name in enumerate(self.nodes)}
        order = np.array([where[name] for name in nodes], dtype=int)
        arrays = {"adj": self.adj, "weight": self.weight, "marks": self.marks}
        moved: dict[str, Any] = {
            name: None if array is None else array[np.ix_(order, order)] for name, array in arrays.items()
        }
        return dataclasses.replace(self, nodes=nodes, **moved)

    def dag(self) -> Graph:
        """A directed acyclic graph of the class that this one stands for: itself where it is one (Dor and Tarsi 1992).

        NotApplicable for end marks; DataError where the undirected edges have no such direction.
        """
        if self.marks is not None:
            raise NotApplicable(
                "a partial ancestral graph stands for graphs with hidden causes, none of them over its nodes"
            )
        if self.is_dag:
            return self
        adj = extension(self.adj)
        if adj is None:
            raise DataError(
                "no directed acyclic graph has these edges: a cycle is there, or directing them makes a collider"
            )
        return Graph(self.nodes, adj, self.weight, meta={**self.meta, "chosen_from_class": True})

    def replace(self, **changes: Any) -> Graph:
        """A copy with some fields changed; ``meta`` is merged, not replaced."""
        for name in changes:
            known(name, self.__dict__, f"a graph has no field {name!r}")
        if "meta" in changes:
            changes["meta"] = {**self.meta, **changes["meta"]}
        if changes.keys() == {"meta"}:  # all else has been checked
            told = object.__new__(type(self))
            told.__dict__.update(self.__dict__, meta=MappingProxyType(changes["meta"]))
            return told
        return dataclasses.replace(self, **changes)

    # ---- other forms --------------------------------------------------------------------------------------

    def to_networkx(self) -> Any:
        """networkx.DiGraph with every node, in order; an undirected edge becomes both arcs with ``undirected=True``.

        The arcs of a partial ancestral graph carry ``mark``, such as ``"o->"``.
        """
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        both = self.adj & self.adj.T
        for i, j in np.argwhere(self.adj):
            attributes: dict[str, Any] = {"undirected": True} if both[i, j] else {}
            if self.weight is not None:
                attributes["weight"] = float(self.weight[i, j])
            if self.marks is not None:
                attributes["mark"] = spell(self.adj, self.marks, i, j)
            graph.add_edge(self.nodes[i], self.nodes[j], **attributes)
        return graph

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form. Every edge spells out its ends, so that nobody can misread a direction."""
        edges = []
        for i, j in np.argwhere(np.triu(self.skeleton)):
            a, b = (i, j) if self.adj[i, j] else (j, i)
            mark = spell(self.adj, self.marks, a, b)
            edge: dict[str, Any] = {"from": self.nodes[a], "to": self.nodes[b], "mark": mark}
            if self.weight is not None:
                edge["weight"] = float(self.weight[a, b])
                if self.adj[b, a]:
                    edge["weight_back"] = float(self.weight[b, a])
            edges.append(edge)
        return {
            "format": FORMAT,
            "nodes": list(self.nodes),
            "weighted": self.weight is not None,
            "pag": self.marks is not None,
            "edges": edges,
            "evidence": [{"pair": list(pair), **item} for pair, item in self.evidence.items()],
            "meta": dict(self.meta),
        }

    def to_json(self, indent: int | None = None) -> str:
        """JSON text; ``Graph.from_json`` reads it back."""
        spaces = None if indent is None else whole("indent", indent, 0, 80)
        return json.dumps(self.to_dict(), indent=spaces, default=plain)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read what ``to_json`` wrote. Malformed input is a DataError that says what is missing."""
        other = cls.OTHERS.get(format_of(text))
        if other is not None:
            return other.from_json(text)
        fields = fields_of_json(text)
        try:
            return cls(**fields)
        except (TypeError, ValueError) as error:
            raise DataError(f"not a causalnet graph: {error}") from error

    effect = Reach(
        "``effect(a, b, data)``: what setting a does to b on average, with an interval, or why the graph does not say "
        "(:func:`causalnet.effects.effect`)."
    )
    fit = Reach(
        "``fit(data)``: the graph with the mechanism of every variable, which samples, answers do() and is planned in "
        "(:class:`causalnet.effects.FittedModel`)."
    )
    to_svg = Reach("A drawing of the graph as the text of an SVG file.")
    _repr_html_ = Reach("A small drawing, which notebooks show; None for a graph too large for one.")

    def to_dot(self) -> str:
        """Graphviz text, end marks included."""
        return to_dot(self)

    def to_pgmpy(self) -> Any:
        """A DAG of pgmpy, or a PDAG where edges are undirected; NotApplicable for cycles and end marks."""
        return to_pgmpy(self)

    def save(self, path: str | Path) -> Path:
        """Write the graph to a file: .json, .graphml or .csv, which ``Graph.load`` reads back, .dot for Graphviz, or .svg.

        .json keeps everything; .graphml and .csv (a labelled matrix, row cause) edges, weights and marks; .dot and .svg draw.
        """
        texts: dict[str, Any] = {".svg": self.to_svg, ".dot": self.to_dot, ".csv": lambda: to_sheet(self)}
        texts |= {".graphml": lambda: to_graphml(self.to_networkx())}
        return write_atomic(path, texts.get(form(path), lambda: self.to_json(1) + "\n")())

    @classmethod
    def load(cls, path: str | Path) -> Graph:
        """Read a .json, .graphml, .csv or .dot file that ``save`` wrote, a list of edges (the columns from and to, mark and weight),
        or DOT, DAGitty's text (.txt), GML or BIF of another program. DataError, naming the file, otherwise."""
        ending = form(path, READ)
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            if ending in FIELDS:
                return cls(**FIELDS[ending](text))
            return cls.from_json(text) if ending == ".json" else cls.from_networkx(NETWORKS[ending](text))
        except (DataError, UnknownNameError) as error:
            raise error.within(f"{path} cannot be read as a graph") from error
        except (UnicodeDecodeError, OSError) as error:
            raise DataError(f"{path} cannot be read as a graph: {getattr(error, 'strerror', error)}") from error

    def __eq__(self, other: object) -> bool:
        """Same nodes in the same order, same edges, same marks. Weights, evidence and meta do not count."""
        if not isinstance(other, Graph):
            return NotImplemented
        parts = ((self.adj, other.adj), (self.marks, other.marks))  # None equals None alone
        return self.nodes == other.nodes and all(np.array_equal(mine, its) for mine, its in parts)  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return hash((self.nodes, self.adj.tobytes()))

    def __repr__(self) -> str:
        loose = f", {len(self.undirected)} undirected" if self.undirected else ""
        if self.marks is not None and self.undirected:
            spelt = Counter(edge["mark"] for edge in self.to_dict()["edges"] if edge["mark"] != "->")
            loose = "".join(f", {n} {mark}" for mark, n in sorted(spelt.items()))
        return f"Graph({self.d} nodes, {len(self.edges)} directed{loose})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "meta": dict(self.meta)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()
