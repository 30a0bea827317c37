"""Figures and notes of ``pipelines.speed``."""

from __future__ import annotations

from pathlib import Path

from causalnet.report.summary import Figures, share
from causalnet.stats.intervals import POSITIVE, SHARE
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select

NOTES = [
    "CPU time of one thread; ours is the least of a few repetitions, a peer's is one run (seconds to minutes); ratio = the peer's time over ours on the same problem in this run.",
    "A ratio over several runs is their geometric mean with the interval of the logarithms; a share has its Wilson interval.",
    "Validation of the input is part of our time. Peers run with their own defaults unless the task says otherwise.",
]


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    return finish(folder, "causalnet: speed beside the peers", _figures(table), NOTES, table.rows)


def _figures(table: Table) -> dict[str, Row]:
    """The numbers this pipeline is asked for, with their goals."""
    n, found = table.numbers, Figures()
    found["pc: same skeleton as causal-learn on random problems"] = _same(table, "pc-skeletons")
    for d, goal in ((50, 200), (100, 500), (200, 1000)):
        ratios = n("ratio", task="pc-gaussian", problem=f"d={d}")
        found.add(f"pc d={d}: causal-learn CPU / ours", ratios, f">= {goal}", ratio=True)
    for test in ("chi2", "g2"):
        ratios = n("ratio", task="pc-discrete", problem=test)
        found.add(f"pc ALARM {test}: causal-learn CPU / ours", ratios, ">= 40", ratio=True)
    for task in ("pc-gaussian", "pc-discrete", "thp-ttpm", "thp-official"):
        found[f"{task}: same answer"] = _same(table, task)
    for problem, peer in sorted({(r["problem"], r["peer"]) for r in select(table, task="notears")}):
        key = {"task": "notears", "problem": problem, "peer": peer}
        goal = ">= 50" if peer == "gcastle" else ">= 1"
        found.add(f"notears {problem}: {peer} CPU / ours", n("ratio", **key), goal, ratio=True)
        more = [b - a for a, b in zip(n("native_shd", **key), n("peer_shd", **key), strict=True)]
        found.add(f"notears {problem}: SHD of {peer} - ours", more, ">= 0")
        found.add(f"notears {problem}: our SHD", n("native_shd", **key), bounds=POSITIVE)
    found.add("thp: TTPM CPU / ours", n("ratio", task="thp-ttpm"), ">= 500", ratio=True)
    found.add("thp official sample: CPU seconds", n("native_cpu", task="thp-official"), "<= 0.15", bounds=POSITIVE)
    for name, goal, published in (("pcic-18v", 0.66, 0.5765), ("pcic-24v", 0.38, 0.3719), ("pcic-25v", 0.36, 0.36)):
        f1 = n("f1", task="thp-alarms", problem=name)
        found.add(f"thp {name}: F1 with defaults", f1, f">= {goal}", published, bounds=SHARE)
        seconds = n("native_cpu", task="thp-alarms", problem=name)
        found.add(f"thp {name}: CPU seconds", seconds, "<= 5", bounds=POSITIVE)
    return found


def _same(table: Table, task: str) -> Row:
    """Share of problems on which both gave the same answer."""
    return share((r["same_answer"] for r in select(table, task=task)), "== 1")
