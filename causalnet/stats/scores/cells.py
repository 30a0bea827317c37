"""f(v | P) of categories from the counts of one family's cells, compiled once for all that ask (:mod:`causalnet.stats.scores.discrete`)."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import Array, Ints
from .conditional import Numbers, list_parents, normal_part
from .contract import BARE, INNER, Slots
from .counting import Columns, Counts, split, stratify
from .pool import FAR, Pool
from .regrets import regret

ALONE, WITHIN, AT_ANY_PRICE = range(3)  # what is asked of the counts
NAMES = ("fnml", "qnml", "bic", "bdeu")
NAME, PENALTY, ESS, PARENT = range(4)  # entries of DiscreteScore.number
FNML, QNML, BIC, BDEU = range(4)
GRAIN = 1 << 16  # scores are whole multiples of 1 / GRAIN: their sums are exact, equal sets score the same by any path


class DiscreteScore(NamedTuple):
    """Categories, their score, and what its slots keep.

    number: (4,) which of NAMES, price of a free number (BIC), equivalent sample size, price of a parent (fNML). logs: (m,)
    n ln n of small n. whole: (kinds, m) n ln n + R(n, r), kind: (d,) the row of it for each variable (fNML).
    ready: (2,) the family whose cells are counted, and its strata. counts: work. numbers: those of a mixed table, columns of one
    state here; empty where there are none. counted: (2,) see :func:`causalnet.stats.scores.contract.apart`; so this score answers
    only behind an address.
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
    counted: Ints


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
def _alone(score: DiscreteScore, slots: Slots, s: int) -> float:
    """f of slot s without parents."""
    nobody = np.int64(-1)  # no literal: for each of those numba compiles anew
    if score.numbers.numeric.size:
        return _mixed(score, slots, s, nobody)
    return _weigh(score, slots.node[s], score.counts.size, _strata(score, slots, s, nobody), 1.0, slots.size[s])


@njit(**BARE)
def weigh_cells(told: Any, question: int, s: int, x: int, may: Any, fixed: Any) -> float:
    """f of slot s of told[0] from the counts: ALONE without parents, else with x toggled, WITHIN the present score or AT_ANY_PRICE."""
    score, slots = told[0]
    if question == ALONE:
        return _alone(score, slots, s)
    return _toggled(score, slots, s, x, slots.value[s] if question == WITHIN else np.inf)
