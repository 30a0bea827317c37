"""Fault-alarm instances from a seed: the ranges of Table 2 of arXiv 2402.04869 on the graph of its Table 3."""

from __future__ import annotations

import csv

import networkx as nx
import numpy as np

from ...base.asked import asks
from ...base.checks import whole
from ...datasets.files import folder as cards_folder
from ...errors import DataError
from ...graph import Graph, topological_order
from .instance import Instance, hop_weights
from .state import Rules

ALPHA, MU = (0.0001, 0.0013), (0.0005, 0.0008)  # Table 2, 1/s
ROOT_TYPES, ROOT_SHARE, TRANSIENT_SHARE, NEIGHBOUR_SHARE = 5, 0.2, 0.1, 0.4
MOST_DEVICES = 100_000


@asks("graph", "hard", "rules")
def generate_instance(
    seed: int = 0, *, n_devices: int = 50, graph: Graph | None = None, hard: bool = False, rules: Rules | None = None
) -> Instance:
    """Draw an instance: rates from the ranges of Table 2, on the graph of Table 3 unless ``graph`` is given.

    The devices form a random recursive tree with a tenth as many extra links (mean degree about 2, as in the
    published instance). Each edge acts on the same device, or with probability 0.4 on the neighbours; a tenth of the
    cells are transient. Faults start with the first 5 types of a causal order, on the fifth of the devices that has
    the most links; noise on the others. The constants do not depend on the size.
    """
    seed, n_devices = whole("the seed of an instance", seed, 0), whole("n_devices", n_devices, 2, MOST_DEVICES)
    rng = np.random.default_rng([seed, 0xFA17])
    graph = table_3() if graph is None else graph
    order = topological_order(graph.adj)
    if order is None:
        raise DataError("the graph of an instance must be acyclic; remove an edge of its cycle")
    v = graph.d
    links = random_links(n_devices, rng)
    topology: nx.Graph = nx.Graph()
    topology.add_nodes_from(f"device{i}" for i in range(n_devices))
    topology.add_edges_from((f"device{i}", f"device{j}") for i, j in links)
    slot = (rng.random((v, v)) < NEIGHBOUR_SHARE).astype(np.int64)  # 0: same device, 1: neighbours
    rate = np.where(graph.adj, rng.uniform(*ALPHA, (v, v)), 0.0)
    by_degree = np.argsort([-degree for _, degree in topology.degree()], kind="stable")
    n_roots = max(1, round(ROOT_SHARE * n_devices))
    root_devices, root_types = np.sort(by_degree[:n_roots]), np.sort(order[:ROOT_TYPES])
    transient = np.zeros(n_devices * v, dtype=bool)
    transient[rng.choice(n_devices * v, round(TRANSIENT_SHARE * n_devices * v), replace=False)] = True
    drawn = Instance(
        types=graph.nodes,
        devices=tuple(topology.nodes),
        graph=graph,
        topology=topology,
        alpha=np.stack([np.where(slot == k, rate, 0.0) for k in (0, 1)]),
        hop_weights=hop_weights(topology, 2),
        mu=rng.uniform(*MU, v),
        transient=transient.reshape(n_devices, v),
        order=np.array(order),
        root_cells=(root_devices[:, None] * v + root_types).ravel(),
        noise_devices=np.setdiff1d(np.arange(n_devices), root_devices),
        noise_types=np.setdiff1d(np.arange(v), root_types),
        rules=Rules() if rules is None else rules,
        name=f"fault-alarm seed {seed}, {n_devices} devices",
    )
    return drawn.harden() if hard else drawn


def table_3() -> Graph:
    """The 94 edges among 18 alarm types of the paper's Table 3, types in alphabetical order."""
    with (cards_folder() / "fault_alarm_edges.csv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["cause"], row["effect"]) for row in csv.DictReader(file)]
    return Graph.from_edges(sorted({name for pair in pairs for name in pair}), pairs)


def random_links(n_devices: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Links of a random recursive tree with n_devices // 10 extra ones."""
    links = {(int(rng.integers(i)), i) for i in range(1, n_devices)}
    for _ in range(n_devices // 10):
        i, j = sorted(int(x) for x in rng.choice(n_devices, 2, replace=False))
        links.add((i, j))
    return sorted(links)
