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
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Bools, Codes, Ints
from .association import dependent
from .conditional import Numbers, list_parents, normal_part, scale_numbers
from .contract import INNER, Slots, copy_slot, empty_slots, implement, widen
from .counting import Columns, Counts, coded_columns, empty_counts, split, stratify
from .pool import FAR, Pool, ask_all, empty_pool, hold, recall
from .regrets import regret, tabulate

NAMES = ("fnml", "qnml", "bic", "bdeu")
NAME, PENALTY, ESS, PARENT = range(4)  # entries of DiscreteScore.number
FNML, QNML, BIC, BDEU = range(4)
TABULATED = 1 << 16
MOST_KINDS = 32  # numbers of states for which regrets are tabulated
MARGIN = 1e-6
GRAIN = 1 << 16  # scores are whole multiples of 1 / GRAIN: their sums are exact, equal sets score the same by any path
NARROW = 24  # variables up to which all pairs are asked from the start; of more, those that depend on each other


class DiscreteScore(NamedTuple):
    """Categories, their score, and what its slots keep.

    number: (4,) which of NAMES, price of a free number (BIC), equivalent sample size, price of a parent (fNML). logs: (m,)
    n ln n of small n. whole: (kinds, m) n ln n + R(n, r), kind: (d,) the row of it for each variable (fNML).
    ready: (2,) the family whose cells are counted, and its strata. counts: work. numbers: those of a mixed table, columns of one
    state here; empty where there are none.
    """

    columns: Columns
    number: Array
    logs: Array
    whole: Array
    kind: Ints
    pool: Pool
    ready: Ints
    counts: Counts
    numbers: Numbers


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
    )
    return score, slots


@njit(**INNER)
def _price(score: DiscreteScore, v: int, q: float) -> float:
    """What q configurations of the parents cost variable v, whatever the counts."""
    r = score.columns.cards[v]
    if score.number[NAME] == QNML and r > 1:
        n = score.columns.rows[v]
        return 2.0 * (regret(n, q * r) - (regret(n, q) if q > 1.0 else 0.0))
    return score.number[PENALTY] * q * (r - 1) if score.number[NAME] == BIC else 0.0


@njit(**INNER)
def _whole(score: DiscreteScore, v: int, n: int) -> float:
    """n ln n, and with fNML the regret."""
    own = score.number[NAME] == FNML
    if n < score.logs.size:
        if own and score.kind[v] < score.whole.shape[0]:
            return float(score.whole[score.kind[v], n])
        value = score.logs[n]
    else:
        value = n * math.log(n)
    return float(value + regret(n, score.columns.cards[v])) if own and score.columns.cards[v] > 1 else float(value)


@njit(**INNER)
def _likelihood(score: DiscreteScore, v: int, table: Ints, groups: int) -> float:
    """sum_jk n_jk ln n_jk - sum_j n_j ln n_j over the ``groups`` rows of table, the first r cells of each; fNML: less the
    regrets."""
    r, wide, logs = score.columns.cards[v], score.columns.wide[v], score.logs
    total = 0.0
    for j in range(groups):
        n_j = 0
        for i in range(j * wide, j * wide + r):
            n = table[i]
            n_j += n
            total += logs[n] if n < logs.size else n * math.log(n)
        if n_j > 0:
            total -= _whole(score, v, n_j)
    return total


@njit(**INNER)
def _marginal(score: DiscreteScore, v: int, table: Ints, groups: int, q: float) -> float:
    """ln of BDeu's marginal likelihood."""
    r, wide = score.columns.cards[v], score.columns.wide[v]
    a_j = score.number[ESS] / q
    a_jk = a_j / r
    g_j, g_jk = math.lgamma(a_j), math.lgamma(a_jk)
    total = 0.0
    for j in range(groups):
        n_j = 0
        for i in range(j * wide, j * wide + r):
            if table[i] > 0:
                n_j += table[i]
                total += math.lgamma(a_jk + table[i]) - g_jk
        if n_j > 0:
            total += g_j - math.lgamma(a_j + n_j)
    return total


@njit(**INNER)
def _weigh(score: DiscreteScore, v: int, table: Ints, groups: int, q: float, parents: int) -> float:
    """f of v with so many ``parents`` from a table (groups, wide): rows of it without any count say nothing."""
    if score.number[NAME] == BDEU:
        value = -2.0 * _marginal(score, v, table, groups, q)
    else:
        value = _price(score, v, q) - 2.0 * _likelihood(score, v, table, groups)
    if score.number[NAME] == FNML:
        value += parents * score.number[PARENT]
    return round(value * GRAIN) / GRAIN


@njit(**INNER)
def _strata(score: DiscreteScore, slots: Slots, s: int, apart: int) -> int:
    """Count the cells of slot s without its parent ``apart`` (-1: with all), unless at hand; the number of strata."""
    family = score.pool.held[0, s]
    if apart >= 0:
        family ^= score.pool.names[1, apart]
    if score.ready[0] != family:
        score.ready[0] = family
        parents = slots.parents[s, : slots.size[s]]
        score.ready[1] = stratify(score.columns, slots.node[s], parents, apart, score.counts)
    return int(score.ready[1])


@njit(**INNER)
def _mixed(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    """f of slot s of a mixed table with x, without it where it is a parent, or as it is where x is -1."""
    v, counts, numbers, held = slots.node[s], score.counts, score.numbers, slots.parents[s, : slots.size[s]]
    size, k = list_parents(numbers, v, held, x)
    nobody = np.int64(-1)
    score.ready[0] = 0
    strata = stratify(score.columns, v, numbers.member[0, :size], nobody, counts)
    if strata < 0:
        return FAR
    value = _weigh(score, v, counts.size, strata, 1.0, size)
    if k > 0:
        value -= 2.0 * normal_part(numbers, counts, v, score.columns.wide[v], strata, k)
    return round(value * GRAIN) / GRAIN


@njit(**INNER)
def _toggled(score: DiscreteScore, slots: Slots, s: int, x: int, most: float) -> float:
    """f of slot s with x, or without it where it is a parent.

    FAR where the price alone is more than ``most``, and where the cells are too many to count.
    """
    if score.numbers.numeric.size:
        return _mixed(score, slots, s, x)
    v, cards = slots.node[s], score.columns.cards
    wide, q, inside, k = score.columns.wide[v], 1.0, False, slots.size[s]
    for i in range(k):
        q *= cards[slots.parents[s, i]]
        inside |= slots.parents[s, i] == x
    q = q / cards[x] if inside else q * cards[x]
    if _price(score, v, q) > most:
        return FAR
    strata = _strata(score, slots, s, x if inside else -1)
    if strata < 0:
        return FAR
    if inside:
        return _weigh(score, v, score.counts.size, strata, q, k - 1)
    if strata * wide * cards[x] > score.counts.table.size:
        return FAR
    split(score.columns, x, strata * wide, score.counts)
    return _weigh(score, v, score.counts.table, strata * cards[x], q, k + 1)


@njit(**INNER)
def _ask(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    """f of slot s with x, or without it where it is a parent: from the pool, or counted."""
    pool = score.pool
    row = pool.held[1, s]
    value = pool.values[row, x]
    if math.isnan(value):
        value = recall(pool, pool.held[0, s] ^ pool.names[1, x], slots.node[s])
        if math.isnan(value):
            value = _toggled(score, slots, s, x, slots.value[s])
        pool.values[row, x] = value
    return float(value)


@njit(**INNER)
def _become(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    """What slot s will score when x is toggled, and the row of that family."""
    value = _ask(score, slots, s, x)
    if value == FAR:  # required: what it costs is wanted all the same
        value = _toggled(score, slots, s, x, np.inf)
    hold(score.pool, s, score.pool.held[0, s] ^ score.pool.names[1, x], slots.node[s], value)
    return value


@njit(**INNER)
def _alone(score: DiscreteScore, slots: Slots, s: int) -> float:
    """f of slot s without parents."""
    nobody = np.int64(-1)  # no literal: for each of those numba compiles anew
    if score.numbers.numeric.size:
        return _mixed(score, slots, s, nobody)
    return _weigh(score, slots.node[s], score.counts.size, _strata(score, slots, s, nobody), 1.0, slots.size[s])


@njit(**INNER)
def _begin(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    slots.node[s] = x
    slots.size[s] = 0
    score.pool.held[0, s] = score.pool.names[0, x]
    slots.value[s] = _alone(score, slots, s)
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
