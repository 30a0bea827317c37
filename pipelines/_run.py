"""What the pipelines share: options, a resumable table of runs, figures with their goals, and a small report."""

from __future__ import annotations

import argparse
import csv
import html
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from scipy import stats

from causalnet.report import Chart, Curve

Row = dict[str, Any]


def options(description: str, out: str) -> argparse.ArgumentParser:
    """The options that every pipeline takes; a quick run goes to a folder of its own."""

    class Quick(argparse.Action):
        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            namespace.quick = True
            if namespace.out == Path(out):
                namespace.out = Path(f"{out}-quick")

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action=Quick, nargs=0, default=False, help="a small version for a first look and for tests"
    )
    parser.add_argument(
        "--seeds", type=positive, default=None, metavar="N", help="number of seeds (default: the pipeline's own)"
    )
    parser.add_argument("--out", type=Path, default=Path(out), metavar="DIR", help=f"where results go (default {out})")
    return parser


def positive(text: str) -> int:
    """A whole number from 1 on, as an option's type."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


class Table:
    """results.csv of a pipeline: the rows of a finished cell appear together or not at all, whatever ends the run."""

    def __init__(self, folder: Path, columns: Sequence[str], quick: bool | None = None) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SystemExit(f"{folder} cannot be made: {error.strerror}; choose another --out") from error
        if quick is not None:
            _claim(folder, quick)
        self.path, self.columns = folder / "results.csv", ["cell", *columns]
        self.rows: list[Row] = []
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                self.rows = list(reader)
            if reader.fieldnames != self.columns:
                raise SystemExit(f"{self.path} has other columns than this pipeline writes; choose another --out")

    def has(self, cell: str) -> bool:
        """Are the rows of this cell there?"""
        return any(row["cell"] == cell for row in self.rows)

    def add(self, cell: str, rows: Sequence[Row]) -> None:
        """Keep the rows of one finished cell: the file is replaced whole."""
        for row in rows:
            full = {"cell": cell, **row}
            self.rows.append({c: "" if full.get(c) is None else str(full[c]) for c in self.columns})
        new = self.path.with_suffix(".new")
        with new.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(self.rows)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def numbers(self, column: str, **key: Any) -> list[float]:
        """The values of a column over the rows with this key."""
        rows = [r for r in self.rows if all(str(r[k]) == str(v) for k, v in key.items())]
        return [float(r[column]) for r in rows if r[column] != ""]


def _claim(folder: Path, quick: bool) -> None:
    """Note whether a folder holds a quick run; the two kinds never mix."""
    note = folder / "plan.json"
    if note.exists() and is_quick(folder) != quick:
        raise SystemExit(f"{folder} holds a {'full' if quick else 'quick'} run; choose another --out")
    note.write_text(json.dumps({"quick": quick}) + "\n", encoding="utf-8")


def is_quick(folder: Path) -> bool:
    """Does this folder hold a quick run?"""
    note = folder / "plan.json"
    try:
        return note.exists() and bool(json.loads(note.read_text(encoding="utf-8"))["quick"])
    except (ValueError, KeyError, TypeError) as error:
        raise SystemExit(
            f'{note} is damaged; write {{"quick": true}} or {{"quick": false}} into it, or choose another --out'
        ) from error


def figure(
    values: Iterable[float], goal: str = "", published: float | None = None, ratio: bool = False
) -> dict[str, Any]:
    """Mean and 95 % Student interval over the n runs that have a finite value, for summary.json; of logarithms for a ratio."""
    x = np.array([v for v in values if math.isfinite(v)], dtype=float)
    x = np.log(x) if ratio else x
    mean = float(x.mean()) if len(x) else None
    half = float(stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x))) if len(x) > 1 else None
    low, high = (mean - half, mean + half) if mean is not None and half is not None else (None, None)
    if ratio:
        mean, low, high = (None if v is None else math.exp(v) for v in (mean, low, high))
    return {"mean": mean, "low": low, "high": high, "n": len(x), "published": published, "goal": goal}


def band(x: Sequence[float], values: np.ndarray, floor: float = -math.inf) -> Curve:
    """Mean and 95 % Student band of values (runs, points), cut where no value can be; no band of fewer than three runs."""
    mean, n = values.mean(axis=0), len(values)
    if n < 3:
        return Curve(x, mean)
    half = stats.t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n)
    return Curve(x, mean, np.maximum(mean - half, floor), mean + half)


def met(item: Row) -> bool | None:
    """Does the mean reach its goal? None without a goal or a value."""
    if not item["goal"] or item["mean"] is None:
        return None
    sign, _, text = item["goal"].partition(" ")
    return {">=": item["mean"] >= float(text), "<=": item["mean"] <= float(text), "==": item["mean"] == float(text)}[
        sign
    ]


def finish(
    folder: Path,
    title: str,
    figures: dict[str, Row],
    notes: Sequence[str],
    rows: Sequence[Row],
    charts: Sequence[Chart] = (),
) -> None:
    """Write summary.json and report.html (figures, charts, runs), and print the figures; a quick run has no goals."""
    if is_quick(folder):
        title = f"{title} (quick run)"
        notes = ["A quick run: few seeds, short training. Its figures show that it works, and nothing else.", *notes]
        figures = {name: {**item, "goal": ""} for name, item in figures.items()}
    (folder / "summary.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if is_quick(folder):
        figures = {name: item for name, item in figures.items() if item["mean"] is not None}
    (folder / "report.html").write_text(_report(title, figures, notes, rows, charts), encoding="utf-8")
    width = max(map(len, figures), default=0)
    for name, item in figures.items():
        state = {True: "reached", False: "NOT reached", None: ""}[met(item)]
        print(f"{name:<{width}}  {_value(item):>26}  {item['goal']:>10}  {state}")
    print(f"\n{folder / 'report.html'}")


def complete(table: Table, cells: Mapping[str, Callable[[], Sequence[Row]]], label: str) -> None:
    """Run the cells that are not yet in the table, in their order; each gives its rows."""
    for name in steps([name for name in cells if not table.has(name)], label):
        table.add(name, cells[name]())


def steps(items: Sequence[Any], label: str) -> Iterator[Any]:
    """Iterate with a progress bar and an estimate on standard error."""
    from rich.console import Console

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )  # fmt: skip
    with bar:
        task = bar.add_task(label, total=len(items))
        for item in items:
            bar.update(task, description=str(item) if isinstance(item, str) else label)
            yield item
            bar.advance(task)
        bar.update(task, description=label)


def _value(item: Row) -> str:
    if item["mean"] is None:
        return "no value"
    spread = "" if item["low"] is None else f" [{item['low']:.4g}, {item['high']:.4g}]"
    return f"{item['mean']:.4g}{spread}"


_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums;font-size:.9rem}th,td{padding:.3rem .7rem;
border-bottom:1px solid #ccc;text-align:right}th:first-child,td:first-child{text-align:left}figure{margin:2rem 0}thead th{border-bottom:2px solid #555}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181a1b}th,td{border-color:#444}}"""


def _report(
    title: str, figures: dict[str, Row], notes: Sequence[str], rows: Sequence[Row], charts: Sequence[Chart]
) -> str:
    e = html.escape
    words = {True: "reached", False: "not reached", None: ""}
    top = [
        {"figure": k, "mean [95 % interval]": _value(v), "n": v["n"], "published": v["published"], "goal": v["goal"],
         " ": words[met(v)]}
        for k, v in figures.items()
    ]  # fmt: skip
    kinds: dict[str, list[Row]] = {}
    for row in rows:  # a table for each value of the first column
        first, *rest = [(k, v) for k, v in row.items() if k != "cell"]
        kinds.setdefault(str(first[1]), []).append(dict(rest))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{e(title)}</title><style>{_STYLE}</style><h1>{e(title)}</h1>"
        + "".join(f"<p>{e(note)}</p>" for note in notes)
        + "".join(f"<figure>{c.svg}</figure>" for c in charts)
        + "<h2>Figures</h2><p>n: the values behind a mean and its interval; 1 where all runs give one number, "
        f"such as the worst or a count.</p>{_table(top, str)}<h2>Runs</h2>"
        + "".join(f"<h3>{e(kind)}</h3>{_table(found, _short)}" for kind, found in kinds.items())
    )


def _table(rows: Sequence[Row], show: Callable[[Any], str]) -> str:
    """Rows as a table, without the columns that are empty in all of them."""
    cells = [{k: "" if v is None else show(v) for k, v in row.items()} for row in rows]
    columns = [k for k in (cells[0] if cells else {}) if any(row[k] for row in cells)]
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(row[c])}</td>" for c in columns) + "</tr>" for row in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _short(value: Any) -> str:
    try:
        return "" if math.isnan(float(value)) else f"{float(value):.5g}"
    except (TypeError, ValueError):
        return str(value)
