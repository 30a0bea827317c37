"""General utilities and localized policy improvement: shadow gradients, the line, the wireless grid, samples against returns.

``python -m pipelines.general_utility`` (a few minutes on one core). Shadow-reward gradients against finite differences of the
true utility on small networks; the line task with entropy constraints; the 5 x 5 wireless grid with the determinism constraint
and with a cumulative one; localized policy improvement on 100 random networks, and beside Scalable Actor-Critic on the grid.
Quick and full runs are kept apart: a folder holds one kind, cells carry their lengths, and the report shows the present ones.
Every finished run is kept: start it again to finish or extend it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from causalnet.agents.networked import general_utility as gu
from causalnet.agents.networked.general_utility import Constraint, GeneralUtility
from causalnet.agents.networked.lpi import Cooling, LocalizedPolicyImprovement, exact_improvement
from causalnet.agents.networked.scalable_ac import Rate, ScalableActorCritic, Settings, returns
from causalnet.envs.networked import Line, TabularEnv, TabularNetwork, exact
from causalnet.envs.networked.wireless import utility_grid
from causalnet.storage.rows import Row
from pipelines.common import complete, open_table, options
from pipelines.general_utility import report

COLUMNS = ["kind", "variant", "seed", "value", "violation", "curve", "cpu_seconds", "extra"]
TEXTS = ("kind", "variant", "curve", "extra")
FIRST = 1000  # seeds from here on: step sizes were chosen on others
GRID, LINE = {"gamma": 0.7, "steps": 12}, {"gamma": 0.99, "steps": 125, "kappa": 2}
WASTE = np.zeros((4, 5))
WASTE[0, 1:] = -1.0  # sending from an empty buffer


@dataclass(frozen=True)
class Variant:
    """One way to learn: the bound is what is scored, ``aim`` (the bound and a margin) what is asked of the learner."""

    name: str
    settings: Settings
    episodes: int
    copies: int
    constraint: Constraint | None = None
    bound: float = 0.0
    occupancy_rate: float = 0.1
    cooling: Cooling | None = None
    everyone: bool = False
    marks: tuple[int, ...] = field(default=())


_line, _slow = Settings(**LINE, actor_rate=Rate(0.01, 0.5, 20.0)), 0.05  # type: ignore[arg-type]
_grid, _careful = Settings(**GRID), Settings(**GRID, actor_rate=Rate(0.05))  # type: ignore[arg-type]


def _entropy(aim: float, **options: Any) -> Constraint:
    return Constraint(gu.Entropy("state"), aim, **{"rate": 300.0, "incremental": False, **options})


LINES = (
    Variant("line", _line, 4000, 5),
    Variant("line, entropy >= 0.3", _line, 4000, 5, _entropy(0.31), 0.3, _slow),
    Variant("line, entropy >= 0.5", _line, 4000, 5, _entropy(0.515), 0.5, _slow),
    Variant("line, entropy >= 0.5, dual ascent", _line, 4000, 5, _entropy(0.515, rate=2.0, incremental=True), 0.5, _slow),
    Variant("line, entropy >= 0.8, best effort", _line, 4000, 5, _entropy(0.8, best_effort=True), 0.8, _slow),
)  # fmt: skip
GRIDS = (
    Variant("grid", _grid, 20_000, 10),
    Variant("grid, kappa = 0", Settings(**GRID, kappa=0), 20_000, 10),  # type: ignore[arg-type]
    Variant("grid, c = 0.2", _grid, 20_000, 10, Constraint(gu.Determinism(), 0.2, 100.0, incremental=False), 0.2),
    Variant("grid, c = 0.2, dual ascent", _grid, 20_000, 10, Constraint(gu.Determinism(), 0.2, 0.3), 0.2),
    Variant("grid, c = 0.3", _careful, 20_000, 10, Constraint(gu.Determinism(), 0.305, 10.0, incremental=False), 0.3, _slow),
    Variant("grid, empty sends <= 0.05", _grid, 20_000, 10, Constraint(gu.Linear(WASTE), -0.05), -0.05),
)  # fmt: skip
_MARKS = (
    250, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000, 7000, 8000, 10_000, 12_000, 14_000, 16_000, 20_000,
)  # fmt: skip
_lpi = Settings(**GRID, critic="linear", critic_rate=Rate(0.5), actor_rate=Rate(1.0))  # type: ignore[arg-type]
RACES = (
    Variant("LPI", _lpi, 20_000, 2, cooling=Cooling(0.15, 1500), marks=_MARKS),
    Variant("LPI, everyone at once", _lpi, 20_000, 2, cooling=Cooling(0.15, 1500), everyone=True, marks=_MARKS),
    Variant("SAC", _grid, 20_000, 10, marks=_MARKS),
    Variant("SAC, LPI's critic", Settings(**GRID, critic="linear"), 20_000, 10, marks=_MARKS),  # type: ignore[arg-type]
    Variant("SAC, Algorithm 1", Settings.paper(**GRID, eta=30.0), 20_000, 1, marks=_MARKS),
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is not yet there; write results.csv, summary.json and report.html."""
    args = options(__doc__.splitlines()[0] if __doc__ else "", "runs/general_utility").parse_args(argv)
    seeds = args.seeds or (2 if args.quick else 5)
    table = open_table(args.out, COLUMNS, args.quick, TEXTS)
    cells = _cells(seeds, args.quick)
    complete(table, cells, "runs")
    return report.write(args.out, table, set(cells))


def _cells(seeds: int, quick: bool) -> dict[str, Callable[[], list[Row]]]:
    """Every run by name, in the order that they are done."""
    tested = 500 if quick else 4000  # episodes of the last score
    cells: dict[str, Callable[[], list[Row]]] = {f"controls {tested}": lambda: _controls(tested)}
    for seed in range(seeds):
        cells[f"gradients {seed}"] = lambda seed=seed: _gradients(seed)
    for variants, make in ((LINES, Line), (GRIDS, utility_grid)):
        for v in variants:
            length = v.episodes // 10 if quick else v.episodes
            for seed in range(seeds):
                cells[f"{v.name} {seed} {length} {tested}"] = lambda v=v, s=seed, n=length, make=make: _learn(
                    v, s, n, make, tested
                )
    for group in range(1 if quick else 10):
        cells[f"monotone {group}"] = lambda group=group: _monotone(range(10 * group, 10 * group + 10))
    for v in RACES:
        last = 1500 if quick else v.episodes
        for seed in range(2 * seeds):
            cells[f"race {v.name} {seed} {last}"] = lambda v=v, s=seed, last=last: _race(v, s, last)
    certified = 1000 if quick else 6000
    cells[f"certificate {certified}"] = lambda: _certificate(certified)
    return cells


def _controls(episodes: int) -> list[Row]:
    """Uniform policies, and an access point for as many users as there are access points: nobody ever collides."""
    rows = []
    for name, env in (("grid", utility_grid(n_envs=100)), ("line", Line(n_envs=100))):
        shape = (1, env.n_agents, int(env.n_states.max()), int(env.n_actions.max()))
        uniform = np.full(shape, 1 / shape[-1])
        d, value = gu.occupancies(env, uniform, gamma=(GRID if name == "grid" else LINE)["gamma"], episodes=episodes)
        c, of = (0.2, gu.Determinism()) if name == "grid" else (0.5, gu.Entropy())
        rows.append(
            _row("control", f"{name}, uniform", 0, float(value[0]), float(np.maximum(0, c - of.value(d)).sum()))
        )
    env = utility_grid(n_envs=100)
    place = _owned(env.tables.access_points, env.tables.n_places)
    policy = np.zeros((1, 25, 4, 5))
    policy[..., 0] = 1.0
    for i in range(env.n_agents):
        if place[i] >= 0:
            a = int(np.flatnonzero(env.tables.access_points[i] == place[i])[0])
            policy[0, i, 1:] = np.eye(5)[a]
    _, value = gu.occupancies(env, policy, gamma=0.7, episodes=episodes)
    return [*rows, _row("control", "grid, one user an access point", 0, float(value[0]))]


def _owned(access_points: Any, n_places: int) -> np.ndarray:
    """(users,): the access point of each user, -1 for none; as many as can have one of their own."""
    rows, columns = np.nonzero(access_points < n_places)
    reach = sparse.csr_array((np.ones(len(rows)), (rows, access_points[rows, columns])), (len(access_points), n_places))
    return np.asarray(sparse.csgraph.maximum_bipartite_matching(reach, perm_type="column"))


def _utilities(seed: int) -> dict[str, Any]:
    """Every kind of utility on three agents of three states and two actions, and one of the user's own."""
    import torch

    rng = np.random.default_rng(seed)
    reward, target = rng.random((3, 2)), rng.dirichlet(np.ones(6)).reshape(3, 2)
    return {
        "linear": gu.Linear(reward),
        "entropy": gu.Entropy("pair"),
        "imitation": gu.Imitation(target),
        "risk-averse": gu.RiskAverse(reward, 2.0),
        "penalty": gu.Penalty(gu.Entropy("state"), 1.2, 5.0),
        "one an agent": [gu.Entropy("state"), gu.Linear(reward), gu.Imitation(target)],
        "by torch": lambda d: torch.sin(4 * d).sum() - (d**3).sum(),
    }


def _gradients(seed: int) -> list[Row]:
    """Relative error of the shadow gradient, exact and truncated at kappa hops, against differences of the true utility."""
    model = TabularNetwork.random(nx.path_graph(3), FIRST + seed, n_states=3, n_actions=2, gamma=0.8)
    rng = np.random.default_rng(seed)
    theta, rows = [rng.normal(size=(3, 2)) for _ in range(3)], []
    for name, f in _utilities(seed).items():
        true = []
        for i, at in ((i, at) for i in range(3) for at in np.ndindex(3, 2)):
            moved = [[x.copy() for x in theta] for _ in range(2)]
            moved[0][i][at] += 1e-5
            moved[1][i][at] -= 1e-5
            up, down = (gu.exact_utility(model, [exact.softmax(x) for x in m], f) for m in moved)
            true.append((up - down) / 2e-5)
        for kappa in (0, 1, 2):
            balls = [[j for j in range(3) if abs(j - i) <= kappa] for i in range(3)]
            found = gu.exact_utility_gradient(model, [exact.softmax(x) for x in theta], f, balls=balls)
            error = np.linalg.norm(np.ravel(found) - true) / np.linalg.norm(true)
            rows.append(_row("gradient", name, seed, float(error), extra=f"kappa {kappa}"))
    return rows


def _learn(v: Variant, seed: int, length: int, make: Callable[..., Any], tested: int) -> list[Row]:
    """Learn under the constraint, then score return and total violation of the last policy on fresh episodes."""
    agent = GeneralUtility(
        make(n_envs=v.copies), v.settings, constraints=v.constraint or (), seed=FIRST + seed, occupancy_rate=v.occupancy_rate
    )  # fmt: skip
    test, used, marks = make(n_envs=100), 0.0, []
    for mark in range(21):
        start = time.process_time()
        agent.learn(length * mark // 20 - agent.episodes)
        used += time.process_time() - start
        value, missing = _score(agent, test, 300, v.bound)
        marks.append(f"{agent.episodes}:{value:.4f}:{missing:.4f}")
    value, missing = _score(agent, test, tested, v.bound)
    extra = f"largest multiplier {agent.multipliers.max(initial=0):.4g}"
    return [_row("learn", v.name, seed, value, missing if v.constraint else None, " ".join(marks), used, extra)]


def _score(agent: GeneralUtility, test: Any, episodes: int, bound: float) -> tuple[float, float]:
    score = agent.score(test, episodes)
    return float(score.return_[0]), float(np.maximum(0, bound - score.constrained).sum())


def _monotone(seeds: Sequence[int]) -> list[Row]:
    """Exact LPI on random networks: the worst change of J beyond the truncation bias, and how much was gained."""
    rows = []
    for seed in seeds:
        rng = np.random.default_rng(FIRST + seed)
        n, kappa = int(rng.integers(2, 5)), int(rng.integers(0, 3))
        model = TabularNetwork.random(
            nx.gnp_random_graph(n, 0.6, seed=seed), rng, gamma=float(rng.choice([0.4, 0.7, 0.9])),
            coupling=("states", "actions")[seed % 2], concentration=float(rng.choice([0.3, 1.0, 5.0])),
        )  # fmt: skip
        _, record = exact_improvement(model, kappa=kappa, rounds=10)
        beyond = min(r.after - r.before + r.bias for r in record)
        lowered = sum(r.after < r.before - 1e-12 for r in record)
        best = exact.exact_policy_gradient(model, steps=60)[1]
        share = (record[-1].after - best[0]) / max(best[-1] - best[0], 1e-12)
        extra = f"{lowered} of {len(record)} updates lowered J; rho(H) {record[-1].rho[1]:.3f}; n {n}, kappa {kappa}"
        rows.append(_row("monotone", f"kappa {kappa}", seed, beyond, curve=f"{share:.4f}", extra=extra))
    return rows


def _race(v: Variant, seed: int, last: int) -> list[Row]:
    """Undiscounted return against episodes, without constraints."""
    env, test = utility_grid(n_envs=v.copies), utility_grid(n_envs=100)
    if v.cooling is None:
        agent = ScalableActorCritic(env, v.settings, seed=FIRST + seed)
    else:
        agent = LocalizedPolicyImprovement(env, v.settings, seed=FIRST + seed, cooling=v.cooling)
        if v.everyone:
            agent.colour[:] = 0
    marks, start = [], time.process_time()
    for mark in (m for m in v.marks if m <= last):
        agent.learn(mark - agent.episodes)
        value = returns(test, agent.policy, gamma=1.0, episodes=1000).mean()
        marks.append(f"{agent.episodes}:{value:.4f}")
    return [_row("race", v.name, seed, float(value), curve=" ".join(marks), used=time.process_time() - start)]


def _certificate(episodes: int) -> list[Row]:
    """LPI on a ring of six agents: return, temperature and rho(H) along the way."""
    model = TabularNetwork.random(nx.cycle_graph(6), 3, gamma=0.7)
    o = Settings(gamma=0.7, actor_rate=Rate(2.0))
    cooling = Cooling(0.3, episodes // 20)
    agent = LocalizedPolicyImprovement(
        TabularEnv(model, n_envs=10), o, model=model, report_every=max(1, episodes // 400), cooling=cooling, seed=FIRST
    )
    agent.learn(episodes)
    marks = " ".join(f"{r.episodes}:{r.tau:.4f}:{r.rho[1]:.4f}" for r in agent.reports)
    return [_row("certificate", "ring of 6", 0, agent.reports[-1].rho[1], curve=marks)]


def _row(
    kind: str, variant: str, seed: int, value: float, violation: float | None = None, curve: str = "", used: float = 0.0,
    extra: str = "",
) -> Row:  # fmt: skip
    return {
        "kind": kind, "variant": variant, "seed": seed, "value": f"{value:.6g}",
        "violation": None if violation is None else f"{violation:.6g}", "curve": curve, "cpu_seconds": f"{used:.3f}", "extra": extra,
    }  # fmt: skip
