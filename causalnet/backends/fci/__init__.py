"""FCI: the partial ancestral graph, which says what causes what though common causes may be hidden (Spirtes et al. 2000).

An edge joins what no set of observed variables separates. Its ends: ``-`` is a cause of the other (directly or by others),
``>`` is no cause of it, ``o`` is left open; so ``<->`` means a hidden common cause, and ``a o-> b`` either that or a -> b.
Assumes that the only independences are those of the graph (faithfulness) and that it is acyclic; with Fisher's z also that
the variables are jointly Gaussian. Skeleton and possible-d-sep do not depend on the column order (FCI-stable), the ends are
marked by Zhang's rules. Cost: the tests of PC, those given sets out of possible-d-sep, and the rules, which are cheap.

References: Spirtes, Glymour and Scheines, Causation, Prediction, and Search, 2nd ed., 2000; Zhang, Artificial Intelligence
172, 2008; Colombo and Maathuis, JMLR 15, 2014; Ogarrio, Spirtes and Ramsey, PGM 2016 (GFCI); Ramsey, Andrews and Spirtes,
arXiv 2510.04263 (BOSS-FCI, LV-Dumb).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.checks import one_of
from ...data import Counts, Moments, Table, as_table
from ...datasets.sem import small_table
from ...errors import warned
from ...graph import Graph, Knowledge, PairEvidence
from ...search.pag import close
from ...search.skeleton import Search
from ..pc.choice import Chosen, Test, check_limits, choose_test
from ..pc.telling import Partial, partial_pairs, tell, untested_pairs
from ..pc.why import Made
from .starts import STARTS, Joined, Setting, draw
from .why import Why

TAKES = frozenset({"continuous", "discrete", "mixed"})
HANDLES = frozenset({"missing", "few rows", "streamed"})
GIVES = "pag"
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("faithfulness", "acyclicity", "linearity (fisher-z)", "Gaussian noise (fisher-z)")
REQUIRES = ()
NO_PAIRS = np.zeros((0, 2), np.int64)


def learn(
    table: Table | Moments | Counts,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.01,
    ci_test: str | Test = "auto",
    start: str = "skeleton",
    max_cond: int | None = None,
    max_sets: int | None = None,
    missing: str = "auto",
    max_seconds: float | None = None,
) -> Graph:
    """The PAG by FCI; ``graph.marks`` holds the ends of its edges.

    alpha, ci_test, max_cond, max_sets, missing: as in ``pc`` (:mod:`causalnet.backends.pc`). Without max_cond, and with
    enough max_sets, the search is complete; with the oracle of independence it then gives the true PAG. A smaller max_cond
    or max_seconds leaves pairs joined that larger sets would separate (anytime FCI: Spirtes 2001): what is apart is apart.

    start: "skeleton" begins as PC does. "order" begins from the DAG that the order search finds, takes from it what tests
    separate, and reads colliders from it where it can (GFCI with BOSS; the better ends at a few hundred rows). "dag" makes no
    test at all and returns the PAG of that DAG's class, as if nothing were hidden (LV-Dumb): the fastest; it never finds a
    hidden common cause behind an edge, but leaves its ends open where there may be one.

    knowledge: an edge of a PAG speaks of causes near and far. So forbidden=[(a, b)] and tiers mean that a is no cause of b
    where the two are joined: an arrowhead at a. A required a -> b is joined by a tail at a and an arrowhead at b. Roots have
    no hidden causes either. Pairs forbidden both ways by name stay apart; two leaves may have a hidden common cause.

    max_seconds: stop then: pairs not yet separated stay joined, and meta["complete"] is False. The other starts join no more
    than the order search has by then, so that of theirs what is apart says nothing yet. rng: "rcit" and the order search
    draw one seed each.

    ``graph.explain(a, b)`` tells the test with the largest p-value and which rule gave each end. meta: "ci_test", "tests",
    "largest_set" (tested, or ruled out by a bound), "possible_d_sep" (pairs that only those sets separated), "conflicts"
    (ends left open because the tests contradict one another), "complete".
    """
    deadline = check_limits(alpha, max_cond, max_sets, max_seconds)
    begin = STARTS[one_of("start", start, tuple(STARTS))]
    chosen = choose_test(table, ci_test, missing, rng, deadline)
    known = knowledge or Knowledge()
    ends, (_, required) = known.ends(table.columns), known.compile(table.columns)
    if max_sets is None and max_cond is None:
        max_sets = chosen.max_sets
    search = Search(~ends.apart, required | required.T, max_cond, deadline, max_sets)
    setting = Setting(table, chosen.tests, alpha, search, ends, known, rng, missing)
    graph = _marked(setting, chosen, begin(setting), start)
    warned(graph.meta.get("warnings", []))
    return graph


def _marked(setting: Setting, chosen: Chosen, joined: Joined, start: str) -> Graph:
    """The ends of what is joined, and what is told of it."""
    ends = draw(joined.adj, setting, joined.separators)
    complete = close(ends, joined.separators, setting.search.deadline)
    skeleton, second, search = joined.skeleton, joined.second, setting.search
    meta: dict[str, Any] = {"start": start, "alpha": setting.alpha, "conflicts": int(ends.stuck.sum())}
    columns, made = setting.data.columns, None
    if skeleton is not None and second is not None:
        records = skeleton.weakest, second.weakest
        partial = partial_pairs(*records)
        meta |= {
            "ci_test": chosen.name,
            "tests": skeleton.tests + second.tests,
            "largest_set": max(skeleton.depth, second.depth),
            "possible_d_sep": int((skeleton.adj & ~second.adj).sum()) // 2,
            "partial": len(partial),
        }
        complete &= skeleton.complete and second.complete
        untested = untested_pairs(skeleton, search.fixed)
        told = tell(setting.data, chosen, skeleton, NO_PAIRS, Partial(partial, search.max_sets), untested)
        meta |= {"warnings": told} if told else {}
        if chosen.cells:
            meta["missing"] = {"cells": chosen.cells, "how": chosen.how}
        made = Made(columns, chosen.name, chosen.bare, chosen.counted, skeleton.alone, records)
    if joined.order is not None:
        meta["order"] = {name: joined.order[name] for name in ("score", "score_name", "rounds") if name in joined.order}
        complete &= bool(joined.order["complete"])
    spared = None if second is None else second.spared
    why = Why(columns, made, spared, ends.rule, joined.adj, setting.ends.apart, search.fixed)
    number = np.arange(len(columns))
    evidence = PairEvidence(columns, number[:, None] < number, why)
    meta["complete"] = complete
    return Graph(columns, marks=ends.marks, evidence=evidence, meta=meta)


def warm_up(kind: str) -> None:
    """Compile (or load) what the default start needs for tables of this kind, on four variables; the order search, which
    the other starts begin with, compiles when it is first asked for."""
    rng = np.random.default_rng(0)
    learn(small_table(kind, rng), rng=rng)
