"""How sure is an edge? Its frequency over resamples of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..base.arrays import Array
from .graph import Graph


@dataclass(frozen=True)
class Confidence:
    """Edge frequencies over ``n`` resamples.

    directed: (d, d) share of resamples with nodes[i] -> nodes[j]. undirected: (d, d) symmetric share with i - j.
    """

    nodes: tuple[str, ...]
    directed: Array
    undirected: Array
    n: int

    @property
    def joined(self) -> Array:
        """(d, d) symmetric share of resamples in which the pair is joined at all."""
        return self.directed + self.directed.T + self.undirected

    def frame(self) -> pd.DataFrame:
        """One row a pair that was ever joined: P(edge), P(->), P(<-), P(--), most certain first."""
        joined = self.joined
        i, j = np.nonzero(np.triu(joined, 1))
        columns = {"a": [self.nodes[k] for k in i], "b": [self.nodes[k] for k in j], "p_edge": joined[i, j]}
        ways = {"p_a_to_b": self.directed[i, j], "p_b_to_a": self.directed[j, i], "p_undirected": self.undirected[i, j]}
        frame = pd.DataFrame({**columns, **ways})
        return frame.sort_values("p_edge", ascending=False, kind="stable", ignore_index=True)

    def graph(self, threshold: float = 0.5) -> Graph:
        """The pairs joined in at least ``threshold`` of the resamples, each with its most frequent mark.

        A pair whose two directions are equally frequent stays unoriented. The result may be cyclic, as a vote of
        acyclic graphs can be. ``weight`` holds P(i -> j) + P(i - j).
        """
        joined = (self.joined >= threshold) & (self.joined > 0)
        winner = np.maximum(np.maximum(self.directed, self.directed.T), self.undirected)
        adj = joined & (self.undirected == winner)  # (d, d) symmetric so far
        adj |= joined & (self.directed == winner)  # a tie between the two directions leaves the pair unoriented
        return Graph(self.nodes, adj, self.directed + self.undirected)
