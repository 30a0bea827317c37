"""What makes a utility usable, tried before anything is run, and constraints that are not met while learning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....base.arrays import Array
from ....base.checks import shaped
from ....errors import DataError
from .utilities import Sizes, Utility, over_agents

_PERIOD = 200  # updates of which means are compared


def probe(what: str, f: Utility, mass: float, sizes: Sizes) -> None:
    """Refuse a utility that is unbounded, jumps, or has a gradient that is not its slope; warn of one that never changes.

    On measures of this mass: spread evenly, with everything in one pair, and between the two.
    """
    even, ends = _points(mass, sizes)
    points = np.concatenate([even[None], ends])
    values = checked(what, f.value(points), points.shape[:2])
    slopes = checked(f"the gradient of {what}", f.gradient(points), points.shape)
    if (values == values[0]).all() and not slopes.any():
        warnings.warn(
            f"{what} is {values[0, 0]:.4g} at each of {len(points)} occupancy measures tried: it does not change with d, so "
            f"there is nothing to learn from it",
            stacklevel=4,
        )
        return
    n = even.shape[0]
    each = min(len(ends), max(8, 512 // n))  # segments an agent; where not all, the agents try different ones
    _check_slopes(what, f, even, ends[(np.arange(each)[:, None] + each * np.arange(n)) % len(ends), np.arange(n)])


def _check_slopes(what: str, f: Utility, start: Array, ends: Array) -> None:
    """Halve each segment from start (n, S, A) towards ends (K, n, S, A), always to the part where the change of the value
    is farthest from what the gradients say. In the end it must lie between the slopes at both sides (a kink may)."""
    along = ends - start

    def at(t: Array) -> Array:
        """(2, K, n): value and slope at these parts of the way."""
        d = start + t[..., None, None] * along
        slope = (checked(f"the gradient of {what}", f.gradient(d), d.shape) * along).sum((-2, -1))
        return np.array([checked(what, f.value(d), t.shape), slope])

    low, high = np.zeros(along.shape[:2]), np.full(along.shape[:2], 0.95)
    left, right = at(low), at(high)
    for _ in range(14):
        middle = (low + high) / 2
        here, half = at(middle), middle - low
        missed = [np.abs(b[0] - a[0] - half * (a[1] + b[1]) / 2) for a, b in ((left, here), (here, right))]
        first = missed[0] >= missed[1]
        low, high = np.where(first, low, middle), np.where(first, middle, high)
        left, right = np.where(first, left, here), np.where(first, here, right)
    change, said = right[0] - left[0], (high - low) * np.sort([left[1], right[1]], axis=0)
    size = np.abs(said).max(0)
    slack = 0.05 * np.maximum(np.abs(change), size) + 1e-6 * (1 + np.abs(left[0]))
    wrong = np.argwhere((change < said[0] - slack) | (change > said[1] + slack))
    if not len(wrong):
        return
    k, i = wrong[0]
    if abs(change[k, i]) > 20 * size[k, i]:
        raise DataError(
            f"{what} changes by {change[k, i]:.4g} between two d that are {high[k, i] - low[k, i]:.1g} apart: it moves in jumps "
            f"(rounding, comparisons, argmax), which no gradient can climb; write a smooth function"
        )
    raise DataError(
        f"the gradient of {what} is not its slope: for agent {i} it says {said[1, k, i]:.4g} where the value changes by "
        f"{change[k, i]:.4g}; leave out .detach(), .item() and other breaks between d and the result"
    )


def _points(mass: float, sizes: Sizes) -> tuple[Array, Array]:
    """The even measure (n, S, A), and up to 32 with everything in one pair (P, n, S, A)."""
    shape = (len(sizes[0]), int(sizes[0].max()), int(sizes[1].max()))
    even = over_agents(np.ones(shape), sizes, 0.0)
    cell = np.arange(min(32, shape[1] * shape[2]))[:, None]
    corners = np.zeros((len(cell), *shape))
    corners[cell, np.arange(shape[0]), cell // shape[2] % sizes[0], cell % shape[2] % sizes[1]] = mass
    return mass * even / even.sum((1, 2), keepdims=True), corners


@dataclass(eq=False)
class Stall:
    """Tells, once, of a constraint that comes no closer over 600 updates, by means over periods of 200.

    An agent is stuck where its shortfall is above 5 % of its bound (and 0.001), and neither that nor its multiplier fell by
    2 % from one period to the next, twice. Told if a stuck agent lacks half of its bound, or all agents together 5 % of
    theirs: slow agents among many are not worth a word. A heuristic: a bound that is met very slowly can be told of too.
    """

    told: bool = False
    _sum: Any = 0.0
    _count: int = 0
    _before: tuple[Array, Array] | None = None
    _once: Any = False
    _best: Any = -np.inf

    def watch(self, name: str, at_least: Array, value: Array, multipliers: Array) -> None:
        """at_least (n,); value and multipliers (L, n), of one update."""
        if self.told:
            return
        self._sum, self._count = self._sum + value.mean(0), self._count + 1
        self._best = np.maximum(self._best, value.max(0))
        if self._count < _PERIOD:
            return
        short, mu = at_least - self._sum / self._count, multipliers.mean(0)
        if self._before is not None:
            old, before = self._before
            stuck = (short > 0.05 * np.abs(at_least) + 1e-3) & (short >= 0.98 * old) & (mu >= 0.98 * before)
            stuck, self._once = stuck & self._once, stuck
            missed, large = np.maximum(0, short).sum() > 0.05 * np.abs(at_least).sum(), short > 0.5 * np.abs(at_least)
            if stuck.any() and (missed or (stuck & large).any()):
                self.told, i = True, int(np.argmax(np.where(stuck, short, -np.inf)))
                warnings.warn(
                    f"{name} has come no closer in {3 * _PERIOD} updates: agent {i} is asked for {at_least[i]:.4g}, lacks "
                    f"{short[i]:.4g} of it and had {self._best[i]:.4g} at best ({int(stuck.sum())} agents in all), with a "
                    f"multiplier of {mu[i]:.4g}, {before[i]:.4g} before. Perhaps no policy attains it, alone or with the other "
                    f"constraints: ask for less, or write best_effort=True. Or rates do not suit: too small, or so large "
                    f"that the policy no longer tries what it needs",
                    stacklevel=9,  # past pay, sample, two of update, the loop, and learn
                )
        self._before, self._sum, self._count = (short, mu), 0.0, 0


def checked(what: str, found: Array, shape: tuple[int, ...]) -> Array:
    """Values or gradients of the right shape, all finite, or a sentence with the first that is not."""
    found = shaped(what, np.asarray(found, dtype=np.float64), shape, "learners, agents, ...")
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        at = tuple(int(k) for k in wrong[0])
        raise DataError(
            f"{what} is {found[at]} at {at} (learner, agent, ...): a utility must be finite and differentiable on all shares "
            f"of time, zero among them; bound it, e.g. log(d + 1e-6) in place of log(d)"
        )
    return found
