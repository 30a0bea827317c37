"""How sure is an edge? Its frequency over resamples of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools, Ints
from ..base.checks import number
from ..errors import NotApplicable
from .graph import Graph
from .lagged import LaggedGraph
from .marks import read, spell

KINDS = ("->", "<-", "<->", "o->", "<-o", "o-o")  # of edges of partial ancestral graphs; others where they occur
MOST_DENSE = 0.9  # density of answers that a prior goes up to
BACK = {"<-": "<--"}  # as graph.marks writes it


@dataclass(frozen=True, repr=False)
class Confidence:
    """Edge frequencies over ``n`` resamples, or the probabilities that :meth:`calibrate` reads from them.

    directed: (d, d) share of resamples with nodes[i] -> nodes[j]. undirected: (d, d) symmetric share with i - j; of partial
    ancestral graphs with any edge but -> and <-. kinds: of such graphs, by the ends of an edge read from i to j ("o->"),
    the (d, d) share of resamples with it; None of others. links: of graphs over lags, (lags + 1, d, d), the share with
    nodes[i], l steps ago, -> nodes[j] now; there ``undirected`` counts pairs that are linked both ways at some lags as well.
    draw: how the data of each resample were drawn. frequency: (d, d) the share of resamples that join a pair, where the others
    are probabilities; else None.
    """

    nodes: tuple[str, ...]
    directed: Array
    undirected: Array
    n: int
    kinds: Mapping[str, Array] | None = None
    links: Array | None = None
    draw: str = ""
    frequency: Array | None = None

    @classmethod
    def count(cls, graphs: Sequence[Graph], draw: str = "") -> Confidence:
        """The shares over graphs of the same nodes; draw: how the data of each were drawn."""
        directed = np.mean([g.directed for g in graphs], axis=0)
        undirected = np.mean([g.adj & g.adj.T for g in graphs], axis=0)
        kinds = None if all(g.marks is None for g in graphs) else _kinds(graphs)
        return cls(graphs[0].nodes, directed, undirected, len(graphs), kinds, _links(graphs), draw)

    def __repr__(self) -> str:
        sure = int(np.triu(self.joined >= 0.9, 1).sum())
        return f"Confidence({len(self.nodes)} nodes, {self.n} resamples, {sure} pairs joined with 0.9 or more)"

    @property
    def joined(self) -> Array:
        """(d, d) symmetric share of resamples in which the pair is joined at all."""
        return self.directed + self.directed.T + self.undirected

    def calibrate(
        self,
        weight: float,
        open_pairs: Bools | None = None,
        *,
        whole: Graph | None = None,
        worth: float = 1.0,
        turn: float = 1.0,
        most: Array | float = 1.0,
    ) -> Confidence:
        """Probabilities in place of frequencies f: P(edge) = k f / (1 - f + k f), k = weight x density / (1 - density).

        Bayes' rule, the odds of f as evidence and the mean frequency over all pairs as prior: half of the resamples say more
        of a pair where one in three is joined than where one in thirty is. All is multiplied by ``most``, a number or (d, d)
        symmetric: how many of the pairs that never fail to be joined are true. weight: the odds that a frequency of one half is
        worth, greater than 0. whole: the graph of all the data, evidence too: the odds of a pair are ``worth`` times greater
        where it is joined there and so many times less where it is not, and a way's share s of the resamples that join the pair
        counts ``turn`` times where the graph has that very edge.

        Of ``open_pairs``, (d, d) symmetric, a way's share then becomes t^2 s + (1 - t^2) p, p the way's share over all pairs and
        t how far the resamples agree, the mean share of a pair's most frequent way: resamples that have rows in common repeat
        a wrong direction, and where many pairs are directed now so, now so, the others are doubtful too. Directions, ends and
        lags of other pairs keep their proportions.
        """
        for name, value in (("weight", weight), ("worth", worth), ("turn", turn)):
            number(name, value, above=0.0)
        for limit in (np.min(most), np.max(most)):
            number("most", float(limit), most=1.0, above=0.0)
        joined, d = self.joined, len(self.nodes)
        there = None if whole is None else Confidence.count([whole.align(self.nodes)])
        pairs = d * (d - 1) / 2
        density = min(max(float(np.triu(joined, 1).sum()) / max(pairs, 1.0), 0.5 / max(pairs, 1.0)), MOST_DENSE)
        k = weight * density / (1.0 - density) * (1.0 if there is None else worth ** (2.0 * there.joined - 1.0))
        sure = most * np.where(joined > 0, k * joined / (1.0 - joined + k * joined + (joined <= 0)), 0.0)
        trust = 1.0 if open_pairs is None else np.where(open_pairs, self._agreement(open_pairs) ** 2, 1.0)

        def read(shares: Sequence[Array], held: Sequence[Array]) -> list[Array]:
            """How probable each way of a pair is, all ways together as ``sure``. held: 1 where the whole has it."""
            told = [share * turn**at for share, at in zip(shares, held, strict=True)] if held else shares
            total = np.sum(told, axis=0)
            mean = [share.sum() / max(joined.sum(), 1.0 / self.n) for share in shares]
            over = np.where(total > 0, total, 1.0)
            return [sure * (trust * s / over + (1.0 - trust) * p) for s, p in zip(told, mean, strict=True)]

        directed, _, undirected = read(self._ways(), there._ways() if there else ())
        kinds = self.kinds
        if kinds is not None:
            told = {} if whole is None else _kinds([whole.align(self.nodes)])
            held = [told.get(kind, np.zeros((d, d))) for kind in kinds] if whole is not None else []
            kinds = dict(zip(kinds, read(list(kinds.values()), held), strict=True))
            directed = kinds["->"]
            undirected = sure - directed - directed.T
        over = np.where(np.eye(d, dtype=bool), 1.0, sure / np.where(joined > 0, joined, 1.0))  # the own past is no pair
        links = None if self.links is None else np.minimum(self.links * over, 1.0)
        return replace(self, directed=directed, undirected=undirected, kinds=kinds, links=links, frequency=joined)

    def _ways(self) -> list[Array]:
        """The shares of a pair's ways, (d, d) each."""
        return [self.directed, self.directed.T, self.undirected]

    def _agreement(self, pairs: Bools) -> float:
        """The mean share of the most frequent way among the resamples that join a pair."""
        ways = self._ways() if self.kinds is None else list(self.kinds.values())
        total = float(self.joined[pairs].sum())
        return float(np.max(ways, axis=0)[pairs].sum()) / total if total else 1.0

    def annotate(self, graph: Graph) -> Graph:
        """The graph with what the resamples say in the evidence of every pair that was ever joined.

        ``confidence``: of the pair being joined; of an edge of the graph ``confidence_direction``: of that very edge, end for
        end; over lags ``confidence_by_lag``. Names must be those of the resamples, in any order.
        """
        at = np.array([graph.align(self.nodes).nodes.index(name) for name in graph.nodes], dtype=int)
        joined, found = self.joined[np.ix_(at, at)], dict(graph.evidence)
        for i, j in np.argwhere(np.triu(joined > 0, 1)):
            if graph.adj[j, i] and not graph.adj[i, j]:
                i, j = j, i
            told: dict[str, Any] = {"confidence": float(joined[i, j])}
            if graph.skeleton[i, j]:
                told["confidence_direction"] = self._share(graph, i, j, at)
            if self.links is not None:
                told["confidence_by_lag"] = self.links[:, at[i], at[j]].tolist()
            pair = (graph.nodes[i], graph.nodes[j])
            for key in [key for key in (pair, pair[::-1]) if key in found] or [pair]:
                found[key] = {**told, **found.get(key, {})}
        told = {"resamples": self.n, "draw": self.draw, "calibrated": self.frequency is not None}
        return graph.replace(evidence=found, meta={"confidence": told})

    def _share(self, graph: Graph, i: int, j: int, at: Ints) -> float:
        """The share of resamples that join i and j as the graph does."""
        if self.kinds is not None:
            kind = spell(graph.adj, graph.marks, i, j)
            share = self.kinds.get("<-" if kind == "<--" else kind)
            return 0.0 if share is None else float(share[at[i], at[j]])
        return float((self.undirected if graph.adj[j, i] else self.directed)[at[i], at[j]])

    def expected_false(self, threshold: float = 0.9) -> float:
        """At most so many of the pairs with confidence from ``threshold`` on are expected to be false (stability selection).

        q^2 / ((2 threshold - 1) N), q the mean number of pairs that a resample joins, N = d (d - 1) / 2: for halves of the
        rows, a method that is better than guessing, and pairs without an edge that are joined alike often (Meinshausen and
        Bühlmann 2010, theorem 1). NotApplicable for other draws; DataError for a threshold not in (.5, 1].
        """
        if self.draw != "half":
            raise NotApplicable(
                f"the bound is proved for halves of the rows, and these resamples were drawn as {self.draw!r}; write draw='half'"
            )
        least = number("threshold", threshold, most=1.0, above=0.5)
        joined = self.joined if self.frequency is None else self.frequency
        d, size = len(self.nodes), float(np.triu(joined, 1).sum())
        return 2.0 * size**2 / ((2.0 * least - 1.0) * d * (d - 1))

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
