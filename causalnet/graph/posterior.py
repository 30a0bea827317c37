"""Doubt about a whole graph: B graphs drawn from what the data leave possible, and what they say of root causes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arrays import Array, Bools
from ..base.asked import asks
from ..base.checks import distinct, entries, number, numbers, shaped, whole
from ..data.sealed import freeze
from ..errors import DataError, UnknownNameError
from .confidence import Confidence
from .graph import Graph
from .order import find_cycle

DRAWS = 64  # graphs drawn where only the probabilities of single edges are known


@asks("samples", "meta")
@dataclass(frozen=True, eq=False, repr=False)
class GraphPosterior:
    """B directed graphs over V nodes, each as probable as the others; cycles are allowed. Read-only.

    samples: (B, V, V) bool, [b, i, j] iff i -> j in graph b. meta: where they come from.
    """

    nodes: tuple[str, ...]
    samples: Bools
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", distinct("nodes", self.nodes))
        samples, d = np.asarray(self.samples), len(self.nodes)
        if samples.ndim != 3 or samples.shape[1:] != (d, d):
            raise DataError(
                f"samples has shape {samples.shape}, and must be (graphs, {d}, {d}): one adjacency over the {d} nodes a graph"
            )
        if not len(samples):
            raise DataError("the posterior is empty: give at least one graph, or None for presence alone")
        if samples.dtype != bool and ((samples != 0) & (samples != 1)).any():
            raise DataError(
                "samples holds other numbers than 0 and 1; give from_probabilities(nodes, p) the probabilities"
            )
        samples = samples.astype(bool)
        samples[:, np.arange(d), np.arange(d)] = False
        object.__setattr__(self, "samples", freeze(samples))

    @property
    def edges(self) -> Array:
        """(V, V) P(i -> j): the share of the graphs with that edge."""
        return np.asarray(self.samples.mean(axis=0))

    @property
    def certain(self) -> bool:
        """Are all of the graphs the same?"""
        return bool((self.samples == self.samples[0]).all())

    @asks()
    def root_probability(self, present: ArrayLike) -> Array:
        """(V,) P_root(i | S): the share of the graphs in which no other present variable is an ancestor of i; 0 if absent.

            P_root(i | S) = P(no j in S reaches i within S, unless i reaches j as well)

        present: (V,) bool, S. Paths lead over present variables (the graph without the absent ones, Def. 4.1 of arXiv
        2402.04869); those on a common cycle are not before each other.
        """
        here = np.flatnonzero(shaped("present", np.asarray(present), (len(self.nodes),), "one for each node"))
        found = np.zeros(len(self.nodes))
        reach = self._packed[here[:, None], here]
        for mid in range(len(here)):  # Warshall, for all graphs at once
            reach |= reach[:, mid, None] & reach[None, mid]
        before = np.bitwise_or.reduce(reach & ~reach.transpose(1, 0, 2), axis=0)
        found[here] = 1.0 - np.bitwise_count(before).sum(axis=1) / len(self.samples)
        return found

    @cached_property
    def _packed(self) -> NDArray[np.uint64]:
        """(V, V, words): the graphs with an edge, a bit a graph."""
        bits = np.packbits(self.samples.transpose(1, 2, 0), axis=2)
        return np.pad(bits, ((0, 0), (0, 0), (0, -bits.shape[2] % 8))).view(np.uint64)

    @property
    def cycle(self) -> tuple[str, ...] | None:
        """A directed cycle of edges that are more probable than not, by name, or None."""
        found = find_cycle(self.edges > 0.5)
        return None if found is None else tuple(self.nodes[i] for i in found)

    @asks()
    def graph(self, threshold: float = 0.5) -> Graph:
        """The edges of more than this probability, which is their weight; possibly cyclic."""
        p, threshold = self.edges, number("threshold", threshold)
        return Graph(self.nodes, p > threshold, np.where(p > threshold, p, 0.0), meta=dict(self.meta))

    def align(self, nodes: Sequence[str]) -> GraphPosterior:
        """The same graphs over the same nodes in another order."""
        names = tuple(map(str, entries("nodes", nodes, "names")))
        if names == self.nodes:
            return self
        check_nodes(self.nodes, names)
        order = [self.nodes.index(name) for name in names]
        return GraphPosterior(names, self.samples[:, order][:, :, order], self.meta)

    def __repr__(self) -> str:
        p = self.edges
        told = f"{len(self.samples)} graphs, {int((p > 0.5).sum())} edges more probable than not"
        return f"GraphPosterior({len(self.nodes)} nodes, {told})"


def check_nodes(nodes: Sequence[str], variables: Sequence[str]) -> None:
    """UnknownNameError unless a graph's nodes are exactly these variables, in any order."""
    missing, extra = sorted(set(variables) - set(nodes)), sorted(set(nodes) - set(variables))
    if missing or extra:
        lacks, more = (", ".join([*names[:5], *["..."] * (len(names) > 5)]) or "none" for names in (missing, extra))
        raise UnknownNameError(
            f"the graph's nodes are not the environment's variables: it lacks {lacks}, and has {more} besides. "
            "Rename the nodes, or give a graph over exactly these variables"
        )


def as_posterior(given: Any, *, draws: int = DRAWS, seed: int = 0) -> GraphPosterior:
    """Doubt of any kind as drawn graphs.

    given: a GraphPosterior, as it is; a Graph, which is certain, and whose undirected edges say nothing; a Confidence
    (of :func:`causalnet.edge_confidence`), whose pairs are drawn independently, its undirected share half each way; or
    a sequence of Graphs over the same nodes (resamples, a Markov chain). draws: graphs drawn from a Confidence.
    """
    if isinstance(given, GraphPosterior):
        return given
    if isinstance(given, Graph):
        return GraphPosterior(given.nodes, given.directed[None], {"source": "one graph"})
    if isinstance(given, Confidence):
        half = given.undirected / 2.0
        return from_probabilities(given.nodes, given.directed + half, draws=draws, seed=seed)
    if isinstance(given, Iterable) and not isinstance(given, str | Mapping):
        graphs = list(given)
        if graphs and all(isinstance(graph, Graph) for graph in graphs):
            for graph in graphs:
                check_nodes(graph.nodes, graphs[0].nodes)
            samples = np.stack([graph.align(graphs[0].nodes).directed for graph in graphs])
            return GraphPosterior(graphs[0].nodes, samples, {"source": f"{len(graphs)} graphs"})
        if not graphs:
            raise DataError("the posterior is empty: give at least one graph, or None for presence alone")
    raise DataError(
        f"graph is {given!r}, and must be a causalnet Graph, its Confidence, a GraphPosterior or a list of Graphs (None: "
        "presence alone)"
    )


@asks("nodes", "draws", "seed")
def from_probabilities(nodes: Sequence[str], p: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> GraphPosterior:
    """Graphs whose pairs are drawn independently: i -> j with p[i, j], j -> i with p[j, i], never both.

    p: (V, V) probabilities; p[i, j] + p[j, i] at most 1, or else both are drawn on their own, as in two time slices.
    """
    p, d = numbers("p", p), len(tuple(nodes))
    if p.shape != (d, d) or not ((p >= 0) & (p <= 1)).all():
        raise DataError(f"p holds a probability for every pair of the {d} nodes, as ({d}, {d}); got shape {p.shape}")
    u = np.random.default_rng(seed).random((whole("draws", draws, 1, 1 << 20), d, d))
    both = p + p.T > 1.0 + 1e-9
    one = np.triu(u, 1)
    one = one + one.transpose(0, 2, 1)  # one number a pair: [0, p_ij) is i -> j, the last p_ji of [0, 1) is j -> i
    upper = np.triu(np.ones((d, d), dtype=bool), 1)
    exclusive = np.where(upper, one < p, one >= 1.0 - p)
    return GraphPosterior(tuple(nodes), np.where(both, u < p, exclusive), {"source": "edge probabilities"})


@asks()
def near_ties(graph: Graph, *, draws: int = DRAWS, seed: int = 0) -> GraphPosterior:
    """The doubt of a graph learned by score, from what every pair's evidence says of the alternatives.

    A joined pair is left as it is, dropped or reversed with weights exp(-rise / 2) of the score (BIC weights, Raftery
    1995); an undirected edge lies either way alike; an absent edge is added likewise. For graphs of the backend
    ``order``, whose evidence tells "score_if_dropped", "score_if_reversed" and "score_if_added".
    """
    p = np.zeros((graph.d, graph.d))
    told = False
    for i, j in _pairs(graph.d):
        a, b = graph.nodes[i], graph.nodes[j]
        evidence = dict(graph.explain(a, b))
        told |= "score_if_dropped" in evidence or "score_if_added" in evidence
        p[i, j], p[j, i] = _ways(evidence, a, b, bool(graph.adj[i, j]), bool(graph.adj[j, i]))
    if not told:
        raise DataError(
            "the evidence of this graph tells no scores; near ties are those of the backend 'order': use "
            "edge_confidence(data, backend) for any other"
        )
    return from_probabilities(graph.nodes, p, draws=draws, seed=seed)


def _ways(evidence: Mapping[str, Any], a: str, b: str, forward: bool, back: bool) -> tuple[float, float]:
    """(P(a -> b), P(b -> a)) by the score changes of one pair."""

    def weight(rise: Any) -> float:
        return 0.0 if rise is None else math.exp(-max(float(rise), 0.0) / 2.0)

    ways = {(a, b): float(forward), (b, a): float(back), None: float(not (forward or back))}
    if forward or back:
        ways[None] = weight(evidence.get("score_if_dropped"))
        if forward != back:
            ways[(b, a) if forward else (a, b)] = weight(evidence.get("score_if_reversed"))
    for arrow, rise in evidence.get("score_if_added", {}).items():
        source, _, target = arrow.partition(" -> ")
        ways[source, target] = weight(rise)
    total = sum(ways.values())
    return ways[a, b] / total, ways[b, a] / total


def _pairs(d: int) -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(d) for j in range(i + 1, d))
