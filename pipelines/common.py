"""What the pipelines share: options, one loop over cells, typed rows, figures with their goals, and the report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from causalnet.base.arrays import Array
from causalnet.errors import CausalnetError, DataError
from causalnet.report import Chart, write_run_report
from causalnet.report.summary import met, shown
from causalnet.storage.files import write_atomic
from causalnet.storage.folder import RunFolder, alone_in
from causalnet.storage.rows import WAIT, Row, Table

QUICK = "A quick run: few seeds, short training. Its figures show that it works, and nothing else."
Cells = Mapping[str, Callable[[], Iterable[Any]]]  # name of a cell -> function that gives its rows


def options(about: str | None, out: str) -> argparse.ArgumentParser:
    """The options that every pipeline takes, described by the first line of its docstring; a quick run has its own folder."""

    class Quick(argparse.Action):
        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            namespace.quick = True
            if namespace.out == Path(out):
                namespace.out = Path(f"{out}-quick")

    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    add = parser.add_argument
    add("--quick", action=Quick, nargs=0, default=False, help="a small version for a first look and for tests")
    add("--seeds", type=positive, default=None, metavar="N", help="number of seeds (default: the pipeline's own)")
    add("--out", type=Path, default=Path(out), metavar="DIR", help=f"where results go (default {out})")
    return parser


def positive(text: str) -> int:
    """A whole number from 1 on, as an option's type."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


# ---- cells and rows ------------------------------------------------------------------------------------------


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """What the package refuses ends the program with its sentence; around some lines, or as a decorator."""
    try:
        yield
    except CausalnetError as error:
        raise SystemExit(str(error)) from error


@in_a_sentence()
def open_table(folder: Path, row: type, quick: bool | None = None, more: Sequence[str] = ()) -> Table:
    """results.csv in the folder of a run, with the cells that are done: a column a field of the dataclass ``row``, and
    ``more`` columns of numbers. quick: noted in the folder, so that quick runs and full ones never mix."""
    with alone_in(folder, WAIT):
        if quick is not None:
            was = (_plan(folder).told() or {}).get("quick", quick)
            if was != quick:
                raise DataError(f"{folder} holds a {'quick' if was else 'full'} run; choose another folder")
            _plan(folder).tell({"quick": quick})
    texts = [f.name for f in fields(row) if f.type == "str"]
    return Table(folder, [*(f.name for f in fields(row)), *more], texts)


def _plan(folder: Path) -> RunFolder:
    return RunFolder(folder, "plan.json", "causalnet.pipeline/1", unmarked=True)


def complete(table: Table, cells: Cells, label: str, jobs: int = 1) -> None:
    """Run the cells that are not yet in the table, in their order, ``jobs`` at once; each gives its rows, as dataclasses or dictionaries."""
    missing = [name for name in cells if not table.has(name)]
    if jobs == 1:
        done: Iterable[Any] = ((name, cells[name]()) for name in steps(missing, label))
    else:
        work = joblib.Parallel(jobs, return_as="generator_unordered")
        found = work(joblib.delayed(lambda name, cell: (name, list(cell())))(name, cells[name]) for name in missing)
        done = steps(found, label, len(missing))
    for name, rows in done:
        with in_a_sentence():
            table.add(name, [asdict(row) if is_dataclass(row) else row for row in rows])  # type: ignore[call-overload]


@dataclass(frozen=True)
class Task:
    """A function of (problem, seed) that gives rows, its problems with their numbers of seeds, and those of a quick run."""

    rows: Callable[[Any, int], Iterable[Any]]
    problems: Sequence[tuple[Any, int]]
    quick: Sequence[tuple[Any, int]]

    def cells(self, name: str, quick: bool, seeds: int | None) -> dict[str, Callable[[], Any]]:
        """A cell for each problem and seed, whose rows are marked with the task's name and the seed."""

        def run(problem: Any, seed: int) -> list[Any]:
            return [replace(row, task=name, seed=seed) for row in self.rows(problem, seed)]

        problems = [(p, min(n, seeds or n)) for p, n in (self.quick if quick else self.problems)]
        return {f"{name} {p} {seed}": partial(run, p, seed) for p, n in problems for seed in range(n)}


def run_tasks(table: Table, tasks: Mapping[str, Task], args: argparse.Namespace, label: str) -> None:
    """Run what is missing of the tasks, of those that --only names where the pipeline has it (:func:`only`)."""
    cells: dict[str, Any] = {}
    for name in getattr(args, "only", None) or tasks:
        cells |= tasks[name].cells(name, args.quick, args.seeds)
    complete(table, cells, label)


def only(parser: argparse.ArgumentParser, tasks: Iterable[str]) -> None:
    """The option --only: some of the tasks by name."""
    names = list(tasks)

    def some(text: str) -> list[str]:
        wanted = text.split(",")
        if unknown := sorted(set(wanted) - set(names)):
            raise SystemExit(f"no such task: {', '.join(unknown)}; there are {', '.join(names)}")
        return wanted

    parser.add_argument("--only", type=some, help="comma-separated tasks: " + ", ".join(names))


def steps(items: Iterable[Any], label: str, total: int | None = None) -> Iterator[Any]:
    """Iterate with a progress bar and an estimate on standard error."""
    from rich.console import Console

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(label, total=len(items) if isinstance(items, Sequence) else total)
        for item in items:
            bar.update(task, description=str(item) if isinstance(item, str) else label)
            yield item
            bar.advance(task)
        bar.update(task, description=label)


def select(table: Table, **key: Any) -> list[Row]:
    """The rows with this key."""
    return [row for row in table.rows if all(row[name] == value for name, value in key.items())]


def mark(episodes: int, *values: float, digits: int = 4) -> str:
    """A point of a curve, as it stands in a row: '500:0.1234:0.0321'."""
    return ":".join([str(episodes), *(f"{v:.{digits}f}" for v in values)])


def curves(rows: Sequence[Row], column: int = 0) -> tuple[Array, Array]:
    """Points of the curves of these rows: x (points,) and a value of each (runs, points), of those of the full length."""
    runs = [np.array([point.split(":") for point in row["curve"].split()], dtype=float) for row in rows]
    length = max(map(len, runs))
    whole = np.array([run for run in runs if len(run) == length])
    return whole[0, :, 0], whole[:, :, 1 + column]


def peak_memory() -> float:
    """The most memory that this process has had, in GiB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS, in KiB elsewhere
    return peak / (2**30 if sys.platform == "darwin" else 2**20)


# ---- what a run leaves ---------------------------------------------------------------------------------------


@in_a_sentence()
def finish(
    folder: Path,
    title: str,
    figures: dict[str, Row],
    notes: Sequence[str],
    rows: Sequence[Row],
    charts: Sequence[Chart] = (),
) -> dict[str, Row]:
    """Write summary.json and report.html (figures, charts, runs), and print the figures; a quick run has no goals."""
    rows = [{name: cell for name, cell in row.items() if name != "curve"} for row in rows]  # drawn, not listed
    quick, told = bool((_plan(folder).told() or {}).get("quick")), figures
    if quick:
        title, told = f"{title} (quick run)", {name: {**item, "goal": ""} for name, item in figures.items()}
    write_atomic(folder / "summary.json", json.dumps(told, indent=1) + "\n")
    if quick:
        told = {name: item for name, item in told.items() if item["mean"] is not None}
    write_run_report(folder / "report.html", title, told, notes, rows, charts, QUICK if quick else "")
    width = max(map(len, told), default=0)
    for name, item in told.items():
        state = {True: "reached", False: "NOT reached", None: ""}[met(item)]
        print(f"{name:<{width}}  {shown(item):>26}  {item['goal']:>10}  {state}")
    print(f"\n{folder / 'report.html'}")
    return figures
