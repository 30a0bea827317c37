"""Contingency tables of a variable given its parents and one more: by bit sets where cells are few, else row by row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Ints
from ..bitsets import common

MOST_MASKS = 128  # strata x states of v for which bit sets are kept
MOST_CELLS = 200  # and cells up to which they count faster than the rows do
ROOM = 8  # no table has more cells than ROOM for each row, and SPARE
SPARE = 1 << 16


class Counts(NamedTuple):
    """Work of one count. stratum: (n,) the stratum of each row by the parents. fresh: (cells,) work. masks: (MOST_MASKS, w)
    uint64, row t r + k the rows in stratum t and state k of v, size: (MOST_MASKS,) how many. table: (cells,)."""

    stratum: AnyArray
    fresh: AnyArray
    masks: AnyArray
    size: Ints
    table: Ints


def empty_counts(n: int) -> Counts:
    """Room to count n rows."""
    cells = ROOM * n + SPARE
    masks = np.zeros((MOST_MASKS, (n + 63) // 64), np.uint64)
    return Counts(
        np.zeros(n, np.int32),
        np.zeros(cells, np.int32),
        masks,
        np.zeros(MOST_MASKS, np.int64),
        np.zeros(cells, np.int64),
    )


@njit(cache=True)
def stratify_rows(columns: AnyArray, cards: Ints, parents: Ints, counts: Counts) -> int:
    """Number the configurations of ``parents`` that occur, into counts.stratum; how many, or -1 if too many to count."""
    stratum, fresh = counts.stratum, counts.fresh
    stratum[:] = 0
    many = 1
    for p in parents:
        wide = cards[p]
        if many * wide > fresh.size:
            return -1
        fresh[: many * wide] = -1
        column, many = columns[p], 0
        for i in range(stratum.size):
            at = stratum[i] * wide + column[i]
            if fresh[at] < 0:
                fresh[at] = many
                many += 1
            stratum[i] = fresh[at]
    return many


@njit(cache=True)
def mask_strata(column: AnyArray, card: int, strata: int, counts: Counts) -> None:
    """Bit sets of the strata met with the ``card`` states of ``column``, where they are few."""
    if strata < 0 or strata * card > MOST_MASKS:
        return
    masks, size = counts.masks, counts.size
    masks[: strata * card] = np.uint64(0)
    size[: strata * card] = 0
    for i in range(column.size):
        at = counts.stratum[i] * card + column[i]
        masks[at, i >> 6] |= np.uint64(1) << np.uint64(i & 63)
        size[at] += 1


@njit(cache=True)
def count_strata(column: AnyArray, card: int, strata: int, counts: Counts) -> None:
    """counts.table[t card + k]: the rows in stratum t and state k of ``column``."""
    if strata * card <= MOST_MASKS:
        counts.table[: strata * card] = counts.size[: strata * card]
        return
    counts.table[: strata * card] = 0
    for i in range(column.size):
        counts.table[counts.stratum[i] * card + column[i]] += 1


@njit(cache=True)
def count_split(
    column: AnyArray, card: int, other: AnyArray, other_card: int, states: AnyArray, strata: int, counts: Counts
) -> None:
    """counts.table[(t other_card + i) card + k]: the rows in stratum t, state i of ``other`` and state k of ``column``.

    states: (other_card, w) the bits of ``other``.
    """
    cells, table = strata * card * other_card, counts.table
    if strata * card > MOST_MASKS or cells > MOST_CELLS:
        table[:cells] = 0
        for i in range(column.size):
            table[(counts.stratum[i] * other_card + other[i]) * card + column[i]] += 1
        return
    for t in range(strata):
        for k in range(card):
            rest = counts.size[t * card + k]
            for i in range(other_card):
                last = i == other_card - 1 or rest == 0
                c = rest if last else common(counts.masks[t * card + k], states[i])
                table[(t * other_card + i) * card + k] = c
                rest -= c
