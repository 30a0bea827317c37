"""General utilities and localized policy improvement: shadow gradients, the line, the wireless grid, samples against returns.

``python -m pipelines.general_utility`` (a few minutes on one core). Shadow-reward gradients against finite differences of the
true utility on small networks; the line task with entropy constraints; the 5 x 5 wireless grid with the determinism constraint
and with a cumulative one; localized policy improvement on 100 random networks, and beside Scalable Actor-Critic on the grid.
Quick and full runs are kept apart: a folder holds one kind, cells carry their lengths, and the report shows the present ones.
Every finished run is kept: start it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from causalnet import agents as gu
from causalnet.agents import Constraint, Cooling, Rate, Settings
from causalnet.envs.networked import Line
from causalnet.envs.networked.wireless import utility_grid
from causalnet.storage.rows import Row
from pipelines.common import Cells, complete, open_table, options
from pipelines.general_utility import report, runs
from pipelines.general_utility.runs import GRID, LINE, Variant

_line, _slow = Settings(**LINE, actor_rate=Rate(0.01, 0.5, 20.0)), 0.05  # type: ignore[arg-type]
_grid, _careful = Settings(**GRID), Settings(**GRID, actor_rate=Rate(0.05))  # type: ignore[arg-type]
_waste = np.zeros((4, 5))
_waste[0, 1:] = -1.0  # sending from an empty buffer


def _entropy(aim: float, rate: float = 300.0, **options: bool) -> Constraint:
    """The entropy of every agent's own state, at least ``aim``."""
    return Constraint(gu.Entropy("state"), aim, rate, **{"incremental": False, **options})


def _sends(aim: float, rate: float, incremental: bool = False) -> Constraint:
    """How determined every agent's sending is, at least ``aim``."""
    return Constraint(gu.Determinism(), aim, rate, incremental=incremental)


LINES = (
    Variant("line", _line, 4000, 5),
    Variant("line, entropy >= 0.3", _line, 4000, 5, _entropy(0.31), 0.3, _slow),
    Variant("line, entropy >= 0.5", _line, 4000, 5, _entropy(0.515), 0.5, _slow),
    Variant(
        "line, entropy >= 0.5, dual ascent", _line, 4000, 5, _entropy(0.515, rate=2.0, incremental=True), 0.5, _slow
    ),
    Variant("line, entropy >= 0.8, best effort", _line, 4000, 5, _entropy(0.8, best_effort=True), 0.8, _slow),
)
GRIDS = (
    Variant("grid", _grid, 20_000, 10),
    Variant("grid, kappa = 0", Settings(**GRID, kappa=0), 20_000, 10),  # type: ignore[arg-type]
    Variant("grid, c = 0.2", _grid, 20_000, 10, _sends(0.2, 100.0), 0.2),
    Variant("grid, c = 0.2, dual ascent", _grid, 20_000, 10, _sends(0.2, 0.3, True), 0.2),
    Variant("grid, c = 0.3", _careful, 20_000, 10, _sends(0.305, 10.0), 0.3, _slow),
    Variant("grid, empty sends <= 0.05", _grid, 20_000, 10, Constraint(gu.Linear(_waste), -0.05), -0.05),
)
_marks = (250, *range(500, 4000, 500), *range(4000, 8000, 1000), *range(8000, 16_001, 2000), 20_000)
_cooling = {"cooling": Cooling(0.15, 1500), "marks": _marks}
_lpi = Settings(**GRID, critic="linear", critic_rate=Rate(0.5), actor_rate=Rate(1.0))  # type: ignore[arg-type]
RACES = (
    Variant("LPI", _lpi, 20_000, 2, **_cooling),
    Variant("LPI, everyone at once", _lpi, 20_000, 2, everyone=True, **_cooling),
    Variant("SAC", _grid, 20_000, 10, marks=_marks),
    Variant("SAC, LPI's critic", Settings(**GRID, critic="linear"), 20_000, 10, marks=_marks),  # type: ignore[arg-type]
    Variant("SAC, Algorithm 1", Settings.paper(**GRID, eta=30.0), 20_000, 1, marks=_marks),
)


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is not yet there; write results.csv, summary.json and report.html."""
    args = options(__doc__, "runs/general_utility").parse_args(argv)
    table = open_table(args.out, runs.Result, args.quick)
    cells = _cells(args.seeds or (2 if args.quick else 5), args.quick)
    complete(table, cells, "runs")
    return report.write(args.out, table, set(cells))


def _cells(seeds: int, quick: bool) -> Cells:
    """Every run by name, in the order that they are done."""
    tested = 500 if quick else 4000  # episodes of the last score
    cells: dict[str, Callable[[], Any]] = {f"controls {tested}": partial(runs.controls, tested)}
    cells |= {f"gradients {seed}": partial(runs.gradients, seed) for seed in range(seeds)}
    for variants, make in ((LINES, Line), (GRIDS, utility_grid)):
        for v in variants:
            length = v.episodes // 10 if quick else v.episodes
            for seed in range(seeds):
                cells[f"{v.name} {seed} {length} {tested}"] = partial(runs.learn, v, seed, length, make, tested)
    for group in range(1 if quick else 10):
        cells[f"monotone {group}"] = partial(runs.monotone, range(10 * group, 10 * group + 10))
    for v in RACES:
        last = 1500 if quick else v.episodes
        cells |= {f"race {v.name} {seed} {last}": partial(runs.race, v, seed, last) for seed in range(2 * seeds)}
    certified = 1000 if quick else 6000
    return cells | {f"certificate {certified}": partial(runs.certificate, certified)}
