"""causal-learn's score-based and permutation searches."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.checks import choose
from ...data import Table
from ...discovery.guests import Method, at_most, level, of_causes, param, words
from ...graph import Graph
from .marks import offer, pattern

_BIC, _BDEU, _CV = "local_score_BIC_from_cov", "local_score_BDeu", "local_score_CV_general"


def _score(name: str, value: str, data: Table, **more: str) -> str:
    """Reads the package's name of a score; "auto": BIC, or BDeu for discrete data."""
    auto = _BDEU if data.kind == "discrete" else _BIC
    return str(choose(name, value, {"auto": auto, "bic": _BIC, "bdeu": _BDEU, **more}))


class Scored(Method):
    """A search with a score of the package, whose values and settings follow the score."""

    score: str
    penalty: float

    def values(self, data: Table) -> Any:
        """A fresh (n, d) array; whole numbers where the score counts."""
        return data.values.astype(int) if self.score == _BDEU else data.values.copy()

    def settings(self) -> dict[str, float] | None:
        """What the score takes."""
        return {_BIC: {"lambda_value": float(self.penalty)}, _CV: {"kfold": 10, "lambda": 0.01}}.get(self.score)


@offer("ges", "continuous discrete", "cpdag")
class GES(Scored):
    """Greedily add, then delete, edges of an equivalence class while the score improves (GES, Chickering 2002).

    score: "auto" (BIC, or BDeu for discrete data), "bic", "bdeu", "cv" (kernel cross-validation).
    penalty: multiplies log n per parameter in BIC; 0.5 is BIC itself.
    """

    caveat = "score='cv' inverts n x n kernels: keep n below about 300."
    assumes = "sufficiency, faithfulness, acyclicity, linearity (bic), Gaussian noise (bic)"
    score = param("", "auto", lambda name, value, data: _score(name, value, data, cv=_CV))
    penalty = param("", 0.5)
    max_parents = param("", None)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.ScoreBased.GES import ges

        found = ges(self.values(data), self.score, self.max_parents, self.settings())
        return pattern(data, found["G"].graph, score=float(np.squeeze(found["score"])))


@offer("dges", "continuous", "cpdag")
class DGES(Method):
    """GES that expects some variables to be functions of others, and keeps such clusters together (Li et al. 2024).

    det_threshold: residual variance below which a variable counts as determined. exact: third phase, exact search
    on the deterministic clusters (slow).
    """

    assumes = "sufficiency, acyclicity, linearity, Gaussian noise"
    penalty = param("parameters", 0.5, lambda name, value, data: {"lambda_value": float(value)})
    det_threshold = param("det_threshold", 1e-5)
    det_epsilon = param("det_epsilon", 0.01)
    exact = param("skip_exact_search", False, lambda name, value, data: not value)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.ScoreBased.DGES import dges

        found = dges(data.values.copy(), **self.theirs)
        clusters = [[data.columns[int(i)] for i in cluster] for cluster in found["det_clusters"]]
        return pattern(data, found["G"].graph, deterministic=clusters)


@offer("grasp", "continuous discrete", "cpdag")
class GRaSP(Scored):
    """Search causal orders for the sparsest graph, by covered tucks of increasing depth (GRaSP, Lam et al. 2022).

    penalty: multiplies log n per parameter in BIC (the package's default, 2, is four times BIC's own 0.5).
    """

    assumes = "sufficiency, sparsest Markov representation, acyclicity, linearity (bic), Gaussian noise (bic)"
    score = param("", "auto", _score)
    penalty = param("", 2.0)
    depth = param("", 3)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.PermutationBased.GRaSP import grasp

        return pattern(data, grasp(self.values(data), self.score, self.depth, self.settings(), verbose=False).graph)


@offer("boss", "continuous discrete", "cpdag")
class BOSS(Scored):
    """Move each variable to its best place in a causal order until the score stands still (BOSS, Andrews et al. 2023).

    penalty: multiplies log n per parameter in BIC (the package's default, 2, is four times BIC's own 0.5).
    """

    assumes = "sufficiency, sparsest Markov representation, acyclicity, linearity (bic), Gaussian noise (bic)"
    score = param("", "auto", _score)
    penalty = param("", 2.0)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.PermutationBased.BOSS import boss

        return pattern(data, boss(self.values(data), self.score, self.settings(), verbose=False).graph)


@offer("exact", "continuous", "dag", knowledge="forbidden required")
class Exact(Method):
    """The DAG of the best BIC among all DAGs, by A* or dynamic programming (Yuan & Malone 2013).

    method: "astar" or "dp". max_parents: bounds the parents of a variable; None: no bound.
    """

    caveat = "At most 15 variables; directions inside an equivalence class are arbitrary."
    assumes = "sufficiency, acyclicity, linearity, Gaussian noise"
    method = param("search_method", "astar", words("astar", "dp"))
    max_parents = param("max_parents", None)

    def run(self, data: Table, seed: int) -> Graph:
        """super_graph[i, j] lets i be a parent of j, include_graph[i, j] makes it one: our orientation already."""
        at_most(self.name, data, 15, "use causal-learn/boss or causal-learn/ges")
        from causallearn.search.ScoreBased.ExactSearch import bic_exact_search

        allowed, required = (part.astype(float) for part in self.knowledge.compile(data.columns))
        matrix, _ = bic_exact_search(data.values.copy(), super_graph=allowed, include_graph=required, **self.theirs)
        return of_causes(data, matrix)


@offer("calm", "continuous", "dag", also=("torch",))
class CALM(Method):
    """Gaussian likelihood with an L0 penalty over DAGs inside an estimated moral graph (CALM, Jin et al. 2024).

    iterations: optimiser steps in each round (the package's default is 40,000); rho_growth: of the penalty on cycles
    from round to round (the package's default is 3). alpha: of the tests that find the moral graph.
    """

    caveat = (
        "Half a minute for 3 variables; the package's own schedule (40,000 steps, growth 3) takes far longer, and "
        "too few steps a round give the empty graph."
    )
    assumes = "sufficiency, acyclicity, linearity, Gaussian noise"
    tensors = True
    l0 = param("lambda1", 0.005)
    alpha = param("alpha", 0.01, level)
    temperature = param("tau", 0.5)
    iterations = param("subproblem_iter", 4000)
    rho_growth = param("rho_mult", 100.0)
    standardize = param("standardize", False)

    def run(self, data: Table, seed: int) -> Graph:
        from causallearn.search.ScoreBased.CALM import calm

        found = calm(data.values.copy(), **self.theirs)
        return of_causes(data, pattern(data, found["G"].graph).adj, np.asarray(found["B_weighted"]))
