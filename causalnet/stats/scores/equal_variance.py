"""f(v | P) = n s2(v | P) / sigma2 + penalty |P| ln n: the linear Gaussian score where all noise has one variance sigma2.

Minus twice the log-likelihood at a known sigma2 (Peters and Bühlmann, Biometrika 101, 2014), so the units decide: the
least-squares loss of NOTEARS with a price for each parent in place of one for each weight. Only the covariance matrix,
in units of sigma2 / n, enters: K below. A slot keeps for all r what P leaves of their variance, w_r, and of their
covariance with v, c_r; taking r in lowers n s2 / sigma2 by c_r^2 / w_r and changes all c and w by a rank-one update
with the residual covariances e_j = K_rj - a'K_Pj, a = Q K_Pr, Q = (K_PP)^-1. Without r, of coefficient b_r, it rises by
b_r^2 / Q_rr. Only the slots for trying keep Q and b.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array
from .contract import FAST, SCRATCH, UNSEEN, Slots, copy_slot, empty_slots, implement

SINGULAR = 1e-9  # a share of a variance no larger is none


class EqualVariance(NamedTuple):
    """cov: (d, d) K = n covariance / sigma2. price: (1,) of a parent. bank: (s, 2 d) of every slot c and w, both 0 at its
    parents. inverse: (SCRATCH, most + 1, most) Q, and b in the last row. work: (2, max(d, most))."""

    cov: Array
    price: Array
    bank: Array
    inverse: Array
    work: Array


def equal_variance_score(
    covariance: Array, n: int, sigma2: float, penalty: float, most: int
) -> tuple[EqualVariance, Slots]:
    """The score for a covariance matrix (d, d) of n rows, with slots of at most ``most`` parents."""
    d = len(covariance)
    score = EqualVariance(
        cov=np.ascontiguousarray(covariance) * (n / sigma2),
        price=np.array([penalty * math.log(n)]),
        bank=np.empty((2 * d + SCRATCH, 2 * d)),
        inverse=np.empty((SCRATCH, most + 1, most)),
        work=np.empty((2, max(d, most))),
    )
    return score, empty_slots(d, most)


@njit(**UNSEEN)
def _begin(score: EqualVariance, slots: Slots, s: int, x: int) -> None:
    d = score.cov.shape[0]
    slots.node[s] = x
    slots.size[s] = 0
    slots.value[s] = score.cov[x, x]
    for j in range(d):
        score.bank[s, j] = score.cov[x, j]
        score.bank[s, d + j] = score.cov[j, j]


@njit(**UNSEEN)
def _copy(score: EqualVariance, slots: Slots, s: int, x: int) -> None:
    d, k = score.cov.shape[0], slots.size[s]
    copy_slot(slots, s, x)
    for j in range(2 * d):
        score.bank[x, j] = score.bank[s, j]
    if d <= x < d + SCRATCH:
        for m in range(k):
            _border(score, slots, x, m)


@njit(**UNSEEN, fastmath=FAST)
def _border(score: EqualVariance, slots: Slots, s: int, m: int) -> tuple[float, float]:
    """Q and b with the parent m as well as those before it; its residual variance and coefficient. work[0] is a."""
    cov, parents, q, a = score.cov, slots.parents, score.inverse, score.work
    u, v, b = s - cov.shape[0], slots.node[s], q.shape[1] - 1
    r = parents[s, m]
    rest, own = cov[r, r], cov[r, v]
    for i in range(m):
        t = 0.0
        for j in range(m):
            t += q[u, i, j] * cov[r, parents[s, j]]
        a[0, i] = t
        rest -= t * cov[r, parents[s, i]]
        own -= q[u, b, i] * cov[r, parents[s, i]]
    slope = own / rest
    for i in range(m):
        t = a[0, i] / rest
        for j in range(m):
            q[u, i, j] += t * a[0, j]
        q[u, i, m] = q[u, m, i] = -t
        q[u, b, i] -= a[0, i] * slope
    q[u, m, m] = 1.0 / rest
    q[u, b, m] = slope
    return rest, slope


@njit(**UNSEEN, fastmath=FAST)
def _add(score: EqualVariance, slots: Slots, s: int, x: int) -> None:
    cov, bank, work, parents = score.cov, score.bank, score.work, slots.parents
    d, k, v = cov.shape[0], slots.size[s], slots.node[s]
    parents[s, k] = x
    rest, slope = _border(score, slots, s, k)
    for j in range(d):
        work[1, j] = cov[x, j]
    for i in range(k):
        t, r = work[0, i], parents[s, i]
        for j in range(d):
            work[1, j] -= t * cov[r, j]
    for j in range(d):
        bank[s, j] -= slope * work[1, j]
        bank[s, d + j] -= work[1, j] * work[1, j] / rest
    for i in range(k + 1):
        bank[s, parents[s, i]] = bank[s, d + parents[s, i]] = 0.0
    slots.size[s] = k + 1
    slots.value[s] = bank[s, v] + score.price[0] * (k + 1)


@njit(**UNSEEN, fastmath=FAST)
def _drop(score: EqualVariance, slots: Slots, s: int, x: int) -> None:
    cov, bank, q, work, parents = score.cov, score.bank, score.inverse, score.work, slots.parents
    d, v = cov.shape[0], slots.node[s]
    u, b, last, r = s - d, q.shape[1] - 1, slots.size[s] - 1, parents[s, x]
    own, slope = q[u, x, x], q[u, b, x]
    for j in range(d):
        work[1, j] = 0.0
    for i in range(last + 1):
        t = work[0, i] = q[u, x, i] / own
        for j in range(d):
            work[1, j] += t * cov[parents[s, i], j]  # e, of what r has beyond the other parents
    for j in range(d):
        bank[s, j] += slope * work[1, j]
        bank[s, d + j] += own * work[1, j] * work[1, j]
    for i in range(last + 1):
        t = q[u, i, x]
        if i != x:
            q[u, b, i] -= slope * work[0, i]
            for j in range(last + 1):
                q[u, i, j] -= t * work[0, j]
    for i in range(last + 1):
        q[u, x, i] = q[u, last, i]
    for i in range(last + 1):
        q[u, i, x] = q[u, i, last]
    q[u, b, x] = q[u, b, last]
    parents[s, x] = parents[s, last]
    for i in range(last):
        bank[s, parents[s, i]] = bank[s, d + parents[s, i]] = 0.0
    bank[s, r], bank[s, d + r] = slope / own, 1.0 / own
    slots.size[s] = last
    slots.value[s] = bank[s, v] + score.price[0] * last


@njit(**UNSEEN)
def _helps(score: EqualVariance, slots: Slots, s: int, x: int) -> bool:
    if slots.size[s] == slots.parents.shape[1]:
        return False
    c, w = score.bank[s, x], score.bank[s, score.cov.shape[0] + x]
    return c * c > score.price[0] * w and w > SINGULAR * score.cov[x, x]


@njit(**UNSEEN)
def _rise(score: EqualVariance, slots: Slots, s: int, x: int) -> float:
    c, w = score.bank[s, x], score.bank[s, score.cov.shape[0] + x]
    if slots.size[s] == slots.parents.shape[1] or w <= SINGULAR * score.cov[x, x]:
        return np.inf
    return float(score.price[0] - c * c / w)


@njit(**UNSEEN)
def _best_add(score: EqualVariance, slots: Slots, s: int, x: Array) -> int:
    best, most = -1, score.price[0]
    if slots.size[s] == slots.parents.shape[1]:
        return best
    for j in range(score.cov.shape[0]):
        c, w = score.bank[s, j], score.bank[s, score.cov.shape[0] + j]
        if c * c * x[j] > most * w and w > SINGULAR * score.cov[j, j]:
            best, most = j, c * c / w
    return best


@njit(**UNSEEN)
def _best_drop(score: EqualVariance, slots: Slots, s: int, x: AnyArray) -> int:
    q, u = score.inverse, s - score.cov.shape[0]
    best, least = -1, score.price[0]
    for i in range(slots.size[s]):
        slope = q[u, q.shape[1] - 1, i]
        if slope * slope < least * q[u, i, i] and not x[slots.parents[s, i]]:
            best, least = i, slope * slope / q[u, i, i]
    return best


implement(EqualVariance, _begin, _copy, _add, _drop, _helps, _rise, _best_add, _best_drop)
