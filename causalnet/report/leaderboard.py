"""Tables of the comparison report: from a results frame to rows of plain text and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .plots import whisker
from .values import number

# key, heading, digits, whether more is better
COLUMNS: tuple[tuple[str, str, int, bool], ...] = (
    ("f1", "F1", 3, True),
    ("precision", "Precision", 3, True),
    ("recall", "Recall", 3, True),
    ("cpdag_f1", "CPDAG F1", 3, True),
    ("skeleton_f1", "Skeleton F1", 3, True),
    ("shd", "SHD", 1, False),
    ("cpdag_shd", "CPDAG SHD", 1, False),
    ("seconds", "Seconds", 3, False),
)
CONTROLS = frozenset({"random", "empty"})
STATUS_WORDS = {
    "failed": "failed",
    "timeout": "out of time",
    "not applicable": "not applicable",
    "not installed": "not installed",
}


@dataclass(frozen=True)
class Stat:
    """Mean with its 95 % interval; not-a-number where there is none."""

    mean: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """The mean as printed."""
        return number(self.mean, digits)

    def interval(self, digits: int) -> str:
        """'0.41 – 0.56', or nothing."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return ""
        return f"{number(self.low, digits)} – {number(self.high, digits)}"


def stat(row: Mapping[str, Any], metric: str) -> Stat:
    """The three columns of one metric in a row of ``Results.summary()``."""
    values = [row.get(f"{metric}_{part}") for part in ("mean", "low", "high")]
    if values[0] is None:
        values[0] = row.get(metric)
    return Stat(*(math.nan if value is None else float(value) for value in values))


@dataclass(frozen=True)
class Line:
    """One method on one data set: rank, name, tags, the plot and (text, interval, sort value) of each column."""

    rank: int | None
    backend: str
    tags: tuple[str, ...]
    plot: str
    cells: tuple[tuple[str, str, float], ...]
    f1: Stat
    n: int


def lines(results: Any, dataset: str, scored: bool) -> list[Line]:
    """The leaderboard of a data set, best F1 first; methods without one finished cell are left to ``troubles``."""
    summary = results.summary()
    rows = summary[(summary["dataset"] == dataset) & (summary["n"] > 0)].to_dict("records")

    def key(row: dict[str, Any]) -> tuple[float, float, str]:
        f1, seconds = stat(row, "f1").mean, stat(row, "seconds").mean
        return (-f1 if math.isfinite(f1) else 1.0, seconds if math.isfinite(seconds) else math.inf, row["backend"])

    found = []
    for rank, row in enumerate(sorted(rows, key=key), start=1):
        f1 = stat(row, "f1")
        name = str(row["backend"])
        label = f"{name}: F1 {f1.text(3)}" + (f", 95 % interval {f1.interval(3)}" if f1.interval(3) else "")
        columns = [(c, stat(row, c[0])) for c in COLUMNS if scored or c[0] == "seconds"]
        found.append(
            Line(
                rank if scored else None,
                name,
                _tags(row),
                whisker(f1.mean, f1.low, f1.high, label) if scored else "",
                tuple((s.text(c[2]), s.interval(c[2]), s.mean) for c, s in columns),
                f1,
                row["n"],
            )
        )
    return found


def _tags(row: Mapping[str, Any]) -> tuple[str, ...]:
    done, cells = row["n"], row["n"] + sum(row[status] for status in STATUS_WORDS)
    tags = ["control"] if row["backend"].partition(":")[0] in CONTROLS else []
    if done < cells:
        tags.append(f"{done} of {cells} seeds")
    if row["incomplete"]:
        tags.append(f"stopped by the time limit: {row['incomplete']} of {done}")
    return tuple(tags)


@dataclass(frozen=True)
class Trouble:
    """Cells of one method that have no score, for one reason."""

    backend: str
    status: str
    reason: str
    seeds: str
    bad: bool


def troubles(results: Any, dataset: str) -> list[Trouble]:
    """Everything that did not finish, in words; a method that does not take the data is no failure."""
    frame = results.frame[results.frame["dataset"] == dataset]
    cells, found = frame["backend"].value_counts(), []
    bad = frame[frame["status"] != "ok"].groupby(["backend", "status", "reason"], sort=False, dropna=False)
    for (backend, status, reason), rows in bad:
        why = reason if reason and isinstance(reason, str) else "no reason was recorded"
        seeds = "all seeds" if len(rows) == cells[backend] else f"seed {', '.join(map(str, sorted(rows['seed'])))}"
        found.append(Trouble(backend, STATUS_WORDS.get(status, status), why, seeds, status in ("failed", "timeout")))
    return found


def glance(results: Any, datasets: list[str], scored: list[str]) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Methods x data sets: mean F1 or the status in words, and whether it is the best of its data set."""
    boards = {name: {line.backend: line.f1.mean for line in lines(results, name, True)} for name in scored}
    best = {name: max(filter(math.isfinite, board.values()), default=math.nan) for name, board in boards.items()}
    status = {(r["dataset"], r["backend"]): r["status"] for r in results.frame.to_dict("records")}
    table = []
    for backend in dict.fromkeys(results.frame["backend"]):
        row = []
        for name in datasets:
            value = boards.get(name, {}).get(backend, math.nan)
            if math.isfinite(value):
                row.append((number(value, 3), value == best[name] and value > 0))
            else:
                word = status.get((name, backend), "")
                row.append((STATUS_WORDS.get(word, "no truth" if word == "ok" else "–"), False))
        table.append((str(backend), row))
    return table
