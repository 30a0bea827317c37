"""Forward samples from the discrete Bayesian networks that ship inside pgmpy (importing this needs pgmpy)."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from pgmpy.utils import get_example_model

from ..data import Table
from ..data.sealed import freeze
from ..graph import Graph, topological_order


@cache
def _network(name: str) -> tuple[tuple[str, ...], Graph, list[tuple[Any, list[int], Any]]]:
    """Node names (the network's own order), its graph, and per node (states, parents, CPT (k, parent states...))."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_example_model(name)
    nodes = tuple(str(node) for node in model.nodes())
    index = {node: i for i, node in enumerate(nodes)}
    tables = []
    for node in nodes:
        cpd = model.get_cpds(node)
        parents = [index[str(p)] for p in cpd.variables[1:]]
        tables.append((tuple(map(str, cpd.state_names[node])), parents, np.asarray(cpd.values, dtype=np.float64)))
    # parents' states are coded in each CPT's own order; recode them to the order of the parent's own table
    for node, (states, parents, values) in zip(nodes, tables, strict=True):
        cpd = model.get_cpds(node)
        for axis, p in enumerate(parents, start=1):
            own = [str(s) for s in cpd.state_names[nodes[p]]]
            values = np.take(values, [own.index(s) for s in tables[p][0]], axis=axis)
        tables[index[node]] = (states, parents, values)
    return nodes, Graph.from_edges(nodes, [(str(u), str(v)) for u, v in model.edges()]), tables


def sample(name: str, n: int, seed: int) -> tuple[Table, Graph]:
    """n rows drawn from network ``name``, and its graph. Constant or equal columns are possible and kept."""
    nodes, graph, tables = _network(name)
    rng = np.random.default_rng([seed, 0xBA7E5])
    codes = np.zeros((n, len(nodes)), dtype=np.int64)
    order = topological_order(graph.adj)
    assert order is not None
    for j in order:
        _, parents, values = tables[j]
        chance = values[(slice(None), *(codes[:, p] for p in parents))] if parents else np.repeat(values[:, None], n, 1)
        cumulative = np.cumsum(chance, axis=0)  # (k, n)
        codes[:, j] = np.minimum((rng.random(n) * cumulative[-1] >= cumulative).sum(axis=0), len(values) - 1)
    levels = tuple(states for states, _, _ in tables)
    return Table(nodes, freeze(codes.astype(np.float64)), freeze(np.ones(len(nodes), dtype=bool)), levels), graph
