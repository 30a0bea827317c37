"""GSAC from data to deployment (arXiv 2510.21427): masks, compact states, training across domains, adaptation without training.

``python -m pipelines.gsac`` repeats the paper's five wireless panels and its training curve, published and measured side by
side, with every control: exact factor, no masks, random masks, uniform policy, the printed step sizes, and a network
where the best policy depends on the domain. Traffic is measured only: its published figures are shifted copies of
one curve. Every finished part is kept: start it again to finish it. Step sizes are chosen on source domains alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from causalnet.agents.networked.gsac import DEFAULTS, GSAC
from causalnet.data.rollouts import collect
from causalnet.envs.networked.wireless import true_masks
from causalnet.representation.acr import policy_acr, raw_sizes, sizes
from causalnet.representation.domain import bernoulli_factor
from causalnet.representation.recovery import factor_errors, recovery_rates
from causalnet.storage.rows import Table
from pipelines.common import Cells, complete, open_table, options, positive
from pipelines.gsac import report, runs
from pipelines.gsac.generalization import by_sources
from pipelines.gsac.networks import BOTH, EPISODES, NETS, explored, phase_one
from pipelines.gsac.runs import ETAS, Point, Team, methods, points, smoothed, team, views

PANELS = (("grid3", 0.65, 350), ("grid4", 0.65, 350), ("grid5", 0.65, 450), ("grid3", 0.6, 300), ("grid3", 0.7, 300))
PAPER_EPISODES = 600  # length of the published training curves


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much to run. seeds: L. budget: source episodes "until convergence"."""

    seeds: int
    budget: int
    quick: bool
    out: Path


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run what is not yet there; write results.csv, summary.json and report.html."""
    parser = options(__doc__, "runs/gsac")
    about = "source episodes (default 6000; 600 with --quick)"
    parser.add_argument("--episodes", type=positive, default=None, help=about)
    args = parser.parse_args(argv)
    seeds, budget = args.seeds or (3 if args.quick else 10), args.episodes or (600 if args.quick else 6000)
    plan, table = Plan(seeds, budget, args.quick, args.out), open_table(args.out, Point, args.quick)
    complete(table, cells(plan, table), "parts")
    return report.write(plan.out, table, plan)


def cells(plan: Plan, table: Table) -> Cells:
    """Every part of the experiment, in order; later parts read in ``table`` what earlier ones found."""
    panels = PANELS[:1] if plan.quick else PANELS
    work: dict[str, Callable[[], list[Point]]] = {"masks": partial(masks, plan), "factor": partial(factor, plan)}
    for net in [*dict.fromkeys(net for net, *_ in panels), "contention"]:
        work[f"tune {net}"] = partial(runs.tune, NETS[net], _budgets(plan), 50 if plan.quick else 350)
        for budget in _budgets(plan):
            work[f"train {net} K={budget}"] = partial(train, net, budget, plan, table)
    for net, omega, episodes in (*panels, ("contention", 0.35, 350), ("contention", 0.65, 350)):
        short = 50 if plan.quick else episodes
        work[f"target {net} w={omega:g}"] = partial(target, net, omega, short, plan.budget, plan, table)
    if not plan.quick:
        work["target grid3 w=0.65 K=600"] = partial(target, "grid3", 0.65, 350, PAPER_EPISODES, plan, table)
        work |= {f"traffic {g}": partial(traffic, g, plan) for g in (3, 4, 5)}
    work |= {"inputs": partial(inputs, plan, table), "printed steps": partial(printed_steps, plan)}
    work["gap"] = partial(gap, plan, table)
    sizes, draws = ([1, 4], plan.seeds) if plan.quick else ([1, 2, 4, 8, 16, 32], 4 * plan.seeds)
    work["sources"] = partial(by_sources, sizes, draws, plan.budget)
    return {f"{name} L={plan.seeds} K={plan.budget}": cell for name, cell in work.items()}


def _budgets(plan: Plan) -> list[int]:
    return sorted({min(PAPER_EPISODES, plan.budget), plan.budget})


def eta_of(table: Table, net: str, method: str, budget: int, plan: Plan) -> float:
    """The step size with the best return on the sources at the end of training there."""
    setting = net if method == "SAC-LFS" else f"{net} K={budget}"
    means = [np.mean(table.numbers("value", part="tune", setting=setting, method=method, x=eta)) for eta in ETAS]
    return ETAS[int(np.argmax(means))]


def train(net: str, budget: int, plan: Plan, table: Table) -> list[Point]:
    """Phases 1 to 3 for every method; the trained agents are kept beside the results."""
    found: list[Point] = []
    for method in methods(NETS[net]):
        one = untrained(net, method, budget, plan, table)
        found += points("train", f"{net} K={budget}", method, *smoothed(one.learn(budget), budget))
        one.save(plan.out, _name(net, method, budget, plan))
    return found


def _name(net: str, method: str, budget: int, plan: Plan) -> str:
    return f"{net}-{method}-{budget}-{plan.seeds}"


def untrained(net: str, method: str, budget: int, plan: Plan, table: Table) -> Team:
    """A team that has learnt nothing yet, with the step size chosen for it."""
    kind, which = runs.METHODS[method]
    return team(NETS[net], views(NETS[net], plan.seeds, which), kind, eta_of(table, net, method, budget, plan))


def trained(net: str, method: str, budget: int, plan: Plan, table: Table) -> Team:
    """A trained team from the disk, or trained again where it is gone."""
    fresh = untrained(net, method, budget, plan, table)
    kept = fresh.load(plan.out, _name(net, method, budget, plan))
    if kept is None:
        fresh.learn(budget)
        fresh.save(plan.out, _name(net, method, budget, plan))
    return kept or fresh


def target(net: str, omega: float, episodes: int, budget: int, plan: Plan, table: Table) -> list[Point]:
    """Phase 4 in a target domain, and the baselines' training there."""
    teams = {method: trained(net, method, budget, plan, table) for method in methods(NETS[net])}
    eta = eta_of(table, net, "SAC-LFS", budget, plan)
    found = runs.target_curves(teams, NETS[net], plan.seeds, omega, episodes, eta)
    short = budget != plan.budget
    return [dataclasses.replace(p, setting=f"{p.setting} K={budget}") for p in found] if short else found


def masks(plan: Plan) -> list[Point]:
    """Phases 1 and 2 on the 3 x 3 grid: exact masks against trajectories, and what the representation keeps."""
    found: list[Point] = []
    for net, factors in ((NETS["grid3"], {"p": "arrival"}), (BOTH, {"p": "arrival", "q": "success"})):
        truth = true_masks(net.make(net.sources[0], 1), list(factors.values()))
        for size, count in ((20, 10),) if plan.quick else ((2, 40), (5, 40), (10, 40), (20, 100), (50, 40), (100, 100)):
            draw, learn = partial(explored, net), partial(phase_one, net)
            (record,) = recovery_rates(draw, learn, truth, [size], list(range(count)), components=("b_1", "b_2"))
            setting = f"{' and '.join(factors)}: {count} seeds"
            for level in ("distractors and domain", "own and actions", "every entry"):
                found += points("masks", setting, level, [size], record[level])
    net = NETS["grid3"]
    env = net.make(net.sources[0], 1)
    kept, raw = sizes(policy_acr(true_masks(env))), raw_sizes(env.adjacency, len(env.component_names))
    learned = [sizes(policy_acr(phase_one(net, explored(net, seed)))) for seed in range(plan.seeds)]
    for name, some in (("", learned), (", true masks", [kept])):
        shares = [(k / raw).mean() for k in some]
        found += points("masks", "grid3", f"share of components kept{name}", [EPISODES], shares)
    return found


def factor(plan: Plan) -> list[Point]:
    """Error of the domain factor against trajectories, per user, beside the closed-form standard deviation."""
    net, p = NETS["grid3"], 0.65
    sizes_ = (5, 20, 80) if plan.quick else (2, 5, 10, 20, 50, 100, 200)
    estimate, seeds = partial(bernoulli_factor, component="b_2", shared=False), range(20 if plan.quick else 100)
    found: list[Point] = []
    for record in factor_errors(lambda seed, n: collect(net.make(p, n), seed=seed), estimate, p, sizes_, seeds):
        n = record["trajectories"]
        found += points("factor", "grid3", "error", [n], record["error"])
        found += points("factor", "grid3", "closed form", [n], np.sqrt(p * (1 - p) / (10 * n)))
    return found


def inputs(plan: Plan, table: Table) -> list[Point]:
    """What the policy reads: learned, true, random or no masks; one-hop inputs; other ways to depend on the domain."""
    net, found = NETS["grid3"], []
    eta, budget = eta_of(table, "grid3", "GSAC", plan.budget, plan), plan.budget
    ways: dict[str, tuple[str, str, dict[str, Any]]] = {
        **{f"{which} masks": (which, "polynomial", {}) for which in ("learned", "true")},
        "no masks": ("none", "polynomial", {}),
        "random masks": ("random", "polynomial", {}),
        "one-hop inputs": ("learned", "polynomial", {"inputs": "neighbours"}),
        "interpolated tables": ("learned", "interpolation", {}),
    }
    for name, (which, kind, more) in ways.items():
        one = team(net, views(net, plan.seeds, which), kind, eta, **more)
        found += points("inputs", f"{net.name} train", name, *smoothed(one.learn(budget), budget))
        found += points("inputs", f"{net.name} target", name, [budget], one.evaluate(0.65, None, 400))
    return found


def printed_steps(plan: Plan) -> list[Point]:
    """alpha = 0.1, eta = 0.01 with the factor 1/n, one source domain an update: the paper's settings to the letter."""
    net = NETS["grid3"]
    one = team(net, views(net, plan.seeds, "learned"), "polynomial", 0.01, settings=GSAC.paper(), schedule="one")
    before = one.evaluate(0.65, None, 400)
    found = points("printed", net.name, "train", *smoothed(one.learn(PAPER_EPISODES), PAPER_EPISODES))
    after = one.evaluate(0.65, None, 400)
    return found + points("printed", net.name, "target", [0, PAPER_EPISODES], np.stack([before, after], axis=1))


def gap(plan: Plan, table: Table) -> list[Point]:
    """Return lost to a wrong factor, on the grid and where users contend."""
    found: list[Point] = []
    sizes_ = (1, 20) if plan.quick else (1, 2, 5, 10, 20, 50, 100)
    for net, omega in (("grid3", 0.65), ("contention", 0.35)):
        one = trained(net, "GSAC", plan.budget, plan, table)
        deltas = (-0.1, 0.1) if plan.quick else (-0.12, -0.08, -0.04, 0.04, 0.08, 0.12)
        found += runs.adaptation_gap(one, NETS[net], omega, sizes_, deltas)
    return found


def traffic(g: int, plan: Plan) -> list[Point]:
    """Traffic, measured only: GSAC from sources with capacity 1, 2, 3, and learning from scratch at 2.5."""
    net = NETS[f"traffic{g}"]
    groups, budget, eta = views(net, plan.seeds, "none"), 1800, DEFAULTS.actor_rate.start
    one = team(net, groups, "polynomial", eta)
    found = points("train", f"{net.name} K={budget}", "GSAC", *smoothed(one.learn(budget), budget))
    others = {"SAC-FT": "none", "SAC-MTL": "one-hot"}
    teams = {"GSAC": one, **{name: team(net, groups, kind, eta) for name, kind in others.items()}}
    for name in others:
        teams[name].learn(budget)
    return found + runs.target_curves(teams, net, plan.seeds, 2.5, 200, eta)
