"""Figures, charts and notes of ``pipelines.time_series``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band, share
from causalnet.stats.intervals import SHARE
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select
from pipelines.time_series.runs import CURVED, FIXED, METHODS

NOTES = [
    "Simulated: every ordered pair is linked with probability 1.5 / (d - 1) at one lag of 1 to 3, coefficients +-[.25, .45], own "
    "lag 1 of .5, standard normal noise; nonlinear: causes enter as (1 - 4 exp(-x^2 / 2)) x. Scored is the summary graph of the "
    "lagged links, two-cycles kept.",
    "All methods look 5 steps back and test at .05, tigramite's PCMCI+ also at its default .01; pcmci, granger and tigramite's "
    "PCMCI control the false-discovery rate. granger's other parameters, pcmci's level and the functions of rcit were chosen on "
    "series of these kinds with other seeds, and rcit's on other functions too.",
    "CPU seconds are process time after imports and compilation, the least of three where a run is short.",
]
THEIRS = [name for name in METHODS if name.startswith("tigramite")]


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found = Figures()
    for add in (_scores, _links, _doubt):
        add(table, found)
    told = dict.fromkeys(row["note"] for row in table.rows if row["note"])
    notes = [*NOTES, *(f"Left out: {note}." for note in told)]
    return finish(folder, "causalnet: time series", found, notes, list(_brief(table)), list(_charts(table)))


def numbers(table: Table, column: str, **key: str) -> dict[int, float]:
    """The values that there are, by seed."""
    return {row["seed"]: float(row[column]) for row in select(table, **key) if row[column] is not None}


def problems(table: Table, task: str) -> list[str]:
    """The problems of a task, in the order of their first rows."""
    return list(dict.fromkeys(row["problem"] for row in select(table, task=task)))


def _scores(table: Table, found: Figures) -> None:
    """F1 of every method; pcmci against tigramite's better one, granger against its best fixed lag, and CPU."""
    for task in ("linear", "nonlinear"):
        for problem in problems(table, task):
            key = {"task": task, "problem": problem}
            f1 = {name: numbers(table, "summary", **key, method=name) for name in (*METHODS, *CURVED)}
            for name, values in f1.items():
                goal = ">= 0.5" if name == "pcmci, rcit" else ""
                found.add(f"{problem}: summary F1 of {name}", list(values.values()), goal, bounds=SHARE)
            goal = task == "linear"
            _beside(found, f"{problem}: pcmci - tigramite's better", f1, "pcmci", THEIRS, ">= -0.01" * goal)
            fixed = [f"granger, lags={k}" for k in FIXED]
            _beside(found, f"{problem}: granger - its best fixed lag", f1, "granger", fixed, ">= -0.03" * goal)
            for own, peer in (("pcmci", "tigramite PCMCI+, .05"), ("pcmci, past only", "tigramite PCMCI")):
                ours, theirs = (numbers(table, "cpu", **key, method=name) for name in (own, peer))
                ratios = [theirs[s] / ours[s] for s in theirs if s in ours]
                goals = ">= 50" if " d=25" in f" {problem}" and task == "linear" else ""
                found.add(f"{problem}: CPU of {peer} / {own}", ratios, goals, ratio=True)


def _beside(found: Figures, name: str, f1: dict[str, dict[int, float]], own: str, others: list[str], goal: str) -> None:
    """The mean difference, seed by seed, from the one of the others whose mean is best."""
    there = [other for other in others if f1[other]]
    if there and f1[own]:
        best = max(there, key=lambda other: float(np.mean(list(f1[other].values()))))
        found.add(name, [f1[own][s] - f1[best][s] for s in f1[own] if s in f1[best]], goal)


def _links(table: Table, found: Figures) -> None:
    for method in dict.fromkeys(row["method"] for row in select(table, task="links")):
        for problem in problems(table, "links"):
            same = numbers(table, "same", task="links", problem=problem, method=method)
            found[f"{problem}: share with the same links, {method}"] = share((v == 1 for v in same.values()), "== 1")


def _doubt(table: Table, found: Figures) -> None:
    for problem in problems(table, "doubt"):
        for method in ("pcmci", "granger"):
            p = list(numbers(table, "p", task="doubt", problem=problem, method=method).values())
            found.add(f"{problem}: share of resamples with the edge, {method}", p, ">= 0.9", bounds=SHARE)


def _charts(table: Table) -> Iterator[Chart]:
    """F1 of the main methods against rows, a chart a number of variables."""
    main = ["pcmci", "pcmci, rcit", "granger", *THEIRS, "VAR, each coefficient", "VAR-LiNGAM"]
    for task in ("linear", "nonlinear"):
        sizes = dict.fromkeys(re.search(r"d=(\d+)", p)[1] for p in problems(table, task))  # type: ignore[index]
        for d in sizes:
            curves = {}
            at = {int(re.search(r"(\d+) rows", p)[1]): p for p in problems(table, task) if f"d={d}," in p}  # type: ignore[index]
            for name in main:
                f1 = {
                    n: list(numbers(table, "summary", task=task, problem=at[n], method=name).values())
                    for n in sorted(at)
                }
                most = max(map(len, f1.values()), default=0)
                whole = {n: values for n, values in f1.items() if most and len(values) == most}
                if len(whole) > 1:
                    curves[name] = band(list(whole), np.array(list(whole.values())).T, SHARE)
            if curves:
                yield chart(curves, f"{task}, d = {d}: F1 of the summary graph", "rows", "F1", log_x=True)


def _brief(table: Table) -> Iterator[Row]:
    """A line a task, problem and method: means over the seeds."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row["task"], row["problem"], row["method"]), []).append(row)
    for (task, problem, method), rows in groups.items():
        line: Row = {"task": task, "problem": problem, "method": method, "runs": len(rows)}
        for column in ("summary", "lagged", "cpu", "same", "p"):
            values = [float(row[column]) for row in rows if row[column] is not None]
            line[column] = float(np.mean(values)) if values else None
        yield {**line, "note": next((row["note"] for row in rows if row["note"]), "")}
