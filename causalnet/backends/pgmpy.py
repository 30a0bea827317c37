"""The structure-learning algorithms of pgmpy (Ankan & Textor 2024), behind our orientation and names.

pgmpy walks through Python sets of column names, so that ties (and the rows of its adjacency matrix) follow the hash
of the strings, which changes from run to run. Here its variables are the numbers 0 .. d-1, whose hash is fixed, and
tests and scores that insist on text translate back at their own door.

Left out, with the reason:
- ExpertInLoop: asks a person or a language model for directions.
- MirrorDescentEstimator, SEMEstimator, IVEstimator: they estimate parameters of a given graph.
PC's expert knowledge is not offered: by pgmpy's own account it is ignored where the data disagrees with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..base.checks import choose
from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import Method, at_most, column, family, level, param, words
from ..errors import NotApplicable
from ..graph import Graph

ALGORITHMS: dict[str, Backend] = {}
offer = family("pgmpy", ALGORITHMS, ("pgmpy",), "pgmpy")

_SCORES = {
    "discrete": ("bic-d", "aic-d", "k2", "bdeu", "bds"),
    "continuous": ("bic-g", "aic-g"),
    "mixed": ("bic-cg", "aic-cg"),
}
_TESTS = {
    "discrete": {
        "auto": "chi_square",
        "chi2": "chi_square",
        "g2": "g_sq",
        "log-likelihood": "log_likelihood",
        "pillai": "pillai",
    },
    "continuous": {"auto": "pearsonr", "pearson": "pearsonr", "fisher-z": "fisher_z", "gcm": "gcm", "pillai": "pillai"},
    "mixed": {"auto": "pillai", "pillai": "pillai"},
}


def _score(name: str, value: str, data: Table) -> Any:
    """Reads a score that fits the kind of data, asked about the variables by number; "auto": BIC."""
    known = _SCORES[data.kind]
    return choose(name, value, {"auto": known[0]} | dict(zip(known, known, strict=True)))


def _test(name: str, value: str, data: Table) -> Any:
    """Reads a test that fits the kind of data."""
    return choose(name, value, _TESTS[data.kind])


def _rule(name: str, value: str | None, data: Table) -> str | None:
    """Reads one of pgmpy's rules, or None."""
    return None if value is None else str(choose(name, value, {"pvalue": "pvalue", "effect": "effect"}))


def _frame(table: Table, *, text: bool = False) -> Any:
    """A fresh DataFrame whose columns are 0 .. d-1 (or 'v0' .. when text); discrete columns are categories."""
    frame = table.frame()
    frame.columns = [f"v{j}" for j in range(table.d)] if text else list(range(table.d))
    return frame.astype({name: "category" for name, flag in zip(frame.columns, table.discrete, strict=True) if flag})


class _Name(str):
    """A variable's name 'v3' whose hash is its number: sets of such names have one order in every process."""

    __slots__ = ()
    __eq__ = str.__eq__

    def __hash__(self) -> int:
        return int(self)

    def __int__(self) -> int:
        return int(self[1:])


class _NumberedTest:
    """pgmpy's independence test ``name``, asked about the variables by number."""

    def __init__(self, name: str, table: Table) -> None:
        from pgmpy.ci_tests import get_ci_test

        self._test = get_ci_test(name, data=_frame(table, text=True))

    def __call__(self, x: int, y: int, z: Sequence[int] = (), significance_level: float = 0.05) -> bool:
        return bool(self._test(f"v{x}", f"v{y}", [f"v{k}" for k in z], significance_level=significance_level))

    def __getattr__(self, name: str) -> Any:  # p_value_, effect_size_
        return getattr(self.__dict__["_test"], name)


def _numbered_score(name: str, table: Table) -> Any:
    """pgmpy's structure score ``name``, asked about the variables by number."""
    from pgmpy.structure_score import BaseStructureScore, get_scoring_method

    inner = get_scoring_method(name, _frame(table, text=True))

    class Numbered(BaseStructureScore):
        def _local_score(self, variable: int, parents: tuple[int, ...]) -> float:
            return float(inner.local_score(f"v{variable}", tuple(f"v{p}" for p in parents)))

    return Numbered(_frame(table))


def _graph(table: Table, found: Any, **meta: Any) -> Graph:
    """From pgmpy's arcs (cause, effect) over numbers; an undirected edge stands there as both arcs."""
    adj = np.zeros((table.d, table.d), dtype=bool)
    for cause, effect in found.edges():
        adj[int(cause), int(effect)] = True
    return Graph(table.columns, adj, meta=meta)


@offer("pc", "continuous discrete mixed", "cpdag")
class PC(Method):
    """Remove an edge when a test finds a separating set, then orient colliders and close by Meek's rules (PC).

    ci_test: "auto"; discrete: "chi2", "g2", "log-likelihood"; continuous: "pearson", "fisher-z", "gcm"; any: "pillai".
    variant: "stable" or "orig" (the package's default runs "stable" on all cores). orient_rule: None, "pvalue", "effect".
    """

    caveat = "At most 5 conditioning variables unless max_cond is set; conflicting colliders follow the order of the columns."
    assumes = "sufficiency, faithfulness, acyclicity, linearity (continuous), Gaussian noise (continuous)"
    alpha = param("significance_level", 0.01, level)
    ci_test = param("", "auto", _test)
    variant = param("variant", "stable", words("stable", "orig"))
    max_cond = param("max_cond_vars", 5)
    orient_rule = param("orient_rule", None, _rule)

    def run(self, data: Table, seed: int) -> Graph:
        from pgmpy.causal_discovery import PC as Model

        test = _NumberedTest(self.ci_test, data)
        model = Model(ci_test=test, n_jobs=1, show_progress=False, **self.theirs)
        return _graph(data, model.fit(_frame(data)).causal_graph_)


@offer("hill-climb", "continuous discrete mixed", "dag", knowledge="forbidden required")
class HillClimb(Method):
    """Add, delete or reverse the one edge that improves the score most, with a tabu list, until none does.

    score: "auto" (BIC); discrete: "bic-d", "aic-d", "k2", "bdeu", "bds"; continuous: "bic-g", "aic-g"; mixed: "bic-cg",
    "aic-cg". tabu: changes that may not be undone. epsilon: smallest improvement that counts.
    """

    caveat = "Directions inside an equivalence class are ties, decided by the order of the columns."
    assumes = "sufficiency, acyclicity, linearity (continuous), Gaussian noise (continuous)"
    score = param("", "auto", _score)
    tabu = param("tabu_length", 100)
    max_parents = param("max_indegree", None)
    epsilon = param("epsilon", 1e-4)
    max_iter = param("max_iter", 1_000_000)

    def run(self, data: Table, seed: int) -> Graph:
        from pgmpy.causal_discovery import ExpertKnowledge, HillClimbSearch

        allowed, required = self.knowledge.compile(data.columns)
        edges = {"forbidden_edges": ~allowed & ~np.eye(data.d, dtype=bool), "required_edges": required}
        expert = ExpertKnowledge(**{k: {tuple(pair) for pair in np.argwhere(v).tolist()} for k, v in edges.items()})
        scorer = _numbered_score(self.score, data)
        model = HillClimbSearch(
            scoring_method=scorer, expert_knowledge=expert, return_type="dag", show_progress=False, **self.theirs
        )
        found = model.fit(_frame(data)).causal_graph_
        return _graph(data, found, score=float(scorer.score(found)))


@offer("ges", "continuous discrete mixed", "cpdag")
class GES(Method):
    """Greedily add, delete and turn edges of an equivalence class while the score improves (GES, Chickering 2002).

    score: "auto" (BIC); discrete: "bic-d", "aic-d", "k2", "bdeu", "bds"; continuous: "bic-g", "aic-g"; mixed: "bic-cg",
    "aic-cg".
    """

    caveat = "Lists all simple paths at each step: slow on dense graphs."
    assumes = "sufficiency, faithfulness, acyclicity, linearity (continuous), Gaussian noise (continuous)"
    score = param("", "auto", _score)
    min_improvement = param("min_improvement", 1e-6)

    def run(self, data: Table, seed: int) -> Graph:
        from pgmpy.causal_discovery import GES as Model

        model = Model(scoring_method=_numbered_score(self.score, data), **self.theirs)
        return _graph(data, model.fit(_frame(data)).causal_graph_)


@offer("exhaustive", "continuous discrete mixed", "dag")
class Exhaustive(Method):
    """The DAG of the best score among all DAGs, one by one.

    score: as in pgmpy/hill-climb.
    """

    caveat = "At most 5 variables (half a minute for 5); directions inside an equivalence class are arbitrary."
    assumes = "sufficiency, acyclicity, linearity (continuous), Gaussian noise (continuous)"
    score = param("", "auto", _score)

    def run(self, data: Table, seed: int) -> Graph:
        at_most(self.name, data, 5, "use pgmpy/hill-climb or causal-learn/exact")
        from pgmpy.estimators import ExhaustiveSearch

        scorer = _numbered_score(self.score, data)
        search = ExhaustiveSearch(_frame(data), scoring_method=None if data.kind == "discrete" else "bic-cg")
        search.scoring_method = scorer
        found = search.estimate()
        return _graph(data, found, score=float(scorer.score(found)))


@offer("tree", "discrete", "cpdag")
class Tree(Method):
    """The spanning tree of greatest mutual information (Chow & Liu 1968), or tree-augmented naive Bayes (1997).

    kind: "chow-liu" (undirected unless root names the column that edges lead away from) or "tan" (directed; class_node
    names the class, root defaults to the first other column). weights: "mutual_info", "adjusted_mutual_info",
    "normalized_mutual_info".
    """

    caveat = (
        "Always a spanning tree (or one with a class on top), however weak its edges: nothing is ever left unjoined."
    )
    assumes = "sufficiency, acyclicity, one parent a variable"
    kind = param("estimator_type", "chow-liu", words("chow-liu", "tan"))
    root = param("", None, column)
    class_node = param("", None, column)
    weights = param(
        "edge_weights_fn", "mutual_info", words("mutual_info", "adjusted_mutual_info", "normalized_mutual_info")
    )

    def run(self, data: Table, seed: int) -> Graph:
        """Without a root the direction away from pgmpy's own choice of one means nothing: a tree's class is undirected."""
        from pgmpy.estimators import TreeSearch

        start, top = self.root, None
        if self.kind == "tan":
            if self.class_node is None:
                raise NotApplicable("kind='tan' needs the class: pass class_node= the name of its column")
            top = self.class_node
            start = (1 if top == 0 else 0) if start is None else start
            if start == top:
                both = data.columns[top]
                raise NotApplicable(f"root and class_node are both {both!r}; the root is one of the other columns")
        search = TreeSearch(_frame(data), root_node=start, n_jobs=1)
        graph = _graph(data, search.estimate(class_node=top, show_progress=False, **self.theirs))
        return graph if start is not None else Graph(data.columns, graph.skeleton)


@offer("mmhc", "discrete", "dag")
class MMHC(Method):
    """Find each variable's parents and children by tests, then climb on BDeu among them (Tsamardinos et al. 2006).

    alpha: level of the chi-square tests. equivalent_sample_size: of BDeu. tabu: changes that may not be undone.
    """

    caveat = (
        "Its skeleton binds in one direction only, so edges outside it can appear; its first phase tests nearly all "
        "subsets: at most 12 variables."
    )
    assumes = "sufficiency, faithfulness, acyclicity"
    alpha = param("significance_level", 0.01, level)
    tabu = param("tabu_length", 10)
    equivalent_sample_size = param("", 10.0)

    def run(self, data: Table, seed: int) -> Graph:
        """Its score cannot take numbers: its variables are names whose hash is their number."""
        at_most(self.name, data, 12, "use pgmpy/hill-climb")
        from pgmpy.estimators import BDeu, MmhcEstimator

        frame = _frame(data)
        frame.columns = pd.Index([_Name(f"v{j}") for j in range(data.d)], dtype=object)
        score = BDeu(frame, equivalent_sample_size=self.equivalent_sample_size)
        found = MmhcEstimator(frame).estimate(scoring_method=score, **self.theirs)
        return _graph(data, found)
