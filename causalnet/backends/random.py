"""Control: a random DAG of a given density over a random causal order (Erdos-Renyi)."""

from __future__ import annotations

import numpy as np

from ..data import Events, Table
from ..errors import DataError
from ..graph import Graph, Knowledge

TAKES = frozenset({"continuous", "discrete", "mixed", "events"})
GIVES = "dag"
KNOWLEDGE = frozenset({"required", "forbidden"})


def learn(
    data: Table | Events, *, knowledge: Knowledge | None = None, rng: np.random.Generator, density: float = 0.2
) -> Graph:
    """Each pair of variables an edge with probability ``density``, pointing along a random order.

    density: expected share of the d (d - 1) / 2 pairs that are joined, in [0, 1].
    """
    if not 0.0 <= density <= 1.0:
        raise DataError(f"density is a share of pairs between 0 and 1, got {density!r}")
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    d = len(data.columns)
    label = rng.permutation(d)
    rank = np.empty(d, dtype=int)
    for place, node in enumerate(_random_extension(required, label)):
        rank[node] = place
    forward = rank[:, None] < rank[None, :]
    return Graph(data.columns, required | (forward & allowed & (rng.random((d, d)) < density)))


def _random_extension(required: np.ndarray, label: np.ndarray) -> list[int]:
    """An order that respects the required edges, ties broken by the random ``label`` (d,)."""
    left, order = set(range(len(label))), []
    while left:
        free = [i for i in left if not any(required[j, i] for j in left)]
        node = min(free, key=lambda i: label[i])
        order.append(node)
        left.remove(node)
    return order
