"""The runs behind ``pipelines.general_utility``: controls, gradients, learning under constraints, exact LPI, races."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from causalnet import agents as gu
from causalnet.agents import (
    Constraint,
    Cooling,
    GeneralUtility,
    LocalizedPolicyImprovement,
    Rate,
    ScalableActorCritic,
    Settings,
    exact_improvement,
    returns,
)
from causalnet.agents.networked.occupancy import occupancies
from causalnet.base.arrays import Ints
from causalnet.envs.networked import Line, TabularEnv, TabularNetwork, exact
from causalnet.envs.networked.wireless import utility_grid
from pipelines.common import mark

FIRST = 1000  # seeds from here on: step sizes were chosen on others
GRID, LINE = {"gamma": 0.7, "steps": 12}, {"gamma": 0.99, "steps": 125, "kappa": 2}


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
    marks: tuple[int, ...] = ()


@dataclass
class Result:
    """One line of results.csv; value: a return, an error, or a change of J, in six digits."""

    kind: str
    variant: str
    seed: int
    value: float
    violation: float | None = None
    curve: str = ""
    cpu_seconds: float = 0.0
    extra: str = ""

    def __post_init__(self) -> None:
        self.value, self.cpu_seconds = float(f"{self.value:.6g}"), round(self.cpu_seconds, 3)
        self.violation = None if self.violation is None else float(f"{self.violation:.6g}")


def controls(episodes: int) -> list[Result]:
    """Uniform policies, and an access point for as many users as there are access points: nobody ever collides."""
    rows = []
    for name, env in (("grid", utility_grid(n_envs=100)), ("line", Line(n_envs=100))):
        shape = (1, env.n_agents, int(env.n_states.max()), int(env.n_actions.max()))
        uniform = np.full(shape, 1 / shape[-1])
        d, value = occupancies(env, uniform, gamma=(GRID if name == "grid" else LINE)["gamma"], episodes=episodes)
        c, of = (0.2, gu.Determinism()) if name == "grid" else (0.5, gu.Entropy())
        missing = float(np.maximum(0, c - of.value(d)).sum())
        rows.append(Result("control", f"{name}, uniform", 0, float(value[0]), missing))
    env = utility_grid(n_envs=100)
    place = _owned(env.tables.access_points, env.tables.n_places)
    policy = np.zeros((1, 25, 4, 5))
    policy[..., 0] = 1.0
    for i in range(env.n_agents):
        if place[i] >= 0:
            a = int(np.flatnonzero(env.tables.access_points[i] == place[i])[0])
            policy[0, i, 1:] = np.eye(5)[a]
    _, value = occupancies(env, policy, gamma=0.7, episodes=episodes)
    return [*rows, Result("control", "grid, one user an access point", 0, float(value[0]))]


def _owned(access_points: Any, n_places: int) -> Ints:
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


def gradients(seed: int) -> list[Result]:
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
            rows.append(Result("gradient", name, seed, float(error), extra=f"kappa {kappa}"))
    return rows


def learn(v: Variant, seed: int, length: int, make: Callable[..., Any], tested: int) -> list[Result]:
    """Learn under the constraint, then score return and total violation of the last policy on fresh episodes."""
    how = {"constraints": v.constraint or (), "seed": FIRST + seed, "occupancy_rate": v.occupancy_rate}
    agent = GeneralUtility(make(n_envs=v.copies), v.settings, **how)
    test, used, marks = make(n_envs=100), 0.0, []
    for k in range(21):
        start = time.process_time()
        agent.learn(length * k // 20 - agent.episodes)
        used += time.process_time() - start
        marks.append(mark(agent.episodes, *_score(agent, test, 300, v.bound)))
    value, missing = _score(agent, test, tested, v.bound)
    extra = f"largest multiplier {agent.multipliers.max(initial=0):.4g}"
    return [Result("learn", v.name, seed, value, missing if v.constraint else None, " ".join(marks), used, extra)]


def _score(agent: GeneralUtility, test: Any, episodes: int, bound: float) -> tuple[float, float]:
    score = agent.score(test, episodes)
    return float(score.return_[0]), float(np.maximum(0, bound - score.constrained).sum())


def monotone(seeds: Sequence[int]) -> list[Result]:
    """Exact LPI on random networks: the worst change of J beyond the truncation bias, and how much was gained."""
    rows = []
    for seed in seeds:
        rng = np.random.default_rng(FIRST + seed)
        n, kappa = int(rng.integers(2, 5)), int(rng.integers(0, 3))
        graph, coupling = nx.gnp_random_graph(n, 0.6, seed=seed), ("states", "actions")[seed % 2]
        gamma, concentration = float(rng.choice([0.4, 0.7, 0.9])), float(rng.choice([0.3, 1.0, 5.0]))
        model = TabularNetwork.random(graph, rng, gamma=gamma, coupling=coupling, concentration=concentration)
        _, record = exact_improvement(model, kappa=kappa, rounds=10)
        beyond = min(r.after - r.before + r.bias for r in record)
        lowered = sum(r.after < r.before - 1e-12 for r in record)
        best = exact.exact_policy_gradient(model, steps=60)[1]
        share = (record[-1].after - best[0]) / max(best[-1] - best[0], 1e-12)
        extra = f"{lowered} of {len(record)} updates lowered J; rho(H) {record[-1].rho[1]:.3f}; n {n}, kappa {kappa}"
        rows.append(Result("monotone", f"kappa {kappa}", seed, beyond, curve=f"{share:.4f}", extra=extra))
    return rows


def race(v: Variant, seed: int, last: int) -> list[Result]:
    """Undiscounted return against episodes, without constraints."""
    env, test = utility_grid(n_envs=v.copies), utility_grid(n_envs=100)
    if v.cooling is None:
        agent = ScalableActorCritic(env, v.settings, seed=FIRST + seed)
    else:
        agent = LocalizedPolicyImprovement(env, v.settings, seed=FIRST + seed, cooling=v.cooling)
        if v.everyone:
            agent.colour[:] = 0
    marks, start = [], time.process_time()
    for episodes in (m for m in v.marks if m <= last):
        agent.learn(episodes - agent.episodes)
        value = float(returns(test, agent.policy, gamma=1.0, episodes=1000).mean())
        marks.append(mark(agent.episodes, value))
    return [Result("race", v.name, seed, value, curve=" ".join(marks), cpu_seconds=time.process_time() - start)]


def certificate(episodes: int) -> list[Result]:
    """LPI on a ring of six agents: return, temperature and rho(H) along the way."""
    model = TabularNetwork.random(nx.cycle_graph(6), 3, gamma=0.7)
    o = Settings(gamma=0.7, actor_rate=Rate(2.0))
    cooling = Cooling(0.3, episodes // 20)
    how = {"model": model, "report_every": max(1, episodes // 400), "cooling": cooling, "seed": FIRST}
    agent = LocalizedPolicyImprovement(TabularEnv(model, n_envs=10), o, **how)
    agent.learn(episodes)
    marks = " ".join(mark(r.episodes, r.tau, r.rho[1]) for r in agent.reports)
    return [Result("certificate", "ring of 6", 0, agent.reports[-1].rho[1], curve=marks)]
