"""Tables of continuous and categorical columns on a random DAG, and cells hidden at random; every draw takes a Generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..base.arrays import AnyArray, Array, Bools, Ints
from ..base.asked import asks
from ..base.checks import choose, number, whole
from ..data import Table
from ..data.sealed import freeze
from ..graph import Graph, topological_order
from ..graph.random_dags import random_dag
from .categorical import Levels, draw_levels, laws_of_rows, level_names, sample_laws


@asks()
def mixed_table(
    rng: np.random.Generator,
    *,
    d: int = 20,
    degree: float = 3,
    n: int = 1000,
    graph: str = "er",
    discrete: float = 0.5,
    model: str = "conditional",
    levels: Levels | int = (2, 4),
) -> tuple[Table, Graph]:
    """A random DAG and n rows of a model in which categories and numbers may each cause both.

    graph, degree: see ``random_dag``. discrete: the share of categorical columns, rounded, at least one of each kind.
    levels: least and most categories. model:
    * "conditional": conditional Gaussian (Lauritzen and Wermuth 1989). A number is linear in its continuous parents with
      an intercept and slopes of its own for every configuration of its discrete parents; a category has a law for every
      configuration of its discrete parents and of the signs of its continuous ones.
    * "degenerate": effects add up over the one-hot codes of the parents (Andrews, Ramsey and Cooper 2019). A number is
      linear in them; a category is the one whose linear score plus Gumbel noise is greatest (multinomial logit).
    Slopes and intercepts are uniform on +-[.5, 1.5], noise is Gaussian of unit variance; each continuous column is
    scaled to mean 0 and variance 1 in the sample as it is generated.
    """
    draw = choose("model", model, {"conditional": _conditional, "degenerate": _degenerate})
    size, share = whole("n", n, 2), number("discrete", discrete, 0, 1)
    adj = random_dag(d, degree, rng, graph)
    which = rng.permutation(d) < min(max(round(share * d), 1), d - 1)
    counts = np.where(which, draw_levels(rng, d, levels), 0)
    values = np.zeros((size, d))
    for j in topological_order(adj) or ():
        parents = np.flatnonzero(adj[:, j])
        values[:, j] = draw(rng, values[:, parents], counts[parents], int(counts[j]))
    names = tuple(f"x{j}" for j in range(d))
    return Table(names, freeze(values), freeze(which), level_names(counts)), Graph(names, adj)


@asks()
def hide_cells(table: Table, share: float, rng: np.random.Generator) -> Table:
    """The table without a ``share`` of its cells, each missing with that chance whatever it or any other cell holds (MCAR).

    Hidden cells are NaN in ``values``, in discrete columns too.
    """
    hidden = rng.random(table.values.shape) < number("share", share, 0, 1)
    return replace(table, values=freeze(np.where(hidden, np.nan, table.values)))


def _conditional(rng: np.random.Generator, causes: Array, counts: Ints, k: int) -> AnyArray:
    """(n,) a child of ``causes`` (n, parents) whose equation changes with the configuration of the discrete ones."""
    numbers, stream = causes[:, counts == 0], int(rng.integers(2**63))
    groups = causes[:, counts > 0].astype(np.int64)
    if k:
        return sample_laws(rng, laws_of_rows(stream, np.column_stack([groups, numbers > 0]).astype(np.int64), k))
    kinds, which = np.unique(groups, axis=0, return_inverse=True)
    own = [_slopes(np.random.default_rng([stream, *kind]), (numbers.shape[1] + 1,)) for kind in kinds.tolist()]
    slope = np.array(own)[which.ravel()]  # (n, 1 + continuous parents)
    return _scaled(slope[:, 0] + (slope[:, 1:] * numbers).sum(axis=1) + rng.standard_normal(len(causes)))


def _degenerate(rng: np.random.Generator, causes: Array, counts: Ints, k: int) -> AnyArray:
    """(n,) a child of ``causes`` (n, parents) whose one-hot codes have effects that add up."""
    effect = np.zeros((len(causes), k or 1))
    for cause, m in zip(causes.T, counts.tolist(), strict=True):
        effect += (_one_hot(cause, m) if m else cause[:, None]) @ _contrasts(rng, m or 1, k or 1)
    if k:
        return np.asarray((effect + rng.gumbel(size=effect.shape)).argmax(axis=1))
    return _scaled(effect[:, 0] + rng.standard_normal(len(causes)))


def _one_hot(codes: Array, k: int) -> Bools:
    """(n, k) which of the k categories each row has."""
    return np.asarray(codes[:, None] == np.arange(k))


def _slopes(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)


def _contrasts(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """(rows, columns) slopes whose signs alternate along both, each in a random order: the effects of no two categories
    are all alike, so that an edge is never idle."""
    turn = rng.permutation(rows)[:, None] + rng.permutation(columns) + rng.integers(2)
    return rng.uniform(0.5, 1.5, (rows, columns)) * (-1.0) ** turn


def _scaled(x: Array) -> Array:
    return np.asarray((x - x.mean()) / x.std())
