"""Structure learning: native methods and peers on the same problems in the same run, quality first, then CPU time.

The tables of ``TASKS``: linear Gaussian graphs of 20 to 5,000 variables (units that give the order away, and units that
do not), PC beside a peer's, categorical networks, mixed tables, missing cells, non-Gaussian noise, the exact optimum,
and trials that a graph does not depend on names, places and units. Times are process CPU seconds of one thread, after
imports and compilation. ``python -m pipelines.structure_learning --out runs/structure_learning`` (some hours; ``--seeds 1``: about
40 minutes); run it again to finish or extend it.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalnet.storage.rows import Row
from pipelines.common import Task, only, open_table, options, run_tasks
from pipelines.structure_learning import problems, report, runs
from pipelines.structure_learning.contest import Contest, Run
from pipelines.structure_learning.problems import Holed, Linear, Mixed

ORDERS = ("order", "FLOP 0", "FLOP 20", "FLOP 100")
SIZES = (20, 50, 100, 200)
NETWORKS = ("alarm:n=20000", "hepar2:n=20000", "win95pts:n=20000", "hailfinder:n=20000", "pigs:n=1000")
LARGE = [
    *((Linear("er", design, d), 5) for d in (500, 1000) for design in ("raw", "fair")),
    (Linear("sf", "fair", 500), 5),
    (Linear("er", "plain", 2000, 3), 3),
    (Linear("er", "plain", 5000, 3), 1),
]
PLAIN = [
    Linear("er", "plain", d, degree, n)
    for d, degree, n in ((50, 4, 1000), (50, 4, 5000), (100, 4, 1000), (50, 2, 1000))
]

grid = Contest(
    problems.draw_linear,
    (*ORDERS, "pc", "notears", "andrey PC", "andrey BOSS", "andrey XGES"),
    few={"FLOP 100": 200, "andrey BOSS": 50, "andrey XGES": 100},
    scored=ORDERS,
)
large = Contest(
    problems.draw_linear,
    ("order", "pc", "notears", "FLOP 0", "andrey PC"),
    few={"FLOP 0": 1000, "notears": 500, "andrey PC": 2000},
    seconds=600.0,
)
recovery = Contest(problems.draw_linear, ("order", "FLOP 0", "FLOP 100"))
pc = Contest(problems.draw_linear, ("pc", "andrey PC"))
networks = Contest(
    problems.draw_network,
    ("order", "pc", "MIIC", "pyagrum tabu", "andrey BOSS", "andrey hill climbing"),
    few={"andrey BOSS": 60, "MIIC": 100},
)
mixed = Contest(
    problems.draw_mixed,
    ("order", "pc", "andrey BOSS", "andrey PC", "pgmpy hill climbing", "pgmpy PC"),
    first={"pgmpy hill climbing": 5, "pgmpy PC": 2},  # minutes a table
    seconds=900.0,
)
missing = Contest(problems.draw_holed, ("order", "pc"))
lingam = Contest(problems.draw_linear, ("lingam", "andrey DirectLiNGAM", "causal-learn DirectLiNGAM"), directed=True)

TASKS = {
    # name: problems with their number of seeds, and the same for --quick
    "grid": Task(
        grid,
        [(Linear(g, design, d), 5) for d in SIZES for g in ("er", "sf") for design in ("raw", "fair")],
        [(Linear("er", "fair", 8), 2), (Linear("er", "fair", 12), 2)],
    ),
    "exact": Task(runs.exact, [(("order", "FLOP 20"), 200)], [(("order", "FLOP 20"), 2)]),
    "recovery": Task(recovery, [(Linear("er", "standard", 50, 8), 50)], [(Linear("er", "standard", 10), 1)]),
    "large": Task(large, LARGE, [(Linear("er", "raw", 30), 1)]),
    "pc": Task(pc, [(p, 24) for p in PLAIN], [(Linear("er", "plain", 20), 2)]),
    "networks": Task(networks, [(name, 5) for name in NETWORKS], [("asia:n=500", 1)]),
    "mixed": Task(mixed, [(Mixed(m), 50) for m in ("conditional", "degenerate")], [(Mixed("conditional", 3), 1)]),
    "real": Task(runs.real, [(name, 1) for name in runs.REAL], [("iris", 1), ("longley", 1)]),
    "missing": Task(
        missing, [(Holed(0.0), 20), (Holed(0.1), 20), (Holed(0.1, dropped=True), 20)], [(Holed(0.1, d=8), 1)]
    ),
    "lingam": Task(lingam, [(Linear("er", "uniform", 30, 2), 20)], [(Linear("er", "uniform", 6, 2), 1)]),
    "same order": Task(runs.same_order, [("lingam's order", 100)], [("lingam's order", 1)]),
    "confidence": Task(
        runs.confident,
        [
            *(
                ((m, f), n)
                for m, n in (("order", 60), ("pc", 240))
                for f in ("Gaussian", "discrete", "mixed", "conditional", "regimes")
            ),
            (("pcmci", "series"), 60),
            (("thp", "log"), 20),
        ],
        [(("pc", "Gaussian"), 1)],
    ),
    "rows": Task(runs.streamed, [((m, 10_000_000), 1) for m in ("order", "pc")], [(("order", 5000), 1)]),
    "equivariance": Task(
        runs.equivariant,
        [((m, kind), n) for m in ("order", "pc") for kind, n in (("continuous", 200), ("discrete", 50))],
        [(("order", "continuous"), 2), (("pc", "discrete"), 2)],
    ),
}


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is missing in --out, then write the figures."""
    parser = options(__doc__, "runs/structure_learning")
    only(parser, TASKS)
    args = parser.parse_args(argv)
    table = open_table(args.out, Run, args.quick)
    run_tasks(table, TASKS, args, "structure learning")
    return report.write(args.out, table)
