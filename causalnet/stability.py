"""How sure is an edge? Its frequency over resamples of the data, for any backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from .backends import discover
from .data import Events, Interactions, Table, as_table
from .datasets import Dataset
from .errors import DataError, NotApplicable
from .graph import Graph


@dataclass(frozen=True)
class Confidence:
    """Edge frequencies over ``n`` resamples.

    directed: (d, d) share of resamples with nodes[i] -> nodes[j]. undirected: (d, d) symmetric share with i - j.
    """

    nodes: tuple[str, ...]
    directed: NDArray[np.float64]
    undirected: NDArray[np.float64]
    n: int

    @property
    def joined(self) -> NDArray[np.float64]:
        """(d, d) symmetric share of resamples in which the pair is joined at all."""
        return self.directed + self.directed.T + self.undirected

    def frame(self) -> pd.DataFrame:
        """One row a pair that was ever joined: P(edge), P(->), P(<-), P(--), most certain first."""
        joined = self.joined
        rows = [
            (
                self.nodes[i],
                self.nodes[j],
                joined[i, j],
                self.directed[i, j],
                self.directed[j, i],
                self.undirected[i, j],
            )
            for i, j in np.argwhere(np.triu(joined, 1) > 0)
        ]
        frame = pd.DataFrame(rows, columns=["a", "b", "p_edge", "p_a_to_b", "p_b_to_a", "p_undirected"])
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


def edge_confidence(
    data: Any, backend: str = "pc", *, n: int = 50, seed: int = 0, n_jobs: int = 1, **kwargs: Any
) -> Confidence:
    """Learn the graph on ``n`` bootstrap resamples and count how often each edge appears.

    Rows are resampled for tables; devices or time blocks for event logs (see Dataset.resample).
    kwargs: the backend's parameters, and ``knowledge``. Every resample counts; one that fails raises.
    """
    if n < 1:
        raise DataError(f"n is the number of resamples, at least 1, got {n}")
    if isinstance(data, Interactions):
        raise NotApplicable(
            "edge_confidence resamples tables and event logs; the rows of an interaction log depend on one another, so "
            "learn its graph on several logs instead"
        )
    source = (
        data
        if isinstance(data, Dataset)
        else Dataset("data", data if isinstance(data, Table | Events) else as_table(data))
    )
    seeds = 1 + np.random.default_rng(seed).choice(2**31 - 2, n, replace=False)
    graphs = Parallel(n_jobs=n_jobs)(delayed(_one)(source, int(s), backend, kwargs) for s in seeds)
    directed = np.mean([g.directed for g in graphs], axis=0)
    undirected = np.mean([g.adj & g.adj.T for g in graphs], axis=0)
    return Confidence(tuple(source.data.columns), directed, undirected, n)


def _one(source: Dataset, seed: int, backend: str, kwargs: dict[str, Any]) -> Graph:
    return discover(source.resample(seed).data, backend, seed=seed, **{"knowledge": source.knowledge, **kwargs})
