"""Causes of alarms from event logs: thp by events, types, devices, clock and noise, beside controls and peers.

``python -m pipelines.alarms --out runs/alarms`` (hours on one core; --only clock,noise for some of it, --quick for a
first look); run it again to finish or extend it. Real logs ("real") and the official fault-alarm log ("official") are
scored where their files are there, and only when --only names them: a score that was seen cannot be unseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.alarms import report, runs
from pipelines.alarms.families import FAMILIES, POLLED
from pipelines.alarms.runs import Size
from pipelines.common import Task, only, open_table, options, run_tasks

SHAPES = ((60, 8), (60, 1), (60, 50), (20, 5))  # types, events of each
TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "events": Task(runs.simulated, [(Size(n), 8) for n in (10_000, 30_000, 100_000)], [(Size(1500, 8, 20), 2)]),
    "types": Task(runs.simulated, [(Size(100_000, v), 4) for v in (100, 500)], [(Size(1500, 12, 20), 1)]),
    "devices": Task(runs.simulated, [(Size(30_000, 20, m), 4) for m in (500, 5000)], [(Size(1500, 8, 60), 1)]),
    "ends": Task(runs.ends, [(Size(n), 8) for n in (1000, 10_000, 30_000)], [(Size(1500, 8, 20), 1)]),
    "sweeps": Task(runs.swept, [(of, 8) for of in (Size(5000, 20, 100), *FAMILIES)], [(Size(1500, 8, 40), 1)]),
    "clock": Task(runs.clock, [(Size(10_000), 8)], [(Size(1500, 8, 20), 1)]),
    "polled": Task(
        runs.polled, [((shape, poll), 8) for shape in POLLED for poll in (300.0, 900.0)], [(("wide", 300.0), 1)]
    ),
    "noise": Task(runs.noise, [(shape, 50) for shape in SHAPES], [((20, 5), 2)]),
    "slow": Task(runs.fault_alarms, [(4000, 10)], [(400, 1)]),
    "families": Task(runs.family, [(name, 8) for name in FAMILIES], [("radio", 1)]),
    "ancestors": Task(
        runs.flagged, [(of, 8) for of in (*FAMILIES, Size(10_000), Size(100_000))], [(Size(1500, 8, 20), 1)]
    ),
    "cost": Task(
        runs.cost,
        [(Size(1_000_000, 20, 500), 1), (Size(1_000_000, 500, 5000), 1), (Size(100_000, 100, 500), 1)],
        [(Size(1500, 8, 20), 1)],
    ),
    "stream": Task(
        runs.stream,
        [(Size(1_000_000, v, 500), 5) for v in (10, 30, 100)] + [(Size(10_000_000, 100, 500), 1)],
        [(Size(1500, 8, 20), 1)],
    ),
    "peers": Task(runs.peers, [(Size(3000, 10, 20), 4)], [(Size(600, 6, 10), 1)]),
    "real": Task(runs.real, [("pcic-18v", 1), ("pcic-24v", 1), ("pcic-25v", 1)], []),
    "official": Task(runs.real, [("fault-alarm", 1)], []),
}
ASKED_FOR = {"real", "official"}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/alarms")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    if args.only is None:
        args.only = [name for name in TASKS if name not in ASKED_FOR]
    table = open_table(args.out, runs.Outcome, args.quick)
    run_tasks(table, TASKS, args, "alarms")
    return report.write(args.out, table)
