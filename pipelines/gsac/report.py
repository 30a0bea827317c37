"""Figures, charts and notes of ``pipelines.gsac``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from causalnet.base.arrays import Array
from causalnet.envs.networked.wireless import collision_free_ceiling
from causalnet.report import Chart, Curve, chart
from causalnet.report.summary import Figures, band, share
from causalnet.representation.recovery import log_slope
from causalnet.stats.intervals import POSITIVE, SHARE
from causalnet.storage.rows import Row, Table
from pipelines.common import finish

# read off the figures of arXiv 2510.21427: GSAC, and start and end of SAC-FT, SAC-MTL, SAC-LFS
PUBLISHED = {
    "grid3 w=0.65": (3.98, 4.04, (3.52, 3.91), (2.46, 4.03), (2.46, 3.90)),
    "grid4 w=0.65": (3.54, 3.55, (3.46, 3.61), (2.33, 3.69), (2.32, 3.46)),
    "grid5 w=0.65": (3.59, 3.63, (2.99, 3.26), (2.27, 3.66), (2.25, 3.40)),
    "grid3 w=0.6": (3.70, 3.76, (3.56, 3.70), (2.31, 3.71), (2.31, 3.63)),
    "grid3 w=0.7": (4.27, 4.33, (4.08, 4.25), (2.54, 4.28), (2.59, 4.26)),
}
TRAINING = {"grid3": (1.97, 3.00), "grid4": (1.86, 2.56), "grid5": (1.73, 2.63)}
BASELINES = ("SAC-FT", "SAC-MTL", "SAC-LFS")
NAMES = ("GSAC", *BASELINES, "SAC-MTL, mean code", "SAC-FT+ACR")  # one name, one colour


def write(out: Path, table: Table, plan: Any) -> dict[str, Row]:
    """summary.json and report.html of a run folder: of the runs of this length, those of others stay in results.csv."""
    data = _Data(table, f" L={plan.seeds} K={plan.budget}")
    figures = Figures()
    for setting in [s for s in PUBLISHED if data.has("deployed", s)]:
        _panel(data, setting, figures)
    _training(data, plan, figures)
    _phases(data, figures)
    _controls(data, figures)
    _beyond(data, figures)
    _sources(data, figures)
    title = "GSAC: from masks to deployment without training"
    return finish(out, title, figures, _notes(plan), _brief(data), _charts(data, plan))


class _Data:
    """The long rows of one run, (L, k) by (part, setting, method)."""

    def __init__(self, table: Table, suffix: str) -> None:
        rows = pd.DataFrame([row for row in table.rows if row["cell"].endswith(suffix)])
        curves = rows.groupby(["part", "setting", "method"], sort=False)
        self.found = {key: curve.pivot(index="seed", columns="x", values="value") for key, curve in curves}

    def has(self, part: str, setting: str, method: str = "GSAC") -> bool:
        return (part, setting, method) in self.found

    def get(self, part: str, setting: str, method: str = "GSAC") -> tuple[Array, Array]:
        """x (k,), values (L, k)."""
        found = self.found[part, setting, method]
        return found.columns.to_numpy(float), np.ascontiguousarray(found)

    def values(self, part: str, setting: str, method: str = "GSAC") -> Array:
        """(L, k) alone."""
        return self.get(part, setting, method)[1]

    def bands(self, part: str, setting: str, methods: Iterable[str] | None = None) -> dict[str, Curve]:
        """A curve a method, of all seeds."""
        names = self.methods(part, setting) if methods is None else methods
        return {name: band(*self.get(part, setting, name)) for name in names}

    def settings(self, part: str) -> list[str]:
        return list(dict.fromkeys(s for p, s, _ in self.found if p == part))

    def methods(self, part: str, setting: str) -> list[str]:
        return [m for p, s, m in self.found if (p, s) == (part, setting)]

    def learners(self, setting: str) -> list[str]:
        """Whatever learnt in this target: the paper's baselines and the controls."""
        return [m for m in self.methods("curve", setting) if m.startswith("SAC")]


def _ceiling(setting: str) -> float:
    return collision_free_ceiling(float(setting.split("w=")[1].split()[0]), 0.5, 10)


def _panel(data: _Data, setting: str, found: Figures) -> None:
    """The numbers of one of the paper's panels."""
    (published, deployed, *others), ceiling = PUBLISHED[setting], _ceiling(setting)
    name = f"{setting.split()[0].replace('grid', 'g=')}, p={setting.split('=')[1]}"
    first = data.values("deployed", setting).mean(1)
    flat = data.values("curve", setting)[:, 0]
    part = round(published / ceiling, 3)
    found.add(f"{name}: share of ceiling, first 30 target episodes", first / ceiling, ">= 0.95", part)
    found.add(f"{name}: GSAC, first 30 target episodes", first, "", published)
    found.add(f"{name}: GSAC, deployed policy", flat, "", deployed)
    for method, (start, end) in zip(BASELINES, others, strict=True):
        x, values = data.get("curve", setting, method)
        found.add(f"{name}: {method} start", values[:, 0], "", start)
        found.add(f"{name}: {method} end ({x[-1]:g} episodes)", values[:, -1], "", end)
        found.add(f"{name}: GSAC - {method} start", flat - values[:, 0], ">= 0", round(published - start, 2))
        found.add(f"{name}: GSAC - {method} end", flat - values[:, -1], ">= 0", round(deployed - end, 2))
    control = data.values("curve", setting, "SAC-FT+ACR")
    for at, when in ((0, "start"), (-1, "end")):
        found.add(f"{name}: GSAC - SAC-FT+ACR {when} (control)", flat - control[:, at])


def _training(data: _Data, plan: Any, found: Figures) -> None:
    """Start and end of the training curves, averaged over the sources."""
    ceiling = np.mean([collision_free_ceiling(p, 0.5, 10) for p in (0.2, 0.5, 0.8)])
    for net, (start, end) in TRAINING.items():
        name = net.replace("grid", "g=")
        for budget in (k for k in sorted({600, plan.budget}) if data.has("train", f"{net} K={k}")):
            values = data.values("train", f"{net} K={budget}")
            last, label = values[:, -3:].mean(1), f"{name}: training return at the end of {budget} source episodes"
            found.add(label, last, "", end)
            if budget == 600:
                found.add(f"{name}: training return at the start", values[:, 0], "", start)
            found.add(f"{label}, share of ceiling", last / ceiling)


def _phases(data: _Data, found: Figures) -> None:
    """Phases 1, 2 and the factor."""
    for setting, level in _exactness(data):
        x, values = data.get("masks", setting, level)
        varying, count = setting.split(": ")
        vary = "varies" if varying == "p" else "vary"
        for size, exact in zip(x, values[0], strict=True):  # a share of ``count`` seeds
            goal = {20: ">= 0.9", 100: ">= 1"}.get(int(size), "") if level == "distractors and domain" else ""
            n = int(count.split()[0])
            label = f"masks where {varying} {vary}: {level} exact from {size:g} trajectories ({count})"
            found[label] = share(np.arange(n) < round(exact * n), goal)
    kept = data.values("masks", "grid3", "share of components kept")[:, 0]
    found.add("ACR: share of a neighbourhood's components kept", kept, "<= 0.5", 0.5, bounds=SHARE)
    x, error = data.get("factor", "grid3", "error")
    law = data.values("factor", "grid3", "closed form")[0]
    farthest = 1 + np.abs(error[0] / law - 1).max()
    found.add("domain factor: error / closed-form deviation, farthest from 1", [farthest], "<= 1.1")
    slope = abs(log_slope(x, error[0]) + 0.5)
    found.add("domain factor: distance of the log-log slope from -1/2", [slope], "<= 0.05")


def _exactness(data: _Data) -> list[tuple[str, str]]:
    """(setting, level) of the shares of seeds with exact masks."""
    return [(s, level) for part, s, level in data.found if part == "masks" and "seeds" in s]


def _controls(data: _Data, found: Figures) -> None:
    """The printed step sizes, the exact factor, the masks, the uniform policy."""
    values = data.values("printed", "grid3", "target")
    found.add("printed step sizes: gain in the target after 600 source episodes", values[:, -1] - values[:, 0])
    for method in data.methods("inputs", "grid3 target"):
        found.add(f"g=3, p=0.65 by inputs: {method}", data.values("inputs", "grid3 target", method)[:, 0])
        train = data.values("inputs", "grid3 train", method).mean(1)
        found.add(f"g=3 training return, mean of all episodes, by inputs: {method}", train)
    for setting in data.settings("curve"):
        if data.has("curve", setting, "GSAC, exact factor"):
            exact, told = (data.values("curve", setting, m)[:, 0] for m in ("GSAC, exact factor", "GSAC"))
            found.add(f"{setting}: exact factor - estimated factor", exact - told)
            found.add(f"{setting}: uniform policy", data.values("curve", setting, "uniform policy")[:, 0])


def _beyond(data: _Data, found: Figures) -> None:
    """Contention, traffic, the short budget, and the adaptation gap: measured only."""
    for setting in [s for s in data.settings("curve") if s not in PUBLISHED]:
        lead = data.values("curve", setting)[:, 0]
        found.add(f"{setting}: GSAC", lead)
        for method in data.learners(setting):
            values = data.values("curve", setting, method)
            found.add(f"{setting}: {method} start", values[:, 0])
            found.add(f"{setting}: {method} end", values[:, -1])
            found.add(f"{setting}: GSAC - {method} start", lead - values[:, 0])
    for setting in data.settings("gap"):
        x, error = data.get("gap", setting, "error")
        if len(x) > 2:
            found.add(f"{setting}: slope of log error on log T_a", [log_slope(x, error.mean(0))], "", -0.5)
        lost = data.values("gap", setting, "return lost")
        found.add(f"{setting}: return lost with T_a={x[0]:g}", lost[:, 0])
        d, by_hand = data.get("gap", setting, "return lost by error")
        slopes = (np.abs(by_hand) * np.abs(d)).sum(1) / (d**2).sum()
        found.add(f"{setting}: |change of return| per unit of factor error", slopes, bounds=POSITIVE)


def _sources(data: _Data, found: Figures) -> None:
    """What more source domains bring."""
    for setting in data.settings("sources"):
        x, error = data.get("sources", setting, "generalization error")
        values = data.values("sources", setting, "return in unseen domains")
        for at, many in enumerate(x):
            found.add(f"{setting}: return in unseen domains, M={many:g}", values[:, at])
        if len(x) > 2:
            slope = log_slope(x, np.sqrt((error**2).mean(0)))
            found.add(f"{setting}: log-log slope of the generalization error on M", [slope], "", -0.5)
            found.add(f"{setting}: its distance from -1/2", [abs(slope + 0.5)], "<= 0.1")


def _charts(data: _Data, plan: Any) -> list[Chart]:
    """Five panels and training first, then what stands behind them."""
    found, returns, training = [], "return per user", "training return per user"
    for setting in [s for s in data.settings("curve") if "traffic" not in s]:
        curves = data.bands("curve", setting, data.learners(setting))
        end = max(float(np.asarray(c.x)[-1]) for c in curves.values())
        curves = {"GSAC": band([0.0, end], np.repeat(data.values("curve", setting), 2, axis=1)), **curves}
        levels = {"ceiling": _ceiling(setting)} if setting.startswith("grid") else {}
        if setting in PUBLISHED:
            levels["GSAC published"] = PUBLISHED[setting][1]
        title = f"Target domain: {_title(setting)}"
        found.append(chart(curves, title, "target episodes", returns, levels=levels, names=NAMES))
    for setting in data.settings("train"):
        net, title = setting.split()[0], f"Training across sources: {_title(setting)}"
        levels = {"published end": TRAINING[net][1]} if net in TRAINING else {}
        curves = data.bands("train", setting)
        found.append(chart(curves, title, "source episodes", returns, levels=levels, names=NAMES))
    curves = data.bands("inputs", "grid3 train")
    found.append(chart(curves, "What the policy reads (3 x 3)", "source episodes", training))
    curves = {"printed steps": band(*data.get("printed", "grid3", "train"))}
    short = f"grid3 K={min(600, plan.budget)}"
    if data.has("train", short):
        curves["steps used here"] = band(*data.get("train", short))
    found.append(chart(curves, "Printed step sizes (3 x 3)", "source episodes", training))
    x, error = data.get("factor", "grid3", "error")
    if len(x) > 1:
        law = data.values("factor", "grid3", "closed form")[0]
        both = {"measured": Curve(x, error[0]), "closed form": Curve(x, law)}
        words = ("Error of the domain factor", "trajectories", "error per user")
        found.append(chart(both, *words, log_x=True, log_y=True))
    found += _mask_chart(data)
    for setting in data.settings("sources"):
        x, error = data.get("sources", setting, "generalization error")
        if len(x) > 2:
            measured = np.sqrt((error**2).mean(0))
            both = {"measured": Curve(x, measured), "slope -1/2": Curve(x, measured[0] * np.sqrt(x[0] / x))}
            words = ("More source domains", "source domains M", "|return of the sources - return in unseen domains|")
            found.append(chart(both, *words, log_x=True, log_y=True))
    curves = {s: band(*data.get("gap", s, "return lost by error")) for s in data.settings("gap")}
    return [*found, chart(curves, "Return lost to a wrong factor", "error of the factor", "return lost per user")]


def _title(setting: str) -> str:
    """ "grid3 w=0.65 K=600" as "3 x 3 grid, p = 0.65, 600 source episodes"."""
    net, *more = setting.split()
    grid = re.sub(r"(grid|traffic)(\d)", lambda m: f"{m[2]} x {m[2]} {m[1]}", net)
    names = {"w": "p = " if "traffic" not in net else "capacity ", "K": ""}
    told = [names[part[0]] + part[2:] + " source episodes" * (part[0] == "K") for part in more]
    return ", ".join([grid, *told])


def _mask_chart(data: _Data) -> list[Chart]:
    points: dict[str, dict[float, float]] = {}
    for setting, level in _exactness(data):
        x, values = data.get("masks", setting, level)
        name = level + " (p and q vary)" * setting.startswith("p and q")
        points.setdefault(name, {}).update(zip(x.tolist(), values.mean(0).tolist(), strict=True))
    if max(map(len, points.values())) < 2:
        return []
    curves = {level: Curve(sorted(p), [p[k] for k in sorted(p)]) for level, p in points.items()}
    for level in ("own and actions", "every entry"):
        x = np.array(sorted(points[level]))
        curves[f"law for {level}"] = Curve(x, _law(x, np.array([points[level][k] for k in x])))
    return [chart(curves, "Exact masks (3 x 3)", "trajectories a domain", "share of seeds", log_x=True)]


def _law(x: Array, share: Array) -> Array:
    """Proposition 4 turned round, delta = d_i n exp(-c T): its shape, with the constant c that fits best (d_i = 45, n = 9)."""
    rates = np.geomspace(0.01, 10.0, 200)
    shapes = np.clip(1 - 45 * 9 * np.exp(-rates[:, None] * x), 0.0, 1.0)
    return np.asarray(shapes[((shapes - share) ** 2).sum(1).argmin()])


def _brief(data: _Data) -> list[Row]:
    """One line a curve for the report: start, end, over all seeds."""
    found = []
    for part, setting, method in data.found:
        x, values = data.get(part, setting, method)
        first, last = values[:, 0].mean(), values[:, -1].mean()
        line = {"part": part, "setting": setting, "method": method, "first x": x[0], "first": first}
        found.append({**line, "last x": x[-1], "last": last, "seeds": len(values)})
    return found


def _notes(plan: Any) -> list[str]:
    """What a reader has to know to judge the figures."""
    found = [
        f"Ten steps an episode, q = 0.5, sources p = 0.2, 0.5, 0.8; the return is the mean per user of the undiscounted sum. "
        f"{plan.seeds} seeds; every method trains on {plan.budget} source episodes in all and uses the actor step size that "
        "served it best on its sources (SAC-LFS: on the middle source, for as many episodes as it gets in the target). "
        "Critic step 0.4, a running baseline of the advantage in each local state (rate 0.1).",
        "GSAC reads the compact states that its masks keep. The paper's baselines have no causal masks: they read the whole "
        "local state, distractors included. SAC-FT+ACR is the control between the two: SAC-FT given GSAC's compact states.",
        "GSAC's first 30 target episodes are counted as played: the first for the sources' mean factor, the others for the "
        "estimate so far. Differences are between policies that play the same episodes.",
        "On these grids everyone can have an access point of its own, and sending to it is optimal for every p: the best "
        "policy does not depend on the domain. Under contention (nine users, four access points) it does.",
        "SAC-MTL's code in the target is not defined in the paper: the code of no source (as its plotted start suggests), and "
        "the mean of the sources' codes, are both shown. Traffic is measured only.",
        "More source domains: M arrival rates are drawn uniformly from 0.2 to 0.8, four times as many seeds, one budget in all; the error is that "
        "of the sources' mean return as an estimate of the return over that range.",
    ]
    if plan.quick:
        return found
    return [
        *found,
        "So what puts GSAC above the start of SAC-FT on the grids is the compact state, which is learnt from fewer episodes: "
        "SAC-FT+ACR starts where GSAC stands. Under contention with little traffic (p = 0.35) conditioning pays; with more "
        "(p = 0.65) one policy for all domains is as good.",
    ]
