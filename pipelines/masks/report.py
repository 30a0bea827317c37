"""Figures, charts and notes of ``pipelines.masks``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from causalnet.base.arrays import Array
from causalnet.report import Chart, chart
from causalnet.report.summary import Figures, band, figure
from causalnet.stats.intervals import ANYWHERE, POSITIVE, Bounds, student_interval
from causalnet.storage.rows import Row, Table
from pipelines.common import curves, finish, select
from pipelines.masks.runs import DOUBT, GATED, NONE, POINT, PRESENCE, TRUE, WRONG

ALLOWED, NEAR, ENOUGH = 0.03, 0.05, 2_000
NEGATIVE: Bounds = (-math.inf, 0.0)
RISING = 0.03  # of the return: by so much a curve that still rises over its last quarter has not converged

NOTES = [
    "Value: mean return of an episode, judged on the same episodes for every mask of a seed; a seed draws the network too. Differences are of "
    "pairs, as shares of the size of presence's mean return; 'lower bound' is the lower end of their 95 % Student interval.",
    "uniform: no training; an allowed repair is drawn, and none is made only where nothing is in trouble. The graph is learned from "
    "interactions of uniform play over what presence allows, no repair among it, as collect draws. A gate learns from 200 further episodes, "
    "and plays the graph's arm where it is sure of it.",
    "ppo: default settings, actions drawn, all masks with the same number of interactions. Presence masks the first ones, from which the graph is "
    "learned, so discovery is inside the budget, and the runs with presence and with a learned graph begin alike to the last random number.",
    "doubt: the posterior of learn_posterior in CausalMask at its default cost; point: its edges more probable than not, taken as certain. "
    "random graph: a DAG of as many edges as the true one; turned graph: every arrow of the truth turned. With no interaction the posterior has no "
    "edge, and masks by presence.",
    "A gate masks by presence until what became of the choices that the graph would forbid tells that it is right to forbid them, and then "
    "by the graph but for a tenth of the steps, a twentieth where it knows its doubt, which judging leaves out. It has watched from the first step on, before there was a graph as well.",
    "The gate's rule was settled on services of 10 and 24, inventories of 12 and 14 and machines of 14, under uniform play and under PPO. What "
    "the posterior reads of repaired variables that fail again was settled on services 12 and 24, machines 14 and inventory 14.",
]


class Key(NamedTuple):
    """A task on a network."""

    task: str
    problem: str

    def __str__(self) -> str:
        return f"{self.problem}, {self.task}"

    @property
    def bounds(self) -> Bounds:
        """What a return can be: machines earn, all others lose."""
        return POSITIVE if self.problem.startswith("machines") else NEGATIVE


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    found = Figures()
    keys = list(dict.fromkeys(Key(row["task"], row["problem"]) for row in table.rows))
    for key in keys:
        _values(table, key, found)
        _differences(table, key, found)
        if key.task == "ppo":
            _speed(table, key, found)
    notes = [*NOTES, *(note for key in keys if key.task == "ppo" for note in _unconverged(table, key))]
    charts = [drawn for key in keys for drawn in _charts(table, key)]
    return finish(folder, "Masks", found, notes, list(_brief(table, keys)), charts)


def by_seed(table: Table, key: Key, mask: str, size: int = 0) -> dict[int, float]:
    """The values of a mask by seed."""
    rows = select(table, task=key.task, problem=key.problem, mask=mask, size=size)
    return {row["seed"]: float(row["value"]) for row in rows}


def told(table: Table, key: Key) -> list[tuple[str, int]]:
    """The masks and sizes that there are, in the order of their first rows."""
    rows = select(table, task=key.task, problem=key.problem)
    return list(dict.fromkeys((row["mask"], row["size"]) for row in rows))


def shares(table: Table, key: Key, mask: str, size: int, other: str = PRESENCE) -> Array:
    """(seeds,) value of the mask less that of ``other``, a pair a seed, over the size of the mean value of ``other``."""
    own, rival = by_seed(table, key, mask, size), by_seed(table, key, other)
    both = sorted(own.keys() & rival.keys())
    if not both:
        return np.empty(0)
    base = np.array([rival[s] for s in both])
    return np.asarray((np.array([own[s] for s in both]) - base) / abs(base.mean()))


def label(mask: str, size: int) -> str:
    """The name of a mask with its size."""
    return f"{mask} of {size:,}" if mask.removesuffix(GATED) in (DOUBT, *POINT) else mask


def _values(table: Table, key: Key, found: Figures) -> None:
    for mask, size in told(table, key):
        found.add(
            f"{key}: return, {label(mask, size)}", list(by_seed(table, key, mask, size).values()), bounds=key.bounds
        )


def _differences(table: Table, key: Key, found: Figures) -> None:
    """Doubt and gated wrong graphs against presence, and doubt against the true graph, with their goals."""
    for mask, size in told(table, key):
        if mask in (PRESENCE, NONE):
            continue
        name, values = f"{key}: {label(mask, size)} - presence, share", shares(table, key, mask, size)
        found.add(name, values)
        judged = mask in (DOUBT, DOUBT + GATED) or mask in [wrong + GATED for wrong in WRONG]
        if judged and len(values) > 1:
            found[f"{name}, lower bound"] = figure([student_interval(values)[1]], f">= {-ALLOWED}")
            found[f"{name}, worst seed"] = figure(
                [values.min()]
            )  # where most seeds tie, a few gains widen the interval below 0
        if mask in (DOUBT, DOUBT + GATED) and size >= ENOUGH:
            short = -shares(table, key, mask, size, TRUE)
            found.add(f"{key}: {label(mask, size)}, short of the true graph's, share", short, f"<= {NEAR}")


# ---- curves of training --------------------------------------------------------------------------------------


def curve_of(table: Table, key: Key, mask: str, size: int = 0) -> tuple[Array, Array] | None:
    """Steps (points,) and returns (seeds, points) along training."""
    rows = select(table, task=key.task, problem=key.problem, mask=mask, size=size)
    return curves(rows) if rows else None


def settled(curve: tuple[Array, Array]) -> tuple[float, float]:
    """Mean return over the last quarter of training, and its rise against the quarter before, as a share."""
    mean = curve[1].mean(axis=0)
    quarter = max(len(mean) // 4, 1)
    last, before = mean[-quarter:].mean(), mean[-2 * quarter : -quarter].mean()
    return float(last), float((last - before) / abs(last))


def steps_to(curve: tuple[Array, Array], level: float) -> float:
    """The first step at which the mean curve, over three blocks, is at the level; NaN where it never is."""
    steps, mean = curve[0], curve[1].mean(axis=0)
    smooth = np.convolve(mean, np.ones(3) / 3, "valid")
    at = np.flatnonzero(smooth >= level)
    return float(steps[at[0] + 1]) if len(at) else math.nan


def _speed(table: Table, key: Key, found: Figures) -> None:
    """Steps of presence to its own final return, over those of the mask; of curves averaged over seeds, so one value each."""
    base = curve_of(table, key, PRESENCE)
    if base is None or base[1].shape[1] < 4:
        return
    level, rise = settled(base)
    found.add(f"{key}: rise of presence over the last quarter, share", [rise], f"<= {RISING}")
    slow = steps_to(base, level)
    asked = ""
    for mask, size in [(TRUE, 0), *(item for item in told(table, key) if item[0] in (DOUBT, DOUBT + GATED))]:
        line = curve_of(table, key, mask, size)
        times = math.nan if line is None else slow / steps_to(line, level)
        found.add(f"{key}: times fewer steps to presence's final return, {label(mask, size)}", [times], asked)
        if mask == TRUE and times >= 2:
            asked = ">= 2"


def _unconverged(table: Table, key: Key) -> Iterator[str]:
    for mask, size in told(table, key):
        line = curve_of(table, key, mask, size)
        if line is None or line[1].shape[1] < 4:
            continue
        rise = settled(line)[1]
        if rise > RISING:
            yield f"Not converged: {key}, {label(mask, size)} still rises by {100 * rise:.0f} % over the last quarter of training."


def _charts(table: Table, key: Key) -> Iterator[Chart]:
    """The difference to presence against the size, and the curves of training."""
    lines = {}
    for mask in (DOUBT, DOUBT + GATED, *POINT):
        at = {size: shares(table, key, mask, size) for name, size in told(table, key) if name == mask and size > 0}
        most = max(map(len, at.values()), default=0)
        whole = {size: at[size] for size in sorted(at) if most and len(at[size]) == most}
        if len(whole) > 1:
            lines[mask] = band(list(whole), np.array(list(whole.values())).T, ANYWHERE)
    if lines:
        truth = shares(table, key, TRUE, 0)
        levels = {"presence": 0.0, **({"true graph": float(truth.mean())} if len(truth) else {})}
        words = (f"{key}: difference to presence", "interactions", "share of presence's return")
        yield chart(lines, *words, log_x=True, levels=levels)
    if key.task == "ppo":
        yield from _training(table, key)


def _training(table: Table, key: Key) -> Iterator[Chart]:
    drawn = {}
    for mask, size in told(table, key):
        line = curve_of(table, key, mask, size)
        if line is not None and mask in (PRESENCE, TRUE, DOUBT, *WRONG) and line[1].shape[1] > 1:
            drawn[label(mask, size)] = band(*line, key.bounds)
    if drawn:
        yield chart(dict(list(drawn.items())[:8]), f"{key}: return along training", "interactions", "return")


def _brief(table: Table, keys: Sequence[Key]) -> Iterator[Row]:
    """A line a task, network, mask and size: means over the seeds."""
    for key in keys:
        for mask, size in told(table, key):
            rows = select(table, task=key.task, problem=key.problem, mask=mask, size=size)
            line: Row = {
                "task": key.task,
                "network": key.problem,
                "mask": mask,
                "interactions": size,
                "runs": len(rows),
            }
            for column in ("value", "f1", "edges", "cpu"):
                values = [float(row[column]) for row in rows if row[column] is not None]
                line[column] = float(np.mean(values)) if values else None
            arms = [row["arm"] for row in rows if row["arm"]]
            line["gate plays the graph"] = arms.count("causal") / len(arms) if arms else None
            yield line
