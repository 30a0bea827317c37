"""What is no contest between methods: the exact optimum, trials that a graph stays the same, real tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from causalnet import Table, as_table
from causalnet.base.arrays import Array
from causalnet.datasets import categorical_table
from causalnet.errors import CausalnetError
from causalnet.stats.scores import local_score
from pipelines.structure_learning.contest import (
    METHODS,
    PENALTY,
    Run,
    available,
    judge,
    learn,
    penalised,
    prepare,
    solve,
)
from pipelines.structure_learning.problems import Linear, draw_linear, stream

EXACT = 1e-6  # a score that close to the optimum is the optimum
REAL = (
    *(
        "anes96",
        "ccard",
        "cancer",
        "fair",
        "grunfeld",
        "heart",
        "longley",
        "macrodata",
        "spector",
        "stackloss",
        "star98",
    ),
    *("statecrime", "iris", "wine", "breast_cancer", "diabetes"),
)


def exact(methods: tuple[str, ...], seed: int) -> Iterator[Run]:
    """How far above the least possible score the answer is, on a random problem of 4 to 10 variables."""
    rng = stream("exact", seed)
    d, design = int(rng.integers(4, 11)), ("raw", "fair", "plain")[seed % 3]
    problem = Linear("er", design, d, int(rng.integers(1, min(d - 1, 6))), int(rng.choice([100, 300, 1000])))
    data, truth = draw_linear(problem, seed)
    least = optimum(data.correlation, data.n)
    for method in available(methods):
        found = solve(method, data, seed)
        run = Run("d <= 10", method, cpu=found.cpu, note=found.note)
        if found.adj is not None:
            run.score = penalised(data.correlation, data.n, found.adj)
            run.shd, run.f1, run.skeleton_f1 = judge(truth, found.adj)
            run.value = None if run.score is None else max(0.0, run.score - least)
        yield run


def optimum(corr: Array, n: int) -> float:
    """The least score of any DAG, by dynamic programming over subsets as bits (Silander and Myllymaki, UAI 2006).

    best[v][S] = min(f(v | S), min_x in S best[v][S - x]); least[S] = min_v in S least[S - v] + best[v][S - v].
    """
    d = len(corr)
    inside = [[x for x in range(d) if s >> x & 1] for s in range(1 << d)]
    best = np.full((d, 1 << d), math.inf)
    for v in range(d):
        for s, members in enumerate(inside):
            if not s >> v & 1:
                own = local_score(corr, n, PENALTY, v, np.array(members, dtype=np.int64))
                best[v, s] = min([own, *(best[v, s & ~(1 << x)] for x in members)])
    least = np.zeros(1 << d)
    for s in range(1, 1 << d):
        least[s] = min(least[s & ~(1 << v)] + best[v, s & ~(1 << v)] for v in inside[s])
    return float(least[-1])


def equivariant(problem: tuple[str, str], seed: int) -> Iterator[Run]:
    """Is the graph the same after the columns are permuted, renamed and (numbers) rescaled? problem: method, kind of data."""
    method, kind = problem
    rng = stream(problem, seed)
    if kind == "continuous":
        data, _ = draw_linear(Linear("er", ("raw", "fair")[seed % 2], 20, n=500), seed)
    else:
        data, _ = categorical_table(rng, n=500)
    moved, place = shuffled(data, rng)
    backend, params = METHODS[method]
    prepare(backend, kind)
    try:
        one, other = (learn(table, backend, seed, params) for table in (data, moved))
    except CausalnetError as error:
        yield Run(kind, method, note=str(error)[:300])
        return
    yield Run(kind, method, value=float(np.array_equal(one.adj[np.ix_(place, place)], other.adj)))


def shuffled(data: Table, rng: np.random.Generator) -> tuple[Table, Any]:
    """The table with its columns in another order, under other names and in other units; and the order, (d,)."""
    place, names = rng.permutation(data.d), rng.permutation(data.d)
    scale = np.where(data.discrete, 1.0, 10.0 ** rng.uniform(-3, 3, data.d))
    shift = np.where(data.discrete, 0.0, rng.normal(size=data.d))
    values = (data.values * scale + shift)[:, place]
    columns = tuple(f"v{k}" for k in names)
    return Table(columns, values, data.discrete[place], tuple(data.levels[j] for j in place)), place


def real(name: str, seed: int) -> Iterator[Run]:
    """Does a table that people have get a graph from the default call?"""
    try:
        graph = learn(as_table(load_real(name)), "auto", seed, {})
        joined = int(np.triu(graph.skeleton).sum())
        yield Run(
            name, "auto", value=1.0, note=f"{graph.d} columns, {joined} edges, by {graph.meta.get('backend', '?')}"
        )
    except CausalnetError as error:
        yield Run(name, "auto", value=0.0, note=f"{type(error).__name__}: {error}"[:300])


def load_real(name: str) -> pd.DataFrame:
    """A table that travels with statsmodels or scikit-learn, as it comes."""
    import sklearn.datasets
    import statsmodels.api as sm

    theirs: dict[str, Callable[..., Any]] = {
        "iris": sklearn.datasets.load_iris,
        "wine": sklearn.datasets.load_wine,
        "breast_cancer": sklearn.datasets.load_breast_cancer,
        "diabetes": sklearn.datasets.load_diabetes,
    }
    found = theirs[name](as_frame=True).frame if name in theirs else getattr(sm.datasets, name).load_pandas().data
    return pd.DataFrame(found)
