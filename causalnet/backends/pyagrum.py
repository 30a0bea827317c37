"""pyAgrum's structure learners on categorical tables, behind our orientation and names.

Variables are handed over as v0 .. v(d-1) with all their categories, seen or not. LGPL-3.0 or MIT; called, not copied.

Left out, with the reason:
- PC and FCI: chi-square PC is native here, and FCI is offered from causal-learn.
- K2: it takes the causal order from the user. Greedy hill climbing: the tabu search contains it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import Method, family, of_causes, param, words
from ..graph import Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("pyagrum", ALGORITHMS, ("pyagrum",), "pyagrum")


def _learner(data: Table) -> Any:
    """Their learner on the codes of a table, on one thread."""
    import pyagrum

    domains = pyagrum.BayesNet()
    for j, k in enumerate(data.cardinality.tolist()):
        domains.add(pyagrum.RangeVariable(f"v{j}", "", 0, k - 1))
    frame = pd.DataFrame(data.codes, columns=[f"v{j}" for j in range(data.d)])
    learner = pyagrum.BNLearner(frame, domains)
    learner.setNumberOfThreads(1)
    return learner


def _graph(data: Table, found: Any, **meta: Any) -> Graph:
    """From their arcs (cause, effect) and, in a partly directed graph, edges, all by position."""
    adj = np.zeros((data.d, data.d), dtype=bool)
    for cause, effect in [*found.arcs(), *meta.pop("edges", ())]:
        adj[cause, effect] = True
    return of_causes(data, adj, **meta)


@offer("miic", "discrete", "cpdag")
class MIIC(Method):
    """Take from a pair's mutual information what others explain, orient by three-point information (MIIC, Verny et al. 2017).

    correction: "nml" (normalised maximum likelihood), "mdl", or "none", of the mutual information for a finite sample.
    """

    caveat = "Pairs that it holds to share a hidden cause are in meta; its graph need not be a class of DAGs."
    assumes = "faithfulness, acyclicity"
    correction = param("", "nml", words("nml", "mdl", "none"))

    def run(self, data: Table, seed: int) -> Graph:
        learner = _learner(data)
        learner.useMIIC()
        corrections = {
            "nml": learner.useNMLCorrection,
            "mdl": learner.useMDLCorrection,
            "none": learner.useNoCorrection,
        }
        corrections[self.correction]()
        found = learner.learnPDAG()
        both = [pair for a, b in found.edges() for pair in ((a, b), (b, a))]
        hidden = [[data.columns[a], data.columns[b]] for a, b in learner.latentVariables()]
        return _graph(data, found, edges=both, hidden=hidden)


@offer("tabu", "discrete", "dag")
class Tabu(Method):
    """Add, remove or reverse the one edge that helps the score most, with a list of changes that may not be undone.

    score: "bic", "bdeu", "k2". tabu: the length of the list. decreases: steps in a row that may lower the score.
    """

    caveat = "Directions inside an equivalence class are ties, decided by the order of the columns."
    assumes = "sufficiency, acyclicity"
    score = param("", "bic", words("bic", "bdeu", "k2"))
    tabu = param("", 100)
    decreases = param("", 2)

    def run(self, data: Table, seed: int) -> Graph:
        learner = _learner(data)
        learner.useLocalSearchWithTabuList(self.tabu, self.decreases)
        scores = {"bic": learner.useScoreBIC, "bdeu": learner.useScoreBDeu, "k2": learner.useScoreK2}
        scores[self.score]()
        return _graph(data, learner.learnDAG())
