"""What each method makes of a table with regimes, and how far it is from the truth."""

from __future__ import annotations

import math
import time
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from causalnet import Graph, Table, discover, load_dataset
from causalnet.base.arrays import Bools
from causalnet.datasets.interventional import interventional_table
from causalnet.discovery.dispatch import compile_kernels
from causalnet.discovery.register import find
from causalnet.errors import CausalnetError
from causalnet.graph.interventional import essential_graph, told_apart
from causalnet.graph.meek import extension
from causalnet.graph.metrics import score, shd
from causalnet.stats.regimes import RegimeLocal, pool, sum_regimes

SHORT = 0.3  # CPU seconds below which a method runs three times, and the least counts
GIES, CDNOD = "gies/gies", "causal-learn/cdnod"
FEW = {CDNOD: 20}  # the most variables that a peer is tried on
PERMUTATIONS = 1000
READINGS = {  # how Sachs' rows are read -> the data set, the method, and whether regimes and targets are told
    "LY294002 acts on PIP3": ("sachs-interventional", "order", "targets"),
    "LY294002 acts on pakts473": ("sachs-interventional:ly294002=pakts473", "order", "targets"),
    "targets not known": ("sachs-interventional", "order", "regimes"),
    "all rows pooled": ("sachs-interventional", "order", "rows"),
    "anti-CD3/CD28 alone": ("sachs:truth=17", "order", "rows"),
    "pc, pooled by context": ("sachs-interventional", "pc", "targets"),
    "gies": ("sachs-interventional", GIES, "targets"),
    "CD-NOD": ("sachs-interventional", CDNOD, "regimes"),
}
TRUTHS = (17, 18, 20)


@dataclass
class Run:
    """What one method made of one problem.

    shd: to the true I-essential graph, for Sachs to the network named. score: of a DAG of the answer at lambda = 1, to be
    minimised. value: F1 of the targets found; for Sachs F1 over directed edges. p: share of permutations of the names
    that score as high. adjacencies, right, directions: joined, rightly joined, rightly directed.
    """

    task: str = field(default="", kw_only=True)
    problem: str
    method: str
    seed: int = field(default=0, kw_only=True)
    shd: float | None = None
    score: float | None = None
    cpu: float | None = None
    value: float | None = None
    p: float | None = None
    p_shd: float | None = None
    adjacencies: float | None = None
    right: float | None = None
    directions: float | None = None
    note: str = ""


class Problem(NamedTuple):
    """A fair linear model of d variables: 1,000 rows without intervention, ``rows`` of each of ``targets`` experiments."""

    d: int
    targets: int = 10
    rows: int = 200
    kind: str = "hard"

    def __str__(self) -> str:
        return f"{self.kind} d={self.d}, {self.targets} targets of {self.rows} rows"


def draw(problem: Problem, seed: int) -> tuple[Table, Bools]:
    """The table, with its targets, and the true I-essential graph (d, d)."""
    rng = np.random.default_rng([seed, zlib.crc32(str(problem).encode())])
    table, truth = interventional_table(rng, **problem._asdict())
    return table, essential_graph(truth.adj, apart_in(table))


def apart_in(table: Table) -> Bools:
    """(d, d) the pairs that the table's regimes tell apart."""
    assert table.regimes is not None
    return told_apart(table.regimes.acted_on(table.columns))


def forget(table: Table) -> Table:
    """The same table with its targets not known."""
    assert table.regimes is not None
    return replace(table, regimes=replace(table.regimes, targets=(None,) * len(table.regimes.labels)))


def measure(data: Table, backend: str, **params: Any) -> tuple[Graph | None, float | None, str]:
    """The graph, CPU seconds after compilation (the least of three where they are few), or why there is none."""
    method = find(backend)
    if not method.installed:
        return None, None, method.needs
    compile_kernels(method, data)
    least, graph = math.inf, None
    for _ in range(3):
        begun = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                graph = discover(data, backend, **params)
        except CausalnetError as error:
            return None, None, str(error)[:300]
        least = min(least, time.process_time() - begun)
        if least > SHORT:
            break
    return graph, least, ""


def contest(problem: Problem, seed: int) -> Iterator[Run]:
    """order and gies at lambda = 1, scored by one function; order at its own penalty, with targets and without."""
    data, truth = draw(problem, seed)
    pooled = replace(data, regimes=None)
    tried: list[tuple[str, str, Table, dict[str, Any]]] = [
        ("order, lambda 1", "order", data, {"penalty": 1.0}),
        ("gies", GIES, data, {}),
        ("order", "order", data, {}),
        ("order, targets ignored", "order", pooled, {}),
        ("pc by context", "pc", data, {}),
        ("CD-NOD", CDNOD, forget(data), {}),
    ]
    for name, backend, table, params in tried:
        if data.d > FEW.get(backend, data.d):
            continue
        graph, cpu, note = measure(table, backend, **params)
        run = Run(str(problem), name, cpu=cpu, note=note)
        if graph is not None:
            run.shd = shd(graph.adj, truth)
            if name in ("order, lambda 1", "gies"):
                run.score = score_at_one(data, graph.adj)
        yield run


def score_at_one(data: Table, adj: Bools) -> float | None:
    """sum_v n_v ln s2_v + ln N |P_v| of a DAG of the answer, variances as shares of those within regimes."""
    assert data.regimes is not None
    dag = extension(adj)
    if dag is None:
        return None
    pooled = pool(sum_regimes(data.values, data.regimes.rows()), data.regimes.acted_on(data.columns))
    local = RegimeLocal(pooled.corr, pooled.group, pooled.n, math.log(data.n))
    return sum(local(v, np.flatnonzero(dag[:, v])) for v in range(data.d))


def unknown(problem: Problem, seed: int) -> Iterator[Run]:
    """The targets that order finds by its score: their F1."""
    data, truth = draw(problem, seed)
    assert data.regimes is not None
    graph, cpu, note = measure(forget(data), "order")
    run = Run(str(problem), "order", cpu=cpu, note=note)
    if graph is not None:
        acted = data.regimes.acted_on(data.columns)
        found = np.array(
            [[name in graph.meta["targets"][label] for name in data.columns] for label in data.regimes.labels]
        )
        run.shd = shd(graph.adj, truth)
        run.value = 2.0 * (found & acted).sum() / (found.sum() + acted.sum())
    yield run


def ours(problem: Problem, seed: int) -> Iterator[Run]:
    """order with the targets, and with targets ignored."""
    data, truth = draw(problem, seed)
    for name, table in (("order", data), ("order, targets ignored", replace(data, regimes=None))):
        graph, cpu, note = measure(table, "order")
        yield Run(str(problem), name, shd=None if graph is None else shd(graph.adj, truth), cpu=cpu, note=note)


# ---- Sachs ------------------------------------------------------------------------------------------------------


def sachs(reading: str, seed: int) -> Iterator[Run]:
    """One reading of Sachs' rows against the three networks, with permutation p-values."""
    name, backend, told = READINGS[reading]
    data = load_dataset(name).data
    assert isinstance(data, Table)
    table = {"targets": data, "regimes": forget(data) if data.regimes else data, "rows": replace(data, regimes=None)}[
        told
    ]
    graph, cpu, note = measure(table, backend)
    for which in TRUTHS:
        truth = load_dataset(f"sachs:truth={which}").truth
        assert truth is not None
        run = Run(f"Sachs, {which} edges", reading, cpu=cpu, note=note)
        if graph is not None:
            told_of = against(truth, graph)
            run = replace(run, **told_of, **permuted(truth, graph, np.random.default_rng([seed, which])))
        yield run


def against(truth: Graph, graph: Graph) -> dict[str, float]:
    """SHD, F1 over directed edges, and how many adjacencies and directions are right."""
    found = score(truth, graph)
    right, directions = (
        int(np.triu(truth.skeleton & graph.skeleton).sum()),
        int((truth.directed & graph.directed).sum()),
    )
    told = {"shd": found["shd"], "value": found["f1"], "adjacencies": found["learned_edges"]}
    return {k: float(v) for k, v in told.items() if v is not None} | {"right": right, "directions": directions}


def permuted(truth: Graph, graph: Graph, rng: np.random.Generator) -> Mapping[str, float]:
    """(1 + permutations of the names that do as well) / (1 + permutations), of F1 and of SHD."""
    own = against(truth, graph)
    as_high = as_near = 1
    for _ in range(PERMUTATIONS):
        place = rng.permutation(graph.d)
        other = against(truth, Graph(graph.nodes, graph.adj[np.ix_(place, place)]))
        as_high += other["value"] >= own["value"]
        as_near += other["shd"] <= own["shd"]
    return {"p": as_high / (PERMUTATIONS + 1), "p_shd": as_near / (PERMUTATIONS + 1)}
