"""min_W 1/(2n) |X - XW|_F^2 + sum_ij penalty_ij |W_ij| subject to W acyclic, from the covariance C = X'X/n alone.

Two continuous methods, ``augmented_lagrangian`` (Zheng et al. 2018, arXiv 1803.01422) and ``central_path`` (Bello et al.
2022, arXiv 2209.08037), and a discrete one, ``first_order``, which has the search over orders by score find a DAG for
the same loss with a price for each parent; each is a function (problem, ...) -> weights. ``refine`` starts from any of
their answers and lowers the objective over variable orders.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..graph import is_acyclic
from ..stats.scores import equal_variance_score, gaussian_score
from .order_search import Placed, Rules, fit_variable, predecessors, search_block
from .orders import search_orders
from .sparse_descent import EXPM, LOGDET, Form, descend

AFFORDABLE = 5e7  # d^2 k^3 for k weights a variable: a search over orders by lassos of about a second


@dataclass(frozen=True)
class Problem:
    """covariance C (d, d); penalty (d, d) >= 0, zero where an entry is free; allowed, required (d, d) bool."""

    covariance: Array
    penalty: Array
    allowed: Bools
    required: Bools

    @property
    def d(self) -> int:
        """Number of variables."""
        return int(self.covariance.shape[0])

    def objective(self, w: Array) -> float:
        """1/(2n) |X - XW|_F^2 + sum penalty |W| at the (d, d) weights w."""
        rest = np.eye(self.d) - w
        return float(0.5 * np.sum(rest * (self.covariance @ rest)) + np.sum(self.penalty * np.abs(w)))


@dataclass
class Effort:
    """What a fit cost: function evaluations, moves in the order, and whether a time limit cut it short."""

    deadline: float = np.inf
    evaluations: int = 0
    moves: int = 0
    sweeps: int = 0
    complete: bool = True

    @classmethod
    def within(cls, max_seconds: float | None) -> Effort:
        """An effort that must end ``max_seconds`` from now."""
        return cls(np.inf if max_seconds is None else time.monotonic() + max_seconds)

    def left(self) -> float | None:
        """Seconds that are left, at least a little; None for no limit."""
        return None if self.deadline == np.inf else max(self.deadline - time.monotonic(), 1e-9)

    def over(self) -> bool:
        """True once the time is up (and then the effort is marked incomplete)."""
        if time.monotonic() > self.deadline:
            self.complete = False
        return not self.complete


def _solve(problem: Problem, effort: Effort, w: Array, form: Form, max_iter: int, tol: float) -> tuple[Array, float]:
    """Minimise the sub-problem of ``sparse_descent`` from w until the time is up; (weights, h)."""
    w = w.copy()
    penalty = form.a * problem.penalty
    used, h = descend(w, problem.covariance, penalty, problem.allowed, form, max_iter, tol, effort.deadline)
    effort.evaluations += used
    return w, float(h)


def augmented_lagrangian(
    problem: Problem,
    effort: Effort,
    *,
    h_tol: float = 1e-8,
    rho_max: float = 1e16,
    max_outer: int = 100,
    max_iter: int = 15_000,
    tol: float = 1e-5,
) -> Array:
    """NOTEARS: min Q(W) + alpha h(W) + rho/2 h(W)^2 with h = tr e^(W o W) - d, alpha += rho h, until h <= h_tol.

    rho grows tenfold whenever h does not fall to a quarter (Zheng et al. 2018, algorithm 1). Returns (d, d) weights.
    """
    w = np.zeros((problem.d, problem.d))
    alpha, rho, h = 0.0, 1.0, np.inf
    for _ in range(max_outer):
        while True:
            trial, new_h = _solve(problem, effort, w, Form(EXPM, 1.0, 1.0, alpha, rho), max_iter, tol)
            if effort.over() or new_h <= 0.25 * h or rho >= rho_max:
                break
            rho *= 10.0
        w, h = trial, new_h
        alpha += rho * h
        if h <= h_tol or rho >= rho_max or effort.over():
            break
    return w


def central_path(
    problem: Problem,
    effort: Effort,
    *,
    mu: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001, 0.0001),
    s: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6),
    max_iter: int = 2_000,
    tol: float = 1e-5,
) -> Array:
    """DAGMA: follow min_W mu Q(W) + h(W), h = d log s - log det(sI - W o W), from W = 0 as mu falls to zero.

    The path of minimisers stays inside the M-matrices and ends at a DAG (Bello et al. 2022, algorithm 1).
    A start that is outside the domain for the smaller s keeps the larger one. Returns (d, d) weights.
    """
    w = np.zeros((problem.d, problem.d))
    for level, wanted in zip(mu, s, strict=True):
        for size in (wanted, wanted + 0.1, wanted + 0.2, 1.0):
            if np.max(np.abs(np.linalg.eigvals(w * w))) < size - 1e-6:
                w, _ = _solve(problem, effort, w, Form(LOGDET, level, size, 1.0, 0.0), max_iter, tol)
                break
        if effort.over():
            break
    return w


def first_order(problem: Problem, effort: Effort, n: int, *, penalty: float = 2.0) -> Array:
    """The least-squares DAG along the order that scores best when parents are priced, in place of their weights.

    First the order of the linear Gaussian BIC, blind to units; the mean of its residual variances is sigma2 in
    n s2(v | P) / sigma2 + penalty |P| ln n, which is then searched from there: the loss of the problem in other units. n:
    rows. Returns (d, d) weights, the regressions along the order.
    """
    spread = np.sqrt(np.diag(problem.covariance))
    corr = np.clip(problem.covariance / np.outer(spread, spread), -1.0, 1.0)
    most = max(1, min(problem.d - 1, n - 3))
    search = partial(search_orders, corr=corr, allowed=problem.allowed, required=problem.required, restarts=0, seed=0)
    found = search(*gaussian_score(corr, n, penalty, most), max_seconds=effort.left())
    w = regress(problem.covariance, found.dag)
    sigma2 = float(np.mean(np.diag(problem.covariance) - np.sum(w * problem.covariance, axis=0)))
    if effort.over() or not sigma2 > 0.0:
        return w
    score = equal_variance_score(problem.covariance, n, sigma2, penalty, most)
    return regress(problem.covariance, search(*score, max_seconds=effort.left(), first=found.order).dag)


def regress(covariance: Array, dag: Bools) -> Array:
    """(d, d) weights of the regressions of all variables on their parents in ``dag`` (d, d) bool."""
    w = np.zeros(dag.shape)
    for v in np.flatnonzero(dag.any(axis=0)):
        given = np.flatnonzero(dag[:, v])
        w[given, v] = np.linalg.lstsq(covariance[np.ix_(given, given)], covariance[given, v], rcond=1e-12)[0]
    return w


def order_of(w: Array, required: Bools) -> Ints:
    """An order of the variables with little weight against it: next comes the one least explained by those left.

    Ties go to the variable that explains most. Required edges are respected. (d,) variables, causes first.
    """
    size = w * w
    d = w.shape[0]
    left = np.ones(d, dtype=bool)
    order = np.empty(d, dtype=np.int64)
    for p in range(d):
        incoming, outgoing = size[left].sum(axis=0), size[:, left].sum(axis=1)
        ready = left & ~required[left].any(axis=0)
        candidates = np.flatnonzero(ready)
        order[p] = candidates[np.lexsort((-outgoing[candidates], incoming[candidates]))[0]]
        left[order[p]] = False
    return order


def refine(problem: Problem, w: Array, effort: Effort, *, max_sweeps: int = 100, affordable: float = np.inf) -> Array:
    """Lower the objective over DAGs from ``w``: exact lasso along its order, then single-variable insertions.

    Ends where no insertion of one variable elsewhere in the order helps, or when the time is up; the clock is read
    before every variable. Insertions are left out where d^2 k^3, k weights a variable, is more than ``affordable``.
    The answer is exactly acyclic in either case, (d, d).
    """
    d = problem.d
    order = order_of(w, problem.required)
    penalty, allowed = np.ascontiguousarray(problem.penalty), np.ascontiguousarray(problem.allowed)
    pre, value = predecessors(order, allowed), np.zeros(d)
    into = np.where(pre, w.T, 0.0)
    for j in range(d):
        if effort.over():
            return into.T.copy()
        value[j] = fit_variable(problem.covariance, j, penalty, into, pre)
    if d**2 * ((into != 0).sum() / d) ** 3 > affordable:
        return into.T.copy()
    jitter = 1e-12 * np.diag(np.diag(problem.covariance))
    least = 1.0 / np.maximum(np.diag(np.linalg.inv(problem.covariance + jitter)), 1e-300)
    rules = Rules(problem.covariance, np.ascontiguousarray(penalty.T), allowed, problem.required, least)
    placed = Placed(order, into, pre, value)
    piece = d if effort.deadline == np.inf else 1
    for _ in range(max_sweeps):
        todo, moved = order.copy(), 0
        for start in range(0, d, piece):
            if effort.over():
                return into.T.copy()
            moved += search_block(rules, placed, todo[start : start + piece])
        effort.sweeps += 1
        effort.moves += moved
        if moved == 0:
            break
    return into.T.copy()


def cut(w: Array, threshold: float, required: Bools) -> tuple[Bools, float]:
    """Keep |W_ij| > threshold and what is required; if that has a cycle, raise the threshold just enough.

    Returns the (d, d) adjacency of a DAG and the threshold used.
    """
    size = np.abs(w)
    np.fill_diagonal(size, 0.0)
    adj = (size > threshold) | required
    if is_acyclic(adj):
        return adj, threshold
    levels = np.unique(size[(size > threshold) & ~required])
    low, high = 0, len(levels) - 1  # |W| > levels[high] leaves the required edges alone: a DAG
    while low < high:
        middle = (low + high) // 2
        if is_acyclic((size > levels[middle]) | required):
            high = middle
        else:
            low = middle + 1
    return (size > levels[low]) | required, float(levels[low])
