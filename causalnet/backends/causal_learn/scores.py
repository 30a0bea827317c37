"""causal-learn's score-based and permutation searches, and how its graphs are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Table
from ...discovery.contract import Backend
from ...discovery.guests import at_most, choose, family, guest, of_causes, share
from ...graph import ARROW, CIRCLE, TAIL, Graph, Knowledge

ALGORITHMS: dict[str, Backend] = {}
offer = family("causal-learn", ALGORITHMS, ("causallearn",), "causal-learn")


def marks_of(matrix: Any) -> NDArray[np.int8]:
    """(d, d) our end marks: theirs at [j, i] is the mark at j of i *-* j, ours is at [i, j]."""
    theirs = np.asarray(matrix).T  # [j, i] -> [i, j]
    marks = np.zeros(theirs.shape, dtype=np.int8)
    for code, mark in ((-1, TAIL), (1, ARROW), (2, CIRCLE)):
        marks[theirs == code] = mark
    return marks


def pattern(table: Table, matrix: Any, **meta: Any) -> Graph:
    """A CPDAG from the package's mark matrix; a bidirected edge (a conflict) is left unoriented and counted."""
    marks = marks_of(matrix)
    directed = (marks == ARROW) & (marks.T == TAIL)
    adj = directed | ((marks > 0) & ~directed & ~directed.T)
    conflicts = int(np.triu((marks == ARROW) & (marks.T == ARROW)).sum())
    return Graph(table.columns, adj, meta={**meta, "conflicts": conflicts})


def _score(table: Table, score: str) -> str:
    default = "bdeu" if table.kind == "discrete" else "bic"
    names = {"bic": "local_score_BIC_from_cov", "bdeu": "local_score_BDeu", "cv": "local_score_CV_general"}
    return choose("score", default if score == "auto" else score, names)


def _penalty(score: str, penalty: float) -> dict[str, float] | None:
    if score == "local_score_CV_general":
        return {"kfold": 10, "lambda": 0.01}
    return {"lambda_value": float(penalty)} if score == "local_score_BIC_from_cov" else None


@offer(
    "ges",
    "continuous discrete",
    "cpdag",
    caveat="score='cv' inverts n x n kernels: keep n below about 300.",
    assumes="sufficiency, faithfulness, acyclicity, linearity (bic), Gaussian noise (bic)",
)
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
    return pattern(data, found["G"].graph, score=float(np.squeeze(found["score"])))


@offer("dges", "continuous", "cpdag", assumes="sufficiency, acyclicity, linearity, Gaussian noise")
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
    return pattern(data, found["G"].graph, deterministic=clusters)


@offer(
    "grasp",
    "continuous discrete",
    "cpdag",
    assumes="sufficiency, sparsest Markov representation, acyclicity, linearity (bic), Gaussian noise (bic)",
)
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
    name = _score(data, choose("score", score, ("auto", "bic", "bdeu")))
    with guest("causal-learn/grasp", rng):
        from causallearn.search.PermutationBased.GRaSP import grasp as run

        values = data.values.copy() if name != "local_score_BDeu" else data.values.astype(int)
        found = run(values, name, depth, _penalty(name, penalty), verbose=False)
    return pattern(data, found.graph)


@offer(
    "boss",
    "continuous discrete",
    "cpdag",
    assumes="sufficiency, sparsest Markov representation, acyclicity, linearity (bic), Gaussian noise (bic)",
)
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
    name = _score(data, choose("score", score, ("auto", "bic", "bdeu")))
    with guest("causal-learn/boss", rng):
        from causallearn.search.PermutationBased.BOSS import boss as run

        values = data.values.copy() if name != "local_score_BDeu" else data.values.astype(int)
        found = run(values, name, _penalty(name, penalty), verbose=False)
    return pattern(data, found.graph)


@offer(
    "exact",
    "continuous",
    "dag",
    knowledge="forbidden required",
    caveat="At most 15 variables; directions inside an equivalence class are arbitrary.",
    assumes="sufficiency, acyclicity, linearity, Gaussian noise",
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
    name = choose("method", method, ("astar", "dp"))
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
    caveat="Half a minute for 3 variables; the package's own schedule (40,000 steps, growth 3) takes far longer, and "
    "too few steps a round give the empty graph.",
    assumes="sufficiency, acyclicity, linearity, Gaussian noise",
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
    adj = pattern(data, found["G"].graph).adj
    return of_causes(data, adj, np.asarray(found["B_weighted"]))
