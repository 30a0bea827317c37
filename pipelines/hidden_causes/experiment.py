"""Hidden causes: fci with its three starts beside causal-learn's FCI, by rows, hidden variables and size, and told the truth.

``python -m pipelines.hidden_causes --out runs/hidden_causes`` (--quick: seconds); run it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.hidden_causes import differences, mended, oracle, report, runs
from pipelines.hidden_causes.runs import Problem, Run

ROWS, HIDDEN = (200, 500, 1000, 2000, 5000), (0, 2, 4, 8)

TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "rows": Task(runs.contest, [(Problem(n=n), 20) for n in ROWS], [(Problem(6, 1, 300), 2)]),
    "hidden": Task(runs.contest, [(Problem(hidden=h), 20) for h in HIDDEN], [(Problem(6, 2, 300), 1)]),
    "size": Task(runs.contest, [(Problem(d, d // 6, 1000), 5) for d in (30, 50)], [(Problem(7, 1, 300), 1)]),
    "differences": Task(
        differences.explained, [(Problem(n=n), 20) for n in (500, 1000, 2000)], [(Problem(6, 1, 300), 1)]
    ),
    "mended": Task(mended.contest, [(Problem(n=n), 5) for n in (200, 500, 1000)], [(Problem(6, 1, 300), 1)]),
    "classes": Task(oracle.enumerated, [(4, 1), (5, 1)], [(3, 1)]),
    "oracle": Task(oracle.told_all, [("random graphs", 200)], [("random graphs", 2)]),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/hidden_causes")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    table = open_table(args.out, Run, args.quick)
    run_tasks(table, TASKS, args, "hidden causes")
    return report.write(args.out, table)
