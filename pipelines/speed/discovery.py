"""Speed beside the peer: native against causal-learn, gcastle and DAGMA on the same problem in the same run.

The answers are compared before a ratio counts. Times are process CPU seconds on one thread, the least of a few
repetitions for ours and one run for the peer, after imports and compilation. ``python -m pipelines.speed --out runs/speed`` (about 15 minutes).
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is imported

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from causalnet import DataError, Events, discover, load_dataset, score
from causalnet.datasets.sem import linear_sem, random_weights
from causalnet.discovery.register import get
from causalnet.graph.metrics import shd
from causalnet.graph.random_dags import random_dag
from causalnet.report.summary import figure
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, open_table, options, steps
from pipelines.speed import peers

COLUMNS = [
    "task",
    "problem",
    "seed",
    "peer",
    "native_cpu",
    "peer_cpu",
    "ratio",
    "same_answer",
    "native_shd",
    "peer_shd",
    "f1",
]
TEXTS = ("task", "problem", "peer")


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
) -> tuple[np.ndarray, np.ndarray]:
    """(truth (d, d), centred samples (n, d)) of a linear Gaussian model with weights +-[low, high]."""
    rng = np.random.default_rng([seed, d, int(10 * degree), family == "sf"])
    adj = random_dag(d, degree, rng, family)
    values = linear_sem(random_weights(adj, rng, low, high), n, rng)
    return adj, values - values.mean(axis=0)


def row(problem: str, seed: int, peer: str, native: float, other: float | None, **more: Any) -> Row:
    """One line of results.csv."""
    ratio = None if other is None else other / native
    return {
        "problem": problem,
        "seed": seed,
        "peer": peer,
        "native_cpu": native,
        "peer_cpu": other,
        "ratio": ratio,
        **more,
    }


# ---- tasks: each yields the rows of one problem and seed ---------------------------------------------------------


def pc_skeletons(problem: int, seed: int) -> Iterator[Row]:
    """Is the Gaussian skeleton causal-learn's? One random problem of 5 to 20 variables a seed."""
    rng = np.random.default_rng([seed, 77])
    d, n = int(rng.integers(5, 21)), int(rng.choice([200, 500, 1000]))
    _, x = sem(d, float(rng.uniform(1, 4)), seed, 0.25, 1.0, n=n)
    alpha = float(rng.choice([0.01, 0.05]))
    native, graph = cpu(lambda: discover(x, "pc", alpha=alpha), 2)
    other, theirs = cpu(lambda: peers.causal_learn_pc(x, "fisherz", alpha), 1)
    yield row(
        "random", seed, "causal-learn", native, other, same_answer=bool((graph.skeleton == (theirs | theirs.T)).all())
    )


def pc_gaussian(d: int, seed: int) -> Iterator[Row]:
    """Full PC to the CPDAG on ER graphs of degree 4; from the bare array to the graph, validation included."""
    _, x = sem(d, 4, seed, 0.25, 1.0)
    native, graph = cpu(lambda: discover(x, "pc", alpha=0.01), 7)
    other, theirs = cpu(lambda: peers.causal_learn_pc(x, "fisherz", 0.01), 1)
    yield row(
        f"d={d}", seed, "causal-learn", native, other, same_answer=bool((graph.skeleton == (theirs | theirs.T)).all())
    )


def pc_discrete(test: str, seed: int) -> Iterator[Row]:
    """PC on 5,000 samples of the ALARM network."""
    table = load_dataset("alarm", seed).data
    rows = np.arange(table.n)  # a fresh table each time: nothing is cached from before
    native, graph = cpu(lambda: discover(table.take(rows), "pc", alpha=0.01, ci_test=test), 5)
    theirs_name = {"chi2": "chisq", "g2": "gsq"}[test]
    other, theirs = cpu(lambda: peers.causal_learn_pc(table.codes, theirs_name, 0.01), 1)
    yield row(
        test, seed, "causal-learn", native, other, same_answer=bool((graph.skeleton == (theirs | theirs.T)).all())
    )


def notears(problem: tuple[str, int, int, tuple[str, ...]], seed: int) -> Iterator[Row]:
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
        yield row(name, seed, peer, native, other, native_shd=mine, peer_shd=shd(truth, theirs))


def thp_ttpm(problem: int, seed: int) -> Iterator[Row]:
    """gcastle's TTPM and thp on the same search: same kernel, hops, price, sweeps and acyclicity."""
    events = peers.ttpm_problem(seed, n_events=problem)
    native, graph = cpu(lambda: peers.thp_like_ttpm(events), 5)
    other, theirs = cpu(lambda: peers.gcastle_ttpm(events), 1)
    yield row(f"{problem} events", seed, "gcastle/ttpm", native, other, same_answer=bool((graph.adj == theirs).all()))


def thp_official(problem: str, seed: int) -> Iterator[Row]:
    """The official fault-alarm sample with the official settings: 67 edges, 53 of them true."""
    ds = load_dataset("fault-alarm")
    if ds.sampled:
        return
    native, graph = cpu(lambda: discover(ds.data, "thp", **peers.OFFICIAL_THP), 5)
    found = (int(graph.adj.sum()), int((graph.adj & ds.truth.adj).sum()))
    yield row(
        "4000 events", seed, "", native, None, same_answer=found == (67, 53), native_shd=shd(ds.truth.adj, graph.adj)
    )


def thp_alarms(name: str, seed: int) -> Iterator[Row]:
    """Real telecom logs with defaults only."""
    try:
        ds = load_dataset(name)
    except DataError:
        return
    assert isinstance(ds.data, Events) and ds.truth is not None
    native, graph = cpu(lambda: discover(ds.data, "thp"), 1)
    found = score(ds.truth, graph)
    yield row(name, seed, "", native, None, native_shd=found["shd"], f1=found["f1"])


TASKS: dict[str, tuple[Callable[..., Iterator[Row]], list[tuple[Any, int]], list[tuple[Any, int]]]] = {
    # name: (task, problems with their number of seeds, the same for --quick)
    "pc-skeletons": (pc_skeletons, [(0, 200)], [(0, 5)]),
    "pc-gaussian": (pc_gaussian, [(50, 5), (100, 3), (200, 3)], [(20, 2)]),
    "pc-discrete": (pc_discrete, [("chi2", 3), ("g2", 3)], [("chi2", 1)]),
    "notears": (
        notears,
        [
            *[((f, 4, d, ("gcastle", "dagma")), 5) for f in ("er", "sf") for d in (10, 20)],
            *[((f, g, 50, ("dagma",)), 5) for f, g in (("er", 4), ("sf", 4), ("sf", 8))],
        ],
        [(("er", 2, 5, ("dagma",)), 1)],
    ),
    "thp-ttpm": (thp_ttpm, [(1500, 3)], [(60, 1)]),
    "thp-official": (thp_official, [("", 1)], [("", 1)]),
    "thp-alarms": (thp_alarms, [("pcic-18v", 1), ("pcic-24v", 1), ("pcic-25v", 1)], []),
}


def figures(table: Table) -> dict[str, Row]:
    """The numbers this pipeline is asked for, with their goals."""
    n = table.numbers
    same = [float(v) for r in table.rows if isinstance(v := r["same_answer"], bool) and r["task"] == "pc-skeletons"]
    result = {"pc: same skeleton as causal-learn on random problems": figure(same, "== 1")}
    for d, goal in ((50, 200), (100, 500), (200, 1000)):
        ratios = n("ratio", task="pc-gaussian", problem=f"d={d}")
        result[f"pc d={d}: causal-learn CPU / ours"] = figure(ratios, f">= {goal}", ratio=True)
    for test in ("chi2", "g2"):
        ratios = n("ratio", task="pc-discrete", problem=test)
        result[f"pc ALARM {test}: causal-learn CPU / ours"] = figure(ratios, ">= 40", ratio=True)
    for task in ("pc-gaussian", "pc-discrete", "thp-ttpm", "thp-official"):
        agreed = [float(r["same_answer"] is True) for r in table.rows if r["task"] == task]
        result[f"{task}: same answer"] = figure(agreed, "== 1")
    for problem, peer in sorted({(r["problem"], r["peer"]) for r in table.rows if r["task"] == "notears"}):
        key = {"task": "notears", "problem": problem, "peer": peer}
        goal = ">= 50" if peer == "gcastle" else ">= 1"
        result[f"notears {problem}: {peer} CPU / ours"] = figure(n("ratio", **key), goal, ratio=True)
        more = [b - a for a, b in zip(n("native_shd", **key), n("peer_shd", **key), strict=True)]
        result[f"notears {problem}: SHD of {peer} - ours"] = figure(more, ">= 0")
        result[f"notears {problem}: our SHD"] = figure(n("native_shd", **key))
    result["thp: TTPM CPU / ours"] = figure(n("ratio", task="thp-ttpm"), ">= 500", ratio=True)
    result["thp official sample: CPU seconds"] = figure(n("native_cpu", task="thp-official"), "<= 0.15")
    for name, goal, published in (("pcic-18v", 0.66, 0.5765), ("pcic-24v", 0.38, 0.3719), ("pcic-25v", 0.36, 0.36)):
        f1 = n("f1", task="thp-alarms", problem=name)
        result[f"thp {name}: F1 with defaults"] = figure(f1, f">= {goal}", published)
        result[f"thp {name}: CPU seconds"] = figure(n("native_cpu", task="thp-alarms", problem=name), "<= 5")
    return result


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing in --out, then write the figures."""
    parser = options((__doc__ or "").split("\n")[0], "runs/speed")
    parser.add_argument("--only", help="comma-separated tasks: " + ", ".join(TASKS))
    args = parser.parse_args(arguments)
    wanted = args.only.split(",") if args.only else list(TASKS)
    if unknown := set(wanted) - set(TASKS):
        sys.exit(f"no such task: {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    table = open_table(args.out, COLUMNS, args.quick, TEXTS)
    for name in {task.split("-")[0] for task in wanted}:
        warm = get(name).warm_up
        if warm is not None:
            warm()
    cells = []
    for name in wanted:
        task, full, quick = TASKS[name]
        for problem, seeds in quick if args.quick else full:
            cells += [(name, task, problem, seed) for seed in range(min(seeds, args.seeds or seeds))]
    for name, task, problem, seed in steps(cells, "speed"):
        cell = f"{name} {problem} {seed}"
        if not table.has(cell):
            table.add(cell, [{"task": name, **line} for line in task(problem, seed)])
    notes = [
        "CPU time of one thread; ours is the least of a few repetitions, a peer's is one run (seconds to minutes); ratio = the peer's time over ours on the same problem in this run.",
        "A ratio over several runs is their geometric mean with the interval of the logarithms.",
        "Validation of the input is part of our time. Peers run with their own defaults unless the task says otherwise.",
    ]
    finish(args.out, "causalnet: speed beside the peers", figures(table), notes, table.rows)
