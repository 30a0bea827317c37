"""Largest set of orientations that every DAG of an interventional equivalence class shares: the I-essential graph.

DAGs imply the same independences in all regimes iff they have the same skeleton and unshielded colliders and direct alike
every edge of which some regime acts on one end and not on the other (Hauser and Bühlmann, JMLR 13, 2012, Theorem 10;
soft interventions with an observational regime: Yang, Katcoff and Uhler, ICML 2018). Those directions are background
knowledge to Meek's four rules, which complete it.
"""

from __future__ import annotations

import numpy as np

from ..base.arrays import Bools
from .meek import cpdag, orient


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
    settled = apart if allowed is None else apart | ~(allowed & allowed.T)
    known = graph & graph.T & dag.T & settled  # the backward halves of edges whose direction is told
    return orient(graph & ~known) if known.any() else graph
