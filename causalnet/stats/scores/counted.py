"""Scores of categories from their definition, a number at a time, and how close two columns of categories are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from ...base.arrays import AnyArray, Array, Codes, Ints
from .discrete import regret

LUMPED, BLOCK = 16, 4096


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


def closeness(codes: Codes) -> Array:
    """(d, d) in place of a correlation: sqrt(1 - exp(-2 I)), I the mutual information in nats, and 1 on the diagonal.

    Enough to choose a first order by. States beyond the LUMPED-th count as one.
    """
    n, d = codes.shape
    r = min(int(codes.max()) + 1, LUMPED)
    joint = np.zeros((d * r, d * r))
    for start in range(0, n, BLOCK):
        block = np.minimum(codes[start : start + BLOCK].T, r - 1)
        states = (block[:, None] == np.arange(r)[:, None]).reshape(d * r, -1).astype(np.float32)
        joint += states @ states.T
    table = joint.reshape(d, r, d, r) / n
    entropy = -xlogy(np.einsum("akak->ak", table), np.einsum("akak->ak", table)).sum(axis=1)
    mutual = entropy[:, None] + entropy[None, :] + xlogy(table, table).sum(axis=(1, 3))
    near = np.sqrt(-np.expm1(-2.0 * np.maximum(mutual, 0.0)))
    np.fill_diagonal(near, 1.0)
    return np.asarray(near)
