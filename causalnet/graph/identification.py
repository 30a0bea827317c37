"""How many effects a learned graph would get wrong: adjustment identification distances, and directions given the pairs.

A distance asks, for every ordered pair (x, y), what the learned graph says of the effect of x on y (none; not identified; this
set adjusts), and counts the pairs for which that is wrong in the truth: with the parents of x as the set, the ancestors of x, or
the optimal set (Henckel, Würtzen and Weichwald, UAI 2024; package gadjid). Between DAGs the parents' one is the structural
intervention distance. It takes DAGs and completed graphs; for other graphs there is no distance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..base.arrays import AnyArray, Bools
from ..base.checks import instance
from ..errors import NotInstalled
from .graph import Graph
from .marks import TAIL
from .meek import cpdag, extension
from .order import is_acyclic

AID_DEFINITIONS: dict[str, str] = {
    "parent_aid": "share of ordered pairs whose effect is wrong when the learned graph is asked for it and adjusts for the "
    "parents of the cause (Henckel et al. 2024); only for DAGs and their classes, and left out where variables x edges are more "
    "than 20 million",
    "ancestor_aid": "the same, adjusting for the ancestors of the cause",
    "oset_aid": "the same, adjusting for the optimal set; left out where variables x edges are more than 4 million",
    "orientation_accuracy": "directed edges of the truth that were learned in that direction / those whose pair was learned",
}

MOST = {"parent_aid": 2 * 10**7, "ancestor_aid": 2 * 10**7, "oset_aid": 4 * 10**6}  # variables x edges: some 10 s each


def adjustment_distances(truth: Graph, learned: Graph) -> dict[str, float | None]:
    """The distances of AID_DEFINITIONS, each a share of the d (d - 1) ordered pairs, and the accuracy of directions.

    The graphs are aligned by name; None for a distance where either is no DAG and no completed graph (a PAG, a cycle, a class
    that knowledge has directed further), has a single node or too many edges (``MOST``), and for the accuracy where no directed pair was learned.
    """
    for which, given in (("truth", truth), ("learned", learned)):
        instance(which, given, Graph, "a Graph; Graph.from_networkx and Graph(nodes, adj) make one")
    found = learned.align(truth.nodes)
    pairs = truth.directed & found.skeleton
    right = int((pairs & found.directed).sum())
    result: dict[str, float | None] = dict.fromkeys(AID_DEFINITIONS)
    result["orientation_accuracy"] = right / int(pairs.sum()) if pairs.any() else None
    if truth.d > 1 and _has_sets(truth) and _has_sets(found):
        codes = _coded(truth.adj), _coded(found.adj)
        size = truth.d * max(int(np.triu(graph.skeleton).sum()) for graph in (truth, found))
        for name, distance in _distances().items():
            if size > MOST[name]:
                continue
            result[name] = float(distance(*codes, edge_direction="from row to column")[0])
    return result


def _has_sets(graph: Graph) -> bool:
    """True for a DAG and for the completed graph of a class."""
    if graph.is_dag:
        return True
    open_ended = graph.marks is not None and bool((graph.marks[graph.adj & graph.adj.T] != TAIL).any())
    if open_ended or not is_acyclic(graph.directed) or extension(graph.adj) is None:
        return False
    return np.array_equal(cpdag(graph.adj), graph.adj)


def _coded(adj: Bools) -> AnyArray:
    """gadjid's form: 1 at [i, j] of i -> j, and 2 once of i - j."""
    both = adj & adj.T
    return np.where(both, 2 * np.triu(both), adj).astype(np.int8)


def _distances() -> Mapping[str, Callable[..., Any]]:
    try:
        import gadjid
    except ImportError as error:
        raise NotInstalled("adjustment distances come from the package gadjid: pip install gadjid") from error
    return {name: getattr(gadjid, name) for name in ("parent_aid", "ancestor_aid", "oset_aid")}
