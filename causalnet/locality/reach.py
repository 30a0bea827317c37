"""How far apart in the graph two agents can be and still matter to each other: the information pattern, in hops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Ints
from ..base.asked import asks
from ..base.checks import whole


@dataclass(frozen=True)
class Reach:
    """Largest distances in hops at which something still matters (the exponents of arXiv 1912.02906, done right).

    reward: of r_i on (s, a). closed: of r_i on s once the policy draws the actions. first: of s_i' on (s, a).
    step: of s_i' on s once the policy draws the actions.
    """

    reward: int
    closed: int
    first: int
    step: int

    @asks()
    def radius(self, t: int, of: str = "action-value") -> int:
        """Hops around i on which the law of r_i(t) depends: of (s(0), a(0)) for action values, of s(0) for values."""
        whole("t", t, 0)
        if of == "value":
            return self.closed + self.step * t
        return self.reward if t == 0 else self.closed + self.step * (t - 1) + self.first

    @asks()
    def first_step(self, kappa: int, of: str = "action-value") -> float:
        """t* = min {t : radius(t) > kappa}: the first reward that something outside kappa hops can move (or inf)."""
        whole("kappa", kappa, 0)
        for t in (0, 1):
            if self.radius(t, of) > kappa:
                return t
        return np.inf if self.step == 0 else 2 + (kappa - self.radius(1, of)) // self.step


def hops(adjacency: sp.csr_array, pairs: sp.csr_array) -> int:
    """Largest distance in the graph from j to i over the entries (i, j) of ``pairs`` that are not zero; adjacency [i, j]: j one hop
    before i.

    Every such i must be reached from its j.
    """
    return _walk(adjacency, pairs)[0]


def unreached(adjacency: sp.csr_array, pairs: sp.csr_array) -> tuple[Ints, Ints]:
    """The i and the j of the entries (i, j) of ``pairs`` for which no path of the graph leads from j to i."""
    i, j = _walk(adjacency, pairs)[1].nonzero()
    return i, j


def _walk(adjacency: sp.csr_array, pairs: sp.csr_array) -> tuple[int, sp.csr_array]:
    """The hops at which the last of the ``pairs`` was met, and those that were met at none."""
    one = sp.csr_array(sp.eye_array(adjacency.shape[0], dtype=np.int8, format="csr"))
    step, ball, distance = sp.csr_array(adjacency.astype(np.int8) + one), one, 0
    left = sp.csr_array(pairs.astype(bool).astype(np.int8))
    while True:
        left = sp.csr_array(left - left.multiply(ball))
        left.eliminate_zeros()
        wider = sp.csr_array((ball @ step).astype(bool).astype(np.int8)) if left.nnz else ball
        if wider.nnz == ball.nnz:
            return distance, left
        ball, distance = wider, distance + 1
