"""What the pipelines share: options, a resumable table of runs, figures with their goals, and a small report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from causalnet.report import Chart
from causalnet.report.html import write_run_report
from causalnet.report.summary import band, figure, met, shown
from causalnet.storage.rows import Row, Table, is_quick


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
    write_run_report(folder / "report.html", title, figures, notes, rows, charts)
    width = max(map(len, figures), default=0)
    for name, item in figures.items():
        state = {True: "reached", False: "NOT reached", None: ""}[met(item)]
        print(f"{name:<{width}}  {shown(item):>26}  {item['goal']:>10}  {state}")
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
