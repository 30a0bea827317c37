"""Incidents on simulated networks: roots that come first, a stream that is watched, repairs that are learned from.

``python -m pipelines.incidents --out runs/incidents`` (about five minutes on one core). PetShop's train faults, by which
its rules were settled, run where its metrics are in $CAUSALNET_DATA; the test faults ("petshop-test") only when --only
names them: they were scored once, and what was seen cannot be unseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.incidents import report, runs

TASKS = {
    "cascades": Task(runs.cascades, [(1, 8), (2, 8), (3, 8)], [(1, 1)]),
    "stream": Task(runs.stream, [(10_000, 4), (100_000, 4)], [(3_000, 1)]),
    "repairs": Task(runs.repairs, [(200, 8), (3_000, 8)], [(200, 1)]),
    "petshop": Task(runs.petshop_faults, [("train", 1)], []),
    "petshop-test": Task(runs.petshop_faults, [("test", 1)], []),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/incidents")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    if args.only is None:
        args.only = [name for name in TASKS if name != "petshop-test"]
    table = open_table(args.out, runs.Outcome, args.quick)
    run_tasks(table, TASKS, args, "incidents")
    return report.write(args.out, table)
