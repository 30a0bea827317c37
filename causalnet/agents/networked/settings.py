"""Step sizes and settings of the networked learners."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import numpy as np

from ...base.arrays import Array
from ...base.asked import asks
from ...base.checks import flag, number, one_of, whole
from ...errors import DataError, NotApplicable

MOST = 1 << 53  # updates that a rate is told for


@dataclass(frozen=True)
class Rate:
    """A step size start / (offset + k)^power; k starts again at zero every ``period`` updates (None: never).

    Rate(h, 1, t0) is h / (k + t0), Rate(eta, 0.5) is eta / sqrt(k + 1), Rate(c) is constant.
    """

    start: float
    power: float = 0.0
    offset: float = 1.0
    period: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("start", 0.0), ("power", 0.0), ("offset", 1e-12)):
            object.__setattr__(self, name, number(f"{name} of a rate", getattr(self, name), least))
        if self.period is not None:
            object.__setattr__(self, "period", whole("period of a rate", self.period, 1))

    def at(self, update: int, steps: int = 1) -> Array:
        """The rates of the ``steps`` steps of an update: (steps,)."""
        update, steps = whole("update", update, 0, MOST), whole("steps", steps, 0, MOST)
        k = (update if self.period is None else update % self.period) * steps + np.arange(steps)
        return np.asarray(self.start / (self.offset + k) ** self.power, dtype=np.float64)


@dataclass(frozen=True)
class LearningSettings:
    """What every learner of a network has: trajectories, a critic, and two step sizes.

    Where a Rate is due, a number c stands for Rate(c).
    """

    kappa: int = 1
    "hops of the neighbourhood"
    gamma: float = 0.9
    "discount"
    steps: int | None = None
    "transitions an episode, T; None: the environment's horizon, put here by the agent"
    critic: Literal["own", "table", "linear", "counts"] = "own"
    """"table" is Algorithm 1, "own" learns what eq. 7 needs of it from every visit; each is a class of :mod:`.critic`"""
    fresh: bool = False
    "begin every update with an empty critic, as Algorithm 1 does; False is the warm start it suggests"
    critic_rate: Rate = Rate(0.1)
    "alpha"
    by_visits: bool = False
    "k of this rate counts the visits of an entry, not the steps"
    trace: float = 0.9
    "lambda of TD(lambda)"
    actor_rate: Rate = Rate(0.1)
    "eta"
    objective: Literal["discounted", "average"] = "discounted"
    """"average" reward is that of arXiv 2006.06626: r - mu_i in place of r, no discount"""
    average_rate: Rate = Rate(1.0, 1.0)
    "of the average rewards mu_i"
    continuing: bool = False
    "go on from the last state instead of resetting (needs an environment without horizon)"

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, _CHECKS[field.name](field.name, getattr(self, field.name)))
        if self.by_visits and self.critic_rate.period is not None:
            raise NotApplicable("by_visits counts visits, which never start again; give a critic_rate without period")

    @property
    def length(self) -> int:
        """``steps`` once it is a number: in the settings of an agent."""
        assert self.steps is not None
        return self.steps

    @property
    def discount(self) -> float:
        """gamma, or 1 for the average reward."""
        return self.gamma if self.objective == "discounted" else 1.0

    def lasting(self, env: Any) -> Self:
        """These with a number of steps, the environment's horizon where they give none; more than it is refused."""
        horizon, wanted = env.horizon, "trajectories without end" if self.continuing else self.steps
        if horizon is not None and (self.continuing or (self.steps or 0) > horizon):
            raise DataError(
                f"the environment ends episodes after {horizon} steps, and the settings ask for {wanted}; give it a longer horizon"
            )
        if self.steps is None and horizon is None:
            raise DataError("the environment has no horizon, so say how long an episode is: write Settings(steps=...)")
        return self if self.steps is not None else dataclasses.replace(self, steps=int(horizon))


@dataclass(frozen=True)
class Settings(LearningSettings):
    """Scalable Actor-Critic. The defaults are the sample-saving variant; ``paper()`` is Algorithm 1 to the letter."""

    temperature: float = 1.0
    "of the softmax"
    gradient: Literal["score", "expected", "natural"] = "natural"
    """"score" is eq. 7; "expected" takes its mean over a_i exactly; "natural" multiplies that by the inverse Fisher matrix of
    the softmax. The last two need an "own" or "linear" critic"""
    baseline_rate: float = 0.0
    "subtract a running mean of the advantage in each local state (score gradient only; 0: none)"
    over_n: bool = False
    "divide by n as eq. 7 does; False leaves the factor to eta, so that steps do not vanish in large networks"
    capacity: int = 1024
    "entries an agent of a table that is kept"
    most_counted: int = 3
    """larger counts of a "counts" critic count as that"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.critic in {"table", "counts"} and self.gradient != "score":
            raise NotApplicable(
                f"the {self.gradient} gradient needs the worth of every own action, which critic {self.critic!r} lacks; use 'score'"
            )

    @asks()
    def eta(self, update: int, agents: int) -> float:
        """The step size of an update, with the factor 1 / n where it is wanted."""
        return float(self.actor_rate.at(update)[0]) / (agents if self.over_n else 1)

    @classmethod
    def paper(cls, *, h: float = 1.0, t0: float = 1.0, eta: float = 1.0, **others: Any) -> Settings:
        """Algorithm 1: alpha_t = h / (t + t0), a fresh table an episode, eta_m = eta / sqrt(m + 1), the factor 1/n."""
        table: dict[str, Any] = {"critic": "table", "fresh": True, "critic_rate": Rate(h, 1.0, t0), "trace": 0.0}
        step: dict[str, Any] = {"actor_rate": Rate(eta, 0.5), "gradient": "score", "over_n": True}
        return cls(**{**table, **step, **others})

    @classmethod
    def restarting(cls, *, period: int = 100, eta: float = 5.0, **others: Any) -> Settings:
        """The schedule of arXiv 2006.06555's experiments: a table that is kept, and both rates restarting together."""
        rates = {"critic_rate": Rate(1.0, 0.5, 1.0, period), "actor_rate": Rate(eta, 0.5, 1.0, period)}
        return cls.paper(**{"fresh": False, "capacity": 2**17, **rates, **others})


@dataclass(frozen=True)
class ProximalSettings(LearningSettings):
    """Localized policy improvement: no gradient and no temperature, since the proximal step and its cooling stand for both."""

    critic: Literal["own", "linear"] = "linear"
    "a proximal step needs the worth of every own action, which the others lack"
    critic_rate: Rate = Rate(0.5)
    "alpha"
    actor_rate: Rate = Rate(1.0)
    "eta of the proximal step"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.critic not in {"own", "linear"}:
            raise NotApplicable(
                f"a proximal step needs the worth of every own action, which critic {self.critic!r} lacks; use 'own' or "
                "'linear'"
            )

    @classmethod
    def of(cls, o: Settings) -> ProximalSettings:
        """What of the settings of Scalable Actor-Critic plays a part here; its gradient and what that needs play none."""
        if o.temperature != 1:
            raise NotApplicable(f"temperature is {o.temperature}, and must be 1; the cooling sets the entropy")
        return cls(**{field.name: getattr(o, field.name) for field in dataclasses.fields(cls)})


def _rate(name: str, value: Any) -> Rate:
    return value if isinstance(value, Rate) else Rate(number(name, value, 0.0))


def _share_of_time(name: str, value: Any) -> float:
    if not 0 <= number(name, value) < 1:
        raise DataError(f"{name} is {value!r}, and must lie in [0, 1), such as 0.9")
    return float(value)


def _power_of_two(name: str, value: Any) -> int:
    if whole(name, value, 2, 2**30) & (value - 1):
        raise DataError(f"{name} is {value}, and must be a power of two, such as 1024")
    return int(value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "kappa": partial(whole, least=0),
    "gamma": _share_of_time,
    "steps": lambda name, value: None if value is None else whole(name, value, 1),
    "critic": partial(one_of, known=("own", "table", "linear", "counts")),
    "fresh": flag,
    "critic_rate": _rate,
    "by_visits": flag,
    "trace": partial(number, least=0.0, most=1.0),
    "actor_rate": _rate,
    "objective": partial(one_of, known=("discounted", "average")),
    "average_rate": _rate,
    "continuing": flag,
    "temperature": partial(number, above=0.0),
    "gradient": partial(one_of, known=("score", "expected", "natural")),
    "baseline_rate": partial(number, least=0.0, most=1.0),
    "over_n": flag,
    "capacity": _power_of_two,
    "most_counted": partial(whole, least=0),
}
