"""One problem solved by us and by a peer in the same run: the answers first, then the ratio of CPU seconds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from causalnet import DataError, Events, Graph, discover, load_dataset, score
from causalnet.base.arrays import Array, Bools
from causalnet.datasets.sem import linear_sem, random_weights
from causalnet.graph.metrics import shd
from causalnet.graph.random_dags import random_dag
from pipelines.speed import peers


@dataclass
class Timing:
    """CPU seconds of one problem (the peer's: None where there is no peer), and how right the answers are."""

    task: str = field(default="", kw_only=True)
    problem: str
    seed: int = field(default=0, kw_only=True)
    peer: str
    native_cpu: float
    peer_cpu: float | None = None
    ratio: float | None = field(init=False)
    same_answer: bool | None = None
    native_shd: float | None = None
    peer_shd: float | None = None
    f1: float | None = None

    def __post_init__(self) -> None:
        self.ratio = None if self.peer_cpu is None else self.peer_cpu / self.native_cpu


def cpu(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """(least process CPU seconds over the repetitions, the answer)."""
    best, answer = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        answer = run()
        best = min(best, time.process_time() - start)
    return float(best), answer


def sem(
    d: int, degree: float, seed: int, low: float, high: float, family: str = "er", n: int = 1000
) -> tuple[Bools, Array]:
    """(truth (d, d), centred samples (n, d)) of a linear Gaussian model with weights +-[low, high]."""
    rng = np.random.default_rng([seed, d, int(10 * degree), family == "sf"])
    adj = random_dag(d, degree, rng, family)
    values = linear_sem(random_weights(adj, rng, low, high), n, rng)
    return adj, values - values.mean(axis=0)


def same_skeleton(graph: Graph, theirs: Bools) -> bool:
    """Are the same pairs joined in our graph and in the peer's (d, d)?"""
    return bool((graph.skeleton == (theirs | theirs.T)).all())


# ---- tasks: each yields the rows of one problem and seed ---------------------------------------------------------


def pc_skeletons(problem: int, seed: int) -> Iterator[Timing]:
    """Is the Gaussian skeleton causal-learn's? One random problem of 5 to 20 variables a seed."""
    rng = np.random.default_rng([seed, 77])
    d, n = int(rng.integers(5, 21)), int(rng.choice([200, 500, 1000]))
    _, x = sem(d, float(rng.uniform(1, 4)), seed, 0.25, 1.0, n=n)
    alpha = float(rng.choice([0.01, 0.05]))
    native, graph = cpu(lambda: discover(x, "pc", alpha=alpha), 2)
    other, theirs = cpu(lambda: peers.causal_learn_pc(x, "fisherz", alpha), 1)
    yield Timing("random", "causal-learn", native, other, same_skeleton(graph, theirs))


def pc_gaussian(d: int, seed: int) -> Iterator[Timing]:
    """Full PC to the CPDAG on ER graphs of degree 4; from the bare array to the graph, validation included."""
    _, x = sem(d, 4, seed, 0.25, 1.0)
    native, graph = cpu(lambda: discover(x, "pc", alpha=0.01), 7)
    other, theirs = cpu(lambda: peers.causal_learn_pc(x, "fisherz", 0.01), 1)
    yield Timing(f"d={d}", "causal-learn", native, other, same_skeleton(graph, theirs))


def pc_discrete(test: str, seed: int) -> Iterator[Timing]:
    """PC on 5,000 samples of the ALARM network."""
    table = load_dataset("alarm", seed).data
    rows = np.arange(table.n)  # a fresh table each time: nothing is cached from before
    native, graph = cpu(lambda: discover(table.take(rows), "pc", alpha=0.01, ci_test=test), 5)
    theirs_name = {"chi2": "chisq", "g2": "gsq"}[test]
    other, theirs = cpu(lambda: peers.causal_learn_pc(table.codes, theirs_name, 0.01), 1)
    yield Timing(test, "causal-learn", native, other, same_skeleton(graph, theirs))


def notears(problem: tuple[str, int, int, tuple[str, ...]], seed: int) -> Iterator[Timing]:
    """NOTEARS with defaults against gcastle's and DAGMA with theirs; equal worth is judged by SHD to the truth."""
    family, degree, d, against = problem
    truth, x = sem(d, degree, seed, 0.5, 2.0, family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the advice on raw scales: these problems are raw on purpose
        native, graph = cpu(lambda: discover(x, "notears"), 3)
    mine = shd(truth, graph.adj)
    for peer in against:
        other, theirs = cpu(lambda peer=peer: peers.CONTINUOUS[peer](x), 1)
        name = f"{family}{degree} d={d}"
        yield Timing(name, peer, native, other, native_shd=mine, peer_shd=shd(truth, theirs))


def thp_ttpm(problem: int, seed: int) -> Iterator[Timing]:
    """gcastle's TTPM and thp on the same search: same kernel, hops, price, sweeps and acyclicity."""
    events = peers.ttpm_problem(seed, n_events=problem)
    native, graph = cpu(lambda: peers.thp_like_ttpm(events), 5)
    other, theirs = cpu(lambda: peers.gcastle_ttpm(events), 1)
    yield Timing(f"{problem} events", "gcastle/ttpm", native, other, same_answer=bool((graph.adj == theirs).all()))


def thp_official(problem: str, seed: int) -> Iterator[Timing]:
    """The official fault-alarm sample with the official settings: 67 edges, 53 of them true."""
    ds = load_dataset("fault-alarm")
    if ds.sampled:
        return
    native, graph = cpu(lambda: discover(ds.data, "thp", **peers.OFFICIAL_THP), 5)
    found = (int(graph.adj.sum()), int((graph.adj & ds.truth.adj).sum()))
    right = found == (67, 53)
    yield Timing("4000 events", "", native, same_answer=right, native_shd=shd(ds.truth.adj, graph.adj))


def thp_alarms(name: str, seed: int) -> Iterator[Timing]:
    """Real telecom logs with defaults only."""
    try:
        ds = load_dataset(name)
    except DataError:
        return
    assert isinstance(ds.data, Events) and ds.truth is not None
    native, graph = cpu(lambda: discover(ds.data, "thp"), 1)
    found = score(ds.truth, graph)
    yield Timing(name, "", native, native_shd=found["shd"], f1=found["f1"])
