"""PC: join x and y iff no set of their neighbours separates them, then orient what that implies (Spirtes et al. 2000).

The stable variant (Colombo and Maathuis 2014), colliders by the largest separating p-value (Ramsey 2016): nothing
depends on the column order. Assumes that there are no hidden common causes and that the only independences are those of
the graph (faithfulness); Fisher's z also that the variables are jointly Gaussian. Cost: a compiled test takes nanoseconds
(Gaussian) or about a microsecond (discrete, mixed), a nonlinear one milliseconds; their number grows with the power of
the largest neighbourhood, up to ``max_sets``.

References: Spirtes, Glymour and Scheines, Causation, Prediction, and Search, 2nd ed., 2000; Colombo and Maathuis,
JMLR 15, 2014; Ramsey, arXiv 1610.00378; Li and Wang, JMLR 10, 2009; Meek, UAI 1995.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import Bools
from ...base.checks import flag
from ...data import Counts, Moments, Table, as_table
from ...data.regimes import DEMANDS
from ...datasets.sem import small_table
from ...errors import NotApplicable, warned
from ...graph import Graph, Knowledge, PairEvidence
from ...search.orientation import orient, retest
from ...search.skeleton import Search, find_skeleton
from .choice import Chosen, Test, check_limits, choose_test
from .context import context_knowledge, with_context, without_context
from .telling import Partial, partial_pairs, tell, untested_pairs
from .why import Made, Why

TAKES = frozenset({"continuous", "discrete", "mixed"})
HANDLES = frozenset({"missing", "few rows", "streamed", *DEMANDS})
GIVES = "cpdag"
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "faithfulness", "acyclicity", "linearity (fisher-z)", "Gaussian noise (fisher-z)")
REQUIRES = ()


def learn(
    table: Table | Moments | Counts,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.01,
    ci_test: str | Test = "auto",
    max_cond: int | None = None,
    max_sets: int | None = None,
    fdr: bool = False,
    missing: str = "auto",
    max_seconds: float | None = None,
) -> Graph:
    """The CPDAG by stable PC.

    alpha: a pair is separated iff some p-value exceeds it; with fdr it is the expected share of false edges among those
    found, as far as the largest p-value of a pair is a valid one (Benjamini and Hochberg's step at every level).

    ci_test: "auto" is "fisher-z" on continuous, "chi2" on discrete and "mixed" on mixed tables. "g2" is the likelihood
    ratio of contingency tables, "mixed" that of the degenerate Gaussian (:mod:`causalnet.stats.degenerate_gaussian`),
    "rcit" finds nonlinear dependence at milliseconds a test (:mod:`causalnet.stats.rcit`); the last two take every table.
    Or a function (x, y, z, table) -> p-value of column x against column y given the tuple of columns z.

    max_cond: largest conditioning set, None for no limit. max_sets: sizes of which the neighbours of a variable form more
    sets than this are left out around it. None is 1024, for "rcit" 256, and no limit for a function or where max_cond
    is given. Around a hub that leaves out large sets, whose tests are the weakest: it saves time and helps the answer.
    Pairs that were not tested given all their sets are told: meta["partial"], a warning, and ``explain``.

    missing: "auto" makes each test on the rows that lack none of its variables, their number in the evidence as "n";
    "category" makes a missing category one of its own first; "refuse" refuses. A function sees the table as it is.

    Rows of several regimes are pooled by context (:mod:`causalnet.backends.pc.context`): meta["targets_found"].

    max_seconds: stop testing then; the pairs not yet separated stay joined and meta["complete"] is False. rng: "rcit"
    draws one seed from it.

    ``graph.explain(a, b)`` tells of every pair the test with the largest p-value (for a pair that is not joined, one
    that separated it), its conditioning set and what oriented the edge. How contradictions are settled:
    :mod:`causalnet.search.orientation`.
    """
    deadline = check_limits(alpha, max_cond, max_sets, max_seconds)
    given = table
    if isinstance(table, Table) and table.regimes is not None:
        if ci_test == "fisher-z":
            raise NotApplicable("with regimes the tests take in their column, a category; write ci_test='auto'")
        knowledge, table = context_knowledge(table, knowledge), with_context(table)
    chosen = choose_test(table, ci_test, missing, rng, deadline)
    allowed, required = (knowledge or Knowledge()).compile(table.columns)
    if max_sets is None and max_cond is None:
        max_sets = chosen.max_sets
    # pairs forbidden both ways are never tested
    search = Search(allowed | allowed.T, required | required.T, max_cond, deadline, max_sets, flag("fdr", fdr))
    graph = _learnt(table, chosen, alpha, search, allowed, required)
    warned(graph.meta.get("warnings", []))
    return without_context(graph, given) if isinstance(given, Table) and given.regimes is not None else graph


def _learnt(
    table: Table | Moments | Counts, chosen: Chosen, alpha: float, search: Search, allowed: Bools, required: Bools
) -> Graph:
    """Skeleton, tests of the ends of unshielded triples, orientation."""
    skeleton = find_skeleton(chosen.tests, alpha, search)
    again = retest(chosen.tests, skeleton, search)
    oriented = orient(skeleton, again.triples, ~search.adj, allowed, required)
    records = skeleton.weakest, again.weakest
    partial = partial_pairs(*records)
    meta: dict[str, Any] = {
        "ci_test": chosen.name,
        "alpha": alpha,
        "fdr": search.fdr,
        "tests": skeleton.tests + again.tests,
        "largest_set": skeleton.depth,
        "conflicts": oriented.conflicts,
        "partial": len(partial),
        "complete": skeleton.complete and again.complete,
    }
    if chosen.cells:
        meta["missing"] = {"cells": chosen.cells, "how": chosen.how}
    untested = untested_pairs(skeleton, search.fixed)
    told = tell(table, chosen, skeleton, oriented.dropped, Partial(partial, search.max_sets), untested)
    if told:
        meta["warnings"] = told
    made = Made(table.columns, chosen.name, chosen.bare, chosen.counted, skeleton.alone, records)
    why = Why(made, skeleton.adj, oriented, allowed, required)
    every = np.tri(table.d, k=-1, dtype=bool).T
    return Graph(table.columns, oriented.adj, evidence=PairEvidence(table.columns, every, why), meta=meta)


def warm_up(kind: str) -> None:
    """Compile (or load) what tables of this kind need, on four variables."""
    rng = np.random.default_rng(0)
    known = Knowledge(required=(("x0", "x1"),))
    learn(small_table(kind, rng), rng=rng, knowledge=known, max_seconds=60.0)
