"""Acting: what the agents of all copies read, do and remember, step by step; and the record of it that an update learns from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ....base.arrays import AnyArray, Array, Bools
from .choices import Choice
from .inputs import Reader, Vectors
from .reach import Reach


@dataclass(eq=False)
class Sight:
    """What policies and critics read of observations. extra (n or 1, E or 1, F): the domain's factor, or None."""

    reader: Reader
    policy: Reach
    critic: Reach
    alike: bool
    "policy and critic read the same"
    extra: torch.Tensor | None

    def __call__(self, obs: AnyArray, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Observations (E, n, ...) -> x (n, E, d)."""
        x, more = self.reader(obs), self.extra if extra is None else extra
        return x if more is None else torch.cat((x, more.expand(*x.shape[:2], -1)), dim=2)

    def both(self, obs: AnyArray) -> tuple[torch.Tensor, torch.Tensor]:
        """What policy and critic read, (n, E, ...) each."""
        x = self(obs)
        read = self.policy(x)
        return read, read if self.alike else self.critic(x)


@dataclass(eq=False)
class Record:
    """Steps as they happened, a list entry a step; ``read`` and ``judged`` have one more, for the state after the last."""

    read: list[torch.Tensor] = field(default_factory=list)
    "what the policy read, (n, E, d)"
    judged: list[torch.Tensor] = field(default_factory=list)
    "what the critic read"
    allowed: list[torch.Tensor | None] = field(default_factory=list)
    action: list[torch.Tensor] = field(default_factory=list)
    logp: list[torch.Tensor] = field(default_factory=list)
    memory: list[torch.Tensor | None] = field(default_factory=list)
    "of the policy, before the step"
    reward: list[Array] = field(default_factory=list)
    terminated: list[Bools] = field(default_factory=list)
    alive: list[Bools] = field(default_factory=list)

    def decided(self, read: Any, judged: Any, allowed: Any, action: Any, logp: Any, memory: Any, alive: Bools) -> None:
        """What was read and done in a state."""
        self.read.append(read)
        self.judged.append(judged)
        self.allowed.append(allowed)
        self.action.append(action)
        self.logp.append(logp)
        self.memory.append(memory)
        self.alive.append(alive)

    def __len__(self) -> int:
        return len(self.reward)


@torch.no_grad()
def decide(
    policy: Any,
    choice: Choice,
    read: torch.Tensor,
    allowed: Any,
    memory: torch.Tensor | None,
    rng: np.random.Generator | None,
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """Actions, their log probability (None where the best are taken, rng None), and the memory after."""
    out, after = policy(read, memory)
    if rng is None:
        return choice.best(out, allowed), None, after
    action, logp = choice.draw(out, allowed, rng)
    return action, logp, after


def to_env(action: torch.Tensor) -> AnyArray:
    """(n, E, ...) -> (E, n, ...) in numpy."""
    return np.ascontiguousarray(action.transpose(0, 1).cpu().numpy())


def see(sight: Sight, obs: AnyArray) -> None:
    """Let the scale of observations learn from these."""
    if isinstance(sight.reader, Vectors):
        sight.reader.see(obs)
