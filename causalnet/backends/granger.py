"""Granger causality: j -> i where j's past improves the forecast of i beyond everyone else's past (Granger 1969).

A vector autoregression x_t = c + sum_l B_l x_{t-l} + e_t; for each ordered pair the F test of B_1..B_p[i, j] = 0, with
the false-discovery rate controlled over all pairs (Benjamini, Hochberg 1995). Effects quicker than one step leave no
lag to test: significant partial correlations of the residuals are shown as undirected edges (Dahlhaus, Eichler 2003).

Assumes: rows in order of time, equally spaced, linear, no unrecorded common driver. An event log is counted in bins.
Cost: one least squares with d * lags regressors per lag order tried.
Reference: Granger, "Investigating causal relations by econometric models and cross-spectral methods", Econometrica 37
(1969) 424-438; Luetkepohl, "New introduction to multiple time series analysis" (2005), section 3.6.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..base.checks import share, whole
from ..data import Events, Series, Table, as_series
from ..data.flaws import refuse_constants
from ..errors import DataError, warned
from ..graph import Graph, Knowledge, PairEvidence
from ..stats.lagged import windows
from ..stats.many_tests import false_discoveries
from ..stats.repeats import span

TAKES = frozenset({"continuous", "series", "events"})
GIVES = "digraph"
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "linearity", "stationarity")
CAVEAT = "rows are read as time steps; shuffled rows leave only the undirected, instantaneous edges"
LEVEL = 0.01  # of the coefficients that decide the number of lags
TINY = 1e-300
BINS = 2000  # default number of bins of an event log
COPIED = 2e-8  # seconds for a number of the past, copied and centred a few times
MEASURED = 0.03  # seconds: some clocks tick by four thousandths
TRIED = 200  # columns of a matrix whose inversion tells how long larger ones take


def learn(
    data: Table | Series | Events,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    alpha: float = 0.05,
    lags: int | None = None,
    max_lags: int = 5,
    bin_width: float | None = None,
    instantaneous: bool = True,
    max_seconds: float | None = None,
) -> Graph:
    """Directed edges where the lagged F test rejects at false-discovery rate ``alpha``; rows are time steps.

    lags: order of the autoregression; None: the largest lag up to max_lags of which a coefficient, in the autoregression
    that ends there, stands Bonferroni's correction: a criterion that pays for d^2 coefficients a lag loses sparse ones.
    bin_width: seconds per bin of an event log; None: a two-thousandth of its span. Bins sum over devices.
    instantaneous: also join pairs whose residuals correlate given all others (undirected), at the same rate.
    weight[j, i]: sum of the lagged coefficients B_l[i, j]. max_seconds: no more lags than can be fitted until then, which
    is told; where not even one can, no edges but the required ones. rng is not used.
    """
    clock = Clock(math.inf if max_seconds is None else time.monotonic() + max_seconds)
    share("alpha", alpha), whole("max_lags", max_lags, 1)
    if lags is not None:
        whole("lags", lags, 1)
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    values, width, rows = _series(data, bin_width)
    if rows.clocks:
        named = np.isin(data.columns, rows.clocks)
        allowed = allowed & ~named & ~named[:, None]
    d = len(data.columns)
    moving = np.flatnonzero(np.nanstd(values, axis=0) > 0)  # a type that never occurs keeps its row and has no edges
    p_value, total, at_once = np.ones((d, d)), np.zeros((d, d)), np.ones((d, d))
    order = 0
    if len(moving) > 1:
        seen, spot = values[:, moving], np.ix_(moving, moving)
        order = clock.affordable(seen, lags or max_lags, 1.0 if lags else 0.5)
        order = order if lags or not order else clock.affordable(seen, _order(seen, order, rows))
        if order:
            p_value[spot], total[spot], at_once[spot] = lagged_tests(seen, order, rows.rows(order))
    lagged = false_discoveries(p_value, allowed & ~required, alpha)
    adj = required | lagged
    together = free = np.zeros((d, d), dtype=bool)
    if instantaneous:
        either = np.triu((allowed | allowed.T) & ~(required | required.T), 1)
        together = false_discoveries(at_once, either, alpha)
        free = (together | together.T) & ~(adj | adj.T)
        adj = adj | (free & allowed)
    meta: dict[str, Any] = {
        "lags": int(order),
        "steps": len(rows.rows(0)),
        "tests": int((allowed & ~required).sum()),
        "bin_width": width,
        "instantaneous_edges": int(together.sum()),
        "complete": not clock.short,
    }
    if clock.short:
        meta["warnings"] = warned([f"max_seconds was enough for {order} lags only"])
    evidence = PairEvidence(data.columns, allowed | required, partial(_describe, p_value, at_once, total, free))
    return Graph(data.columns, adj, weight=np.where(adj, total, 0.0), evidence=evidence, meta=meta)


def warm_up(kind: str) -> None:
    """Import the libraries of the tests."""
    false_discoveries(
        lagged_tests(np.random.default_rng(0).standard_normal((20, 2)), 1)[0], ~np.eye(2, dtype=bool), 0.05
    )


def lagged_tests(values: Array, lags: int, at: Ints | None = None) -> tuple[Array, Array, Array]:
    """F tests that all ``lags`` coefficients of j in the equation of i vanish; values (n, d), rows are time steps.

    at: the rows whose past is read; None: all that have one. Returns p (d, d), [j, i] for j -> i; the sums of those coefficients (d, d); and the p-values (d, d) of the partial
    correlations of the residuals. The Wald statistic b' V^-1 b / lags is referred to F(lags, n - lags - d * lags - 1).
    """
    from scipy import stats

    d = values.shape[1]
    at = np.arange(lags, len(values)) if at is None else at
    coefficient, inverse, residual, dof = _fit(values, lags, at)
    noise = (residual**2).sum(axis=0) / dof  # (d,) residual variances
    p_value = np.ones((d, d))
    for j in range(d):
        rows = 1 + j + d * np.arange(lags)
        precision = np.linalg.pinv(inverse[np.ix_(rows, rows)], hermitian=True)
        b = coefficient[:, j, :]  # (lags, d)
        wald = np.einsum("le,lm,me->e", b, precision, b) / np.maximum(noise, TINY)
        p_value[j] = stats.f.sf(wald / lags, lags, dof)
    np.fill_diagonal(p_value, 1.0)
    scale = np.nanstd(values, axis=0)
    total = coefficient.sum(axis=0) * scale[None, :] / scale[:, None]
    return p_value, total, _residual_tests(residual, dof)


def _residual_tests(residuals: Array, dof: int) -> Array:
    """(d, d) p-values of Fisher's z for the partial correlation of each pair of residuals given all others."""
    from scipy import stats

    inverse = np.linalg.pinv(np.corrcoef(residuals, rowvar=False), hermitian=True)
    scale = np.sqrt(np.diag(inverse))
    rho = np.clip(-inverse / np.outer(scale, scale), -1.0 + 1e-12, 1.0 - 1e-12)
    z = np.arctanh(rho) * math.sqrt(max(dof - len(rho) - 1, 1))
    p: Array = 2.0 * stats.norm.sf(np.abs(z))
    np.fill_diagonal(p, 1.0)
    return p


def _fit(values: Array, lags: int, at: Ints) -> tuple[Array, Array, Array, int]:
    """(coefficients [lag, cause, effect], inverse Gram matrix, residuals, degrees of freedom) of standardised columns.

    Columns that others determine share their coefficients (the pseudo-inverse), so that copies and sums have an answer.
    """
    d = values.shape[1]
    dof = len(at) - d * lags - 1
    if dof < 2:
        raise DataError(
            f"{len(at) + lags} time steps are too few for {d} series with {lags} lags: need at least {lags + d * lags + 3}; "
            "use fewer lags or variables, or narrower bins"
        )
    seen = windows((values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0), at, lags)
    past = np.column_stack([np.ones(len(at)), seen[:, d:]])  # (m, 1 + d * lags)
    inverse = np.linalg.pinv(past.T @ past, rcond=1e-12, hermitian=True)
    slopes = inverse @ (past.T @ seen[:, :d])
    return slopes[1:].reshape(lags, d, d), inverse, seen[:, :d] - past @ slopes, dof


def _order(values: Array, max_lags: int, rows: Rows) -> int:
    """The largest lag of which the autoregression that ends there has a coefficient that a correction over all lags keeps
    at LEVEL; at least 1. So no lag is judged beside the many coefficients of later ones."""
    from scipy import stats

    d = values.shape[1]
    most = min(max_lags, (len(values) - 3) // (d + 1) // 2)
    for order in range(most, 1, -1):
        coefficient, inverse, residual, dof = _fit(values, order, rows.rows(order))
        variance = np.maximum((residual**2).sum(axis=0) / dof, TINY)
        spread = np.sqrt(np.maximum(np.diag(inverse)[-d:, None] * variance, TINY))
        p = 2.0 * stats.t.sf(np.abs(coefficient[-1]) / spread, dof)
        if (p <= LEVEL / (p.size * most)).any():
            return order
    return 1


class Clock:
    """How many lags there is time for. until: time.monotonic; short: were they fewer than wanted?"""

    def __init__(self, until: float) -> None:
        self.until, self.short = until, False

    def affordable(self, values: Array, wanted: int, part: float = 1.0) -> int:
        """The most lags, up to those wanted, whose fit of d series of n steps (n, d) ends in this part of the time left."""
        if self.until == math.inf:
            return wanted
        n, d = values.shape
        left = part * (self.until - time.monotonic())
        table = np.random.default_rng(0).standard_normal((TRIED, TRIED))
        np.linalg.pinv(table @ table.T, hermitian=True)  # sets the library up
        begun, tries, spent = time.monotonic(), 0, 0.0
        while spent < MEASURED:
            np.linalg.pinv(table @ table.T, hermitian=True)
            tries, spent = tries + 1, time.monotonic() - begun
        a_step = spent / tries / TRIED**3  # of k columns k^3 for the inverse, and n k^2 / 8 for products
        for lags in range(wanted, 0, -1):
            k = d * lags + 1
            if a_step * (k**3 + n * k**2 / 8) + COPIED * n * k < left:
                self.short |= lags < wanted
                return lags
        self.short = True
        return 0


class Rows(NamedTuple):
    """rows(depth): the time steps with so many before them. clocks: columns that get no edges."""

    rows: Callable[[int], Ints]
    clocks: tuple[str, ...] = ()


def _series(data: Table | Series | Events, bin_width: float | None) -> tuple[Array, float | None, Rows]:
    """(steps, d) values in order of time, the bin width in seconds for an event log, and the steps that can be read."""
    if isinstance(data, Events):
        seconds = span(data.time)
        width = seconds / BINS if bin_width is None else float(bin_width)
        binned = data.binned(width).to_numpy(dtype=np.float64)
        return binned, width, Rows(lambda depth: np.arange(depth, len(binned)))
    if bin_width is not None:
        raise DataError("bin_width is for event logs; the rows of a table are its time steps already")
    refuse_constants(data.values, data.columns)
    series = as_series(data)
    return np.array(series.values, dtype=np.float64), None, Rows(series.rows, series.clocks)


def _describe(p_value: Array, at_once: Array, total: Array, free: Bools, j: int, i: int) -> dict[str, Any]:
    """The evidence of one pair, from the (d, d) arrays of the tests. free: (d, d) bool, joined at once alone."""
    lagged, instant = float(p_value[j, i]), float(at_once[min(j, i), max(j, i)])
    found: dict[str, Any] = {"test": "F test on the lags", "p_value": lagged, "instantaneous_p_value": instant}
    if free[j, i]:
        found = {"test": "correlation of what the lags leave", "p_value": instant, "lagged_p_value": lagged}
    return found | {"lagged_effect": float(total[j, i])}
