"""SysAdmin on networks with hubs: Scalable Actor-Critic beside NetworkedPPO and two rules of thumb."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import networkx as nx
import numpy as np

from causalnet.agents import NetworkedPPO, ScalableActorCritic, Settings
from causalnet.base.arrays import Array, Ints
from causalnet.envs import SysAdmin
from pipelines.scalable_actor_critic.runs import Result

LINKS = 2  # of a machine that joins
COPIES, JUDGES = 16, 10**6  # side by side; seed of the first episodes that judge
JUDGED = 48  # episodes, the same for all of a network
HUB = "most failed neighbours"
LENGTHS = {"Scalable Actor-Critic": 102_400, "NetworkedPPO": 640}  # episodes until both have stopped rising


def machines(n: int, seed: int, quick: bool) -> Iterator[Result]:
    """Undiscounted returns of both learners, kappa = 1, and of the rules on one network of Barabasi and Albert."""
    graph = nx.barabasi_albert_graph(n, LINKS, seed=seed)
    test, world = SysAdmin(graph, n_envs=COPIES), SysAdmin(graph, n_envs=COPIES, seed=seed)
    for name, rule in ((HUB, _hub(graph)), ("all that failed", _failed)):
        yield Result("machines", name, seed, n, value=played(test, rule))
    learners = (
        ScalableActorCritic(world, Settings(kappa=1), seed=seed),
        NetworkedPPO(SysAdmin(graph, n_envs=COPIES, seed=seed), kappa=1, seed=seed),
    )
    for agent, (name, length) in zip(learners, LENGTHS.items(), strict=True):
        start, many = time.process_time(), 32 if quick else length
        agent.learn(episodes=many)
        spent = time.process_time() - start
        value = float(np.mean(agent.evaluate(test, JUDGED, discount=1.0)))
        yield Result("machines", name, seed, n, many, value, cpu_seconds=spent)


def played(env: SysAdmin, rule: Callable[[Ints], Ints]) -> float:
    """Mean return of JUDGED episodes."""
    found = []
    for k in range(JUDGED // COPIES):
        (s, _), total, over = env.reset(seed=JUDGES + k), np.zeros(COPIES), False
        while not over:
            s, rewards, ended, cut, _ = env.step(rule(s))
            total, over = total + rewards.mean(axis=1), bool((ended | cut).all())
        found.append(total.mean())
    return float(np.mean(found))


def _failed(s: Ints) -> Ints:
    """(E, n) actions: reboot every machine that is not good."""
    return np.asarray(s % 3 > 0).astype(np.int64)


def _hub(graph: nx.Graph) -> Callable[[Ints], Ints]:
    """Reboot the one failed machine with most failed neighbours."""
    links: Array = nx.to_scipy_sparse_array(graph, nodelist=range(len(graph)), dtype=float)

    def rule(s: Ints) -> Ints:
        """(E, n) actions."""
        failed = s % 3 > 0
        near = np.where(failed, (links @ failed.T.astype(float)).T, -1.0)
        worst = near == near.max(axis=1, keepdims=True)
        first = worst & (worst.cumsum(axis=1) == 1)
        return (first & failed).astype(np.int64)

    return rule
