"""A causal order from non-Gaussian noise: what depends least on the residuals of the others comes first (DirectLiNGAM).

If x = B x + e is acyclic and the e are independent and not Gaussian, the first variable of a causal order is the only
one that is independent of what is left of every other when regressed on it (Shimizu et al., JMLR 12, 2011, lemma 1).
Regress it out of the others, and what is left is such a system again. For two standardised variables, the direction
is the sign of the difference of two mutual informations (Hyvärinen and Smith, JMLR 14, 2013, eq. 3)

    D(i, j) = H(x_j) + H(r_i|j) - H(x_i) - H(r_j|i),   r_i|j = (x_i - rho x_j) / sqrt(1 - rho^2),

positive for i -> j, and the variable of least sum_j min(0, D(i, j))^2 comes first.
Such a sum only grows, so the search takes up one pair at a time, always of the variable whose sum is least so far, and
is done when that one has met all others: the same order for a fraction of the d^3 / 6 pairs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Bools, Ints
from ..base.clock import now
from ..stats.gaussian_noise import FAST, negentropy, standardised_rows

SINGULAR = 1e-9  # a share of variance no larger is none


class Ordered(NamedTuple):
    """order: (d,) variables, causes first. measure: (d, d), [i, j] is D(i, j) once all before i are regressed out, for
    every j behind i. pairs: measures taken. complete: False if time ran out; the order then ends in a guess."""

    order: Ints
    measure: Array
    pairs: int
    complete: bool


def causal_order(values: Array, first: Bools, required: Bools, deadline: float = math.inf) -> Ordered:
    """DirectLiNGAM's order of the columns of values (n, d).

    first: (d, d) bool, [i, j] where i should come before j, kept where it has no cycles; required: (d, d) bool, kept
    always. deadline: of the clock in :mod:`causalnet.base.clock`.
    """
    rows = standardised_rows(values)
    measure = np.zeros((len(rows), len(rows)))
    order, pairs, complete = _search(rows, measure, first, required, deadline)
    return Ordered(order, measure, int(pairs), bool(complete))


@njit(cache=True, fastmath=FAST)
def _dot(a: Array, b: Array) -> float:
    s = 0.0
    for t in range(a.size):
        s += a[t] * b[t]
    return s


@njit(cache=True, fastmath=FAST)
def _left(a: Array, b: Array, rho: float, scale: float, out: Array) -> None:
    """out = (a - rho b) scale."""
    for t in range(a.size):
        out[t] = (a[t] - rho * b[t]) * scale


@njit(cache=True)
def _difference(a: Array, b: Array, of_a: float, of_b: float, work: Array) -> float:
    """D(a, b) of standardised rows with negentropies of_a and of_b; entropies enter as what they lack of a Gaussian's."""
    rho = _dot(a, b) / a.size
    rest = 1.0 - rho * rho
    if rest < SINGULAR:
        return 0.0
    scale = 1.0 / math.sqrt(rest)
    _left(a, b, rho, scale, work)
    a_without_b = negentropy(work)
    _left(b, a, rho, scale, work)
    return of_a - of_b + negentropy(work) - a_without_b


@njit(cache=True)
def _candidates(left: Bools, first: Bools, required: Bools) -> Bools:
    """Which of those left nothing left should, or else must, come before."""
    out = left.copy()
    for i in range(left.size):
        out[i] &= not (left & first[:, i]).any()
    if not out.any():
        for i in range(left.size):
            out[i] = left[i] and not (left & required[:, i]).any()
    return out


@njit(cache=True)
def _least(may: Bools, cost: Array) -> int:
    best = -1
    for i in range(may.size):
        if may[i] and (best < 0 or cost[i] < cost[best]):
            best = i
    return best


@njit(cache=True)
def _rival(i: int, left: Bools, met: Bools, cost: Array) -> int:
    """Whom i meets next: of those left that it has not met, the one of least cost; -1 if it has met all."""
    best = -1
    for j in range(left.size):
        if left[j] and not met[i, j] and (best < 0 or cost[j] < cost[best]):
            best = j
    return best


@njit(cache=True)
def _regress_out(x: Array, v: int, left: Bools, share: Array) -> None:
    """Row v out of all rows left, standardised again; one that is then nothing but rounding becomes zero."""
    n = x.shape[1]
    for j in range(left.size):
        if not left[j] or share[j] == 0.0:
            continue
        rho = _dot(x[v], x[j]) / n
        share[j] *= 1.0 - rho * rho
        if share[j] < SINGULAR:
            share[j] = 0.0
            x[j] = 0.0
            continue
        _left(x[j], x[v], rho, 1.0, x[j])
        x[j] /= math.sqrt(_dot(x[j], x[j]) / n)


@njit(cache=True)
def _search(x: Array, measure: Array, first: Bools, required: Bools, deadline: float) -> tuple[Ints, int, bool]:
    """Order, pairs measured, and whether time sufficed; x (d, n) standardised rows, used up."""
    d, n = x.shape
    order, left, share = np.empty(d, np.int64), np.ones(d, np.bool_), np.ones(d)
    cost, own, work = np.zeros(d), np.zeros(d), np.empty(n)
    found, met = np.zeros((d, d)), np.zeros((d, d), np.bool_)
    pairs, complete, look = 0, True, max(1, min(64, (1 << 21) // n))  # pairs from one look at the clock to the next
    for k in range(d):
        may = _candidates(left, first, required)
        cost[:] = 0.0
        met[:] = False
        for j in range(d):
            met[j, j] = True
            if left[j] and complete:
                own[j] = negentropy(x[j])
        i = _least(may, cost)
        j = _rival(i, left, met, cost)
        while j >= 0 and complete:
            difference = _difference(x[i], x[j], own[i], own[j], work)
            found[i, j], found[j, i] = difference, -difference
            met[i, j] = met[j, i] = True
            cost[i] += min(0.0, difference) ** 2
            cost[j] += min(0.0, -difference) ** 2
            pairs += 1
            if pairs % look == 0 and deadline < np.inf and now() > deadline:
                complete = False
            i = _least(may, cost)
            j = _rival(i, left, met, cost)
        order[k] = i
        left[i] = False
        for j in range(d):
            if left[j]:
                measure[i, j] = found[i, j]
        if complete:
            _regress_out(x, i, left, share)
    return order, pairs, complete
