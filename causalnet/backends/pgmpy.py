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

from ..data import Table
from ..discovery.contract import Backend
from ..discovery.guests import at_most, choose, column, family, guest, share
from ..errors import NotApplicable
from ..graph import Graph, Knowledge

ALGORITHMS: dict[str, Backend] = {}
offer = family("pgmpy", ALGORITHMS, ("pgmpy",), "pgmpy")

_DISCRETE = ("bic-d", "aic-d", "k2", "bdeu", "bds")
_CONTINUOUS = ("bic-g", "aic-g")
_MIXED = ("bic-cg", "aic-cg")
_SCORES = {
    "discrete": {"auto": "bic-d"} | {name: name for name in _DISCRETE},
    "continuous": {"auto": "bic-g"} | {name: name for name in _CONTINUOUS},
    "mixed": {"auto": "bic-cg"} | {name: name for name in _MIXED},
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


@offer(
    "pc",
    "continuous discrete mixed",
    "cpdag",
    caveat="At most 5 conditioning variables unless max_cond is set; conflicting colliders follow the order of the columns.",
    assumes="sufficiency, faithfulness, acyclicity, linearity (continuous), Gaussian noise (continuous)",
)
def pc(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.01,
    ci_test: str = "auto",
    variant: str = "stable",
    max_cond: int = 5,
    orient_rule: str | None = None,
) -> Graph:
    """Remove an edge when a test finds a separating set, then orient colliders and close by Meek's rules (PC).

    ci_test: "auto"; discrete: "chi2", "g2", "log-likelihood"; continuous: "pearson", "fisher-z", "gcm"; any: "pillai".
    variant: "stable" or "orig" (the package's default runs "stable" on all cores). orient_rule: None, "pvalue", "effect".
    """
    share("alpha", alpha)
    test = choose("ci_test", ci_test, _TESTS[data.kind])
    kind = choose("variant", variant, ("stable", "orig"))
    rule = None if orient_rule is None else choose("orient_rule", orient_rule, ("pvalue", "effect"))
    with guest("pgmpy/pc", rng):
        from pgmpy.causal_discovery import PC

        model = PC(
            variant=kind,
            ci_test=_NumberedTest(test, data),
            significance_level=alpha,
            max_cond_vars=max_cond,
            orient_rule=rule,
            n_jobs=1,
            show_progress=False,
        )
        found = model.fit(_frame(data)).causal_graph_
    return _graph(data, found)


@offer(
    "hill-climb",
    "continuous discrete mixed",
    "dag",
    knowledge="forbidden required",
    caveat="Directions inside an equivalence class are ties, decided by the order of the columns.",
    assumes="sufficiency, acyclicity, linearity (continuous), Gaussian noise (continuous)",
)
def hill_climb(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    tabu: int = 100,
    max_parents: int | None = None,
    epsilon: float = 1e-4,
    max_iter: int = 1_000_000,
) -> Graph:
    """Add, delete or reverse the one edge that improves the score most, with a tabu list, until none does.

    score: "auto" (BIC); discrete: "bic-d", "aic-d", "k2", "bdeu", "bds"; continuous: "bic-g", "aic-g"; mixed: "bic-cg",
    "aic-cg". tabu: changes that may not be undone. epsilon: smallest improvement that counts.
    """
    name = choose("score", score, _SCORES[data.kind])
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    forbidden = ~allowed & ~np.eye(data.d, dtype=bool)
    with guest("pgmpy/hill-climb", rng):
        from pgmpy.causal_discovery import ExpertKnowledge, HillClimbSearch

        expert = ExpertKnowledge(
            forbidden_edges={(int(i), int(j)) for i, j in np.argwhere(forbidden)},
            required_edges={(int(i), int(j)) for i, j in np.argwhere(required)},
        )
        scorer = _numbered_score(name, data)
        model = HillClimbSearch(
            scoring_method=scorer,
            tabu_length=tabu,
            max_indegree=max_parents,
            expert_knowledge=expert,
            return_type="dag",
            epsilon=epsilon,
            max_iter=max_iter,
            show_progress=False,
        )
        found = model.fit(_frame(data)).causal_graph_
        total = float(scorer.score(found))
    return _graph(data, found, score=total)


@offer(
    "ges",
    "continuous discrete mixed",
    "cpdag",
    caveat="Lists all simple paths at each step: slow on dense graphs.",
    assumes="sufficiency, faithfulness, acyclicity, linearity (continuous), Gaussian noise (continuous)",
)
def ges(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    min_improvement: float = 1e-6,
) -> Graph:
    """Greedily add, delete and turn edges of an equivalence class while the score improves (GES, Chickering 2002).

    score: "auto" (BIC); discrete: "bic-d", "aic-d", "k2", "bdeu", "bds"; continuous: "bic-g", "aic-g"; mixed: "bic-cg",
    "aic-cg".
    """
    name = choose("score", score, _SCORES[data.kind])
    with guest("pgmpy/ges", rng):
        from pgmpy.causal_discovery import GES

        model = GES(scoring_method=_numbered_score(name, data), min_improvement=min_improvement)
        found = model.fit(_frame(data)).causal_graph_
    return _graph(data, found)


@offer(
    "exhaustive",
    "continuous discrete mixed",
    "dag",
    caveat="At most 5 variables (half a minute for 5); directions inside an equivalence class are arbitrary.",
    assumes="sufficiency, acyclicity, linearity (continuous), Gaussian noise (continuous)",
)
def exhaustive(
    data: Table, *, knowledge: Knowledge | None = None, rng: np.random.Generator, score: str = "auto"
) -> Graph:
    """The DAG of the best score among all DAGs, one by one.

    score: as in pgmpy/hill-climb.
    """
    at_most("pgmpy/exhaustive", data, 5, "use pgmpy/hill-climb or causal-learn/exact")
    name = choose("score", score, _SCORES[data.kind])
    with guest("pgmpy/exhaustive", rng):
        from pgmpy.estimators import ExhaustiveSearch

        scorer = _numbered_score(name, data)
        search = ExhaustiveSearch(_frame(data), scoring_method=None if data.kind == "discrete" else "bic-cg")
        search.scoring_method = scorer
        found = search.estimate()
        total = float(scorer.score(found))
    return _graph(data, found, score=total)


@offer(
    "tree",
    "discrete",
    "cpdag",
    caveat="Always a spanning tree (or one with a class on top), however weak its edges: nothing is ever left unjoined.",
    assumes="sufficiency, acyclicity, one parent a variable",
)
def tree(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    kind: str = "chow-liu",
    root: str | None = None,
    class_node: str | None = None,
    weights: str = "mutual_info",
) -> Graph:
    """The spanning tree of greatest mutual information (Chow & Liu 1968), or tree-augmented naive Bayes (1997).

    kind: "chow-liu" (undirected unless root names the column that edges lead away from) or "tan" (directed; class_node
    names the class, root defaults to the first other column). weights: "mutual_info", "adjusted_mutual_info",
    "normalized_mutual_info".
    """
    form = choose("kind", kind, ("chow-liu", "tan"))
    names = ("mutual_info", "adjusted_mutual_info", "normalized_mutual_info")
    measure = choose("weights", weights, names)
    start = None if root is None else column(data, "root", root)
    top = None
    if form == "tan":
        if class_node is None:
            raise NotApplicable("kind='tan' needs the class: pass class_node= the name of its column")
        top = column(data, "class_node", class_node)
        start = (1 if top == 0 else 0) if start is None else start
        if start == top:
            raise NotApplicable(f"root and class_node are both {root!r}; the root is one of the other columns")
    with guest("pgmpy/tree", rng):
        from pgmpy.estimators import TreeSearch

        search = TreeSearch(_frame(data), root_node=start, n_jobs=1)
        found = search.estimate(form, class_node=top, edge_weights_fn=measure, show_progress=False)
    graph = _graph(data, found)
    # without a root the direction away from pgmpy's own choice of one means nothing: a tree's class is undirected
    return graph if start is not None else Graph(data.columns, graph.skeleton)


@offer(
    "mmhc",
    "discrete",
    "dag",
    caveat="Its skeleton binds in one direction only, so edges outside it can appear; its first phase tests nearly all "
    "subsets: at most 12 variables.",
    assumes="sufficiency, faithfulness, acyclicity",
)
def mmhc(
    data: Table,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.01,
    tabu: int = 10,
    equivalent_sample_size: float = 10.0,
) -> Graph:
    """Find each variable's parents and children by tests, then climb on BDeu among them (Tsamardinos et al. 2006).

    alpha: level of the chi-square tests. equivalent_sample_size: of BDeu. tabu: changes that may not be undone.
    """
    share("alpha", alpha)
    at_most("pgmpy/mmhc", data, 12, "use pgmpy/hill-climb")
    with guest("pgmpy/mmhc", rng):
        from pgmpy.estimators import BDeu, MmhcEstimator

        names = [_Name(f"v{j}") for j in range(data.d)]  # its score cannot take numbers
        frame = _frame(data)
        frame.columns = pd.Index(names, dtype=object)
        score = BDeu(frame, equivalent_sample_size=equivalent_sample_size)
        found = MmhcEstimator(frame).estimate(scoring_method=score, tabu_length=tabu, significance_level=alpha)
    adj = np.zeros((data.d, data.d), dtype=bool)
    for cause, effect in found.edges():
        adj[int(cause[1:]), int(effect[1:])] = True
    return Graph(data.columns, adj)
