"""min over orders pi of sum_j min_w 1/2 Var(x_j - w'x_pre(j)) + sum_i penalty_ij |w_i|: the penalised DAG given as an order.

For a fixed order the linear DAG problem min_W 1/(2n) |X - XW|^2 + |penalty o W|_1 falls apart into one lasso a
variable on its predecessors, which an active-set method solves exactly (feature-sign search, Lee et al. 2006). What is
left is the order itself: it is improved by taking one variable out and inserting it where the objective falls most,
until no such move helps. Only the covariance is used, so the cost does not depend on the number of rows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Ints

DENSE = 30  # with more predecessors than this a lasso starts from a descent by coordinates
SWEEPS = 2000


@njit(cache=True)
def _solve_spd(c: Array, r: Array) -> None:
    """Overwrite r with C^-1 r by Cholesky; C (k, k) symmetric positive definite is destroyed."""
    k = c.shape[0]
    for a in range(k):
        top = c[a, a]
        for b in range(a + 1):
            s = c[a, b]
            for m in range(b):
                s -= c[a, m] * c[b, m]
            c[a, b] = math.sqrt(max(s, 1e-12 * top)) if a == b else s / c[b, b]
    for a in range(k):
        s = r[a]
        for m in range(a):
            s -= c[a, m] * r[m]
        r[a] = s / c[a, a]
    for a in range(k - 1, -1, -1):
        s = r[a]
        for m in range(a + 1, k):
            s -= c[m, a] * r[m]
        r[a] = s / c[a, a]


@njit(cache=True)
def _entering(cov: Array, g: Array, pre: Bools, w: Array, penalty: Array) -> int:
    """The predecessor outside the active set that violates |g_i| <= penalty_i most (in its own scale), or -1."""
    best, most = -1, 0.0
    for i in range(w.shape[0]):
        if pre[i] and w[i] == 0.0:
            excess = abs(g[i]) - penalty[i]
            slack = 1e-10 * math.sqrt(cov[i, i])
            if excess > slack:
                excess /= math.sqrt(cov[i, i])
                if excess > most:
                    best, most = i, excess
    return best


@njit(cache=True)
def lasso(cov: Array, j: int, pre: Bools, penalty: Array, w: Array) -> float:
    """min_w 1/2 cov_jj - w'cov_.j + 1/2 w'cov w + sum_i penalty_i |w_i| over predecessors; w (d,) is start and answer.

    cov: (d, d). pre: (d,) bool, which variables may enter. penalty: (d,), zero where an entry is free.
    Active set: solve exactly for the current signs, stop at the first sign change, let the worst violator in.
    """
    d = cov.shape[0]
    active = np.empty(d, np.int64)
    sign = np.empty(d)
    g = np.zeros(d)
    for i in range(d):
        if not pre[i]:
            w[i] = 0.0
    stationary = False
    for _ in range(30 + 10 * d):
        k = 0
        for i in range(d):
            if w[i] != 0.0:
                active[k] = i
                sign[k] = 1.0 if w[i] > 0.0 else -1.0
                k += 1
        if stationary or k == 0:
            for i in range(d):
                if pre[i]:
                    g[i] = -cov[i, j]
                    for a in range(k):
                        g[i] += cov[i, active[a]] * w[active[a]]
            new = _entering(cov, g, pre, w, penalty)
            if new < 0:
                break
            active[k] = new
            sign[k] = -1.0 if g[new] > 0.0 else 1.0
            k += 1
        target = np.empty(k)
        block = np.empty((k, k))
        for a in range(k):
            target[a] = cov[active[a], j] - penalty[active[a]] * sign[a]
            for b in range(k):
                block[a, b] = cov[active[a], active[b]]
        _solve_spd(block, target)
        step, leaving = 1.0, -1
        for a in range(k):
            i = active[a]
            if penalty[i] > 0.0 and w[i] != 0.0 and target[a] * w[i] <= 0.0:
                at = w[i] / (w[i] - target[a])
                if at < step:
                    step, leaving = at, i
        for a in range(k):
            i = active[a]
            w[i] += step * (target[a] - w[i])
        if leaving >= 0:
            w[leaving] = 0.0
        stationary = leaving < 0
    value = 0.5 * cov[j, j]
    for i in range(d):
        if w[i] != 0.0:
            s = 0.0
            for a in range(d):
                if w[a] != 0.0:
                    s += cov[i, a] * w[a]
            value += w[i] * (0.5 * s - cov[i, j]) + penalty[i] * abs(w[i])
    return value


@njit(cache=True)
def descend_by_coordinates(cov: Array, j: int, pre: Bools, penalty: Array, w: Array) -> None:
    """Near the answer of :func:`lasso`, in place: w_i = soft(z_i, penalty_i) / cov_ii, z_i what the others leave, over and
    over; between passes over all entries, passes over those that are not zero (Friedman et al. 2010)."""
    given = np.flatnonzero(pre)
    m = given.size
    c, g, x = np.empty((m, m)), np.empty(m), np.empty(m)
    for a in range(m):
        x[a] = w[given[a]]
        for b in range(m):
            c[a, b] = cov[given[a], given[b]]
    w[:] = 0.0
    for a in range(m):
        g[a] = np.dot(c[a], x) - cov[given[a], j]
    everything = True
    for _ in range(SWEEPS):
        most = 0.0
        for a in range(m):
            if not everything and x[a] == 0.0:
                continue
            z, price = x[a] * c[a, a] - g[a], penalty[given[a]]
            step = math.copysign(max(abs(z) - price, 0.0), z) / c[a, a] - x[a]
            if step != 0.0:
                x[a] += step
                for b in range(m):
                    g[b] += step * c[a, b]
                most = max(most, step * step * c[a, a])
        close = most < 1e-10 * cov[j, j]
        if close and everything:
            break
        everything = close
    for a in range(m):
        w[given[a]] = x[a]


def predecessors(order: Ints, allowed: Bools) -> Bools:
    """(d, d) bool, row j: the variables that stand before j in ``order`` (d,) and may cause it."""
    rank = np.argsort(order)
    earlier: Bools = np.ascontiguousarray((rank[None, :] < rank[:, None]) & allowed.T)
    return earlier


@njit(cache=True)
def fit_variable(cov: Array, j: int, penalty: Array, into: Array, pre: Bools) -> float:
    """The lasso of variable j on its predecessors pre[j]; into[j] (d,) is start and answer, its value is returned.

    Where there are many, weights near the answer are found by coordinates first: the active set takes up and leaves off
    one entry at a time, each for a solve of its full size.
    """
    price, priced, many = penalty[:, j].copy(), False, 0
    for i in range(price.size):
        priced |= price[i] > 0.0
        many += pre[j, i]
    if priced and many > DENSE:
        descend_by_coordinates(cov, j, pre[j], price, into[j])
    return lasso(cov, j, pre[j], price, into[j])


class Rules(NamedTuple):
    """What a search keeps to: cov (d, d); price (d, d), [j, i] the penalty on i -> j; allowed and required (d, d), [i, j]
    for i -> j; least (d,), the residual variance of each variable given all others."""

    cov: Array
    price: Array
    allowed: Bools
    required: Bools
    least: Array


class Placed(NamedTuple):
    """Where a search stands, changed in place: order (d,), causes first; into (d, d), row j the weights into j; pre
    (d, d), row j the predecessors of j; value (d,), the lasso of each variable."""

    order: Ints
    into: Array
    pre: Bools
    value: Array


@njit(cache=True)
def _pull(cov: Array, y: int, x: int, w: Array) -> float:
    """|d/dw_x| of the smooth part of y's problem at w: x can help y only if this exceeds its penalty."""
    g = -cov[x, y]
    for i in range(w.shape[0]):
        if w[i] != 0.0:
            g += cov[x, i] * w[i]
    return abs(g)


@njit(cache=True)
def _change(rules: Rules, placed: Placed, y: int, x: int, gains: bool) -> float:
    """How y's optimum changes when x joins (gains) or leaves its predecessors; zero without solving where possible."""
    into, price = placed.into[y], rules.price[y]
    if gains and _pull(rules.cov, y, x, into) <= price[x]:
        return 0.0
    if not gains and into[x] == 0.0:
        return 0.0
    mask = placed.pre[y].copy()
    mask[x] = gains
    return lasso(rules.cov, y, mask, price, into.copy()) - placed.value[y]


@njit(cache=True)
def _earlier(rules: Rules, placed: Placed, p: int, best: float) -> tuple[int, float]:
    """The best place ahead of p for the variable there, if it changes the objective by less than ``best``; else -1.

    x loses what it passes (its value rises), what it passes may gain x. The gain of y is at most
    (|g_x| - penalty)^2 / (2 least_x), which ends the scan as soon as no place further ahead can win.
    """
    cov, price, allowed, required, least = rules
    order, into, pre, value = placed
    x = order[p]
    hope = np.zeros(p + 1)  # hope[q]: the most that the variables at positions < q can gain
    for q in range(p):
        y = order[q]
        hope[q + 1] = hope[q]
        if allowed[x, y]:
            excess = _pull(cov, y, x, into[y]) - price[y, x]
            if excess > 0.0:
                hope[q + 1] += excess * excess / (2.0 * least[x])
    where = -1
    mask = pre[x].copy()
    w = into[x].copy()
    own, others = value[x], 0.0
    for q in range(p - 1, -1, -1):
        y = order[q]
        if required[y, x] or own - value[x] + others - hope[q + 1] >= best:
            break
        mask[y] = False
        if w[y] != 0.0:
            own = lasso(cov, x, mask, price[x], w)
        if hope[q + 1] > hope[q]:
            others += _change(rules, placed, y, x, np.bool_(True))
        if own - value[x] + others < best:
            best, where = own - value[x] + others, q
    return where, best


@njit(cache=True)
def _later(rules: Rules, placed: Placed, p: int, best: float) -> tuple[int, float]:
    """The best place behind p for the variable there, if it changes the objective by less than ``best``; else -1.

    x may gain what it passes, never more than from all of it; what it passes loses x (its value rises).
    """
    cov, price, allowed, required, _ = rules
    order, into, pre, value = placed
    x = order[p]
    mask = pre[x].copy()
    last = p + 1
    while last < order.size and not required[x, order[last]]:
        mask[order[last]] = allowed[order[last], x]
        last += 1
    lowest = lasso(cov, x, mask, price[x], into[x].copy())
    where = -1
    mask = pre[x].copy()
    w = into[x].copy()
    own, others = value[x], 0.0
    for q in range(p + 1, last):
        y = order[q]
        others += _change(rules, placed, y, x, np.bool_(False))
        if lowest - value[x] + others >= best:
            break
        if allowed[y, x]:
            mask[y] = True
            if _pull(cov, x, y, w) > price[x, y]:
                own = lasso(cov, x, mask, price[x], w)
        if own - value[x] + others < best:
            best, where = own - value[x] + others, q
    return where, best


@njit(cache=True)
def search_block(rules: Rules, placed: Placed, todo: Ints) -> int:
    """Try to reinsert each variable of ``todo`` in turn, in place; the number of moves made. Each lowers sum(value)."""
    cov, price, allowed = rules.cov, rules.price, rules.allowed
    order, into, pre, value = placed
    moves = 0
    for x in todo:
        p = 0
        while order[p] != x:
            p += 1
        best = -1e-9 * (1.0 + abs(value[x]))
        where, best = _earlier(rules, placed, p, best)
        behind, best = _later(rules, placed, p, best)
        where = behind if behind >= 0 else where
        if where < 0:
            continue
        moves += 1
        direction = 1 if where > p else -1
        for q in range(p, where, direction):
            y = order[q + direction]
            order[q] = y
            pre[x, y] = direction > 0 and allowed[y, x]
            pre[y, x] = direction < 0 and allowed[x, y]
            value[y] = lasso(cov, y, pre[y], price[y], into[y])
        order[where] = x
        value[x] = lasso(cov, x, pre[x], price[x], into[x])
    return moves
