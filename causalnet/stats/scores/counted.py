"""Scores of categories from their definition, a number at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from ...base.arrays import AnyArray, Ints
from .discrete import regret


@dataclass(frozen=True)
class Counted:
    """f(v | parents) straight from its definition. codes: (n, d). name: "fnml", "qnml", "bic" or "bdeu"."""

    codes: AnyArray
    name: str
    penalty: float = 1.0
    ess: float = 1.0

    def __call__(self, v: int, parents: Ints) -> float:
        n, d = self.codes.shape
        r, *wide = [len(np.unique(self.codes[:, j])) for j in (v, *parents)]
        q = math.prod(wide)
        _, j = np.unique(self.codes[:, parents], axis=0, return_inverse=True)
        pairs, n_jk = np.unique(np.column_stack([j.ravel(), self.codes[:, v]]), axis=0, return_counts=True)
        n_j = np.bincount(pairs[:, 0], n_jk)
        if self.name == "bdeu":
            a_j, a_jk = self.ess / q, self.ess / (q * r)
            cells = gammaln(a_jk + n_jk) - gammaln(a_jk)
            return float(-2.0 * (cells.sum() - (gammaln(a_j + n_j) - gammaln(a_j)).sum()))
        if self.name == "fnml":
            price = 2.0 * sum(_regret(int(m), r) for m in n_j) + 2.0 * self.penalty * len(parents) * math.log(d)
        elif self.name == "qnml":
            price = 2.0 * (_regret(n, q * r) - _regret(n, q)) if r > 1 else 0.0
        else:
            price = self.penalty * math.log(n) * q * (r - 1)
        return float(price - 2.0 * (xlogy(n_jk, n_jk).sum() - xlogy(n_j, n_j).sum()))


def _regret(n: int, k: int) -> float:
    return regret(n, float(k)) if k > 1 else 0.0
