"""Stock in a supply network: shops sell, everyone orders up to a base stock from its suppliers, and a blocked road starves all below.

One period, for node i with stock S_i, base stock C_i and suppliers P(i):
    expedite   the road to i is opened, and S_i = C_i
    block      an open road is blocked with ``block``; a blocked one opens by itself with ``open``
    sell       a shop meets min(S_i, D_i) of a demand D_i ~ Poisson(``demand``)
    order      i asks C_i - S_i, in equal parts from P(i); suppliers who lack stock give everyone the same share of what was asked
    arrive     nothing where the road is blocked; sources, without suppliers, get all that they ask
C_i covers ``cover`` periods of what usually passes through i. Order-up-to policies and rationing by equal shares are those of
textbooks of supply chains; the network and its numbers are made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from ...base.arrays import Array, Bools
from ...base.checks import instance, number, whole
from ...errors import DataError
from .base import Operations


@dataclass(frozen=True)
class Supply:
    """The numbers of a supply network, a period each."""

    demand: float = 4.0
    "mean demand at a shop"
    cover: float = 2.0
    "periods of usual throughput that a base stock covers"
    block: float = 0.02
    "chance that an open road is blocked"
    open: float = 0.0
    "chance that a blocked road opens by itself"
    cost: float = 0.3
    "of an expedited order"

    def __post_init__(self) -> None:
        for name, most in (("block", 1.0), ("open", 1.0), ("cost", np.inf)):
            object.__setattr__(self, name, number(name, getattr(self, name), 0, most))
        for name in ("demand", "cover"):
            object.__setattr__(self, name, number(name, getattr(self, name), above=0))


USUAL = Supply()


def supply_network(n: int = 20, *, seed: int = 0) -> nx.DiGraph:
    """A random network of plants, depots and shops (about 1 : 2 : 4), each but the plants with one or two suppliers a tier above."""
    n = whole("n", n, 3, 100_000)
    rng = np.random.default_rng(whole("seed", seed, 0))
    plants, depots = max(1, round(n / 7)), max(1, round(2 * n / 7))
    sizes = {"plant": plants, "depot": depots, "shop": n - plants - depots}
    tiers = [[f"{kind} {k}" for k in range(size)] for kind, size in sizes.items()]
    graph = nx.DiGraph()
    graph.add_nodes_from(str(name) for name in rng.permutation([name for tier in tiers for name in tier]))
    for above, below in pairwise(tiers):
        for name in below:
            for k in rng.choice(len(above), min(len(above), int(rng.integers(1, 3))), replace=False):
                graph.add_edge(above[k], name)
    return graph


class Inventory(Operations):
    """Keep shops stocked: -2 times the share of the mean demand that is not met, less ``cost`` for an expedited order.

    network: a DAG, supplier -> customer, whose leaves are shops; or the number of nodes of a :func:`supply_network` with its ``seed``.
    In trouble is who could not give all that was asked of it in the last period; beside that the stock is seen, as a share of the base
    stock; roads are not seen. Stocks are full and roads open at first.
    """

    def __init__(
        self, network: int | nx.DiGraph = 20, supply: Supply = USUAL, *, max_steps: int = 60, seed: int = 0
    ) -> None:
        graph = network if isinstance(network, nx.Graph) else supply_network(network, seed=seed)
        if not graph.is_directed() or not nx.is_directed_acyclic_graph(graph):
            raise DataError(
                "the network must be a directed one without a cycle, whose edges lead from supplier to customer"
            )
        super().__init__(graph, 2, max_steps)
        self.supply: Supply = instance("supply", supply, Supply, "Supply(...)")
        v, gives = len(self.variables), self.influences.astype(float)
        self.shops: Bools = np.asarray(~self.influences.any(axis=1))
        self._sources: Bools = np.asarray(~self.influences.any(axis=0))
        self._asks = gives / np.maximum(gives.sum(axis=0), 1)  # [j, i]: the part of i's orders that goes to j
        usual = np.linalg.solve(
            np.eye(v) - self._asks, self.supply.demand * self.shops
        )  # throughput: own sales, and customers'
        self.base: Array = np.ceil(self.supply.cover * usual)
        self.stock: Array = self.base.copy()
        self.blocked: Bools = np.zeros(v, bool)
        self._short: Bools = np.zeros(v, bool)

    def trouble(self) -> Bools:
        """(V,): who could not give all that was asked."""
        return self._short

    def _begin(self) -> None:
        self.stock = self.base.copy()
        self.blocked = np.zeros(self.base.size, bool)
        self._short = np.zeros(self.base.size, bool)

    def _repair(self, variable: int) -> None:
        self.blocked[variable], self._short[variable] = False, False
        self.stock[variable] = self.base[variable]

    def _go_on(self) -> float:
        rng, o = self.np_random, self.supply
        u = rng.random(self.base.size)
        self.blocked = np.where(self.blocked, u >= o.open, u < o.block)
        wanted = np.where(self.shops, rng.poisson(o.demand, self.base.size), 0)
        sold = np.minimum(self.stock, wanted)
        self.stock = self.stock - sold
        orders = np.where(self.blocked, 0.0, self.base - self.stock)
        asked = self._asks @ orders  # of each supplier
        share = np.where(asked > 0, np.minimum(1.0, self.stock / np.where(asked > 0, asked, 1.0)), 1.0)
        arrived = np.where(self._sources, orders, (self._asks.T @ share) * orders)
        self.stock = np.maximum(self.stock - share * asked, 0.0) + arrived
        self._short = (sold < wanted) | (share < 1)
        return -2.0 * float((wanted - sold).sum() / (o.demand * self.shops.sum()))

    def _price(self) -> float:
        return self.supply.cost

    def _more(self) -> list[Array]:
        return [np.minimum(self.stock / self.base, 1.0)]

    def _settings(self) -> dict[str, Any]:
        return dict(vars(self.supply))
