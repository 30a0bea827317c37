"""Control: a random DAG of a given density over a random causal order (Erdos-Renyi)."""

from __future__ import annotations

import networkx as nx
import numpy as np

from ..base.checks import number
from ..data import Events, Series, Table
from ..data.regimes import DEMANDS
from ..graph import Graph, Knowledge

TAKES = frozenset({"continuous", "discrete", "mixed", "events", "series"})
GIVES = "dag"
HANDLES = frozenset({"missing", "few rows", "streamed", *DEMANDS})
KNOWLEDGE = frozenset({"required", "forbidden"})


def learn(
    data: Table | Series | Events,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    density: float = 0.2,
    max_seconds: float | None = None,
) -> Graph:
    """Each pair of variables an edge with probability ``density``, pointing along a random order.

    density: expected share of the d (d - 1) / 2 pairs that are joined, in [0, 1]. max_seconds: asks nothing of this.
    """
    number("density", density, 0.0, 1.0)
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    d = len(data.columns)
    label = rng.permutation(d)
    given = nx.from_numpy_array(required, create_using=nx.DiGraph)
    rank = np.argsort(list(nx.lexicographical_topological_sort(given, key=label.__getitem__)))
    forward = rank[:, None] < rank[None, :]
    return Graph(data.columns, required | (forward & allowed & (rng.random((d, d)) < density)))
