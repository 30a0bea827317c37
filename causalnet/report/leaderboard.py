"""Tables of the comparison report: from a results frame to rows of plain text and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .plots import whisker
from .publish import METRIC_NAMES as METRICS
from .publish import p_text
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
    ("arrowhead_f1", "Arrowhead F1", 3, True),
    ("tail_f1", "Tail F1", 3, True),
    ("pag_shd", "PAG SHD", 1, False),
    ("seconds", "Seconds", 3, False),
)
MARKS = frozenset({"arrowhead_f1", "tail_f1", "pag_shd"})  # shown where a graph has end marks
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
    """One method on one data set: rank, name, tags, the plot and (text, interval, sort value) of each column.

    better: better than chance, and best or not told apart from the best. chance: texts of the columns of ``CHANCE``.
    """

    rank: str
    backend: str
    tags: tuple[str, ...]
    plot: str
    cells: tuple[tuple[str, str, float], ...]
    value: Stat
    n: int
    chance: tuple[tuple[str, float], ...] = ()
    better: bool = False
    control: bool = False


CHANCE = (
    ("Chance", "mean and 95 % point of random graphs with as many edges as the answer"),
    (
        "p",
        "of doing as well by chance: against those graphs and against the answer with shuffled names, the larger one",
    ),
    ("p pairs", "the same, of the pairs alone"),
    ("p directions", "of directing as many of the right pairs rightly by a random order"),
)


def columns_of(summary: Any) -> tuple[tuple[str, str, int, bool], ...]:
    """The columns of a page with this summary: those of end marks where a graph of it has some."""
    marked = any(summary[f"{key}_mean"].notna().any() for key in MARKS if f"{key}_mean" in summary)
    return tuple(column for column in COLUMNS if marked or column[0] not in MARKS)


def lines(results: Any, dataset: str, scored: bool) -> list[Line]:
    """The leaderboard of a data set, best first by what ranks it; methods without one finished cell are left to ``troubles``."""
    summary = results.summary()
    rows = {r["backend"]: r for r in summary[(summary["dataset"] == dataset) & (summary["n"] > 0)].to_dict("records")}
    places = results.places.get(dataset, []) if scored else []
    columns = columns_of(summary)
    found = [_ranked(rows[place.backend], place, columns) for place in places if place.backend in rows]
    left = [row for name, row in rows.items() if name not in {place.backend for place in places}]
    left.sort(key=lambda row: (stat(row, "seconds").mean, row["backend"]))
    return [*found, *(_unranked(row, scored, columns) for row in left)]


def _ranked(row: Mapping[str, Any], place: Any, columns: tuple[Any, ...]) -> Line:
    value = Stat(place.value, place.low, place.high)
    name = METRICS[place.metric]
    label = f"{place.backend}: {name} {value.text(3)}" + (
        f", 95 % interval {value.interval(3)}" if value.interval(3) else ""
    )
    band = (place.chance_low, place.chance_high)
    if math.isfinite(place.chance):
        label += f"; random graphs of its size {number(band[0], 3)} to {number(band[1], 3)}; p {p_text(place.p)}"
    spread = f"{number(place.chance, 3)}, {number(place.chance_high, 3)}" if math.isfinite(place.chance) else "–"
    chance = [(spread, place.chance), *((p_text(v), v) for v in (place.p, place.p_skeleton, place.p_orientation))]
    tags = list(_tags(row))
    if math.isfinite(place.kept):
        tags.append(f"resamples keep {place.kept:.0%} of its pairs")
    rank = "" if place.rank is None else f"{place.rank}{'=' if place.tied and place.rank > 1 else ''}"
    return Line(
        rank,
        place.backend,
        tuple(tags),
        whisker(value.mean, value.low, value.high, label, band, place.orders_high),
        _columns(row, True, columns),
        value,
        row["n"],
        tuple(chance),
        place.better and bool(place.tied or place.rank == 1),
        place.control,
    )


def _unranked(row: Mapping[str, Any], scored: bool, columns: tuple[Any, ...]) -> Line:
    control = row["backend"].partition(":")[0] in CONTROLS
    empty = (("–", math.nan),) * len(CHANCE) if scored else ()
    nothing = Stat(math.nan, math.nan, math.nan)
    return Line(
        "", row["backend"], _tags(row), "", _columns(row, scored, columns), nothing, row["n"], empty, control=control
    )


def _columns(row: Mapping[str, Any], scored: bool, columns: tuple[Any, ...]) -> tuple[tuple[str, str, float], ...]:
    found = [(c, stat(row, c[0])) for c in columns if scored or c[0] == "seconds"]
    return tuple((s.text(c[2]), s.interval(c[2]), s.mean) for c, s in found)


def _tags(row: Mapping[str, Any]) -> tuple[str, ...]:
    done, cells = row["n"], row["n"] + sum(row[status] for status in STATUS_WORDS)
    tags = ["control"] if row["backend"].partition(":")[0] in CONTROLS else []
    if done < cells:
        tags.append(f"{done} of {cells} seeds")
    if row["incomplete"]:
        tags.append(f"stopped by the time limit: {row['incomplete']} of {done}")
    if row["of"] == "resamples":
        tags.append("seed 0, the data itself, is missing: means over resamples")
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


def glance(results: Any, datasets: list[str]) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Methods x data sets: what ranks there, or the status in words, and whether it is starred."""
    places = {(p.dataset, p.backend): p for found in results.places.values() for p in found}
    status = {
        (r["dataset"], r["backend"]): r["status"]
        for r in results.frame[["dataset", "backend", "status"]].to_dict("records")
    }
    table = []
    for backend in dict.fromkeys(results.frame["backend"]):
        row = []
        for name in datasets:
            place = places.get((name, backend))
            if place is not None and math.isfinite(place.value):
                row.append((number(place.value, 3), place.better and bool(place.tied or place.rank == 1)))
            else:
                word = status.get((name, backend), "")
                row.append((STATUS_WORDS.get(word, "no truth" if word == "ok" else "–"), False))
        table.append((str(backend), row))
    return table
