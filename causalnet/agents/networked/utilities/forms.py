"""Utilities made of others, one an agent, or of a function that torch differentiates."""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....base.arrays import Array
from ....base.asked import asks
from ....base.checks import array_of, entries, number, numbers
from ....errors import DataError
from .utilities import Sizes, Utility


@dataclass(frozen=True, eq=False)
class Penalty:
    """f(d) = -(weight / 2) max(0, at_least - g(d))^2: a soft constraint; r = weight max(0, at_least - g) grad g."""

    of: Utility
    at_least: Any
    weight: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", _part("a penalty", self.of))
        object.__setattr__(self, "weight", number("weight of a penalty", self.weight, 0.0))
        bounds("a penalty", self.at_least, array_of("at_least", self.at_least).size)

    @asks()
    def value(self, d: Array) -> Array:
        return np.asarray(-0.5 * self.weight * self._missing(self.of.value(d)) ** 2)

    @asks()
    def gradient(self, d: Array) -> Array:
        return np.asarray(self.weight * self._missing(self.of.value(d))[..., None, None] * self.of.gradient(d))

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        top = self.of.most(mass, sizes)
        return None if top is None else -0.5 * self.weight * self._missing(top) ** 2

    def _missing(self, value: Array) -> Array:
        return np.maximum(0.0, bounds("a penalty", self.at_least, (1, *value.shape)[-1]) - value)


@dataclass(frozen=True, eq=False)
class Total:
    """f = sum_k weights[k] f_k."""

    terms: Sequence[Utility]
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        terms = entries("terms of a total", self.terms, "utilities")
        object.__setattr__(self, "terms", tuple(_part("a total", f) for f in terms))
        weights = [1.0] * len(self.terms) if self.weights is None else self.weights
        if not self.terms or array_of("weights", weights).shape != (len(self.terms),):
            raise DataError(f"{len(self.terms)} terms need as many weights (and one at least), not {self.weights!r}")
        object.__setattr__(self, "weights", tuple(number("weight of a total", w, -math.inf) for w in weights))

    @asks()
    def value(self, d: Array) -> Array:
        return np.asarray(sum(w * f.value(d) for w, f in self._each()))

    @asks()
    def gradient(self, d: Array) -> Array:
        return np.asarray(sum(w * f.gradient(d) for w, f in self._each()))

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        total = np.zeros(len(sizes[0]))
        for w, f in self._each():
            top = f.most(mass, sizes) if w >= 0 else None
            if top is None:
                return None
            total += w * top
        return total

    def _each(self) -> Iterable[tuple[float, Utility]]:
        assert self.weights is not None  # the constructor saw to it
        return zip(self.weights, self.terms, strict=True)


@dataclass(frozen=True, eq=False)
class PerAgent:
    """Heterogeneous utilities: agent i has utilities[i]; each sees d as that of a network of one agent."""

    utilities: Sequence[Utility]

    def __post_init__(self) -> None:
        given = entries("utilities", self.utilities, "utilities, one an agent")
        object.__setattr__(self, "utilities", tuple(_part("one an agent", f) for f in given))

    @asks()
    def value(self, d: Array) -> Array:
        return np.concatenate([f.value(d[..., i : i + 1, :, :]) for i, f in self._each(d)], axis=-1)

    @asks()
    def gradient(self, d: Array) -> Array:
        return np.concatenate([f.gradient(d[..., i : i + 1, :, :]) for i, f in self._each(d)], axis=-3)

    def most(self, mass: float, sizes: Sizes) -> Array | None:
        tops = [f.most(mass, (sizes[0][i : i + 1], sizes[1][i : i + 1])) for i, f in enumerate(self.utilities)]
        return np.concatenate([np.full(1, np.inf) if top is None else top for top in tops])

    def _each(self, d: Array) -> list[tuple[int, Utility]]:
        agents = (1, 1, 1, *d.shape)[-3]
        if agents != len(self.utilities) or d.ndim < 3:
            raise DataError(f"there are {len(self.utilities)} utilities and {agents} agents; give one an agent")
        return list(enumerate(self.utilities))


@dataclass(frozen=True, eq=False)
class Differentiated:
    """The user's f: a function of one agent's d as a torch tensor (S, A), differentiated by torch.

    vectorised: the function takes d (..., S, A) and returns (...) for all agents at once.
    """

    function: Callable[[Any], Any]
    vectorised: bool = False

    @asks()
    def value(self, d: Array) -> Array:
        return np.asarray(self._forward(d)[1].detach().numpy()).reshape(d.shape[:-2])

    @asks()
    def gradient(self, d: Array) -> Array:
        import torch

        x, values = self._forward(d)
        (slope,) = torch.autograd.grad(values.sum(), x, allow_unused=True)
        if slope is None:
            raise DataError("the utility does not depend on d: it returned a torch number made from something else")
        return np.asarray(slope.numpy()).reshape(d.shape)

    def most(self, mass: float, sizes: Sizes) -> None:
        return None

    def _forward(self, d: Array) -> tuple[Any, Any]:
        """d as a torch tensor (rows, S, A), and the values (rows,) that follow from it."""
        import torch

        if d.ndim < 2 or not d.size:
            raise DataError(f"d has shape {d.shape}, and must end in (states, actions)")
        rows = d.reshape(-1, *d.shape[-2:])
        x = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
        try:
            with torch.enable_grad():
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
        return x, values


def as_utility(given: Any) -> Utility:
    """A utility, one an agent, or a function of d (a torch tensor), as one utility."""
    if isinstance(given, (list, tuple)):
        return PerAgent(given)
    if not isinstance(given, type) and isinstance(given, Utility):
        return given
    if callable(given) and not isinstance(given, type):
        return Differentiated(given)
    raise DataError(f"a utility is Linear, Entropy, ..., a function of d, or a list, one an agent; not {given!r}")


def kind(utility: Utility) -> str:
    """What a checkpoint can say of a utility: its class, and those of the parts."""
    parts: Sequence[Utility] = ()
    if isinstance(utility, Total):
        parts = utility.terms
    elif isinstance(utility, PerAgent):
        parts = utility.utilities
    elif isinstance(utility, Penalty):
        parts = (utility.of,)
    names = dict.fromkeys(kind(part) for part in parts)
    own = "a function of d" if isinstance(utility, Differentiated) else type(utility).__name__
    return f"{own}({', '.join(names)})" if names else own


def described(utility: Utility) -> dict[str, Any]:
    """The numbers of a utility for a checkpoint: its kind and its fields, tables as checksums; a function has its kind alone."""
    named = dataclasses.is_dataclass(utility) and not isinstance(utility, Differentiated)
    fields = dataclasses.fields(utility) if named else ()  # type: ignore[arg-type]
    return {"kind": kind(utility), **{field.name: _plain(getattr(utility, field.name)) for field in fields}}


def _plain(value: Any) -> Any:
    """A field of a utility as JSON has it."""
    if isinstance(value, Utility):
        return described(value)
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    array = np.asarray(value)
    if array.ndim > 1:
        return f"table of shape {array.shape}, checksum {zlib.crc32(array.tobytes()):08x}"
    return array.tolist() if array.dtype.kind in "iufbU" else type(value).__name__


def bounds(what: str, at_least: Any, n: int) -> Array:
    """The bound of every agent, (n,), of one number or one an agent."""
    return numbers(f"at_least of {what}", at_least, (n,))


def _part(whole: str, given: Any) -> Utility:
    """A utility inside another: a utility, or a function of d."""
    if isinstance(given, (list, tuple)):
        raise DataError(f"{whole} is made of single utilities, not of a list; write a list of them, one an agent")
    return as_utility(given)
