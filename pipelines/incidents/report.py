"""Figures and notes of ``pipelines.incidents``."""

from __future__ import annotations

from pathlib import Path

from causalnet.report.summary import Figures
from causalnet.stats.intervals import POSITIVE, SHARE
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select

NOTES = [
    "All networks but PetShop are simulated; a seed draws graph, topology, rates and log.",
    "PetShop: share of the faults whose true root is the first, or among the first three; the alarm is told.",
    "Cascades: every device's clock is off by up to 30 s; five alarms are noise where there are several roots.",
    "Repairs: networks of 12 devices and 12 types with 20 edges, repairs drawn uniformly over the present cells.",
]
GOALS = {
    "1 roots, learned graph": ">= 0.95",
    "2 roots, learned graph": ">= 0.85",
    "100000 events: thousand a CPU second": ">= 50",
}


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found = Figures()
    for problem in dict.fromkeys(str(row["problem"]) for row in table.rows):
        bounds = POSITIVE if "thousand" in problem else SHARE
        found.add(problem, table.numbers("value", problem=problem), GOALS.get(problem, ""), bounds=bounds)
    for problem in [p for p in found if p.startswith("petshop") and ": graph top-" in p]:
        rule, ours = found[problem.replace(": graph", ": max-z")], found[problem]
        gain = [float(ours["mean"]) - float(rule["mean"])]
        found.add(f"{problem} less max |z|", gain, ">= 0")
    by = {(str(r["problem"]), r["seed"]): float(r["value"]) for r in select(table, task="repairs")}
    seeds = sorted({seed for _, seed in by})
    for n in sorted({int(problem.split()[0]) for problem, _ in by}):
        gap = [by[f"{n} repairs, starts and ends", s] - by[f"{n} repairs, counts alone", s] for s in seeds]
        found.add(f"{n} repairs: F1 lost without starts and ends", gap, "<= 0.03")
    return finish(folder, "causalnet: incidents", found, NOTES, table.rows)
