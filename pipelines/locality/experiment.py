"""Locality: bounds against measured errors by kappa, kappa against cost, and what smoothness costs in return.

Small networks are solved exactly by enumeration; the largest is certified at 100,000 agents. Times are process CPU
seconds. ``python -m pipelines.locality --out runs/locality`` (about seven minutes; --quick: seconds).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from causalnet.storage.rows import Row
from pipelines.common import Task, open_table, options, run_tasks
from pipelines.locality import claims, report, runs
from pipelines.locality.report import NETWORKS
from pipelines.locality.ring import TEMPERATURES


def _each(problems: Iterable[Any], seeds: int = 1) -> list[tuple[Any, int]]:
    """As many seeds for every problem."""
    return [(problem, seeds) for problem in problems]


TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "copy-chain": Task(runs.copy_chains, _each("abcd"), _each("abcd")),
    "ring": Task(runs.ring_temperatures, _each(TEMPERATURES), _each(TEMPERATURES)),
    "by-kappa": Task(runs.bound_by_kappa, _each(("states", "actions"), 5), _each(["states"])),
    "random": Task(runs.random_networks, _each(range(0, 200, 20)), _each([0])),
    "compact": Task(claims.compact_values, [(4, 5)], [(3, 1)]),
    "from data": Task(claims.from_data, _each((10**4, 10**5, 10**6), 3), [(10**4, 1)]),
    "trade-off": Task(runs.trade_off, _each([0.01, 0.03, 0.1, 0.3, 1.0, 3.0], 5), _each([0.1, 3.0])),
    "scale": Task(
        runs.scale, _each((g, n) for n in (1000, 10_000, 100_000) for g in NETWORKS), _each([("ring", 1000)])
    ),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    args = options(__doc__, "runs/locality").parse_args(argv)
    table = open_table(args.out, runs.Result, args.quick)
    run_tasks(table, TASKS, args, "locality")
    return report.write(args.out, table)
