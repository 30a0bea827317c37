"""Data with what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..base.asked import asks
from ..base.checks import instance
from ..base.text import writable
from ..data import Data, as_data
from ..errors import DataError
from ..graph import Graph, Knowledge, LaggedGraph


@dataclass(frozen=True)
class Dataset:
    """Data with what is known about it.

    data: data of any kind; what is none of them is read as a table. truth: the causal graph if known.
    knowledge: constraints that any method may use. card: source, licence and remarks.
    sampled: a seed draws the sample (otherwise the data is fixed).
    """

    name: str
    data: Data
    truth: Graph | None = None
    knowledge: Knowledge | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    sampled: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or writable(self.name) != self.name:
            raise DataError(f"name is {self.name!r}, and must be a text that UTF-8 can hold, such as 'my-data'")
        object.__setattr__(self, "data", as_data(self.data))
        instance("truth", self.truth, (Graph, LaggedGraph, type(None)), "a causalnet.Graph, or None")
        if self.truth is not None and sorted(self.truth.nodes) != sorted(self.data.columns):
            odd = sorted(set(self.truth.nodes) ^ set(self.data.columns))
            raise DataError(f"data set {self.name!r}: the truth and the data differ in the variables {', '.join(odd)}")
        if self.truth is not None:
            object.__setattr__(self, "truth", self.truth.align(self.data.columns))

    @asks()
    def resample(self, seed: int) -> Dataset:
        """Seed 0 is the data itself; any other seed is a bootstrap resample, as the kind of data draws one."""
        if seed == 0:
            return self
        return replace(self, data=self.data.resample(np.random.default_rng([seed, 0xB007])))

    def __repr__(self) -> str:
        truth = "truth unknown" if self.truth is None else f"truth: {len(self.truth.edges)} edges"
        return f"Dataset({self.name!r}, {self.data!r}, {truth})"
