"""How many samples the critic and the actor need, on small networks whose answers are known exactly.

Theorem 5 of arXiv 2510.21427 (Lemma 4 of 1912.02906) bounds the critic's error by C / sqrt(T); Theorem 5 of 1912.02906 bounds the mean of
||grad J||^2, weighted by the actor's steps eta / sqrt(m + 1), by C / sqrt(M): so epsilon^-2 samples for epsilon.
"""

from __future__ import annotations

import dataclasses

import networkx as nx
import numpy as np

from causalnet.agents import Rate, ScalableActorCritic, Settings
from causalnet.envs.networked import TabularEnv, TabularNetwork, exact
from pipelines.scalable_actor_critic.runs import GAMMA, STILL, Result, closed_balls

# alpha_t = h / (t + t0), counted in visits
_slow = dataclasses.replace(STILL, kappa=1, steps=100, critic_rate=Rate(10.0, 1.0, 15.0))
_climb = Settings(
    gamma=GAMMA, kappa=3, trace=1.0, steps=20, gradient="score", critic_rate=Rate(0.2), actor_rate=Rate(10.0, 0.5)
)


def critic_errors(seed: int, doublings: int) -> list[Result]:
    """Root mean square error of the critic against the fixed point of TD on a chain of four, after 100 2^k steps."""
    model, n = TabularNetwork.random(nx.path_graph(4), seed, gamma=GAMMA), 4
    process = exact.joint(model, [np.full((2, 2), 0.5)] * n)
    weights, balls = exact.stationary(process), closed_balls(n, 1)
    fixed = [
        exact.td_fixed_point(process, process.rewards[i], exact.keys(process, balls[i]), weights) for i in range(n)
    ]
    wanted, found = np.stack(fixed, axis=-1), []
    agent = ScalableActorCritic(TabularEnv(model, n_envs=20, horizon=None), _slow, learners=20, seed=seed)
    for k in range(2**doublings):
        path = agent.sample()
        q, agent.updates = agent.critic.learn(path, k), k + 1
        if k & (k + 1) == 0:  # 1, 2, 4, ... updates
            s, a = (np.ravel_multi_index(tuple(np.moveaxis(x, 2, 0)), (2,) * n) for x in (path.codes, path.a))
            error = float(np.sqrt(np.mean((q - wanted[s, a]) ** 2)))
            found.append(Result("rate", "critic error", seed, n, 100 * (k + 1), error))
    return found


def gradient_norms(seed: int, doublings: int) -> list[Result]:
    """sum_m eta_m ||grad J||^2 / sum_m eta_m on a chain of three, the gradient exact, after 2^k updates of four episodes."""
    model, n = TabularNetwork.random(nx.path_graph(3), seed, gamma=GAMMA), 3
    agent, found = ScalableActorCritic(TabularEnv(model, n_envs=4, horizon=20), _climb, seed=seed), []
    total = mass = 0.0
    for m in range(2**doublings):
        slope = exact.policy_gradient(model, [exact.softmax(theta) for theta in agent.theta[0]])
        eta = agent.settings.eta(m, n)
        total, mass = total + eta * sum(float((g**2).sum()) for g in slope), mass + eta
        if m & (m + 1) == 0:
            found.append(Result("rate", "squared gradient", seed, n, agent.episodes + 4, total / mass))
        agent.update()
    return found
