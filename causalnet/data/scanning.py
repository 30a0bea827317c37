"""One pass over a table for all that its checks ask: least and largest numbers, gaps, whole numbers, equal columns.

A block of rows at a time, so that a check takes no memory of the table's size and reads every number once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools, Ints

EXTREME = 1e100  # spreads beyond this, or below its inverse, overflow when they are squared and summed
ROWS = 4096  # of a block: some ten columns of it stay in the processor's cache
FEW = 64  # rows that tell most columns apart
WIDE = 160  # numbers side by side when the least and the largest are sought


class Scan(NamedTuple):
    """What a table (n, d) holds by column, missing cells apart.

    low, high: (d,) least and largest number. missing, infinite: (d,) how many cells. whole: (d,) are all numbers whole?
    """

    low: Array
    high: Array
    missing: Ints
    infinite: Ints
    whole: Bools

    @property
    def clean(self) -> bool:
        """Is every cell a finite number?"""
        return not (self.missing.any() or self.infinite.any())

    @property
    def constant(self) -> Bools:
        """(d,) columns of one value only, or of none."""
        return np.asarray(~(self.low < self.high))

    @property
    def size(self) -> Array:
        """(d,) largest absolute number."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    @property
    def spread(self) -> Array:
        """(d,) distance from the least to the largest number."""
        unit = np.where(self.size > 0, self.size, 1.0)
        return (self.high / unit - self.low / unit) * self.size

    @property
    def extreme(self) -> Bools:
        """(d,) columns with numbers too large, or too close together, to square and sum."""
        return np.asarray((self.size > EXTREME) | (self.spread < 1 / EXTREME))


def scan(values: Array) -> Scan:
    """values: (n, d) in C order, n at least 1."""
    d = values.shape[1]
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    missing, infinite = np.zeros((2, d), np.int64)
    whole = np.ones(d, dtype=bool)
    for block in blocks(values):
        least, most = _fold(np.minimum, block), _fold(np.maximum, block)
        if not (np.isfinite(least) & np.isfinite(most)).all():
            gaps = np.isnan(block)
            missing += gaps.sum(axis=0)
            infinite += np.isinf(block).sum(axis=0)
            least = np.where(gaps, np.inf, block).min(axis=0)
            most = np.where(gaps, -np.inf, block).max(axis=0)
        np.minimum(low, least, out=low)
        np.maximum(high, most, out=high)
        for part in (block[:FEW], block[FEW:]):  # most columns are seen not to be whole in their first rows
            if len(at := np.flatnonzero(whole)):
                some = part[:, at]
                whole[at] = ((some == np.rint(some)) | np.isnan(some)).all(axis=0)
    return Scan(low, high, missing, infinite, whole)


def blocks(values: Array) -> Iterator[Array]:
    """A table ROWS rows at a time."""
    for at in range(0, len(values), ROWS):
        yield values[at : at + ROWS]


def _fold(least: np.ufunc, block: Array) -> Array:
    """least.reduce(block, axis=0), several rows side by side where they are short."""
    m, d = block.shape
    side = max(1, min(m, WIDE // d))
    even = m - m % side
    folded = least.reduce(block[:even].reshape(-1, side * d), axis=0).reshape(side, d)
    found = least.reduce(folded, axis=0)
    return np.asarray(least(found, least.reduce(block[even:], axis=0)) if even < m else found)


def few_levels(column: Array, most: int) -> Array | None:
    """(k,) the distinct values of a column (n,), ascending, where they are at most ``most`` whole numbers. Gaps do not count."""
    met = np.zeros(0)
    for at in range(0, len(column), ROWS):
        part = column[at : at + ROWS]
        part = np.unique(part) if len(part) < ROWS else np.sort(pd.unique(part))
        part = part[~np.isnan(part)]
        if len(part) > most or not (part == np.rint(part)).all():
            return None
        met = np.union1d(met, part) if len(met) else part
        if len(met) > most:
            return None
    return met


def equal_columns(values: Array) -> list[list[int]]:
    """Groups of columns of (n, d) that are equal to the bit."""
    first = np.sort(values[0]) if len(values) else np.zeros(0)
    if len(first) and (first[1:] > first[:-1]).all():  # the first row tells all columns of most tables apart
        return []
    groups = [list(range(values.shape[1]))]
    for block in blocks(values):
        groups = split_unequal(groups, block.T)
        if not groups:
            break
    return groups


def split_unequal(groups: list[list[int]], columns: Array) -> list[list[int]]:
    """The groups whose columns are equal in ``columns`` (d, m) too, split where they are not; none of one column."""
    found = []
    for group in groups:
        for likely in _alike(group, columns[:, :FEW]):
            found += _alike(likely, columns)
    return found


def _alike(group: list[int], columns: Array) -> list[list[int]]:
    same: dict[bytes, list[int]] = {}
    for j in group if len(group) > 1 else []:
        same.setdefault(columns[j].tobytes(), []).append(j)
    return [members for members in same.values() if len(members) > 1]
