"""Figures, charts and notes of ``pipelines.locality``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from causalnet.report import Chart, Curve, chart
from causalnet.report.summary import Figures
from causalnet.stats.intervals import POSITIVE
from causalnet.storage.rows import Row, Table
from pipelines.common import finish, select
from pipelines.locality.ring import RHO_H, TEMPERATURES

NETWORKS = ("ring", "grid", "shared actions")
_NAMES = {"compact": "ACR on a grid", "from data": "Florentine families, from 10^6 transitions"}
NOTES = [
    "rho(H) < 1 for H = E^s + E^a Pi certifies that influence dies out with distance (arXiv 2602.16966); the norm tests are the older conditions.",
    "Measured errors enumerate the global process; the bound is the least of the spectral and the classical one; the ring was fitted to the figures of an example known by them alone: that rho(H) agrees is by construction, that no norm certifies temperature 1 is not.",
    "The compact representation keeps what can reach a reward within kappa hops; its error is of the exact value against the mean over all that it drops, its bound 2 r gamma^(kappa + 1) / (1 - gamma) (arXiv 2510.21427, Proposition 1).",
    "From data: contagion among the Florentine families, situations never seen left out; the estimated bound takes the sensitivities as they are estimated, the certified one their upper ends, which rare situations keep wide.",
    "The gain of a policy is its return beyond uniform play, as a share of the largest mean in the sweep of temperatures.",
]


def write(folder: Path, table: Table) -> dict[str, Row]:
    """summary.json and report.html of a run folder."""
    title = "causalnet: locality of networked policies"
    return finish(folder, title, _figures(table), NOTES, table.rows, _charts(table))


def _figures(table: Table) -> dict[str, Row]:
    """The numbers this pipeline is asked for, with their goals."""
    n, found = table.numbers, Figures()
    for case in "abcd":
        measured, bound = (n(column, task="copy-chain", problem=case) for column in ("measured", "bound"))
        off = [abs(a - b) for a, b in zip(measured, bound, strict=True)]
        found.add(f"copy chain {case}: largest |measured - bound|", [max(off, default=np.nan)], "<= 1e-9")
    excess = max(n("measured", task="random"), default=np.nan)
    found.add("random networks: largest excess over a bound", [excess], "<= 1e-9")
    for temperature, wanted in zip(TEMPERATURES, RHO_H, strict=True):
        rho = n("rho", task="ring", temperature=temperature)
        goal = ">= 1" if temperature == 0.5 else "<= 1"
        found.add(f"ring, temperature {temperature:g}: rho(H), fitted to {wanted}", rho, goal)
    found.add("ring, temperature 1: least norm test", n("least_norm", task="ring", temperature=1.0), ">= 1")
    for problem in ("states", "actions"):
        for kappa in (0, 1, 2, 3):
            key = {"task": "by-kappa", "problem": problem, "kappa": kappa}
            ratios = [b / m for b, m in zip(n("bound", **key), n("measured", **key), strict=True) if m > 0]
            found.add(f"{problem}, kappa {kappa}: bound / measured", ratios, ">= 1", ratio=True)
    for problem, task, least in (("ACR", "compact", ">= 1"), ("1000000 transitions", "from data", ">= 1")):
        for kappa in sorted({int(r["kappa"]) for r in select(table, task=task, problem=problem)}):
            key = {"task": task, "problem": problem, "kappa": kappa}
            ratios = [b / m for b, m in zip(n("bound", **key), n("measured", **key), strict=True) if m > 1e-8]
            found.add(f"{_NAMES[task]}, kappa {kappa}: bound / measured", ratios, least, ratio=True)
    for temperature, share in _shares(table).items():
        found.add(f"trade-off, temperature {temperature:g}: share of the gain", share)
        rho = n("rho", task="trade-off", temperature=temperature)
        found.add(f"trade-off, temperature {temperature:g}: rho(H)", rho, bounds=POSITIVE)
    for name in NETWORKS:
        key = {"task": "scale", "problem": f"{name} 100000"}
        found.add(f"{name} of 100,000: CPU seconds of a certificate", [max(n("cpu", **key), default=np.nan)], "<= 30")
        found.add(f"{name} of 100,000: process memory, MB", n("memory_mb", **key), bounds=POSITIVE)
    return found


def _charts(table: Table) -> list[Chart]:
    """Bound and error by kappa, error by cost, and the trade-off of temperature."""
    drawn = []
    for problem in ("states", "actions"):
        rows = [r for r in select(table, task="by-kappa", problem=problem) if r["measured"] > 0]
        if not rows:
            continue
        x, *means = _means(rows, "kappa", "measured", "bound", "classical", "cost")
        lines = dict(zip(("measured", "bound", "classical"), means, strict=False))
        title = f"Error of a truncated critic ({problem} coupled)"
        drawn.append(chart({c: Curve(x, y) for c, y in lines.items()}, title, "hops kappa", "error", log_y=True))
        title = f"Error by entries of the critics' tables ({problem} coupled)"
        by_cost = {c: Curve(means[3], y) for c, y in lines.items()}
        drawn.append(chart(by_cost, title, "entries", "error", log_x=True, log_y=True))
    for task, name in _NAMES.items():
        rows = select(table, task=task)
        rows = [r for r in rows if r["problem"] == rows[-1]["problem"] and r["measured"] > 1e-8]
        if rows:
            told = ("measured", "bound") if task == "compact" else ("measured", "estimated bound", "certified bound")
            x, *means = _means(rows, "kappa", "measured", "bound", *(["classical"] if task == "from data" else []))
            lines = {c: Curve(x, y) for c, y in zip(told, means, strict=True)}
            words = (f"What kappa hops miss of the value: {name}", "hops kappa", "error")
            drawn.append(chart(lines, *words, log_y=True))
    rows, shares = select(table, task="trade-off"), _shares(table)
    if rows:
        x, rho = _means(rows, "temperature", "rho")
        both = {"share of the gain": Curve(x, [float(np.mean(shares[t])) for t in x]), "rho(H)": Curve(x, rho)}
        words = ("What locality costs in return", "temperature", "share, rho(H)")
        drawn.append(chart(both, *words, levels={"rho(H) certifies below": 1.0}, log_x=True))
    return drawn


def _shares(table: Table) -> dict[float, list[float]]:
    """By temperature: each seed's return beyond uniform play over the largest mean in the sweep."""
    found = sorted({float(r["temperature"]) for r in select(table, task="trade-off")})
    gains = {t: table.numbers("value", task="trade-off", temperature=t) for t in found}
    best = max((float(np.mean(g)) for g in gains.values()), default=1.0)
    return {t: [v / best for v in g] for t, g in gains.items()}


def _means(rows: list[Row], by: str, *columns: str) -> list[list[float]]:
    """The values of a column in order, and for each the means of the others."""
    x = sorted({float(r[by]) for r in rows})
    return [x, *([float(np.mean([r[c] for r in rows if r[by] == v])) for v in x] for c in columns)]
