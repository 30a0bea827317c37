"""The runs behind ``pipelines.scalable_actor_critic``: controls, learning curves, exact answers, cost."""

from __future__ import annotations

import dataclasses
import math
import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from causalnet import agents
from causalnet.agents import Rate, ScalableActorCritic, Settings
from causalnet.envs.networked import TabularEnv, TabularNetwork, exact, uniform_policy
from causalnet.envs.networked.wireless import gsac_grid, lin_grid, localized_aloha
from pipelines.common import mark, peak_memory

GAMMA = 0.7
MARKS = 30  # evaluations along a run
# a critic of a policy that stays as it is, and one step of the actor from returns: of small networks, solved exactly
_still = {"critic": "table", "gradient": "score", "continuing": True, "actor_rate": Rate(0.0), "capacity": 2048}
_td = {"gamma": GAMMA, "by_visits": True, "trace": 0.0, "steps": 200, "critic_rate": Rate(10.0, 0.85, 15.0)}
STILL = Settings(**_td, **_still)  # type: ignore[arg-type]
_step = {"gradient": "expected", "critic_rate": Rate(1.0, 1.0), "actor_rate": Rate(1.0)}
CLIMB = Settings(gamma=GAMMA, by_visits=True, trace=1.0, steps=20, **_step)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Variant:
    """A learner on the Lin network: ``copies`` episodes go into an update, ``episodes`` into a run."""

    name: str
    settings: Settings
    episodes: int
    copies: int = 10
    seeds: int | None = None  # None: as many as asked


@dataclass(frozen=True)
class Result:
    """One line of results.csv; value: a return, an error, or a cost."""

    kind: str
    variant: str
    seed: int = 0
    agents: int = 24
    episodes: int = 0
    value: float = math.nan
    curve: str = ""
    cpu_seconds: float = math.nan
    extra: str = ""


def controls(seed: int, episodes: int) -> list[Result]:
    """The uniform policy, and ALOHA at each of its rates: the best is the benchmark."""
    env = lin_grid(n_envs=100)
    policies = {"uniform": uniform_policy(env)}
    policies |= {f"ALOHA {x}": localized_aloha(env, x) for x in (0.25, 0.3, 0.35, 0.4, 0.45)}
    played = {
        name: agents.returns(env, p, gamma=GAMMA, episodes=episodes, seed=seed).mean() for name, p in policies.items()
    }
    return [Result("control", name, seed, value=value) for name, value in played.items()]


def curve(v: Variant, seed: int, length: int, quick: bool) -> list[Result]:
    """Learn, evaluated ``MARKS`` times along the run, then score the last policy on fresh episodes."""
    env, test = lin_grid(n_envs=v.copies), lin_grid(n_envs=100)
    make = agents.independent_learners if v.settings.kappa == 0 else ScalableActorCritic
    agent = make(env, v.settings, seed=seed, counts=agents.access_point_loads(env))
    marks, used = [mark(0, agent.evaluate(test, 400).mean(), digits=5)], 0.0
    for k in range(MARKS):
        goal, start = length * (k + 1) // MARKS, time.process_time()
        while agent.episodes < goal:
            try:
                agent.learn(goal - agent.episodes)
            except agents.TableFull:
                agent.grow(2 * agent.settings.capacity)
        used += time.process_time() - start
        marks.append(mark(agent.episodes, agent.evaluate(test, 400).mean(), digits=5))
    value = agent.evaluate(test, 400 if quick else 4000, seed=10**7).mean()
    extra = f"capacity {agent.settings.capacity}" if v.settings.critic == "table" and not v.settings.fresh else ""
    return [Result("curve", v.name, seed, 24, agent.episodes, value, " ".join(marks), used, extra)]


def closed_balls(n: int, kappa: int) -> list[list[int]]:
    """N_i^kappa of every agent of a chain of n."""
    return [[j for j in range(n) if abs(j - i) <= kappa] for i in range(n)]


def exact_answers(n: int, kappa: int) -> list[Result]:
    """Mean error of the TD critic against its exact fixed point, and relative error of the sampled truncated gradient."""
    model = TabularNetwork.random(nx.path_graph(n), n, gamma=GAMMA)
    policy, start = [np.full((2, 2), 0.5)] * n, time.process_time()
    process, balls = exact.joint(model, policy), closed_balls(n, kappa)
    still = dataclasses.replace(STILL, kappa=kappa)
    agent, weights = ScalableActorCritic(TabularEnv(model, n_envs=100, horizon=None), still), exact.stationary(process)
    for update in range(160):
        path = agent.sample()
        found, agent.updates = (
            agent.critic.learn(path, update),
            update + 1,
        )  # or the next path would draw the same actions
    s, a = (np.ravel_multi_index(tuple(np.moveaxis(x, 2, 0)), (2,) * n) for x in (path.codes, path.a))
    errors, biases, q = [], [], exact.q_values(process)
    for i in range(n):
        fixed = exact.td_fixed_point(process, process.rewards[i], exact.keys(process, balls[i]), weights)
        errors.append(np.abs(found[..., i] - fixed[s, a]).mean())
        biases.append(np.abs(fixed - q[i]).max())
    climb, slopes = dataclasses.replace(CLIMB, kappa=kappa), []
    for seed in range(12):  # one step from the uniform policy is the gradient itself
        one = ScalableActorCritic(TabularEnv(model, n_envs=2000, horizon=20), climb, seed=seed)
        one.update()
        slopes.append(one.theta[0] / n)
    wanted = exact.policy_gradient(model, policy, balls=balls)
    size = np.linalg.norm(wanted)
    slope = np.linalg.norm(np.mean(slopes, axis=0) - wanted) / size
    whole = np.linalg.norm(np.subtract(wanted, exact.policy_gradient(model, policy))) / size
    used = time.process_time() - start
    critic = {"value": max(errors), "cpu_seconds": used, "extra": f"truncation {max(biases):.4g}"}
    actor = {"value": slope, "extra": f"truncation {whole:.4g}"}
    told = (("Q", critic), ("gradient", actor))
    return [Result("exact", f"kappa = {kappa}: {what}", 0, n, **values) for what, values in told]


def cost(rows: int, columns: int, work: int) -> list[Result]:
    """Process CPU time of one whole update (10 steps, kappa = 1) on a GSAC grid, least of three rounds of ``work`` agents."""
    n, found = rows * columns, []
    for name, settings in (("Algorithm 1", Settings.paper(gamma=0.95)), ("default", Settings(gamma=0.95))):
        agent = ScalableActorCritic(gsac_grid(rows, columns), settings)
        repeats = max(2, work // n)
        agent.update()
        found.append(Result("cost", f"update, {name}", 0, n, value=_seconds(agent.update, repeats) / (10 * n)))
        rate = 1e-6 * 10 * n / _seconds(agent.sample, repeats)
    found.append(Result("cost", "environment and policy", 0, n, value=rate))
    found.append(Result("cost", "peak memory", 0, n, value=peak_memory()))
    if n <= 10_000:
        found += _dictionaries(rows, columns)
    return found


def _dictionaries(rows: int, columns: int) -> list[Result]:
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
    return [Result("cost", "PettingZoo dictionaries", 0, rows * columns, value=1e-5 * rows * columns / seconds)]


def _seconds(run: Callable[[], Any], repeats: int) -> float:
    """Least process CPU seconds of a call, over three rounds of ``repeats``."""
    return min(timeit.repeat(run, timer=time.process_time, repeat=3, number=repeats)) / repeats
