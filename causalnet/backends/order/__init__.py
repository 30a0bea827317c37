"""The equivalence class of the DAG that minimises a local score, searched over causal orders.

Numbers: sum_v n ln s2(v | parents) + price |parents|, s2 the residual variance of the linear Gaussian model; the price is
that of the extended BIC. Blind to units: only the correlations enter. Categories: fNML, qNML, BIC or BDeu of the counts
(:mod:`causalnet.stats.scores.discrete`); fNML, which had the least SHD on seven families of random networks, differs a
little between members of an equivalence class. Both: the conditional Gaussian (:mod:`causalnet.stats.scores.conditional`), or,
where cells are missing or rows are very many, the degenerate one (:mod:`causalnet.stats.scores.blocks`). Missing
cells: EM of the covariance, or of the network; columns may be more than the rows. Regimes: each variable is scored on the
rows in which it was left alone, numbers centred within regimes; the answer is the I-essential graph; targets that are not known are found by the
score of numbers (:mod:`causalnet.search.targets`). Method: :mod:`causalnet.search.orders`.
Cost: for each round of the search some hundred refits of one variable; the covariance once, then free of the number of
rows, or a count of the rows for every set of parents that is new.

References: Teyssier and Koller, UAI 2005; Schwarz, Annals of Statistics 6, 1978; Foygel and Drton, NeurIPS 2010;
Cooper and Yoo, UAI 1999, Hauser and Bühlmann, JMLR 13, 2012 (regimes); Heckerman, Geiger and Chickering, Machine Learning 20, 1995; Silander, Roos, Kontkanen and Myllymäki, PGM 2008 (fNML); Andrews, Ramsey and Cooper, KDD-CD 2019; Andrews et al.,
NeurIPS 2023 (BOSS); Wienöbst, Henckel and Weichwald, arXiv 2510.04970 (FLOP).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial

import numpy as np

from ...base.arrays import Bools, Ints
from ...base.checks import number, one_of, whole
from ...base.clock import now
from ...data import Counts, Moments, Table, as_table
from ...datasets.sem import small_table
from ...errors import DataError
from ...graph import Graph, Knowledge, PairEvidence
from ...graph.interventional import essential_graph
from ...search.orders import Found, Near, canonical_order, reorder, search_orders
from .choice import Choice, Settings, choose_score
from .evidence import Why, turned
from .near import near_ties
from .regimes import choose_by_regime

TAKES = frozenset({"continuous", "discrete", "mixed"})
GIVES = "cpdag"
KNOWLEDGE = frozenset({"forbidden", "required"})
HANDLES = frozenset({"missing", "few rows", "streamed", "regimes", "regimes of categories"})
REQUIRES = ()
ASSUMES = (
    "sufficiency",
    "faithfulness",
    "acyclicity",
    "linearity (continuous and mixed tables)",
    "Gaussian noise (continuous and mixed tables)",
    "missing at random (missing cells)",
)
CAVEAT = "The score says nothing about directions within an equivalence class."
SCORES = ("auto", "bic", "fnml", "qnml", "bdeu", "mixed", "conditional")
MISSING = ("auto", "em", "category", "refuse")
UNCOUNTED = 1e29  # a score from here up has a variable whose required causes have too many configurations


def learn(
    data: Table | Moments | Counts,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    penalty: float | None = None,
    ess: float = 1.0,
    restarts: int = 20,
    max_parents: int | None = None,
    missing: str = "auto",
    max_seconds: float | None = None,
) -> Graph:
    """The CPDAG of the DAG of least score that was met, with the knowledge's orientations.

    score: "auto" is "bic" on continuous tables, the linear Gaussian one, "fnml" on discrete ones, and on mixed ones
    "conditional", which sees how categories change slopes, or "mixed", the degenerate Gaussian, where cells are missing, rows
    times squared columns are above 2e7 (it takes the other kinds too), or the graph found says that effects add up
    (:mod:`causalnet.backends.order.additive`; meta["additive"]). penalty: of one free number in units of ln n, with fNML
    and "conditional" of one parent in units of 2 ln d; None for the extended BIC, which is 2 on continuous tables of few columns,
    for 1 on discrete tables and for 2 with "conditional". ess: equivalent sample size (BDeu). restarts: how often the best order is perturbed: restarts * 6 rounds up to 12 variables,
    restarts * ceil(d / 20) up to 200, restarts * ceil(sqrt(200 d) / 20) of more. max_parents:
    None for no limit but one parent for three rows (numbers). missing: "auto" or "em", EM of the covariance, or of
    the network where all columns are categories; "category", a state of its own where a category is missing; "refuse".
    max_seconds: stop then, with the best so far and meta["complete"] False; of tables of categories with too many rows for that
    time a sample is used, meta["rows_used"] of them. rng: one seed is drawn from it.

    ``graph.explain(a, b)`` tells by how much the score would rise without the edge, or with it, and if it were
    reversed; "near_tie" and the cheapest "alternative" where graphs of nearly the same score disagree on the pair. meta:
    "score", "score_name", "rounds", "refits", "near_ties": {"graphs": how many equivalence classes within 2 units of the
    least score are known, the best included, "disagree": the pairs [a, b] that are not joined, or not directed, alike in all
    of them}. Known are the graphs that the rounds of the search ended in and those that differ from the best DAG in one edge,
    not every class that there is (:mod:`causalnet.backends.order.near`). With regimes, "regimes": their rows,
    "targets": {regime: variables}, and "targets_found": of which regimes they were found. "missing": what was done about how
    many cells, and "warnings", which are raised as UserWarning too: columns that others determine, states too rare to be
    told apart, columns never observed together.
    """
    seed = int(rng.integers(2**63))
    asked = Settings(
        score=one_of("score", score, SCORES),
        penalty=None if penalty is None else number("penalty", penalty, above=0.0),
        ess=number("ess", ess, above=0.0),
        most=None if max_parents is None else whole("max_parents", max_parents, 1),
        missing=one_of("missing", missing, MISSING),
        seed=seed,
        deadline=math.inf if max_seconds is None else now() + max_seconds,
    )
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    if isinstance(data, Table) and data.regimes is not None:
        chosen = choose_by_regime(data, asked, allowed, required)
    else:
        chosen = choose_score(data, asked)
    wanted = required.sum(axis=0).max(initial=0)
    if wanted > max(1, chosen.most):
        raise DataError(f"the knowledge requires {wanted} causes of one variable, and at most {chosen.most} fit here")
    restarts = whole("restarts", restarts, 0)
    found, place, dag = _search(chosen, allowed, required, restarts, asked)
    if found.score > UNCOUNTED:
        raise DataError("the required causes of a variable have more configurations than can be counted; require fewer")
    rival = chosen.rival(dag) if found.complete else None
    if rival is not None and required.sum(axis=0).max(initial=0) <= rival.most:
        other, order, better = _search(rival, allowed, required, restarts, asked)
        if other.complete:
            chosen, found, place, dag = rival, other, order, better
    return _tell(data, chosen, found, place, dag, allowed, required, asked.deadline)


def _search(
    chosen: Choice, allowed: Bools, required: Bools, restarts: int, asked: Settings
) -> tuple[Found, Ints, Bools]:
    """What was found with the columns in the order ``place`` (d,), that order, and the DAG (d, d) in their own."""
    place = canonical_order(chosen.near)
    found = search_orders(
        *chosen.compiled(place),
        reorder(chosen.near, place),
        reorder(allowed, place),
        reorder(required, place),
        restarts=restarts,
        seed=asked.seed,
        max_seconds=max(0.0, asked.deadline - now()),
        ties=True,
    )
    return found, place, reorder(found.dag, np.argsort(place))


def _tell(
    data: Table | Moments | Counts,
    chosen: Choice,
    found: Found,
    place: Ints,
    dag: Bools,
    allowed: Bools,
    required: Bools,
    deadline: float,
) -> Graph:
    """A graph with its evidence. place: (d,), the order of the columns in ``found``; dag: (d, d) in their own."""
    apart = np.zeros_like(allowed) if chosen.apart is None else chosen.apart
    why = Why(data.columns, chosen.exact, dag, allowed, required, {}, chosen.told.get("targets", {}))
    near = [Near(rise, place[toggled]) for rise, toggled in found.near] + turned(why, apart)
    ties = near_ties(near, dag, allowed, apart, deadline)
    meta = chosen.told | {
        "score": found.score,
        "rounds": found.rounds,
        "refits": found.refits,
        "near_ties": {
            "graphs": ties.graphs,
            "disagree": [[data.columns[i], data.columns[j]] for i, j in sorted(ties.others)],
        },
        "complete": found.complete and "rows_used" not in chosen.told,
    }
    meta |= _warn(chosen.warnings)
    why = replace(why, others=ties.others)
    evidence = PairEvidence(data.columns, np.triu(np.ones_like(allowed), 1), partial(Why.__call__, why))
    return Graph(data.columns, essential_graph(dag, apart, allowed), evidence=evidence, meta=meta)


def _warn(sentences: list[str]) -> dict[str, list[str]]:
    """Raise each as a UserWarning; what ``meta`` says of them."""
    for sentence in sentences:
        warnings.warn(sentence, UserWarning, stacklevel=4)
    return {"warnings": sentences} if sentences else {}


def warm_up(kind: str) -> None:
    """Compile (or load) what tables of this kind need, on four variables."""
    rng, known = np.random.default_rng(0), Knowledge(required=(("x0", "x1"),))
    table = small_table(kind, rng)
    learn(table, rng=rng, knowledge=known, restarts=1)
    if kind == "mixed":  # a gap calls for the other score
        gaps = table.values.copy()
        gaps[0, 3] = np.nan
        learn(as_table(gaps, discrete=["x0"]), rng=rng, knowledge=known, restarts=1)
