"""Largest set of orientations that every DAG of an interventional equivalence class shares: the I-essential graph.

DAGs imply the same independences in all regimes iff they have the same skeleton and unshielded colliders and direct alike
every edge of which some regime acts on one end and not on the other (Hauser and Bühlmann, JMLR 13, 2012, Theorem 10;
soft interventions with an observational regime: Yang, Katcoff and Uhler, ICML 2018). Those directions are background
knowledge to Meek's four rules, which complete it.
"""

from __future__ import annotations

import numpy as np

from ..base.arrays import Bools
from .graph import Graph
from .meek import cpdag, orient
from .metrics import joined_in_same_way, score, shd


def told_apart(acted: Bools) -> Bools:
    """(d, d) symmetric bool: does some regime act on exactly one of the two? acted: (r, d), was the variable a target?"""
    on = acted.astype(np.int64)
    found: Bools = (on.T @ (1 - on)) > 0
    return found | found.T


def essential_graph(dag: Bools, apart: Bools, allowed: Bools | None = None) -> Bools:
    """(d, d) bool: the I-essential graph of ``dag``; with ``allowed``, the directions that knowledge leaves as well.

    apart: (d, d), the pairs that some regime tells apart (:func:`told_apart`). Nowhere: the CPDAG.
    """
    graph = cpdag(dag)
    i, j = np.nonzero(dag)
    told = graph[j, i]  # has the graph no direction for i -> j, though it is told?
    told &= apart[i, j] if allowed is None else apart[i, j] | ~(allowed[i, j] & allowed[j, i])
    if not told.any():
        return graph
    known = graph.copy()
    known[j[told], i[told]] = False
    return orient(known)


def score_by_class(truth: Graph, learned: Graph, apart: Bools) -> dict[str, float | None]:
    """The metrics of :func:`causalnet.graph.metrics.score`, those named cpdag_ between I-essential graphs in place of CPDAGs.

    apart: (d, d), the pairs that regimes tell apart, in the order of the truth's nodes. A learned DAG stands for its class.
    """
    found = score(truth, learned)
    if not truth.is_dag or learned.marks is not None:
        return found
    other = learned.align(truth.nodes)
    right = essential_graph(truth.adj, apart)
    mine = essential_graph(other.adj, apart) if other.is_dag else other.adj
    agree, claimed, wanted = joined_in_same_way(right, mine), int(np.triu(mine | mine.T).sum()), len(truth.edges)
    empty = float(claimed == wanted == 0)
    found["cpdag_precision"] = agree / claimed if claimed else empty
    found["cpdag_recall"] = agree / wanted if wanted else empty
    found["cpdag_f1"] = 2.0 * agree / (claimed + wanted) if claimed + wanted else 1.0
    found["cpdag_shd"] = shd(right, mine)
    return found
