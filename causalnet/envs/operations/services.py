"""Services that depend on one another: a failed dependency fails its dependants, and restarting those first is in vain."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from ...base.arrays import Array, Bools
from ...base.checks import number, whole
from ...errors import DataError
from .base import Operations, layered_names


def service_network(n: int = 16, *, dependencies: int = 2, seed: int = 0) -> nx.DiGraph:
    """A random DAG of ``n`` services, each with at most so many dependencies among those before it (edge: dependency -> dependant).

    Nodes are in a random order, which tells nothing about who depends on whom. 16 services with 2 have 29 edges.
    """
    n, most = whole("n", n, 1, 100_000), whole("dependencies", dependencies, 0)
    rng = np.random.default_rng(whole("seed", seed, 0))
    names, order = layered_names("service", n), rng.permutation(n)
    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    for k in range(n):
        for j in rng.choice(k, min(k, most), replace=False) if k else []:
            graph.add_edge(names[order[j]], names[order[k]])
    return graph


class Services(Operations):
    """Keep services up: -2 times the share that is down after the step, less ``cost`` for a restart.

    network: an nx.DiGraph, dependency -> dependant; or the number of services of a :func:`service_network` with its ``seed``. A service
    goes down with ``fault`` a step by itself, and with ``spread`` for each dependency that is down; it stays down until it is
    restarted, after which, in the same step, its dependencies may bring it down again. Everything is up at first; observed is
    what is down.
    """

    def __init__(
        self,
        network: int | nx.DiGraph = 16,
        *,
        spread: float = 0.6,
        fault: float = 0.01,
        cost: float = 0.3,
        max_steps: int = 60,
        seed: int = 0,
    ) -> None:
        graph = network if isinstance(network, nx.Graph) else service_network(network, seed=seed)
        if not graph.is_directed():
            raise DataError(
                "the network must be directed (an nx.DiGraph whose edge leads from a dependency to its dependant)"
            )
        super().__init__(graph, 1, max_steps)
        self.spread, self.fault = number("spread", spread, 0, 1), number("fault", fault, 0, 1)
        self.cost = number("cost", cost, 0)
        self.down: Bools = np.zeros(len(self.variables), bool)

    def trouble(self) -> Bools:
        """(V,): what is down."""
        return self.down

    def _begin(self) -> None:
        self.down = np.zeros(len(self.variables), bool)

    def _repair(self, variable: int) -> None:
        self.down[variable] = False

    def _go_on(self) -> float:
        up = (1 - self.fault) * (1 - self.spread) ** (
            self.down.astype(np.int64) @ self.influences
        )  # stays up: nothing brings it down
        self.down = self.down | (self.np_random.random(up.size) >= up)
        return -2.0 * float(self.down.mean())

    def _price(self) -> float:
        return self.cost

    def _more(self) -> list[Array]:
        return []

    def _settings(self) -> dict[str, Any]:
        return {"spread": self.spread, "fault": self.fault, "cost": self.cost}
