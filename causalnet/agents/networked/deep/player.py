"""A learnt policy at play: it is given observations and remembers; and whole episodes of it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch

from ....base.arrays import AnyArray, Array
from ....base.checks import array_of
from .choices import Choice
from .play import Sight, decide, to_env
from .world import World, as_actions, check_masks, check_observations


class Acting(Protocol):
    """What a player asks of a learner."""

    world: World
    sight: Sight
    choice: Choice
    policy: Any


class Player:
    """A policy that plays: call it with observations and masks; it remembers what its memory holds. ``forget`` begins anew. rng: what
    draws its actions; None takes the likeliest."""

    def __init__(self, agent: Acting, rng: np.random.Generator | None, extra: torch.Tensor | None) -> None:
        self._agent, self.rng, self._extra = agent, rng, extra
        self._memory: torch.Tensor | None = None

    def forget(self) -> None:
        """A new episode begins."""
        self._memory = None

    def __call__(self, obs: Any, masks: Any = None) -> AnyArray:
        """Actions of all agents in each copy, for observations with or without leading axes."""
        agent, given = self._agent, array_of("obs", obs)
        world, inner = agent.world, 1 if agent.world.n_states is not None else 2
        lead = given.shape[: max(given.ndim - inner, 0)]
        many = int(np.prod(lead))
        rows = check_observations(world, given.reshape(many, *given.shape[len(lead) :]), (many,))
        ok = (
            None
            if masks is None
            else check_masks(world, (allow := array_of("masks", masks)).reshape(many, *allow.shape[len(lead) :]))
        )
        allowed, read = agent.choice.allowed(ok), agent.sight.policy(agent.sight(rows, self._extra))
        action, _, self._memory = decide(agent.policy, agent.choice, read, allowed, self._memory, self.rng)
        out = as_actions(world, to_env(action))
        return out.reshape(*lead, *out.shape[1:])


def episode_returns(world: World, player: Player, key: int, most: int, discount: float) -> Array:
    """Returns (E,) of one episode in every copy."""
    obs, masks = world.reset(key)
    total, alive = np.zeros(world.copies), np.ones(world.copies, bool)
    for t in range(most):
        obs, reward, terminated, truncated, masks = world.step(player(obs, masks))
        total += discount**t * reward.mean(axis=1) * alive
        alive &= ~(terminated | truncated)
        if not alive.any():
            break
    return total
