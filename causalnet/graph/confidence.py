"""How sure is an edge? Its frequency over resamples of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..base.arrays import Array
from ..errors import NotApplicable
from .graph import Graph
from .lagged import LaggedGraph
from .marks import read, spell

KINDS = ("->", "<-", "<->", "o->", "<-o", "o-o")  # of edges of partial ancestral graphs; others where they occur
BACK = {"<-": "<--"}  # as graph.marks writes it


@dataclass(frozen=True)
class Confidence:
    """Edge frequencies over ``n`` resamples.

    directed: (d, d) share of resamples with nodes[i] -> nodes[j]. undirected: (d, d) symmetric share with i - j; of partial
    ancestral graphs with any edge but -> and <-. kinds: of such graphs, by the ends of an edge read from i to j ("o->"),
    the (d, d) share of resamples with it; None of others. links: of graphs over lags, (lags + 1, d, d), the share with
    nodes[i], l steps ago, -> nodes[j] now; there ``undirected`` counts pairs that are linked both ways at some lags as well.
    """

    nodes: tuple[str, ...]
    directed: Array
    undirected: Array
    n: int
    kinds: Mapping[str, Array] | None = None
    links: Array | None = None

    @classmethod
    def count(cls, graphs: Sequence[Graph]) -> Confidence:
        """The shares over graphs of the same nodes."""
        directed = np.mean([g.directed for g in graphs], axis=0)
        undirected = np.mean([g.adj & g.adj.T for g in graphs], axis=0)
        kinds = None if all(g.marks is None for g in graphs) else _kinds(graphs)
        return cls(graphs[0].nodes, directed, undirected, len(graphs), kinds, _links(graphs))

    @property
    def joined(self) -> Array:
        """(d, d) symmetric share of resamples in which the pair is joined at all."""
        return self.directed + self.directed.T + self.undirected

    def frame(self) -> pd.DataFrame:
        """One row a pair that was ever joined: P(edge), P(->), P(<-), P(--), most certain first.

        Of partial ancestral graphs a column for each kind of edge, from a to b: "->", "<->", "o->", ...
        """
        joined = self.joined
        i, j = np.nonzero(np.triu(joined, 1))
        columns = {"a": [self.nodes[k] for k in i], "b": [self.nodes[k] for k in j], "p_edge": joined[i, j]}
        ways = {"p_a_to_b": self.directed[i, j], "p_b_to_a": self.directed[j, i], "p_undirected": self.undirected[i, j]}
        if self.kinds is not None:
            ways = {kind: share[i, j] for kind, share in self.kinds.items()}
        frame = pd.DataFrame({**columns, **ways})
        return frame.sort_values("p_edge", ascending=False, kind="stable", ignore_index=True)

    def lagged_frame(self) -> pd.DataFrame:
        """Of graphs over lags one row a link that was ever found: cause, lag, effect, p, most certain first."""
        if self.links is None:
            raise NotApplicable("these resamples gave no graphs over lags; pcmci gives them, and frame() has the pairs")
        lag, i, j = np.nonzero(self.links)
        ends = {"cause": [self.nodes[k] for k in i], "lag": lag, "effect": [self.nodes[k] for k in j]}
        found = pd.DataFrame({**ends, "p": self.links[lag, i, j]})
        return found.sort_values("p", ascending=False, kind="stable", ignore_index=True)

    def graph(self, threshold: float = 0.5) -> Graph:
        """The pairs joined in at least ``threshold`` of the resamples, each with its most frequent mark.

        A pair whose two directions are equally frequent stays unoriented. The result may be cyclic, as a vote of
        acyclic graphs can be. ``weight`` holds P(i -> j) + P(i - j). Of partial ancestral graphs one of them, with the most
        frequent ends of each edge (of equals the first of "->", "<-", "<->", "o->", "<-o", "o-o").
        """
        if self.kinds is not None:
            return self._pag(threshold)
        joined = (self.joined >= threshold) & (self.joined > 0)
        winner = np.maximum(np.maximum(self.directed, self.directed.T), self.undirected)
        adj = joined & (self.undirected == winner)  # (d, d) symmetric so far
        adj |= joined & (self.directed == winner)  # a tie between the two directions leaves the pair unoriented
        return Graph(self.nodes, adj, self.directed + self.undirected)

    def _pag(self, threshold: float) -> Graph:
        assert self.kinds is not None
        names, share = list(self.kinds), np.array(list(self.kinds.values()))
        marks = np.zeros(self.directed.shape, np.int8)
        for i, j in np.argwhere(np.triu((self.joined >= threshold) & (self.joined > 0), 1)):
            marks[j, i], marks[i, j] = read(BACK.get(kind := names[int(share[:, i, j].argmax())], kind))
        return Graph.from_marks(self.nodes, marks, weight=np.where(marks > 0, self.directed + self.undirected, 0.0))


def _kinds(graphs: Sequence[Graph]) -> dict[str, Array]:
    """The share of graphs with each kind of edge from i to j."""
    found = {kind: np.zeros(graphs[0].adj.shape) for kind in KINDS}
    for graph in graphs:
        for i, j in np.argwhere(graph.skeleton):
            kind = spell(graph.adj, graph.marks, i, j) if graph.marks is not None or graph.adj[i, j] else "<--"
            kind = "<-" if kind == "<--" else kind
            found.setdefault(kind, np.zeros(graph.adj.shape))[i, j] += 1.0 / len(graphs)
    return found


def _links(graphs: Sequence[Graph]) -> Array | None:
    """(lags + 1, d, d) the share of graphs with each link; None where not all are over lags."""
    lagged = [graph for graph in graphs if isinstance(graph, LaggedGraph)]
    if len(lagged) < len(graphs):
        return None
    total = np.zeros((1 + max(graph.lags for graph in lagged), *graphs[0].adj.shape))
    for graph in lagged:
        total[: graph.lags + 1] += graph.links
    return total / len(graphs)
