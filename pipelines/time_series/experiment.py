"""Series: pcmci and granger beside tigramite, a vector autoregression and VAR-LiNGAM, linear and nonlinear.

``python -m pipelines.time_series --out runs/time_series`` (--quick: seconds; peers that are not installed are left out with
the reason); run it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.time_series import report, runs
from pipelines.time_series.runs import Problem, Run

CELLS = [Problem(d, n) for d in (10, 25) for n in (300, 1000)]
SMALL = Problem(4, 150)

TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "linear": Task(runs.contest, [(cell, 20) for cell in CELLS], [(SMALL, 2)]),
    "nonlinear": Task(
        runs.contest,
        [(Problem(10, n, nonlinear=True), 20) for n in (300, 1000)],
        [(SMALL._replace(nonlinear=True), 1)],
    ),
    "links": Task(runs.same_links, [(Problem(6, 250), 100)], [(SMALL, 2)]),
    "doubt": Task(runs.doubt, [(n, 20) for n in (300, 1000)], [(150, 1)]),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/time_series")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    table = open_table(args.out, Run, args.quick)
    run_tasks(table, TASKS, args, "time series")
    return report.write(args.out, table)
