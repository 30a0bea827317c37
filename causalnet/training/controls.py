"""What a policy is set beside: any allowed action, a greedy rule on a graph, a random graph of equal density."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.arrays import Bools
from ..base.asked import asks
from ..base.checks import generator
from ..graph import Graph
from ..graph.random_dags import sized_dag
from ..representation import RootCauseMask

Policy = Callable[[Any, Bools, np.random.Generator], int]  # (observation, (A,) mask, rng) -> action


def uniform(obs: Any, mask: Bools, rng: np.random.Generator) -> int:
    """Any allowed action, all equally likely. On a CausalMask(env, None) that is any present alarm."""
    allowed = np.flatnonzero(mask)
    return int(allowed[rng.integers(len(allowed))])


def greedy(rule: RootCauseMask) -> Policy:
    """Repair the earliest present variable of the rule's graph (k=1), at a random unit; no learning."""

    def act(obs: Any, mask: Bools, rng: np.random.Generator) -> int:
        chosen = rule(obs) & mask
        return uniform(obs, chosen if chosen.any() else mask, rng)

    return act


@asks()
def random_graph(like: Graph, rng: np.random.Generator | int) -> Graph:
    """A DAG over the same nodes with as many edges, as ``graph.random_dags.sized_dag`` draws it: equal density."""
    adj = sized_dag(like.d, int(np.triu(like.skeleton).sum()), generator("rng", rng))
    return Graph(like.nodes, adj, meta={"control": "random graph of equal density"})
