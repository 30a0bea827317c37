"""Interventions: graphs from rows of several experiments, beside gies and CD-NOD, and Sachs read in all ways.

``python -m pipelines.interventions --out runs/interventions`` (``gies``, where it is installed, takes minutes a problem of 50
variables: ``--seeds 1`` is half an hour with it, and a minute without); run it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.interventions import report, runs
from pipelines.interventions.runs import Problem, Run

ROWS, TARGETS = (20, 50, 100, 200, 500), (1, 3, 10, 20)

TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "known": Task(runs.contest, [(Problem(20), 20), (Problem(50), 20)], [(Problem(6, targets=3), 1)]),
    "unknown": Task(
        runs.unknown,
        [(Problem(d, kind=kind), 20) for d in (20, 50) for kind in ("hard", "soft")],
        [(Problem(6, targets=3), 1)],
    ),
    "cells": Task(
        runs.ours,
        [(Problem(20, targets=t), 20) for t in TARGETS] + [(Problem(20, rows=r), 20) for r in ROWS],
        [(Problem(6, targets=2), 1)],
    ),
    "sachs": Task(runs.sachs, [(name, 1) for name in runs.READINGS], [("LY294002 acts on PIP3", 1)]),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/interventions")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    table = open_table(args.out, Run, args.quick)
    run_tasks(table, TASKS, args, "interventions")
    return report.write(args.out, table)
