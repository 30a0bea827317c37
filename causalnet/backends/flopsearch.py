"""FLOP, a search over causal orders written in Rust by its authors (arXiv 2510.04970), behind our orientation and names.

Its matrix holds 1 at [i, j] for i -> j, and 2 at both places of an undirected edge. MPL-2.0; called, not copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.checks import number, whole
from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import Method, family, of_causes, param
from ..errors import NotApplicable
from ..graph import Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("flopsearch", ALGORITHMS, ("flopsearch",), "flopsearch")


def _penalty(name: str, value: Any, data: Table) -> float:
    """Reads the price of a parent."""
    return number(name, value, above=0.0)


def _restarts(name: str, value: Any, data: Table) -> int:
    """Reads a number of restarts."""
    return whole(name, value, 0)


@offer("flop", "continuous", "cpdag")
class FLOP(Method):
    """The CPDAG of the least linear-Gaussian BIC met in an iterated local search over orders (FLOP, Wienoebst et al. 2025).

    penalty: of a parent, in units of ln n (2 by its authors' advice). restarts: how often the best order is perturbed.
    """

    caveat = "Takes no seed: its order of work is random, so that two runs may differ. Needs more rows than columns."
    assumes = "sufficiency, faithfulness, acyclicity, linearity, Gaussian noise"
    penalty = param("lambda_bic", 2.0, _penalty)
    restarts = param("restarts", 20, _restarts)

    def run(self, data: Table, seed: int) -> Graph:
        import flopsearch

        if data.n <= data.d:
            raise NotApplicable(f"{self.name} needs more rows than columns, and this table has {data.n} for {data.d}")
        centred = data.values - data.values.mean(axis=0)
        return of_causes(data, flopsearch.flop(np.ascontiguousarray(centred / centred.std(axis=0)), **self.theirs))
