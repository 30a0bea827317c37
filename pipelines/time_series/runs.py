"""What each method makes of a series, and how far its links are from the true ones."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from causalnet import Graph, LaggedGraph, Table, as_table, edge_confidence
from causalnet.base.arrays import Array, Bools
from causalnet.datasets.autoregression import lagged_series
from causalnet.graph.lagged_metrics import score_lags
from causalnet.stats.many_tests import false_discoveries
from pipelines.interventions.runs import measure

LAGS, ALPHA = 5, 0.05
FIXED = range(1, LAGS + 1)  # lags that granger is also given
PEERS = ("tigramite/pcmci", "tigramite/pcmci-plus")
VAR = "VAR, each coefficient"
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "pcmci": ("pcmci", {}),
    "pcmci, past only": ("pcmci", {"contemporaneous": False}),
    "granger": ("granger", {"instantaneous": False}),
    **{f"granger, lags={k}": ("granger", {"instantaneous": False, "lags": k}) for k in FIXED},
    "tigramite PCMCI": ("tigramite/pcmci", {"alpha": ALPHA, "lags": LAGS}),
    "tigramite PCMCI+, .05": ("tigramite/pcmci-plus", {"alpha": ALPHA, "lags": LAGS}),
    "tigramite PCMCI+, .01": ("tigramite/pcmci-plus", {"alpha": 0.01, "lags": LAGS}),
    VAR: ("", {}),
    "VAR-LiNGAM": ("causal-learn/var-lingam", {"lags": LAGS}),
}
CURVED = {
    "pcmci, rcit": ("pcmci", {"ci_test": "rcit"}),
    "pcmci, rcit, past only": ("pcmci", {"ci_test": "rcit", "contemporaneous": False}),
}


@dataclass
class Run:
    """What one method made of one series. summary, lagged: F1 of ordered pairs, and of (cause, lag, effect); CPU seconds.

    same: are the links those of the peer? 1 or 0. p: how often resamples of blocks hold the edge.
    """

    task: str = field(default="", kw_only=True)
    problem: str
    method: str
    seed: int = field(default=0, kw_only=True)
    summary: float | None = None
    lagged: float | None = None
    cpu: float | None = None
    same: float | None = None
    p: float | None = None
    note: str = ""


class Problem(NamedTuple):
    """n rows of a sparse autoregression of d variables (:func:`causalnet.datasets.autoregression.lagged_series`)."""

    d: int = 10
    n: int = 1000
    nonlinear: bool = False

    def __str__(self) -> str:
        return f"{'nonlinear, ' if self.nonlinear else ''}d={self.d}, {self.n} rows"


def draw(problem: Problem, seed: int) -> tuple[Table, LaggedGraph]:
    """The rows in order of time, and the true links."""
    rng = np.random.default_rng([seed, zlib.crc32(str(problem).encode())])
    series, truth = lagged_series(rng, **problem._asdict())
    return as_table(series.values, names=list(series.columns)), truth


@cache
def prepare() -> None:
    """Import and compile what every method needs, so that no time counts it."""
    data = draw(Problem(3, 60), 0)[0]
    for name, (backend, params) in METHODS.items():
        learnt(data, name, backend, params)


def learnt(
    data: Table, name: str, backend: str, params: dict[str, Any]
) -> tuple[Graph | Bools | None, float | None, str]:
    """The graph (of VAR the links), CPU seconds, or why there is none."""
    if name == VAR:
        return coefficients(data.values), None, ""
    return measure(data, backend, **params)


def coefficients(values: Array) -> Bools:
    """(lags + 1, d, d) links of a least-squares autoregression, its order by BIC: coefficients whose t tests stand a
    false-discovery rate of 0.05 over all of them."""
    from statsmodels.tsa.api import VAR as Autoregression

    d = values.shape[1]
    fit = Autoregression(values).fit(LAGS, ic="bic")
    links = np.zeros((LAGS + 1, d, d), bool)
    if fit.k_ar:
        p = np.asarray(fit.pvalues)[1:].reshape(fit.k_ar, d, d)  # [lag, cause, effect]
        links[1 : fit.k_ar + 1] = false_discoveries(p, np.ones(p.shape, bool), ALPHA)
    return links


def contest(problem: Problem, seed: int) -> Iterator[Run]:
    """Every method on one series."""
    prepare()
    data, truth = draw(problem, seed)
    for name, (backend, params) in {**METHODS, **(CURVED if problem.nonlinear else {})}.items():
        graph, cpu, note = learnt(data, name, backend, params)
        run = Run(str(problem), name, cpu=cpu, note=note)
        if graph is not None:
            run.summary, run.lagged = judged(truth, graph)
        yield run


def judged(truth: LaggedGraph, found: Graph | Bools) -> tuple[float, float | None]:
    """(F1 of the summary of lagged links, F1 of lagged links); of a method without lags only the first."""
    if isinstance(found, LaggedGraph):
        told = score_lags(truth, found)
        return told["summary_f1"], told["lagged_f1"]
    if isinstance(found, Graph):
        one_lag = np.stack([np.zeros_like(found.adj), found.adj])
        return score_lags(truth, LaggedGraph.from_links(found.nodes, one_lag))["summary_f1"], None
    told = score_lags(truth, LaggedGraph.from_links(truth.nodes, found))
    return told["summary_f1"], told["lagged_f1"]


def same_links(problem: Problem, seed: int) -> Iterator[Run]:
    """pcmci and tigramite on one series at the same levels: are all links the same, those of now with their directions?"""
    data, _ = draw(problem, seed)
    with_now = {"alpha": ALPHA, "lags": LAGS, "fdr": False}
    past = {"alpha": ALPHA, "lags": LAGS, "contemporaneous": False}
    for peer, params in (("tigramite/pcmci-plus", with_now), ("tigramite/pcmci", past)):
        own, _, _ = measure(data, "pcmci", **params)
        theirs, _, note = measure(data, peer, alpha=ALPHA, lags=LAGS)
        run = Run(str(problem), f"pcmci as {peer}", note=note)
        if theirs is not None:
            run.same = float(own == theirs)
        yield run


def doubt(rows: int, seed: int) -> Iterator[Run]:
    """x -> y at lag 1: how often blocks of the series show it."""
    rng = np.random.default_rng([seed, rows])
    x, y = np.zeros((2, rows))
    for t in range(1, rows):
        x[t] = 0.5 * x[t - 1] + rng.standard_normal()
        y[t] = 0.3 * y[t - 1] + 0.6 * x[t - 1] + rng.standard_normal()
    data = as_table(np.column_stack([x, y]), names=["x", "y"])
    for backend in ("pcmci", "granger"):
        found = edge_confidence(data, backend, n=50)
        seen = found.directed if found.links is None else found.links[1]
        yield Run(f"x -> y, {rows} rows", backend, p=float(seen[0, 1]))
