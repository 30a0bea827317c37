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
from numpy.typing import NDArray

from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import choose, column, family, guest, share
from ...graph import Graph, Knowledge
from . import functional, scores
from .scores import marks_of, pattern

ALGORITHMS: dict[str, Backend] = {}
offer = family("causal-learn", ALGORITHMS, ("causallearn",), "causal-learn")

_TESTS = {"fisher-z": "fisherz", "chi2": "chisq", "g2": "gsq", "kci": "kci", "fast-kci": "fastkci", "rcit": "rcit"}
_RULES = {"sepset": 0, "max-p": 1, "definite-max-p": 2}
_CONFLICTS = {"overwrite": 0, "bidirected": 1, "keep-first": 2, "stronger": 3, "stronger*": 4}
_SEPSET = "unites all separating sets of a level, so that a pair's set need not separate it"


def _test(table: Table, ci_test: str) -> tuple[NDArray[np.float64], str]:
    """A fresh (n, d) array and the package's name of the test."""
    default = "chi2" if table.kind == "discrete" else "fisher-z"
    name = choose("ci_test", default if ci_test == "auto" else ci_test, _TESTS)
    return table.values.copy(), name


@offer(
    "pc",
    "continuous discrete",
    "cpdag",
    caveat=f"PC {_SEPSET}, and has no knowledge that holds.",
    assumes="sufficiency, faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)",
)
def pc(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.05,
    ci_test: str = "auto",
    stable: bool = True,
    collider_rule: str = "sepset",
    conflicts: str = "keep-first",
    max_cond: int | None = None,
) -> Graph:
    """Remove an edge when a test finds a separating set, then orient colliders and close by Meek's rules (PC).

    ci_test: "auto" (Fisher-z or chi-square), "fisher-z", "chi2", "g2", "kci", "fast-kci", "rcit".
    collider_rule: "sepset", "max-p", "definite-max-p". conflicts: "overwrite", "bidirected", "keep-first", "stronger".
    """
    values, test = _test(data, ci_test)
    share("alpha", alpha)
    rule, priority = choose("collider_rule", collider_rule, _RULES), choose("conflicts", conflicts, _CONFLICTS)
    with guest("causal-learn/pc", rng):
        from causallearn.search.ConstraintBased.PC import pc as run

        found = run(values, alpha, test, stable, rule, priority, show_progress=False, max_k=max_cond)
    return pattern(data, found.G.graph)


@offer(
    "fci",
    "continuous discrete",
    "pag",
    caveat="FCI's knowledge can commit tails too early and is not offered.",
    assumes="faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)",
)
def fci(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.05,
    ci_test: str = "auto",
    depth: int = -1,
    max_path_length: int = -1,
) -> Graph:
    """PC without assuming that every common cause was measured: a partial ancestral graph (FCI, Zhang 2008).

    depth: most variables conditioned on in the first search, max_path_length: of discriminating paths; -1: no limit.
    """
    values, test = _test(data, ci_test)
    share("alpha", alpha)
    with guest("causal-learn/fci", rng):
        from causallearn.search.ConstraintBased.FCI import fci as run

        graph, _ = run(values, test, alpha, depth=depth, max_path_length=max_path_length, show_progress=False)
    return Graph.from_marks(data.columns, marks_of(graph.graph))


@offer(
    "cdnod",
    "continuous",
    "cpdag",
    caveat="Reads the order of the rows (time, or the domain= column); its Fisher-z sees changes in the mean only: "
    "use ci_test='kci' for others.",
    assumes="pseudo-sufficiency, faithfulness, acyclicity, linearity (fisher-z), Gaussian noise (fisher-z)",
)
def cdnod(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.05,
    ci_test: str = "fisher-z",
    domain: str | None = None,
    stable: bool = True,
    collider_rule: str = "sepset",
    conflicts: str = "keep-first",
) -> Graph:
    """PC on rows in time order (or by domain), with the changing condition as a cause of what changes (CD-NOD).

    domain: the column that numbers the condition; it stays in the graph. Without it the row number stands in for
    the condition and is not part of the graph.
    """
    values, test = _test(data, ci_test)
    share("alpha", alpha)
    rule, priority = choose("collider_rule", collider_rule, _RULES), choose("conflicts", conflicts, _CONFLICTS)
    order = list(range(data.d))
    condition = np.arange(data.n, dtype=np.float64)[:, None]
    if domain is not None:
        at = column(data, "domain", domain)
        order.remove(at)
        condition = values[:, [at]]
    with guest("causal-learn/cdnod", rng):
        from causallearn.search.ConstraintBased.CDNOD import cdnod as run

        found = run(values[:, order], condition, alpha, test, stable, rule, priority)
    matrix = np.asarray(found.G.graph)
    place = np.argsort([*order, at]) if domain is not None else np.arange(data.d)  # the condition is their last column
    return pattern(data, matrix[np.ix_(place, place)])


ALGORITHMS.update(scores.ALGORITHMS)
ALGORITHMS.update(functional.ALGORITHMS)
