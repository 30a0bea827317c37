"""Every algorithm of causal-learn that works on one complete table (Zheng et al. 2024), behind our orientation and names.

causal-learn keeps end marks in ``graph[j, i]`` = the mark at j of the edge i *-* j (-1 tail, 1 arrow, 2 circle), and
LiNGAM effects in ``B[effect, cause]``; both are turned round here, in one line each.

Left out, with the reason:
- PNL: its "independence test" compares two means (a t-test), so its p-values say nothing about a direction.
- GIN and RLCD: their graphs hold latent variables of their own, not only the columns of the table.
- Granger's two-variable F-test: calls statsmodels with an argument that statsmodels no longer takes.
- multi-group and longitudinal LiNGAM: they need several data sets; MVPC and MV-CDNOD: they need missing values.
- GES with the marginal likelihood score: it overflows and then joins everything.
Its cache of p-values on disk is never used: different tables can share its key.
Background knowledge of PC and FCI is not offered: forbidden pairs are still tested and forbidden edges can remain.
"""

from __future__ import annotations

import numpy as np

from ...base.checks import choose
from ...data import Table
from ...discovery.guests import Method, column, level, param, words
from ...graph import Graph
from . import functional, scores
from .marks import ALGORITHMS, marks_of, offer, pattern

_TESTS = {"fisher-z": "fisherz", "chi2": "chisq", "g2": "gsq", "kci": "kci", "fast-kci": "fastkci", "rcit": "rcit"}
_RULES = words(**{"sepset": 0, "max-p": 1, "definite-max-p": 2})
_CONFLICTS = words(**{"overwrite": 0, "bidirected": 1, "keep-first": 2, "stronger": 3, "stronger*": 4})
_SEPSET = "unites all separating sets of a level, so that a pair's set need not separate it"


def _test(name: str, value: str, data: Table) -> str:
    """Reads the package's name of a test; "auto": Fisher-z, or chi-square for discrete data."""
    default = "chi2" if data.kind == "discrete" else "fisher-z"
    return str(choose(name, default if value == "auto" else value, _TESTS))


@offer("pc", "continuous discrete", "cpdag")
class PC(Method):
    """Remove an edge when a test finds a separating set, then orient colliders and close by Meek's rules (PC).

    ci_test: "auto" (Fisher-z or chi-square), "fisher-z", "chi2", "g2", "kci", "fast-kci", "rcit".
    collider_rule: "sepset", "max-p", "definite-max-p". conflicts: "overwrite", "bidirected", "keep-first", "stronger".
    """

    caveat = f"PC {_SEPSET}, and has no knowledge that holds."
    assumes = "sufficiency, faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)"
    alpha = param("alpha", 0.05, level)
    ci_test = param("indep_test", "auto", _test)
    stable = param("stable", True)
    collider_rule = param("uc_rule", "sepset", _RULES)
    conflicts = param("uc_priority", "keep-first", _CONFLICTS)
    max_cond = param("max_k", None)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.ConstraintBased.PC import pc

        return pattern(data, pc(data.values.copy(), **self.theirs, show_progress=False).G.graph)


@offer("fci", "continuous discrete", "pag")
class FCI(Method):
    """PC without assuming that every common cause was measured: a partial ancestral graph (FCI, Zhang 2008).

    depth: most variables conditioned on in the first search, max_path_length: of discriminating paths; -1: no limit.
    """

    caveat = "FCI's knowledge can commit tails too early and is not offered."
    assumes = "faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)"
    alpha = param("alpha", 0.05, level)
    ci_test = param("independence_test_method", "auto", _test)
    depth = param("depth", -1)
    max_path_length = param("max_path_length", -1)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.ConstraintBased.FCI import fci

        graph, _ = fci(data.values.copy(), **self.theirs, show_progress=False)
        return Graph.from_marks(data.columns, marks_of(graph.graph))


@offer("cdnod", "continuous", "cpdag", handles=("regimes",))
class CDNOD(Method):
    """PC on rows in time order (or by domain), with the changing condition as a cause of what changes (CD-NOD).

    domain: the column that numbers the condition; it stays in the graph. Without it the regimes of the table, numbered, or
    the row number stand in for the condition, which is then no part of the graph.
    """

    caveat = (
        "Reads the order of the rows (time, or the domain= column); its Fisher-z sees changes in the mean only: "
        "use ci_test='kci' for others."
    )
    assumes = "pseudo-sufficiency, faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)"
    alpha = param("alpha", 0.05, level)
    ci_test = param("indep_test", "fisher-z", _test)
    domain = param("", None, column)
    stable = param("stable", True)
    collider_rule = param("uc_rule", "sepset", _RULES)
    conflicts = param("uc_priority", "keep-first", _CONFLICTS)

    def run(self, data: Table, seed: int) -> Graph:
        """The condition is their last column: put back where it was, or left out."""
        from causallearn.search.ConstraintBased.CDNOD import cdnod

        values, at = data.values.copy(), self.domain
        order = [j for j in range(data.d) if j != at]
        own = np.arange(data.n) if data.regimes is None else data.regimes.code
        condition = own[:, None].astype(np.float64) if at is None else values[:, [at]]
        matrix = np.asarray(cdnod(values[:, order], condition, **self.theirs).G.graph)
        place = np.arange(data.d) if at is None else np.argsort([*order, at])
        return pattern(data, matrix[np.ix_(place, place)])
