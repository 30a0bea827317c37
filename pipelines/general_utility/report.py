"""What the runs of general utilities and LPI say: figures with their goals, charts, notes."""

from __future__ import annotations

import math
from collections.abc import Container
from pathlib import Path

import numpy as np

from causalnet.report import Chart, Curve, chart
from causalnet.report.summary import band, figure
from causalnet.storage.rows import Row, Table
from pipelines.common import finish

PUBLISHED = 3.373
# return and total violation: the table, of a cumulative constraint, and what the curves of the others show
READ_OFF = {"sends": (PUBLISHED, 0.1926), "c = 0.2": (3.42, 0.05), "c = 0.3": (3.49, 0.05), "kappa = 0": (1.85, None)}
FLOOR, LINE_START = 3.37, 10.6
# beside the rivals of the published table, which is of a cumulative constraint
BESIDE = ("grid, c = 0.2", "grid, empty sends <= 0.05")
TRACES = ("LPI", "LPI, everyone at once", "SAC", "SAC, LPI's critic", "SAC, Algorithm 1")


def write(folder: Path, table: Table, cells: Container[str]) -> dict[str, Row]:
    """summary.json and report.html of a run folder, of these cells: those of other lengths stay in results.csv alone."""
    table.rows = [row for row in table.rows if row["cell"] in cells]
    figures = _figures(table)
    finish(
        folder,
        "General utilities and localized policy improvement",
        figures,
        _notes(table),
        _brief(table),
        _charts(table),
    )
    return figures


def _figures(table: Table) -> dict[str, Row]:
    """Every number that was asked for, with its goal."""
    worst = [float(r["value"]) for r in table.rows if r["kind"] == "gradient" and r["extra"] == "kappa 2"]
    figures = {"shadow gradient: worst relative error on small networks": figure([max(worst)], "<= 0.01")}
    figures["line: uniform policy"] = figure(table.numbers("value", variant="line, uniform"), "", LINE_START)
    for name in _names(table, "learn", "line"):
        asked = "0.8" not in name and "ascent" not in name  # undamped dual ascent circles: shown, not asked
        figures[f"{name}: return"] = figure(table.numbers("value", variant=name), ">= 20" if asked else "", _line(name))
        if "entropy" in name:
            goal = "<= 0.02" if asked else ""
            figures[f"{name}: total violation"] = figure(table.numbers("violation", variant=name), goal)
    figures["grid: uniform policy"] = figure(table.numbers("value", variant="grid, uniform"), "", 1.80)
    figures["grid: one user an access point"] = figure(table.numbers("value", variant="grid, one user an access point"))
    for name in _names(table, "learn", "grid"):
        asked = "kappa = 0" not in name
        published = next((v for key, v in READ_OFF.items() if key in name), (3.42, None))
        figures[f"{name}: return"] = figure(
            table.numbers("value", variant=name), f">= {FLOOR}" if asked else "", published[0]
        )
        if "c =" in name or "sends" in name:
            figures[f"{name}: total violation"] = figure(
                table.numbers("violation", variant=name), "<= 0.2", published[1]
            )
    for name in _names(table, "learn", "grid"):
        for rival, value in (("MAPPO-L", 3.347), ("decentralised", 3.148)) if name in BESIDE else ():
            ours = [v / value for v in table.numbers("value", variant=name)]
            figures[f"{name}: return over that of {rival}"] = figure(ours, ">= 1.0")
    for name, item in figures.items():
        if "violation" in name and item["low"] is not None:
            item["low"] = max(0.0, item["low"])  # a sum of shortfalls, and Student's interval may pass below
    return {**figures, **_improvement(table)}


def _improvement(table: Table) -> dict[str, Row]:
    """Monotone on small networks, and the episodes that each learner needs on the grid."""
    monotone = [r for r in table.rows if r["kind"] == "monotone"]
    figures = {
        "LPI: least change of J plus truncation bias, random networks": figure([min(float(r["value"]) for r in monotone)], ">= -1e-9"),
        "LPI: random networks": figure([len(monotone)], ">= 100"),
        "LPI: gain over that of the exact gradient, kappa = 2": figure(
            [float(r["curve"]) for r in monotone if r["variant"] == "kappa 2"]
        ),
    }  # fmt: skip
    for name in _names(table, "race"):
        figures[f"race, {name}: return"] = figure(table.numbers("value", kind="race", variant=name))
    rival = _race(table, "SAC")
    if rival is None:
        return figures
    level = float(rival[1][:, -1].mean())
    for name in _names(table, "race"):
        episodes, played = _reached(table, name, level), max((_race(table, name) or ([0], None))[0])
        never = "" if math.isfinite(episodes) else " (never; played)"
        figures[f"race, {name}: episodes until SAC's final return{never}"] = figure([min(episodes, played)])
    ratio = _reached(table, "SAC", level) / _reached(table, "LPI", level)
    figures["race: SAC's episodes over LPI's until SAC's final return"] = figure([ratio], ">= 1.0")
    return figures


def _reached(table: Table, name: str, level: float) -> float:
    """First evaluation at which the mean over seeds has the level (inf: never)."""
    found = _race(table, name)
    if found is None:
        return math.inf
    at = np.flatnonzero(found[1].mean(axis=0) >= level)
    return float(found[0][at[0]]) if len(at) else math.inf


def _race(table: Table, name: str) -> tuple[list[int], np.ndarray] | None:
    runs = [_points(r["curve"]) for r in table.rows if r["kind"] == "race" and r["variant"] == name]
    runs = [run for run in runs if len(run) == max(map(len, runs))]
    if not runs:
        return None
    return [int(p[0]) for p in runs[0]], np.array([[p[1] for p in run] for run in runs])


def _line(name: str) -> float | None:
    return {"line": 21.0, "line, entropy >= 0.3": 21.0, "line, entropy >= 0.5": 21.0}.get(
        name, 15.8 if "0.8" in name else None
    )


def _names(table: Table, kind: str, first: str = "") -> list[str]:
    names = dict.fromkeys(r["variant"] for r in table.rows if r["kind"] == kind and r["variant"].startswith(first))
    return list(names)


def _points(curve: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, point.split(":"))) for point in curve.split()]


def _notes(table: Table) -> list[str]:
    lowered = sum(int(r["extra"].split()[0]) for r in table.rows if r["kind"] == "monotone")
    updates = sum(int(r["extra"].split()[2]) for r in table.rows if r["kind"] == "monotone")
    return [
        "Returns are undiscounted sums of an episode, the mean of all agents, of the last policy on 4,000 fresh episodes (500 in a quick run). Total violation: "
        "the sum over agents of max(0, c - g_i) of that policy (never below 0, where its intervals are cut): 3.05 at c = 0.2 and 5.55 at c = 0.3 for the uniform policy, "
        "where the published curves start near 2.95 and 5.5. Every policy is a table over an agent's own state; step sizes were chosen on other seeds.",
        "Line: entropy of each agent's own state in shares of discounted time; 125 steps at 0.99 are 0.715 of all time, so 0.735 is the most "
        "there is and c = 0.8 cannot be met: at least 0.65 of violation is left over ten agents. The learner is asked for a little more than c "
        "(0.31, 0.515). The goal is a return of 20 for c up to 0.5. Published figures of this task are read off curves.",
        "Grid: the constraint is 1/2 (1 - gamma)^2 sum over sending actions of lambda_a^2 >= c. Only 16 of 25 users can own an access point; "
        "the rest satisfy it by always sending off the border, which reaches nobody, so it costs next to nothing (at c = 0.3 the learner is asked for 0.305). The published table with 3.373 "
        "and 0.1926 (MAPPO-L 3.347, decentralised 3.148) is, by the authors' page, for a cumulative constraint, 'transmit only when necessary', "
        "whose bound is not in their code; the row 'empty sends <= 0.05' is ours of that kind: at most 5 % of discounted time sending from an "
        "empty buffer (the uniform policy: 21 %).",
        f"LPI on small networks: {lowered} of {updates} updates lowered J at all, none by more than its truncation bias (a goal of -1e-9 is rounding). "
        "On the grid: two episodes an update and nine colours for LPI, ten an update for Scalable Actor-Critic, each with its best step size of "
        "those tried; twice the seeds of the other runs. Episodes are counted where the mean over seeds first has SAC's mean final return.",
        *_turns(table),
    ]  # fmt: skip


def _turns(table: Table) -> list[str]:
    """What moving in turns costs early and brings late, in the present runs."""
    turns, once = _race(table, "LPI"), _race(table, "LPI, everyone at once")
    if turns is None or once is None:
        return []
    both = [m for m in (250, 500, 1000, 4000, 20_000) if m in turns[0] and m in once[0]]
    said = [
        f"{turns[1][:, turns[0].index(m)].mean():.2f} and {once[1][:, once[0].index(m)].mean():.2f} after {m:,}"
        for m in both
    ]
    return [
        f"Turns may cost episodes early and bring more in the end. Return in turns and everyone at once: {'; '.join(said)}."
    ]


def _charts(table: Table) -> list[Chart]:
    drawn = []
    race = {}
    for name in TRACES:
        found = _race(table, name)
        if found is not None:
            race[name] = band(*found)
    if race:
        drawn.append(chart(race, "5 x 5 grid: return against episodes", "episodes", "return", log_x=True))
    for first, title, levels in (
        ("grid", "5 x 5 grid: return under constraints", {f"published table, {PUBLISHED}": PUBLISHED}),
        ("line", "Line: return under entropy constraints", {"goal (c up to 0.5)": 20.0}),
    ):
        shown = {n: n.removeprefix(f"{first}, ").replace("entropy ", "") for n in _names(table, "learn", first)}
        for column, what in ((1, "return"), (2, "total violation")):
            curves = {}
            for name in shown:
                runs = [_points(r["curve"]) for r in table.rows if r["kind"] == "learn" and r["variant"] == name]
                runs = [run for run in runs if len(run) == len(runs[0]) and run[-1][0] == runs[0][-1][0]]
                bound = "c =" in name or "entropy" in name or "sends" in name
                if column == 1 or bound:
                    values = np.array([[point[column] for point in run] for run in runs])
                    floor = 0.0 if column == 2 else -math.inf
                    curves[shown[name]] = band([int(p[0]) for p in runs[0]], values, floor)
            heading = title if column == 1 else f"{first.capitalize()}: total violation"
            if curves:
                levels = levels if column == 1 else {}
                drawn.append(chart(curves, heading, "episodes", what, levels=levels, names=list(shown.values())))
    for row in (r for r in table.rows if r["kind"] == "certificate"):
        points = np.array(_points(row["curve"]))
        curves = {"rho(H)": Curve(points[:, 0], points[:, 2]), "temperature": Curve(points[:, 0], points[:, 1])}
        drawn.append(
            chart(
                curves,
                "LPI on a ring: locality along the way",
                "episodes",
                "rho(H), tau",
                levels={"certified below": 1.0},
            )
        )
    return drawn


VALUES = {
    "gradient": "relative error", "monotone": "least change of J plus bias", "certificate": "rho(H) at the end",
}  # fmt: skip


def _brief(table: Table) -> list[Row]:
    """The rows as they are shown, each kind with a name of its own for its value."""
    return [
        {
            VALUES.get(row["kind"], "return") if k == "value" else k: v
            for k, v in row.items()
            if k not in ("cell", "curve")
        }
        for row in table.rows
    ]
