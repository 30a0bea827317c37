"""How a variable answers its parents, fitted to rows: x_j = f_j(parents, noise).

A number is a line in the columns of its parents (categories as indicators) plus a residual drawn from those of the fit, so
that no law is assumed of the noise. A category whose parents are categories has a table of laws, each leaning on the law of
the variable without parents as if by one row; with a number among its parents, or more cells than ``CELLS``, it has a
multinomial logit.
"""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple, Protocol

import numpy as np

from ..base.arrays import Array, Bools, Ints

CELLS = 1 << 20  # numbers in one table of laws


class Mechanism(Protocol):
    """What draws a variable given its parents."""

    def draw(self, given: Array, rng: np.random.Generator) -> Array:
        """given (m, k): values of the parents, codes of categories -> (m,) values of the variable."""


class Columns(NamedTuple):
    """The columns of a design: 1, numbers as they are, of a category the indicators of its states but the first.
    sizes: (k,) states of each parent, 0 for a number."""

    sizes: Ints

    def of(self, given: Array) -> Array:
        """(m, k) -> (m, p)."""
        blocks = [np.ones((len(given), 1))]
        for column, size in zip(given.T, self.sizes, strict=True):
            blocks.append((column[:, None] == np.arange(1, size)).astype(float) if size else column[:, None])
        return np.concatenate(blocks, axis=1)


class Line(NamedTuple):
    """x = columns @ slopes + e, e one of the residuals of the fit (n,)."""

    columns: Columns
    slopes: Array
    residuals: Array

    def mean(self, given: Array) -> Array:
        """(m,) E[x | parents]."""
        return np.asarray(self.columns.of(given) @ self.slopes)

    def draw(self, given: Array, rng: np.random.Generator) -> Array:
        """The line and a residual."""
        return self.mean(given) + self.residuals[rng.integers(0, len(self.residuals), len(given))]


class Laws(NamedTuple):
    """table: (q, s), the law of the s states in each of the q cells of the parents; sizes: (k,) states of the parents."""

    sizes: Ints
    table: Array

    def law(self, given: Array) -> Array:
        """(m, s)."""
        cell = np.zeros(len(given), np.int64)
        for column, size in zip(given.T, self.sizes, strict=True):
            cell = cell * size + column.astype(np.int64)
        return np.asarray(self.table[cell])

    def draw(self, given: Array, rng: np.random.Generator) -> Array:
        """A state by its law."""
        return drawn(self.law(given), rng)


class Logit(NamedTuple):
    """P(x = k | parents) in proportion to exp(columns @ slopes[:, k]). slopes: (p, s)."""

    columns: Columns
    slopes: Array

    def law(self, given: Array) -> Array:
        """(m, s)."""
        score = self.columns.of(given) @ self.slopes
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(score / score.sum(axis=1, keepdims=True))

    def draw(self, given: Array, rng: np.random.Generator) -> Array:
        """A state by its law."""
        return drawn(self.law(given), rng)


def drawn(law: Array, rng: np.random.Generator) -> Array:
    """(m,) a state of each row's law (m, s)."""
    level = rng.random((len(law), 1)) * law.sum(axis=1, keepdims=True)
    return np.minimum((np.cumsum(law, axis=1) <= level).sum(axis=1), law.shape[1] - 1).astype(float)


def fit_mechanism(own: Array, states: int, given: Array, sizes: Ints) -> Mechanism:
    """own (n,): the variable, codes where it has ``states`` > 0; given (n, k), sizes (k,): its parents'."""
    if not states:
        columns = Columns(sizes)
        design = columns.of(given)
        slopes = np.asarray(np.linalg.lstsq(design, own, rcond=None)[0], float)
        residuals = own - design @ slopes
        # least squares makes residuals small by the columns it fits; they are drawn at the size of the noise
        grown = math.sqrt(len(own) / max(len(own) - design.shape[1], 1))
        return Line(columns, slopes, np.asarray(residuals * grown, float))
    cells = float(np.prod(sizes.astype(float))) * states
    if (sizes > 0).all() and cells <= CELLS:
        return _laws(own, states, given, sizes)
    return _logit(own, states, given, sizes)


def _laws(own: Array, states: int, given: Array, sizes: Ints) -> Laws:
    """(count + base) / (n + 1) in every cell, base the law without parents, itself smoothed by one row in all."""
    cell = np.zeros(len(own), np.int64)
    for column, size in zip(given.T, sizes, strict=True):
        cell = cell * size + column.astype(np.int64)
    q = int(np.prod(sizes))
    count = np.bincount(cell * states + own.astype(np.int64), minlength=q * states).reshape(q, states).astype(float)
    base = (count.sum(axis=0) + 1.0 / states) / (len(own) + 1.0)
    return Laws(sizes, (count + base) / (count.sum(axis=1, keepdims=True) + 1.0))


def _logit(own: Array, states: int, given: Array, sizes: Ints) -> Logit:
    """Multinomial logistic regression on standardised columns, the ridge of one row; states never seen stay unlikely."""
    from sklearn.linear_model import LogisticRegression

    columns = Columns(sizes)
    design = columns.of(given)[:, 1:]
    centre, scale = design.mean(axis=0), design.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    seen = np.unique(own).astype(np.int64)
    slopes = np.zeros((design.shape[1] + 1, states))
    slopes[0] = np.log(1.0 / (len(own) + 1.0) / states)
    if len(seen) == 1:
        slopes[0, seen] = 0.0
        return Logit(columns, slopes)
    model = LogisticRegression(C=1.0, max_iter=1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that separates the states is cut off by its ridge, not by convergence
        model.fit((design - centre) / scale, own)
    coef, free = model.coef_, model.intercept_
    if len(seen) == 2:  # sklearn gives one row, for the second
        coef, free = np.vstack([np.zeros_like(coef), coef]), np.concatenate([[0.0], free])
    slopes[1:, seen] = (coef / scale).T
    slopes[0, seen] = free - coef @ (centre / scale)
    return Logit(columns, slopes)


def complete(values: Array) -> Bools:
    """(n,) bool: rows without a missing cell among these columns (n, k)."""
    return np.asarray(~np.isnan(values).any(axis=1))
