"""The linear DAG that minimises 1/(2n) |X - XW|^2 + l1 |W|_1 subject to W acyclic (NOTEARS, Zheng et al. 2018).

Assumptions: linear effects, no hidden common causes, independent noise of (nearly) equal variance in the units given.
The loss compares columns by their size, so on raw data the answer tends to follow the variances (Reisach et al. 2021,
arXiv 2102.13647): a warning says so when it does, and ``standardize=True`` takes the units out.
Method: the causal order that ``order`` finds, searched on for the same loss with a price for each parent in place of its
weight; then a discrete search that lowers the objective itself by moving single variables in the order, each variable
an exact lasso on those before it. Or, in place of the first step, the papers' own: a continuous descent under a smooth
acyclicity measure, log-det along a central path (DAGMA, Bello et al. 2022, arXiv 2209.08037) or the matrix exponential
in an augmented Lagrangian (Zheng et al. 2018, arXiv 1803.01422). The last search never raises the objective reached
along the order it starts from; ``refine=False`` leaves it out.
Cost: the covariance once, then free of the number of rows; some d^3 in all, with many weights a variable d lassos; the
continuous descents take d^3 an evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from typing import Any

import numpy as np

from ..base.arrays import Array, Bools
from ..base.checks import choose, number, share
from ..data import Moments, Table
from ..data.flaws import refuse_constants
from ..errors import warned
from ..graph import Graph, Knowledge, PairEvidence
from ..search.least_squares_dag import (
    AFFORDABLE,
    Effort,
    Problem,
    augmented_lagrangian,
    central_path,
    cut,
    first_order,
    order_of,
    regress,
)
from ..search.least_squares_dag import refine as refine_order
from ..search.order_search import descend_by_coordinates, predecessors
from ..search.orders import canonical_order, fit_given
from ..stats.dependence import tell_relations
from ..stats.scores import gaussian_score

TAKES = frozenset({"continuous"})
GIVES = "dag"
HANDLES = frozenset({"streamed"})
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "acyclicity", "linearity", "equal noise variances")
REQUIRES = ()
CAVEAT = "On raw data the directions tend to follow the variances of the columns; use standardize=True if units are arbitrary."

_METHODS: dict[str, Callable[..., Array] | None] = {
    "order": None,
    "log-det": central_path,
    "expm": augmented_lagrangian,
}
SMALL = 50  # up to so many variables the descent along the central path is a second start of the search over orders
_LOST, _NEEDLESS = 0.05, 0.2  # shares of edges lost to the penalty, or let in by it, that call for a warning
_CLEAR = 1.1  # times the threshold: a weight clearly above it
_FOLLOWS = 0.8  # share of edges from clearly smaller to clearly larger variance that calls for a warning


def learn(
    data: Table | Moments,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l1: float = 0.02,
    threshold: float = 0.3,
    acyclicity: str = "order",
    standardize: bool = False,
    refine: bool = True,
    tol: float | None = None,
    max_seconds: float | None = None,
) -> Graph:
    """min_W 1/(2n) |X - XW|_F^2 + l1 sum |W_ij| over DAGs, entries with |W_ij| <= threshold dropped.

    l1: weight of the L1 penalty (required edges are free of it). threshold: smallest weight kept; required edges are
    always kept, and it is raised just enough if the rest would hold a cycle (``meta["threshold_used"]``).
    acyclicity: 'order' (a search over orders by score), 'log-det' (central path) or 'expm' (augmented Lagrangian).
    standardize: divide each column by its standard deviation first; weights and threshold are then in standard deviations.
    refine: lower the same objective over variable orders afterwards; after 'order', as far as that takes about a second.
    tol: the continuous descent stops when two steps in a row lower its objective by less than this share (default:
    1e-4 if the search over orders follows, else 1e-6). max_seconds: stop then, with the best so far. Uses no randomness.
    ``meta["objective"]`` is the value reached before the threshold, comparable between settings of equal l1.
    """
    number("l1", l1, 0.0)
    number("threshold", threshold, 0.0)
    choose("acyclicity", acyclicity, _METHODS)
    tol = (1e-4 if refine else 1e-6) if tol is None else share("tol", tol)
    effort = Effort.within(max_seconds)
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    if isinstance(data, Table):
        refuse_constants(data.values, data.columns)
    covariance = np.array(data.correlation if standardize else data.covariance)
    problem = Problem(covariance, np.where(required, 0.0, float(l1)), allowed, required)
    weights = _solve(problem, data, effort, acyclicity, refine, tol)
    adj, used = cut(weights, float(threshold), required)
    raised = f"threshold raised from {threshold:g} to {used:.4g} to remove the cycles that were left"
    notes = tell_relations(data.columns, data.correlation, data.n)
    following = follows_variance(adj, np.diag(data.covariance), data.n)
    if not standardize and effort.complete and data.n > 2 * data.d:
        notes += _unfit(data, problem, weights, adj, float(l1), float(threshold))
    if not standardize and following >= _FOLLOWS:
        notes.append(_by_variance(data, adj, following))
    meta = {
        "objective": problem.objective(weights),
        "acyclicity": acyclicity,
        "l1": float(l1),
        "threshold_used": float(used),
        "standardized": standardize,
        "evaluations": effort.evaluations,
        "order_moves": effort.moves,
        "order_sweeps": effort.sweeps,
        "follows_variance": None if math.isnan(following) else following,
        "complete": effort.complete,
        "warnings": [raised] * (used > threshold) + warned(notes),
    }
    evidence = PairEvidence(data.columns, weights != 0.0, partial(_describe, weights, adj, float(used)))
    return Graph(data.columns, adj, weight=np.where(adj, weights, 0.0), evidence=evidence, meta=meta)


def _solve(problem: Problem, data: Table | Moments, effort: Effort, acyclicity: str, refine: bool, tol: float) -> Array:
    """(d, d) weights of least objective, worked out on the columns in an order that depends on what they hold."""
    place = canonical_order(data.correlation)
    grid, back = np.ix_(place, place), np.ix_(np.argsort(place), np.argsort(place))
    moved = Problem(*(np.ascontiguousarray(part[grid]) for part in astuple(problem)))
    method = _METHODS[acyclicity]
    if method is None:
        affordable = AFFORDABLE if refine else 0.0
        weights = refine_order(moved, first_order(moved, effort, data.n), effort, affordable=affordable)
        if (
            refine and data.d <= SMALL and not effort.over()
        ):  # a second start: there are many local minima off the raw scale
            other = refine_order(moved, central_path(moved, effort, tol=tol), effort)
            weights = min(weights, other, key=moved.objective)
        return weights[back]
    weights = method(moved, effort, tol=tol)
    if refine and not effort.over():
        weights = refine_order(moved, weights, effort)
    return weights[back]


def _unfit(
    data: Table | Moments, problem: Problem, weights: Array, adj: Bools, l1: float, threshold: float
) -> list[str]:
    """Warnings where the penalty does not fit the units of the columns.

    What it should keep is told by grow-shrink regressions along the order of the answer, which no unit touches.
    """
    deviation = np.sqrt(np.diag(data.covariance))
    if deviation.min() >= 0.5 and deviation.max() <= 2.0:  # they are as good as standardised
        return []
    order = order_of(weights, problem.required)
    score = gaussian_score(np.array(data.correlation), data.n, 2.0, max(1, min(data.d - 1, data.n - 3)))
    dag = fit_given(*score, order, problem.allowed, problem.required)
    free = regress(problem.covariance, dag)
    wanted = (np.abs(free) > _CLEAR * threshold) & ~problem.required
    lost = wanted & ~adj
    needless = adj & ~dag & ~problem.required
    notes = []
    for edges, most, what in (
        (lost, _LOST * wanted.sum(), "costs {} edges that regressions along the same order support"),
        (needless, _NEEDLESS * adj.sum(), "leaves {} edges that regressions along the same order do not support"),
    ):
        if edges.sum() > most:
            at = np.unravel_index(np.argmax(np.where(edges, np.abs(free - weights), 0.0)), edges.shape)
            a, b = (data.columns[v] for v in at)
            message = (
                f"the penalty l1={l1:g} does not fit the units of the columns: it {what.format(int(edges.sum()))} ({a} -> {b} "
                f"has {weights[at]:.3g} with and {free[at]:.3g} without it; standard deviations from {deviation.min():.3g} "
                f"to {deviation.max():.3g}); write standardize=True, or an l1 for these units"
            )
            notes.append(message)
    return notes


def follows_variance(adj: Bools, variance: Array, n: int) -> float:
    """Share of the edges of ``adj`` (d, d) that go from a clearly smaller to a clearly larger variance; nan without edges.

    The edge-wise varsortability (Reisach et al. 2021) of the learned graph itself, so it needs no truth. Clearly: the
    logarithms of the two (d,) variances differ by more than two standard errors, 2 sqrt(4 / n) for Gaussian columns.
    """
    edges = int(adj.sum())
    if edges == 0:
        return math.nan
    log = np.log(variance)
    return float((adj & (log[None, :] - log[:, None] > 4.0 / math.sqrt(n))).sum() / edges)


def warm_up(kind: str) -> None:
    """Compile the kernels on a problem of three variables, whatever its size decides elsewhere."""
    problem = Problem(np.eye(3) + 0.5, np.full((3, 3), 0.1), ~np.eye(3, dtype=bool), np.zeros((3, 3), dtype=bool))
    for method in (central_path, augmented_lagrangian):
        refine_order(problem, method(problem, Effort()), Effort())
    first_order(problem, Effort(), 50)
    earlier = predecessors(np.arange(3), problem.allowed)[2]
    descend_by_coordinates(problem.covariance, 2, earlier, problem.penalty[2].copy(), np.zeros(3))


def _describe(weights: Array, adj: Bools, threshold: float, i: int, j: int) -> dict[str, Any]:
    return {"weight": float(weights[i, j]), "threshold": threshold, "kept": bool(adj[i, j])}


def _by_variance(data: Table | Moments, adj: Bools, share: float) -> str:
    deviation = np.sqrt(np.diag(data.covariance))
    small, large = data.columns[int(np.argmin(deviation))], data.columns[int(np.argmax(deviation))]
    return (
        f"{share:.0%} of the {int(adj.sum())} learned edges go from a column of smaller variance to one of larger "
        f"variance (standard deviations from {deviation.min():.3g} in {small!r} to {deviation.max():.3g} in {large!r}): "
        "the directions may say no more than the units do; if the units are arbitrary, write standardize=True"
    )
