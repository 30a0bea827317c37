"""Speed beside the peer: native against causal-learn, gcastle and DAGMA on the same problem in the same run.

The answers are compared before a ratio counts. Times are process CPU seconds on one thread, the least of a few
repetitions for ours and one run for the peer, after imports and compilation. ``python -m pipelines.speed --out runs/speed`` (about 15 minutes).
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.discovery.register import get
from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.speed import report, runs

TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "pc-skeletons": Task(runs.pc_skeletons, [(0, 200)], [(0, 5)]),
    "pc-gaussian": Task(runs.pc_gaussian, [(50, 5), (100, 3), (200, 3)], [(20, 2)]),
    "pc-discrete": Task(runs.pc_discrete, [("chi2", 3), ("g2", 3)], [("chi2", 1)]),
    "notears": Task(
        runs.notears,
        [
            *[((f, 4, d, ("gcastle", "dagma")), 5) for f in ("er", "sf") for d in (10, 20)],
            *[((f, g, 50, ("dagma",)), 5) for f, g in (("er", 4), ("sf", 4), ("sf", 8))],
        ],
        [(("er", 2, 5, ("dagma",)), 1)],
    ),
    "thp-ttpm": Task(runs.thp_ttpm, [(1500, 3)], [(60, 1)]),
    "thp-official": Task(runs.thp_official, [("", 1)], [("", 1)]),
    "thp-alarms": Task(runs.thp_alarms, [("pcic-18v", 1), ("pcic-24v", 1), ("pcic-25v", 1)], []),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/speed")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    table = open_table(args.out, runs.Timing, args.quick)
    for name in {task.split("-")[0] for task in args.only or TASKS}:
        warm = get(name).warm_up
        if warm is not None:
            for kind in get(name).takes:
                warm(kind)
    run_tasks(table, TASKS, args, "speed")
    return report.write(args.out, table)
