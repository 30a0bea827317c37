"""Chi-square and G-square tests of many pairs at once: rows as bits, counts as popcounts.

Every state of every variable is a bit set over the rows. A stratum of the conditioning set is the intersection of
its members' states, built once per set and shared by all the pairs tested with it; a cell of a table is one more
intersection and a population count, and the last row and column of each table follow by subtraction. Tables with
more than a few hundred cells are counted row by row instead (:func:`causalnet.stats.independence.sparse_statistic`),
so the cost stays O(n) per test whatever the number of states.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Codes
from ..base.clock import now
from ..stats.bitsets import common, compact, meet, state_bits
from ..stats.independence import complete_rows, sparse_statistic, stratify
from .sets import ByLogarithm, Largest, Question, Tested, keep, largest, pairs_of, repeated, untested

MOST_STRATA = 64  # strata, strata x states of x, and cells per table up to which bit sets are used
MOST_SPLITS = 256
MOST_CELLS = 400
ROWS_PER_LOOK = 1 << 22  # of tests made between two looks at the clock


class Coded(NamedTuple):
    """Discrete columns: codes (d, n) and their states (d,); bits (total states, ceil(n / 64)) uint64, the rows in each
    state, those of column v from offset[v] on, none of a column of more than MOST_CELLS states; incomplete: are there missing cells, coded -1?"""

    columns: AnyArray
    cards: AnyArray
    offset: AnyArray
    bits: AnyArray
    incomplete: bool


class Contingency(ByLogarithm):
    """Pearson's chi-square or G-square. A table without degrees of freedom (in every stratum x or y is constant) has
    p = 1 and therefore separates. codes: (n, d) from 0; -1 is a missing cell, and a test uses the rows that lack none of
    its variables."""

    def __init__(self, codes: Codes, g_test: bool) -> None:
        columns, cards = compact(np.array(codes.T, dtype=np.int32, order="C"))
        offset = np.concatenate([[0], np.cumsum(np.where(cards > MOST_CELLS, 0, cards))])
        self.coded = Coded(columns, cards, offset, state_bits(columns, offset), bool((columns < 0).any()))
        self.g_test = g_test
        self.most = len(cards)

    def answer(self, question: Question, deadline: float) -> Tested:
        """Largest p-value of every pair; the first set found of those with the same p-value."""
        found = untested(question)
        made, stopped = _all_sets(self.coded, self.g_test, question, largest(found), deadline)
        return found._replace(tests=made, stopped=stopped)


@njit(cache=True)
def _split(masks: AnyArray, count: int, states: AnyArray, own: AnyArray, out: AnyArray) -> int:
    """Strata refined by one more variable, those where x is constant left out: their number, or -1 for too many.

    masks: (strata, w) of which count are used; states: (states, w) of the variable; own: (states, w) of x;
    out: (strata, w).
    """
    fresh = 0
    for t in range(count):
        for s in range(states.shape[0]):
            if fresh == out.shape[0]:
                return -1
            if meet(masks[t], states[s], out[fresh]) < 2:
                continue
            occupied = 0
            for i in range(own.shape[0]):
                occupied += common(out[fresh], own[i]) > 0
                if occupied == 2:
                    fresh += 1
                    break
    return fresh


@njit(cache=True)
def _bit_statistic(
    masks: AnyArray,
    strata: int,
    split: AnyArray,
    rows: AnyArray,
    states: AnyArray,
    g_test: bool,
    cols: AnyArray,
    left: AnyArray,
) -> tuple[float, int]:
    """(statistic, df) from bit sets. split: (strata * card_x, w) strata met with the states of x, rows their counts;
    states: (card_y, w). cols, left: (card_y,) int64 work space."""
    card_x, card_y = rows.size // max(strata, 1), states.shape[0]
    statistic, df = 0.0, 0
    for t in range(strata):
        total, n_rows, last = 0, 0, 0
        for i in range(card_x):
            total += rows[t * card_x + i]
            if rows[t * card_x + i]:
                n_rows += 1
                last = i
        rest, n_cols = total, 0
        for j in range(card_y):
            cols[j] = rest if j == card_y - 1 else (common(masks[t], states[j]) if rest else 0)
            rest -= cols[j]
            left[j] = cols[j]
            n_cols += cols[j] > 0
        if n_cols < 2:
            continue
        df += (n_rows - 1) * (n_cols - 1)
        part = 0.0
        for i in range(card_x):
            row = rows[t * card_x + i]
            if row == 0:
                continue
            rest = row
            for j in range(card_y):
                if left[j] == 0 or rest == 0:
                    continue
                if i == last:
                    c = left[j]
                elif j == card_y - 1:
                    c = rest
                else:
                    c = common(split[t * card_x + i], states[j])
                left[j] -= c
                rest -= c
                if c:
                    ratio = c * (total / (float(row) * cols[j]))
                    part += 2.0 * c * math.log(ratio) if g_test else c * ratio - c
        statistic += part
    return max(statistic, 0.0), df


@njit(cache=True)
def _all_sets(coded: Coded, g_test: bool, question: Question, found: Largest, deadline: float) -> tuple[int, bool]:
    """All sets of neighbours of every variable, depth first, kept in ``found``: (tests, stopped)."""
    offset, bits, nears = coded.offset, coded.bits, question.near
    pairs = pairs_of(question.i, question.j, coded.cards.size)
    tests, read = 0, np.int64(0)  # no literal: for each of those numba compiles anew
    masks = np.empty((question.size + 1, MOST_STRATA, bits.shape[1]), np.uint64)
    strata, pick = np.zeros(question.size + 1, np.int64), np.zeros(question.size + 1, np.int64)
    for x in range(coded.cards.size):
        rows = pairs.member[pairs.first[x] : pairs.first[x + 1]]
        near = nears.member[nears.first[x] : nears.first[x + 1]]
        top = min(question.size, question.limit[x])
        if top < question.least or rows.size == 0:
            continue
        own = bits[offset[x] : offset[x + 1]]
        for w in range(bits.shape[1]):
            masks[0, 0, w] = np.uint64(0)
            for i in range(own.shape[0]):
                masks[0, 0, w] |= own[i, w]
        strata[0] = -1 if coded.incomplete or own.shape[0] == 0 else 1
        depth, fresh = 0, True  # pick[:depth] is the set at hand; fresh: it has not been tested yet
        while depth >= 0:
            if fresh:
                fresh = False
                pick[depth] = pick[depth - 1] + 1 if depth else 0
                if depth >= question.least:
                    members = near[pick[:depth]]
                    at = masks[depth], strata[depth]
                    made, read = _test_all(x, rows, members, at, coded, g_test, question, found, read, deadline)
                    tests += made
                    if read < 0:
                        return tests, True
            elif depth < top and pick[depth] <= near.size - max(question.least - depth, 1):
                s = near[pick[depth]]
                strata[depth + 1] = -1
                if strata[depth] >= 0 and offset[s + 1] > offset[s]:
                    states = bits[offset[s] : offset[s + 1]]
                    strata[depth + 1] = _split(masks[depth], strata[depth], states, own, masks[depth + 1])
                depth, fresh = depth + 1, True
            else:
                depth -= 1
                if depth >= 0:
                    pick[depth] += 1
    return tests, False


@njit(cache=True)
def _test_all(
    x: int,
    own: AnyArray,
    members: AnyArray,
    at: tuple[AnyArray, int],
    coded: Coded,
    g_test: bool,
    question: Question,
    found: Largest,
    read: int,
    deadline: float,
) -> tuple[int, int]:
    """Test the pairs of x, the rows ``own`` of the question, given `members`: (how many tests, rows read since the last look at
    the clock, -1 where the time is over).

    at: masks (most, w) and how many of their rows are the strata of the set, -1 when they are to be counted row by row.
    A pair whose set lies in both neighbourhoods is tested from its smaller column only.
    """
    columns, cards, offset, bits = coded.columns, coded.cards, coded.offset, coded.bits
    masks, strata = at
    card_x, n = cards[x], columns.shape[1]
    by_bits = strata >= 0 and strata * card_x <= MOST_SPLITS
    split = np.empty((max(strata, 0) * card_x if by_bits else 0, bits.shape[1]), np.uint64)
    rows = np.empty(split.shape[0], np.int64)
    ready, grouped = False, False
    order, first = np.zeros(0, np.int64), np.zeros(0, np.int64)
    work = np.empty((2, MOST_CELLS), np.int64)
    tests = 0
    for row in own:
        y = question.j[row] if question.i[row] == x else question.i[row]
        if repeated(x, y, members, question.near, question.limit):
            continue
        read += n
        if read > ROWS_PER_LOOK and deadline < np.inf:
            read = 0
            if now() > deadline:
                return tests, -1
        if by_bits and strata * card_x * cards[y] <= MOST_CELLS:
            if not ready:
                ready = True
                for t in range(strata):
                    for i in range(card_x):
                        k = t * card_x + i
                        rows[k] = meet(masks[t], bits[offset[x] + i], split[k])
            states = bits[offset[y] : offset[y + 1]]
            value, free = _bit_statistic(masks, strata, split, rows, states, g_test, work[0], work[1])
            used = n
        else:
            if not grouped:
                grouped = True
                order, first = stratify(columns[members], cards[members])
            some, start = complete_rows(order, first, columns[x], columns[y]) if coded.incomplete else (order, first)
            value, free = sparse_statistic(columns[x], columns[y], card_x, cards[y], some, start, g_test)
            used = some.size
        tests += 1
        keep(row, value, free, used, members, question.middle, found)
    return tests, read
