"""Figures, charts and notes of ``pipelines.hidden_causes``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band, share
from causalnet.stats.intervals import POSITIVE, SHARE, student_interval
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select
from pipelines.hidden_causes.differences import REASONS
from pipelines.hidden_causes.mended import MENDED
from pipelines.hidden_causes.runs import METHODS, PEER

NOTES = [
    "Simulated: fair linear Gaussian models (every variance 1); the truth is the PAG of the ancestral graph over what is observed.",
    "All methods test Fisher's z at 0.01 with their other defaults; start 'dag' makes no test.",
    "CPU seconds are process time after imports and compilation, the least of three where a run is short.",
    "Oracle: separation in the true graph answers for every test. Classes: one of each shape; its PAG must show exactly the ends "
    "that all its graphs share. causal-learn tries discriminating paths (R4) only in rounds in which R1 to R3 found something, reads R10 "
    "without asking for uncovered paths, draws colliders and possible-d-sep in the order of the columns, and keeps the first "
    "separating set (in its first phase the union of all of a level) where fci keeps the one with the largest p-value; it steps in "
    "possible-d-sep to the wrong pair, so that its sets are smaller than the published ones and it makes a small part of the tests "
    "(a twentieth to a fiftieth at 15 variables), which CPU seconds do not show; and it decides R4 by new tests. Where its "
    "sets are mended to the published ones it makes them.",
    "Where an answer differs: 'other separating sets' means that fci's rules on causal-learn's sets give causal-learn's marks.",
]
SCORES = {"adjacency": SHARE, "arrowhead": SHARE, "tail": SHARE, "pag_shd": POSITIVE}
AXES = {
    "rows": (r"(\d+) rows", "rows"),
    "hidden": (r"(\d+) hidden", "hidden variables"),
    "size": (r"d=(\d+)", "variables"),
}


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found = _figures(table)
    _told_all(table, found)
    _mended(table, found)
    for problem in dict.fromkeys(row["problem"] for row in select(table, task="differences")):
        notes = [row["note"] for row in select(table, task="differences", problem=problem)]
        for reason in REASONS:
            found[f"fci and causal-learn, {problem}: share of answers with {reason}"] = share(
                n == reason for n in notes
            )
    rows = [row for row in table.rows if row["task"] != "classes"]  # each right or wrong: the figures say it all
    return finish(folder, "causalnet: hidden causes", found, NOTES, rows, list(_charts(table)))


def _mended(table: Table, found: Figures) -> None:
    """What the peer takes where it makes the tests that the published sets ask for."""
    for problem in dict.fromkeys(row["problem"] for row in select(table, task="mended")):
        key = {"task": "mended", "problem": problem}
        ours, theirs = (numbers(table, "cpu", **key, method=m) for m in ("fci", MENDED))
        ratios = [theirs[s] / ours[s] for s in theirs if s in ours]
        found.add(f"{problem}: CPU of causal-learn, possible-d-sep mended / fci", ratios, ">= 100", ratio=True)
        differ = list(numbers(table, "differ", **key, method=MENDED).values())
        found.add(
            f"{problem}: pairs whose ends differ from causal-learn, possible-d-sep mended", differ, bounds=POSITIVE
        )


def _told_all(table: Table, found: Figures) -> None:
    """With an oracle of independence: the share of answers that are the true PAG, and of those without a wrong mark."""
    for task in ("classes", "oracle"):
        for problem in dict.fromkeys(row["problem"] for row in select(table, task=task)):
            for method in ("fci", PEER):
                rows = select(table, task=task, problem=problem, method=method)
                for column in ("exact", "sound"):
                    told = [row[column] for row in rows if row[column] is not None]
                    if told:
                        name = {"exact": "true PAGs", "sound": "answers without a wrong mark"}[column]
                        goal = "== 1" if method == "fci" else ""
                        found[f"oracle, {problem}: share of {name}, {method}"] = share((v == 1 for v in told), goal)
            same = [row["differ"] for row in select(table, task=task, problem=problem, method=PEER)]
            if any(v is not None for v in same):
                found[f"oracle, {problem}: share alike in fci and causal-learn"] = share(v == 0 for v in same)


def numbers(table: Table, column: str, **key: str) -> dict[int, float]:
    """The values that there are, by seed."""
    return {row["seed"]: float(row[column]) for row in select(table, **key) if row[column] is not None}


def _figures(table: Table) -> Figures:
    """Scores of each method, what the order search adds, and how much CPU causal-learn takes beside fci."""
    found = Figures()
    for task in AXES:
        for problem in dict.fromkeys(row["problem"] for row in select(table, task=task)):
            key = {"task": task, "problem": problem}
            for column, bounds in SCORES.items():
                for method in METHODS:
                    values = list(numbers(table, column, **key, method=method).values())
                    found.add(f"{task}, {problem}: {column} of {method}", values, bounds=bounds)
            plain, order = (numbers(table, "arrowhead", **key, method=m) for m in ("fci", "fci, order"))
            goal = ">= 0" if problem.endswith(" 500 rows") else ""
            gains = [order[s] - plain[s] for s in plain if s in order]
            found.add(f"{task}, {problem}: arrowhead F1 of start order - skeleton", gains)
            if goal and len(gains) > 1:  # "above": its lower end, not its mean
                low = student_interval(np.array(gains))[1]
                found.add(f"{task}, {problem}: lower 95 % end of that", [float(low)], goal)
            ours, theirs = (numbers(table, "cpu", **key, method=m) for m in ("fci", PEER))
            ratios = [theirs[s] / ours[s] for s in theirs if s in ours]
            found.add(f"{task}, {problem}: causal-learn CPU / fci", ratios, ">= 100", ratio=True)
            differ = list(numbers(table, "differ", **key, method="fci").values())
            found.add(f"{task}, {problem}: pairs whose ends differ from causal-learn", differ, bounds=POSITIVE)
    return found


def _charts(table: Table) -> Iterator[Chart]:
    """Each score against rows, and against hidden variables."""
    for task, (pattern, what) in AXES.items():
        problems = list(dict.fromkeys(row["problem"] for row in select(table, task=task)))
        at = {int(re.search(pattern, p)[1]): p for p in problems}  # type: ignore[index]
        for column, bounds in SCORES.items():
            curves = {}
            for method in METHODS:
                key = {"task": task, "method": method}
                values = {x: list(numbers(table, column, problem=at[x], **key).values()) for x in sorted(at)}
                most = max(map(len, values.values()), default=0)
                whole = {x: v for x, v in values.items() if most and len(v) == most}
                if len(whole) > 1:
                    curves[method] = band(list(whole), np.array(list(whole.values())).T, bounds)
            if curves:
                yield chart(curves, f"{column} by {what}", what, column, log_x=task == "rows")
