"""Data with what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..data import Events, Table, as_table
from ..errors import DataError
from ..graph import Graph, Knowledge


@dataclass(frozen=True)
class Dataset:
    """Data with what is known about it.

    data: a Table or Events. truth: the causal graph if known. knowledge: constraints that any method may use.
    card: source, licence and remarks. sampled: a seed draws the sample (otherwise the data is fixed).
    """

    name: str
    data: Table | Events
    truth: Graph | None = None
    knowledge: Knowledge | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    sampled: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.data, Table | Events):
            object.__setattr__(self, "data", as_table(self.data))
        if self.truth is not None and sorted(self.truth.nodes) != sorted(self.data.columns):
            odd = sorted(set(self.truth.nodes) ^ set(self.data.columns))
            raise DataError(f"data set {self.name!r}: the truth and the data differ in the variables {', '.join(odd)}")
        if self.truth is not None:
            object.__setattr__(self, "truth", self.truth.align(self.data.columns))

    def resample(self, seed: int) -> Dataset:
        """Seed 0 is the data itself; any other seed is a bootstrap resample.

        Rows are resampled for a table; whole devices for a log without topology (they are independent copies of
        the process); 20 consecutive time blocks for a log with one (devices depend on each other).
        """
        if seed == 0:
            return self
        rng = np.random.default_rng([seed, 0xB007])
        data: Table | Events
        if isinstance(self.data, Table):
            data = self.data.take(rng.integers(0, self.data.n, self.data.n))
        elif self.data.topology is None and len(self.data.devices) > 1:
            m = len(self.data.devices)
            data = self.data.take_devices(rng.integers(0, m, m))
        else:
            data = self.data.take_blocks(rng.integers(0, 20, 20), 20)
        return replace(self, data=data)

    def __repr__(self) -> str:
        truth = "truth unknown" if self.truth is None else f"truth: {len(self.truth.edges)} edges"
        return f"Dataset({self.name!r}, {self.data!r}, {truth})"
