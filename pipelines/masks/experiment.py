"""Masks: what a learned graph with its doubt is worth to a policy, at every number of interactions.

``python -m pipelines.masks --out runs/masks`` (most of an hour of one core in full; ``--only uniform``, without training, and ``--seeds 2``
are shorter); run it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.masks import report, runs, training
from pipelines.masks.runs import NETWORKS, Problem, Run

QUICK = Problem("services 6", sizes=(0, 240), judged=5, gated=20, steps=300)

TRAINED = ("services 16", "machines, hubs of 30", "inventory 20")  # a network of each kind

TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "uniform": Task(runs.uniform, [(Problem(name), 20) for name in NETWORKS], [(QUICK, 2)]),
    "ppo": Task(
        training.ppo, [(Problem(name, (500, 2_000), judged=60, steps=8_000), 20) for name in TRAINED], [(QUICK, 1)]
    ),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/masks")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    table = open_table(args.out, Run, args.quick)
    run_tasks(table, TASKS, args, "masks")
    return report.write(args.out, table)
