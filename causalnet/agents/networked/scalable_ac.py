"""Scalable Actor-Critic: maximise J = E[sum_t gamma^t (1/n) sum_i r_i(t)] over own-state policies of networked agents.

Qu, Wierman and Li (arXiv 1912.02906), Algorithm 1. Agent i learns Q_i from the states and actions of its kappa-hop
neighbourhood N_i^kappa alone, and climbs the truncated gradient (eq. 7)
    g_i = sum_t gamma^t (1/n) sum_{j in N_i^kappa} Q_j(t) grad log pi_i(a_i(t) | s_i(t)).
Where Q_i decays exponentially with distance, its error shrinks like rho^(kappa + 1). All agents, environments and seeds
(learners) advance together; nothing is ever as large as the global state space.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...base import checks
from ...base.arrays import Array
from ...envs.networked import identity
from ...envs.networked.identity import fingerprint
from ...envs.networked.neighbourhoods import hop_neighbourhoods, padded
from ...envs.networked.streams import spawn
from ...errors import DataError
from . import checks as given
from .actor import draw, own_state_gradient, softmax
from .actor_kernels import cumulate
from .checkpoint import open_agent, put_back, save_agent
from .critic import Counts, Critic, access_point_loads
from .critic_kernels import TableFull
from .rollout import Trajectory, returns, roll, seeds, view_table
from .settings import Rate, Settings

__all__ = [
    "Rate",
    "ScalableActorCritic",
    "Settings",
    "TableFull",
    "access_point_loads",
    "fingerprint",
    "independent_learners",
    "returns",
]


class ScalableActorCritic:
    """Scalable Actor-Critic on an environment with E copies, shared evenly by ``learners`` independent seeds.

    theta (L, n, S, A): softmax parameters; ``policy`` has the probabilities. updates, episodes: done so far, an episode
    being one copy's of each learner. The state after an update depends on (settings, seed, environment) alone.
    view: what an agent sees of its state, (states,) or (n, states) codes; for instance an approximately compact
    representation that drops components. Critic and policy know no more than that.
    counts: for critic "counts", a function Trajectory -> c (T + 1, E, n), such as ``access_point_loads(env)``.
    """

    def __init__(
        self, env: Any, settings: Settings | None = None, *, learners: int = 1, seed: int = 0, view: Any = None,
        counts: Counts | None = None,
    ) -> None:  # fmt: skip
        self.settings = given.lasting(given.settings(settings, Settings()), identity.network(env))
        self.env, self.seed = env, checks.whole("seed", seed, 0)
        self.copies, learners = int(env.n_envs or 1), checks.whole("learners", learners, 1)
        if self.copies % learners:
            raise DataError(
                f"{self.copies} copies cannot be shared by {learners} learners; use a multiple of {learners}"
            )
        self.learners = learners
        self.view = view_table(env, view)
        self.n_actions = np.asarray(env.n_actions, dtype=np.int64)
        self.shape = (learners, int(env.n_agents), int(self.view.max()) + 1, int(self.n_actions.max()))
        self.table = padded(hop_neighbourhoods(env.adjacency, self.settings.kappa))  # (n, f)
        self.updates, self._s = 0, None
        self.theta: Array = np.zeros(self.shape)
        self.baseline: Array = np.zeros(self.shape[:3])
        self.critic = Critic(self.settings, self.shape, self.copies, self.table, counts)
        self._cumulative = np.empty(self.shape, np.float32)
        self._gradient = np.empty(self.shape)
        self._path = Trajectory.empty(self.settings.length, self.copies, self.shape[1])
        cumulate(self.theta, self.n_actions, self.settings.temperature, self._cumulative)

    @property
    def episodes(self) -> int:
        """Episodes that each learner has seen."""
        return self.updates * (self.copies // self.learners)

    @property
    def policy(self) -> Array:
        """pi_i(a | s): (L, n, S, A), zero for actions that an agent does not have."""
        return softmax(self.theta, self.n_actions[:, None], self.settings.temperature)

    def learn(self, episodes: int, *, on_update: Callable[[Self], None] | None = None) -> Self:
        """Update until each learner has seen ``episodes`` more episodes (rounded up to whole updates)."""
        episodes = checks.whole("episodes", episodes, 0)
        checks.function("on_update", on_update)
        goal = self.updates + math.ceil(episodes / (self.copies // self.learners))
        while self.updates < goal:
            self.update()
            if on_update is not None:
                on_update(self)
        return self

    def update(self) -> None:
        """One outer iteration of Algorithm 1: an episode in every copy, temporal differences, a gradient step."""
        path = self.sample()
        q = self.critic.learn(path, self.updates)
        self.improve(path, q)
        self.updates += 1

    def sample(self) -> Trajectory:
        """Lines 2 and 5: the trajectories of all copies under the present policy."""
        key = seeds(self.seed, self.updates)
        if self._s is None or not self.settings.continuing:
            self._s, _ = self.env.reset(seed=key)
        self._s = roll(self.env, self._cumulative, self.view, spawn(key + 1, self.copies), self._path, self._s)
        return self._path

    def improve(self, path: Trajectory, q: Array) -> None:
        """Lines 10-12: theta_i <- theta_i + eta_m g_i."""
        o = self.settings
        own_state_gradient(
            o, path, q, self.critic, self.table, self._cumulative, self.n_actions, self.baseline, self._gradient
        )
        eta = float(o.actor_rate.at(self.updates)[0]) / (self.shape[1] if o.over_n else 1)
        with np.errstate(over="ignore", invalid="ignore"):
            self._gradient *= eta
            self._gradient += self.theta
            theta = given.converging(self._gradient, self.updates)
        self.theta, self._gradient = theta, self.theta  # the old one is the next update's room
        cumulate(self.theta, self.n_actions, o.temperature, self._cumulative)

    def evaluate(self, env: Any, episodes: int = 400, *, seed: int = 10**6) -> Array:
        """Returns of each learner's policy on ``env``, with the discount of the settings: (L, episodes)."""
        identity.require(env, fingerprint(self.env))
        if env is self.env and self.settings.continuing:
            raise DataError("env is in the midst of a trajectory without end; evaluate on another environment")
        gamma = self.settings.gamma if self.settings.objective == "discounted" else 1.0
        return returns(
            env, self.policy, gamma=gamma, steps=self.settings.steps, episodes=episodes, seed=seed, view=self.view
        )

    def predict(self, s: Any, seed: int | np.random.Generator | None = None, *, learner: int = 0) -> NDArray[np.int64]:
        """Actions (..., n) for the state codes s (..., n); drawn from the policy with a seed, else the likeliest."""
        if checks.whole("learner", learner, 0) >= self.shape[0]:
            raise DataError(f"there is no learner {learner}: they are numbered 0 to {self.shape[0] - 1}")
        s = np.asarray(s)
        if s.shape[-1:] != (self.shape[1],) or s.dtype.kind not in "iu":
            raise DataError(
                f"states are whole numbers of shape (..., {self.shape[1]}), one an agent; got {s.dtype} {s.shape}"
            )
        wrong = np.argwhere((s < 0) | (s >= np.asarray(self.env.n_states)))
        if len(wrong):
            i = wrong[0][-1]
            raise DataError(
                f"state of agent {i} is {s[tuple(wrong[0])]}, and it has {self.env.n_states[i]}: 0 to {self.env.n_states[i] - 1}"
            )
        agents = np.arange(self.shape[1])
        p = self.policy[learner][agents, self.view[agents if len(self.view) > 1 else 0, s]]
        if seed is None:
            return np.asarray(p.argmax(-1), dtype=np.int64)
        return draw(p, checks.generator("seed", seed))

    def grow(self, capacity: int) -> None:
        """Give every kept table this many entries (a power of two); nothing learnt is lost."""
        settings = dataclasses.replace(self.settings, capacity=capacity)
        self.critic, self.settings = self.critic.grown(settings), settings

    def save(self, path: str | Path) -> Path:
        """Write everything learnt as one npz file with a JSON header."""
        return save_agent(path, self, {})

    @classmethod
    def load(cls, path: str | Path, env: Any, *, counts: Counts | None = None) -> ScalableActorCritic:
        """What ``save`` wrote, on the network that it was learnt on; learning goes on as if it had not stopped
        (trajectories without end begin anew)."""
        header, arrays, settings, options = open_agent(path, cls, env)
        agent = cls(env, settings, counts=counts, **options)
        put_back(path, agent, header, arrays)
        return agent


def independent_learners(env: Any, settings: Settings | None = None, **options: Any) -> ScalableActorCritic:
    """The baseline of Claus and Boutilier: every agent climbs its own reward only, which is kappa = 0."""
    return ScalableActorCritic(env, dataclasses.replace(given.settings(settings, Settings()), kappa=0), **options)
