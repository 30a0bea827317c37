"""Figures, charts and notes of ``pipelines.alarms``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band
from causalnet.stats.intervals import POSITIVE, SHARE
from causalnet.storage.rows import Row, Table
from pipelines.alarms.runs import CLOCKS, MARKS
from pipelines.common import finish, select

NOTES = [
    "Simulated: cascades on a network of devices, 1.2 parents a type, 60 s from cause to effect, 30 days, whole seconds.",
    "thp with its defaults, which were settled on simulated logs. granger counts in bins and knows no devices.",
    "families: logs like those of real networks, with dense truths; all that thp assumes of rates and delays is wrong there,",
    "and a fault that comes back brings its effects back: there thp does better where every event counts (repeats=0).",
    "random order: complete orders drawn at random, 1,000 a log; the control where the truth is dense.",
    "Niagara knows no links between devices, and is ended after two minutes. A peer that is not installed has no value.",
    "GiB is the peak of the process so far, the drawing of the log included.",
]
LARGE = [f"{n} events, 20 types, 50 devices" for n in (30_000, 100_000)] + [
    f"100000 events, {v} types, 50 devices" for v in (100, 500)
]
STREAMED = [f"{n} events, {v} types, 500 devices" for v in (10, 30, 100) for n in (*MARKS, 1_000_000)] + [
    "10000000 events, 100 types, 500 devices"
]
GOALS = {
    **{f"events, {size}: {what} of thp": ">= 0.95" for size in LARGE[:2] for what in ("precision", "recall")},
    **{f"types, {size}: {what} of thp": ">= 0.95" for size in LARGE[2:] for what in ("precision", "recall")},
    **{f"stream, {size}: {what} of thp online": ">= 0.95" for size in STREAMED for what in ("precision", "recall")},
    "clock, polled 5 min: f1 of thp": ">= 0.8",
    "clock, polled 5 min: f1 of thp online": ">= 0.8",
    **{
        f"noise, {v} types x {n} events: edges in noise of thp": "<= 1"
        for v, n in ((60, 8), (60, 1), (60, 50), (20, 5))
    },
    "slow, 4000 fault alarms: f1 of thp": ">= 0.6",
    "cost, 1000000 events, 20 types, 500 devices: CPU seconds of thp": "<= 30",
    "cost, 1000000 events, 20 types, 500 devices: GiB of thp": "<= 1.5",
    "cost, 1000000 events, 500 types, 5000 devices: CPU seconds of thp": "<= 300",
    "cost, 1000000 events, 500 types, 5000 devices: GiB of thp": "<= 6",
    "stream, 10000000 events, 100 types, 500 devices: CPU seconds of thp online": "<= 600",
    "stream, 10000000 events, 100 types, 500 devices: GiB of thp online": "<= 4",
    "stream, 1000000 events, 100 types, 500 devices: thousand events a CPU second of thp online": ">= 50",
    "official, fault-alarm: f1 of thp": ">= 0.6",
}


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    return finish(folder, "causalnet: alarms", _figures(table), NOTES, table.rows, list(_charts(table)))


def _figures(table: Table) -> Figures:
    """Every figure of every problem, and how far each clock is from that of whole seconds."""
    found = Figures()
    names = ("task", "problem", "method", "what")
    for task, problem, method, what in dict.fromkeys(tuple(str(row[n]) for n in names) for row in table.rows):
        values = table.numbers("value", task=task, problem=problem, method=method, what=what)
        name = f"{task}, {problem}: {what} of {method}"
        bounds = SHARE if what in ("f1", "precision", "recall", "directions right") else POSITIVE
        found.add(name, values, GOALS.get(name, ""), bounds=bounds)
    found.update(_beside_seconds(table))
    found.update(_beyond_chance(table))
    for name, goal in GOALS.items():  # what was not run is told as open
        if name not in found:
            found.add(name, [], goal)
    return found


def _beside_seconds(table: Table) -> Figures:
    """F1 by each clock less that by whole seconds, of the same logs."""
    found = Figures()
    by = {
        (str(r["problem"]), r["seed"]): float(r["value"])
        for r in select(table, task="clock", method="thp", what="f1")
        if r["value"] is not None
    }
    for name in CLOCKS:
        if name != "1 s" and not name.startswith("polled"):
            lost = [by["1 s", s] - f1 for (clock, s), f1 in by.items() if clock == name and ("1 s", s) in by]
            found.add(f"clock: F1 lost by {name} beside 1 s", lost, "<= 0.03")
    return found


def _beyond_chance(table: Table) -> Figures:
    """By how many deviations thp is above a complete order drawn at random."""
    found = Figures()
    each: dict[str, list[float]] = {}
    for row in [
        r for task in ("families", "real", "official") for r in select(table, task=task, method="thp", what="f1")
    ]:
        key = {name: row[name] for name in ("task", "problem", "seed")} | {"method": "random order"}
        mean, spread = (table.numbers("value", **key, what=what) for what in ("f1", "deviation"))
        if row["value"] is not None and mean and spread:
            z = (float(row["value"]) - mean[0]) / max(spread[0], 1e-9)
            each.setdefault(f"{row['task']}, {row['problem']}", []).append(z)
    for name, values in each.items():
        found.add(f"{name}: deviations above a random order", values, ">= 2")
    return found


def _charts(table: Table) -> Iterator[Chart]:
    """F1 by events, of thp and the controls."""
    rows = select(table, task="events", what="f1")
    curves = {}
    for method in dict.fromkeys(str(row["method"]) for row in rows):
        values: dict[int, list[float]] = {}
        for row in rows:
            if row["method"] == method and row["value"] is not None:
                values.setdefault(int(str(row["problem"]).split()[0]), []).append(float(row["value"]))
        least = min(map(len, values.values()), default=0)
        if len(values) > 1 and least:
            x = sorted(values)
            curves[method] = band(x, np.array([values[n][:least] for n in x]).T, SHARE)
    if curves:
        yield chart(curves, "F1 by the size of the log", "events", "F1", log_x=True)
