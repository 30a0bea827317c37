"""Tables of numbers and categories on a random DAG: additive effects, or a Gaussian for every configuration."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array
from ..base.checks import choose, number, share, whole
from ..data import Table, as_table
from ..graph import Graph, topological_order
from ..graph.random_dags import random_dag

LOW, HIGH = 0.5, 1.5


def mixed_table(
    rng: np.random.Generator,
    *,
    d: int = 20,
    degree: float = 3,
    n: int = 1000,
    graph: str = "er",
    mechanism: str = "additive",
    discrete: float = 0.5,
    levels: int = 4,
) -> tuple[Table, Graph]:
    """A random DAG and a table of n rows of numbers and of categories with 2 to ``levels`` states.

    mechanism: 'additive', every parent adds its own effect (what the degenerate Gaussian assumes, but for the link),
    or 'conditional', the effects of the numbers and the spread of a number are drawn anew for every configuration of
    the parents that are categories (conditional Gaussian). Numbers are divided by their deviation as they are made;
    a category is the state of largest utility, each linear in the parents plus Gumbel noise (multinomial logit).
    discrete: the share of categories.
    """
    conditional = choose("mechanism", mechanism, {"additive": False, "conditional": True})
    categories = max(1, min(d - 1, round(share("discrete", discrete) * whole("d", d, 2))))
    number("degree", degree, above=0.0)
    adj = random_dag(d, degree, rng, graph)
    coded = np.isin(np.arange(d), rng.choice(d, categories, replace=False))
    states = np.where(coded, rng.integers(2, whole("levels", levels, 2) + 1, d), 0)
    values = np.zeros((n, d))
    for v in topological_order(adj) or ():
        values[:, v] = _draw(v, np.flatnonzero(adj[:, v]), values, states, conditional, rng)
    names = [f"x{j}" for j in range(d)]
    frame = pd.DataFrame(values, columns=names)
    table = as_table(frame, discrete=[names[j] for j in np.flatnonzero(coded)])
    return table, Graph(tuple(names), adj)


def _draw(v: int, parents: AnyArray, values: Array, states: AnyArray, conditional: bool, rng: np.random.Generator) -> Array:
    """(n,) the values of v given those of its parents."""
    n = len(values)
    utilities = max(1, states[v])
    cell = np.zeros(n, np.int64)
    effect = np.zeros((n, utilities))
    for p in parents[states[parents] > 0]:
        state = values[:, p].astype(int)
        cell = cell * states[p] + state
        effect += _sizes((states[p], utilities), rng)[state]
    spread = np.ones(n)
    if conditional:
        cells, cell = np.unique(cell, return_inverse=True)
        spread = rng.uniform(0.5, 1.5, len(cells))[cell]
    for p in parents[states[parents] == 0]:
        slope = _sizes((int(cell.max()) + 1 if conditional else 1, utilities), rng)
        effect += values[:, [p]] * slope[cell if conditional else np.zeros(n, np.int64)]
    if states[v]:
        chosen = np.argmax(effect + rng.gumbel(size=(n, utilities)), axis=1)
        for state in range(states[v]):  # none is left out
            chosen[rng.integers(n)] = state
        return chosen.astype(float)
    made = effect[:, 0] + spread * rng.standard_normal(n)
    return np.asarray((made - made.mean()) / made.std())


def _sizes(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return np.asarray(rng.uniform(LOW, HIGH, shape) * rng.choice([-1.0, 1.0], shape))
