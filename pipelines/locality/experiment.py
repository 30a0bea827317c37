"""Locality: bounds against measured errors by kappa, kappa against cost, and what smoothness costs in return.

Small networks are solved exactly by enumeration; the largest is certified at 100,000 agents. Times are process CPU
seconds. ``python -m pipelines.locality --out runs/locality`` (about five minutes; --quick: seconds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from itertools import product
from typing import Any

from causalnet.storage.rows import Row, Table
from pipelines.common import complete, options
from pipelines.locality import report, runs
from pipelines.locality.report import NETWORKS
from pipelines.locality.ring import TEMPERATURES

COLUMNS = [
    "task",
    "problem",
    "seed",
    "kappa",
    "temperature",
    "measured",
    "bound",
    "classical",
    "rho",
    "radius_c",
    "least_norm",
    "value",
    "cost",
    "cpu",
    "memory_mb",
]
TASKS: dict[str, tuple[Callable[..., Iterator[runs.Result]], list[Any], int, list[Any], int]] = {
    # name: (task, problems, seeds, problems for --quick, seeds for --quick)
    "copy-chain": (runs.copy_chains, ["a", "b", "c", "d"], 1, ["a", "b", "c", "d"], 1),
    "ring": (runs.ring_temperatures, list(TEMPERATURES), 1, list(TEMPERATURES), 1),
    "by-kappa": (runs.bound_by_kappa, ["states", "actions"], 5, ["states"], 1),
    "random": (runs.random_networks, list(range(0, 200, 20)), 1, [0], 1),
    "trade-off": (runs.trade_off, [0.01, 0.03, 0.1, 0.3, 1.0, 3.0], 5, [0.1, 3.0], 1),
    "scale": (runs.scale, [(g, n) for n in (1000, 10_000, 100_000) for g in NETWORKS], 1, [("ring", 1000)], 1),
}


def main(arguments: list[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    args = options((__doc__ or "").split("\n")[0], "runs/locality").parse_args(arguments)
    table, cells = Table(args.out, COLUMNS, args.quick), {}
    for name, (task, full, seeds, quick, few) in TASKS.items():
        count = min(few if args.quick else seeds, args.seeds or 99)
        for problem, seed in product(quick if args.quick else full, range(count)):
            cells[f"{name} {problem} {seed}"] = partial(_rows, name, task, problem, seed)
    complete(table, cells, "locality")
    return report.write(args.out, table)


def _rows(name: str, task: Callable[..., Iterator[runs.Result]], problem: Any, seed: int) -> list[Row]:
    return [{"task": name, "seed": seed, **asdict(found)} for found in task(problem, seed)]
