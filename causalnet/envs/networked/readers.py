"""How observations of a foreign environment become codes or vectors, and what its action spaces mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from ...base.arrays import AnyArray, Array, Floats, Ints
from ...base.checks import whole, whole_numbers
from ...errors import DataError
from .. import answers

Encode = Callable[[str, Any], Any]  # (agent, observation) -> a code, or a vector
_MOST = 2**31 - 1  # states of an agent


class CodeReader:
    """Observations as state codes, agent by agent: digits, the first the least, or what ``encode`` gives.

    radices (n, c): how many values each digit takes (1 for digits that an agent has not). absent: one more state, the last.
    """

    def __init__(self, starts: list[Ints], radices: Ints, absent: bool, encode: Encode | None = None) -> None:
        self.absent, self._starts, self._encode = absent, starts, encode
        self._own, self._digits = radices.prod(axis=1), radices
        self._strides = np.cumprod(np.column_stack([np.ones(len(radices), np.int64), radices[:, :-1]]), axis=1)
        self.n_states: Ints = self._own + absent
        whole_state = absent or radices.shape[1] == 1
        self.radices: Ints = self.n_states[:, None] if whole_state else radices
        self.names = ("state",) if whole_state else tuple(f"s{k}" for k in range(radices.shape[1]))

    def empty(self, copies: int, n: int) -> AnyArray:
        """(E, n) int64."""
        return np.zeros((copies, n), np.int64)

    def away(self, i: int) -> int:
        """The state of an agent who is not there."""
        return int(self._own[i])

    def read(self, i: int, agent: str, seen: Any, when: str) -> int:
        """The code of what an agent sees."""
        if self._encode is not None:
            return whole(
                f"{when} what encode makes of agent {agent!r}", self._encode(agent, seen), 0, int(self._own[i]) - 1
            )
        value = np.asarray(_inner(seen)).ravel()
        digits = value - self._starts[i] if value.size == self._starts[i].size else np.empty(0)
        here = self._digits[i, : self._starts[i].size]
        if digits.size != here.size or digits.dtype.kind not in "iub" or (digits < 0).any() or (digits >= here).any():
            raise DataError(
                f"{when} shows agent {agent!r} {seen!r:.80}, which is not in the observation space that it names"
            )
        return int(digits @ self._strides[i, : here.size])


class VectorReader:
    """Observations as vectors of ``size`` numbers; absent: one number more, 1 while an agent is away. size None: as many as the first."""

    names: tuple[str, ...] = ()

    def __init__(self, size: int | None, absent: bool, encode: Encode | None = None) -> None:
        self.size, self.absent, self._encode = size, absent, encode

    def empty(self, copies: int, n: int) -> Floats:
        """(E, n, d) float32; of an unknown size 0 before anything is read."""
        return np.zeros((copies, n, (self.size or 0) + self.absent), np.float32)

    def away(self, i: int) -> Floats:
        """Zeros, and a 1."""
        return np.append(np.zeros(self.size or 0), 1.0).astype(np.float32)

    def read(self, i: int, agent: str, seen: Any, when: str) -> Floats:
        """The vector (d,) of what an agent sees."""
        value = _inner(seen) if self._encode is None else self._encode(agent, seen)
        found = numbers_read(f"{when} what agent {agent!r} sees", value, self.size)
        return np.append(found, np.zeros(int(self.absent))).astype(np.float32)


def reader_of(
    env: Any, agents: list[str], encode: Encode | None, n_states: Any, absent: bool
) -> CodeReader | VectorReader:
    """How to read the observations of an environment: by ``encode``, or by its spaces, which must be of one kind."""
    n = len(agents)
    if encode is not None and n_states is None:
        seen, _ = answers.reset(env, seed=0)  # whose length says how long vectors are
        first = next(iter(seen))
        return VectorReader(
            numbers_read(f"what encode makes of agent {first!r}", encode(first, seen[first]), None).size, absent, encode
        )
    if encode is not None:
        counts = whole_numbers("n_states", n_states, n, 1, _MOST - 1)
        return CodeReader([np.zeros(1, np.int64)] * n, counts[:, None], absent, encode)
    found = [_space(env, agent) for agent in agents]
    boxes = [isinstance(space, spaces.Box) for space in found]
    if all(boxes):
        sizes = [int(np.prod(space.shape)) for space in found]
        for agent, size in zip(agents, sizes, strict=True):
            if size != sizes[0]:
                raise DataError(
                    f"agent {agent!r} sees {size} numbers and agent {agents[0]!r} {sizes[0]}; give encode=, a function (agent, "
                    "observation) -> vectors of one length"
                )
        return VectorReader(sizes[0], absent)
    digits = [_digits(space) for space in found]
    for agent, space, digit in zip(agents, found, digits, strict=True):
        if digit is None or float(np.prod(digit[1], dtype=float)) > _MOST - 1:
            raise DataError(
                f"observations of agent {agent!r} are {space!r:.60}, which is neither a code nor, for all agents alike, a Box; give "
                "encode=, a function (agent, observation) -> a code (and n_states=) or a vector"
            )
    parts = [digit for digit in digits if digit is not None]
    radices = np.ones((n, max(part[1].size for part in parts)), np.int64)
    for i, (_, radix) in enumerate(parts):
        radices[i, : radix.size] = radix
    return CodeReader([start for start, _ in parts], radices, absent)


def real_actions(env: Any, agents: list[str]) -> list[Any] | None:
    """The Boxes of the agents' actions; None where they are all Discrete; anything else is refused."""
    found = [env.action_space(agent) for agent in agents]
    if all(isinstance(space, spaces.Discrete) for space in found):
        return None
    for agent, space in zip(agents, found, strict=True):
        if not isinstance(space, spaces.Box) or space.shape != found[0].shape:
            raise DataError(
                f"actions of agent {agent!r} are {space!r:.60}, and must be Discrete for every agent, or a Box of one shape for every "
                "agent; wrap the environment"
            )
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise DataError(
                f"actions of agent {agent!r} have no bounds ({space!r:.60}); wrap them into a Box with bounds"
            )
    return found


def start_of(space: Any) -> int:
    """The number of the first action of a Discrete space."""
    return int(space.start)


def numbers_read(what: str, value: Any, size: int | None) -> Array:
    """(size,) finite numbers, flat; a sentence that begins with ``what`` for anything else."""
    try:
        found = np.asarray(value, np.float64).ravel()
    except (TypeError, ValueError):
        raise DataError(
            f"{what} is {value!r:.60}, and must be {'numbers' if size is None else f'{size} numbers'}"
        ) from None
    if size is not None and found.size != size:
        raise DataError(f"{what} has {found.size} numbers, and must have {size} from the first step to the last")
    if not np.isfinite(found).all():
        raise DataError(f"{what} holds {found[~np.isfinite(found)][0]}, and must be finite")
    return found


def _inner(seen: Any) -> Any:
    """The observation beside an action mask, or the observation."""
    return seen["observation"] if isinstance(seen, Mapping) and "observation" in seen else seen


def _space(env: Any, agent: str) -> Any:
    space = env.observation_space(agent)
    if isinstance(space, spaces.Dict) and "observation" in space.spaces:
        return space["observation"]
    return space


def _digits(space: Any) -> tuple[Ints, Ints] | None:
    """Where the digits of a space of whole numbers start, and how many values each takes; None for other spaces."""
    if isinstance(space, spaces.Discrete):
        return np.array([space.start], np.int64), np.array([space.n], np.int64)
    if isinstance(space, spaces.MultiDiscrete):
        return np.asarray(space.start, np.int64).ravel(), np.asarray(space.nvec, np.int64).ravel()
    if isinstance(space, spaces.MultiBinary):
        size = int(np.prod(space.shape))
        return np.zeros(size, np.int64), np.full(size, 2, np.int64)
    return None
