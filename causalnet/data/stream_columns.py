"""What a stream learns of one column: its kind, its labels, and how many of its cells are no use."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Ints
from ..errors import DataError
from .batches import CATEGORY, FLAG, NUMBER, TEXT
from .coding import read_numbers
from .counts import MOST_LEVELS
from .reading import FEW_LEVELS


@dataclass
class Column:
    """What a stream has told of one column so far.

    holds: by its type. asked: True or False where the user says whether it is discrete. whole: of an integer type.
    plain: from a text file, where texts that are all numbers are numbers.
    levels: its values with their codes, in the order met; None once they are too many, or not whole, for categories.
    rows: of each code.
    """

    name: str
    holds: str
    asked: bool | None
    whole: bool
    plain: bool
    levels: dict[Any, int] | None = field(default_factory=dict)
    rows: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    missing: int = 0
    infinite: int = 0
    first_missing: int = 0
    first_infinite: int = 0

    def __post_init__(self) -> None:
        if self.asked is False:
            self.levels = None
        self._dictionary: Any = None
        self._places = np.zeros(0)

    @property
    def worded(self) -> bool:
        """Are its cells coded on reading, because they are texts or categories?"""
        return self.holds in (TEXT, CATEGORY)

    @property
    def surely_discrete(self) -> bool:
        return self.worded or self.asked is True or (self.holds == FLAG and self.asked is None)

    def read(self, cells: Any) -> Array:
        """(m,) float64 of an arrow array: the numbers, or the codes of texts; nan where missing."""
        import pyarrow as pa

        if not self.worded:
            cells = cells if cells.type == pa.float64() else _to_float(cells)
            return np.asarray(cells.to_numpy(zero_copy_only=False))
        if not isinstance(cells, pa.DictionaryArray):
            cells = cells.dictionary_encode()
        if self._dictionary is None or not cells.dictionary.equals(self._dictionary):
            assert self.levels is not None
            self._dictionary = cells.dictionary
            words = cells.dictionary.to_pylist()
            self._places = np.array(
                [math.nan if word is None else self.levels.setdefault(word, len(self.levels)) for word in words]
                or [0.0]
            )
            self._refuse_many()
        at = cells.indices.to_numpy(zero_copy_only=False)
        if cells.indices.null_count:
            return np.where(np.isnan(at), math.nan, self._places[np.nan_to_num(at).astype(np.int64)])
        return self._places[at]

    def code(self, values: Array) -> AnyArray | None:
        """(m,) codes of values without a gap; None where the column is continuous."""
        if self.levels is None:
            return None
        if self.worded:
            codes = values.astype(np.int64)
        else:
            if self.asked is None and self.holds == NUMBER and not (values == np.rint(values)).all():
                self.levels = None
                return None
            codes, found = pd.factorize(values)
            places = [self.levels.setdefault(float(value), len(self.levels)) for value in found]
            if self.asked is None and len(self.levels) > FEW_LEVELS:
                self.levels = None
                return None
            self._refuse_many()
            codes = np.array(places, dtype=np.int64)[codes]
        rows = np.bincount(codes, minlength=len(self.levels))
        rows[: len(self.rows)] += self.rows
        self.rows = rows
        return codes

    def _refuse_many(self) -> None:
        if self.levels is not None and len(self.levels) > MOST_LEVELS:
            raise DataError(
                f"column {self.name!r} has more than {MOST_LEVELS} categories; leave it out with columns=[...], or put "
                "categories together"
            )

    @property
    def holds_many_numbers(self) -> bool:
        """Are its texts numbers that would make it continuous?"""
        if self.asked is True or self.holds != TEXT or not self.levels:
            return False
        found = _numbers(list(self.levels))
        return found is not None and (len(found) > FEW_LEVELS or any(value != round(value) for value in found))

    def labels(self) -> tuple[list[Any], Ints]:
        """Labels that occur, sorted as as_table sorts them, and the new code of every old one (-1: never met)."""
        assert self.levels is not None
        met = [(label, code) for label, code in self.levels.items() if code < len(self.rows) and self.rows[code]]
        if self.holds == TEXT and (self.plain or self.asked is not True):
            numbers = _numbers([label for label, _ in met])
            met = met if numbers is None else list(zip(numbers, (code for _, code in met), strict=True))
        if self.holds != CATEGORY:
            met.sort()
        kind: Any = bool if self.holds == FLAG else int if self.whole else None
        new = np.full(len(self.levels), -1, np.int64)
        new[[code for _, code in met]] = np.arange(len(met))
        return [label if kind is None or self.worded else kind(label) for label, _ in met], new


def _to_float(cells: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_boolean(cells.type):
        cells = cells.cast(pa.uint8())
    return cells.cast(pa.float64(), safe=False)


def _numbers(labels: list[str]) -> list[Any] | None:
    """The numbers that texts stand for, None unless all of them do."""
    found = read_numbers(labels)
    return None if np.isnan(found).any() or not labels else found.tolist()
