"""What a comparison found, read from its folder: the cells, the graphs, means with intervals, how to repeat it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base.checks import known
from ..errors import DataError
from ..graph import Graph
from ..graph.metrics import DEFINITIONS, SHARES
from ..stats.intervals import POSITIVE, SHARE, student_interval
from ..storage.files import write_atomic
from ..storage.rows import sheet
from .labels import label
from .store import FILE, STATUSES, Store

COSTS = ("seconds", "cpu_seconds", "peak_mb")


class Results:
    """The results in a folder, as they were when it was opened.

    A method with parameters is called like ``pc:alpha=0.05`` in ``frame``, ``summary`` and ``graph``.
    """

    def __init__(self, out: str | Path) -> None:
        self.out = Path(out)
        with closing(Store.open(out)) as store:
            self._cells, self._draws, self._runs = (store.rows(table) for table in ("cells", "draws", "runs"))
        try:
            for row in self._cells:
                row["method"], row["backend"] = row["backend"], label(row["backend"], json.loads(row["params"]))
                for name in ("metrics", "warnings", "versions"):
                    row[name] = json.loads(row[name])
            for run in self._runs:
                run["settings"] = json.loads(run["settings"])
        except (TypeError, ValueError) as error:
            raise DataError(f"{self.out / FILE} holds a row that causalnet did not write ({error})") from error
        rank = [{name: i for i, name in enumerate(self.settings[key])} for key in ("datasets", "backends")]
        self._cells.sort(key=lambda r: (rank[0][r["dataset"]], rank[1][r["backend"]], r["seed"]))

    @property
    def metrics(self) -> dict[str, str]:
        """The metrics' names with their definitions."""
        return dict(DEFINITIONS)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What was compared and how.

        datasets, backends, seeds: all that the folder holds. command: the shell line(s) that repeat it, ``commands``
        one by one. versions: of every package that took part; several versions of one are joined by " and ".
        max_seconds, n_jobs, engine: of the last command. created: UTC.
        """
        versions: dict[str, list[str]] = {}
        for row in self._cells:
            for package, version in row["versions"].items():
                versions.setdefault(package, []).append(version)
        last = self._runs[-1]["settings"] if self._runs else {}
        commands = [run["command"] for i, run in enumerate(self._runs) if not self._repeated_after(i)]

        def union(key: str, found: Iterable[Any]) -> list[Any]:
            asked = [item for run in self._runs for item in run["settings"].get(key, [])]
            return list(dict.fromkeys([*asked, *found]))

        return {
            "datasets": union("datasets", (r["dataset"] for r in self._cells)),
            "backends": union("backends", (r["backend"] for r in self._cells)),
            "seeds": sorted(union("seeds", (r["seed"] for r in self._cells))),
            **{key: last.get(key) for key in ("max_seconds", "n_jobs", "engine")},
            "command": " && ".join(commands),
            "commands": commands,
            "versions": {name: " and ".join(dict.fromkeys(found)) for name, found in sorted(versions.items())},
            "created": self._runs[0]["created"] if self._runs else None,
        }

    def _repeated_after(self, i: int) -> bool:
        """Does a later command cover every cell of the i-th one?"""
        mine, *later = (run["settings"] for run in self._runs[i:])
        parts = ("datasets", "backends", "seeds")
        return any(all(set(mine[p]) <= set(run[p]) for p in parts) for run in later)

    @property
    def command(self) -> str:
        """The shell line that repeats the comparison."""
        return str(self.settings["command"])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a cell: what ran, how it ended, seconds of learning alone (wall and CPU), and every metric."""
        names = list(dict.fromkeys([*self.metrics, *(m for r in self._cells for m in r["metrics"])]))
        rows = []
        for r in self._cells:
            told = {
                "complete": None if r["complete"] is None else bool(r["complete"]),
                "warnings": "; ".join(r["warnings"]),
                "versions": ", ".join(f"{name} {version}" for name, version in r["versions"].items()),
            }
            rows.append({**r, **told, **{name: _number(r["metrics"].get(name)) for name in names}})
        columns = ["dataset", "backend", "params", "seed", "status", "reason", "seconds", "cpu_seconds", "complete"]
        columns += [*names, "peak_mb", "elapsed", "max_seconds", "method", "finished", "host", "warnings", "versions"]
        frame = pd.DataFrame(rows, columns=columns)
        numeric = [*names, "seconds", "cpu_seconds", "peak_mb", "elapsed", "max_seconds"]
        return frame.astype(dict.fromkeys(numeric, "float64"))

    def graph(self, dataset: str, backend: str, seed: int = 0) -> Graph | None:
        """The graph learned in a cell, without evidence; None if the cell has none."""
        row = self._cell(dataset, backend, seed)
        return None if row is None or row["graph"] is None else Graph.from_json(row["graph"])

    def log(self, dataset: str, backend: str, seed: int = 0) -> str:
        """The end of what a failed cell's method printed, or its traceback; empty for a cell that went well."""
        row = self._cell(dataset, backend, seed)
        return "" if row is None else str(row["log"] or "")

    def _cell(self, dataset: str, backend: str, seed: int) -> dict[str, Any] | None:
        for name, listed, what in ((dataset, "datasets", "data set"), (backend, "backends", "method")):
            there = self.settings[listed]
            known(name, there, f"{self.out} has no {what} {name!r}; it has {', '.join(there)}")
        wanted = (dataset, backend, seed)
        return next((r for r in self._cells if (r["dataset"], r["backend"], r["seed"]) == wanted), None)

    def truth(self, dataset: str, seed: int | None = None) -> Graph | None:
        """The true graph of a data set, None if unknown. ``seed`` matters where a seed draws the truth as well."""
        draws = sorted(self._drawn(dataset), key=lambda r: int(r["seed"]))
        mine = [r for r in draws if r["seed"] == seed] or draws
        return None if mine[0]["truth"] is None else Graph.from_json(mine[0]["truth"])

    def data(self, dataset: str) -> dict[str, Any]:
        """What is known of a data set: kind, text (rows and variables), sampled, card."""
        row, *_ = self._drawn(dataset)
        card = json.loads(row["card"])
        return {"kind": row["kind"], "text": row["text"], "sampled": bool(row["sampled"]), "card": card}

    def _drawn(self, dataset: str) -> list[dict[str, Any]]:
        known(dataset, {r["dataset"] for r in self._draws}, f"{self.out} has no data set {dataset!r}")
        return [r for r in self._draws if r["dataset"] == dataset]

    def summary(self) -> pd.DataFrame:
        """One row a (dataset, backend): means over the seeds that ended well, with 95 % intervals.

        For each metric and for seconds, cpu_seconds and peak_mb: ``X_mean``, ``X_low``, ``X_high``. The interval is
        Student's t for the mean over n seeds (clipped to the values the metric can take), NaN for fewer than two.
        On a sampled data set it says how well the mean over samples is known; on fixed data, where the seeds after 0
        are bootstrap resamples, how well the mean over resamples is known. ``n`` and one column for each status
        count the cells; ``incomplete`` those that ended at ``max_seconds`` with their best so far (they are in n).
        """
        names = [name for name in self.frame.columns if name in self.metrics] + list(COSTS)
        rows = []
        for (dataset, backend), cells in self.frame.groupby(["dataset", "backend"], sort=False):
            good = cells[cells["status"] == "ok"]
            row: dict[str, Any] = {"dataset": dataset, "backend": backend, "n": len(good)}
            for name in names:
                values = good[name].dropna().to_numpy(dtype=np.float64)
                found = student_interval(values, bounds=SHARE if name in SHARES else POSITIVE)
                row |= dict(zip((f"{name}_mean", f"{name}_low", f"{name}_high"), found, strict=True))
            row |= {status: int((cells["status"] == status).sum()) for status in STATUSES}
            row["incomplete"] = sum(1 for value in good["complete"] if value is False)
            rows.append(row)
        spread = [f"{name}_{part}" for name in names for part in ("mean", "low", "high")]
        return pd.DataFrame(rows, columns=["dataset", "backend", "n", *spread, *STATUSES, "incomplete"])

    def figures(self) -> dict[str, dict[str, Any]]:
        """Each figure by the name ``dataset/backend/metric``: mean, low, high, n, published, goal."""
        found: dict[str, dict[str, Any]] = {}
        good = self.frame[self.frame["status"] == "ok"]
        for row in self.summary().to_dict("records"):
            cells = good[(good["dataset"] == row["dataset"]) & (good["backend"] == row["backend"])]
            for name in [*self.metrics, *COSTS]:
                numbers = {part: _finite(row[f"{name}_{part}"]) for part in ("mean", "low", "high")}
                told = {**numbers, "n": int(cells[name].notna().sum()), "published": None, "goal": None}
                found[f"{row['dataset']}/{row['backend']}/{name}"] = told
        return found

    def save(self) -> None:
        """Write results.csv, summary.json and report.html beside results.sqlite."""
        from ..report import write_report

        write_atomic(self.out / "results.csv", sheet(self.frame))
        write_atomic(self.out / "summary.json", json.dumps(self.figures(), indent=1) + "\n")
        write_report(self, self.out / "report.html")

    def __repr__(self) -> str:
        counts = self.frame["status"].value_counts()
        told = ", ".join(f"{counts[status]} {status}" for status in STATUSES if status in counts)
        return f"Results({str(self.out)!r}: {told or 'no cells'})"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
