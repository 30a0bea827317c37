"""f(v | P) = n ln s2(v | P) + penalty |P| ln n: the linear Gaussian BIC, s2 the residual variance of v given P.

penalty 1 is BIC (Schwarz 1978) up to a factor of two, 2 the usual choice for structure. Only the correlation matrix R
and n enter. A slot keeps what every other variable could still say about v once P is known: the residual variances
w_r = var(r | P) and the residual covariances c_r = cov(r, v | P), for all r at once. Then

    f(v | P + r) - f(v | P) = n ln(1 - c_r^2 / (w_r s2)) + penalty ln n

so whether r would help is one division, and taking r in changes all c and w by a rank-one update with the residual
covariances e_j = cov(r, j | P) = R_rj - sum_i a_i R_ij, a = Q R_Pr, Q = (R_PP)^-1, in O(|P| d). A parent leaves in the
same way: e_j = sum_i Q_ri R_ij / Q_rr is the covariance with what r has beyond the other parents. With b = Q R_Pv the
regression coefficients, f(v | P - r) - f(v | P) = n ln(1 + b_r^2 / (Q_rr s2)) - penalty ln n.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array
from .contract import SCRATCH, Slots, empty_slots, implement

SINGULAR = 1e-9  # a variable of which the parents leave no larger share of variance says nothing more: never a parent
FAST = {"contract", "reassoc", "nsz", "arcp"}


class GaussianScore(NamedTuple):
    """The score of standardised variables and what its slots keep.

    corr: (d, d). n: rows. price: penalty ln n, of one parent. gain: the share of s2 that a parent must explain to pay,
    1 - exp(-price / n). loss: the rise of s2, as a share, that dropping a parent may cost, exp(price / n) - 1.
    cov, var: (s, d) c and w of every slot, both 0 at its parents. inverse: (SCRATCH, most, most) Q. slope:
    (SCRATCH, most) b. work: (2, d).
    """

    corr: Array
    n: float
    price: float
    gain: float
    loss: float
    cov: Array
    var: Array
    inverse: Array
    slope: Array
    work: Array


def gaussian_score(corr: Array, n: int, penalty: float, most: int) -> tuple[GaussianScore, Slots]:
    """The score for a correlation matrix (d, d) of n rows, with slots of at most ``most`` parents."""
    d = len(corr)
    price = penalty * math.log(n)
    score = GaussianScore(
        corr=np.ascontiguousarray(corr),
        n=float(n),
        price=price,
        gain=-math.expm1(-price / n),
        loss=math.expm1(price / n),
        cov=np.empty((2 * d + SCRATCH, d)),
        var=np.empty((2 * d + SCRATCH, d)),
        inverse=np.empty((SCRATCH, most, most)),
        slope=np.empty((SCRATCH, most)),
        work=np.empty((2, max(d, most))),
    )
    return score, empty_slots(d, most)


@njit(cache=True)
def _value(score: GaussianScore, s2: float, k: int) -> float:
    return score.n * math.log(max(s2, SINGULAR)) + score.price * k


@njit(cache=True)
def _begin(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    d = score.corr.shape[0]
    slots.node[s] = x
    slots.size[s] = 0
    slots.value[s] = 0.0
    for j in range(d):
        score.cov[s, j] = score.corr[x, j]
        score.var[s, j] = 1.0


@njit(cache=True)
def _copy(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    d = score.corr.shape[0]
    k = slots.size[s]
    slots.node[x] = slots.node[s]
    slots.size[x] = k
    slots.value[x] = slots.value[s]
    slots.parents[x, :k] = slots.parents[s, :k]
    score.cov[x] = score.cov[s]
    score.var[x] = score.var[s]
    if x < d or x >= d + SCRATCH:
        return
    if d <= s < d + SCRATCH:
        score.inverse[x - d, :k, :k] = score.inverse[s - d, :k, :k]
        score.slope[x - d, :k] = score.slope[s - d, :k]
        return
    _regress(score, slots, x)


@njit(cache=True, fastmath=FAST)
def _regress(score: GaussianScore, slots: Slots, s: int) -> None:
    """Q and b of a scratch slot from its parents, one parent at a time (the bordering of an inverse)."""
    d = score.corr.shape[0]
    q, b, p = score.inverse[s - d], score.slope[s - d], slots.parents[s]
    a = score.work[0]
    v = slots.node[s]
    for m in range(slots.size[s]):
        row = score.corr[p[m]]
        rest, own = 1.0, row[v]
        for i in range(m):
            t = 0.0
            for j in range(m):
                t += q[i, j] * row[p[j]]
            a[i] = t
            rest -= t * row[p[i]]
            own -= b[i] * row[p[i]]
        _border(q, b, a, m, rest, own / rest)


@njit(cache=True, fastmath=FAST)
def _border(q: Array, b: Array, a: Array, m: int, rest: float, slope: float) -> None:
    """Q and b grow by a variable: a its regression on the m before, rest its residual variance, slope its own b."""
    for i in range(m):
        t = a[i] / rest
        for j in range(m):
            q[i, j] += t * a[j]
        q[i, m] = -t
        q[m, i] = -t
        b[i] -= a[i] * slope
    q[m, m] = 1.0 / rest
    b[m] = slope


@njit(cache=True, fastmath=FAST)
def _combine(corr: Array, p: AnyArray, a: Array, k: int, e: Array) -> None:
    """e += sum over i < k of a[i] corr[p[i]], four rows at a time."""
    d = e.shape[0]
    i = 0
    while i + 4 <= k:
        r0, r1, r2, r3 = corr[p[i]], corr[p[i + 1]], corr[p[i + 2]], corr[p[i + 3]]
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        for j in range(d):
            e[j] += a0 * r0[j] + a1 * r1[j] + a2 * r2[j] + a3 * r3[j]
        i += 4
    if i + 2 <= k:
        r0, r1 = corr[p[i]], corr[p[i + 1]]
        a0, a1 = a[i], a[i + 1]
        for j in range(d):
            e[j] += a0 * r0[j] + a1 * r1[j]
        i += 2
    if i < k:
        r0, a0 = corr[p[i]], a[i]
        for j in range(d):
            e[j] += a0 * r0[j]


@njit(cache=True, fastmath=FAST)
def _add(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    d = score.corr.shape[0]
    k, v, p = slots.size[s], slots.node[s], slots.parents[s]
    q, b = score.inverse[s - d], score.slope[s - d]
    c, w = score.cov[s], score.var[s]
    a, e = score.work[0], score.work[1, :d]
    row = score.corr[x]
    for i in range(k):
        t = 0.0
        for j in range(k):
            t -= q[i, j] * row[p[j]]
        a[i] = t
    e[:] = row
    _combine(score.corr, p, a, k, e)
    rest = e[x]
    slope = e[v] / rest
    for i in range(k):
        a[i] = -a[i]
    _border(q, b, a, k, rest, slope)
    t = 1.0 / rest
    for j in range(d):
        c[j] -= slope * e[j]
        w[j] -= t * e[j] * e[j]
    p[k] = x
    for i in range(k + 1):
        c[p[i]] = 0.0
        w[p[i]] = 0.0
    slots.size[s] = k + 1
    slots.value[s] = _value(score, c[v], k + 1)


@njit(cache=True, fastmath=FAST)
def _drop(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    d = score.corr.shape[0]
    k, v, p = slots.size[s], slots.node[s], slots.parents[s]
    q, b = score.inverse[s - d], score.slope[s - d]
    c, w = score.cov[s], score.var[s]
    a, e = score.work[0], score.work[1, :d]
    own = q[x, x]
    for i in range(k):
        a[i] = q[x, i] / own
    e[:] = 0.0
    _combine(score.corr, p, a, k, e)
    r, last = p[x], k - 1
    slope = b[x]
    for j in range(d):
        c[j] += slope * e[j]
        w[j] += own * e[j] * e[j]
    for i in range(k):
        b[i] -= slope * a[i]
        if i != x:
            t = q[i, x]
            for j in range(k):
                q[i, j] -= t * a[j]
    if x != last:
        for i in range(k):
            q[x, i] = q[last, i]
        for i in range(k):
            q[i, x] = q[i, last]
        b[x] = b[last]
        p[x] = p[last]
    for i in range(last):
        c[p[i]] = 0.0
        w[p[i]] = 0.0
    w[r] = 1.0 / own
    c[r] = slope / own
    slots.size[s] = last
    slots.value[s] = _value(score, c[v], last)


@njit(cache=True)
def _helps(score: GaussianScore, slots: Slots, s: int, x: int) -> bool:
    c, w = score.cov[s, x], score.var[s, x]
    return c * c > score.gain * score.cov[s, slots.node[s]] * w and w > SINGULAR


@njit(cache=True, fastmath=FAST)
def _best_add(score: GaussianScore, slots: Slots, s: int, x: Array) -> int:
    c, w = score.cov[s], score.var[s]
    level = score.gain * c[slots.node[s]]
    if slots.size[s] == slots.parents.shape[1]:
        return -1
    any_helps = 0
    for j in range(c.shape[0]):
        any_helps += c[j] * c[j] * x[j] > level * w[j]
    if any_helps == 0:
        return -1
    best = -1
    for j in range(c.shape[0]):
        if c[j] * c[j] * x[j] > level * w[j] and w[j] > SINGULAR:
            best = j
            level = c[j] * c[j] / w[j]
    return best


@njit(cache=True)
def _best_drop(score: GaussianScore, slots: Slots, s: int, x: AnyArray) -> int:
    d = score.corr.shape[0]
    q, b, p = score.inverse[s - d], score.slope[s - d], slots.parents[s]
    level = score.loss * score.cov[s, slots.node[s]]
    best = -1
    for i in range(slots.size[s]):
        if not x[p[i]]:
            rise = b[i] * b[i] / q[i, i]
            if rise < level:
                best, level = i, rise
    return best


implement(
    GaussianScore,
    begin=_begin,
    copy=_copy,
    add=_add,
    drop=_drop,
    helps=_helps,
    best_add=_best_add,
    best_drop=_best_drop,
)
