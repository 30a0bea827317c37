"""Speed beside the peer: native against causal-learn, gcastle and DAGMA on the same problem in the same run.

The answers are compared before a ratio counts. Times are process CPU seconds on one thread, the least of a few
repetitions for ours and one run for the peer, after imports and compilation. ``python -m pipelines.speed --out runs/speed`` (about 15 minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from functools import partial
from typing import Any

from causalnet.discovery.register import get
from causalnet.storage.rows import Row, Table
from pipelines.common import complete, options
from pipelines.speed import report, runs

COLUMNS = ["task", *(f.name for f in fields(runs.Timing))]
TASKS: dict[str, tuple[Callable[..., Iterator[runs.Timing]], list[tuple[Any, int]], list[tuple[Any, int]]]] = {
    # name: (task, problems with their number of seeds, the same for --quick)
    "pc-skeletons": (runs.pc_skeletons, [(0, 200)], [(0, 5)]),
    "pc-gaussian": (runs.pc_gaussian, [(50, 5), (100, 3), (200, 3)], [(20, 2)]),
    "pc-discrete": (runs.pc_discrete, [("chi2", 3), ("g2", 3)], [("chi2", 1)]),
    "notears": (
        runs.notears,
        [
            *[((f, 4, d, ("gcastle", "dagma")), 5) for f in ("er", "sf") for d in (10, 20)],
            *[((f, g, 50, ("dagma",)), 5) for f, g in (("er", 4), ("sf", 4), ("sf", 8))],
        ],
        [(("er", 2, 5, ("dagma",)), 1)],
    ),
    "thp-ttpm": (runs.thp_ttpm, [(1500, 3)], [(60, 1)]),
    "thp-official": (runs.thp_official, [("", 1)], [("", 1)]),
    "thp-alarms": (runs.thp_alarms, [("pcic-18v", 1), ("pcic-24v", 1), ("pcic-25v", 1)], []),
}


def main(arguments: list[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options((__doc__ or "").split("\n")[0], "runs/speed")
    parser.add_argument("--only", help="comma-separated tasks: " + ", ".join(TASKS))
    args = parser.parse_args(arguments)
    wanted = args.only.split(",") if args.only else list(TASKS)
    if unknown := set(wanted) - set(TASKS):
        sys.exit(f"no such task: {', '.join(sorted(unknown))}; there are {', '.join(TASKS)}")
    table = Table(args.out, COLUMNS, args.quick)
    for name in {task.split("-")[0] for task in wanted}:
        warm = get(name).warm_up
        if warm is not None:
            warm()
    cells = {}
    for name in wanted:
        task, full, quick = TASKS[name]
        for problem, seeds in quick if args.quick else full:
            for seed in range(min(seeds, args.seeds or seeds)):
                cells[f"{name} {problem} {seed}"] = partial(_rows, name, task, problem, seed)
    complete(table, cells, "speed")
    return report.write(args.out, table)


def _rows(name: str, task: Callable[..., Iterator[runs.Timing]], problem: Any, seed: int) -> list[Row]:
    return [{"task": name, **asdict(timing)} for timing in task(problem, seed)]
