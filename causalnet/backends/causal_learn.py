"""Every algorithm of causal-learn that works on one complete table (Zheng et al. 2024), behind our orientation and names.

causal-learn keeps end marks in ``graph[j, i]`` = the mark at j of the edge i *-* j (-1 tail, 1 arrow, 2 circle), and
LiNGAM effects in ``B[effect, cause]``; both are turned round here, in one line each.

Left out, with the reason:
- PNL: its "independence test" compares two means (a t-test), so its p-values say nothing about a direction.
- GIN and RLCD: their graphs hold latent variables of their own, not only the columns of the table.
- Granger's two-variable F-test: calls statsmodels with an argument that statsmodels no longer takes.
- multi-group and longitudinal LiNGAM: they need several data sets; MVPC and MV-CDNOD: they need missing values.
- GES with the marginal likelihood score: it overflows and then joins everything.
Background knowledge of PC and FCI is not offered: forbidden pairs are still tested and forbidden edges can remain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Table
from ..graph import ARROW, CIRCLE, TAIL, Graph
from ..knowledge import Knowledge
from . import Backend, _causal_learn_functional
from ._foreign import at_most, choose, column, family, guest, of_causes, share

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


def _marks(matrix: Any) -> NDArray[np.int8]:
    """(d, d) our end marks: theirs at [j, i] is the mark at j of i *-* j, ours is at [i, j]."""
    theirs = np.asarray(matrix).T  # [j, i] -> [i, j]
    marks = np.zeros(theirs.shape, dtype=np.int8)
    for code, mark in ((-1, TAIL), (1, ARROW), (2, CIRCLE)):
        marks[theirs == code] = mark
    return marks


def _pattern(table: Table, matrix: Any, **meta: Any) -> Graph:
    """A CPDAG from the package's mark matrix; a bidirected edge (a conflict) is left unoriented and counted."""
    marks = _marks(matrix)
    directed = (marks == ARROW) & (marks.T == TAIL)
    adj = directed | ((marks > 0) & ~directed & ~directed.T)
    conflicts = int(np.triu((marks == ARROW) & (marks.T == ARROW)).sum())
    return Graph(table.columns, adj, meta={**meta, "conflicts": conflicts})


@offer("pc", "continuous discrete", "cpdag", caveat=f"PC {_SEPSET}, and has no knowledge that holds.")
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
    return _pattern(data, found.G.graph)


@offer("fci", "continuous discrete", "pag", caveat="FCI's knowledge can commit tails too early and is not offered.")
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
    return Graph.from_marks(data.columns, _marks(graph.graph))


@offer(
    "cdnod",
    "continuous",
    "cpdag",
    caveat="Reads the order of the rows (time, or the domain= column); its Fisher-z sees changes in the mean only: "
    "use ci_test='kci' for others.",
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
    return _pattern(data, matrix[np.ix_(place, place)])


def _score(table: Table, score: str) -> str:
    default = "bdeu" if table.kind == "discrete" else "bic"
    names = {"bic": "local_score_BIC_from_cov", "bdeu": "local_score_BDeu", "cv": "local_score_CV_general"}
    return choose("score", default if score == "auto" else score, names)


def _penalty(score: str, penalty: float) -> dict[str, float] | None:
    if score == "local_score_CV_general":
        return {"kfold": 10, "lambda": 0.01}
    return {"lambda_value": float(penalty)} if score == "local_score_BIC_from_cov" else None


@offer("ges", "continuous discrete", "cpdag", caveat="score='cv' inverts n x n kernels: keep n below about 300.")
def ges(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    penalty: float = 0.5,
    max_parents: int | None = None,
) -> Graph:
    """Greedily add, then delete, edges of an equivalence class while the score improves (GES, Chickering 2002).

    score: "auto" (BIC, or BDeu for discrete data), "bic", "bdeu", "cv" (kernel cross-validation).
    penalty: multiplies log n per parameter in BIC; 0.5 is BIC itself.
    """
    name = _score(data, score)
    values = data.values.copy() if name != "local_score_BDeu" else data.values.astype(int)
    with guest("causal-learn/ges", rng):
        from causallearn.search.ScoreBased.GES import ges as run

        found = run(values, name, max_parents, _penalty(name, penalty))
    return _pattern(data, found["G"].graph, score=float(np.squeeze(found["score"])))


@offer("dges", "continuous", "cpdag")
def dges(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    penalty: float = 0.5,
    det_threshold: float = 1e-5,
    det_epsilon: float = 0.01,
    exact: bool = False,
) -> Graph:
    """GES that expects some variables to be functions of others, and keeps such clusters together (Li et al. 2024).

    det_threshold: residual variance below which a variable counts as determined. exact: third phase, exact search
    on the deterministic clusters (slow).
    """
    with guest("causal-learn/dges", rng):
        from causallearn.search.ScoreBased.DGES import dges as run

        found = run(
            data.values.copy(),
            parameters={"lambda_value": float(penalty)},
            det_threshold=det_threshold,
            det_epsilon=det_epsilon,
            skip_exact_search=not exact,
        )
    clusters = [[data.columns[int(i)] for i in cluster] for cluster in found["det_clusters"]]
    return _pattern(data, found["G"].graph, deterministic=clusters)


@offer("grasp", "continuous discrete", "cpdag")
def grasp(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    penalty: float = 2.0,
    depth: int = 3,
) -> Graph:
    """Search causal orders for the sparsest graph, by covered tucks of increasing depth (GRaSP, Lam et al. 2022).

    penalty: multiplies log n per parameter in BIC (the package's default, 2, is four times BIC's own 0.5).
    """
    name = _score(data, choose("score", score, {key: key for key in ("auto", "bic", "bdeu")}))
    with guest("causal-learn/grasp", rng):
        from causallearn.search.PermutationBased.GRaSP import grasp as run

        values = data.values.copy() if name != "local_score_BDeu" else data.values.astype(int)
        found = run(values, name, depth, _penalty(name, penalty), verbose=False)
    return _pattern(data, found.graph)


@offer("boss", "continuous discrete", "cpdag")
def boss(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    penalty: float = 2.0,
) -> Graph:
    """Move each variable to its best place in a causal order until the score stands still (BOSS, Andrews et al. 2023).

    penalty: multiplies log n per parameter in BIC (the package's default, 2, is four times BIC's own 0.5).
    """
    name = _score(data, choose("score", score, {key: key for key in ("auto", "bic", "bdeu")}))
    with guest("causal-learn/boss", rng):
        from causallearn.search.PermutationBased.BOSS import boss as run

        values = data.values.copy() if name != "local_score_BDeu" else data.values.astype(int)
        found = run(values, name, _penalty(name, penalty), verbose=False)
    return _pattern(data, found.graph)


@offer(
    "exact",
    "continuous",
    "dag",
    knowledge="forbidden required",
    caveat="At most 15 variables; directions inside an equivalence class are arbitrary.",
)
def exact(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    method: str = "astar",
    max_parents: int | None = None,
) -> Graph:
    """The DAG of the best BIC among all DAGs, by A* or dynamic programming (Yuan & Malone 2013).

    method: "astar" or "dp". max_parents: bounds the parents of a variable; None: no bound.
    """
    at_most("causal-learn/exact", data, 15, "use causal-learn/boss or causal-learn/ges")
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    name = choose("method", method, {"astar": "astar", "dp": "dp"})
    with guest("causal-learn/exact", rng):
        from causallearn.search.ScoreBased.ExactSearch import bic_exact_search as run

        # super_graph[i, j] lets i be a parent of j, include_graph[i, j] makes it one: our orientation already
        matrix, _ = run(
            data.values.copy(),
            super_graph=allowed.astype(float),
            include_graph=required.astype(float),
            search_method=name,
            max_parents=max_parents,
        )
    return of_causes(data, matrix)


@offer(
    "calm",
    "continuous",
    "dag",
    also_requires=("torch",),
    also_install="torch",
    caveat="Half a minute for 3 variables; the package's own schedule (40,000 steps, growth 3) takes a quarter of an hour, "
    "and too few steps a round give the empty graph.",
)
def calm(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l0: float = 0.005,
    alpha: float = 0.01,
    temperature: float = 0.5,
    iterations: int = 4000,
    rho_growth: float = 100.0,
    standardize: bool = False,
) -> Graph:
    """Gaussian likelihood with an L0 penalty over DAGs inside an estimated moral graph (CALM, Jin et al. 2024).

    iterations: optimiser steps in each round (the package's default is 40,000); rho_growth: of the penalty on cycles
    from round to round (the package's default is 3). alpha: of the tests that find the moral graph.
    """
    share("alpha", alpha)
    with guest("causal-learn/calm", rng, tensors=True):
        from causallearn.search.ScoreBased.CALM import calm as run

        found = run(
            data.values.copy(),
            lambda1=l0,
            alpha=alpha,
            tau=temperature,
            rho_mult=rho_growth,
            subproblem_iter=iterations,
            standardize=standardize,
        )
    adj = _pattern(data, found["G"].graph).adj
    return of_causes(data, adj, np.asarray(found["B_weighted"]))


ALGORITHMS.update(_causal_learn_functional.ALGORITHMS)
