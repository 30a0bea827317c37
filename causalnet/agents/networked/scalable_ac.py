"""Scalable Actor-Critic: maximise J = E[sum_t gamma^t (1/n) sum_i r_i(t)] over own-state policies of networked agents.

Qu, Wierman and Li (arXiv 1912.02906), Algorithm 1. Agent i learns Q_i from the states and actions of its kappa-hop
neighbourhood N_i^kappa alone, and climbs the truncated gradient (eq. 7)
    g_i = sum_t gamma^t (1/n) sum_{j in N_i^kappa} Q_j(t) grad log pi_i(a_i(t) | s_i(t)).
Where Q_i decays exponentially with distance, its error shrinks like rho^(kappa + 1). All agents, environments and seeds
(learners) advance together; nothing is ever as large as the global state space.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from ...base.arrays import Array, Ints
from ...base.checks import generator, number, whole
from ...envs import answers
from ...envs.networked import identity
from ...envs.networked.identity import fingerprint
from ...envs.networked.neighbourhoods import surround
from ...errors import DataError
from .actor import OwnState, draw
from .checkpoint import Kept, Part, read_agent, restore, settings_of
from .critic import KEPT, Counts
from .learner import Course, NetworkedLearner, converging, usual
from .rollout import Trajectory, discounted, episodes_under, seeds, seen, shared, state_codes, view_table
from .settings import LearningSettings, Settings


class ScalableActorCritic(NetworkedLearner):
    """Scalable Actor-Critic on an environment with E copies, shared evenly by ``learners`` independent seeds.

    theta (L, n, S, A): softmax parameters; ``policy`` has the probabilities. updates, episodes: done so far, an episode
    being one copy's of each learner. The state after an update depends on (settings, seed, environment) alone.
    view: what an agent sees of its state, (states,) or (n, states) codes; for instance an approximately compact
    representation that drops components. Critic and policy know no more than that.
    counts: for critic "counts", a function Trajectory -> c (T + 1, E, n), such as ``access_point_loads(env)``.
    """

    USUAL: ClassVar[LearningSettings] = Settings()

    def __init__(
        self,
        env: Any,
        settings: Settings | None = None,
        *,
        learners: int = 1,
        seed: int = 0,
        view: Any = None,
        counts: Counts | None = None,
    ) -> None:
        super().__init__()
        o = self.settings = usual(settings, self.USUAL).lasting(identity.network(env))
        self.env, self.seed, self.network = env, whole("seed", seed, 0), fingerprint(env)
        self.learners = whole("learners", learners, 1)
        self.copies = shared(int(env.n_envs or 1), self.learners)
        self.view = view_table(env, view)
        self.n_actions = np.asarray(env.n_actions, dtype=np.int64)
        self.shape = (self.learners, int(env.n_agents), int(self.view.max()) + 1, int(self.n_actions.max()))
        temperature = o.temperature if isinstance(o, Settings) else 1.0
        self.actor = OwnState(self.shape, self.n_actions, self.view, temperature)
        self.critic = self.actor.critic(o, self.copies, surround(env.adjacency, o.kappa), counts)
        self.theta: Array = np.zeros(self.shape)
        self.baseline: Array = np.zeros(self.shape[:3])
        self._course = Course() if o.actor_rate.start > 0 else None
        self._path, self._s = Trajectory.empty(o.length, self.copies, self.shape[1]), None

    @property
    def per_update(self) -> int:
        """Episodes of each learner in an update."""
        return self.copies // self.learners

    @property
    def policy(self) -> Array:
        """pi_i(a | s): (L, n, S, A), zero for actions that an agent does not have."""
        return self.actor.probabilities(self.theta[:, :, None])

    def update(self) -> None:
        """One outer iteration of Algorithm 1: an episode in every copy, temporal differences, a gradient step."""
        path = self.sample()
        q = self.critic.learn(path, self.updates)
        self.improve(path, q)
        self.updates += 1
        if self._course is not None and self.updates <= Course.UPDATES:
            self._course.see(self.updates, self.last_return())

    def sample(self) -> Trajectory:
        """Lines 2 and 5: the trajectories of all copies under the present policy."""
        key = seeds(self.seed, self.updates)
        if self._s is None or not self.settings.continuing:
            self._s, _ = answers.reset(self.env, seed=key)
        self.actor.use(self.theta[:, :, None])
        self._s = self.actor.roll(self.env, key + 1, self._path, self._s)
        return self._path

    def improve(self, path: Trajectory, q: Array) -> None:
        """Lines 10-12: theta_i <- theta_i + eta_m g_i."""
        o: Settings = self.settings
        g = self.actor.gradient(o, path, q, self.critic, self.baseline)[:, :, 0]
        with np.errstate(over="ignore", invalid="ignore"):
            g *= o.eta(self.updates, self.shape[1])
            self.theta = converging(self.theta + g, self.updates)

    def last_return(self) -> float:
        """Mean return of the last update's trajectories, undiscounted, over agents, copies and learners."""
        return float(self._path.r.sum(0).mean())

    def evaluate(self, env: Any, episodes: int = 400, *, discount: float | None = None, seed: int = 10**6) -> Array:
        """Returns of each learner's policy on ``env``, (L, episodes). discount: None is that of the settings, 1 adds rewards up.

        ``seed`` alone fixes the episodes, as it does for ``NetworkedPPO.evaluate`` and ``returns`` on as many copies: they are
        paired.
        """
        self.admit(env)
        o = self.settings
        gamma = o.discount if discount is None else number("discount", discount, 0.0, 1.0)
        paths = episodes_under(env, self.policy, steps=o.steps, episodes=episodes, seed=seed, view=self.view)
        return discounted(paths, gamma, self.learners)[:, :episodes]

    def admit(self, env: Any) -> None:
        """Refuse to be tested on another network, or on the environment that it is learning in without end."""
        identity.require(env, self.network)
        if env is self.env and self.settings.continuing:
            raise DataError("env is in the midst of a trajectory without end; evaluate on another environment")

    def predict(self, s: Any, seed: int | np.random.Generator | None = None, *, learner: int = 0) -> Ints:
        """Actions (..., n) for the state codes s (..., n); drawn from the policy with a seed, else the likeliest."""
        whole("learner", learner, 0, self.learners - 1)
        s = state_codes(s, self.env.n_states)
        p = self.policy[learner][np.arange(self.shape[1]), seen(self.view, s)]
        if seed is None:
            return np.asarray(p.argmax(-1), dtype=np.int64)
        return draw(p, generator("seed", seed))

    def grow(self, capacity: int) -> None:
        """Give every kept table this many entries (a power of two); nothing learnt is lost."""
        settings = dataclasses.replace(self.settings, capacity=capacity)
        self.critic, self.settings = self.critic.grown(settings), settings

    def kept(self) -> Kept:
        """The domain, what the policy sees of the states, and the arrays of actor and critic."""
        learnt: list[Part] = [("", self, ("theta", "baseline")), ("", self.critic, KEPT)]
        return Kept({"domain": identity.domain(self.env)}, {"view": self.view}, learnt)

    @classmethod
    def load(cls, path: str | Path, env: Any, *, counts: Counts | None = None) -> Self:
        """What ``save`` wrote, on the network that it was learnt on; learning goes on as if it had not stopped
        (trajectories without end begin anew)."""
        return cls.reopened(path, env, lambda header: {"counts": counts})

    @classmethod
    def reopened(
        cls, path: str | Path, env: Any, options: Callable[[dict[str, Any]], dict[str, Any]], needs: Sequence[str] = ()
    ) -> Self:
        """An agent of this class from a file; options: what more its constructor takes, from the file's header, which must
        have the keys ``needs``."""
        header, arrays = read_agent(path, cls, needs)
        identity.same(path, header, env)
        o = settings_of(path, header["settings"], type(cls.USUAL))
        agent = cls(env, o, learners=header["learners"], seed=header["seed"], view=arrays["view"], **options(header))
        agent.accept(path, header)
        restore(path, agent, header, arrays)
        return agent

    def accept(self, path: str | Path, header: dict[str, Any]) -> None:
        """Refuse a file that this fresh agent is not made for."""


def independent_learners(env: Any, settings: Settings | None = None, **options: Any) -> ScalableActorCritic:
    """The baseline of Claus and Boutilier: every agent climbs its own reward only, which is kappa = 0."""
    return ScalableActorCritic(env, dataclasses.replace(usual(settings, Settings()), kappa=0), **options)
