"""Means and covariances in place of rows: all that the linear Gaussian methods read of a table, in d^2 numbers.

Parts of a table are summed up one by one and merged by the pairwise update of Chan, Golub and LeVeque (1979): for
parts of n and m rows with means a and b and sums of products about their own means A and B,

    mean = a + (m / (n + m)) (b - a),    products = A + B + (n m / (n + m)) (b - a)(b - a)'

so nothing is ever squared about a far-away origin, and the error does not grow with the number of parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Codes
from ..base.asked import asks
from ..base.checks import number
from ..errors import DataError, NotApplicable
from .sealed import freeze, settle

GONE = "it was streamed, so its rows were not kept"
PART = 8192  # rows summed up at a time: a part of some ten columns stays in the processor's cache


class Sums(NamedTuple):
    """n rows summed up. mean: (d,). products: (d, d) of the deviations from it."""

    n: int
    mean: Array
    products: Array


def add_up(columns: Array, work: Array | None = None) -> Sums:
    """Sums of one part. columns: (d, m) with a variable in each row. work: (d, m) to compute in."""
    mean = columns.mean(axis=1)
    centred = np.subtract(columns, mean[:, None], out=work)
    return Sums(columns.shape[1], mean, centred @ centred.T)


def merge(one: Sums, other: Sums) -> Sums:
    """Sums of both parts together."""
    n = one.n + other.n
    step = other.mean - one.mean
    products = one.products + other.products + np.outer(step, step) * (one.n * other.n / n)
    return Sums(n, one.mean + step * (other.n / n), products)


def sum_rows(values: Array) -> Sums:
    """Sums of a table (n, d), at least one row, without a second copy of it."""
    parts = (values[at : at + PART].T for at in range(0, len(values), PART))
    total = add_up(next(parts))
    for part in parts:
        total = merge(total, add_up(part))
    return total


def correlate(covariance: Array, columns: tuple[str, ...]) -> Array:
    """(d, d) Pearson correlation of a covariance, read-only; DataError naming the constant columns."""
    scale = np.sqrt(np.diag(covariance))
    if not scale.all():
        name = columns[int(np.flatnonzero(scale == 0)[0])]
        raise DataError(f"column {name!r} is constant in this sample, so it has no correlation; drop it")
    rho = np.outer(scale, scale)
    np.divide(covariance, rho, out=rho)
    np.fill_diagonal(rho, 1.0)
    return settle(np.clip(rho, -1.0, 1.0, out=rho))


@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """n rows of d continuous variables that were read once and not kept; :func:`stream_table` builds it.

    columns: d names. n: rows. mean: (d,). covariance: (d, d), divided by n, read-only both. It answers what a
    :class:`Table` answers, but for the rows themselves.
    """

    kind: ClassVar[str] = "continuous"
    columns: tuple[str, ...]
    n: int
    mean: Array
    covariance: Array

    @classmethod
    def of(cls, columns: tuple[str, ...], sums: Sums) -> Moments:
        """The moments of what was summed up."""
        return cls(columns, sums.n, freeze(sums.mean), freeze(sums.products / sums.n))

    @property
    def d(self) -> int:
        """Number of variables."""
        return len(self.columns)

    @property
    def demands(self) -> dict[str, str]:
        """ "streamed": a method must do without the rows."""
        return {"streamed": GONE}

    @property
    def incomplete(self) -> bool:
        """False: no cell is missing."""
        return False

    @property
    def values(self) -> Array:
        """NotApplicable: the rows are gone."""
        raise NotApplicable(f"{GONE}; read_table keeps the rows of a table that fits in memory")

    @property
    def discrete(self) -> Bools:
        """(d,) False: moments are of numbers."""
        return np.zeros(self.d, dtype=bool)

    @property
    def cardinality(self) -> Codes:
        """(d,) zeros: no column has categories."""
        return np.zeros(self.d, dtype=np.int32)

    @cached_property
    def correlation(self) -> Array:
        """(d, d) Pearson correlation, read-only."""
        return correlate(self.covariance, self.columns)

    @asks()
    def resample(self, rng: np.random.Generator) -> Moments:
        """The covariance of n new rows, as if the rows were Gaussian: a draw from the Wishart law W(S, n - 1) / n.

        The rows are gone, so this is the parametric bootstrap of the linear Gaussian model, which the methods that
        take moments assume; columns with heavy tails vary more than it says. Bartlett (1933): W = L A A' L', L L' = S,
        A lower triangular with sqrt(chi2(n - i)) on its i-th diagonal entry and unit normals below.
        """
        return self._drawn(rng, self.n, self.n)

    @asks()
    def part(self, rng: np.random.Generator, share: float) -> Moments:
        """The covariance of a share of the rows, as if they were Gaussian: it varies about the whole's by 1 / m - 1 / n.

        So m rows of n have the law of resample with n m / (n - m) rows, and count as m.
        """
        size = min(max(1, round(number("share", share, 0.0, 1.0) * self.n)), self.n - 1)
        return self._drawn(rng, self.n * size / (self.n - size), size)

    def _drawn(self, rng: np.random.Generator, rows: float, size: int) -> Moments:
        """Moments that vary as those of ``rows`` rows, and count as ``size``."""
        if min(rows, size) <= self.d:
            raise NotApplicable(
                f"moments of {self.n} rows and {self.d} variables cannot be resampled; read the rows with read_table"
            )
        spread, axes = np.linalg.eigh(self.covariance)
        root = axes * np.sqrt(np.maximum(spread, 0.0))
        bartlett = np.tril(rng.standard_normal((self.d, self.d)), -1)
        np.fill_diagonal(bartlett, np.sqrt(rng.chisquare(rows - 1.0 - np.arange(self.d))))
        half = root @ bartlett
        mean = self.mean + root @ rng.standard_normal(self.d) / np.sqrt(rows)
        return Moments(self.columns, size, freeze(mean), freeze(half @ half.T / rows))

    def fingerprint_parts(self) -> Iterator[Any]:
        """Number of rows, means and covariances."""
        yield from (self.n, self.mean.astype(np.float32), self.covariance.astype(np.float32))

    def __repr__(self) -> str:
        return f"Moments({self.n} rows x {self.d} continuous variables, streamed)"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
