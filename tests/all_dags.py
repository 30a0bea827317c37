"""Every DAG of a few nodes, to hold answers to their definition."""

from __future__ import annotations

from itertools import product

import numpy as np

from causalnet.base.arrays import Bools
from causalnet.graph.order import is_acyclic


def every_dag(d: int) -> list[Bools]:
    """All directed acyclic graphs over d nodes, (d, d) bool each."""
    pairs = [(i, j) for i in range(d) for j in range(i)]
    found = []
    for kinds in product(range(3), repeat=len(pairs)):
        adj = np.zeros((d, d), bool)
        for (i, j), kind in zip(pairs, kinds, strict=True):
            adj[i, j], adj[j, i] = kind == 1, kind == 2
        if is_acyclic(adj):
            found.append(adj)
    return found
