"""Contingency tables of a variable given its parents and one more, counted in the cheapest of two ways.

Codes are renumbered so that state 0 is the most common one. A table over (x, parents, v) needs only the rows in which x
is in another state, for what is left of each (parents, v) cell is in state 0 (the trick of the AD-tree: Moore and Lee
1998). Where (parents, v) has few cells those are bit sets, and intersecting them with the states of x may be cheaper.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Bools, Codes, Ints
from ..bitsets import common, compact, state_bits
from .contract import BARE

MOST_MASKS = 128  # cells of (parents, v) for which bit sets are kept
MOST_STATES = 64  # states of a column up to which they are bit sets
ROW = 5  # a row costs as much as so many words of a bit set
DIRECT = 256  # configurations up to which those without a row are numbered too
LARGEST = 1 << 16  # no table has more cells than there are rows, or LARGEST


class Columns(NamedTuple):
    """Coded columns. codes: (d, n) int32, 0 the most common state. cards: (d,) states that occur. rare: the rows in which
    column v is not in state 0 are rare[first[v] : first[v + 1]], int32. bits: (., w) uint64, state i of column v is row
    offset[v] + i where offset[v + 1] > offset[v], and no bit set where not. own: (d, n) int32, the codes of v where it is
    explained, rows that do not count for it in the state cards[v]; wide: (d,) states of that. rows: (d,) that count."""

    codes: AnyArray
    cards: Ints
    rare: AnyArray
    first: Ints
    bits: AnyArray
    offset: Ints
    own: AnyArray
    wide: Ints
    rows: Ints


class Counts(NamedTuple):
    """Work of one count. cell: (n,) int32 the cell t r + k of each row, stratum t by the parents and state k of v, and
    size: (cells,) rows of each. fresh: (cells,) int32 work. masks: (MOST_MASKS, w) uint64, the cells as bit sets where they
    are few. table: (cells,) the cell i strata r + t r + k has the rows with the further variable in state i."""

    cell: AnyArray
    size: Ints
    fresh: AnyArray
    masks: AnyArray
    table: Ints


def empty_counts(n: int) -> Counts:
    """Room to count n rows."""
    cells = max(n, LARGEST)
    masks = np.zeros((MOST_MASKS, (n + 63) // 64), np.uint64)
    return Counts(
        np.zeros(n, np.int32), np.zeros(cells, np.int64), np.zeros(cells, np.int32), masks, np.zeros(cells, np.int64)
    )


def coded_columns(codes: Codes, alone: Bools | None = None) -> Columns:
    """(n, d) category codes from 0, ready to be counted; states that no row has are none. alone: (n, d), the rows that
    count for a variable, None for all."""
    columns, cards = compact(np.array(codes.T, dtype=np.int32, order="C"))
    rare = []
    for column, card in zip(columns, cards, strict=True):
        rank = np.empty(card, np.int32)
        rank[np.argsort(-np.bincount(column), kind="stable")] = np.arange(card)
        column[:] = rank[column]
        rare.append(np.flatnonzero(column).astype(np.int32))
    first = np.cumsum([0, *map(len, rare)])
    offset = np.concatenate([[0], np.cumsum(np.where(cards > MOST_STATES, 0, cards))])
    own, wide, rows = columns, cards, np.full(len(cards), len(codes))
    if alone is not None:
        own = np.where(alone.T, columns, cards[:, None].astype(np.int32))
        wide, rows = cards + ~alone.all(axis=0), alone.sum(axis=0)
    return Columns(columns, cards, np.concatenate(rare), first, state_bits(columns, offset), offset, own, wide, rows)


@njit(**BARE)
def stratify(columns: Columns, v: int, parents: AnyArray, apart: int, counts: Counts) -> int:
    """Every row's cell by the configurations of ``parents`` but ``apart`` and the states of v, and how many rows each cell has.

    The number of strata, those without a row left out where they are many; -1 if the cells are too many to count.
    """
    cell, fresh, size = counts.cell, counts.fresh, counts.size
    cell[:] = 0
    many = 1
    for p in parents:
        if p == apart:
            continue
        wide, column = columns.cards[p], columns.codes[p]
        if many * wide <= DIRECT:
            for i in range(cell.size):
                cell[i] = cell[i] * wide + column[i]
            many *= wide
            continue
        if many * wide > fresh.size:
            return -1
        fresh[: many * wide] = -1
        many = 0
        for i in range(cell.size):
            at = cell[i] * wide + column[i]
            if fresh[at] < 0:
                fresh[at] = many
                many += 1
            cell[i] = fresh[at]
    wide, column = columns.wide[v], columns.own[v]
    if many * wide > size.size:
        return -1
    size[: many * wide] = 0
    masked = many * wide <= MOST_MASKS
    if masked:
        counts.masks[: many * wide] = np.uint64(0)
    for i in range(cell.size):
        at = cell[i] * wide + column[i]
        cell[i] = at
        size[at] += 1
        if masked:
            counts.masks[at, i >> 6] |= np.uint64(1) << np.uint64(i & 63)
    return many


@njit(**BARE)
def split(columns: Columns, x: int, cells: int, counts: Counts) -> None:
    """counts.table from the ``cells`` of stratify, each split by the states of x. Their number times states fits."""
    size, table, wide, cell = counts.size, counts.table, columns.cards[x], counts.cell
    begin, end = columns.first[x], columns.first[x + 1]
    at, words = columns.offset[x], counts.masks.shape[1]
    for j in range(cells):
        table[j] = size[j]
    if cells <= MOST_MASKS and columns.offset[x + 1] > at and cells * (wide - 1) * words <= ROW * (end - begin):
        for i in range(1, wide):
            for j in range(cells):
                c = common(counts.masks[j], columns.bits[at + i]) if table[j] > 0 else 0
                table[i * cells + j] = c
                table[j] -= c
        return
    table[cells : wide * cells] = 0
    column = columns.codes[x]
    for p in range(begin, end):
        row = columns.rare[p]
        table[column[row] * cells + cell[row]] += 1
    for i in range(1, wide):
        for j in range(cells):
            table[j] -= table[i * cells + j]
