"""Figures, charts and notes of ``pipelines.interventions``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band, share
from causalnet.stats.intervals import POSITIVE, SHARE
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select
from pipelines.interventions.runs import TRUTHS

NOTES = [
    "Simulated: fair linear Gaussian models (every variance 1), 1,000 rows without intervention and experiments on single "
    "variables, hard (drawn from N(2, 1)) or soft (coefficients halved, 2 added). SHD is to the true I-essential graph.",
    "Scores: n_v ln s2_v + ln N a parent, the penalty of gies, of one DAG of each answer by one function for both.",
    "CPU seconds are process time after compilation, the least of three where a run is short.",
    "Sachs: log data centred within conditions, default penalty. The network of 17 edges was learnt from these very rows, so that its figures "
    "measure agreement, not truth; 18 is cyclic; 20 adds the three expected edges. p: share of 1,000 permutations of the "
    "names that do as well.",
    "The rules of the method were settled on simulated tables; that an exact search finds 10 adjacencies on Sachs was known beforehand.",
]


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found = Figures()
    for add in (_known, _unknown, _sachs):
        add(table, found)
    return finish(folder, "causalnet: interventions", found, NOTES, list(_brief(table)), list(_charts(table)))


def numbers(table: Table, column: str, task: str, problem: str, method: str) -> dict[int, float]:
    """The values that there are, by seed."""
    rows = select(table, task=task, problem=problem, method=method)
    return {row["seed"]: float(row[column]) for row in rows if row[column] is not None}


def problems(table: Table, task: str) -> list[str]:
    """The problems of a task, in the order of their first rows."""
    return list(dict.fromkeys(row["problem"] for row in select(table, task=task)))


def _known(table: Table, found: Figures) -> None:
    for problem in problems(table, "known"):
        for method in dict.fromkeys(row["method"] for row in select(table, task="known", problem=problem)):
            found.add(
                f"{problem}: SHD of {method}",
                list(numbers(table, "shd", "known", problem, method).values()),
                bounds=POSITIVE,
            )
        own = numbers(table, "shd", "known", problem, "order")
        plain = numbers(table, "shd", "known", problem, "order, targets ignored")
        half = (
            [float(np.mean(list(own.values()))) - 0.5 * float(np.mean(list(plain.values())))] if own and plain else []
        )
        found.add(f"{problem}: SHD of order - half of that with targets ignored", half, "<= 0")
        goal = ">= 0.7" if " d=20" in problem else ""
        found[f"{problem}: share of graphs found exactly"] = share((v == 0 for v in own.values()), goal)
        scores, peers = (numbers(table, "score", "known", problem, m) for m in ("order, lambda 1", "gies"))
        over = [scores[s] - peers[s] for s in peers if s in scores]
        found[f"{problem}: share of scores no worse than gies"] = share((v < 1e-6 for v in over), "== 1")
        found.add(f"{problem}: score of order - gies", over)
        ours, theirs = (numbers(table, "cpu", "known", problem, m) for m in ("order, lambda 1", "gies"))
        found.add(
            f"{problem}: gies CPU / order", [theirs[s] / ours[s] for s in theirs if s in ours], ">= 100", ratio=True
        )


def _unknown(table: Table, found: Figures) -> None:
    for problem in problems(table, "unknown"):
        goal = ">= 0.9" if problem.startswith("hard") else ""
        found.add(
            f"targets not known, {problem}: F1 of the targets",
            list(numbers(table, "value", "unknown", problem, "order").values()),
            goal,
            bounds=SHARE,
        )
        found.add(
            f"targets not known, {problem}: SHD",
            list(numbers(table, "shd", "unknown", problem, "order").values()),
            bounds=POSITIVE,
        )


def _sachs(table: Table, found: Figures) -> None:
    goals = {"value": ">= 0.51", "shd": "<= 11", "adjacencies": "== 10", "right": ">= 9", "directions": ">= 7"}
    names = {
        "value": "F1",
        "p": "p of F1",
        "shd": "SHD",
        "p_shd": "p of SHD",
        "adjacencies": "adjacencies",
        "right": "adjacencies right",
        "directions": "directions right",
    }
    for row in select(table, task="sachs"):
        judged = row["method"] == "LY294002 acts on PIP3" and row["problem"] == f"Sachs, {TRUTHS[0]} edges"
        for column, name in names.items():
            values = [] if row[column] is None else [float(row[column])]
            found.add(f"{row['problem']}, {row['method']}: {name}", values, goals.get(column, "") if judged else "")


def _charts(table: Table) -> Iterator[Chart]:
    """SHD against the number of targets, and of rows of each."""
    for what, pattern, fixed in (
        ("targets", r"(\d+) targets", "of 200 rows"),
        ("rows", r"of (\d+) rows", "10 targets"),
    ):
        curves = {}
        for method in ("order", "order, targets ignored"):
            at = {
                int(re.search(pattern, p)[1]): list(numbers(table, "shd", "cells", p, method).values())  # type: ignore[index]
                for p in problems(table, "cells")
                if fixed in p
            }
            most = max((len(v) for v in at.values()), default=0)
            whole = {x: at[x] for x in sorted(at) if most and len(at[x]) == most}
            if len(whole) > 1:
                curves[method] = band(list(whole), np.array(list(whole.values())).T, POSITIVE)
        if curves:
            yield chart(curves, f"SHD to the I-essential graph, d = 20: {what}", what, "SHD", log_x=True)


def _brief(table: Table) -> Iterator[Row]:
    """A line a task, problem and method: means over the seeds, and the first note."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in table.rows:
        groups.setdefault((row["task"], row["problem"], row["method"]), []).append(row)
    for (task, problem, method), rows in groups.items():
        line: Row = {"task": task, "problem": problem, "method": method, "runs": len(rows)}
        for column in ("shd", "value", "score", "cpu", "adjacencies", "right", "directions", "p", "p_shd"):
            values = [float(row[column]) for row in rows if row[column] is not None]
            line[column] = float(np.mean(values)) if values else None
        yield {**line, "note": next((row["note"] for row in rows if row["note"]), "")}
