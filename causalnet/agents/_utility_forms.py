"""Utilities made of others, one an agent, or of a function that torch differentiates; and what makes a utility usable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ._utilities import Sizes, Utility

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Penalty:
    """f(d) = -(weight / 2) max(0, at_least - g(d))^2: a soft constraint; r = weight max(0, at_least - g) grad g."""

    of: Utility
    at_least: Any
    weight: float = 1.0

    def __post_init__(self) -> None:
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

    def value(self, d: Array) -> Array:
        return np.concatenate([f.value(d[..., i : i + 1, :, :]) for i, f in self._each(d)], axis=-1)

    def gradient(self, d: Array) -> Array:
        return np.concatenate([f.gradient(d[..., i : i + 1, :, :]) for i, f in self._each(d)], axis=-3)

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        tops = [f.most(mass, (sizes[0][i : i + 1], sizes[1][i : i + 1])) for i, f in enumerate(self.utilities)]
        known = [np.full(1, np.inf) if top is None else top for top in tops]
        return np.concatenate(known)

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
            values = self.function(x) if self.vectorised else torch.stack([self.function(row) for row in x])
        except TypeError as error:
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
        return PerAgent([as_utility(g, 1) for g in given])
    if not isinstance(given, type) and isinstance(given, Utility):
        return given
    if callable(given) and not isinstance(given, type):
        return Differentiated(given)
    raise DataError(
        f"a utility is Linear, Entropy, ..., a function of d (S, A), or a list of those, one an agent; not {given!r}"
    )


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
