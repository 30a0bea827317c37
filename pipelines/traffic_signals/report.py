"""Figures, charts and notes of ``pipelines.traffic_signals``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band
from causalnet.stats.intervals import POSITIVE
from causalnet.storage.rows import Row, Table
from pipelines.common import QUICK, finish

METHODS = ("lights that learn", "max-pressure", "greedy", "fixed time")
NOTES = [
    "Mean delay: time loss and departure delay a vehicle, in seconds, vehicles on their way or never let in included; one hour.",
    "Published: read off RESCO's chart (learning: independent PPO after 1,400 episodes), whose vehicles and lights are set otherwise; "
    "what counts is max-pressure in this run. Decisions every 5 s (grid4x4, arterial4x4) or 10 s (cologne8): "
    "this, the first scale of pressure and the gradient parts an epoch were chosen in sight of the delays of grid4x4 and cologne8.",
    "The lights learn from max-pressure's own logits on, each by itself; training shows drawn phases, judging the likeliest ones.",
]


def write(folder: Path, table: Table, problems: Sequence[Any], quick: bool) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found, charts = Figures(), []
    for problem in problems:
        delays = {m: table.numbers("delay", part="judged", problem=problem.name, method=m) for m in METHODS}
        for method, values in delays.items():
            goal = f"<= {problem.goal:g}" if method == METHODS[0] and math.isfinite(problem.goal) else ""
            found.add(
                f"{problem.name}: mean delay of {method}, s",
                values,
                goal,
                problem.published.get(method),
                bounds=POSITIVE,
            )
        less = (
            np.subtract(delays[METHODS[0]], delays["max-pressure"]) if len(set(map(len, delays.values()))) == 1 else []
        )
        found.add(f"{problem.name}: mean delay beyond max-pressure's, s", less, "" if quick else "<= 0")
        charts.append(_curve(table, problem.name, delays))
    return finish(folder, "causalnet: traffic lights in SUMO", found, [*[QUICK] * quick, *NOTES], table.rows, charts)


def _curve(table: Table, name: str, delays: dict[str, Any]) -> Chart:
    """Training, with the controls as levels."""
    rows = [r for r in table.rows if r["part"] == "training" and r["problem"] == name]
    seeds = sorted({r["seed"] for r in rows})
    by_seed = [[r["delay"] for r in rows if r["seed"] == seed] for seed in seeds]
    last = min(map(len, by_seed))
    curve = band(np.arange(1, last + 1), np.array([one[:last] for one in by_seed]))
    levels = {method: float(np.mean(delays[method])) for method in METHODS[1:]}
    return chart({METHODS[0]: curve}, f"Training on {name}", "episode", "mean delay, s", levels=levels)
