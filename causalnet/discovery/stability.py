"""How sure is an edge? Its frequency over resamples of the data, for any backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from joblib import Parallel, delayed

from ..base.checks import whole
from ..datasets import Dataset
from ..graph import Graph
from ..graph.confidence import Confidence
from .choice import AUTO
from .dispatch import discover


def edge_confidence(
    data: Any, backend: str = AUTO, *, n: int = 50, seed: int = 0, n_jobs: int = 1, **kwargs: Any
) -> Confidence:
    """Learn the graph on ``n`` bootstrap resamples and count how often each edge appears.

    Rows are resampled for tables; devices or time blocks for event logs: each kind of data says what (``resample``).
    kwargs: the backend's parameters, and ``knowledge``. Every resample counts; one that fails raises.
    """
    n, seed = whole("the number of resamples n", n, 1), whole("seed", seed, 0)
    source = data if isinstance(data, Dataset) else Dataset("data", data)
    seeds = 1 + np.random.default_rng(seed).choice(2**31 - 2, n, replace=False)
    graphs = Parallel(n_jobs=n_jobs)(delayed(_one)(source, int(s), backend, kwargs) for s in seeds)
    directed = np.mean([g.directed for g in graphs], axis=0)
    undirected = np.mean([g.adj & g.adj.T for g in graphs], axis=0)
    return Confidence(tuple(source.data.columns), directed, undirected, n)


def _one(source: Dataset, seed: int, backend: str, kwargs: dict[str, Any]) -> Graph:
    return discover(source.resample(seed).data, backend, seed=seed, **{"knowledge": source.knowledge, **kwargs})
