"""Which DAG explains the noise, not only the covariance: a likelihood score with entropies, and a descent by reversals.

    f(v | P) = n ln s2(v | P) - 2 n J(r) + penalty |P| ln n

s2 the residual variance of v given its parents P, r the standardised residual, J its negentropy: twice the negative
log-likelihood of independent noise whose entropy is approximated, up to a constant (Hyvärinen and Smith 2013, section
2). Where all noise is Gaussian J is zero and this is the linear Gaussian BIC, equal over an equivalence class; where
some is not, the DAGs of a class differ, and their edges at such variables are identified (Hoyer et al., UAI 2008).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..graph.meek import orient
from ..stats.gaussian_noise import gaussianity, negentropy, standardised_rows

EPS = 1e-6  # a change of score below this is rounding
SINGULAR = 1e-9  # a share of variance no larger is none, and what is left says nothing


@dataclass(frozen=True)
class Likelihood:
    """The score f of standardised rows (d, n) with correlations corr (d, d), each value worked out once."""

    rows: Array
    corr: Array
    penalty: float
    known: dict[tuple[int, bytes], float] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Array, penalty: float) -> Likelihood:
        """That of a table (n, d)."""
        rows = standardised_rows(values)
        return cls(rows, rows @ rows.T / rows.shape[1], penalty)

    def residual(self, v: int, parents: Bools) -> tuple[Array, float]:
        """(n,) standardised residual of v given its parents (d,) bool, and its variance; zeros where none is left."""
        given = np.flatnonzero(parents)
        rest = self.rows[v]
        if len(given):
            rest = rest - _slope(self.corr[np.ix_(given, given)], self.corr[given, v]) @ self.rows[given]
        s2 = float(rest @ rest) / len(rest)
        return (rest / math.sqrt(s2), s2) if s2 > SINGULAR else (np.zeros_like(rest), SINGULAR)

    def local(self, v: int, parents: Bools) -> float:
        """f(v | parents); parents (d,) bool."""
        key = v, parents.tobytes()
        if key not in self.known:
            rest, s2 = self.residual(v, parents)
            n = len(rest)
            told = negentropy(rest) if s2 > SINGULAR else 0.0
            price = self.penalty * parents.sum() * math.log(n)
            self.known[key] = n * math.log(s2) - 2 * n * told + price
        return self.known[key]

    def total(self, dag: Bools) -> float:
        """sum_v f(v | parents of v in dag); (d, d) bool."""
        return sum(self.local(v, dag[:, v]) for v in range(len(dag)))

    def if_reversed(self, dag: Bools, a: int, b: int) -> float:
        """How the score changes when a -> b becomes b -> a."""
        into_a, into_b = dag[:, a].copy(), dag[:, b].copy()
        into_a[b], into_b[a] = True, False
        before = self.local(a, dag[:, a]) + self.local(b, dag[:, b])
        return self.local(a, into_a) + self.local(b, into_b) - before

    def gaussianities(self, dag: Bools) -> Array:
        """(d,) p-values of the hypotheses that the noise of a variable is Gaussian; 1 where there is none."""
        noise = [self.residual(v, dag[:, v]) for v in range(len(dag))]
        return np.array([gaussianity(rest) if s2 > SINGULAR else 1.0 for rest, s2 in noise])


def descend(score: Likelihood, dag: Bools, allowed: Bools, required: Bools, over: Callable[[], bool]) -> Bools:
    """Reverse the edge that lowers the score most until none does, or time is over; (d, d) bool.

    allowed, required: (d, d) bool as Knowledge.compile gives them.
    """
    dag = dag.copy()
    while not over():
        ways = [(a, b) for a, b in np.argwhere(dag & allowed.T & ~required)]
        change = np.array([score.if_reversed(dag, a, b) for a, b in ways])
        for k in np.argsort(change, kind="stable"):
            a, b = ways[k]
            if change[k] < -EPS and not _detour(dag, a, b):
                dag[a, b], dag[b, a] = False, True
                break
        else:
            break
    return dag


def member(graph: Bools, order: Ints) -> Bools:
    """The DAG (d, d) of a completed graph whose undirected edges follow ``order`` (d,) as far as the class lets them."""
    dag, place = graph.copy(), np.argsort(order)
    while (dag & dag.T).any():
        a, b = min(
            np.argwhere(dag & dag.T & (place[:, None] < place[None, :])), key=lambda e: (place[e[1]], place[e[0]])
        )
        dag[b, a] = False
        dag = orient(dag)
    return dag


def _slope(corr: Array, with_v: Array) -> Array:
    """The (k,) regression coefficients of v on k parents; of least size where the parents determine one another."""
    try:
        slope = np.linalg.solve(corr, with_v)
    except np.linalg.LinAlgError:
        slope = np.linalg.lstsq(corr, with_v, rcond=SINGULAR)[0]
    return slope.astype(np.float64)


def _detour(dag: Bools, a: int, b: int) -> bool:
    """Is there a directed path from a to b beside the edge a -> b?"""
    front = dag[a].copy()
    front[b] = False
    seen = front
    while front.any():
        front = dag[front].any(axis=0) & ~seen
        seen = seen | front
    return bool(seen[b])
