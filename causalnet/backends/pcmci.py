"""PCMCI+: links between variables and their past by momentary independence, those of now by PC's rules (Runge 2020).

Lagged conditions by PC1, momentary tests over sets of variables of now, colliders by majority; ``contemporaneous=False``
is PCMCI. Partial correlations are compiled from one lagged covariance.

References: Runge et al., Science Advances 5, 2019; Runge, UAI 2020; Benjamini and Hochberg 1995.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..base import memory
from ..base.arrays import Array, Bools
from ..base.checks import flag, one_of, share, whole
from ..data import Series, Table, as_series
from ..errors import DataError
from ..graph import Knowledge, LaggedGraph, PairEvidence
from ..search.lagged.conditions import Conditions, LaggedTests, find_conditions
from ..search.lagged.orientation import orient_now
from ..search.lagged.skeleton import Momentary, find_links, test_all
from ..stats.lagged import LaggedCorrelation, LaggedRcit, lagged_correlation, windows
from ..stats.many_tests import false_discoveries

TAKES = frozenset({"continuous", "series"})
HANDLES = frozenset({"missing"})
GIVES = "digraph"
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "faithfulness", "stationarity", "linearity (partial-correlation)")
TESTS = ("partial-correlation", "rcit")
LAGS = 5  # by default, and fewer where a lag would leave under ROWS_A_LAG rows
ROWS_A_LAG = 20
FEWEST = 4  # windows: with three, no correlation of two columns has a p-value


def learn(
    data: Table | Series,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.05,
    lags: int | None = None,
    contemporaneous: bool = True,
    fdr: bool = True,
    ci_test: str = "partial-correlation",
    max_cond: int | None = None,
    max_seconds: float | None = None,
) -> LaggedGraph:
    """Links whose momentary tests reject at ``alpha``; rows are time steps.

    lags: the largest lag, None for 5 (fewer in short series). contemporaneous: also links within a step. fdr: control the
    false-discovery rate at alpha, over the lagged links and over those of lag 0. ci_test: "partial-correlation", or
    "rcit" for nonlinear dependence. max_cond: largest set of variables of now. rng: "rcit" draws one seed from it.
    max_seconds: stop then; a link that no test has found until then is none, one that no test has separated stays.
    Forbidden pairs are never linked at any lag; a required one without a link gets its strongest lag.
    """
    deadline = math.inf if max_seconds is None else time.monotonic() + max_seconds
    share("alpha", alpha), one_of("ci_test", ci_test, TESTS), flag("fdr", fdr), flag("contemporaneous", contemporaneous)
    series = as_series(data)
    most = LAGS if lags is None else whole("lags", lags, 1)
    if lags is None:
        most = max(1, min(LAGS, series.n // ROWS_A_LAG))
    allowed, required = (knowledge or Knowledge()).compile(series.columns)
    clocks = np.isin(series.columns, series.clocks)
    free = allowed & ~clocks & ~clocks[:, None]
    at = series.rows(2 * most)
    _refuse(series.d, most, len(at))
    used = len(at)
    tests: LaggedTests
    if ci_test == TESTS[0]:
        rho, used = lagged_correlation(series.values, at, 2 * most, (time.monotonic() + deadline) / 2)
        tests = LaggedCorrelation(rho, used)
    else:
        tests = LaggedRcit(windows(series.values, at, 2 * most), series.d, int(rng.integers(2**63)))
    own = np.diag(~clocks)
    lagged = np.repeat((free | own)[None], most + 1, axis=0)
    lagged[0] = False
    conditions = find_conditions(tests, lagged, alpha, deadline)
    momentary = Momentary(tests, conditions, deadline)
    if contemporaneous:
        bounds = Bounds(alpha, fdr, max_cond, deadline)
        links, p, r, facts = _with_now(momentary, conditions, lagged, free, bounds)
    else:
        p, r, done = test_all(momentary, lagged)
        links, facts = _kept(p, lagged, alpha, fdr), {"complete": conditions.complete and done}
    facts["complete"] = facts["complete"] and used == len(at)
    for i, j in np.argwhere(required & ~links.any(axis=0)):
        links[1 + int(np.abs(r[1:, i, j]).argmax()), i, j] = True
    meta: dict[str, Any] = {
        "lags": most, "windows": used, "ci_test": ci_test, "fdr": bool(fdr), "tests": conditions.tests + momentary.made,
        **facts,
    }  # fmt: skip
    every = ~np.eye(series.d, dtype=bool)
    evidence = PairEvidence(series.columns, every, partial(_describe, p, r, links))
    return LaggedGraph.from_links(series.columns, links, np.where(links, r, 0.0), evidence=evidence, meta=meta)


def _refuse(d: int, lags: int, windows: int) -> None:
    """DataError where the windows are too few for any test, or their correlations cannot fit into memory."""
    if windows < FEWEST:
        raise DataError(
            f"{windows} windows of {2 * lags + 1} rows are too few to test anything, and {FEWEST} the fewest; use fewer lags"
        )
    needed, there = 16.0 * (d * (2 * lags + 1)) ** 2, memory.room()
    if needed > there:
        raise DataError(
            f"{d} variables and their last {2 * lags} steps have correlations of {memory.size(needed)}, and "
            f"{memory.size(there)} of memory are free; use fewer lags or variables"
        )


class Bounds(NamedTuple):
    """alpha, fdr, max_cond as in :func:`learn`; deadline: time.monotonic."""

    alpha: float
    fdr: bool
    max_cond: int | None
    deadline: float


def _with_now(
    momentary: Momentary, conditions: Conditions, lagged: Bools, free: Bools, bounds: Bounds
) -> tuple[Bools, Array, Array, dict[str, Any]]:
    """PCMCI+: (links, p, r, facts), the first three (lags + 1, d, d). lagged: the candidates; free: (d, d), those of now."""
    d, alpha = len(free), bounds.alpha
    begin = np.zeros_like(lagged)
    begin[conditions.parent // d, conditions.parent % d, np.repeat(np.arange(d), np.diff(conditions.start))] = True
    begin[0] = free | free.T
    if not conditions.complete:  # of now nothing is tested yet
        begin[0] = False
    found = find_links(momentary, begin, alpha, bounds.max_cond, bounds.deadline)
    p, r = np.where(begin, found.p, conditions.p), np.where(begin, found.r, conditions.r)
    links = found.links.copy()
    if bounds.fdr:
        now = false_discoveries(p[0], np.triu(begin[0]), alpha)
        links &= false_discoveries(p, lagged, alpha)
        links[0] = found.links[0] & (now | now.T)
    oriented = orient_now(momentary, links, free, alpha, bounds.max_cond)
    links[0] = (oriented.directed | oriented.loose | oriented.conflict) & free
    facts = {"conflicts": int(oriented.conflict.sum()) // 2, "ambiguous": oriented.ambiguous}
    return links, p, r, {**facts, "complete": found.complete and conditions.complete}


def _kept(p: Array, tested: Bools, alpha: float, fdr: bool) -> Bools:
    return false_discoveries(p, tested, alpha) if fdr else tested & (p <= alpha)


def warm_up(kind: str) -> None:
    """Compile the tests."""
    learn(as_series(np.random.default_rng(0).standard_normal((60, 2))), rng=np.random.default_rng(0), lags=1)


def _describe(p: Array, r: Array, links: Bools, i: int, j: int) -> dict[str, Any]:
    """The evidence of one pair: of every lag the largest p-value of its tests and the strength beside it."""
    return {"test": "momentary", "p_values": p[:, i, j].tolist(), "strengths": r[:, i, j].tolist(),
            "lags": np.flatnonzero(links[:, i, j]).tolist()}  # fmt: skip
