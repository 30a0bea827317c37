"""Texts and categories as codes: every distinct label is looked at once, every cell only hashed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Ints


@dataclass(frozen=True)
class Coded:
    """A column by its labels. codes: (n,) into ``labels`` in the order met, -1 where a cell is missing. labels: (k,)."""

    codes: Ints
    labels: Any

    @cached_property
    def missing(self) -> Ints:
        """The rows without a value."""
        return np.flatnonzero(self.codes < 0)

    @cached_property
    def numbers(self) -> AnyArray:
        """(k,) the numbers that labels stand for, of whole type where all are; nan for a label that stands for none."""
        return read_numbers(self.labels)

    @cached_property
    def not_numbers(self) -> Ints:
        """The rows whose label is no number."""
        odd = np.isnan(self.numbers)
        return np.flatnonzero(odd[self.codes]) if odd.any() else np.empty(0, np.int64)

    def label(self, row: int) -> Any:
        """What a row holds."""
        return self.labels[self.codes[row]]

    def sorted(self) -> tuple[Ints, tuple[Any, ...]]:
        """Codes (n,) in the order of the sorted labels, and those labels."""
        rank, labels = pd.factorize(self.labels, sort=True)
        return spread(rank, self.codes), tuple(
            label.item() if isinstance(label, np.generic) else label for label in labels
        )


def code(column: pd.Series) -> Coded:
    """The codes of a column of any type."""
    codes, labels = pd.factorize(column)
    return Coded(codes, labels)


def read_numbers(labels: Any) -> AnyArray:
    """(k,) numbers of texts, nan where a text is none."""
    texts = pd.Series(np.asarray(labels, dtype=object), dtype=object)
    return np.asarray(pd.to_numeric(texts, errors="coerce").to_numpy())


def spread(of_labels: AnyArray, codes: Ints) -> AnyArray:
    """(n,) what each row's label has; codes of -1 keep -1 (whole numbers) or become nan."""
    found = of_labels[codes]
    if codes.min(initial=0) < 0:
        found[codes < 0] = -1 if found.dtype.kind in "iu" else np.nan
    return np.asarray(found)
