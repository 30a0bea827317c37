"""Figures, charts and notes of ``pipelines.gsac``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from causalnet.base.arrays import Array
from causalnet.envs.networked.wireless import collision_free_ceiling
from causalnet.report import Chart, Curve, chart
from causalnet.report.summary import band, figure
from causalnet.representation.recovery import log_slope
from causalnet.storage.rows import Table
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


def write(out: Path, table: Table, plan: Any) -> dict[str, Any]:
    """summary.json, report.html and results.csv."""
    data = _Data(table, f" L={plan.seeds} K={plan.budget}")
    figures: dict[str, Any] = {}
    for setting in [s for s in PUBLISHED if data.has("deployed", s)]:
        figures |= panel(data, setting)
    figures |= training(data, plan) | phases(data) | controls(data) | beyond(data)
    finish(
        out,
        "GSAC: from masks to deployment without training",
        figures,
        notes(plan),
        summary_rows(data),
        charts(data, plan),
    )
    return figures


class _Data:
    """The long rows of one run, (L, k) by (part, setting, method)."""

    def __init__(self, table: Table, suffix: str) -> None:
        self.found: dict[tuple[str, str, str], dict[float, dict[int, float]]] = {}
        for row in table.rows:
            if row["cell"].endswith(suffix):
                places = self.found.setdefault((row["part"], row["setting"], row["method"]), {})
                places.setdefault(float(row["x"]), {})[int(row["seed"])] = float(row["value"])

    def has(self, part: str, setting: str, method: str = "GSAC") -> bool:
        return (part, setting, method) in self.found

    def get(self, part: str, setting: str, method: str) -> tuple[Array, Array]:
        """x (k,), values (L, k)."""
        places = self.found[part, setting, method]
        x = sorted(places)
        return np.array(x), np.array([[places[k][s] for k in x] for s in sorted(places[x[0]])])

    def settings(self, part: str) -> list[str]:
        return list(dict.fromkeys(s for p, s, _ in self.found if p == part))

    def methods(self, part: str, setting: str) -> list[str]:
        return [m for p, s, m in self.found if (p, s) == (part, setting)]


def _ceiling(setting: str) -> float:
    return collision_free_ceiling(float(setting.split("w=")[1].split()[0]), 0.5, 10)


def panel(data: _Data, setting: str) -> dict[str, Any]:
    """The numbers of one of the paper's panels."""
    published, ceiling, found = PUBLISHED[setting], _ceiling(setting), {}
    name = f"{setting.split()[0].replace('grid', 'g=')}, p={setting.split('=')[1]}"
    first = data.get("deployed", setting, "GSAC")[1].mean(1)
    flat = data.get("curve", setting, "GSAC")[1][:, 0]
    found[f"{name}: share of ceiling, first 30 target episodes"] = figure(
        first / ceiling, ">= 0.95", round(published[0] / ceiling, 3)
    )
    found[f"{name}: GSAC, first 30 target episodes"] = figure(first, "", published[0])
    found[f"{name}: GSAC, deployed policy"] = figure(flat, "", published[1])
    for k, method in enumerate(BASELINES):
        x, values = data.get("curve", setting, method)
        start, end = published[2 + k]
        found[f"{name}: {method} start"] = figure(values[:, 0], "", start)
        found[f"{name}: {method} end ({x[-1]:g} episodes)"] = figure(values[:, -1], "", end)
        found[f"{name}: GSAC - {method} start"] = figure(flat - values[:, 0], ">= 0", round(published[0] - start, 2))
        found[f"{name}: GSAC - {method} end"] = figure(flat - values[:, -1], ">= 0", round(published[1] - end, 2))
    for at, when in ((0, "start"), (-1, "end")):
        control = data.get("curve", setting, "SAC-FT+ACR")[1][:, at]
        found[f"{name}: GSAC - SAC-FT+ACR {when} (control)"] = figure(flat - control)
    return found


def training(data: _Data, plan: Any) -> dict[str, Any]:
    """Start and end of the training curves, averaged over the sources."""
    found = {}
    for net, (start, end) in TRAINING.items():
        for budget in sorted({600, plan.budget}):
            if data.has("train", f"{net} K={budget}"):
                values = data.get("train", f"{net} K={budget}", "GSAC")[1]
                label = f"{net.replace('grid', 'g=')}: training return at the end of {budget} source episodes"
                found[label] = figure(values[:, -3:].mean(1), "", end)
                if budget == 600:
                    found[f"{net.replace('grid', 'g=')}: training return at the start"] = figure(
                        values[:, 0], "", start
                    )
                found[f"{label}, share of ceiling"] = figure(
                    values[:, -3:].mean(1) / np.mean([collision_free_ceiling(p, 0.5, 10) for p in (0.2, 0.5, 0.8)])
                )
    return found


def phases(data: _Data) -> dict[str, Any]:
    """Phases 1, 2 and the factor."""
    found = {}
    for _, setting, level in [k for k in data.found if k[0] == "masks" and "seeds" in k[1]]:
        x, values = data.get("masks", setting, level)
        for size, share in zip(x, values.T, strict=True):
            goal = {20: ">= 0.9", 100: ">= 1"}.get(int(size), "") if level == "distractors and domain" else ""
            varying, seeds = setting.split(": ")
            label = (
                f"masks where {varying} var{'ies' if varying == 'p' else 'y'}: {level} exact from {size:g} trajectories"
            )
            found[f"{label} ({seeds})"] = figure(share, goal)
    kept = data.get("masks", "grid3", "share of components kept")[1][:, 0]
    found["ACR: share of a neighbourhood's components kept"] = figure(kept, "<= 0.5", 0.5)
    x, error = data.get("factor", "grid3", "error")
    law = data.get("factor", "grid3", "closed form")[1][0]
    found["domain factor: error / closed-form deviation, farthest from 1"] = figure(
        [1 + np.abs(error[0] / law - 1).max()], "<= 1.1"
    )
    found["domain factor: distance of the log-log slope from -1/2"] = figure(
        [abs(log_slope(x, error[0]) + 0.5)], "<= 0.05"
    )
    return found


def controls(data: _Data) -> dict[str, Any]:
    """The printed step sizes, the exact factor, the masks, the uniform policy."""
    found = {}
    values = data.get("printed", "grid3", "target")[1]
    found["printed step sizes: gain in the target after 600 source episodes"] = figure(values[:, -1] - values[:, 0])
    for method in data.methods("inputs", "grid3 target"):
        found[f"g=3, p=0.65 by inputs: {method}"] = figure(data.get("inputs", "grid3 target", method)[1][:, 0])
        train = data.get("inputs", "grid3 train", method)[1]
        found[f"g=3 training return, mean of all episodes, by inputs: {method}"] = figure(train.mean(1))
    for setting in data.settings("curve"):
        if data.has("curve", setting, "GSAC, exact factor"):
            exact, told = (data.get("curve", setting, m)[1][:, 0] for m in ("GSAC, exact factor", "GSAC"))
            found[f"{setting}: exact factor - estimated factor"] = figure(exact - told)
            found[f"{setting}: uniform policy"] = figure(data.get("curve", setting, "uniform policy")[1][:, 0])
    return found


def beyond(data: _Data) -> dict[str, Any]:
    """Contention, traffic, the short budget, and the adaptation gap: measured only."""
    found = {}
    for setting in [s for s in data.settings("curve") if s not in PUBLISHED]:
        lead = data.get("curve", setting, "GSAC")[1][:, 0]
        found[f"{setting}: GSAC"] = figure(lead)
        for method in baselines(data, setting):
            values = data.get("curve", setting, method)[1]
            found[f"{setting}: {method} start"] = figure(values[:, 0])
            found[f"{setting}: {method} end"] = figure(values[:, -1])
            found[f"{setting}: GSAC - {method} start"] = figure(lead - values[:, 0])
    for setting in data.settings("gap"):
        x, error = data.get("gap", setting, "error")
        if len(x) > 2:
            found[f"{setting}: slope of log error on log T_a"] = figure([log_slope(x, error.mean(0))], "", -0.5)
        lost = data.get("gap", setting, "return lost")[1]
        found[f"{setting}: return lost with T_a={x[0]:g}"] = figure(lost[:, 0])
        d, by_hand = data.get("gap", setting, "return lost by error")
        slopes = (np.abs(by_hand) * np.abs(d)).sum(1) / (d**2).sum()
        found[f"{setting}: |change of return| per unit of factor error"] = figure(slopes)
    return found


def baselines(data: _Data, setting: str) -> list[str]:
    """Whatever learnt in this target: the paper's baselines and the controls."""
    return [m for m in data.methods("curve", setting) if m.startswith("SAC")]


def charts(data: _Data, plan: Any) -> list[Chart]:
    """Five panels and training first, then what stands behind them."""
    found = []
    for setting in [s for s in data.settings("curve") if "traffic" not in s]:
        curves = {m: band(*data.get("curve", setting, m)) for m in baselines(data, setting)}
        end = max(float(np.asarray(c.x)[-1]) for c in curves.values())
        flat = data.get("curve", setting, "GSAC")[1]
        curves = {"GSAC": band([0.0, end], np.repeat(flat, 2, axis=1)), **curves}
        levels = {"ceiling": _ceiling(setting)} if setting.startswith("grid") else {}
        if setting in PUBLISHED:
            levels["GSAC published"] = PUBLISHED[setting][1]
        found.append(
            chart(
                curves,
                f"Target domain: {_title(setting)}",
                "target episodes",
                "return per user",
                levels=levels,
                names=NAMES,
            )
        )
    for setting in data.settings("train"):
        curves = {m: band(*data.get("train", setting, m)) for m in data.methods("train", setting)}
        net = setting.split()[0]
        levels = {"published end": TRAINING[net][1]} if net in TRAINING else {}
        found.append(
            chart(
                curves,
                f"Training across sources: {_title(setting)}",
                "source episodes",
                "return per user",
                levels=levels,
                names=NAMES,
            )
        )
    curves = {m: band(*data.get("inputs", "grid3 train", m)) for m in data.methods("inputs", "grid3 train")}
    found.append(chart(curves, "What the policy reads (3 x 3)", "source episodes", "training return per user"))
    curves = {"printed steps": band(*data.get("printed", "grid3", "train"))}
    short = f"grid3 K={min(600, plan.budget)}"
    if data.has("train", short):
        curves["steps used here"] = band(*data.get("train", short, "GSAC"))
    found.append(chart(curves, "Printed step sizes (3 x 3)", "source episodes", "training return per user"))
    x, error = data.get("factor", "grid3", "error")
    law = data.get("factor", "grid3", "closed form")[1][0]
    if len(x) > 1:
        both = {"measured": Curve(x, error[0]), "closed form": Curve(x, law)}
        found.append(
            chart(both, "Error of the domain factor", "trajectories", "error per user", log_x=True, log_y=True)
        )
    found += _mask_chart(data)
    curves = {s: band(*data.get("gap", s, "return lost by error")) for s in data.settings("gap")}
    found.append(chart(curves, "Return lost to a wrong factor", "error of the factor", "return lost per user"))
    return found


def _title(setting: str) -> str:
    """ "grid3 w=0.65 K=600" as "3 x 3 grid, p = 0.65, 600 source episodes"."""
    net, *more = setting.split()
    grid = re.sub(r"(grid|traffic)(\d)", lambda m: f"{m[2]} x {m[2]} {m[1]}", net)
    names = {"w": "p = " if "traffic" not in net else "capacity ", "K": ""}
    told = [names[part[0]] + part[2:] + " source episodes" * (part[0] == "K") for part in more]
    return ", ".join([grid, *told])


def _mask_chart(data: _Data) -> list[Chart]:
    points: dict[str, dict[float, float]] = {}
    for _, setting, level in [k for k in data.found if k[0] == "masks" and "seeds" in k[1]]:
        x, values = data.get("masks", setting, level)
        level += " (p and q vary)" * setting.startswith("p and q")
        points.setdefault(level, {}).update(zip(x.tolist(), values.mean(0).tolist(), strict=True))
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


def summary_rows(data: _Data) -> list[dict[str, Any]]:
    """One line a curve for the report: start, end, over all seeds."""
    found = []
    for part, setting, method in data.found:
        x, values = data.get(part, setting, method)
        found.append(
            {"part": part, "setting": setting, "method": method, "first x": x[0], "first": values[:, 0].mean(),
             "last x": x[-1], "last": values[:, -1].mean(), "seeds": len(values)}
        )  # fmt: skip
    return found


def notes(plan: Any) -> list[str]:
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
    ]
    if plan.quick:
        return found
    return [
        *found,
        "So what puts GSAC above the start of SAC-FT on the grids is the compact state, which is learnt from fewer episodes: "
        "SAC-FT+ACR starts where GSAC stands. Under contention with little traffic (p = 0.35) conditioning pays; with more "
        "(p = 0.65) one policy for all domains is as good.",
    ]
