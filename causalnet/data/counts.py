"""Distinct rows with how often each occurs: all that the methods for categories read of a table, however long it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..base.asked import asks
from ..base.checks import number
from ..errors import DataError, NotApplicable
from .moments import GONE
from .sealed import freeze

MOST_CODES = 1 << 30  # cells whose codes are written out again: 4 GiB
MOST_LEVELS = 1 << 16  # categories of a streamed column
MOST_ROWS = 1 << 22  # distinct rows
WORTH = 1 << 18  # rows that are gathered before equal ones are put together


def put_together(codes: AnyArray, times: Ints) -> tuple[AnyArray, Ints]:
    """Equal rows as one. codes: (d, m), a row of the table in each column; times: (m,) how often each occurs."""
    key, many = np.zeros(codes.shape[1], np.int64), 1
    for column in codes:
        card = int(column.max(initial=0)) + 1
        if many > (1 << 62) // card:  # renumber the keys that occur
            key, found = pd.factorize(key)
            many = len(found)
        key *= card
        key += column
        many *= card
    key, found = pd.factorize(key)
    first = np.empty(len(found), np.int64)
    first[key[::-1]] = np.arange(len(key))[::-1]
    return codes[:, first], np.bincount(key, times, len(found)).astype(np.int64)


class Tally:
    """Counts rows of d categories as they come; ``most`` distinct rows at most."""

    def __init__(self, d: int, most: int = MOST_ROWS) -> None:
        self._codes: AnyArray = np.empty((d, 0), np.uint16)
        self._times: Ints = np.empty(0, np.int64)
        self._new: list[tuple[AnyArray, Ints]] = []
        self._waiting = 0
        self._most = most

    def add(self, codes: AnyArray) -> None:
        """codes: (d, m) below MOST_LEVELS."""
        if codes.shape[1]:
            part = put_together(codes.astype(np.uint16), np.ones(codes.shape[1], np.int64))
            self._new.append(part)
            self._waiting += len(part[1])
            if self._waiting > max(WORTH, len(self._times)):
                self.rows()

    def rows(self) -> tuple[AnyArray, Ints]:
        """Distinct rows (d, k) uint16 so far, and how often each occurs (k,); DataError if they are too many."""
        every = [(self._codes, self._times), *self._new]
        self._codes, self._times = put_together(
            np.concatenate([codes for codes, _ in every], axis=1), np.concatenate([times for _, times in every])
        )
        self._new, self._waiting = [], 0
        if len(self._times) > self._most:
            raise DataError(
                f"more than {self._most} different rows: counting them takes as much room as the table; "
                "read fewer columns",
                python="name them with columns=[...], or read the whole table with read_table",
                shell="leave some out with --drop",
            )
        return self._codes, self._times


@dataclass(frozen=True, eq=False, repr=False)
class Counts:
    """n rows of d categories, equal rows kept once; :func:`stream_table` builds it.

    columns: d names. levels: for each column its category labels in the order of the codes. distinct: (k, d) int32
    codes of the rows that occur. times: (k,) int64, how often each does; read-only both.
    """

    kind: ClassVar[str] = "discrete"
    columns: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    distinct: Codes
    times: Ints

    @cached_property
    def n(self) -> int:
        """Number of rows."""
        return int(self.times.sum())

    @property
    def d(self) -> int:
        """Number of variables."""
        return len(self.columns)

    @property
    def demands(self) -> dict[str, str]:
        """ "streamed": a method must do with the counts, or with codes that are written out."""
        return {"streamed": GONE}

    @property
    def incomplete(self) -> bool:
        """False: no cell is missing."""
        return False

    @property
    def values(self) -> Array:
        """NotApplicable: the rows were not kept, only how many are alike."""
        raise NotApplicable(f"{GONE}; read_table keeps the rows of a table that fits in memory")

    @property
    def codes(self) -> Codes:
        """(n, d) int32 codes with equal rows one after another, written out anew: 4 bytes a cell, at most MOST_CODES."""
        if self.n * self.d > MOST_CODES:
            raise DataError(
                f"the codes of {self.n} rows and {self.d} columns take {4 * self.n * self.d / 2**30:.1f} GiB, and at most "
                f"{4 * MOST_CODES / 2**30:.0f} GiB are taken; name fewer columns with columns=[...], or take a sample"
            )
        codes = np.repeat(self.distinct, self.times, axis=0)
        codes.setflags(write=False)
        return codes

    @property
    def discrete(self) -> Bools:
        """(d,) True."""
        return np.ones(self.d, dtype=bool)

    @cached_property
    def cardinality(self) -> Codes:
        """(d,) number of categories of each column."""
        return freeze(np.array([len(level) for level in self.levels], dtype=np.int32))

    @asks()
    def resample(self, rng: np.random.Generator) -> Counts:
        """A bootstrap resample: as many rows, drawn with repeats, which is one multinomial draw of the counts."""
        times = rng.multinomial(self.n, self.times / self.n)
        drawn = times > 0
        return Counts(self.columns, self.levels, freeze(self.distinct[drawn]), freeze(times[drawn]))

    @asks()
    def part(self, rng: np.random.Generator, share: float) -> Counts:
        """A share of the rows, each at most once: a draw of the counts from an urn."""
        times = rng.multivariate_hypergeometric(
            self.times, max(1, round(number("share", share, 0.0, 1.0) * self.n)), method="marginals"
        )
        drawn = times > 0
        return Counts(self.columns, self.levels, freeze(self.distinct[drawn]), freeze(times[drawn]))

    def fingerprint_parts(self) -> Iterator[Any]:
        """The distinct rows, their counts and the labels."""
        yield from (self.distinct, self.times, self.levels)

    def __repr__(self) -> str:
        return f"Counts({self.n} rows x {self.d} discrete variables, {len(self.times)} of them distinct, streamed)"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
