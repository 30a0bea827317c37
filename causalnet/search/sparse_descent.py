"""min_W a/2 tr((I-W)'C(I-W)) + alpha h(W) + rho/2 h(W)^2 + sum_ij penalty_ij |W_ij|: one quasi-Newton solver for both h.

Orthant-wise limited-memory quasi-Newton descent (Andrew and Gao 2007), compiled. The variables are scaled by the
variances (the curvature of the loss along W_ij is a C_ii), so columns of very different size do not slow it down.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools
from ..base.clock import now
from .acyclicity import h_expm, h_logdet

EXPM, LOGDET = 0, 1
MEMORY = 10


class Form(NamedTuple):
    """The smooth part: which h (EXPM, or LOGDET with its s), and the weights a of the loss, alpha of h, rho of h^2."""

    kind: int
    a: float
    s: float
    alpha: float
    rho: float


@njit(cache=True)
def smooth(w: Array, cov: Array, form: Form) -> tuple[float, Array, float]:
    """Value, gradient (d, d) and h of a/2 tr((I-W)'C(I-W)) + alpha h + rho/2 h^2; infinite outside the domain of h."""
    kind, a, s, alpha, rho = form
    if kind == EXPM:
        h, gh = h_expm(w)
    else:
        h, gh, inside = h_logdet(w, s)
        if not inside:
            return math.inf, gh, h
    d, loss = w.shape[0], 0.0
    rest = np.empty((d, d))
    for i in range(d):
        for j in range(d):
            rest[i, j] = (1.0 if i == j else 0.0) - w[i, j]
    cr = cov @ rest
    for i in range(d):
        for j in range(d):
            loss += rest[i, j] * cr[i, j]
            gh[i, j] = (alpha + rho * h) * gh[i, j] - a * cr[i, j]
    return 0.5 * a * loss + alpha * h + 0.5 * rho * h * h, gh, h


@njit(cache=True)
def _pseudo_gradient(w: Array, g: Array, penalty: Array, free: Bools) -> Array:
    """The steepest-descent subgradient of f + sum penalty |W|: zero where no direction descends."""
    out = np.zeros(w.shape)
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            if not free[i, j]:
                continue
            if w[i, j] > 0.0:
                out[i, j] = g[i, j] + penalty[i, j]
            elif w[i, j] < 0.0:
                out[i, j] = g[i, j] - penalty[i, j]
            elif g[i, j] < -penalty[i, j]:
                out[i, j] = g[i, j] + penalty[i, j]
            elif g[i, j] > penalty[i, j]:
                out[i, j] = g[i, j] - penalty[i, j]
    return out


@njit(cache=True)
def _direction(pg: Array, scale: Array, steps: Array, turns: Array, inner: Array, count: int) -> Array:
    """-H pg by the two-loop recursion over the last ``count`` pairs, H0 = gamma diag(scale); kept in pg's orthant.

    All matrices are flat: pg, scale (d^2,); steps, turns (MEMORY, d^2); inner (MEMORY,).
    """
    m = min(count, MEMORY)
    q, coefficient, curve = pg.copy(), np.empty(MEMORY), 0.0
    for back in range(1, m + 1):
        k = (count - back) % MEMORY
        coefficient[k] = np.dot(steps[k], q) / inner[k]
        for i in range(q.size):
            q[i] -= coefficient[k] * turns[k, i]
    gamma = 1.0
    if m > 0:
        k = (count - 1) % MEMORY
        for i in range(q.size):
            curve += turns[k, i] * turns[k, i] * scale[i]
        gamma = inner[k] / curve
    for i in range(q.size):
        q[i] *= gamma * scale[i]
    for back in range(m, 0, -1):
        k = (count - back) % MEMORY
        more = coefficient[k] - np.dot(turns[k], q) / inner[k]
        for i in range(q.size):
            q[i] += more * steps[k, i]
    for i in range(q.size):
        q[i] = -q[i] if q[i] * pg[i] > 0.0 else 0.0
    return q


@njit(cache=True)
def _trial(w: Array, way: Array, t: float, pg: Array, penalty: Array) -> tuple[Array, float, float]:
    """w + t way with sign changes cut to zero; also sum penalty |.| there, and the slope pg . (step). (d, d) each."""
    out = np.empty(w.shape)
    cost, slope = 0.0, 0.0
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            x = w[i, j] + t * way[i, j]
            side = w[i, j] if w[i, j] != 0.0 else -pg[i, j]
            if penalty[i, j] > 0.0 and x * side <= 0.0:
                x = 0.0
            out[i, j] = x
            cost += penalty[i, j] * abs(x)
            slope += pg[i, j] * (x - w[i, j])
    return out, cost, slope


@njit(cache=True)
def descend(
    w: Array, cov: Array, penalty: Array, free: Bools, form: Form, max_iter: int, tol: float, deadline: float
) -> tuple[int, float]:
    """Lower the objective from ``w`` (d, d), in place; entries outside ``free`` stay as they are.

    Stops when the value falls by less than ``tol`` of itself twice in a row, after ``max_iter`` steps, or once
    time.monotonic() passes ``deadline``. Returns (evaluations, h).
    """
    d, count, small, price = w.shape[0], np.int64(0), 0, 0.0
    steps, turns, inner = np.zeros((MEMORY, d * d)), np.zeros((MEMORY, d * d)), np.zeros(MEMORY)
    scale = np.empty(d * d)
    for i in range(d):
        for j in range(d):
            scale[i * d + j] = 1.0 / (form.a * cov[i, i] + 1e-12)
            price += penalty[i, j] * abs(w[i, j])
    value, g, h = smooth(w, cov, form)
    value += price
    evaluations = 1
    for _ in range(max_iter):
        pg = _pseudo_gradient(w, g, penalty, free)
        way = _direction(pg.ravel(), scale, steps, turns, inner, count).reshape(d, d)
        t = 1.0
        accepted = False
        for _ in range(40):
            if deadline < np.inf and now() > deadline:
                return evaluations, h
            trial, cost, slope = _trial(w, way, t, pg, penalty)
            if slope >= 0.0:
                break
            new, new_g, new_h = smooth(trial, cov, form)
            new += cost
            evaluations += 1
            if new <= value + 1e-4 * slope:
                accepted = True
                break
            t *= 0.5
        if not accepted:
            if count == 0:
                return evaluations, h
            count = np.int64(0)
            continue
        k, length = count % MEMORY, 0.0
        inner[k] = 0.0
        for i in range(d):
            for j in range(d):
                at = i * d + j
                steps[k, at] = trial[i, j] - w[i, j]
                turns[k, at] = new_g[i, j] - g[i, j] if free[i, j] else 0.0
                inner[k] += steps[k, at] * turns[k, at]
                length += steps[k, at] * steps[k, at] / scale[at]
                w[i, j] = trial[i, j]
        if inner[k] > 1e-14 * length:
            count += 1
        small = small + 1 if value - new <= tol * abs(new) else 0
        value, g, h = new, new_g, new_h
        if small >= 2:
            return evaluations, h
    return evaluations, h
