"""Utilities of an agent's local occupancy measure, with their gradients: the shadow rewards of arXiv 2302.07938.

d (..., n, S, A) is the share of discounted time that agent i spends in (s, a) (see :mod:`..occupancy`). A utility has
``value(d) -> (..., n)``, ``gradient(d) -> (..., n, S, A)``, the shadow reward r_i = grad f_i(d_i), and ``most(mass, shape)
-> (n,)``: the largest value of any measure of that mass over (S, A), which no policy can pass; None where unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from ....base.arrays import Array, Ints
from ....base.asked import asks
from ....base.checks import entries, number, numbers, one_of, shaped, share, whole
from ....errors import DataError

Sizes = tuple[Ints, Ints]  # states and actions of each agent, (n,) both
Of = Literal["state", "action", "pair"]
_OF = ("state", "action", "pair")


@runtime_checkable
class Utility(Protocol):
    """What a utility can do; any class with these three methods is one."""

    def value(self, d: Array) -> Array:
        """f_i(d_i): d (..., n, S, A) -> (..., n)."""
        ...

    def gradient(self, d: Array) -> Array:
        """Shadow rewards grad f_i(d_i): d (..., n, S, A) -> the same shape."""
        ...

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        """(n,): the largest value over measures of this mass on an agent's states and actions; None: unknown."""
        ...


@dataclass(frozen=True, eq=False)
class Linear:
    """f(d) = <r, d>: the usual reward, r (S, A) or (n, S, A). Its shadow reward is r itself."""

    reward: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "reward", _table("reward", self.reward))

    @asks()
    def value(self, d: Array) -> Array:
        return np.asarray((_fits(self.reward, d) * d).sum((-2, -1)))

    @asks()
    def gradient(self, d: Array) -> Array:
        return np.broadcast_to(_fits(self.reward, d), d.shape)

    def most(self, mass: float, sizes: Sizes) -> Array:
        return mass * over_agents(self.reward, sizes, -np.inf).max((-2, -1))


@dataclass(frozen=True)
class Entropy:
    """f(d) = - sum_x m(x) log m(x), m the marginal of d over states, actions or pairs; r(x) = -(log m(x) + 1).

    The slope at m = 0 is infinite; it is taken at m + floor instead.
    """

    of: Of = "state"
    floor: float = 1e-6

    def __post_init__(self) -> None:
        one_of("of", self.of, _OF)
        share("floor", self.floor)

    @asks()
    def value(self, d: Array) -> Array:
        m = _marginal(d, self.of)
        return np.asarray(-(m * np.log(np.where(m > 0, m, 1.0))).sum((-2, -1)))

    @asks()
    def gradient(self, d: Array) -> Array:
        m = _marginal(d, self.of)
        return np.broadcast_to(-(np.log(np.maximum(m, 0) + self.floor) + 1), d.shape)

    def most(self, mass: float, sizes: Sizes) -> Array:
        cells = {"state": sizes[0], "action": sizes[1], "pair": sizes[0] * sizes[1]}[self.of].astype(np.float64)
        return np.asarray(-mass * np.log(mass / cells))  # spread evenly: -m log m is concave


@dataclass(frozen=True)
class Determinism:
    """f(d) = 1/2 sum_{x not in idle} m(x)^2: large where few actions (or states) take all the time; r(x) = m(x).

    The constraint of the wireless experiments of arXiv 2305.17568, with action 0 (null) as the idle one.
    """

    of: Of = "action"
    idle: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        one_of("of", self.of, _OF)
        if self.of == "pair" and self.idle:
            raise DataError("idle names states or actions; with of='pair' write idle=()")
        for x in entries("idle", self.idle, f"the {self.of}s that do not count"):
            whole(f"one of the idle {self.of}s", x, 0)

    @asks()
    def value(self, d: Array) -> Array:
        return np.asarray(0.5 * (self._counted(d) ** 2).sum((-2, -1)))

    @asks()
    def gradient(self, d: Array) -> Array:
        return np.broadcast_to(self._counted(d), d.shape)

    def most(self, mass: float, sizes: Sizes) -> Array:
        return np.full(len(sizes[0]), 0.5 * mass**2)

    def _counted(self, d: Array) -> Array:
        m = _marginal(d, self.of).copy()
        many = m.shape[-1 if self.of == "action" else -2]
        for x in self.idle:
            if x >= many:
                raise DataError(f"idle names {self.of} {x}, and this network has {many} {self.of}s: 0 to {many - 1}")
            m[(..., x) if self.of == "action" else (..., x, slice(None))] = 0.0
        return m


@dataclass(frozen=True, eq=False)
class Imitation:
    """f(d) = -||d - target||^2, target (S, A) or (n, S, A) in shares of discounted time; r = -2 (d - target)."""

    target: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", _table("target", self.target))
        if self.target.min() < 0 or self.target.sum((-2, -1)).max() > 1 + 1e-9:
            raise DataError("target must be shares of discounted time: none below 0, and at most 1 in all for an agent")

    @asks()
    def value(self, d: Array) -> Array:
        return np.asarray(-((d - _fits(self.target, d)) ** 2).sum((-2, -1)))

    @asks()
    def gradient(self, d: Array) -> Array:
        return np.asarray(-2 * (d - _fits(self.target, d)))

    def most(self, mass: float, sizes: Sizes) -> Array:
        target = over_agents(self.target, sizes, np.inf)
        return np.array([-_distance(t[np.isfinite(t)], mass) for t in target])


@dataclass(frozen=True, eq=False)
class RiskAverse(Linear):
    """f(d) = E r - (aversion / 2) Var r, r (S, A) or (n, S, A): moments under d, and reward 0 in the time that d lacks.

    Shadow reward: r - (aversion / 2) (r^2 - 2 r E r). Its bound ``most`` is that of the mean alone, without its risk.
    """

    aversion: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        number("aversion", self.aversion, 0.0)

    @asks()
    def value(self, d: Array) -> Array:
        r = _fits(self.reward, d)
        mean = (r * d).sum((-2, -1))
        return np.asarray(mean - 0.5 * self.aversion * ((r * r * d).sum((-2, -1)) - mean**2))

    @asks()
    def gradient(self, d: Array) -> Array:
        r = _fits(self.reward, d)
        mean = (r * d).sum((-2, -1))[..., None, None]
        return np.asarray(r - 0.5 * self.aversion * (r * r - 2 * r * mean))


def _marginal(d: Array, of: str) -> Array:
    """m with axes kept: (..., S, 1), (..., 1, A) or (..., S, A)."""
    if d.ndim < 2:
        raise DataError(f"d has shape {d.shape}, and must end in (states, actions)")
    return d if of == "pair" else d.sum(-1 if of == "state" else -2, keepdims=True)


def _table(name: str, given: Any) -> Array:
    table = numbers(name, given)
    if table.ndim not in {2, 3}:
        raise DataError(f"{name} is a table of numbers, (states, actions) or (agents, states, actions)")
    table.setflags(write=False)
    return table


def _fits(table: Array, d: Array) -> Array:
    return shaped("the utility's table", table, d.shape[-table.ndim :], "it may belong to another network")


def over_agents(table: Array, sizes: Sizes, beyond: float) -> Array:
    """(n, S, A): the table, with ``beyond`` where an agent has no such state or action."""
    full = np.broadcast_to(table, (len(sizes[0]), *table.shape[-2:]))
    real = np.arange(full.shape[1])[:, None] < sizes[0][:, None, None]
    return np.where(real & (np.arange(full.shape[2]) < sizes[1][:, None, None]), full, beyond)


def _distance(target: Array, mass: float) -> float:
    """Least squared distance from the target to the measures of this mass (projection onto a simplex)."""
    ordered = np.sort(target)[::-1]
    excess = (np.cumsum(ordered) - mass) / np.arange(1, target.size + 1)
    shift = excess[np.flatnonzero(ordered > excess)[-1]] if mass > 0 else ordered[0]
    return float(((np.maximum(target - shift, 0) - target) ** 2).sum())
