"""What makes a utility usable, tried before anything is run, and constraints that are not met while learning."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._utilities import Sizes, Utility, _over

Array = NDArray[np.float64]
_PERIOD = 200  # updates of which means are compared


def probe(what: str, f: Utility, mass: float, sizes: Sizes) -> None:
    """Refuse a utility that is unbounded or whose gradient is not its slope, and warn of one that never changes.

    On measures of this mass: even, all in one pair, and six within; there gradients are held against differences of values,
    towards the even one.
    """
    points = _points(mass, sizes)
    values = checked(what, f.value(points), points.shape[:2])
    slopes = checked(f"the gradient of {what}", f.gradient(points), points.shape)
    varies, flat = (values != values[0]).any(0), ~slopes.any((0, 2, 3))
    if (varies & flat).any():
        raise DataError(
            f"{what} changes with d, and its gradient is zero everywhere: it moves in jumps (rounding, comparisons, "
            f"argmax), which no gradient can climb; write a smooth function"
        )
    if not varies.any() and flat.all():
        warnings.warn(
            f"{what} is {values[0, 0]:.4g} at each of {len(points)} occupancy measures tried: it does not change with d, so "
            f"there is nothing to learn from it",
            stacklevel=4,
        )
        return
    inner, along = points[1:7], points[0] - points[1:7]
    want, off = (slopes[1:7] * along).sum((-2, -1)), np.ones((6, values.shape[1]), dtype=bool)
    for h in (1e-3, 1e-5):
        found = (f.value(inner + h * along) - f.value(inner - h * along)) / (2 * h)
        off &= np.abs(found - want) > 0.05 * np.maximum(np.abs(found), np.abs(want)) + 1e-6 * (1 + np.abs(values[1:7]))
    wrong = np.flatnonzero(off.sum(0) > 3)
    if len(wrong):
        i = int(wrong[0])
        k = int(np.flatnonzero(off[:, i])[0])
        raise DataError(
            f"the gradient of {what} is not its slope: for agent {i} it says {want[k, i]:.4g} where the value changes by "
            f"{found[k, i]:.4g}; leave out .detach(), .item() and other breaks between d and the result"
        )


def _points(mass: float, sizes: Sizes) -> Array:
    """(P, n, S, A): the even measure, six within, and up to 32 with everything in one pair."""
    shape = (len(sizes[0]), int(sizes[0].max()), int(sizes[1].max()))
    real = _over(np.ones(shape), sizes, 0.0)
    rng = np.random.default_rng(0)
    weights = [
        real,
        *(real * rng.dirichlet(np.full(shape[1] * shape[2], 3.0), shape[0]).reshape(shape) for _ in range(6)),
    ]
    agents = np.arange(shape[0])
    for cell in range(min(32, shape[1] * shape[2])):
        corner = np.zeros(shape)
        corner[agents, cell // shape[2] % sizes[0], cell % shape[2] % sizes[1]] = 1.0
        weights.append(corner)
    return np.array([mass * w / w.sum((1, 2), keepdims=True) for w in weights])


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
                    stacklevel=5,
                )
        self._before, self._sum, self._count = (short, mu), 0.0, 0


def checked(what: str, found: Array, shape: tuple[int, ...]) -> Array:
    """Values or gradients of the right shape, all finite, or a sentence with the first that is not."""
    found = np.asarray(found, dtype=np.float64)
    if found.shape != shape:
        raise DataError(f"{what} has shape {found.shape}, and should have {shape}")
    wrong = np.argwhere(~np.isfinite(found))
    if len(wrong):
        at = tuple(int(k) for k in wrong[0])
        raise DataError(
            f"{what} is {found[at]} at {at} (learner, agent, ...): a utility must be finite and differentiable on all shares "
            f"of time, zero among them; bound it, e.g. log(d + 1e-6) in place of log(d)"
        )
    return found
