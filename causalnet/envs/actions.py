"""Finite actions of one part or of several, as columns of one flat mask: Discrete, MultiDiscrete and MultiBinary.

A mask has a column for every value of every part, (A,), the parts one after the other: n of Discrete(n), sum(nvec) of
MultiDiscrete, and 2 n of MultiBinary(n), off and on of each switch. This is how sb3-contrib lays masks out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from ..base.arrays import AnyArray, Bools, Ints
from ..base.checks import array_of, shown
from ..errors import DataError, NotApplicable

FINITE = (gymnasium.spaces.Discrete, gymnasium.spaces.MultiDiscrete, gymnasium.spaces.MultiBinary)


@dataclass(frozen=True)
class Parts:
    """sizes: (m,) values of each part. start: the first action's value, one a part. shape: of an action; () for Discrete."""

    sizes: Ints
    start: AnyArray
    shape: tuple[int, ...]

    @staticmethod
    def of(space: Any) -> Parts:
        """The parts of a finite space of actions."""
        if isinstance(space, gymnasium.spaces.Discrete):
            return Parts(np.array([int(space.n)]), np.array([int(space.start)]), ())
        if isinstance(space, gymnasium.spaces.MultiDiscrete):
            return Parts(np.ravel(space.nvec).astype(np.int64), np.ravel(space.start), tuple(space.nvec.shape))
        assert isinstance(space, gymnasium.spaces.MultiBinary)
        many = int(np.prod(space.shape))
        return Parts(np.full(many, 2), np.zeros(many, np.int64), tuple(space.shape))

    @property
    def n(self) -> int:
        """A, the columns of a mask."""
        return int(self.sizes.sum())

    @property
    def begins(self) -> Ints:
        """(m,) the first column of each part."""
        return np.cumsum(self.sizes) - self.sizes

    @property
    def part(self) -> Ints:
        """(A,) the part of each column."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def choosable(self, mask: Bools) -> bool:
        """Does every part allow something? mask: (..., A)."""
        return bool((mask.any(axis=-1) if len(self.sizes) == 1 else self.each(mask)).all())

    def each(self, mask: Bools) -> Bools:
        """(..., m): which parts allow something."""
        return np.logical_or.reduceat(mask, self.begins, axis=-1)

    def columns(self, action: Any) -> Ints:
        """(..., m) the columns of an action of the environment, or of a batch of them."""
        array = np.asarray(action)
        flat = array.reshape(*array.shape[: array.ndim - len(self.shape)], len(self.sizes))
        return flat - self.start + self.begins

    def action(self, columns: Ints) -> Any:
        """The environment's action of columns (m,): an int for Discrete, else an array."""
        value = columns - self.begins + self.start
        return int(value[0]) if self.shape == () else value.reshape(self.shape)

    def actions(self, columns: Ints) -> AnyArray:
        """A batch of them, from (E, m)."""
        return (columns - self.begins + self.start).reshape(len(columns), *self.shape)


def finite_env(what: str, env: Any, *, several: bool = True, copies: bool = False) -> Any:
    """``env``; NotApplicable unless it is a Gymnasium environment with a finite set of actions.

    several: actions of several parts will do. copies: so will a vector environment.
    """
    vector = isinstance(env, gymnasium.vector.VectorEnv)
    if not isinstance(env, gymnasium.Env) and not (vector and copies):
        hint = "one copy, not a vector of them" if vector else "such as gymnasium.make(id)"
        raise NotApplicable(f"{what} needs a Gymnasium environment, {hint}; got {env!r}")
    space = env.single_action_space if vector else env.action_space
    if not isinstance(space, FINITE if several else gymnasium.spaces.Discrete):
        kinds = "Discrete, MultiDiscrete or MultiBinary" if several else "Discrete"
        raise NotApplicable(
            f"{what} needs a {kinds} action space; this one has {space}: wrap the environment so that its "
            "actions are Discrete(n)"
        )
    return env


def expanded(given: Any, parts: Parts, what: str, fill: int = -1) -> AnyArray:
    """(A,) whole numbers of the columns; for switches (MultiBinary) also (n,), one a switch that is turned on.

    fill: what turning a switch off (the even columns) gets.
    """
    values = array_of(what, given)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise DataError(f"{what} lists an index for every action, as whole numbers; got {shown(given)}")
    if len(values) == parts.n:
        return values
    if len(values) == len(parts.sizes) and (parts.sizes == 2).all() and parts.shape != ():
        whole = np.full(parts.n, fill, values.dtype)
        whole[1::2] = values
        return whole
    raise DataError(
        f"{what} names the variables of {len(values)} actions, and the environment has {parts.n}"
        + ("" if parts.shape == () else f" ({len(parts.sizes)} parts, one after the other)")
    )
