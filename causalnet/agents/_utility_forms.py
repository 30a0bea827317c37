"""Utilities made of others, one an agent, or of a function that torch differentiates; and what makes a utility usable."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._utilities import Sizes, Utility, _over

Array = NDArray[np.float64]
_PERIOD = 200  # updates of which means are compared


@dataclass(frozen=True, eq=False)
class Penalty:
    """f(d) = -(weight / 2) max(0, at_least - g(d))^2: a soft constraint; r = weight max(0, at_least - g) grad g."""

    of: Utility
    at_least: Any
    weight: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", _part("a penalty", self.of))
        if not (
            np.isfinite(self.at_least).all()
            and np.ndim(self.at_least) < 2
            and np.isfinite(self.weight)
            and self.weight >= 0
        ):
            raise DataError(
                f"a penalty needs a finite at_least, one number or one an agent, and a weight from 0 up, not {self.at_least!r} "
                f"and {self.weight!r}"
            )

    def value(self, d: Array) -> Array:
        return np.asarray(-0.5 * self.weight * np.maximum(0.0, self.at_least - self.of.value(d)) ** 2)

    def gradient(self, d: Array) -> Array:
        missing = np.maximum(0.0, self.at_least - self.of.value(d))
        return np.asarray(self.weight * missing[..., None, None] * self.of.gradient(d))

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        top = self.of.most(mass, sizes)
        return None if top is None else -0.5 * self.weight * np.maximum(0.0, self.at_least - top) ** 2


@dataclass(frozen=True, eq=False)
class Total:
    """f = sum_k weights[k] f_k."""

    terms: Sequence[Utility]
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.terms, (list, tuple)):
            raise DataError(f"the terms of a total are a list of utilities, not {self.terms!r}")
        object.__setattr__(self, "terms", tuple(_part("a total", f) for f in self.terms))
        if not len(self.terms) or (self.weights is not None and len(self.weights) != len(self.terms)):
            raise DataError(f"{len(self.terms)} terms need as many weights (and one at least), not {self.weights!r}")

    def value(self, d: Array) -> Array:
        return np.asarray(sum(w * f.value(d) for w, f in self._both()))

    def gradient(self, d: Array) -> Array:
        return np.asarray(sum(w * f.gradient(d) for w, f in self._both()))

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        total = np.zeros(len(sizes[0]))
        for w, f in self._both():
            top = f.most(mass, sizes) if w >= 0 else None
            if top is None:
                return None
            total += w * top
        return total

    def _both(self) -> list[tuple[float, Utility]]:
        weights = [1.0] * len(self.terms) if self.weights is None else self.weights
        return list(zip(weights, self.terms, strict=True))


@dataclass(frozen=True, eq=False)
class PerAgent:
    """Heterogeneous utilities: agent i has utilities[i]; each sees d as that of a network of one agent."""

    utilities: Sequence[Utility]

    def __post_init__(self) -> None:
        object.__setattr__(self, "utilities", tuple(_part("one an agent", f) for f in self.utilities))

    def value(self, d: Array) -> Array:
        return np.concatenate([f.value(d[..., i : i + 1, :, :]) for i, f in self._each(d)], axis=-1)

    def gradient(self, d: Array) -> Array:
        return np.concatenate([f.gradient(d[..., i : i + 1, :, :]) for i, f in self._each(d)], axis=-3)

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        tops = [f.most(mass, (sizes[0][i : i + 1], sizes[1][i : i + 1])) for i, f in enumerate(self.utilities)]
        return np.concatenate([np.full(1, np.inf) if top is None else top for top in tops])

    def _each(self, d: Array) -> list[tuple[int, Utility]]:
        if d.shape[-3] != len(self.utilities):
            raise DataError(f"there are {len(self.utilities)} utilities and {d.shape[-3]} agents; give one an agent")
        return list(enumerate(self.utilities))


@dataclass(frozen=True, eq=False)
class Differentiated:
    """The user's f: a function of one agent's d as a torch tensor (S, A), differentiated by torch.

    vectorised: the function takes d (..., S, A) and returns (...) for all agents at once.
    """

    function: Callable[[Any], Any]
    vectorised: bool = False

    def value(self, d: Array) -> Array:
        return self._both(d)[0]

    def gradient(self, d: Array) -> Array:
        return self._both(d)[1]

    def most(self, mass: float, sizes: Sizes) -> None:
        return None

    def _both(self, d: Array) -> tuple[Array, Array]:
        import torch

        rows = d.reshape(-1, *d.shape[-2:])
        x = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
        try:
            found = self.function(x) if self.vectorised else [self.function(row) for row in x]
        except (TypeError, RuntimeError, IndexError, ValueError, AttributeError) as error:
            raise DataError(
                f"the utility fails on d, a torch tensor of shape {tuple(x.shape if self.vectorised else x.shape[1:])} (states, "
                f"actions last): {type(error).__name__}: {error}; write torch operations (torch.log, not np.log) and indices "
                f"within that shape"
            ) from error
        try:
            values = found if self.vectorised else torch.stack(found)
        except (TypeError, RuntimeError) as error:
            raise DataError(f"the utility must return a torch number made from d: {error}") from error
        if not isinstance(values, torch.Tensor) or tuple(values.shape) != (len(rows),):
            raise DataError(
                f"the utility must return one number for each d (S, A); it returned "
                f"{tuple(getattr(values, 'shape', ())) or type(values).__name__} for {len(rows)} of them"
            )
        if not values.requires_grad:
            raise DataError(
                "the utility does not depend on d in a way that torch can follow: its gradient is zero everywhere; compute "
                "it from the tensor d with torch operations (no .item(), .detach(), numpy or rounding)"
            )
        (slope,) = torch.autograd.grad(values.sum(), x, allow_unused=True)
        if slope is None:
            raise DataError(
                "the utility does not depend on d: it returned a torch number that was made from something else"
            )
        return values.detach().numpy().reshape(d.shape[:-2]), slope.numpy().reshape(d.shape)


def as_utility(given: Any, agents: int) -> Utility:
    """A utility, one an agent, or a function of d (a torch tensor), as one utility."""
    if isinstance(given, (list, tuple)):
        if len(given) != agents:
            raise DataError(f"there are {len(given)} utilities and {agents} agents; give one an agent, or one for all")
        return PerAgent(given)
    if not isinstance(given, type) and isinstance(given, Utility):
        return given
    if callable(given) and not isinstance(given, type):
        return Differentiated(given)
    raise DataError(
        f"a utility is Linear, Entropy, ..., a function of d (S, A), or a list of those, one an agent; not {given!r}"
    )


def kind(utility: Utility) -> str:
    """What a checkpoint can say of a utility: its class, and those of the parts."""
    parts = {"Total": "terms", "PerAgent": "utilities"}.get(type(utility).__name__)
    names = list(dict.fromkeys(kind(part) for part in getattr(utility, parts))) if parts else []
    own = "a function of d" if isinstance(utility, Differentiated) else type(utility).__name__
    return f"{own}({', '.join(names)})" if names else own


def _part(whole: str, given: Any) -> Utility:
    """A utility inside another: a utility, or a function of d."""
    if isinstance(given, (list, tuple)):
        raise DataError(
            f"{whole} is made of single utilities, not of a list; write a list of them instead, one an agent"
        )
    return as_utility(given, 1)


def probe(what: str, f: Utility, mass: float, sizes: Sizes) -> None:
    """Refuse a utility that is unbounded or not differentiable, and warn of one that never changes.

    On measures of this mass: even, all in one pair, and six within; there gradients are held against differences of values.
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
    """Tells, once, of a constraint that comes no closer over 600 updates: means over 200 against those of the 200 before, twice.

    Told where an agent's shortfall is above 5 % of its bound (and 0.001) and neither it nor the multiplier fell by 2 %, both
    times, if it is half the bound, or all shortfalls are 5 % of all bounds: slow agents among many are not worth a word.
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
