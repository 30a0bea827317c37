"""Random DAGs and structural equation models to sample tables from; every draw takes a Generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools
from ..base.asked import asks
from ..base.checks import choose, number, whole
from ..data import Table, as_table
from ..data.sealed import freeze
from ..errors import DataError
from ..graph import Graph, topological_order
from ..graph.random_dags import random_dag

NOISES: dict[str, Callable[[np.random.Generator, int], Array]] = {  # zero mean, unit variance
    "gaussian": lambda rng, n: rng.standard_normal(n),
    "uniform": lambda rng, n: rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), n),
    "exponential": lambda rng, n: rng.exponential(1.0, n) - 1.0,
    "laplace": lambda rng, n: rng.laplace(0.0, np.sqrt(0.5), n),
    "gumbel": lambda rng, n: (rng.gumbel(0.0, 1.0, n) - np.euler_gamma) * np.sqrt(6.0) / np.pi,
}


def random_weights(adj: Bools, rng: np.random.Generator, low: float = 0.5, high: float = 2.0) -> Array:
    """(d, d) edge weights uniform on +-[low, high], zero off the edges."""
    size = rng.uniform(low, high, adj.shape)
    return np.where(adj, size * rng.choice([-1.0, 1.0], adj.shape), 0.0)


def linear_sem(
    weight: Array, n: int, rng: np.random.Generator, noise: str = "gaussian", deviation: Array | float = 1.0
) -> Array:
    """(n, d) samples of X = X W + E, the noise E of standard deviation ``deviation``, (d,) or one for all."""
    draw = choose("noise", noise, NOISES)
    values = deviation * np.column_stack([draw(rng, n) for _ in range(len(weight))])
    for j in _order(weight != 0):
        parents = np.flatnonzero(weight[:, j])
        values[:, j] += values[:, parents] @ weight[parents, j]
    return values


def small_table(kind: str, rng: np.random.Generator) -> Table:
    """50 rows of four dependent variables, x0 .. x3, of a kind of table, or "regimes": for kernels to be compiled on."""
    values = rng.standard_normal((50, 4)) @ np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    if kind == "discrete":
        return as_table((values > 0).astype(float), discrete=True)
    if kind == "regimes":
        return as_table(pd.DataFrame(values).add_prefix("x").assign(regime=np.arange(50) % 2), regime="regime")
    if kind != "mixed":
        return as_table(values)
    values[:, 0] = np.digitize(values[:, 0], (-0.5, 0.5))  # three states
    return as_table(values, discrete=["x0"])


def internally_standardized(weight: Array) -> tuple[Array, Array]:
    """(d, d) weights and (d,) noise deviations of the iSCM: each variable divided by its model deviation when generated.

    Along a causal order X_j = (sum_i W_ij X_i + E_j) / s_j, where s_j^2 = W_pj' C_pp W_pj + 1 and C is the covariance of
    the variables before j. Every variance is then 1 in the model, and neither variances nor, as in tables that are
    standardised afterwards, shares of explained variance tell the order (Ormaniec et al., ICLR 2025).
    """
    cov, scaled, deviation = np.eye(len(weight)), np.zeros_like(weight), np.ones(len(weight))
    for j in _order(weight != 0):
        parents = np.flatnonzero(weight[:, j])
        with_j = weight[parents, j] @ cov[parents]  # (d,) covariance of the sum with every variable before j
        s = np.sqrt(with_j[parents] @ weight[parents, j] + 1.0)
        scaled[parents, j], deviation[j] = weight[parents, j] / s, 1.0 / s
        cov[j] = cov[:, j] = with_j / s
        cov[j, j] = 1.0
    return scaled, deviation


def nonlinear_sem(adj: Bools, n: int, rng: np.random.Generator, noise: str = "gaussian") -> Array:
    """(n, d) samples of X_j = f_j(X_pa(j)) + E_j, each f_j a draw of a one-hidden-layer random network (100 sigmoids).

    Noise makes a fifth of the variance of a variable with parents. Every column is scaled to mean zero and variance
    one in the sample, so that variances do not reveal the order.
    """
    draw = choose("noise", noise, NOISES)
    values = np.column_stack([draw(rng, n) for _ in range(len(adj))])
    for j in _order(adj):
        parents = np.flatnonzero(adj[:, j])
        if len(parents):
            x = values[:, parents]
            inner = random_weights(np.ones((len(parents), 100), dtype=bool), rng)
            outer = random_weights(np.ones((100, 1), dtype=bool), rng)
            f = (1.0 / (1.0 + np.exp(-x @ inner)) @ outer)[:, 0]
            values[:, j] = (f - f.mean()) / f.std() + 0.5 * values[:, j]
        values[:, j] = (values[:, j] - values[:, j].mean()) / values[:, j].std()
    return values


@asks()
def sem_table(
    rng: np.random.Generator,
    *,
    d: int = 20,
    degree: float = 4,
    n: int = 1000,
    graph: str = "er",
    mechanism: str = "linear",
    noise: str = "gaussian",
    low: float = 0.5,
    high: float = 2.0,
    standardize: bool | str = False,
) -> tuple[Table, Graph]:
    """A random DAG and a table of n rows drawn from a structural equation model on it.

    graph, degree: see ``random_dag``. mechanism: 'linear' with weights uniform on +-[low, high], or 'nonlinear'.
    noise: a key of ``NOISES``. standardize: True divides each column by its standard deviation in the sample; "iscm" each
    variable by its standard deviation in the model as it is generated (:func:`internally_standardized`; nonlinear
    mechanisms do so by themselves). The weights of the true graph are those of the standardised equations.
    """
    whole("n", n, 1), number("high", high, number("low", low))
    names = tuple(f"x{j}" for j in range(d))
    linear = choose("mechanism", mechanism, {"linear": True, "nonlinear": False})
    if standardize not in (False, True, "iscm"):
        raise DataError(f"standardize is {standardize!r}; write True, False or 'iscm'")
    adj = random_dag(d, degree, rng, graph)
    weight, deviation = random_weights(adj, rng, low, high) if linear else None, np.ones(d)
    if weight is not None and standardize == "iscm":
        weight, deviation = internally_standardized(weight)
    values = nonlinear_sem(adj, n, rng, noise) if weight is None else linear_sem(weight, n, rng, noise, deviation)
    if standardize is True:
        spread = values.std(axis=0)
        values = (values - values.mean(axis=0)) / spread
        weight = None if weight is None else weight * spread[:, None] / spread[None, :]
    table = Table(names, freeze(values), freeze(np.zeros(d, dtype=bool)), (None,) * d)
    return table, Graph(names, adj, weight)


def _order(adj: Bools) -> list[int]:
    order = topological_order(adj)
    if order is None:
        raise DataError("the weights contain a directed cycle; a structural equation model here needs a DAG")
    return order
