"""What a comparison found, read from its folder: the cells, the graphs, means with intervals, how to repeat it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import Array
from ..base.checks import file_name, known, number, whole
from ..discovery.register import registry
from ..errors import DataError
from ..graph import Graph
from ..graph.chance import Chance, draw_chance
from ..graph.confidence import Confidence
from ..graph.metrics import DEFINITIONS, SHARES
from ..report.publish import write_latex, write_markdown
from ..stats.intervals import POSITIVE, SHARE, student_interval
from ..storage.files import write_atomic
from ..storage.rows import sheet
from .labels import label
from .standing import Place, Ranks, choose_metric, edge_shares, is_control, place_methods, rank_over
from .store import FILE, STATUSES, Store

COSTS = ("seconds", "cpu_seconds", "peak_mb")


class Results:
    """The results in a folder, as they were when it was opened.

    A method with parameters is called like ``pc:alpha=0.05`` in ``frame``, ``summary`` and ``graph``.
    """

    def __init__(self, out: str | Path) -> None:
        self.out = file_name(out, "runs/compare")
        with closing(Store.open(out)) as store:
            self._cells, self._draws, self._runs = (store.rows(table) for table in ("cells", "draws", "runs"))
        try:
            for row in self._cells:
                row["method"], row["backend"] = row["backend"], label(row["backend"], json.loads(row["params"]))
                for name in ("metrics", "warnings", "versions"):
                    row[name] = json.loads(row[name])
                row["chance"] = row["metrics"].pop("chance", None)
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
        """The graph learned in a cell, at seed 0 with the evidence of its edges; None if the cell has none."""
        row = self._cell(dataset, backend, seed)
        return None if row is None or row["graph"] is None else Graph.from_json(row["graph"])

    def log(self, dataset: str, backend: str, seed: int = 0) -> str:
        """The end of what a failed cell's method printed, or its traceback; empty for a cell that went well."""
        row = self._cell(dataset, backend, seed)
        return "" if row is None else str(row["log"] or "")

    def _check(self, dataset: str, backend: str) -> None:
        for name, listed, what in ((dataset, "datasets", "data set"), (backend, "backends", "method")):
            there = self.settings[listed]
            known(name, there, f"{self.out} has no {what} {name!r}; it has {', '.join(there)}")

    def _cell(self, dataset: str, backend: str, seed: int) -> dict[str, Any] | None:
        self._check(dataset, backend)
        return self._by_key.get((dataset, backend, whole("seed", seed, 0)))

    @cached_property
    def _by_key(self) -> dict[tuple[str, str, int], dict[str, Any]]:
        return {(r["dataset"], r["backend"], r["seed"]): r for r in self._cells}

    def truth(self, dataset: str, seed: int | None = None) -> Graph | None:
        """The true graph of a data set, None if unknown. ``seed`` matters where a seed draws the truth as well."""
        draws = sorted(self._drawn(dataset), key=lambda r: int(r["seed"]))
        mine = [r for r in draws if seed is not None and r["seed"] == whole("seed", seed, 0)] or draws
        return None if mine[0]["truth"] is None else _read_graph(mine[0]["truth"])

    def data(self, dataset: str) -> dict[str, Any]:
        """What is known of a data set: kind, text (rows and variables), sampled, card."""
        row, *_ = self._drawn(dataset)
        card = json.loads(row["card"])
        return {"kind": row["kind"], "text": row["text"], "sampled": bool(row["sampled"]), "card": card}

    def _drawn(self, dataset: str) -> list[dict[str, Any]]:
        known(dataset, self._by_dataset, f"{self.out} has no data set {dataset!r}")
        return self._by_dataset[dataset]

    @cached_property
    def _by_dataset(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._draws:
            found.setdefault(row["dataset"], []).append(row)
        return found

    def chance(self, dataset: str, backend: str, seed: int = 0) -> Chance | None:
        """What random graphs of the size of a cell's answer score; None without a truth or a graph.

        Drawn when the cell was scored; for a folder of an older version, drawn now.
        """
        row = self._cell(dataset, backend, seed)
        if row is None or row["graph"] is None or row["status"] != "ok":
            return None
        if row["chance"] is None:
            truth, learned = self.truth(dataset, seed), self.graph(dataset, backend, seed)
            if truth is None or learned is None:
                return None
            found = draw_chance(truth, learned, np.random.default_rng([seed, 0xC4A1CE]))
            row["chance"] = None if found is None else found.as_scored(row["metrics"]).to_dict()
        return None if row["chance"] is None else Chance.from_dict(row["chance"])

    def claims(self, backend: str) -> str:
        """What kind of graph a method gives: dag, digraph, cpdag or pag; of a function, as its answers are."""
        known(backend, self.settings["backends"], f"{self.out} has no method {backend!r}")
        method = registry().get(backend.partition(":")[0])
        return method.gives if method is not None else self._answers[backend]

    @cached_property
    def _answers(self) -> dict[str, str]:
        """The kind of graph that the answers of each method are."""
        found: dict[str, str] = {}
        for row in self._cells:
            graph = None if row["graph"] is None else Graph.from_json(row["graph"])
            if graph is not None and found.get(row["backend"]) != "pag":
                open_ends = "cpdag" if graph.undirected else "dag"
                kind = "pag" if graph.marks is not None else open_ends
                found[row["backend"]] = max(kind, found.get(row["backend"], "dag"), key=("dag", "cpdag", "pag").index)
        return {row["backend"]: found.get(row["backend"], "dag") for row in self._cells}

    @cached_property
    def places(self) -> dict[str, list[Place]]:
        """For each data set the methods in the order of what ranks them, with the chance band of each answer."""
        return {name: place_methods(self, name) for name in dict.fromkeys(self.frame["dataset"])}

    def ranking(self) -> pd.DataFrame:
        """``places`` as one table: a row a (dataset, backend), columns as in :class:`causalnet.comparison.standing.Place`."""
        rows = [asdict(place) for found in self.places.values() for place in found]
        return pd.DataFrame(rows, columns=[field.name for field in fields(Place)])

    @cached_property
    def rules(self) -> dict[str, str]:
        """What ranks the methods of each data set that has scores, in words."""
        return {name: choose_metric(self, name)[1] for name, found in self.places.items() if found}

    @cached_property
    def ranks(self) -> Ranks:
        """Mean ranks over the data sets with Friedman's test and Nemenyi's critical difference, where there are enough."""
        return rank_over(self, self.places)

    def edge_shares(self, dataset: str, backend: str) -> Array | None:
        """(d, d) share of the other seeds' answers that join a pair: of resamples on fixed data, of samples where all have one
        truth; None without such."""
        self._check(dataset, backend)
        rows = [r for r in self._by_dataset.get(dataset, []) if r["seed"] != 0]
        if rows and rows[0]["sampled"] and len({r["truth"] for r in self._by_dataset[dataset]}) > 1:
            return None
        return edge_shares(self, dataset, backend, [int(r["seed"]) for r in rows])

    def consensus(self, dataset: str, threshold: float = 0.5, seed: int = 0) -> Graph:
        """The pairs that at least this share of the methods joins, controls left out; ``weight`` holds the votes as shares."""
        methods = [b for b in self.settings["backends"] if not is_control(b)]
        found = [graph for b in methods if (graph := self.graph(dataset, b, seed)) is not None]
        if not found:
            raise DataError(f"no method but controls has a graph of {dataset!r}, seed {seed}; there is nothing to vote")
        return Confidence.count(found).graph(number("threshold", threshold, 0.0, 1.0))

    def to_markdown(self) -> str:
        """The ranking as Markdown tables, one a data set, with the rule that ranks and what the columns mean."""
        return write_markdown(self)

    def to_latex(self) -> str:
        """The ranking as LaTeX tables, one a data set; they need no package."""
        return write_latex(self)

    def summary(self) -> pd.DataFrame:
        """One row a (dataset, backend): scores with 95 % intervals. For each metric and for seconds, cpu_seconds
        and peak_mb: ``X_mean``, ``X_low``, ``X_high``.

        of: what the scores are of. "samples": means over seeds, each of which draws a sample, with Student's interval
        for the mean (clipped to the values the metric can take; NaN for fewer than two). "data": fixed data; the scores
        of seed 0, the data itself, without interval: the seeds after 0 are bootstrap resamples, which tell how stable
        an answer is (``resampled``, ``kept`` of :meth:`ranking`) and are never part of its accuracy. "resamples": means over
        resamples, where seed 0 was not run or did not end well. Costs are means over all seeds.
        ``n`` and one column for each status count the cells; ``incomplete`` those that ended at ``max_seconds`` with
        their best so far (they are in n).
        """
        return self._summary.copy()

    @cached_property
    def _counted(self) -> dict[tuple[str, str], dict[str, Array]]:
        """(dataset, backend) -> the values of each metric and cost over the cells that count."""
        names = [name for name in self.frame.columns if name in self.metrics] + list(COSTS)
        table, seed = self.frame[names].to_numpy(dtype=np.float64), self.frame["seed"].to_numpy()
        good = (self.frame["status"] == "ok").to_numpy()
        found: dict[tuple[str, str], dict[str, Array]] = {}
        groups: Any = self.frame.groupby(["dataset", "backend"], sort=False).indices
        for key, rows in groups.items():
            all_of = rows[good[rows]]
            own = all_of[seed[all_of] == 0] if self._of(key[0], seed[all_of]) == "data" else all_of
            columns = {name: table[all_of if name in COSTS else own, k] for k, name in enumerate(names)}
            found[key] = {name: values[~np.isnan(values)] for name, values in columns.items()}
        return found

    def _of(self, dataset: str, seeds: Any) -> str:
        """What the scores of cells with these seeds are of."""
        sampled = dataset in self._by_dataset and self.data(dataset)["sampled"]
        return "samples" if sampled else "data" if 0 in seeds else "resamples"

    @cached_property
    def _summary(self) -> pd.DataFrame:
        names = [name for name in self.frame.columns if name in self.metrics] + list(COSTS)
        rows = []
        for key, cells in self.frame.groupby(["dataset", "backend"], sort=False):
            dataset, backend = map(str, key)
            good = cells[cells["status"] == "ok"]
            of = self._of(dataset, good["seed"].to_numpy())
            row: dict[str, Any] = {"dataset": dataset, "backend": backend, "n": len(good), "of": of}
            for name, values in self._counted[dataset, backend].items():
                found = student_interval(values, bounds=SHARE if name in SHARES else POSITIVE)
                row |= dict(zip((f"{name}_mean", f"{name}_low", f"{name}_high"), found, strict=True))
            row |= {status: int((cells["status"] == status).sum()) for status in STATUSES}
            row["incomplete"] = sum(1 for value in good["complete"] if value is False)
            rows.append(row)
        spread = [f"{name}_{part}" for name in names for part in ("mean", "low", "high")]
        return pd.DataFrame(rows, columns=["dataset", "backend", "n", "of", *spread, *STATUSES, "incomplete"])

    def figures(self) -> dict[str, dict[str, Any]]:
        """Each figure by the name ``dataset/backend/metric``: mean, low, high, n, published, goal.

        Beside the score that ranks, ``dataset/backend/metric by chance`` (mean, 5 % and 95 % of random graphs of the
        answer's size) and ``dataset/backend/metric, p``.
        """
        found: dict[str, dict[str, Any]] = {}
        places = {(p.dataset, p.backend): p for ranked in self.places.values() for p in ranked}
        for row in self.summary().to_dict("records"):
            counted = self._counted[row["dataset"], row["backend"]]
            place = places.get((row["dataset"], row["backend"]))
            for name in [*self.metrics, *COSTS]:
                numbers = {part: _finite(row[f"{name}_{part}"]) for part in ("mean", "low", "high")}
                told = {**numbers, "n": len(counted[name]), "published": None, "goal": None}
                found[f"{row['dataset']}/{row['backend']}/{name}"] = told
            if place is not None:
                empty = {"low": None, "high": None, "n": place.n, "published": None, "goal": None}
                band = zip(("mean", "low", "high"), (place.chance, place.chance_low, place.chance_high), strict=True)
                what = f"{row['dataset']}/{row['backend']}/{place.metric}"
                found[f"{what} by chance"] = {**empty, **{part: _finite(v) for part, v in band}}
                found[f"{what}, p"] = {**empty, "mean": _finite(place.p)}
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


@lru_cache(maxsize=64)
def _read_graph(text: str) -> Graph:
    return Graph.from_json(text)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
