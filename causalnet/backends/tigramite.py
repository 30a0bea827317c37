"""PCMCI and PCMCI+ of tigramite (Runge et al.), behind our orientation and names.

Its graph holds a text for [i, j, lag], i ``lag`` steps ago and j now: "-->", "o-o" where it is left open, "x-x" where rules
contradict one another, and "<--" at lag 0 for the other direction. GPL-3; called, not copied.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.checks import whole
from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import Method, family, level, param
from ..graph import LaggedGraph

ALGORITHMS: dict[str, Backend] = {}
offer = family("tigramite", ALGORITHMS, ("tigramite",), "tigramite")


def _lags(name: str, value: int, data: Table) -> int:
    return whole(name, value, 1)


class Lagged(Method):
    """A search of tigramite's class PCMCI with the analytic test of partial correlation."""

    caveat = "Reads the rows as time steps; links of lag 0 that it leaves open or in conflict are undirected."

    def found(self, data: Table) -> Any:
        """Their dictionary of results."""
        raise NotImplementedError

    def searched(self, data: Table) -> Any:
        """An object of their class."""
        from tigramite import data_processing
        from tigramite.independence_tests.parcorr import ParCorr
        from tigramite.pcmci import PCMCI

        frame = data_processing.DataFrame(data.values.copy(), var_names=list(data.columns))
        return PCMCI(dataframe=frame, cond_ind_test=ParCorr(significance="analytic"), verbosity=0)

    def run(self, data: Table, seed: int) -> LaggedGraph:
        found = self.found(data)
        graph, value = np.asarray(found["graph"]), np.asarray(found["val_matrix"], dtype=np.float64)
        links = np.isin(graph, ["-->", "o-o", "x-x"]).transpose(2, 0, 1)
        strength = np.where(links, np.nan_to_num(value.transpose(2, 0, 1)), 0.0)
        return LaggedGraph.from_links(data.columns, links, strength)


@offer("pcmci", "continuous series", "digraph")
class Pcmci(Lagged):
    """Rows are time steps: links of the past by momentary tests given both ends' conditions (PCMCI, Runge 2019).

    alpha: of the conditions, and the false-discovery rate of the links. lags: time steps back.
    """

    assumes = "sufficiency, faithfulness, stationarity, linearity, no instantaneous effects"
    alpha = param("pc_alpha alpha_level", 0.05, level)
    lags = param("tau_max", 5, _lags)

    def found(self, data: Table) -> Any:
        return self.searched(data).run_pcmci(tau_min=1, fdr_method="fdr_bh", **self.theirs)


@offer("pcmci-plus", "continuous series", "digraph")
class PcmciPlus(Lagged):
    """Rows are time steps: links of the past and of now by momentary tests over sets of now (PCMCI+, Runge 2020).

    alpha: level of every test. lags: time steps back.
    """

    assumes = "sufficiency, faithfulness, stationarity, linearity"
    alpha = param("pc_alpha", 0.05, level)
    lags = param("tau_max", 5, _lags)

    def found(self, data: Table) -> Any:
        return self.searched(data).run_pcmciplus(tau_min=0, **self.theirs)
