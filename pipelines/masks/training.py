"""What masks are worth to PPO, which learns while the graph is learned: discovery's interactions are its own first ones.

Presence masks the first ``size`` steps of training; from these steps the graph is learned, and its mask takes over where they end. So the run
with presence is the common beginning of all runs with a learned graph: it is copied where a size is reached, and every
comparison with it is paired to the last random number. Arms are those that ``uniform`` shows to matter: what else is there is played without
training.
"""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from causalnet import CausalMask
from causalnet.agents import PPO
from causalnet.graph.posterior import GraphPosterior
from causalnet.training import evaluate
from pipelines.common import mark
from pipelines.masks.runs import (
    DOUBT,
    GATED,
    NONE,
    PRESENCE,
    RANDOM,
    TRUE,
    Problem,
    Run,
    quality,
    seen_in,
    wrong_graphs,
)

BLOCKS = 24  # points of a curve of training


class Trained:
    """PPO in one environment, with the returns of its episodes."""

    def __init__(self, env: Any, seed: int) -> None:
        self.agent = PPO(env, seed=seed)
        self.rows: list[Any] = []
        self.returns: list[tuple[int, float]] = []  # steps so far, return
        self.cpu = 0.0

    def go_on(self, until: int) -> Trained:
        """Train until so many steps are done; what it sees is noted for the discovery."""
        begun = time.process_time()
        v = self.agent.env.unwrapped.action_space.n - 1

        def see(step: Any) -> None:
            before, after = np.asarray(step.obs)[:v] > 0, np.asarray(step.next_obs)[:v] > 0
            self.rows.append((before, after, step.action if step.action < v else -1))

        def note(episode: Any) -> None:
            self.returns.append((episode.steps, episode.return_))

        self.agent.learn(steps=until - self.agent.steps, on_step=see, on_episode=note)
        self.cpu += time.process_time() - begun
        return self

    def branch(self, graph: Any, k: Any = "roots", gate: bool = False) -> Trained:
        """A copy that goes on under another mask; its gate has watched from the beginning."""
        twin = copy.deepcopy(self)
        env = twin.agent.env
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cycles, which a ring has
            assert env.mask is not None
            env.mask.k = k
            env.update(graph)
        if not gate:
            env.masker.gate = None
            for turn in env.masker.turns:
                turn.arm = "causal"
        return twin

    def run(self, problem: Problem, mask: str, **told: Any) -> Run:
        """Train to the end, and judge."""
        for steps in (*sorted(problem.sizes), problem.steps):  # where one run stops, all do: a stop ends an episode
            self.go_on(max(steps, self.agent.steps))
        env = self.agent.env
        value = float(evaluate(self.agent, env, problem.judged, deterministic=False)["return"].mean())
        gate = getattr(env, "gate", None)
        arm = "" if gate is None else gate.best
        return Run(
            str(problem),
            mask,
            value=value,
            arm=arm,
            steps=self.agent.steps,
            cpu=self.cpu,
            curve=self.curve(problem),
            **told,
        )

    def curve(self, problem: Problem) -> str:
        """Mean return of the episodes that ended in each block of training."""
        steps, returns = np.array(self.returns).T
        ends = np.linspace(0, problem.steps, BLOCKS + 1)
        blocks = np.clip(np.searchsorted(ends, steps, side="left") - 1, 0, BLOCKS - 1)
        return " ".join(mark(int(ends[b + 1]), float(returns[blocks == b].mean())) for b in np.unique(blocks))


def ppo(problem: Problem, seed: int) -> Iterator[Run]:
    """Every mask under PPO, trained for the same number of interactions."""
    env = problem.make(seed)
    truth = env.true_graph
    yield Trained(problem.make(seed), seed).run(problem, NONE)
    start = Trained(CausalMask(problem.make(seed), None, gate=True), seed)
    yield start.branch(truth).run(problem, TRUE)
    wrong = wrong_graphs(truth, seed)[RANDOM]
    yield start.branch(wrong).run(problem, RANDOM)
    yield start.branch(wrong, gate=True).run(problem, RANDOM + GATED)
    for size in sorted(problem.sizes):
        if size < problem.steps:
            yield from _learned(problem, start.go_on(size), size, truth, env)
    yield start.branch(None).run(problem, PRESENCE)


def _learned(problem: Problem, start: Trained, size: int, truth: Any, env: Any) -> Iterator[Run]:
    """The runs that go on with what the first ``size`` steps told; of nothing learned, presence masks on."""
    if size == 0:
        posterior = GraphPosterior(env.variables, np.zeros((1, len(env.variables), len(env.variables)), bool))
    else:
        posterior = seen_in(start.rows[:size]).posterior(env, size)
    told = {"size": size, **quality(truth, posterior.graph())}
    yield start.branch(posterior).run(problem, DOUBT, **told)
    yield start.branch(posterior, gate=True).run(problem, DOUBT + GATED, **told)
