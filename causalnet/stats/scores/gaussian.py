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

from ...base.arrays import AnyArray, Array, Ints
from .contract import FAST, INNER, SCRATCH, Slots, copy_slot, empty_slots, implement

SMALL = 16  # the regression on so many parents is kept for every slot, a larger one only for those in work
MOST_GAIN = 700.0  # of ln s2 by one parent: what must exceed it excludes every parent, and its exponential is a number
SINGULAR = 1e-9  # a share of variance no larger is none: so little counts as determined, and explains nothing


class GaussianScore(NamedTuple):
    """The score of standardised variables and what its slots keep, in few arrays: compiled calls carry each of them.

    corr: (d, d). number: (4,) n, price, gain, loss: price = penalty ln n, of one parent; gain = 1 - exp(-price / n),
    the share of s2 that a parent must explain to pay; loss = exp(price / n) - 1, the rise of s2, as a share, that
    dropping a parent may cost. bank: (s, 2 d + SMALL (SMALL + 1)) of every slot c, w (both 0 at its parents), Q and b
    of at most SMALL parents. inverse: (SCRATCH, most + 1, most) Q and b of more. work: (2, max(d, most)).
    """

    corr: Array
    number: Array
    bank: Array
    inverse: Array
    work: Array


def gaussian_score(corr: Array, n: int, penalty: float, most: int) -> tuple[GaussianScore, Slots]:
    """The score for a correlation matrix (d, d) of n rows, with slots of at most ``most`` parents."""
    d = len(corr)
    price = penalty * math.log(n)
    gain = min(price / n, MOST_GAIN)
    score = GaussianScore(
        corr=np.ascontiguousarray(corr),
        number=np.array([n, price, -math.expm1(-gain), math.expm1(gain)]),
        bank=np.empty((2 * d + SCRATCH, 2 * d + SMALL * (SMALL + 1))),
        inverse=np.empty((SCRATCH, max(most, SMALL) + 1, max(most, SMALL))),
        work=np.empty((2, max(d, most))),
    )
    return score, empty_slots(d, most)


@njit(**INNER, inline="always")
def _value(score: GaussianScore, s2: float, k: int) -> float:
    """n ln s2 + price k."""
    return score.number[0] * math.log(max(s2, SINGULAR)) + score.number[1] * k


@njit(**INNER)
def _begin(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    d = score.corr.shape[0]
    slots.node[s] = x
    slots.size[s] = 0
    slots.value[s] = 0.0
    for j in range(d):
        score.bank[s, j] = score.corr[x, j]
        score.bank[s, d + j] = 1.0


@njit(**INNER)
def _copy(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    d = score.corr.shape[0]
    k = slots.size[s]
    bank = score.bank
    copy_slot(slots, s, x)
    width = 2 * d + (SMALL * k if k <= SMALL else 0)
    for j in range(width):
        bank[x, j] = bank[s, j]
    for j in range(2 * d + SMALL * SMALL, bank.shape[1]):
        bank[x, j] = bank[s, j]
    if k > SMALL and d <= x < d + SCRATCH:
        _regress(score, slots, x)


@njit(**INNER, fastmath=FAST)
def _regress(score: GaussianScore, slots: Slots, s: int) -> None:
    """Q and b of a scratch slot with many parents, one parent at a time (the bordering of an inverse)."""
    corr, parents, q, a = score.corr, slots.parents, score.inverse, score.work
    u, v, b = s - corr.shape[0], slots.node[s], q.shape[1] - 1
    for m in range(slots.size[s]):
        r = parents[s, m]
        rest, own = 1.0, corr[r, v]
        for i in range(m):
            t = 0.0
            for j in range(m):
                t += q[u, i, j] * corr[r, parents[s, j]]
            a[0, i] = t
            rest -= t * corr[r, parents[s, i]]
            own -= q[u, b, i] * corr[r, parents[s, i]]
        slope = own / rest
        for i in range(m):
            t = a[0, i] / rest
            for j in range(m):
                q[u, i, j] += t * a[0, j]
            q[u, i, m] = -t
            q[u, m, i] = -t
            q[u, b, i] -= a[0, i] * slope
        q[u, m, m] = 1.0 / rest
        q[u, b, m] = slope


@njit(**INNER, inline="always")
def _combine(corr: Array, parents: AnyArray, s: int, work: Array, k: int) -> None:
    """work[1] += sum over i < k of work[0, i] corr[parents[s, i]], four rows at a time."""
    d = corr.shape[0]
    i = 0
    while i + 4 <= k:
        p0, p1, p2, p3 = parents[s, i], parents[s, i + 1], parents[s, i + 2], parents[s, i + 3]
        a0, a1, a2, a3 = work[0, i], work[0, i + 1], work[0, i + 2], work[0, i + 3]
        for j in range(d):
            work[1, j] += a0 * corr[p0, j] + a1 * corr[p1, j] + a2 * corr[p2, j] + a3 * corr[p3, j]
        i += 4
    while i < k:
        p0, a0 = parents[s, i], work[0, i]
        for j in range(d):
            work[1, j] += a0 * corr[p0, j]
        i += 1


@njit(**INNER, fastmath=FAST)
def _add(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    corr, bank, q, work, parents = score.corr, score.bank, score.inverse, score.work, slots.parents
    d = corr.shape[0]
    k, v, u, b = slots.size[s], slots.node[s], s - d, q.shape[1] - 1
    at = 2 * d  # where Q starts in the bank, a row of SMALL after the other, b behind it
    to = at + SMALL * SMALL
    few = k < SMALL
    if k == SMALL:  # from now on where there is room for more
        for i in range(SMALL):
            q[u, b, i] = bank[s, to + i]
            for j in range(SMALL):
                q[u, i, j] = bank[s, at + SMALL * i + j]
    for i in range(k):
        t = 0.0
        for j in range(k):
            t -= (bank[s, at + SMALL * i + j] if few else q[u, i, j]) * corr[x, parents[s, j]]
        work[0, i] = t
    for j in range(d):
        work[1, j] = corr[x, j]
    _combine(corr, parents, s, work, k)
    rest = work[1, x]
    slope = work[1, v] / rest
    scale = 1.0 / rest
    if few:
        for i in range(k):
            t = work[0, i] * scale
            for j in range(k):
                bank[s, at + SMALL * i + j] += t * work[0, j]
            bank[s, at + SMALL * i + k] = t
            bank[s, at + SMALL * k + i] = t
            bank[s, to + i] += work[0, i] * slope
        bank[s, at + SMALL * k + k] = scale
        bank[s, to + k] = slope
    else:
        for i in range(k):
            t = work[0, i] * scale
            for j in range(k):
                q[u, i, j] += t * work[0, j]
            q[u, i, k] = t
            q[u, k, i] = t
            q[u, b, i] += work[0, i] * slope
        q[u, k, k] = scale
        q[u, b, k] = slope
    for j in range(d):
        bank[s, j] -= slope * work[1, j]
        bank[s, d + j] -= scale * work[1, j] * work[1, j]
    parents[s, k] = x
    for i in range(k + 1):
        bank[s, parents[s, i]] = 0.0
        bank[s, d + parents[s, i]] = 0.0
    slots.size[s] = k + 1
    slots.value[s] = _value(score, bank[s, v], k + 1)


@njit(**INNER, fastmath=FAST)
def _drop(score: GaussianScore, slots: Slots, s: int, x: int) -> None:
    bank, q, work, parents = score.bank, score.inverse, score.work, slots.parents
    d = score.corr.shape[0]
    k, v, u, b = slots.size[s], slots.node[s], s - d, q.shape[1] - 1
    at = 2 * d
    to = at + SMALL * SMALL
    few = k <= SMALL
    last = k - 1
    own = bank[s, at + SMALL * x + x] if few else q[u, x, x]
    slope = bank[s, to + x] if few else q[u, b, x]
    for i in range(k):
        work[0, i] = (bank[s, at + SMALL * x + i] if few else q[u, x, i]) / own
    for j in range(d):
        work[1, j] = 0.0
    _combine(score.corr, parents, s, work, k)
    for j in range(d):
        bank[s, j] += slope * work[1, j]
        bank[s, d + j] += own * work[1, j] * work[1, j]
    if few:
        for i in range(k):
            bank[s, to + i] -= slope * work[0, i]
            if i != x:
                t = bank[s, at + SMALL * i + x]
                for j in range(k):
                    bank[s, at + SMALL * i + j] -= t * work[0, j]
        for i in range(k):
            bank[s, at + SMALL * x + i] = bank[s, at + SMALL * last + i]
        for i in range(k):
            bank[s, at + SMALL * i + x] = bank[s, at + SMALL * i + last]
        bank[s, to + x] = bank[s, to + last]
    else:
        for i in range(k):
            q[u, b, i] -= slope * work[0, i]
            if i != x:
                t = q[u, i, x]
                for j in range(k):
                    q[u, i, j] -= t * work[0, j]
        for i in range(k):
            q[u, x, i] = q[u, last, i]
        for i in range(k):
            q[u, i, x] = q[u, i, last]
        q[u, b, x] = q[u, b, last]
        if last == SMALL:
            for i in range(SMALL):
                bank[s, to + i] = q[u, b, i]
                for j in range(SMALL):
                    bank[s, at + SMALL * i + j] = q[u, i, j]
    r = parents[s, x]
    parents[s, x] = parents[s, last]
    for i in range(last):
        bank[s, parents[s, i]] = 0.0
        bank[s, d + parents[s, i]] = 0.0
    bank[s, d + r] = 1.0 / own
    bank[s, r] = slope / own
    slots.size[s] = last
    slots.value[s] = _value(score, bank[s, v], last)


@njit(**INNER)
def _helps(score: GaussianScore, slots: Slots, s: int, x: int) -> bool:
    if slots.size[s] == slots.parents.shape[1]:
        return False
    c, w = score.bank[s, x], score.bank[s, score.corr.shape[0] + x]
    return c * c > score.number[2] * max(score.bank[s, slots.node[s]], SINGULAR) * w and w > SINGULAR


@njit(**INNER)
def _rise(score: GaussianScore, slots: Slots, s: int, x: int) -> float:
    c, w = score.bank[s, x], score.bank[s, score.corr.shape[0] + x]
    if slots.size[s] == slots.parents.shape[1] or w <= SINGULAR:
        return np.inf
    s2 = max(score.bank[s, slots.node[s]], SINGULAR)
    return float(score.number[0] * math.log(max(1.0 - c * c / (w * s2), SINGULAR)) + score.number[1])


@njit(**INNER, fastmath=FAST | {"nnan"})
def _best_add(score: GaussianScore, slots: Slots, s: int, x: Array) -> int:
    bank, share, d = score.bank, score.work, score.corr.shape[0]
    level = score.number[2] * max(bank[s, slots.node[s]], SINGULAR)
    if slots.size[s] == slots.parents.shape[1]:
        return -1
    some = 0  # most often none helps; loops without branches are the fastest
    for j in range(d):
        some |= bank[s, j] * bank[s, j] * x[j] > level * bank[s, d + j]
    if not some:
        return -1
    for j in range(d):
        w = bank[s, d + j]
        share[0, j] = bank[s, j] * bank[s, j] * x[j] / w if w > SINGULAR else 0.0
    most = level
    for j in range(d):
        most = share[0, j] if share[0, j] > most else most
    if most > level:
        for j in range(d):
            if share[0, j] == most:
                return j
    return -1


@njit(**INNER)
def _best_drop(score: GaussianScore, slots: Slots, s: int, x: AnyArray) -> int:
    bank, q, d = score.bank, score.inverse, score.corr.shape[0]
    level = score.number[3] * max(bank[s, slots.node[s]], SINGULAR)
    best = -1
    few = slots.size[s] <= SMALL
    for i in range(slots.size[s]):
        if few:
            own, slope = bank[s, 2 * d + SMALL * i + i], bank[s, 2 * d + SMALL * SMALL + i]
        else:
            own, slope = q[s - d, i, i], q[s - d, q.shape[1] - 1, i]
        if slope * slope < level * own and not x[slots.parents[s, i]]:
            best, level = i, slope * slope / own
    return best


implement(GaussianScore, _begin, _copy, _add, _drop, _helps, _rise, _best_add, _best_drop)


def local_score(corr: Array, n: int, penalty: float, v: int, parents: Ints) -> float:
    """f(v | parents) straight from its definition; corr: (d, d), parents: (k,)."""
    s2 = 1.0
    if len(parents):
        s2 -= corr[v, parents] @ np.linalg.solve(corr[np.ix_(parents, parents)], corr[parents, v])
    return n * math.log(max(s2, SINGULAR)) + penalty * len(parents) * math.log(n)
