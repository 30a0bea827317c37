"""Scores of categories: fNML, qNML, BIC and BDeu of a variable given its parents' states, from counts.

With n_j rows in configuration j of the parents, q configurations, n_jk of those rows in state k of r states of v, and
R(n, r) the regret of r categories in n rows, ln of the sum of the largest likelihoods of all samples,

    fNML   f(v | P) = -2 sum_jk n_jk ln(n_jk / n_j) + 2 sum_j R(n_j, r) + 2 penalty |P| ln d   (Silander et al. 2008)
    qNML   the same with 2 (R(n, q r) - R(n, q)) for the price                                  (Silander et al. 2018)
    BIC    ... with penalty q (r - 1) ln n                                                      (Schwarz 1978)
    BDeu   f(v | P) = -2 sum_j [ln G(a_j) / G(a_j + n_j) + sum_k ln G(a_jk + n_jk) / G(a_jk)]

G the gamma function, a_j = ess / q, a_jk = ess / (q r) (Heckerman, Geiger and Chickering 1995). fNML charges only for
configurations that occur, and its 2 |P| ln d is what naming the parents takes among d columns: without it the least of
d^2 false pairs looks good by chance (the prior of the extended BIC: Chen and Chen 2008).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Bools, Codes, Ints
from .association import dependent
from .cells import ALONE, AT_ANY_PRICE, NAMES, WITHIN, DiscreteScore, weigh_cells
from .conditional import Numbers, scale_numbers
from .contract import INNER, Slots, apart, copy_slot, empty_slots, implement, widen
from .counting import coded_columns, empty_counts
from .opaque import call
from .pool import FAR, ask_all, empty_pool, hold, recall
from .regrets import tabulate

TABULATED = 1 << 16
MOST_KINDS = 32  # numbers of states for which regrets are tabulated
MARGIN = 1e-6
NARROW = 24  # variables up to which all pairs are asked from the start; of more, those that depend on each other


def discrete_score(
    codes: Codes,
    most: int,
    *,
    name: str,
    penalty: float = 1.0,
    ess: float = 1.0,
    numbers: Numbers | None = None,
    asked: Bools | None = None,
    alone: Bools | None = None,
) -> tuple[DiscreteScore, Slots]:
    """The score ``name`` of NAMES for category codes (n, d) from 0, with slots of at most ``most`` parents.

    penalty: of one free number in units of ln n (BIC), of one parent in units of 2 ln d (fNML). ess: the equivalent
    sample size (BDeu). alone: (n, d) the rows in which each variable was left alone, which are those that count for it
    (Cooper and Yoo, UAI 1999); None for all. States that no row has are none. numbers: of a mixed table, whose columns are 0
    here. Of many columns only pairs (d, d) ``asked``, by default those that depend on each other, are looked at until ``widen``.
    """
    n, d = codes.shape
    columns, slots = coded_columns(codes, alone), empty_slots(d, most)
    if asked is None or d <= NARROW:
        asked = dependent(codes) if d > NARROW else np.ones((d, d), bool)
    m = np.arange(min(n + 1, TABULATED), dtype=float)
    logs = m * np.log(np.maximum(m, 1.0))
    states, kind = np.unique(columns.cards, return_inverse=True)
    if name != "fnml":
        states = states[:0]
    score = DiscreteScore(
        columns=columns,
        number=np.array([NAMES.index(name), penalty * math.log(n), ess, 2.0 * penalty * math.log(d)]),
        logs=logs,
        whole=tabulate(logs, states[:MOST_KINDS].astype(float)),
        kind=kind.astype(np.int64),
        pool=empty_pool(asked, len(slots.node)),
        ready=np.zeros(2, np.int64),
        counts=empty_counts(n),
        numbers=numbers or scale_numbers(np.zeros((1, 0)), np.zeros(0, bool), 0),
        counted=np.zeros(2, np.int64),
    )
    return score, slots


@njit(**INNER)
def _ask(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    """f of slot s with x, or without it where it is a parent: from the pool, or counted."""
    pool = score.pool
    row = pool.held[1, s]
    value = pool.values[row, x]
    if math.isnan(value):
        value = recall(pool, pool.held[0, s] ^ pool.names[1, x], slots.node[s])
        if math.isnan(value):
            value = call(score.counted, WITHIN, s, x, slots.node)
        pool.values[row, x] = value
    return float(value)


@njit(**INNER)
def _become(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    """What slot s will score when x is toggled, and the row of that family."""
    value = _ask(score, slots, s, x)
    if value == FAR:  # required: what it costs is wanted all the same
        value = call(score.counted, AT_ANY_PRICE, s, x, slots.node)
    hold(score.pool, s, score.pool.held[0, s] ^ score.pool.names[1, x], slots.node[s], value)
    return value


@njit(**INNER)
def _begin(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    slots.node[s] = x
    slots.size[s] = 0
    score.pool.held[0, s] = score.pool.names[0, x]
    slots.value[s] = call(score.counted, ALONE, s, x, slots.node)
    hold(score.pool, s, score.pool.names[0, x], x, slots.value[s])


@njit(**INNER)
def _copy(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    copy_slot(slots, s, x)
    held = score.pool.held
    held[0, x], held[1, x] = held[0, s], held[1, s]


@njit(**INNER)
def _add(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    slots.value[s] = _become(score, slots, s, x)
    slots.parents[s, slots.size[s]] = x
    slots.size[s] += 1


@njit(**INNER)
def _drop(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    slots.value[s] = _become(score, slots, s, np.int64(slots.parents[s, x]))
    slots.size[s] -= 1
    slots.parents[s, x] = slots.parents[s, slots.size[s]]


@njit(**INNER)
def _find(slots: Slots, s: int, x: int) -> int:
    """The place of x among the parents of slot s, or -1."""
    for i in range(slots.size[s]):
        if slots.parents[s, i] == x:
            return i
    return -1


@njit(**INNER)
def _helps(score: DiscreteScore, slots: Slots, s: int, x: int) -> bool:
    if slots.size[s] == slots.parents.shape[1]:
        return False
    return _find(slots, s, x) < 0 and _ask(score, slots, s, x) < slots.value[s] - MARGIN


@njit(**INNER)
def _rise(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    if slots.size[s] == slots.parents.shape[1] or _find(slots, s, x) >= 0:
        return np.inf
    value = _ask(score, slots, s, x)
    return float(value - slots.value[s]) if value < FAR else np.inf


@njit(**INNER)
def _best_add(score: DiscreteScore, slots: Slots, s: int, x: Array) -> int:
    if slots.size[s] == slots.parents.shape[1]:
        return -1
    best, least = -1, slots.value[s] - MARGIN
    for r in range(x.size):
        if x[r] == 1.0:
            value = _ask(score, slots, s, r)
            if value < least and _find(slots, s, r) < 0:
                best, least = r, value
    return best


@njit(**INNER)
def _best_drop(score: DiscreteScore, slots: Slots, s: int, x: AnyArray) -> int:
    best, least = -1, slots.value[s] - MARGIN
    for i in range(slots.size[s]):
        r = np.int64(slots.parents[s, i])
        if not x[r]:
            value = _ask(score, slots, s, r)
            if value < least:
                best, least = i, value
    return best


implement(DiscreteScore, _begin, _copy, _add, _drop, _helps, _rise, _best_add, _best_drop)


@widen.register
def _(score: DiscreteScore) -> bool:
    return ask_all(score.pool)


@apart.register
def _(score: DiscreteScore) -> tuple[Any, Ints]:
    return weigh_cells, score.counted
