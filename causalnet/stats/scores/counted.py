"""Scores of categories from their definition, a number at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln, xlogy

from ...base.arrays import AnyArray, Array, Bools, Ints
from .conditional import FREEDOM, SPREAD
from .regrets import regret


@dataclass(frozen=True)
class Counted:
    """f(v | parents) straight from its definition. codes: (n, d). name: "fnml", "qnml", "bic" or "bdeu". alone: (n, d) bool,
    the rows that count for a variable, None for all."""

    codes: AnyArray
    name: str
    penalty: float = 1.0
    ess: float = 1.0
    alone: AnyArray | None = None

    @cached_property
    def states(self) -> list[int]:
        """Of each column how many states occur."""
        return [int(np.count_nonzero(np.bincount(column))) for column in self.codes.T]

    def __call__(self, v: int, parents: Ints) -> float:
        d = self.codes.shape[1]
        r, q = self.states[v], math.prod(self.states[p] for p in parents)
        n_jk, n_j = self._counts(v, parents)
        n = int(n_j.sum())
        if self.name == "bdeu":
            a_j, a_jk = self.ess / q, self.ess / (q * r)
            cells = gammaln(a_jk + n_jk) - gammaln(a_jk)
            return float(-2.0 * (cells.sum() - (gammaln(a_j + n_j) - gammaln(a_j)).sum()))
        if self.name == "fnml":
            sizes, times = np.unique(n_j, return_counts=True)
            price = 2.0 * sum(m * _regret(int(size), r) for size, m in zip(sizes, times, strict=True))
            price += 2.0 * self.penalty * len(parents) * math.log(d)
        elif self.name == "qnml":
            price = 2.0 * (_regret(n, q * r) - _regret(n, q)) if r > 1 else 0.0
        else:
            price = self.penalty * math.log(len(self.codes)) * q * (r - 1)
        return float(price - 2.0 * (xlogy(n_jk, n_jk).sum() - xlogy(n_j, n_j).sum()))

    def _counts(self, v: int, parents: Ints) -> tuple[Ints, Ints]:
        """The rows of every cell (configuration, state of v) and of every configuration that has any."""
        codes = self.codes if self.alone is None else self.codes[self.alone[:, v]]
        key, many = np.zeros(len(codes), np.int64), 1
        for p in (*parents, v):
            if many > len(key):
                _, key = np.unique(key, return_inverse=True)
                many = int(key.max()) + 1
            column = codes[:, p].astype(np.int64)
            wide = int(column.max()) + 1
            key = key * wide + column
            many *= wide
        cell, n_jk = np.unique(key, return_counts=True) if many > 4 * len(key) else _occupied(key)
        _, first = np.unique(cell // wide, return_index=True)
        return n_jk, np.add.reduceat(n_jk, first)


def _occupied(key: Ints) -> tuple[Ints, Ints]:
    """np.unique with counts, for keys that are small."""
    counts = np.bincount(key)
    cell = np.flatnonzero(counts)
    return cell, counts[cell]


def _regret(n: int, k: int) -> float:
    return regret(n, float(k)) if k > 1 else 0.0


@dataclass(frozen=True)
class Conditional:
    """The conditional Gaussian f(v | parents) from its definition. counted: of the codes, 0 where numbers. values: (n, d) scaled
    numbers. numeric: (d,) bool."""

    counted: Counted
    values: Array
    numeric: Bools

    def __call__(self, v: int, parents: Ints) -> float:
        codes, numbers = self.counted.codes, [int(p) for p in parents if self.numeric[p]]
        _, stratum = np.unique(codes[:, [p for p in parents if not self.numeric[p]]], axis=0, return_inverse=True)
        total, stratum = 0.0, stratum.ravel()
        for t in range(int(stratum.max()) + 1):
            x, own = self.values[stratum == t], codes[stratum == t, v]
            if self.numeric[v]:
                total += _law(x[:, [*numbers, v]]) - _law(x[:, numbers])
            else:
                total += sum(_law(x[own == k][:, numbers]) for k in np.unique(own)) - _law(x[:, numbers])
        return self.counted(v, parents) - 2.0 * total


def _law(x: Array) -> float:
    """ln m of (n, k) numbers."""
    n, k = x.shape
    i = FREEDOM + np.arange(k)
    spread = SPREAD * np.eye(k) + x.T @ x - np.outer(x.sum(axis=0), x.sum(axis=0)) / (1.0 + n)
    total = (gammaln((i + n) / 2.0) - gammaln(i / 2.0)).sum() - 0.5 * k * (n * math.log(math.pi) + math.log(1.0 + n))
    free = FREEDOM + k - 1
    return float(total + 0.5 * free * k * math.log(SPREAD) - 0.5 * (free + n) * np.linalg.slogdet(spread)[1])
