"""Localized policy improvement: maximise J = E[sum_t gamma^t (1/n) sum_i r_i(t)] by KL-proximal steps of distant blocks.

Rege, Monteleoni, Chen et al. (arXiv 2602.16966), block by block: with the advantages A_k of its neighbourhood, truncated at
kappa hops and averaged over everything that agent k does not see,
    pi_k+(. | o) = argmax_p <p, A_k(o, .)> + tau entropy(p) - KL(p || pi_k(. | o)) / eta
                 ~ pi_k^{1 / (1 + eta tau)} exp(eta A_k / (1 + eta tau)).
Agents of one colour are more than 2 kappa hops apart and move together; the colours take turns, so nobody moves while the
neighbours it has just measured move too. Only abstracts of the paper were at hand: the template's formula, the colouring, the
schedule of tau and the safe step of :func:`exact_improvement` are choices made here. On the wireless grid turns and a falling
tau cost episodes early (everyone at once is ahead after 250 to 1000) and buy a better policy in the end (4000).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from ...base.arrays import Array
from ...base.asked import asks
from ...base.checks import instance, number, whole
from ...envs.networked import TabularNetwork
from ...envs.networked.neighbourhoods import adjacency_of
from ...errors import DataError, NotApplicable
from ...locality import Certificate, EstimatedSensitivities, LocalPolicy, analyse, certificate
from .checkpoint import Kept, damaged
from .colours import colour_agents
from .critic import Counts
from .learner import converging
from .rollout import Trajectory
from .scalable_ac import ScalableActorCritic
from .settings import LearningSettings, ProximalSettings, Settings


@dataclass(frozen=True)
class Cooling:
    """A temperature start (1 - m / updates)^power in update m, zero from ``updates`` on: entropy first, return in the end (slower at first)."""

    start: float = 0.15
    updates: int = 1000
    power: float = 1.0

    def __post_init__(self) -> None:
        number("start of a cooling", self.start, 0.0)
        number("power of a cooling", self.power, 1e-12)
        whole("updates of a cooling", self.updates, 1)

    @asks()
    def at(self, update: int) -> float:
        """tau of an update."""
        return self.start * max(0.0, 1 - update / self.updates) ** self.power


@dataclass(frozen=True)
class Report:
    """The certificate of one learner along the way: bounds of rho(H) at an update, tau then, and whether rho(H) < 1."""

    update: int
    episodes: int
    tau: float
    rho: tuple[float, float]
    certified: bool | None


class LocalizedPolicyImprovement(ScalableActorCritic):
    """LPI with advantages learnt from episodes: the critic of Scalable Actor-Critic, and proximal steps in the place of its actor.

    settings: ProximalSettings, or Settings of Scalable Actor-Critic, of which gradient, baseline_rate and over_n play no part.
    cooling: tau. model: a TabularNetwork or EstimatedSensitivities of this network; if given, rho(H) is certified for learner
    0 every ``report_every`` updates, and kept in ``reports``. colour (n,): of each agent.
    """

    USUAL: ClassVar[LearningSettings] = ProximalSettings()

    def __init__(
        self,
        env: Any,
        settings: ProximalSettings | Settings | None = None,
        *,
        cooling: Cooling | None = None,
        model: TabularNetwork | EstimatedSensitivities | None = None,
        report_every: int = 100,
        learners: int = 1,
        seed: int = 0,
        view: Any = None,
    ) -> None:
        mine: Any = ProximalSettings.of(settings) if isinstance(settings, Settings) else settings
        super().__init__(env, mine, learners=learners, seed=seed, view=view)
        form = "Cooling(start, updates), e.g. Cooling(0.3, 1000), or None"
        self.cooling = Cooling(0.0) if cooling is None else instance("cooling", cooling, Cooling, form)
        if model is not None:
            _same_network(model, self.env)
        self.model, self.report_every = model, whole("report_every", report_every, 1)
        self.colour = colour_agents(env.adjacency, self.settings.kappa)
        self.reports: list[Report] = []

    @property
    def tau(self) -> float:
        """The present temperature."""
        return self.cooling.at(self.updates)

    def improve(self, path: Trajectory, q: Array) -> None:
        """The proximal step of this update's colour; theta is log pi, up to a constant in each state."""
        if self.model is not None and self.updates % self.report_every == 0:
            self.reports.append(self._report())
        blocks = np.flatnonzero(self.colour == self.updates % (self.colour.max() + 1))
        eta, tau = float(self.settings.actor_rate.at(self.updates)[0]), self.tau
        worth = self.critic.marginals()[:, blocks]  # (L, blocks, S, A), up to a constant in each state
        with np.errstate(over="ignore", invalid="ignore"):
            advantage = worth - (self.policy[:, blocks] * worth).sum(-1, keepdims=True)
            theta = converging((self.theta[:, blocks] + eta * advantage) / (1 + eta * tau), self.updates)
        allowed = np.arange(self.shape[3]) < self.n_actions[blocks][:, None, None]
        top = np.where(allowed, theta, -np.inf).max(-1, keepdims=True)
        self.theta[:, blocks] = np.where(allowed, theta - top, 0.0)

    def grow(self, capacity: int) -> None:
        """Nothing to grow: the critics of this learner have a slot for everything."""

    def kept(self) -> Kept:
        """As for Scalable Actor-Critic, with the cooling; the model is not part of it."""
        header, given, learnt = super().kept()
        more = {"cooling": dataclasses.asdict(self.cooling), "report_every": self.report_every}
        return Kept({**header, **more}, given, learnt)

    @classmethod
    def load(
        cls,
        path: str | Path,
        env: Any,
        *,
        model: TabularNetwork | EstimatedSensitivities | None = None,
        counts: Counts | None = None,
    ) -> Self:
        """What ``save`` wrote, on the same network; learning goes on as if it had not stopped (``reports`` begin anew). counts: must be None."""
        if counts is not None:
            raise NotApplicable("critic 'counts' has no proximal step, so there is nothing to count; leave counts out")

        def options(header: dict[str, Any]) -> dict[str, Any]:
            try:
                cooling = Cooling(**header["cooling"])
            except TypeError:
                raise damaged(path, f"its cooling is {header['cooling']!r}") from None
            return {"cooling": cooling, "report_every": header["report_every"], "model": model}

        return cls.reopened(path, env, options, ("cooling", "report_every"))

    def certify(self, learner: int = 0) -> Certificate:
        """The locality certificate of a learner's policy under ``model`` (see ``causalnet.locality``)."""
        if self.model is None:
            raise NotApplicable("a certificate needs a model: give a TabularNetwork, or estimate_sensitivities(...)")
        whole("learner", learner, 0, self.learners - 1)
        gamma = self.settings.gamma if isinstance(self.model, EstimatedSensitivities) else None
        return certificate(self.model, self._tables(learner), gamma)

    def _tables(self, learner: int) -> LocalPolicy:
        pi, views = self.policy[learner], np.broadcast_to(self.view, (self.shape[1], self.view.shape[1]))
        sizes = enumerate(zip(self.env.n_states, self.n_actions, strict=True))
        return LocalPolicy([pi[i, views[i, :s], :a] for i, (s, a) in sizes])

    def _report(self) -> Report:
        model: Any = self.model
        known = isinstance(model, TabularNetwork)
        here = analyse(model if known else (model.high, model.adjacency), self._tables(0), self.settings.gamma)
        low, high = (here.radius if known else model.radius(here.pi)).low, here.radius.high
        certified = True if high < 1 else False if low >= 1 else None
        return Report(self.updates, self.episodes, self.tau, (low, high), certified)


def _same_network(model: Any, env: Any) -> None:
    """Refuse a model whose agents, states, actions or neighbours are not the environment's."""
    kinds = (TabularNetwork, EstimatedSensitivities)
    instance("model", model, kinds, "a TabularNetwork, or what estimate_sensitivities(...) found")
    if not (np.array_equal(model.n_states, env.n_states) and np.array_equal(model.n_actions, env.n_actions)):
        raise DataError("the model is of another network: its agents, states or actions differ from the environment's")
    estimated = isinstance(model, EstimatedSensitivities)  # of parents, who are some of the neighbours
    named = sparse.csr_matrix(model.adjacency.T if estimated else adjacency_of(model.graph), dtype=bool)
    graph = sparse.csr_matrix(named)  # [i, j]: i influences j
    i, j = (graph > sparse.csr_matrix(env.adjacency, dtype=bool)).nonzero()
    wrong = np.flatnonzero(i != j)
    if len(wrong):
        raise DataError(
            f"the model is of another network: it joins agents {i[wrong[0]]} and {j[wrong[0]]}, and the environment does not"
        )
    if not estimated and graph.nnz < env.adjacency.nnz:
        pairs = graph.nnz if (graph != graph.T).nnz else graph.nnz // 2
        raise DataError(f"the model is another network: it joins {pairs} pairs, and the environment more")
