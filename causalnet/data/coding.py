"""Texts and categories as codes: every distinct label is looked at once, every cell only hashed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Ints
from .numerals import to_numbers


@dataclass(frozen=True)
class Coded:
    """A column by its labels. codes: (n,) into ``labels`` in the order met, -1 where a cell is missing. labels: (k,)."""

    codes: Ints
    labels: Any

    @cached_property
    def numbers(self) -> AnyArray:
        """(k,) the numbers that labels stand for, of whole type where all are; nan for a label that stands for none."""
        return read_numbers(self.labels)

    @property
    def cells(self) -> AnyArray:
        """(n,) the numbers that the cells stand for, nan where missing."""
        return spread(self.numbers, self.codes)

    def sorted(self) -> tuple[Ints, tuple[Any, ...]]:
        """Codes (n,) in the order of the sorted labels, and those labels."""
        rank, labels = pd.factorize(self.labels, sort=True)
        codes = rank[self.codes]  # where missing, the last one: not looked at
        return codes, tuple(label.item() if isinstance(label, np.generic) else label for label in labels)


def code(column: pd.Series) -> Coded:
    """The codes of a column of any type."""
    codes, labels = pd.factorize(column)
    return Coded(codes, labels)


def read_numbers(labels: Any) -> AnyArray:
    """(k,) numbers of texts, nan where a text is none."""
    texts = pd.Series(np.asarray(labels, dtype=object), dtype=object)
    found = np.asarray(to_numbers(texts).to_numpy())
    exact = [k for k, label in enumerate(texts) if isinstance(label, Fraction)]
    if exact:
        found = found.astype(np.float64)
        found[exact] = [float(texts.iloc[k]) for k in exact]
    return found


def spread(numbers: AnyArray, codes: Ints) -> AnyArray:
    """(n,) each row's number; nan where the code is -1."""
    if codes.min(initial=0) >= 0:
        return np.asarray(numbers[codes])
    return np.where(codes < 0, np.nan, numbers[codes])
