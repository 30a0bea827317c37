"""Random categorical Bayesian networks and tables drawn from them; every draw takes a Generator."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Ints
from ..base.asked import asks
from ..base.checks import entries, number, whole
from ..data import Table
from ..data.sealed import freeze
from ..errors import DataError
from ..graph import Graph, topological_order
from ..graph.random_dags import random_dag

Levels = tuple[int, int]
ROOT = 5.0  # concentration of the law of a variable without parents


@asks()
def categorical_table(
    rng: np.random.Generator,
    *,
    d: int = 20,
    degree: float = 3,
    n: int = 1000,
    graph: str = "er",
    levels: Levels | int = (2, 4),
    concentration: float = 0.5,
) -> tuple[Table, Graph]:
    """A random DAG and n rows of a categorical Bayesian network on it: X_j | X_pa(j) ~ Categorical(theta_j[X_pa(j)]).

    graph, degree: see ``random_dag``. levels: least and most categories of a variable (one number: of all), each number
    equally likely. concentration: of the symmetric Dirichlet law that every row of every probability table is drawn from;
    the smaller, the stronger the effects (1: all laws equally likely); 5 where there are no parents, so that no variable
    is nearly constant for want of them. A table's rows do not depend on n: each has a stream of its own, and rows that
    no sample visits are never drawn, so that a variable may have many parents.
    """
    size, concentration = whole("n", n, 1), number("concentration", concentration, above=0.0)
    adj = random_dag(d, degree, rng, graph)
    counts, streams = draw_levels(rng, d, levels), rng.integers(2**63, size=d)
    codes = np.zeros((size, d), dtype=np.int64)
    for j in topological_order(adj) or ():
        chance = laws_of_rows(int(streams[j]), codes[:, adj[:, j]], int(counts[j]), concentration)
        codes[:, j] = sample_laws(rng, chance)
    names = tuple(f"x{j}" for j in range(d))
    table = Table(names, freeze(codes.astype(float)), freeze(np.ones(d, dtype=bool)), level_names(counts))
    return table, Graph(names, adj)


def draw_levels(rng: np.random.Generator, d: int, levels: Levels | int) -> Ints:
    """(d,) numbers of categories, each number from the least to the most equally likely."""
    given = [levels, levels] if isinstance(levels, int) else entries("levels", levels, "numbers of categories")
    least, most = (whole("the least number of levels", given[0], 2), given[-1]) if len(given) == 2 else (2, 1)
    if most == 1 or whole("the greatest number of levels", most, 2, 1 << 31) < least:
        raise DataError(f"levels is {levels!r}, and must be the least number of categories and then the greatest")
    return rng.integers(least, most + 1, d)


def laws_of_rows(stream: int, causes: Ints, k: int, concentration: float = 0.5) -> Array:
    """(n, k) law over k categories for each row: a Dirichlet draw for each distinct row of ``causes`` (n, parents)."""
    concentration = concentration if causes.shape[1] else ROOT
    kinds, which = np.unique(causes, axis=0, return_inverse=True)
    theta = [np.random.default_rng([stream, *kind]).dirichlet(np.full(k, concentration)) for kind in kinds.tolist()]
    return np.array(theta)[which.ravel()]


def sample_laws(rng: np.random.Generator, chance: Array) -> Ints:
    """(n,) one category from each law of ``chance`` (n, k)."""
    below = rng.random((len(chance), 1)) >= np.cumsum(chance, axis=1)
    return np.minimum(below.sum(axis=1), chance.shape[1] - 1)


def level_names(counts: Ints) -> tuple[tuple[str, ...] | None, ...]:
    """The labels "a", "b", ... ("s0", "s1", ... beyond 26) of each variable's categories; None where there are none."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return tuple(
        None if not k else tuple(letters[:k]) if k <= len(letters) else tuple(f"s{i}" for i in range(k))
        for k in counts.tolist()
    )
