"""Random DAGs; every draw takes a Generator."""

from __future__ import annotations

import networkx as nx
import numpy as np

from ..base.arrays import Bools
from ..base.checks import number, whole
from ..errors import DataError, UnknownNameError, nearest


def random_dag(d: int, degree: float, rng: np.random.Generator, family: str = "er") -> Bools:
    """(d, d) adjacency of a random DAG with average total degree ``degree`` (= 2 edges / d).

    er: every pair an edge with probability degree / (d - 1), along a random order (Erdos & Renyi).
    sf: preferential attachment of degree / 2 edges a node (Barabasi & Albert), oriented along a random order; degree
    is then an even number; degree / 2 nodes start without edges among them, and any node may be one of these hubs:
    labels are drawn (they were not at first, and hubs were the first columns; seeds of sf draw other graphs since).
    """
    number("degree", degree, 0, whole("d", d, 2) - 1)
    if family == "er":
        pairs = np.triu(rng.random((d, d)) < degree / (d - 1), 1)
    elif family == "sf":
        if degree < 2 or degree % 2:
            raise DataError(
                f"a scale-free graph joins every new node to degree / 2 others, so degree is an even number from 2 on, "
                f"got {degree:g}; write degree={max(2, 2 * round(degree / 2))}, or take graph='er'"
            )
        m = int(degree) // 2
        grown = nx.to_numpy_array(nx.barabasi_albert_graph(d, m, seed=int(rng.integers(2**31)))) > 0
        label = rng.permutation(
            d
        )  # else the first columns are the hubs, and who breaks ties by their order gains by it
        pairs = np.triu(grown[np.ix_(label, label)], 1)
    else:
        raise UnknownNameError(f"graph family {family!r} is unknown; use 'er' or 'sf'.{nearest(family, ['er', 'sf'])}")
    skeleton = pairs | pairs.T
    rank = rng.permutation(d)
    result: Bools = skeleton & (rank[:, None] < rank[None, :])
    return result


def sized_dag(d: int, edges: int, rng: np.random.Generator) -> Bools:
    """(d, d) adjacency of a random DAG with so many edges: a random order, then each set of forward pairs equally likely."""
    most = d * (d - 1) // 2
    whole(f"the number of edges of a DAG over {d} nodes", edges, 0, most)
    rank = rng.permutation(d)
    pairs = np.argwhere(rank[:, None] < rank[None, :])
    adj = np.zeros((d, d), dtype=bool)
    adj[tuple(pairs[rng.choice(most, edges, replace=False)].T)] = True
    return adj
