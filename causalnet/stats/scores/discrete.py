"""Scores of categories: BIC and BDeu of a variable given its parents' states, from counts.

With n_j rows in configuration j of the parents, q configurations, n_jk of those rows in state k of r states of v,

    BIC    f(v | P) = -2 sum_jk n_jk ln(n_jk / n_j) + penalty q (r - 1) ln n          (Schwarz 1978)
    qNML   the same with 2 (R(q r) - R(q)) for the last term, R(K) the regret of K categories (Silander et al. 2018)
    BDeu   f(v | P) = -2 sum_j [ln G(a_j) / G(a_j + n_j) + sum_k ln G(a_jk + n_jk) / G(a_jk)]

G the gamma function, a_j = ess / q, a_jk = ess / (q r) (Heckerman, Geiger and Chickering 1995). All are
f = -2 (sum_jk h(n_jk, a_jk) - sum_j h(n_j, a_j)) + price(q, r) with h(n) = n ln n or h(n, a) = ln G(a + n) / G(a).

Every set of parents met has a row in a pool: entry x is f(v | P + x), or f(v | P - x) where x is a parent, worked out
when first asked. So a search that comes back to a set counts nothing again, and copying a slot copies one number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Codes, Ints
from ..bitsets import compact, state_bits
from .contract import Slots, empty_slots, implement
from .counting import Counts, count_split, count_strata, empty_counts, mask_strata, stratify_rows

BDEU, PRICE, ESS, QNML = range(4)  # entries of DiscreteScore.number
USED, PREPARED, STRATA = range(3)  # entries of DiscreteScore.tally
POOL = 1 << 23  # numbers kept, 64 MB
TABULATED = 1 << 16
MARGIN = 1e-6
GRAIN = 1 << 16  # scores are whole multiples of 1 / GRAIN: their sums are exact, equal sets score the same by any path
FAR = 1e30  # as good as never


class DiscreteScore(NamedTuple):
    """Categories, their score, and what its slots keep.

    columns: (d, n) int32. cards: (d,). offset: (d + 1,), the states of v are rows offset[v] .. of bits, (states, w) uint64.
    number: (4,) is it BDeu, price of a free number (BIC), equivalent sample size, is it qNML. logs: (m,) n ln n of small n.
    names: (2, d) int64, random: a set of parents is known by the exclusive or of names[0, v] and names[1, its members].
    pool: (rows, d). known: (rows,) the set of each row. places: (2^m,) int64, open addressing: row + 1, or 0.
    held: (2, s) the set and the row of every slot. tally: (3,) rows in use, the set whose strata are at hand, how many.
    counts: work.
    """

    columns: AnyArray
    cards: Ints
    offset: Ints
    bits: AnyArray
    number: Array
    logs: Array
    names: Ints
    pool: Array
    known: Ints
    places: Ints
    held: Ints
    tally: Ints
    counts: Counts


def discrete_score(
    codes: Codes, most: int, *, name: str, penalty: float = 1.0, ess: float = 1.0
) -> tuple[DiscreteScore, Slots]:
    """The score for category codes (n, d) from 0, with slots of at most ``most`` parents.

    name: "bic", "qnml" or "bdeu". penalty: of one free number, in units of ln n (BIC). ess: the equivalent sample size (BDeu). States that no row
    has are none.
    """
    n, d = codes.shape
    columns, cards = compact(np.array(codes.T, dtype=np.int32, order="C"))
    offset = np.concatenate([[0], np.cumsum(cards)])
    slots = empty_slots(d, most)
    rows = max(POOL // d, 8 * len(slots.node))
    m = np.arange(min(n + 1, TABULATED), dtype=float)
    score = DiscreteScore(
        columns=columns,
        cards=cards,
        offset=offset,
        bits=state_bits(columns, offset),
        number=np.array([name == "bdeu", (name == "bic") * penalty * math.log(n), ess, name == "qnml"], float),
        logs=m * np.log(np.maximum(m, 1.0)),
        names=np.random.default_rng(0).integers(1, 1 << 62, (2, d)),
        pool=np.empty((rows, d)),
        known=np.empty(rows, np.int64),
        places=np.zeros(1 << (2 * rows).bit_length(), np.int64),
        held=np.zeros((2, len(slots.node)), np.int64),
        tally=np.zeros(3, np.int64),
        counts=empty_counts(n),
    )
    return score, slots


@njit(cache=True)
def _h(score: DiscreteScore, n: int, a: float) -> float:
    """n ln n, or ln G(a + n) / G(a)."""
    if score.number[BDEU] > 0.0:
        return math.lgamma(a + n) - math.lgamma(a)
    return score.logs[n] if n < score.logs.size else n * math.log(n)


@njit(cache=True)
def regret(n: int, k: float) -> float:
    """ln of the sum of the largest likelihoods of all samples of n rows in k categories (Szpankowski and Weinberger 2012)."""
    a = k / n
    c = 0.5 + 0.5 * math.sqrt(1.0 + 4.0 / a)
    return n * (math.log(a) + (a + 2.0) * math.log(c) - 1.0 / c) - 0.5 * math.log(c + 2.0 / a)


@njit(cache=True)
def _price(score: DiscreteScore, q: float, r: int) -> float:
    """What q configurations of the parents cost a variable of r states."""
    if score.number[QNML] > 0.0:
        n = score.columns.shape[1]
        return 2.0 * (regret(n, q * r) - (regret(n, q) if q > 1.0 else 0.0))
    return score.number[PRICE] * q * (r - 1)


@njit(cache=True)
def _weigh(score: DiscreteScore, v: int, q: float, groups: int) -> float:
    """f from the table (groups, r) in score.counts: rows of it without any count say nothing."""
    table, r = score.counts.table, score.cards[v]
    a_j = score.number[ESS] / q
    a_jk = a_j / r
    g_j = g_jk = 0.0
    bdeu = score.number[BDEU] > 0.0
    if bdeu:
        g_j, g_jk = math.lgamma(a_j), math.lgamma(a_jk)
    total = 0.0
    for j in range(groups):
        n_j, cells, part = 0, 0, 0.0
        for k in range(r):
            n = table[j * r + k]
            if n > 0:
                n_j += n
                cells += 1
                part += math.lgamma(a_jk + n) - g_jk if bdeu else _h(score, n, 0.0)
        if bdeu and n_j > 0:
            total += part - math.lgamma(a_j + n_j) + g_j
        elif cells > 1:
            total += part - _h(score, n_j, 0.0)
    return round((_price(score, q, r) - 2.0 * total) * GRAIN) / GRAIN


@njit(cache=True)
def _prepare(score: DiscreteScore, slots: Slots, s: int, apart: int) -> int:
    """Strata of the rows by the parents of slot s but ``apart`` (-1: all of them), unless at hand; their number."""
    key = score.held[0, s]
    if apart >= 0:
        key ^= score.names[1, apart]
    if score.tally[PREPARED] != key:
        v = slots.node[s]
        parents = np.empty(slots.size[s], np.int64)
        m = 0
        for i in range(slots.size[s]):
            if slots.parents[s, i] != apart:
                parents[m] = slots.parents[s, i]
                m += 1
        score.tally[STRATA] = stratify_rows(score.columns, score.cards, parents[:m], score.counts)
        mask_strata(score.columns[v], score.cards[v], score.tally[STRATA], score.counts)
        score.tally[PREPARED] = key
    return int(score.tally[STRATA])


@njit(cache=True)
def _toggled(score: DiscreteScore, slots: Slots, s: int, x: int, bounded: bool) -> float:
    """f of slot s with x, or without it where it is a parent.

    With ``bounded``, FAR where the price alone is more than f is now; always where the cells are too many to count.
    """
    v, cards, counts, offset = slots.node[s], score.cards, score.counts, score.offset
    r, q, inside = cards[v], 1.0, False
    for i in range(slots.size[s]):
        q *= cards[slots.parents[s, i]]
        inside |= slots.parents[s, i] == x
    q = q / cards[x] if inside else q * cards[x]
    if bounded and _price(score, q, r) > slots.value[s]:
        return FAR
    strata = _prepare(score, slots, s, x if inside else -1)
    groups = strata if inside else strata * cards[x]
    if strata < 0 or groups * r > counts.table.size:
        return FAR
    if inside:
        count_strata(score.columns[v], r, strata, counts)
    else:
        states = score.bits[offset[x] : offset[x + 1]]
        count_split(score.columns[v], r, score.columns[x], cards[x], states, strata, counts)
    return _weigh(score, v, q, groups)


@njit(cache=True)
def _seek(score: DiscreteScore, key: int) -> int:
    """The place in the index where the row of set ``key`` is, or belongs."""
    mask = score.places.size - 1
    at = (key ^ (key >> 29)) & mask
    while score.places[at] and score.known[score.places[at] - 1] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True)
def _forget(score: DiscreteScore) -> None:
    """Empty the pool but for the rows that slots hold."""
    held = score.held
    score.places[:] = 0
    used, last = 0, -1
    for s in np.argsort(held[1]):
        if held[1, s] != last:
            last = held[1, s]
            score.pool[used] = score.pool[last]
            score.known[used] = held[0, s]
            score.places[_seek(score, held[0, s])] = used + 1
            used += 1
        held[1, s] = used - 1
    score.tally[USED] = used


@njit(cache=True)
def _hold(score: DiscreteScore, s: int, key: int) -> None:
    """Give slot s the row of set ``key``, a new one if it was never met."""
    at = _seek(score, key)
    if score.places[at] == 0:
        if score.tally[USED] == score.known.size:
            _forget(score)
            at = _seek(score, key)
        row = score.tally[USED]
        score.tally[USED] += 1
        score.pool[row] = np.nan
        score.known[row] = key
        score.places[at] = row + 1
    score.held[0, s], score.held[1, s] = key, score.places[at] - 1


@njit(cache=True)
def _ask(score: DiscreteScore, slots: Slots, s: int, x: int) -> float:
    """f of slot s with x, or without it where it is a parent: from the pool, or counted."""
    row = score.held[1, s]
    if math.isnan(score.pool[row, x]):
        score.pool[row, x] = _toggled(score, slots, s, x, True)
    return float(score.pool[row, x])


@njit(cache=True)
def _begin(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    slots.node[s] = x
    slots.size[s] = 0
    _hold(score, s, score.names[0, x])
    strata = _prepare(score, slots, s, -1)
    count_strata(score.columns[x], score.cards[x], strata, score.counts)
    slots.value[s] = _weigh(score, x, 1.0, strata)


@njit(cache=True)
def _copy(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    slots.node[x] = slots.node[s]
    slots.size[x] = slots.size[s]
    slots.value[x] = slots.value[s]
    for i in range(slots.size[s]):
        slots.parents[x, i] = slots.parents[s, i]
    score.held[0, x], score.held[1, x] = score.held[0, s], score.held[1, s]


@njit(cache=True)
def _add(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    value = _ask(score, slots, s, x)
    if value == FAR:  # required: what it costs is wanted all the same
        value = _toggled(score, slots, s, x, False)
    slots.parents[s, slots.size[s]] = x
    slots.size[s] += 1
    slots.value[s] = value
    _hold(score, s, score.held[0, s] ^ score.names[1, x])


@njit(cache=True)
def _drop(score: DiscreteScore, slots: Slots, s: int, x: int) -> None:
    r = slots.parents[s, x]
    value = _ask(score, slots, s, r)
    if value == FAR:
        value = _toggled(score, slots, s, r, False)
    slots.size[s] -= 1
    slots.parents[s, x] = slots.parents[s, slots.size[s]]
    slots.value[s] = value
    _hold(score, s, score.held[0, s] ^ score.names[1, r])


@njit(cache=True)
def _helps(score: DiscreteScore, slots: Slots, s: int, x: int) -> bool:
    if slots.size[s] == slots.parents.shape[1]:
        return False
    for i in range(slots.size[s]):
        if slots.parents[s, i] == x:
            return False
    return _ask(score, slots, s, x) < slots.value[s] - MARGIN


@njit(cache=True)
def _best_add(score: DiscreteScore, slots: Slots, s: int, x: Array) -> int:
    if slots.size[s] == slots.parents.shape[1]:
        return -1
    parents = slots.parents[s, : slots.size[s]]
    best, least = -1, slots.value[s] - MARGIN
    for r in range(x.size):
        if x[r] == 1.0:
            value = _ask(score, slots, s, r)
            if value < least and not (parents == r).any():
                best, least = r, value
    return best


@njit(cache=True)
def _best_drop(score: DiscreteScore, slots: Slots, s: int, x: AnyArray) -> int:
    best, least = -1, slots.value[s] - MARGIN
    for i in range(slots.size[s]):
        r = slots.parents[s, i]
        if not x[r]:
            value = _ask(score, slots, s, r)
            if value < least:
                best, least = i, value
    return best


implement(
    DiscreteScore,
    begin=_begin,
    copy=_copy,
    add=_add,
    drop=_drop,
    helps=_helps,
    best_add=_best_add,
    best_drop=_best_drop,
)
