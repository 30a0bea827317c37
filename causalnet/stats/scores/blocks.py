"""The degenerate Gaussian score: variables as blocks of columns, a category coded as indicators of its states but one.

Treat all columns as jointly Gaussian (Andrews, Ramsey and Cooper, KDD-CD 2019). With S their covariance, B(v) the columns
of v, and S_v|P = S_vv - S_vP S_PP^-1 S_Pv the residual covariance of its block,

    f(v | P) = n (ln det S[B(v) + B(P)] - ln det S[B(P)]) + sum_{r in P} price(v, r) = n ln det S_v|P + sum price(v, r)

where price(v, r) = penalty |B(v)| |B(r)| ln n: an edge costs the same either way, so graphs of one class score the same.
Blocks of one column give the linear Gaussian BIC. Each block is whitened first, S_vv = 1, which changes no score.

For every other r a slot keeps the change of f were it added. With U = L^-1 S_P. of the Cholesky factor L of S_PP all
residual covariances are S_. - U'U, and with C = S_vr|P, Q = S_PP^-1 and b = Q S_Pv the regression

    with r      S_v|P+r = S_v|P - C S_r|P^-1 C'          without it      S_v|P-r = S_v|P + b_r' Q_rr^-1 b_r.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Ints
from .contract import FAST, SCRATCH, UNSEEN, Slots, copy_slot, empty_slots, implement

SINGULAR = 1e-9  # of a variance of 1 this much is none: such a direction is determined by the parents
MARGIN = 1e-7  # a change of score below this is rounding


class BlockScore(NamedTuple):
    """The score of blocks and what its slots keep.

    cov: (g, m, m) of the columns in g sets of rows, 1 within blocks. group: (d,) the set of each variable, n_of: (d,) its n.
    start: (d + 1,), the columns of v are start[v] .. start[v + 1] - 1. price: (d, d) of an edge, symmetric.
    most: (1,) columns that the parents of one variable may have.
    change: (s, d) of the score of each slot, were r added; 0 at its parents. wide: (2, s) columns of the parents of
    each slot; parents whose rows stand in ``rows``. rows: (SCRATCH, most columns, m) U of the scratch slots.
    own: (3, w, w) work, w the widest block: the residual covariance of v, that of another block, the two crossed.
    inverse: (most columns, most columns) work.
    """

    cov: Array
    group: Ints
    n_of: Array
    start: Ints
    price: Array
    most: Ints
    change: Array
    wide: Ints
    rows: Array
    own: Array
    inverse: Array


def block_score(cov: Array, start: Ints, n: float, price: Array, most: int, room: int) -> tuple[BlockScore, Slots]:
    """The score of d blocks, with slots of at most ``most`` parents that have at most ``room`` columns.

    cov: (m, m), as :func:`whiten` gives it. start: (d + 1,). n: rows. price: (d, d) of an edge, symmetric.
    """
    d = len(start) - 1
    return grouped_blocks(cov[None], start, np.zeros(d, np.int64), np.full(d, n), price, most, room)


def grouped_blocks(
    cov: Array, start: Ints, group: Ints, n: Array, price: Array, most: int, room: int
) -> tuple[BlockScore, Slots]:
    """The same with each variable on rows of its own. cov: (g, m, m) of g sets of rows. group: (d,) the set of each
    variable. n: (d,) how many rows that is."""
    size = np.diff(start)
    d = len(size)
    slots = empty_slots(d, most)
    room = max(1, min(room, int(np.sort(size)[::-1][:most].sum())))
    score = BlockScore(
        cov=np.array(cov, float, order="C"),
        group=np.array(group, np.int64),
        n_of=np.array(n, float),
        start=np.array(start, np.int64),
        price=np.array(price, float, order="C"),
        most=np.array([room], np.int64),
        change=np.zeros((len(slots.node), d)),
        wide=np.zeros((2, len(slots.node)), np.int64),
        rows=np.zeros((SCRATCH, room + int(size.max()), cov.shape[1])),
        own=np.zeros((3, size.max(), size.max())),
        inverse=np.zeros((room + int(size.max()),) * 2),
    )
    return score, slots


def whiten(cov: Array, start: Ints) -> Array:
    """(m, m) covariance of the same blocks in coordinates in which each is 1; a direction without variance has no
    covariance with others."""
    found = np.array(cov, float)
    for a, b in pairwise(start):
        size, directions = np.linalg.eigh(cov[a:b, a:b])
        some = size > SINGULAR * size.max(initial=0.0)
        root = directions.T * np.where(some, 1.0 / np.sqrt(np.where(some, size, 1.0)), 0.0)[:, None]
        found[a:b] = root @ found[a:b]
        found[:, a:b] = found[:, a:b] @ root.T
    for a, b in pairwise(start):
        found[a:b, a:b] = np.eye(b - a)
    return (found + found.T) / 2.0


@dataclass(frozen=True)
class BlockLocal:
    """f(v | parents) straight from its definition. cov: (m, m). start: (d + 1,). n: rows. price: (d, d) of an edge."""

    cov: Array
    start: Ints
    n: float
    price: Array

    def __call__(self, v: int, parents: Ints) -> float:
        own = np.arange(self.start[v], self.start[v + 1])
        rest = self.cov[np.ix_(own, own)]
        if len(parents):
            given = np.concatenate([np.arange(self.start[p], self.start[p + 1]) for p in parents])
            cross = self.cov[np.ix_(own, given)]
            rest = rest - cross @ np.linalg.pinv(self.cov[np.ix_(given, given)], SINGULAR, hermitian=True) @ cross.T
        values = np.maximum(np.linalg.eigvalsh(rest), SINGULAR)
        return float(self.n * np.log(values).sum() + self.price[v, parents].sum())


@njit(**UNSEEN)
def _logdet(a: Array, k: int) -> float:
    """ln det of a[:k, :k], which becomes its Cholesky factor (lower)."""
    total = 0.0
    for i in range(k):
        for j in range(i + 1):
            t = a[i, j]
            for h in range(j):
                t -= a[i, h] * a[j, h]
            if i == j:
                t = max(t, SINGULAR)
                total += math.log(t)
                a[i, i] = math.sqrt(t)
            else:
                a[i, j] = t / a[j, j]
    return total


@njit(**UNSEEN)
def _logdet_after(score: BlockScore, kv: int, kr: int, sign: float) -> float:
    """ln det of own[0] + sign own[2]' own[1]^-1 own[2]: (kv, kv), and (kr, kr) with (kr, kv). A direction of own[1] that
    is determined counts for nothing. own[1] and own[2] are used up."""
    base, block, cross = score.own[0], score.own[1], score.own[2]
    if kv == 1 and kr == 1:
        moved = cross[0, 0] * cross[0, 0] / block[0, 0] if block[0, 0] > SINGULAR else 0.0
        return math.log(max(base[0, 0] + sign * moved, SINGULAR))
    for i in range(kr):
        for j in range(i + 1):
            t = block[i, j]
            for h in range(j):
                t -= block[i, h] * block[j, h]
            if i > j:
                block[i, j] = t * block[j, j]
            else:
                block[i, i] = 1.0 / math.sqrt(t) if t > SINGULAR else 0.0
        for c in range(kv):
            t = cross[i, c]
            for h in range(i):
                t -= block[i, h] * cross[h, c]
            cross[i, c] = t * block[i, i]
    for a in range(kv):
        for b in range(a + 1):
            t = 0.0
            for i in range(kr):
                t += cross[i, a] * cross[i, b]
            block[a, b] = base[a, b] + sign * t
    return _logdet(block, kv)


@njit(**UNSEEN, fastmath=FAST)
def _extend(score: BlockScore, slots: Slots, s: int) -> None:
    """The rows U of all parents of scratch slot s; those of the first wide[1, s] parents stand."""
    cov, start, rows = score.cov[score.group[slots.node[s]]], score.start, score.rows[s - score.price.shape[0]]
    at = 0
    for i in range(slots.size[s]):
        p = slots.parents[s, i]
        for x in range(start[p], start[p + 1]):
            if i >= score.wide[1, s]:
                for j in range(cov.shape[0]):
                    rows[at, j] = cov[x, j]
                for h in range(at):
                    t = rows[h, x]
                    for j in range(cov.shape[0]):
                        rows[at, j] -= t * rows[h, j]
                scale = 1.0 / math.sqrt(max(rows[at, x], SINGULAR))
                for j in range(cov.shape[0]):
                    rows[at, j] *= scale
            at += 1
    score.wide[0, s], score.wide[1, s] = at, slots.size[s]


@njit(**UNSEEN, fastmath=FAST)
def _rest(score: BlockScore, slots: Slots, s: int, a: int, b: int, out: Array) -> None:
    """out: the residual covariance of the blocks of a and b given the parents of scratch slot s."""
    start, rows = score.start, score.rows[s - score.price.shape[0]]
    cov = score.cov[score.group[slots.node[s]]]
    for i in range(start[a + 1] - start[a]):
        for j in range(start[b + 1] - start[b]):
            x, y = start[a] + i, start[b] + j
            t = cov[x, y]
            for h in range(score.wide[0, s]):
                t -= rows[h, x] * rows[h, y]
            out[i, j] = t


@njit(**UNSEEN)
def _fit(score: BlockScore, slots: Slots, s: int) -> None:
    """Score and changes of scratch slot s."""
    v, start, own = slots.node[s], score.start, score.own
    n = score.n_of[v]
    kv = start[v + 1] - start[v]
    _extend(score, slots, s)
    _rest(score, slots, s, v, v, own[0])
    for i in range(kv):
        for j in range(kv):
            own[1, i, j] = own[0, i, j]
    base = _logdet(own[1], kv)
    slots.value[s] = n * base
    for r in range(score.price.shape[0]):
        kr = start[r + 1] - start[r]
        score.change[s, r] = 0.0
        if r != v and score.wide[0, s] + kr <= score.most[0]:
            _rest(score, slots, s, r, r, own[1])
            _rest(score, slots, s, r, v, own[2])
            score.change[s, r] = n * (_logdet_after(score, kv, kr, -1.0) - base) + score.price[v, r]
    for i in range(slots.size[s]):
        slots.value[s] += score.price[v, slots.parents[s, i]]
        score.change[s, slots.parents[s, i]] = 0.0


@njit(**UNSEEN)
def _begin(score: BlockScore, slots: Slots, s: int, x: int) -> None:
    slots.node[s] = x
    slots.size[s] = 0
    score.wide[0, s], score.wide[1, s] = 0, 0
    _fit(score, slots, s)


@njit(**UNSEEN)
def _copy(score: BlockScore, slots: Slots, s: int, x: int) -> None:
    copy_slot(slots, s, x)
    for r in range(score.price.shape[0]):
        score.change[x, r] = score.change[s, r]
    score.wide[0, x], score.wide[1, x] = score.wide[0, s], 0


@njit(**UNSEEN)
def _add(score: BlockScore, slots: Slots, s: int, x: int) -> None:
    slots.parents[s, slots.size[s]] = x
    slots.size[s] += 1
    _fit(score, slots, s)


@njit(**UNSEEN)
def _drop(score: BlockScore, slots: Slots, s: int, x: int) -> None:
    slots.size[s] -= 1
    slots.parents[s, x] = slots.parents[s, slots.size[s]]
    score.wide[1, s] = min(score.wide[1, s], x)
    _fit(score, slots, s)


@njit(**UNSEEN)
def _helps(score: BlockScore, slots: Slots, s: int, x: int) -> bool:
    return slots.size[s] < slots.parents.shape[1] and score.change[s, x] < -MARGIN


@njit(**UNSEEN)
def _rise(score: BlockScore, slots: Slots, s: int, x: int) -> float:
    if slots.size[s] == slots.parents.shape[1] or score.change[s, x] == 0.0:
        return np.inf
    return float(score.change[s, x])


@njit(**UNSEEN)
def _best_add(score: BlockScore, slots: Slots, s: int, x: Array) -> int:
    best, least = -1, -MARGIN
    if slots.size[s] < slots.parents.shape[1]:
        for r in range(x.size):
            if x[r] == 1.0 and score.change[s, r] < least:
                best, least = r, score.change[s, r]
    return best


@njit(**UNSEEN)
def _invert(score: BlockScore, slots: Slots, s: int) -> None:
    """score.inverse: L^-1 of the parents of scratch slot s; L[i, j] = U[j, column i]. A column that earlier ones determine
    has what _extend leaves it of variance, SINGULAR."""
    rows, start, inverse = score.rows[s - score.price.shape[0]], score.start, score.inverse
    at = 0
    for i in range(slots.size[s]):
        p = slots.parents[s, i]
        for x in range(start[p], start[p + 1]):
            pivot = max(rows[at, x], math.sqrt(SINGULAR))
            inverse[at, : at + 1] = 0.0
            inverse[at, at] = 1.0 / pivot
            for h in range(at):
                t = rows[h, x] / pivot
                for j in range(h + 1):
                    inverse[at, j] -= t * inverse[h, j]
            at += 1


@njit(**UNSEEN)
def _best_drop(score: BlockScore, slots: Slots, s: int, x: AnyArray) -> int:
    if slots.size[s] == 0:
        return -1
    v, start, own, inverse = slots.node[s], score.start, score.own, score.inverse
    n = score.n_of[v]
    rows, kv = score.rows[s - score.price.shape[0]], start[v + 1] - start[v]
    _extend(score, slots, s)
    _invert(score, slots, s)
    _rest(score, slots, s, v, v, own[0])
    now = slots.value[s]
    for i in range(slots.size[s]):
        now -= score.price[v, slots.parents[s, i]]
    best, least, at = -1, -MARGIN, 0
    for i in range(slots.size[s]):
        r = slots.parents[s, i]
        kr = start[r + 1] - start[r]
        if not x[r]:
            for a in range(kr):  # Q_rr, and b_r
                for b in range(kr):
                    t = 0.0
                    for h in range(at, score.wide[0, s]):
                        if h >= at + a and h >= at + b:
                            t += inverse[h, at + a] * inverse[h, at + b]
                    own[1, a, b] = t
                for b in range(kv):
                    t = 0.0
                    for h in range(at + a, score.wide[0, s]):
                        t += inverse[h, at + a] * rows[h, start[v] + b]
                    own[2, a, b] = t
            change = n * _logdet_after(score, kv, kr, 1.0) - now - score.price[v, r]
            if change < least:
                best, least = i, change
        at += kr
    return best


implement(BlockScore, _begin, _copy, _add, _drop, _helps, _rise, _best_add, _best_drop)
