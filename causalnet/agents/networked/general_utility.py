"""General utilities: maximise (1/n) sum_i f_i(d_i) / (1 - gamma), subject to g_i(d_i) >= c_i, over own-state policies.

Ying, Zhang, Ding, Koppel and Lavaei (arXiv 2302.07938; with constraints arXiv 2305.17568). d_i is agent i's local occupancy
measure in shares of discounted time, (1 - gamma) lambda_i of the papers. The chain rule turns f into a reward: the gradient
is that of Scalable Actor-Critic with the shadow reward r_i(s_i, a_i) = grad f_i(d_i) + mu_i grad g_i(d_i). So a linear f is
Scalable Actor-Critic itself, to the bit. Only abstracts and public code of both papers were at hand: the division by
1 - gamma, the smoothing of d over updates and the incremental dual step are choices made here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ...base.arrays import Array, Ints
from ...base.asked import asks
from ...base.checks import flag, number
from ...envs.networked import TabularNetwork
from ...envs.networked.exact import Policy, policy_gradient
from ...errors import DataError
from .checkpoint import Kept
from .critic import Counts
from .occupancy import count, exact_occupancies, occupancies, time_weights
from .rollout import Trajectory
from .scalable_ac import ScalableActorCritic
from .settings import Settings
from .utilities.forms import as_utility, bounds, described, kind
from .utilities.probes import Stall, checked, probe


@dataclass(frozen=True, eq=False)
class Constraint:
    """g_i(d_i) >= at_least for every agent, with a multiplier mu_i >= 0 each.

    utility: g, as the utilities of the objective. at_least: a number or (n,). rate: eta_mu.
    incremental: mu_i <- max(0, mu_i + eta (c_i - g_i)), dual ascent; False: mu_i = eta max(0, c_i - g_i), the maximiser of
    mu (c_i - g_i) - mu^2 / (2 eta), which arXiv 2305.17568 uses: it ends where mu_i / eta of violation is left.
    best_effort: keep going, and say nothing, where no occupancy measure can satisfy it. Without it: an error where that is
    known beforehand, and a UserWarning where the violation does not fall over 600 updates (:class:`.utilities.probes.Stall`).
    """

    utility: Any
    at_least: Any
    rate: float = 1.0
    incremental: bool = True
    best_effort: bool = False

    def __post_init__(self) -> None:
        number("rate of a constraint", self.rate, 0.0)
        for name in ("incremental", "best_effort"):
            flag(name, getattr(self, name))


@dataclass(frozen=True, eq=False)
class Score:
    """What policies achieve on fresh episodes: return_ (L,) undiscounted mean of all agents; utility (L,) mean of f_i;
    constrained (C, L, n) the g_i; violation (L,) sum over constraints and agents of max(0, c_i - g_i); d (L, n, S, A)."""

    return_: Array
    utility: Array
    constrained: Array
    violation: Array
    d: Array


class GeneralUtility(ScalableActorCritic):
    """Scalable Actor-Critic for utilities of the occupancy measure; everything else is as there.

    utility: f, one for all agents or a list of n, of :mod:`.utilities` or a function of d as a torch tensor (S, A); None: the
    environment's own reward, which a utility of (s_i, a_i) could not express where it depends on neighbours.
    reward: keep the environment's reward beside ``utility``. constraints: g_i(d_i) >= c_i. occupancy_rate: of the moving
    average of d over updates (1: this update's episodes alone); it begins as a plain mean.
    d (L, n, S, A): the present estimate. multipliers (C, L, n): mu. shadow (L, n, S, A): the last shadow rewards. All three
    stay zero where neither a utility nor a constraint is given: this is Scalable Actor-Critic then.
    """

    def __init__(
        self,
        env: Any,
        settings: Settings | None = None,
        *,
        utility: Any = None,
        reward: bool | None = None,
        constraints: Constraint | Sequence[Constraint] = (),
        occupancy_rate: float = 0.1,
        learners: int = 1,
        seed: int = 0,
        view: Any = None,
        counts: Counts | None = None,
    ) -> None:
        super().__init__(env, settings, learners=learners, seed=seed, view=view, counts=counts)
        self._earned = math.nan
        self._course = None  # it climbs a utility, and the return need not rise
        self.occupancy_rate, n = number("occupancy_rate", occupancy_rate, most=1.0, above=0.0), self.shape[1]
        self.reward = utility is None if reward is None else flag("reward", reward)
        self.utility = None if utility is None else as_utility(utility)
        given = [constraints] if isinstance(constraints, Constraint) else constraints
        if not isinstance(given, (list, tuple)) or not all(isinstance(c, Constraint) for c in given):
            raise DataError(f"constraints is {constraints!r}; write Constraint(utility, at_least), or a list of such")
        self.constraints = tuple(given)
        if not self.reward and utility is None and not self.constraints:
            raise DataError("nothing to learn from: reward is False, with no utility and no constraint; give one")
        self.constrained = tuple(as_utility(c.utility) for c in self.constraints)
        asked = [bounds(f"constraint {k}", c.at_least, n) for k, c in enumerate(self.constraints)]
        self.at_least = np.array(asked).reshape(-1, n)
        self._weight = time_weights(self.settings.gamma, self.settings.length, self.settings.objective)
        self.d: Array = np.zeros(self.shape)
        self.shadow: Array = np.zeros(self.shape)
        self.multipliers: Array = np.zeros((len(self.constraints), self.shape[0], n))
        self._seen = np.empty(self.shape)
        self._stall = [Stall() for _ in self.constraints]
        self._probe()
        self._check_feasible()

    def update(self) -> None:
        """An update of Algorithm 1 with shadow rewards. One that fails leaves occupancies and multipliers as they were."""
        before = self.d.copy(), self.multipliers.copy()
        try:
            super().update()
        except Exception:
            self.d, self.multipliers = before
            raise

    def sample(self) -> Trajectory:
        """The trajectories of all copies, paid in shadow rewards."""
        path = super().sample()
        self._earned = float(path.r.sum(0).mean())
        self.pay(path)
        return path

    def last_return(self) -> float:
        """Mean return of the environment's own reward, as for Scalable Actor-Critic."""
        return self._earned

    def scalars(self) -> dict[str, float]:
        """What to log of the last update, with the mean multiplier of each constraint."""
        multipliers = {f"train/multiplier_{k}": float(mu.mean()) for k, mu in enumerate(self.multipliers)}
        return {**super().scalars(), **multipliers}

    def pay(self, path: Trajectory) -> None:
        """Occupancies, multipliers and shadow rewards from these trajectories; put the last in the place of their rewards."""
        if self.utility is None and not self.constraints:
            return
        count(path.codes, path.a, self._weight, self._seen)
        self.d += max(self.occupancy_rate, 1 / (self.updates + 1)) * (self._seen - self.d)
        self.shadow = np.zeros(self.shape)
        if self.utility is not None:
            self.shadow = self.shadow + checked("the shadow reward", self.utility.gradient(self.d), self.shape)
        for k, (constraint, g) in enumerate(zip(self.constraints, self.constrained, strict=True)):
            value = checked(f"constraint {k}", g.value(self.d), self.shape[:2])
            missing = self.at_least[k] - value
            step = constraint.rate * missing
            self.multipliers[k] = np.maximum(0.0, self.multipliers[k] + step if constraint.incremental else step)
            if not constraint.best_effort:
                self._stall[k].watch(f"constraint {k} ({kind(g)})", self.at_least[k], value, self.multipliers[k])
            slope = checked(f"the shadow reward of constraint {k}", g.gradient(self.d), self.shape)
            self.shadow += self.multipliers[k][..., None, None] * slope
        learner = np.repeat(np.arange(self.learners), self.per_update)[:, None]
        paid = self.shadow[learner, np.arange(self.shape[1]), path.codes[:-1], path.a[:-1]]
        path.r[:] = path.r + paid if self.reward else paid

    def score(self, env: Any, episodes: int = 1000, *, seed: int = 10**6) -> Score:
        """Return, utility, constraints and violation of each learner's policy on fresh episodes of ``env``."""
        self.admit(env)
        o = self.settings
        played: dict[str, Any] = {"episodes": episodes, "seed": seed, "view": self.view}
        d, total = occupancies(env, self.policy, gamma=o.gamma, steps=o.steps, objective=o.objective, **played)
        g = np.array([g.value(d) for g in self.constrained]).reshape(self.multipliers.shape)
        utility = np.full(len(d), np.nan) if self.utility is None else self.utility.value(d).mean(-1)
        return Score(total, utility, g, np.maximum(0, self.at_least[:, None] - g).sum((0, 2)), d)

    def attainable(self) -> Array:
        """(C, n): the most that any occupancy measure of these episodes gives each constraint; inf where unknown."""
        mass, sizes = float(self._weight.sum()), (self.view_sizes, self.n_actions)
        tops = [g.most(mass, sizes) for g in self.constrained]
        none = np.full(self.shape[1], np.inf)
        return np.array([none if t is None else np.broadcast_to(t, none.shape) for t in tops]).reshape(-1, none.size)

    @property
    def view_sizes(self) -> Ints:
        """(n,): codes of local states as each agent sees them, from 0 to the largest."""
        views = np.broadcast_to(self.view, (self.shape[1], self.view.shape[1]))
        return np.array([row[:k].max() + 1 for row, k in zip(views, self.env.n_states, strict=True)])

    def _check_feasible(self) -> None:
        tops = self.attainable()
        for k, constraint in enumerate(self.constraints):
            short = np.flatnonzero(tops[k] < self.at_least[k] - 1e-12)
            if len(short) and not constraint.best_effort:
                i = int(short[0])
                raise DataError(
                    f"constraint {k} asks agent {i} for {self.at_least[k, i]:.4g}, and no policy attains more than "
                    f"{tops[k, i]:.4g}: {self.settings.steps} steps are {self._weight.sum():.4g} of all discounted time. Ask for "
                    f"less, take longer episodes, or write best_effort=True to come as close as possible"
                )

    def _probe(self) -> None:
        """Refuse utilities that are of another shape, unbounded or not differentiable before anything is run."""
        named = [] if self.utility is None else [("the utility", self.utility)]
        for what, f in named + [(f"the utility of constraint {k}", g) for k, g in enumerate(self.constrained)]:
            probe(what, f, float(self._weight.sum()), (self.view_sizes, self.n_actions))

    def kept(self) -> Kept:
        """As for Scalable Actor-Critic, with occupancies and multipliers; utility and constraints are code, and only named."""
        header, given, learnt = super().kept()
        header |= {"occupancy_rate": self.occupancy_rate, "reward": self.reward, "numbers": self._numbers()}
        header["utility"] = None if self.utility is None else kind(self.utility)
        header["constraints"] = [kind(g) for g in self.constrained]
        return Kept(header, given, [*learnt, ("", self, ("d", "multipliers"))])

    @classmethod
    def load(
        cls,
        path: str | Path,
        env: Any,
        *,
        utility: Any = None,
        constraints: Constraint | Sequence[Constraint] = (),
        counts: Counts | None = None,
    ) -> Self:
        """What ``save`` wrote, with the same network, utility and constraints; learning goes on as if it had not stopped."""

        def options(header: dict[str, Any]) -> dict[str, Any]:
            now = None if utility is None else kind(as_utility(utility))
            if now != header["utility"]:
                raise DataError(
                    f"{path} was learnt with {_called(header['utility'])}, and load was given {_called(now)}: utilities are "
                    f"code and not in the file; give the same one, load(path, env, utility=...)"
                )
            code = {"utility": utility, "constraints": constraints, "counts": counts}
            return {**code, "reward": header["reward"], "occupancy_rate": header["occupancy_rate"]}

        return cls.reopened(path, env, options, ("reward", "occupancy_rate", "utility", "constraints"))

    def accept(self, path: str | Path, header: dict[str, Any]) -> None:
        """Refuse a file of other constraints, or of the same kinds with other numbers."""
        kinds, mine = [kind(g) for g in self.constrained], self._numbers()
        if kinds != header["constraints"]:
            raise DataError(
                f"{path} was learnt with the constraints {header['constraints']}, and load was given {kinds}; give the same "
                f"ones, load(path, env, constraints=...)"
            )
        if header.get("numbers", mine) != mine:  # older files do not say
            raise DataError(
                f"{path} was learnt with {header['numbers']}, and load was given {mine}: utilities and constraints are the same "
                f"kinds with other numbers; give those that it was learnt with"
            )

    def _numbers(self) -> dict[str, Any]:
        """What utility and constraints are made of, for checkpoints."""
        each = zip(self.constraints, self.constrained, self.at_least.tolist(), strict=True)
        return {
            "utility": None if self.utility is None else described(self.utility),
            "constraints": [[described(g), bound, float(c.rate), bool(c.incremental)] for c, g, bound in each],
        }


@asks()
def exact_utility(model: TabularNetwork, policy: Policy, utility: Any) -> float:
    """(1/n) sum_i f_i(d_i) / (1 - gamma) of a small network, by enumeration: the discounted return where f is linear."""
    d = exact_occupancies(model, policy)
    values = checked("the utility", as_utility(utility).value(d), d.shape[:1])
    return float(values.mean() / (1 - model.gamma))


@asks()
def exact_utility_gradient(
    model: TabularNetwork,
    policy: Policy,
    utility: Any,
    *,
    temperature: float = 1.0,
    balls: Sequence[Sequence[int]] | None = None,
) -> list[Array]:
    """Gradient of :func:`exact_utility` in the logits of own-state softmax policies: the policy gradient of shadow rewards.

    balls[i]: the agents of N_i^kappa, for the truncated gradient; None: the exact one. One (S_i, A_i) table an agent.
    """
    d = exact_occupancies(model, policy)
    shadow = checked("the shadow reward", as_utility(utility).gradient(d), d.shape)
    own = [[i] for i in range(model.n_agents)]
    sizes = zip(model.n_states, model.n_actions, strict=True)
    rewards = [shadow[i, :s, :a] for i, (s, a) in enumerate(sizes)]
    paid = dataclasses.replace(model, rewards=rewards, reward_states=own, reward_actions=own)
    return policy_gradient(paid, policy, temperature, balls)


def _called(kind_: str | None) -> str:
    return "the environment's reward alone" if kind_ is None else f"a utility ({kind_})"
