"""Figures, charts and notes of ``pipelines.traffic_signals``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from causalnet.base.arrays import Array
from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band
from causalnet.stats.intervals import POSITIVE
from causalnet.storage.rows import Row, Table
from pipelines.common import QUICK, finish, select
from pipelines.traffic_signals.networked import ADAPTED, ALONE, THERE

METHODS = ("lights that learn", "max-pressure", "greedy", "fixed time")
PRESSURE = METHODS[1]
ENOUGH, FALLING = 0.95, 0.03  # of training there; by so much of itself a curve that still falls has not converged
GOALS = {"grid4x4": 34, "cologne8": 22}  # mean delay in s that is asked
NOTES = [
    "Mean delay: time loss and departure delay a vehicle, in seconds, vehicles on their way or never let in included; one hour.",
    "Published: read off RESCO's chart (learning: independent PPO after 1,400 episodes), whose vehicles and lights are set otherwise; "
    "what counts is max-pressure in this run. Decisions every 5 s (grid4x4, arterial4x4) or 10 s (cologne8): "
    "this, the first scale of pressure and the gradient parts an epoch were chosen in sight of the delays of grid4x4 and cologne8.",
    "The lights learn from max-pressure's own logits on, each by itself; training shows drawn phases, judging the likeliest ones.",
]
NETWORKED = [
    "kappa and demand: causalnet's NetworkedPPO, which starts from max-pressure too; three episodes judge each seed, the same for all. "
    "Its settings were chosen by kappa 0 in ten episodes of grid4x4.",
]
DEMAND = [
    "demand: times the vehicles of the network's routes. Teams learn on several levels, side by side or in turns (an update an "
    "episode), told the level; in an unseen one they count vehicles for an episode of max-pressure, read the level off the counts of their own levels, "
    "and play without training. Trained there: the same learner on the unseen level, with as many episodes and updates; one simulation: with as many episodes, an update after each. "
    "Share of the return: 1 - (return there - return) / |return there|.",
]


def write(folder: Path, table: Table, problems: Sequence[Any], quick: bool) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found, charts, notes = Figures(), [], [*[QUICK] * quick, *NOTES]
    for problem in problems:
        if select(table, task="learn", problem=problem.name):
            charts.append(_lights(table, problem, found, quick))
    if select(table, task="kappa"):
        names = dict.fromkeys(row["problem"] for row in select(table, task="kappa"))
        charts += [_kappa(table, found, name) for name in names]
        notes += NETWORKED
    if select(table, task="demand"):
        charts += _demand(table, found)
        notes += DEMAND
    notes += [] if quick else _unconverged(table)
    return finish(folder, "causalnet: traffic lights in SUMO", found, notes, table.rows, charts)


def by_seed(table: Table, column: str, **key: Any) -> Array:
    """(seeds,) means over the episodes that judged."""
    rows = select(table, part="judged", **key)
    seeds = sorted({row["seed"] for row in rows})
    return np.array([np.mean([row[column] for row in rows if row["seed"] == seed]) for seed in seeds])


def paired(one: Array, other: Array) -> tuple[Array, Array]:
    """Of the seeds that both have, which are the first ones."""
    many = min(len(one), len(other))
    return one[:many], other[:many]


def _lights(table: Table, problem: Any, found: Figures, quick: bool) -> Chart:
    """Lights that learn beside the controls."""
    name = problem.name
    delays = {
        m: by_seed(table, "delay", problem=name, method=m, task="learn" if m == METHODS[0] else "controls")
        for m in METHODS
    }
    for method, values in delays.items():
        goal = f"<= {problem.goal:g}" if method == METHODS[0] and math.isfinite(problem.goal) else ""
        found.add(f"{name}: mean delay of {method}, s", values, goal, problem.published.get(method), bounds=POSITIVE)
    less = np.subtract(*paired(delays[METHODS[0]], delays[PRESSURE]))
    found.add(f"{name}: mean delay beyond max-pressure's, s", less, "" if quick else "<= 0")
    levels = {method: float(delays[method].mean()) for method in METHODS[1:] if len(delays[method])}
    return _curves(table, f"Training on {name}", [METHODS[0]], levels, task="learn", problem=name)


def _kappa(table: Table, found: Figures, name: str) -> Chart:
    """Neighbourhoods side by side, and what each is beyond max-pressure."""
    delays = {
        m: by_seed(table, "delay", task="kappa", problem=name, method=m) for m in _methods(table, "kappa", problem=name)
    }
    for method, values in delays.items():
        goal = f"<= {GOALS[name]}" if method != PRESSURE and name in GOALS else ""
        found.add(f"{name}, NetworkedPPO: mean delay, {method}, s", values, goal, bounds=POSITIVE)
        if method != PRESSURE and PRESSURE in delays:
            less = np.subtract(*paired(values, delays[PRESSURE]))
            found.add(f"{name}, NetworkedPPO: beyond max-pressure's, {method}, s", less, "<= 0")
    levels = {PRESSURE: float(delays.pop(PRESSURE).mean())} if PRESSURE in delays else {}
    return _curves(table, f"NetworkedPPO on {name}", [*delays], levels, task="kappa", problem=name)


def _demand(table: Table, found: Figures) -> Iterator[Chart]:
    """At each unseen level: delays, and shares of the return of training there."""
    rows = select(table, task="demand")
    for level in sorted({row["demand"] for row in rows if row["part"] == "judged"}):
        name = f"{rows[0]['problem']}, demand x {level:g}"
        key = {"task": "demand", "demand": level}
        for method in _methods(table, **key):
            found.add(
                f"{name}: mean delay, {method}, s", by_seed(table, "delay", method=method, **key), bounds=POSITIVE
            )
            value = by_seed(table, "value", method=method, **key)
            for rival in (THERE, ALONE):
                own, best = paired(value, by_seed(table, "value", method=rival, **key))
                if len(own) and method != rival and (rival == THERE or method.endswith(ADAPTED)):
                    goal = f">= {ENOUGH}" if method.endswith(ADAPTED) else ""
                    found.add(f"{name}: {method}, share of the return, {rival}", 1 - (best - own) / abs(best), goal)
    taught = select(table, task="demand", part="training")
    lines = list(dict.fromkeys((row["method"], row["demand"]) for row in taught))
    yield _drawn(
        {_line(*line): _runs(table, task="demand", method=line[0], demand=line[1]) for line in lines}, "Demand", {}
    )


def _methods(table: Table, task: str, **key: Any) -> list[str]:
    return list(dict.fromkeys(row["method"] for row in select(table, task=task, part="judged", **key)))


def _line(method: str, demand: float | None) -> str:
    return method if demand is None else f"{method} x {demand:g}"


# ---- curves of training --------------------------------------------------------------------------------------


def _runs(table: Table, **key: Any) -> tuple[Array, Array]:
    """Episodes (points,) and delays (seeds, points) of training, as far as all seeds came."""
    rows = select(table, part="training", **key)
    runs = [[row for row in rows if row["seed"] == seed] for seed in sorted({row["seed"] for row in rows})]
    last = min(map(len, runs))
    return np.array([row["x"] for row in runs[0][:last]]), np.array(
        [[row["delay"] for row in run[:last]] for run in runs]
    )


def _curves(table: Table, title: str, methods: Sequence[str], levels: dict[str, float], **key: Any) -> Chart:
    return _drawn({method: _runs(table, method=method, **key) for method in methods}, title, levels)


def _drawn(runs: dict[str, tuple[Array, Array]], title: str, levels: dict[str, float]) -> Chart:
    lines = {name: band(*run) for name, run in runs.items()}
    return chart(lines, title, "episode of training", "mean delay, s", levels=levels)


def _unconverged(table: Table) -> Iterator[str]:
    """A note for each curve that still falls."""
    rows = select(table, part="training")
    for task, problem, method, demand in dict.fromkeys(
        (row["task"], row["problem"], row["method"], row["demand"]) for row in rows
    ):
        mean = _runs(table, task=task, problem=problem, method=method, demand=demand)[1].mean(axis=0)
        quarter = len(mean) // 4
        fall = 1 - mean[-quarter:].mean() / mean[-2 * quarter : -quarter].mean() if quarter else 0.0
        if fall > FALLING:
            yield f"Not converged: {problem}, {_line(method, demand)} still falls by {100 * fall:.0f} % over the last quarter of training."
