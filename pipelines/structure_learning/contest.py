"""Methods on one problem: what each of them makes of it, in CPU seconds of one thread, in a process of its own."""

from __future__ import annotations

import importlib
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from causalnet import Graph, Table, discover
from causalnet.base.arrays import Array, Bools
from causalnet.comparison.meter import peak_mb, reset_peak
from causalnet.data import Data
from causalnet.datasets import categorical_table, mixed_table, sem_table
from causalnet.discovery.register import find
from causalnet.errors import CausalnetError
from causalnet.graph.meek import extension
from causalnet.graph.metrics import equivalence_class, joined_in_same_way, shd
from causalnet.stats.scores import local_score

PENALTY = 2.0  # of a parent in the score that answers are compared by, in units of ln n
SHORT, REPEATS = 0.3, 7  # CPU seconds below which a method runs so many times, and the median counts
METHODS: Mapping[str, tuple[str, dict[str, Any]]] = {  # name in the tables -> backend and its parameters
    "order": ("order", {}),
    "pc": ("pc", {}),
    "notears": ("notears", {}),
    "lingam": ("lingam", {}),
    "pcmci": ("pcmci", {}),
    "thp": ("thp", {}),
    **{f"FLOP {k}": ("flopsearch/flop", {"restarts": k}) for k in (0, 20, 100)},
    "andrey PC": ("andrey/pc", {"alpha": 0.01}),
    "andrey BOSS": ("andrey/boss", {}),
    "andrey XGES": ("andrey/xges", {}),
    "andrey hill climbing": ("andrey/hill-climb", {}),
    "andrey DirectLiNGAM": ("andrey/direct-lingam", {}),
    "causal-learn DirectLiNGAM": ("causal-learn/direct-lingam", {}),
    "MIIC": ("pyagrum/miic", {}),
    "pyagrum tabu": ("pyagrum/tabu", {}),
    "pgmpy PC": ("pgmpy/pc", {}),
    "pgmpy hill climbing": ("pgmpy/hill-climb", {}),
}

SMALL: Mapping[str, Callable[..., tuple[Data, Graph]]] = {  # tables by kind
    "continuous": sem_table,
    "discrete": categorical_table,
    "mixed": mixed_table,
}


@dataclass
class Run:
    """What one method made of one problem.

    shd, f1: between the CPDAGs (f1 over adjacencies with their mark). score: of a DAG of the answer, to be minimised.
    memory: GiB that the method takes on top of packages and data. value: what the task is about, where it is none of
    these. bins: of a calibration. note: why there is no answer.
    """

    task: str = field(default="", kw_only=True)
    problem: str
    method: str
    seed: int = field(default=0, kw_only=True)
    shd: float | None = None
    f1: float | None = None
    skeleton_f1: float | None = None
    score: float | None = None
    cpu: float | None = None
    memory: float | None = None
    value: float | None = None
    bins: str = ""
    note: str = ""


class Answer(NamedTuple):
    """adj: (d, d) bool, None where there is none; CPU seconds, GiB taken on top; why there is none."""

    adj: Bools | None = None
    cpu: float | None = None
    memory: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Contest:
    """A task's rows: every method on the problem that a seed draws.

    draw(problem, seed): data and truth. few: of a method, the most variables that it is tried on; first: how many seeds.
    scored: methods whose answers are also compared by the linear Gaussian score. directed: value is the F1 over directed
    edges against the true DAG. seconds: a method's limit.
    """

    draw: Callable[[Any, int], tuple[Table, Graph]]
    methods: tuple[str, ...]
    few: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)
    scored: tuple[str, ...] = ()
    directed: bool = False
    seconds: float = 120.0

    def __call__(self, problem: Any, seed: int) -> Iterator[Run]:
        data, truth = self.draw(problem, seed)
        for method in available(self.methods):
            if data.d > self.few.get(method, data.d) or seed >= self.first.get(method, seed + 1):
                continue
            found = solve(method, data, seed, self.seconds)
            run = Run(str(problem), method, cpu=found.cpu, memory=found.memory, note=found.note)
            if found.adj is not None:
                run.shd, run.f1, run.skeleton_f1 = judge(truth, found.adj)
                if method in self.scored:
                    run.score = penalised(data.correlation, data.n, found.adj)
                if self.directed:
                    run.value = directed_f1(truth.adj, found.adj)
            yield run


def available(methods: Iterable[str]) -> list[str]:
    """The methods whose packages are installed."""
    known = {name: _installed(METHODS[name][0]) for name in methods}
    return [name for name, there in known.items() if there]


def _installed(backend: str) -> bool:
    try:
        return find(backend).installed
    except CausalnetError:
        return False


def solve(method: str, data: Data, seed: int, seconds: float = 120.0) -> Answer:
    """The answer of a method in a forked process, which is ended after ``seconds``; imported and compiled before."""
    backend, params = METHODS[method]
    prepare(backend, data.kind)
    return within(seconds, lambda: measure(lambda: learn(data, backend, seed, params)))


def measure(work: Callable[[], Graph]) -> Answer:
    """A graph, the median CPU seconds of several runs where they are short, and the memory that it took."""
    reset_peak()
    before, took = peak_mb() or np.nan, list[float]()
    while True:
        start = time.process_time()
        try:
            graph = work()
        except (CausalnetError, MemoryError, np.linalg.LinAlgError) as error:
            return Answer(note=f"{type(error).__name__}: {error}"[:300])
        took.append(time.process_time() - start)
        if took[-1] > SHORT or len(took) == REPEATS:
            return Answer(graph.adj, float(np.median(took)), ((peak_mb() or np.nan) - before) / 1024)


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """What ``work`` gives in a process of its own, or that it took longer, or died."""
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: send.send(work()))
    child.start()
    send.close()
    try:
        answer = receive.recv() if receive.poll(seconds) else Answer(note=f"over {seconds:g} s")
    except EOFError:
        answer = Answer(note="the process died")
    child.kill()
    child.join()
    return answer


def learn(data: Data, backend: str, seed: int, params: Mapping[str, Any]) -> Graph:
    """discover without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return discover(data, backend, seed=seed, **params)


@cache
def prepare(backend: str, kind: str) -> None:
    """Import and compile what a method needs for data of a kind, on a table of four columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for package in find(backend).requires:
            importlib.import_module(package)
    small = SMALL[kind](np.random.default_rng(0), d=4, degree=2, n=60)[0]
    try:
        learn(small, backend, 0, {})
    except (CausalnetError, np.linalg.LinAlgError):
        return  # the run itself says why


# ---- how good an answer is -------------------------------------------------------------------------------------


def judge(truth: Graph, adj: Bools) -> tuple[float, float, float]:
    """(SHD, F1 over adjacencies with their mark, F1 over adjacencies) between the CPDAGs."""
    t, g = equivalence_class(truth), equivalence_class(Graph(truth.nodes, adj))
    joined, wanted = (int(np.triu(m | m.T).sum()) for m in (g, t))
    both = int(np.triu((g | g.T) & (t | t.T)).sum())
    total = max(joined + wanted, 1)
    return float(shd(t, g)), 2 * joined_in_same_way(t, g) / total, 2 * both / total


def directed_f1(truth: Bools, adj: Bools) -> float:
    """F1 over directed edges: 2 |right| / (|true| + |claimed|)."""
    claimed = adj & ~adj.T
    return 2 * float((claimed & truth).sum()) / max(int(truth.sum() + claimed.sum()), 1)


def penalised(corr: Array, n: int, adj: Bools) -> float | None:
    """sum_v n ln s2(v | parents) + PENALTY |parents| ln n of a DAG of the class; None where no DAG is in it."""
    dag = extension(adj)
    if dag is None:
        return None
    return sum(local_score(corr, n, PENALTY, v, np.flatnonzero(dag[:, v])) for v in range(len(dag)))
