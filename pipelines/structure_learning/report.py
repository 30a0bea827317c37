"""Figures, charts and notes of ``pipelines.structure_learning``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from causalnet.base.arrays import Array
from causalnet.report import Chart, chart
from causalnet.report.curves import Curve
from causalnet.report.summary import Figures, band, share
from causalnet.stats.intervals import POSITIVE, SHARE, student_interval
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select
from pipelines.structure_learning.runs import calibration_error

FLOP = ("FLOP 0", "FLOP 20", "FLOP 100")
# what the charts show, one of the eight colours each; FLOP 100 lies on FLOP 20 but for its time
NAMES = ("order", "pc", "notears", "FLOP 0", "FLOP 20", "andrey PC", "andrey BOSS", "andrey XGES")
GOALS = {("ER", 100): 2, ("ER", 200): 8, ("SF", 200): 10}  # SHD of order, degree 4
NETWORKS = {
    "alarm:n=20000": 3,
    "hepar2:n=20000": 43,
    "win95pts:n=20000": 42,
    "hailfinder:n=20000": 39,
    "pigs:n=1000": 13,
}
RIVALS = ("pc", "MIIC", "pyagrum tabu", "andrey BOSS", "andrey hill climbing")
# SHD, CPU seconds and GiB of order on large problems, and the most of pc's SHD that it may have
LARGE = {
    "ER raw d=500": (60, 2, None),
    "ER fair d=500": (60, 2, None),
    "ER raw d=1000": (200, 10, None),
    "ER fair d=1000": (320, 10, None),
    "ER plain d=2000": (None, 60, 4),
    "ER plain d=5000": (None, 180, 4),
}
NOTES = [
    "SHD and F1 are between the CPDAGs (F1 over adjacencies with their mark); skeleton F1 is over adjacencies. Intervals are "
    "95 % Student intervals over seeds, of logarithms for ratios; shares have Wilson intervals.",
    "CPU seconds are those of the method's process, one thread, after imports and compilation, the median of seven runs "
    "where a run is short; a method that takes longer than its limit is ended, and is told in the runs by its note. "
    "A ratio is the peer's seconds over ours on the same problem in this run. GiB are those on top of packages and data.",
    "raw: weights +-[.5, 2], unit noise, so that variances follow the order. fair: weights +-[.25, .8], each variable divided "
    "by its standard deviation in the model as it is generated. plain: weights +-[.25, 1], unit noise.",
    "Scores: linear Gaussian, 2 ln n a parent, of one DAG of each answer, by one function for all methods.",
    "FLOP k is flopsearch with k restarts; it takes no seed. Other peers run with their defaults; PC at level .01 everywhere.",
]


class Data:
    """The rows of a run by what is asked of them."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def problems(self, task: str) -> list[str]:
        """The problems of a task, in the order of their first rows."""
        return list(dict.fromkeys(row["problem"] for row in select(self.table, task=task)))

    def methods(self, task: str) -> list[str]:
        """The methods of a task, likewise."""
        return list(dict.fromkeys(row["method"] for row in select(self.table, task=task)))

    def by_seed(self, column: str, task: str, problem: str, method: str) -> dict[int, float]:
        """The values that there are, by seed."""
        rows = select(self.table, task=task, problem=problem, method=method)
        return {row["seed"]: float(row[column]) for row in rows if row[column] is not None}

    def numbers(self, column: str, task: str, problem: str, method: str) -> list[float]:
        """The values that there are."""
        return list(self.by_seed(column, task, problem, method).values())

    def pairs(self, column: str, task: str, problem: str, ours: str, theirs: str) -> Array:
        """(2, seeds): ours and theirs on the seeds that both have."""
        a, b = (self.by_seed(column, task, problem, m) for m in (ours, theirs))
        both = [seed for seed in a if seed in b]
        return np.array([[a[s] for s in both], [b[s] for s in both]]).reshape(2, -1)

    def best(self, task: str, problem: str, methods: Sequence[str]) -> str:
        """The method of the least mean SHD among those that have one."""
        means = {m: np.mean(v) for m in methods if (v := self.numbers("shd", task, problem, m))}
        return min(means, key=lambda m: (means[m], methods.index(m))) if means else methods[0]


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    data, found = Data(table), Figures()
    for add in (_grid, _exact, _large, _pc, _networks, _tables, _trials, _confidence):
        add(data, found)
    charts = [*_by_size(data), *_by_time(data)]
    return finish(folder, "causalnet: structure learning beside the peers", found, NOTES, list(_brief(data)), charts)


# ---- figures ----------------------------------------------------------------------------------------------------


def _grid(data: Data, found: Figures) -> None:
    """SHD, score and CPU time of order beside flopsearch, cell by cell."""
    every: list[float] = []
    for problem in data.problems("grid"):
        family, d = problem.split()[0], _size(problem)
        goal = GOALS.get((family, d))
        shd = data.numbers("shd", "grid", problem, "order")
        found.add(f"{problem}: SHD of order", shd, f"<= {goal}" if goal else "", bounds=POSITIVE)
        ours, theirs = data.pairs("shd", "grid", problem, "order", data.best("grid", problem, FLOP))
        found.add(f"{problem}: SHD of order - FLOP's best setting", ours - theirs, "<= 1")
        ours, theirs = data.pairs("score", "grid", problem, "order", "FLOP 20")
        found.add(f"{problem}: score of order - FLOP 20", ours - theirs, "<= 2")
        every += (ours - theirs).tolist()
        ours, theirs = data.pairs("cpu", "grid", problem, "order", "FLOP 20")
        found.add(f"{problem}: FLOP 20 CPU / order", theirs / ours, f">= {10 if d >= 100 else 5}", ratio=True)
        if "raw" in problem and d == 200:
            found.add(f"{problem}: CPU seconds of notears", data.numbers("cpu", "grid", problem, "notears"), "<= 2")
    found.add("grid: score of order - FLOP 20, over all cells", every, "<= 0")


def _exact(data: Data, found: Figures) -> None:
    """How often the optimum, and the true class, is found."""
    for method in data.methods("exact"):
        gaps = data.numbers("value", "exact", "d <= 10", method)
        goal = ">= 0.99" if method == "order" else ""
        found[f"d <= 10: exact optimum by {method}"] = share((gap <= 1e-6 for gap in gaps), goal)
    for problem in data.problems("recovery"):
        ours, theirs = data.pairs("shd", "recovery", problem, "order", "FLOP 100") == 0
        found.add(
            "recovery: exact CPDAGs of order - FLOP 100's", [ours.sum() - theirs.sum()] if ours.size else [], ">= -3"
        )
        for method in data.methods("recovery"):
            hits = (shd == 0 for shd in data.numbers("shd", "recovery", problem, method))
            published = {"FLOP 0": 0.4, "FLOP 100": 0.6}.get(method)
            found[f"recovery: exact CPDAG by {method}"] = share(hits, published=published)


def _large(data: Data, found: Figures) -> None:
    """Hundreds to thousands of variables."""
    for problem in data.problems("large"):
        key = ("large", problem)
        shd, seconds, memory = LARGE.get(problem.partition(" degree")[0], (None, None, None))
        for column, most in (("shd", shd), ("cpu", seconds), ("memory", memory)):
            goal = f"<= {most}" if most else ""
            found.add(
                f"{problem}: {_TOLD[column]} of order", data.numbers(column, *key, "order"), goal, bounds=POSITIVE
            )
        ours, theirs = data.pairs("shd", *key, "order", "pc")
        part = ours / np.maximum(theirs, 1)
        found.add(f"{problem}: SHD of order / pc's", part, "<= 0.5" if _size(problem) >= 2000 else "")
        if "raw d=500" in problem:
            for column, most in (("shd", 10), ("cpu", 10)):
                found.add(f"{problem}: {_TOLD[column]} of notears", data.numbers(column, *key, "notears"), f"<= {most}")
        hub, widest = problem.startswith("SF"), _size(problem) == 5000
        for column, goal in (("shd", "<= 310" * hub), ("cpu", "<= 1" * hub), ("memory", "<= 1" * widest)):
            found.add(f"{problem}: {_TOLD[column]} of pc", data.numbers(column, *key, "pc"), goal, bounds=POSITIVE)


_TOLD = {"shd": "SHD", "cpu": "CPU seconds", "memory": "GiB"}


def _pc(data: Data, found: Figures) -> None:
    """PC beside a peer's, paired by seed."""
    for problem in data.problems("pc"):
        ours, theirs = data.pairs("shd", "pc", problem, "pc", "andrey PC")
        found.add(f"{problem}: SHD of pc - andrey's", ours - theirs, "<= 0.5")
        low = student_interval(ours - theirs)[1] if ours.size > 1 else np.nan
        found.add(f"{problem}: the low end of that interval", [low], "<= 0")
        ours, theirs = data.pairs("cpu", "pc", problem, "pc", "andrey PC")
        found.add(f"{problem}: andrey's CPU / pc", theirs / ours, ">= 8", ratio=True)


def _networks(data: Data, found: Figures) -> None:
    """Five draws of each categorical network; sums over the networks that a rival finished."""
    names = [name for name in data.problems("networks") if name in NETWORKS]
    means = {
        (name, m): float(np.mean(v))
        for name in names
        for m in ("order", *RIVALS)
        if (v := data.numbers("shd", "networks", name, m))
    }
    for name in names:
        found.add(f"{name}: SHD of order", data.numbers("shd", "networks", name, "order"), f"<= {NETWORKS[name]}")
        found.add(
            f"{name}: CPU seconds of order", data.numbers("cpu", "networks", name, "order"), "<= 2", bounds=POSITIVE
        )
    for rival in RIVALS:
        common = [name for name in names if (name, rival) in means and (name, "order") in means]
        less = [sum(means[name, "order"] - means[name, rival] for name in common)] if common else []
        found.add(f"networks: summed SHD of order - {rival}'s ({len(common)} networks)", less, "<= 0")
    best = [
        n
        for n in names
        if (n, "order") in means and means[n, "order"] <= min(means.get((n, m), np.inf) for m in RIVALS)
    ]
    found.add("networks: those in which order is the best", [len(best)] if names else [], ">= 2")
    found.add(
        "pigs:n=1000: CPU seconds of pc", data.numbers("cpu", "networks", "pigs:n=1000", "pc"), "<= 2", bounds=POSITIVE
    )


def _tables(data: Data, found: Figures) -> None:
    """Mixed tables, tables that people have, missing cells, non-Gaussian noise."""
    for peer in ("pgmpy PC", "pgmpy hill climbing"):
        f1s, ratios = [], []
        for problem in data.problems("mixed"):
            ours, theirs = data.pairs("skeleton_f1", "mixed", problem, "order", peer)
            f1s += (ours - theirs).tolist()
            ours, theirs = data.pairs("cpu", "mixed", problem, "order", peer)
            ratios += (theirs / ours).tolist()
        found.add(f"mixed: skeleton F1 of order - {peer}'s", f1s, ">= 0")
        found.add(f"mixed: {peer} CPU / order", ratios, ">= 100", ratio=True)
    found["real tables: share that gets a graph"] = share((r["value"] for r in select(data.table, task="real")), "== 1")
    for method in data.methods("missing"):
        whole, holed = (data.numbers("shd", "missing", f"d=50 {part} missing", method) for part in ("0%", "10%"))
        over = [float(np.mean(holed)) - 1.5 * float(np.mean(whole)) - 2] if whole and holed else []
        goal = "<= 0" if method == "order" else ""
        found.add(f"missing: SHD of {method} with 10 % of the cells gone, less 1.5 of the complete + 2", over, goal)
    for problem in data.problems("lingam"):
        for method in data.methods("lingam"):
            found.add(f"{problem}: F1 of {method}", data.numbers("value", "lingam", problem, method), bounds=SHARE)
        found.add(f"{problem}: CPU seconds of lingam", data.numbers("cpu", "lingam", problem, "lingam"), "<= 0.05")
    same = (row["value"] == 1 for row in select(data.table, task="same order"))
    found["lingam: same causal order as the peer's DirectLiNGAM"] = share(same, "== 1")


def _trials(data: Data, found: Figures) -> None:
    """Shares of trials in which the graph stayed the same."""
    for problem in data.problems("equivariance"):
        for method in data.methods("equivariance"):
            same = data.numbers("value", "equivariance", problem, method)
            found[f"equivariance, {problem}: {method}"] = share((v == 1 for v in same), "== 1")


def _confidence(data: Data, found: Figures) -> None:
    """Calibration over all tables of a family, and rows from a file."""
    for problem in data.problems("confidence"):
        for method in data.methods("confidence"):
            rows = select(data.table, task="confidence", problem=problem, method=method)
            if not rows:
                continue
            error = calibration_error([row["bins"] for row in rows])
            found.add(f"confidence of {method}, {problem}: calibration error", [error], "<= 0.05")
    for problem in data.problems("rows"):
        for method in data.methods("rows"):
            for column, goal in (("cpu", "<= 4"), ("memory", "<= 1.5"), ("shd", "")):
                found.add(
                    f"{problem}: {_TOLD[column]} of {method}", data.numbers(column, "rows", problem, method), goal
                )


def _size(problem: str) -> int:
    """The variables of a problem, as its name tells: "ER raw d=20 ..." """
    return int(problem.partition("d=")[2].split()[0])


# ---- charts and rows --------------------------------------------------------------------------------------------


def _designs(data: Data) -> dict[str, list[str]]:
    """The problems of the grid and of the large ones by family and design, each in the order of size."""
    found: dict[str, list[str]] = {}
    for problem in data.problems("grid"):
        found.setdefault(" ".join(problem.split()[:2]), []).append(problem)
    return {name: sorted(of, key=_size) for name, of in found.items() if len(of) > 1}


def _by_size(data: Data) -> Iterator[Chart]:
    """SHD against the number of variables."""
    for design, problems in _designs(data).items():
        curves = {}
        for method in [m for m in NAMES if m in data.methods("grid")]:
            found = {_size(p): v for p in problems if (v := data.numbers("shd", "grid", p, method))}
            most = max((len(v) for v in found.values()), default=0)
            if most:
                whole = {d: v for d, v in found.items() if len(v) == most}
                curves[method] = band(list(whole), np.array(list(whole.values())).T, POSITIVE)
        yield chart(curves, f"{design}, degree 4, n = 1000", "variables", "SHD", log_x=True, names=NAMES)


def _by_time(data: Data) -> Iterator[Chart]:
    """SHD against CPU seconds, a point a size."""
    for design, problems in _designs(data).items():
        curves = {}
        for method in [m for m in NAMES if m in data.methods("grid")]:
            both = [(data.numbers("cpu", "grid", p, method), data.numbers("shd", "grid", p, method)) for p in problems]
            points = [(float(np.mean(cpu)), float(np.mean(shd))) for cpu, shd in both if cpu and shd]
            if points:
                curves[method] = Curve(*zip(*points, strict=True))
        title = f"{design}: a point each for d = {', '.join(str(_size(p)) for p in problems)}"
        yield chart(curves, title, "CPU seconds", "SHD", log_x=True, names=NAMES)


def _brief(data: Data) -> Iterator[Row]:
    """A line a task, problem and method: means over the seeds, and the first note."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in data.table.rows:
        groups.setdefault((row["task"], row["problem"], row["method"]), []).append(row)
    for (task, problem, method), rows in groups.items():
        line: Row = {"task": task, "problem": problem, "method": method, "runs": len(rows)}
        for column in ("shd", "f1", "skeleton_f1", "score", "cpu", "memory", "value"):
            values = [float(row[column]) for row in rows if row[column] is not None]
            line[column] = float(np.mean(values)) if values else None
            if column == "shd":
                low, high = student_interval(values, bounds=POSITIVE)[1:] if len(values) > 1 else (None, None)
                line |= {"low": low, "high": high}
        yield {**line, "note": next((row["note"] for row in rows if row["note"]), "")}
