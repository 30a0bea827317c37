"""GIES, greedy interventional equivalence search by Gamella and Kolotuhina, behind our orientation and names.

Its matrix holds 1 at [i, j] for i -> j, and at both places of an undirected edge. BSD-3; called, not copied.
"""

from __future__ import annotations

import numpy as np

from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import Method, family, of_causes
from ..errors import NotApplicable
from ..graph import Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("gies", ALGORITHMS, ("gies",), "gies")


@offer("gies", "continuous", "cpdag", handles=("regimes",))
class GIES(Method):
    """Greedily add, drop and turn edges of an interventional class while the Gaussian BIC falls (Hauser and Buehlmann 2012)."""

    caveat = "Needs the targets of every regime; minutes from 50 variables on."
    assumes = "sufficiency, faithfulness, acyclicity, linearity, Gaussian noise"

    def run(self, data: Table, seed: int) -> Graph:
        import gies

        if data.regimes is None:
            parts, targets = [data.values.copy()], [list[int]()]
        else:
            if data.regimes.unknown:
                raise NotApplicable(f"{self.name} needs the targets of every regime; give targets=, or write 'order'")
            parts = [data.values[rows] for rows in data.regimes.rows()]
            targets = [np.flatnonzero(row).tolist() for row in data.regimes.acted_on(data.columns)]
        adj, score = gies.fit_bic(parts, targets)
        return of_causes(data, adj, score=float(score))
