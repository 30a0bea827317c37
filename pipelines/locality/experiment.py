"""Locality: bounds against measured errors by kappa, kappa against cost, and what smoothness costs in return.

Small networks are solved exactly by enumeration; the largest is certified at 100,000 agents. Times are process CPU
seconds. ``python -m pipelines.locality --out runs/locality`` (about five minutes; --quick: seconds).
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import networkx as nx
import numpy as np

from causalnet import locality
from causalnet.envs.networked import TabularNetwork, exact
from causalnet.locality import LocalPolicy
from causalnet.report import Chart
from causalnet.report.curves import Curve, chart
from causalnet.report.summary import figure
from causalnet.storage.rows import Row, Table
from pipelines.common import complete, finish, open_table, options
from pipelines.locality.ring import RHO_H, TEMPERATURES, ring

COLUMNS = [
    "task", "problem", "seed", "kappa", "temperature", "measured", "bound", "classical", "rho", "radius_c", "least_norm",
    "value", "cost", "cpu", "memory_mb",
]  # fmt: skip
TEXTS = ("task", "problem")
NETWORKS = ("ring", "grid", "shared actions")


def copy_chain(case: str, gamma: float = 0.7) -> tuple[TabularNetwork, LocalPolicy]:
    """Deterministic chains that attain the decay bound of their information pattern with equality.

    s_j' = s_{j+1}, the last stays, agent 0 alone is rewarded. a: r_0 = a_0 = s_0; b: r_0 = a_0 = s_1; c: r_0 = s_1;
    d: s_j' = a_{j+1}, a_j = s_{j+1}, r_0 = a_1.
    """
    copy, ahead, none = np.eye(2), [(min(j + 1, 4),) for j in range(5)], [()] * 5
    policy, seen = [np.full((2, 2), 0.5)] * 5, [(j,) for j in range(5)]
    parents, moved, states, actions = ahead, none, list(none), list(none)
    if case == "c":
        states[0] = (1,)
    elif case == "d":
        policy, seen, actions[0] = [copy] * 5, ahead, (1,)
        parents, moved = [*none[:4], (4,)], [*ahead[:4], ()]
    else:
        actions[0], policy = (0,), [copy, *policy[1:]]
        seen[0] = (0,) if case == "a" else (1,)
    model = TabularNetwork(
        nx.path_graph(5), [copy] * 5, [np.array([0.0, 1.0]), *[np.zeros(())] * 4], gamma, state_parents=parents,
        action_parents=moved, reward_states=states, reward_actions=actions, n_actions=2,
    )  # fmt: skip
    return model, LocalPolicy(policy, seen)


def balls(graph: nx.Graph, kappa: int) -> list[list[int]]:
    """N_i^kappa of every agent i."""
    return [sorted(nx.single_source_shortest_path_length(graph, i, cutoff=kappa)) for i in graph]


def gap(model: TabularNetwork, policy: LocalPolicy, kappa: int, agents: range | None = None) -> float:
    """Largest |Q_j(x) - Q_j(x')| over agents j and pairs that agree within kappa hops, by enumeration."""
    process = exact.joint(model, policy.tables, policy.observes)
    q, around = exact.q_values(process), balls(model.graph, kappa)
    even = np.ones(q.shape[1:])
    return max(exact.truncated(q[j], exact.keys(process, around[j]), even)[1] for j in agents or range(model.n_agents))


# ---- tasks: each yields the rows of one problem and seed ---------------------------------------------------------


def copy_chains(case: str, seed: int) -> Iterator[Row]:
    """The corrected exponents are attained: measured = bound."""
    model, policy = copy_chain(case)
    bounds = locality.decay_bound(locality.analyse(model, policy), range(4))
    for kappa, bound in enumerate(bounds):
        yield {"problem": case, "kappa": kappa, "measured": gap(model, policy, kappa, range(1)), "bound": bound}


def ring_temperatures(temperature: float, seed: int) -> Iterator[Row]:
    """rho(H), rho(C) and the least of the norm tests of the ring at one temperature."""
    model, policy = ring(temperature)
    found = locality.certificate(model, policy)
    c = locality.spectral_radius(locality.exact_interdependence(model, policy)).high
    yield {
        "problem": "ring", "temperature": temperature, "rho": found.rho.high, "radius_c": c,
        "least_norm": min(found.norms.values()), "bound": found.norms["max row sum"],
    }  # fmt: skip


def bound_by_kappa(coupling: str, seed: int) -> Iterator[Row]:
    """A path of six agents: error measured, bounded by the spectrum, bounded classically, and the critic's table."""
    model = TabularNetwork.random(nx.path_graph(6), seed, gamma=0.9, coupling=coupling, concentration=100.0)
    policy = LocalPolicy.softmax(list(np.random.default_rng([seed, 1]).normal(size=(6, 2, 2))), 1.0)
    here = locality.analyse(model, policy)
    for kappa in range(5):
        yield {
            "problem": coupling, "kappa": kappa, "measured": gap(model, policy, kappa), "rho": here.radius.high,
            "bound": locality.truncation_error(here, [kappa])[0], "classical": locality.decay_bound(here, [kappa])[0],
            "cost": sum(4 ** len(ball) for ball in balls(model.graph, kappa)),
        }  # fmt: skip


def random_networks(first: int, seed: int) -> Iterator[Row]:
    """Random networks of 2 to 5 agents: by how much C exceeds H, and measured errors their bounds (at most 0)."""
    for k in range(first, first + 20):
        rng = np.random.default_rng([k, 8])
        n = int(rng.integers(2, 6))
        graph = nx.gnp_random_graph(n, 0.5, seed=k)
        coupling = "actions" if k % 2 and n < 5 else "states"
        model = TabularNetwork.random(graph, rng, coupling=coupling, concentration=float(rng.choice([1, 10, 50])))
        policy = LocalPolicy.softmax(list(rng.normal(size=(n, 2, 2))), float(rng.choice([0.3, 1, 3])))
        here = locality.analyse(model, policy)
        over = float((locality.exact_interdependence(model, policy) - here.h).max())
        for kappa in range(2):
            over = max(over, gap(model, policy, kappa) - float(locality.truncation_error(here, [kappa])[0]))
        yield {"problem": f"network {k}", "measured": over, "rho": here.radius.high}


def trade_off(temperature: float, seed: int) -> Iterator[Row]:
    """What a smooth policy loses: soft policy iteration at one temperature, its return, rho(H) and kappa.

    pi_k is proportional to exp(A_k / temperature), A_k(s_k, a_k) the mean over the occupancy of sum_j Q_j, one agent
    after the other; the value is the return beyond that of uniform play.
    """
    model = TabularNetwork.random(nx.cycle_graph(4), seed, gamma=0.9, coupling="actions", concentration=30.0)
    policy = LocalPolicy([np.full((2, 2), 0.5)] * 4)
    uniform = exact.objective(exact.joint(model, policy.tables))
    for _ in range(15):
        tables = list(policy.tables)
        for k in range(4):
            process = exact.joint(model, tables)
            even = exact.joint(model, [*tables[:k], np.full((2, 2), 0.5), *tables[k + 1 :]]).policy
            weight = exact.occupancy(process).sum(1)[:, None] * even  # the other agents' actions as they are
            at = (process.local_states[:, None, k], process.local_actions[None, :, k])
            mean, mass = np.zeros((2, 2)), np.zeros((2, 2))
            np.add.at(mean, at, weight * exact.q_values(process).sum(0))
            np.add.at(mass, at, weight)
            tables[k] = exact.softmax(mean / mass / temperature)
        policy = LocalPolicy(tables)
    found = locality.certificate(model, policy, errors=[0.1])
    value = exact.objective(exact.joint(model, policy.tables))
    yield {
        "problem": "soft policy iteration", "temperature": temperature, "value": value - uniform, "rho": found.rho.high,
        "kappa": found.kappa[0][1], "measured": gap(model, policy, 1),
        "bound": locality.truncation_error(locality.analyse(model, policy), [1])[0],
    }  # fmt: skip


def scale(problem: tuple[str, int], seed: int) -> Iterator[Row]:
    """CPU seconds of certificate and kappa advice, and the process's memory, the model's tables included.

    n agents on a ring, a grid, or a random 3-regular graph where neighbours' actions matter as well.
    """
    name, n = problem
    if name == "grid":
        graph = nx.convert_node_labels_to_integers(nx.grid_2d_graph(round(n**0.5), round(n**0.5)))
    else:
        graph = nx.cycle_graph(n) if name == "ring" else nx.random_regular_graph(3, n, seed=seed)
    n, coupling = graph.number_of_nodes(), "actions" if name == "shared actions" else "states"
    model = TabularNetwork.random(graph, seed, coupling=coupling, concentration=40.0)
    for temperature in (0.3, 2.0):
        policy = LocalPolicy.softmax(list(np.random.default_rng([seed, 2]).normal(size=(n, 2, 2))), temperature)
        start = time.process_time()
        found = locality.certificate(model, policy)
        cpu = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield {
            "problem": f"{name} {problem[1]}", "temperature": temperature, "rho": found.rho.high, "cpu": cpu,
            "memory_mb": peak, "kappa": found.kappa[1][1], "bound": found.rho.high - found.rho.low, "cost": n,
        }  # fmt: skip


TASKS: dict[str, tuple[Callable[..., Iterator[Row]], list[Any], int, list[Any], int]] = {
    # name: (task, problems, seeds, problems for --quick, seeds for --quick)
    "copy-chain": (copy_chains, ["a", "b", "c", "d"], 1, ["a", "b", "c", "d"], 1),
    "ring": (ring_temperatures, list(TEMPERATURES), 1, list(TEMPERATURES), 1),
    "by-kappa": (bound_by_kappa, ["states", "actions"], 5, ["states"], 1),
    "random": (random_networks, list(range(0, 200, 20)), 1, [0], 1),
    "trade-off": (trade_off, [0.01, 0.03, 0.1, 0.3, 1.0, 3.0], 5, [0.1, 3.0], 1),
    "scale": (scale, [(g, n) for n in (1000, 10_000, 100_000) for g in NETWORKS], 1, [("ring", 1000)], 1),
}


def figures(table: Table) -> dict[str, Row]:
    """The numbers this pipeline is asked for, with their goals."""
    n = table.numbers
    result: dict[str, Row] = {}
    for case in "abcd":
        off = [
            abs(a - b)
            for a, b in zip(*(n(c, task="copy-chain", problem=case) for c in ("measured", "bound")), strict=True)
        ]
        result[f"copy chain {case}: largest |measured - bound|"] = figure([max(off)] if off else [], "<= 1e-9")
    result["random networks: largest excess over a bound"] = figure(
        [max(n("measured", task="random"), default=np.nan)], "<= 1e-9"
    )
    for temperature, wanted in zip(TEMPERATURES, RHO_H, strict=True):
        key = {"task": "ring", "temperature": temperature}
        goal = ">= 1" if temperature == 0.5 else "<= 1"
        result[f"ring, temperature {temperature:g}: rho(H), fitted to {wanted}"] = figure(n("rho", **key), goal)
    result["ring, temperature 1: least norm test"] = figure(n("least_norm", task="ring", temperature=1.0), ">= 1")
    for problem in ("states", "actions"):
        for kappa in (0, 1, 2, 3):
            key = {"task": "by-kappa", "problem": problem, "kappa": kappa}
            ratios = [b / m for b, m in zip(n("bound", **key), n("measured", **key), strict=True) if m > 0]
            result[f"{problem}, kappa {kappa}: bound / measured"] = figure(ratios, ">= 1", ratio=True)
    for temperature, share in _shares(table).items():
        result[f"trade-off, temperature {temperature:g}: share of the gain"] = figure(share)
        rho = n("rho", task="trade-off", temperature=temperature)
        result[f"trade-off, temperature {temperature:g}: rho(H)"] = figure(rho)
    for name in NETWORKS:
        slowest = n("cpu", task="scale", problem=f"{name} 100000")
        result[f"{name} of 100,000: CPU seconds of a certificate"] = figure([max(slowest)] if slowest else [], "<= 30")
        result[f"{name} of 100,000: process memory, MB"] = figure(
            n("memory_mb", task="scale", problem=f"{name} 100000")
        )
    return result


def charts(table: Table) -> list[Chart]:
    """Bound and error by kappa, error by cost, and the trade-off of temperature."""
    drawn = []
    for problem in ("states", "actions"):
        rows = [
            r for r in table.rows if r["task"] == "by-kappa" and r["problem"] == problem and float(r["measured"]) > 0
        ]
        x = sorted({float(r["kappa"]) for r in rows})
        if rows:
            lines = {c: Curve(x, [_mean(rows, c, "kappa", k) for k in x]) for c in ("measured", "bound", "classical")}
            drawn.append(
                chart(lines, f"Error of a truncated critic ({problem} coupled)", "hops kappa", "error", log_y=True)
            )
            cost = [_mean(rows, "cost", "kappa", k) for k in x]
            lines = {c: Curve(cost, y.y) for c, y in lines.items()}
            drawn.append(
                chart(
                    lines,
                    f"Error by entries of the critics' tables ({problem} coupled)",
                    "entries",
                    "error",
                    log_x=True,
                    log_y=True,
                )
            )
    rows, shares = [r for r in table.rows if r["task"] == "trade-off"], _shares(table)
    if rows:
        x = list(shares)
        lines = {
            "share of the gain": Curve(x, [float(np.mean(shares[t])) for t in x]),
            "rho(H)": Curve(x, [_mean(rows, "rho", "temperature", t) for t in x]),
        }
        drawn.append(
            chart(
                lines, "What locality costs in return", "temperature", "share, rho(H)",
                levels={"rho(H) certifies below": 1.0}, log_x=True,
            )
        )  # fmt: skip
    return drawn


def _shares(table: Table) -> dict[float, list[float]]:
    """By temperature: each seed's return beyond uniform play over the largest mean in the sweep."""
    found = sorted({float(r["temperature"]) for r in table.rows if r["task"] == "trade-off"})
    gains = {t: table.numbers("value", task="trade-off", temperature=t) for t in found}
    best = max((float(np.mean(g)) for g in gains.values()), default=1.0)
    return {t: [v / best for v in g] for t, g in gains.items()}


def _mean(rows: list[Row], column: str, by: str, value: float) -> float:
    return float(np.mean([float(r[column]) for r in rows if float(r[by]) == value]))


def _rows(name: str, task: Callable[[Any, int], Iterator[Row]], problem: Any, seed: int) -> list[Row]:
    return [{"task": name, "seed": seed, **line} for line in task(problem, seed)]


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing in --out, then write the figures."""
    args = options((__doc__ or "").split("\n")[0], "runs/locality").parse_args(arguments)
    table = open_table(args.out, COLUMNS, args.quick, TEXTS)
    cells = {}
    for name, (task, full, seeds, quick, few) in TASKS.items():
        count = min(few if args.quick else seeds, args.seeds or 99)
        for problem, seed in product(quick if args.quick else full, range(count)):
            cells[f"{name} {problem} {seed}"] = partial(_rows, name, task, problem, seed)
    complete(table, cells, "locality")
    notes = [
        "rho(H) < 1 for H = E^s + E^a Pi certifies that influence dies out with distance (arXiv 2602.16966); the norm tests are the older conditions.",
        "Measured errors enumerate the global process; the bound is the least of the spectral and the classical one; the ring was fitted to the figures of an example known by them alone: that rho(H) agrees is by construction, that no norm certifies temperature 1 is not.",
        "The gain of a policy is its return beyond uniform play, as a share of the largest mean in the sweep of temperatures.",
    ]
    finish(args.out, "causalnet: locality of networked policies", figures(table), notes, table.rows, charts(table))
