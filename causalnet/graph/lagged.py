"""A graph over variables and lags, which is read as its summary graph wherever a :class:`.Graph` is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array, Bools
from ..base.asked import asks
from ..base.checks import array_of, instance, known, numbers, shaped
from ..errors import DataError, NotApplicable
from .forms import fields_of_json, form, plain
from .graph import Graph
from .labels import Networked, node_names


@dataclass(frozen=True, eq=False)
class LaggedGraph(Graph):
    """Links between variables and their past, frozen; build it with :meth:`from_links`.

    links: (lags + 1, d, d) bool; ``links[l, i, j]`` is nodes[i], l steps ago, -> nodes[j] now; at lag 0 both bits mean
    i - j, and the diagonal is False. strength: (lags + 1, d, d) float64 or None, such as partial correlations.

    ``adj`` is the summary graph: i -> j where any lag has that link, the own past left out. A pair that is linked both
    ways at some lags, and one that is joined at lag 0 without a direction, both read i - j there; ``links`` tells them apart.
    """

    FORMAT: ClassVar[str] = "causalnet.lagged_graph/1"
    links: Bools = field(default_factory=lambda: np.zeros((1, 0, 0), bool))
    strength: Array | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        links = array_of("links", self.links).astype(bool)
        if links.ndim != 3 or links.shape[1:] != (self.d, self.d) or not len(links):
            raise DataError(f"links has shape {links.shape}, and must have (lags + 1, {self.d}, {self.d})")
        if links[0].diagonal().any():
            raise DataError(
                f"{self.nodes[int(np.argmax(links[0].diagonal()))]!r} is linked to itself at lag 0; clear that bit"
            )
        if not np.array_equal(self.adj, summary(links)):
            raise DataError("links and adj disagree; build the graph with LaggedGraph.from_links(nodes, links)")
        links.setflags(write=False)
        object.__setattr__(self, "links", links)
        if self.strength is not None:
            strength = numbers("strength", self.strength)
            shaped("strength", strength, links.shape, "lags + 1, then a row and a column a node")
            strength.setflags(write=False)
            object.__setattr__(self, "strength", strength)

    @classmethod
    @asks("links", "strength")
    def from_links(
        cls, nodes: Sequence[str], links: ArrayLike, strength: ArrayLike | None = None, **kwargs: Any
    ) -> LaggedGraph:
        """From (lags + 1, d, d) links, and strengths of that shape; ``weight`` is that of the strongest lag of each edge."""
        found = np.asarray(links, dtype=bool)
        if found.ndim != 3:
            raise DataError(f"links has shape {found.shape}, and must have (lags + 1, d, d)")
        weight = None
        if strength is not None:
            of = np.where(found, numbers("strength", strength, found.shape), 0.0)
            weight = np.take_along_axis(of, np.abs(of).argmax(axis=0)[None], axis=0)[0]
            np.fill_diagonal(weight, 0.0)
        given = None if strength is None else np.asarray(strength, dtype=np.float64)
        return cls(node_names(nodes), summary(found), weight, links=found, strength=given, **kwargs)

    @property
    def lags(self) -> int:
        """The largest lag of the graph, with a link or not."""
        return len(self.links) - 1

    @property
    def summary(self) -> Graph:
        """The summary graph as a plain :class:`.Graph`."""
        return Graph(self.nodes, self.adj, self.weight, evidence=self.evidence, meta=self.meta)

    @property
    def lagged_edges(self) -> tuple[tuple[str, int, str], ...]:
        """Directed links (cause, lag, effect), the own past and directed links of lag 0 included, by effect."""
        directed = self.links.copy()
        directed[0] &= ~directed[0].T
        return tuple((self.nodes[i], int(lag), self.nodes[j]) for j, i, lag in np.argwhere(directed.transpose(2, 1, 0)))

    def align(self, nodes: Sequence[str]) -> LaggedGraph:
        """The same graph with its nodes in another order; the names must be the same."""
        moved = self.summary.align(nodes)
        at = np.array([self.nodes.index(name) for name in moved.nodes], dtype=int)
        strength = None if self.strength is None else self.strength[:, at][:, :, at]
        links = self.links[:, at][:, :, at]
        kept: dict[str, Any] = {"evidence": self.evidence, "meta": self.meta}
        return type(self)(moved.nodes, moved.adj, moved.weight, links=links, strength=strength, **kept)

    def to_networkx(self) -> Any:
        """The summary graph as networkx.DiGraph, each arc with its ``lags`` ("1 3"), each node with those of its own past.

        ``strengths``, where there are any, are in the order of the lags; ``Graph.from_networkx`` and GraphML bring all back.
        """
        graph = super().to_networkx()
        graph.graph |= {"format": self.FORMAT, "lags": self.lags}
        for i, j in np.argwhere(self.links.any(axis=0)):
            lags = np.flatnonzero(self.links[:, i, j])
            told = {"lags": " ".join(map(str, lags))}
            if self.strength is not None:
                told["strengths"] = " ".join(repr(float(self.strength[lag, i, j])) for lag in lags)
            (graph.nodes[self.nodes[i]] if i == j else graph.edges[self.nodes[i], self.nodes[j]]).update(told)
        return graph

    @classmethod
    @asks()
    def from_networkx(cls, graph: Any, nodes: Sequence[str] | None = None) -> LaggedGraph:
        """Of a DiGraph that :meth:`to_networkx` wrote; DataError where its lags cannot be read."""
        instance("graph", graph, Networked, "a networkx graph")
        names = tuple(str(n) for n in (graph.nodes if nodes is None else nodes))
        told = [(u, u, of) for u, of in graph.nodes(data=True) if "lags" in of] + list(graph.edges(data=True))
        try:
            count = int(graph.graph["lags"]) + 1
            links, strength = np.zeros((2, count, len(names), len(names)))
            weighed = [of for _, _, of in told if "strengths" in of]
            for u, v, of in told:
                lags = [int(text) for text in str(of["lags"]).split()]
                if not lags or min(lags) < 0 or max(lags) >= count:
                    raise ValueError(f"the lags {of['lags']!r} of {u} and {v} are not from 0 to {count - 1}")
                at = (lags, names.index(str(u)), names.index(str(v)))
                links[at] = 1
                strength[at] = [float(text) for text in str(of["strengths"]).split()] if weighed else 0.0
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f"not a graph with lags: {error}") from error
        return cls.from_links(names, links, strength if weighed else None)

    def unrolled(self) -> Any:
        """networkx.DiGraph over (name, -lag): every link into lag 0; undirected ones as both arcs, ``undirected=True``."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from((name, -lag) for lag in range(self.lags, -1, -1) for name in self.nodes)
        for lag, i, j in np.argwhere(self.links):
            attributes: dict[str, Any] = {"undirected": True} if lag == 0 and self.links[0, j, i] else {}
            if self.strength is not None:
                attributes["strength"] = float(self.strength[lag, i, j])
            graph.add_edge((self.nodes[i], -int(lag)), (self.nodes[j], 0), **attributes)
        return graph

    def save(self, path: str | Path) -> Path:
        """As :meth:`.Graph.save`, but for .csv, a single matrix, in which lags would be lost: NotApplicable."""
        if form(path) == ".csv":
            raise NotApplicable(
                "a .csv holds one matrix and no lags; .json and .graphml keep them, graph.summary is without"
            )
        return super().save(path)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form: that of the summary graph, with the links spelt out."""
        links = []
        for lag, i, j in np.argwhere(self.links):
            loose = lag == 0 and self.links[0, j, i]
            if loose and j < i:
                continue
            link: dict[str, Any] = {"from": self.nodes[i], "lag": int(lag), "to": self.nodes[j]}
            link["mark"] = "--" if loose else "->"
            if self.strength is not None:
                link["strength"] = float(self.strength[lag, i, j])
            links.append(link)
        return {**super().to_dict(), "format": self.FORMAT, "lags": self.lags, "links": links}

    @classmethod
    def from_json(cls, text: str) -> LaggedGraph:
        """Read what ``to_json`` wrote. Malformed input is a DataError that says what is missing."""
        try:
            raw = json.loads(text)
            fields = fields_of_json(json.dumps({**raw, "format": Graph.FORMAT}, default=plain))
            links, strength = _links(raw, fields["nodes"])
            return cls(**fields, links=links, strength=strength)
        except (TypeError, ValueError, KeyError, RecursionError) as error:
            raise DataError(f"not a graph with lags: {error}") from error

    def __eq__(self, other: object) -> bool:
        """Same nodes in the same order, same links."""
        if not isinstance(other, LaggedGraph):
            return NotImplemented
        return self.nodes == other.nodes and np.array_equal(self.links, other.links)

    def __hash__(self) -> int:
        return hash((self.nodes, self.links.tobytes()))

    def __repr__(self) -> str:
        now = int(np.triu(self.links[0] | self.links[0].T).sum())
        return f"LaggedGraph({self.d} nodes, {int(self.links[1:].sum())} links up to lag {self.lags}, {now} at lag 0)"


def summary(links: Bools) -> Bools:
    """(d, d) i -> j where any of the links (lags + 1, d, d) says so, but for the own past."""
    adj: Bools = np.asarray(links.any(axis=0))
    np.fill_diagonal(adj, False)
    return adj


def _links(raw: Mapping[str, Any], nodes: tuple[str, ...]) -> tuple[Bools, Array | None]:
    """The arrays of a file's links."""
    lags = raw["lags"]
    if not isinstance(lags, int) or isinstance(lags, bool) or not 0 <= lags < 100_000:
        raise ValueError(f"'lags' is {lags!r:.60}")
    index = {name: i for i, name in enumerate(nodes)}
    links = np.zeros((lags + 1, len(nodes), len(nodes)), bool)
    strength, weighed = np.zeros(links.shape), False
    for link in raw["links"]:
        for end in ("from", "to"):
            known(link[end], index, f"a link names {link[end]!r}, no node")
        lag, i, j = link["lag"], index[link["from"]], index[link["to"]]
        if not isinstance(lag, int) or not 0 <= lag <= lags or link["mark"] not in ("->", "--"):
            raise ValueError(f"{link!r:.80} is no link of at most {lags} lags")
        ways = [(lag, i, j), (lag, j, i)] if link["mark"] == "--" else [(lag, i, j)]
        for way in ways:
            links[way] = True
            if "strength" in link:
                strength[way], weighed = float(link["strength"]), True
    return links, strength if weighed else None
