"""Scalable Actor-Critic on the wireless network of Lin et al.: return against episodes, and cost against agents.

``python -m pipelines.scalable_actor_critic`` (about ten minutes on one core). Curves for kappa = 0, 1, 2 beside localised
ALOHA, the uniform policy and the literal algorithm; the critic and the gradient against exact solutions of small
networks; process CPU time of one whole update for 100 to 100,000 agents, with PettingZoo's dictionaries beside it.
Every finished run is kept: start it again to finish or extend it.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from causalnet.agents.networked.scalable_ac import (
    Rate,
    ScalableActorCritic,
    Settings,
    TableFull,
    access_point_loads,
    independent_learners,
    returns,
)
from causalnet.envs.networked import TabularEnv, TabularNetwork, exact, uniform_policy
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, localized_aloha
from causalnet.storage.rows import Row
from pipelines.common import complete, open_table, options
from pipelines.scalable_actor_critic import report

GAMMA = 0.7
MARKS = 30  # evaluations along a run
SIZES = ((10, 10), (25, 40), (100, 100), (250, 400))
COLUMNS = ["kind", "variant", "seed", "agents", "episodes", "value", "curve", "cpu_seconds", "extra"]
TEXTS = ("kind", "variant", "curve", "extra")


@dataclass(frozen=True)
class Variant:
    """A learner on the Lin network: ``copies`` episodes go into an update, ``episodes`` into a run."""

    name: str
    settings: Settings
    episodes: int
    copies: int = 10
    seeds: int | None = None  # None: as many as asked


VARIANTS = (
    Variant("kappa = 1", Settings(kappa=1, gamma=GAMMA), 60_000),
    Variant("kappa = 2", Settings(kappa=2, gamma=GAMMA), 60_000),
    Variant("kappa = 0 (independent)", Settings(kappa=0, gamma=GAMMA), 60_000),
    Variant("kappa = 1, loads", Settings(gamma=GAMMA, critic="counts", gradient="score", baseline_rate=0.02, actor_rate=Rate(0.5)), 60_000),
    Variant("kappa = 1, linear", Settings(gamma=GAMMA, critic="linear"), 60_000),
    Variant("Algorithm 1, eta = 1", Settings.paper(gamma=GAMMA), 120_000, 1, 3),
    Variant("Algorithm 1, eta = 30", Settings.paper(gamma=GAMMA, eta=30.0), 120_000, 1, 3),
    Variant("follow-up, table kept", Settings.restarting(gamma=GAMMA, capacity=2**19), 120_000, 1, 1),
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> dict[str, Row]:
    """Run what is not yet there; write results.csv, episodes.csv, summary.json and report.html."""
    args = options(__doc__.splitlines()[0] if __doc__ else "", "runs/scalable_actor_critic").parse_args(argv)
    seeds = args.seeds or (2 if args.quick else 10)
    table = open_table(args.out, COLUMNS, args.quick, TEXTS)
    complete(table, _cells(seeds, args.quick), "runs")
    return report.write(args.out, table, [v.name for v in VARIANTS])


def _cells(seeds: int, quick: bool) -> dict[str, Callable[[], list[Row]]]:
    """Every run by name, in the order that they are done."""
    cells: dict[str, Callable[[], list[Row]]] = {}
    # cost first: the peak memory is the process's
    for rows, columns in SIZES[: 2 if quick else None]:
        cells[f"cost {rows * columns}"] = lambda rows=rows, columns=columns: _cost(rows, columns)
    for seed in range(seeds):
        cells[f"controls {seed}"] = lambda seed=seed: _controls(seed, 500 if quick else 4000)
    for v in VARIANTS:
        length = 2000 if quick else v.episodes
        for seed in range(min(seeds, v.seeds or seeds)):
            cells[f"{v.name} {seed} {length}"] = lambda v=v, seed=seed, length=length: _curve(v, seed, length, quick)
    for n in range(2, 3 if quick else 6):
        for kappa in (0, 1, 2):
            cells[f"exact {n} {kappa}"] = lambda n=n, kappa=kappa: _exact(n, kappa)
    return cells


def _controls(seed: int, episodes: int) -> list[Row]:
    """The uniform policy, and ALOHA at each of its rates: the best is the benchmark."""
    env = lin_grid(n_envs=100)
    policies = {"uniform": uniform_policy(env)}
    policies |= {f"ALOHA {x}": localized_aloha(env, x) for x in (0.25, 0.3, 0.35, 0.4, 0.45)}
    return [
        _row("control", name, seed, value=returns(env, policy, gamma=GAMMA, episodes=episodes, seed=seed).mean())
        for name, policy in policies.items()
    ]


def _curve(v: Variant, seed: int, length: int, quick: bool) -> list[Row]:
    env, test = lin_grid(n_envs=v.copies), lin_grid(n_envs=100)
    make = independent_learners if v.settings.kappa == 0 else ScalableActorCritic
    agent = make(env, v.settings, seed=seed, counts=access_point_loads(env))
    marks, used = [f"0:{agent.evaluate(test, 400).mean():.5f}"], 0.0
    for mark in range(MARKS):
        goal, start = length * (mark + 1) // MARKS, time.process_time()
        while agent.episodes < goal:
            try:
                agent.learn(goal - agent.episodes)
            except TableFull:
                agent.grow(2 * agent.settings.capacity)
        used += time.process_time() - start
        marks.append(f"{agent.episodes}:{agent.evaluate(test, 400).mean():.5f}")
    value = agent.evaluate(test, 400 if quick else 4000, seed=10**7).mean()
    extra = f"capacity {agent.settings.capacity}" if v.settings.critic == "table" and not v.settings.fresh else ""
    return [_row("curve", v.name, seed, 24, agent.episodes, value, " ".join(marks), used, extra)]


def _exact(n: int, kappa: int) -> list[Row]:
    """Mean error of the TD critic against its exact fixed point, and relative error of the sampled truncated gradient."""
    model = TabularNetwork.random(nx.path_graph(n), n, gamma=GAMMA)
    policy, start = [np.full((2, 2), 0.5)] * n, time.process_time()
    process, balls = exact.joint(model, policy), [[j for j in range(n) if abs(j - i) <= kappa] for i in range(n)]
    still = Settings(
        kappa=kappa, gamma=GAMMA, critic="table", gradient="score", by_visits=True, trace=0.0, continuing=True, steps=200,
        critic_rate=Rate(10.0, 0.85, 15.0), actor_rate=Rate(0.0), capacity=2048,
    )  # fmt: skip
    agent, weights = ScalableActorCritic(TabularEnv(model, n_envs=100, horizon=None), still), exact.stationary(process)
    for update in range(160):
        path = agent.sample()
        found = agent.critic.learn(path, update)
    s, a = (np.ravel_multi_index(tuple(np.moveaxis(x, 2, 0)), (2,) * n) for x in (path.codes, path.a))
    errors, biases, q = [], [], exact.q_values(process)
    for i in range(n):
        fixed = exact.td_fixed_point(process, process.rewards[i], exact.keys(process, balls[i]), weights)
        errors.append(np.abs(found[..., i] - fixed[s, a]).mean())
        biases.append(np.abs(fixed - q[i]).max())
    climb = Settings(kappa=kappa, gamma=GAMMA, trace=1.0, steps=20, gradient="expected", by_visits=True,
                     critic_rate=Rate(1.0, 1.0), actor_rate=Rate(1.0))  # fmt: skip
    slopes = []
    for seed in range(12):  # one step from the uniform policy is the gradient itself
        one = ScalableActorCritic(TabularEnv(model, n_envs=2000, horizon=20), climb, seed=seed)
        one.update()
        slopes.append(one.theta[0] / n)
    wanted = exact.policy_gradient(model, policy, balls=balls)
    size = np.linalg.norm(wanted)
    slope = np.linalg.norm(np.mean(slopes, axis=0) - wanted) / size
    whole = np.linalg.norm(np.subtract(wanted, exact.policy_gradient(model, policy))) / size
    used = time.process_time() - start
    return [
        _row("exact", f"kappa = {kappa}: Q", 0, n, value=max(errors), cpu=used, extra=f"truncation {max(biases):.4g}"),
        _row("exact", f"kappa = {kappa}: gradient", 0, n, value=slope, extra=f"truncation {whole:.4g}"),
    ]


def _cost(rows: int, columns: int) -> list[Row]:
    """Process CPU time of one whole update (10 steps, kappa = 1) on a GSAC grid, least of three."""
    n, found = rows * columns, []
    for name, settings in (("Algorithm 1", Settings.paper(gamma=0.95)), ("default", Settings(gamma=0.95))):
        agent = ScalableActorCritic(gsac_grid(rows, columns), settings)
        repeats = max(2, 100_000 // n)
        agent.update()
        found.append(_row("cost", f"update, {name}", 0, n, value=_seconds(agent.update, repeats) / (10 * n)))
        rate = 1e-6 * 10 * n / _seconds(agent.sample, repeats)
    found.append(_row("cost", "environment and policy", 0, n, value=rate))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    found.append(_row("cost", "peak memory", 0, n, value=peak))
    if n <= 10_000:
        found += _dictionaries(rows, columns)
    return found


def _dictionaries(rows: int, columns: int) -> list[Row]:
    """The same environment through PettingZoo's dictionaries, actions ready: million agent-steps a second."""
    try:
        from causalnet.envs.networked import to_parallel_env
    except ImportError:
        return []
    env, rng = to_parallel_env(gsac_grid(rows, columns)), np.random.default_rng(0)
    env.reset(seed=0)
    draws = [dict(zip(env.agents, row, strict=True)) for row in rng.integers(0, 5, (10, rows * columns)).tolist()]

    def episode() -> None:
        env.reset(seed=0)
        for actions in draws:
            env.step(actions)

    seconds = _seconds(episode, 1)
    return [_row("cost", "PettingZoo dictionaries", 0, rows * columns, value=1e-5 * rows * columns / seconds)]


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    best = math.inf
    for _ in range(3):
        start = time.process_time()
        for _ in range(repeats):
            run()
        best = min(best, (time.process_time() - start) / repeats)
    return best


def _row(
    kind: str, variant: str, seed: int, agents: int = 24, episodes: int = 0, value: float = math.nan, curve: str = "",
    cpu: float = math.nan, extra: str = "",
) -> Row:  # fmt: skip
    return dict(zip(COLUMNS, (kind, variant, seed, agents, episodes, value, curve, cpu, extra), strict=True))
