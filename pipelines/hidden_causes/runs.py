"""What each method makes of a table with hidden variables, and how far its PAG is from the true one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from causalnet import Graph, Table, as_table
from causalnet.datasets.sem import sem_table
from causalnet.graph.metrics import score
from causalnet.graph.separation import ancestral_graph
from causalnet.search.pag import pag_of
from pipelines.interventions.runs import measure

PEER = "causal-learn/fci"
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "fci": ("fci", {}),
    "fci, order": ("fci", {"start": "order"}),
    "fci, dag": ("fci", {"start": "dag"}),
    PEER: (PEER, {}),
}
ALPHA = 0.01  # of every test, for native and peer


@dataclass
class Run:
    """What one method made of one problem. F1 of adjacencies, arrowheads and tails, PAG-SHD, process CPU seconds.

    differ: pairs whose ends are not those of causal-learn's answer. exact, sound: told the truth about independence, is the
    answer the true PAG, and does none of its marks contradict the true graph? 1 or 0.
    """

    task: str = field(default="", kw_only=True)
    problem: str
    method: str
    seed: int = field(default=0, kw_only=True)
    adjacency: float | None = None
    arrowhead: float | None = None
    tail: float | None = None
    pag_shd: float | None = None
    cpu: float | None = None
    differ: float | None = None
    exact: float | None = None
    sound: float | None = None
    note: str = ""


class Problem(NamedTuple):
    """n rows of a fair linear Gaussian model of d observed and some hidden variables, of mean degree 3 (2 below ten)."""

    d: int = 15
    hidden: int = 3
    n: int = 500

    def __str__(self) -> str:
        return f"d={self.d}, {self.hidden} hidden, {self.n} rows"


def draw(problem: Problem, seed: int) -> tuple[Table, Graph]:
    """The observed columns, and the true PAG over them."""
    rng = np.random.default_rng([seed, zlib.crc32(str(problem).encode())])
    d = problem.d + problem.hidden
    degree = 3 if problem.d >= 10 else 2
    table, dag = sem_table(rng, d=d, degree=degree, n=problem.n, low=0.25, high=0.8, standardize="iscm")
    hidden = np.sort(rng.choice(d, problem.hidden, replace=False))
    seen = np.setdiff1d(np.arange(d), hidden)
    names = [f"x{k}" for k in range(problem.d)]
    truth = Graph.from_marks(names, pag_of(ancestral_graph(dag.adj, hidden.tolist())))
    return as_table(table.values[:, seen], names=names), truth


@cache
def prepare() -> None:
    """Import and compile what every method needs, so that no time counts it."""
    data = draw(Problem(5, 1, 100), 0)[0]
    for backend, params in METHODS.values():
        measure(data, backend, **params)


def contest(problem: Problem, seed: int) -> Iterator[Run]:
    """Every method on one table."""
    prepare()
    data, truth = draw(problem, seed)
    found = {name: measure(data, backend, alpha=ALPHA, **params) for name, (backend, params) in METHODS.items()}
    peer = found[PEER][0]
    for name, (graph, cpu, note) in found.items():
        run = Run(str(problem), name, cpu=cpu, note=note)
        if graph is not None:
            told = score(truth, graph)
            run.adjacency, run.pag_shd = told["skeleton_f1"], told["pag_shd"]
            run.arrowhead, run.tail = told["arrowhead_f1"], told["tail_f1"]
            if peer is not None and graph.marks is not None and peer.marks is not None:
                differ = graph.marks != peer.marks
                run.differ = float(np.triu(differ | differ.T).sum())
        yield run
