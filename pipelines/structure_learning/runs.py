"""What is no contest between methods: the exact optimum, trials, confidence, streamed rows, real tables."""

from __future__ import annotations

import importlib.util
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from causalnet import Graph, Table, as_table, edge_confidence
from causalnet.base.arrays import Array
from causalnet.datasets import categorical_table, mixed_table, sem_table
from causalnet.datasets.autoregression import lagged_series
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.datasets.interventional import interventional_table
from causalnet.datasets.sem import internally_standardized, linear_sem, random_weights
from causalnet.errors import CausalnetError
from causalnet.graph.interventional import essential_graph, told_apart
from causalnet.graph.metrics import equivalence_class
from causalnet.graph.random_dags import random_dag
from causalnet.stats.scores import local_score
from pipelines.structure_learning.contest import (
    METHODS,
    PENALTY,
    SMALL,
    Run,
    available,
    judge,
    learn,
    measure,
    penalised,
    prepare,
    solve,
    within,
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


def same_order(problem: str, seed: int) -> Iterator[Run]:
    """Is lingam's causal order that of another package's DirectLiNGAM, on a random problem of 5 to 15 variables?"""
    if len(available(("lingam", "causal-learn DirectLiNGAM"))) < 2:
        return
    rng = stream("order", seed)
    noise = ("uniform", "exponential")[seed % 2]
    data, _ = sem_table(rng, d=int(rng.integers(5, 16)), degree=3, n=int(rng.choice([300, 1000])), noise=noise)
    ours = learn(data, "lingam", seed, {}).meta["causal_order"]
    yield Run(problem, "lingam", value=float(list(ours) == peer_order(data)))


def peer_order(data: Table) -> list[str]:
    """The causal order of the package lingam, or of the copy that its authors keep in causal-learn."""
    if importlib.util.find_spec("lingam") is None:
        return list(learn(data, "causal-learn/direct-lingam", 0, {}).meta["order"])
    import lingam

    model = lingam.DirectLiNGAM()
    model.fit(data.values)
    return [data.columns[j] for j in model.causal_order_]


# ---- confidence -------------------------------------------------------------------------------------------------

HEARD = 0.05  # confidence above which a pair counts
BINS = 10


def confident(problem: tuple[str, str], seed: int) -> Iterator[Run]:
    """How probable an edge is said to be, by 50 resamples, beside the truth. problem: method, family.

    The truth of a direction is the class's (I-essential where there are regimes): an edge that it leaves open counts for
    neither direction. Over time and in logs every direction counts, and a pair may be linked both ways.
    """
    method, family = problem
    data, truth = draw_family(family, stream(problem, seed))
    backend, params = METHODS[method]
    if data.kind in SMALL:
        prepare(backend, data.kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sure = edge_confidence(data, backend, n=50, seed=seed, **params)
    up, other = np.triu_indices(truth.d, 1), ~np.eye(truth.d, dtype=bool)
    yield Run(f"{family}: adjacency", method, bins=binned(sure.joined[up], truth.skeleton[up]))
    if data.kind not in SMALL:
        ways, right = sure.directed + sure.undirected, truth.adj
    else:
        regimes = data.regimes if isinstance(data, Table) else None
        apart = None if regimes is None else told_apart(regimes.acted_on(data.columns))
        mine = equivalence_class(truth) if apart is None else essential_graph(truth.adj, apart)
        ways, right = sure.directed, mine & ~mine.T
    yield Run(f"{family}: direction", method, bins=binned(ways[other], right[other]))


def draw_family(family: str, rng: np.random.Generator) -> tuple[Any, Graph]:
    """Data of a family and their graph; sizes and strengths are none of those on which the calibration was settled."""
    draws: dict[str, Callable[[], tuple[Any, Graph]]] = {
        "Gaussian": lambda: sem_table(rng, d=15, degree=3, n=500, low=0.25, high=1.0, standardize="iscm"),
        "discrete": lambda: categorical_table(rng, d=12, degree=2, n=1000),
        "mixed": lambda: mixed_table(rng, d=14, degree=3, n=800, model="degenerate"),
        "conditional": lambda: mixed_table(rng, d=14, degree=3, n=800),
        "regimes": lambda: interventional_table(rng, d=14, degree=3, targets=6, rows=80, n=400),
        "series": lambda: lagged_series(rng, d=9, n=600, lags=2),
        "log": lambda: simulate_hawkes(n_types=12, n_devices=20, n_events=2000, density=0.15, rng=rng),
    }
    return draws[family]()


def binned(sure: Array, true: Array) -> str:
    """Of each of ten equal bins the pairs, the sum of their confidence and how many are true: "12:0.9:1 ..."."""
    heard = sure > HEARD
    sure, true = sure[heard], true[heard]
    where = np.minimum((sure * BINS).astype(int), BINS - 1)
    parts = [(where == b, b) for b in range(BINS)]
    return " ".join(f"{at.sum()}:{sure[at].sum():.3f}:{int(true[at].sum())}" for at, _ in parts)


def calibration_error(texts: Sequence[str]) -> float:
    """sum_b (n_b / N) |mean confidence - share of true ones| over the bins of all runs together; nan without a pair."""
    runs = [[[float(x) for x in part.split(":")] for part in text.split()] for text in texts]
    if not runs:
        return math.nan
    pairs, sure, true = np.array(runs).sum(axis=0).T
    return float(np.abs(sure - true).sum() / pairs.sum()) if pairs.sum() else math.nan


# ---- tables of other people -------------------------------------------------------------------------------------


def streamed(problem: tuple[str, int], seed: int) -> Iterator[Run]:
    """A graph of 20 columns straight from a Parquet file, read in parts. problem: method, rows."""
    from causalnet import stream_table

    method, n = problem
    backend, params = METHODS[method]
    prepare(backend, "continuous")
    truth, weight, deviation, rng = fair_model(20, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write_rows(path, weight, deviation, n, rng)
        found = within(600.0, lambda: measure(lambda: learn(stream_table(path), backend, seed, params)))
    run = Run(f"{n} rows x 20", method, cpu=found.cpu, memory=found.memory, note=found.note)
    if found.adj is not None:
        run.shd, run.f1, run.skeleton_f1 = judge(truth, found.adj)
    yield run


def fair_model(d: int, seed: int) -> tuple[Graph, Array, Array, np.random.Generator]:
    """A fair linear model: graph, (d, d) weights, (d,) noise deviations, and the stream to draw rows from."""
    rng = stream("rows", seed)
    adj = random_dag(d, 4, rng)
    weight, deviation = internally_standardized(random_weights(adj, rng, 0.25, 0.8))
    return Graph(tuple(f"x{j}" for j in range(d)), adj), weight, deviation, rng


def write_rows(
    path: Path, weight: Array, deviation: Array, n: int, rng: np.random.Generator, part: int = 250_000
) -> None:
    """n rows of a linear model as a Parquet file, drawn and written part by part."""
    import pyarrow
    import pyarrow.parquet

    names = [f"x{j}" for j in range(len(weight))]
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in names])
    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        for start in range(0, n, part):
            values = linear_sem(weight, min(part, n - start), rng, "gaussian", deviation)
            file.write_table(pyarrow.table(dict(zip(names, values.T, strict=True)), schema=schema))


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
