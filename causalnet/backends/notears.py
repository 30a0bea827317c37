"""The linear DAG that minimises 1/(2n) |X - XW|^2 + l1 |W|_1 subject to W acyclic (NOTEARS, Zheng et al. 2018).

Assumptions: linear effects, no hidden common causes, independent noise of (nearly) equal variance in the units given.
The loss compares columns by their size, so on raw data the answer tends to follow the variances (Reisach et al. 2021,
arXiv 2102.13647): a warning says so when it does, and ``standardize=True`` takes the units out.
Method: a continuous descent under a smooth acyclicity measure, log-det along a central path (DAGMA, Bello et al. 2022,
arXiv 2209.08037) or the matrix exponential in an augmented Lagrangian (Zheng et al. 2018, arXiv 1803.01422), then a
discrete search that lowers the same objective by moving single variables in the causal order, each variable an exact
lasso on those before it. The search never raises the objective reached along the order it starts from; it is not part
of the papers, and ``refine=False`` leaves it out.
Cost: the covariance once, then free of the number of rows; about d^3 an evaluation and d^2 lassos a sweep.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..base.arrays import Array, Bools
from ..base.checks import choose, number, share
from ..data import Moments, Table
from ..data.tables import refuse_constants
from ..graph import Graph, Knowledge, PairEvidence
from ..search.least_squares_dag import Effort, Problem, augmented_lagrangian, central_path, cut
from ..search.least_squares_dag import refine as refine_order

TAKES = frozenset({"continuous"})
GIVES = "dag"
HANDLES = frozenset({"streamed"})
KNOWLEDGE = frozenset({"forbidden", "required"})
ASSUMES = ("sufficiency", "acyclicity", "linearity", "equal noise variances")
REQUIRES = ()
CAVEAT = "On raw data the directions tend to follow the variances of the columns; use standardize=True if units are arbitrary."

_METHODS: dict[str, Callable[..., Array]] = {"log-det": central_path, "expm": augmented_lagrangian}
_FOLLOWS = 0.8  # share of edges from clearly smaller to clearly larger variance that calls for a warning


def learn(
    data: Table | Moments,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    l1: float = 0.02,
    threshold: float = 0.3,
    acyclicity: str = "log-det",
    standardize: bool = False,
    refine: bool = True,
    tol: float | None = None,
    max_seconds: float | None = None,
) -> Graph:
    """min_W 1/(2n) |X - XW|_F^2 + l1 sum |W_ij| over DAGs, entries with |W_ij| <= threshold dropped.

    l1: weight of the L1 penalty (required edges are free of it). threshold: smallest weight kept; required edges are
    always kept, and it is raised just enough if the rest would hold a cycle (``meta["threshold_used"]``).
    acyclicity: 'log-det' (central path) or 'expm' (augmented Lagrangian). standardize: divide each column by its
    standard deviation first; weights and threshold are then in standard deviations.
    refine: lower the same objective over variable orders afterwards. tol: the continuous descent stops when two
    steps in a row lower its objective by less than this share (default: 1e-4 if the search over orders follows, else
    1e-6). max_seconds: stop then, with the best so far. Uses no randomness.
    ``meta["objective"]`` is the value reached before the threshold, comparable between settings of equal l1.
    """
    number("l1", l1, 0.0)
    number("threshold", threshold, 0.0)
    method = choose("acyclicity", acyclicity, _METHODS)
    # where the search over orders starts matters little: see the objective in meta
    tol = (1e-4 if refine else 1e-6) if tol is None else share("tol", tol)
    effort = Effort.within(max_seconds)
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    if isinstance(data, Table):
        refuse_constants(data.values, data.columns)
    covariance = np.array(data.correlation if standardize else data.covariance)
    problem = Problem(covariance, np.where(required, 0.0, float(l1)), allowed, required)
    weights = method(problem, effort, tol=tol)
    if refine and not effort.over():
        weights = refine_order(problem, weights, effort)
    objective = problem.objective(weights)
    adj, used = cut(weights, float(threshold), required)
    evidence = PairEvidence(data.columns, weights != 0.0, partial(_describe, weights, adj, float(used)))
    weights = np.where(adj, weights, 0.0)
    notes = []
    if used > threshold:
        notes.append(f"threshold raised from {threshold:g} to {used:.4g} to remove the cycles that were left")
    following = follows_variance(adj, np.diag(data.covariance), data.n)
    if not standardize and following >= _FOLLOWS:
        notes.append(_warn(data, adj, following))
    meta = {
        "objective": objective,
        "acyclicity": acyclicity,
        "l1": float(l1),
        "threshold_used": float(used),
        "standardized": standardize,
        "evaluations": effort.evaluations,
        "order_moves": effort.moves,
        "order_sweeps": effort.sweeps,
        "follows_variance": None if math.isnan(following) else following,
        "complete": effort.complete,
        "warnings": notes,
    }
    return Graph(data.columns, adj, weight=weights, evidence=evidence, meta=meta)


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


def warm_up() -> None:
    """Compile the kernels on a problem of three variables."""
    problem = Problem(np.eye(3) + 0.5, np.full((3, 3), 0.1), ~np.eye(3, dtype=bool), np.zeros((3, 3), dtype=bool))
    for method in _METHODS.values():
        refine_order(problem, method(problem, Effort()), Effort())


def _describe(weights: Array, adj: Bools, threshold: float, i: int, j: int) -> dict[str, Any]:
    return {"weight": float(weights[i, j]), "threshold": threshold, "kept": bool(adj[i, j])}


def _warn(data: Table | Moments, adj: Bools, share: float) -> str:
    deviation = np.sqrt(np.diag(data.covariance))
    small, large = data.columns[int(np.argmin(deviation))], data.columns[int(np.argmax(deviation))]
    message = (
        f"{share:.0%} of the {int(adj.sum())} learned edges go from a column of smaller variance to one of larger "
        f"variance (standard deviations from {deviation.min():.3g} in {small!r} to {deviation.max():.3g} in {large!r}): "
        "the directions may say no more than the units do; if the units are arbitrary, write standardize=True"
    )
    warnings.warn(message, UserWarning, stacklevel=3)
    return message
