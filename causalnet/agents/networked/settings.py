"""Step sizes and settings of Scalable Actor-Critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...base.checks import flag, number, whole
from ...errors import DataError, NotApplicable


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

    def at(self, update: int, steps: int = 1) -> NDArray[np.float64]:
        """The rates of the ``steps`` steps of an update: (steps,)."""
        k = (update if self.period is None else update % self.period) * steps + np.arange(steps)
        return np.asarray(self.start / (self.offset + k) ** self.power, dtype=np.float64)


@dataclass(frozen=True)
class Settings:
    """What an update does. The defaults are the sample-saving variant; ``paper()`` is Algorithm 1 to the letter.

    Where a Rate is due, a number c stands for Rate(c).
    kappa: hops of the neighbourhood. gamma: discount. steps: transitions an episode, T; None: the environment's horizon, put
        here by the agent. temperature: of the softmax.
    critic: "table" is Algorithm 1: one entry for each state and action of N_i^kappa, in a hashed table; "linear" has a
        weight for each neighbour's state-action pair instead, Q_i = sum_{j in N_i^kappa} w_ij[s_j, a_j]; "own" is one
        table over (s_i, a_i) for the summed reward of N_i^kappa: grad log pi_i depends on (s_i, a_i) alone, so the
        mean of sum_j Q_j given them is all that eq. 7 needs, and it is learnt from every visit (all steps t alike).
        "counts" is a table over (s_i, a_i, c_i) with a number c_i counted among the neighbours, such as the senders on
        the same access point; c_i above ``most_counted`` counts as that.
    fresh: begin every update with an empty critic, as Algorithm 1 does; False is the warm start it suggests.
    critic_rate: alpha. by_visits: k of this rate counts the visits of an entry, not the steps. trace: lambda of TD(lambda).
    actor_rate: eta. gradient: "score" is eq. 7; "expected" takes its mean over a_i exactly; "natural" multiplies that by
        the inverse Fisher matrix of the softmax. The last two need an "own" or "linear" critic.
    baseline_rate: subtract a running mean of the advantage in each local state (score gradient only; 0: none).
    over_n: divide by n as eq. 7 does; False leaves the factor to eta, so that steps do not vanish in large networks.
    objective: "discounted", or "average" reward (arXiv 2006.06626: r - mu_i in place of r, no discount).
    average_rate: of the average rewards mu_i. continuing: go on from the last state instead of resetting (needs an
        environment without horizon). capacity: entries an agent of a warm table.
    """

    kappa: int = 1
    gamma: float = 0.9
    steps: int | None = None
    temperature: float = 1.0
    critic: Literal["own", "table", "linear", "counts"] = "own"
    fresh: bool = False
    critic_rate: Rate = Rate(0.1)
    by_visits: bool = False
    trace: float = 0.9
    actor_rate: Rate = Rate(0.1)
    gradient: Literal["score", "expected", "natural"] = "natural"
    baseline_rate: float = 0.0
    over_n: bool = False
    objective: Literal["discounted", "average"] = "discounted"
    average_rate: Rate = Rate(1.0, 1.0)
    continuing: bool = False
    capacity: int = 1024
    most_counted: int = 3

    def __post_init__(self) -> None:
        for name, least, top in (
            ("kappa", 0, None),
            ("steps", 1, None),
            ("capacity", 2, 2**30),
            ("most_counted", 0, None),
        ):
            if name != "steps" or self.steps is not None:
                object.__setattr__(self, name, whole(name, getattr(self, name), least, top))
        for name in ("gamma", "temperature"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        for name in ("trace", "baseline_rate"):
            object.__setattr__(self, name, number(name, getattr(self, name), 0.0, 1.0))
        if not 0 <= self.gamma < 1:
            raise DataError(f"gamma is {self.gamma!r}, and must lie in [0, 1), such as 0.9")
        if self.temperature <= 0:
            raise DataError(f"temperature is {self.temperature!r}, and must lie above 0")
        for name in ("fresh", "by_visits", "over_n", "continuing"):
            object.__setattr__(self, name, flag(name, getattr(self, name)))
        for name in ("critic_rate", "actor_rate", "average_rate"):
            if not isinstance(getattr(self, name), Rate):
                object.__setattr__(self, name, Rate(number(name, getattr(self, name), 0.0)))
        for name, known in (
            ("critic", ("own", "table", "linear", "counts")), ("gradient", ("score", "expected", "natural")),
            ("objective", ("discounted", "average")),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise DataError(f"{name} is {getattr(self, name)!r}; write one of {', '.join(known)}")
        if self.critic in {"table", "counts"} and self.gradient != "score":
            raise NotApplicable(
                f"the {self.gradient} gradient needs the worth of every own action, which critic {self.critic!r} lacks; use 'score'"
            )
        if self.by_visits and self.critic_rate.period is not None:
            raise NotApplicable(
                "by_visits counts the visits of an entry, which never start again; give a critic_rate without period"
            )
        if self.capacity & (self.capacity - 1):
            raise DataError(f"capacity is {self.capacity}, and must be a power of two, such as 1024")

    @property
    def length(self) -> int:
        """``steps`` once it is a number: in the settings of an agent."""
        assert self.steps is not None
        return self.steps

    @classmethod
    def paper(cls, *, h: float = 1.0, t0: float = 1.0, eta: float = 1.0, **others: Any) -> Settings:
        """Algorithm 1: alpha_t = h / (t + t0), a fresh table an episode, eta_m = eta / sqrt(m + 1), the factor 1/n."""
        literal: dict[str, Any] = {
            "critic": "table", "fresh": True, "critic_rate": Rate(h, 1.0, t0), "by_visits": False, "trace": 0.0,
            "actor_rate": Rate(eta, 0.5), "gradient": "score", "over_n": True,
        }  # fmt: skip
        return cls(**{**literal, **others})

    @classmethod
    def restarting(cls, *, period: int = 100, eta: float = 5.0, **others: Any) -> Settings:
        """The schedule of arXiv 2006.06555's experiments: a table that is kept, and both rates restarting together."""
        literal: dict[str, Any] = {
            "fresh": False, "critic_rate": Rate(1.0, 0.5, 1.0, period), "actor_rate": Rate(eta, 0.5, 1.0, period),
            "capacity": 2**17,
        }  # fmt: skip
        return cls.paper(**{**literal, **others})
