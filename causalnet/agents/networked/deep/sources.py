"""Several environments of one network as one: the copies of all domains side by side, each told its domain's factor."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....base.arrays import AnyArray, Array
from ....errors import DataError
from ..conditioning import Conditioning
from ..rollout import seeds
from .world import World


class Sources:
    """Environments, alike but for their domain, as one of E = sum of E_m copies."""

    def __init__(self, envs: Sequence[Any]) -> None:
        self.worlds = [World.of(env) for env in envs]
        if not self.worlds:
            raise DataError("env is an empty list; give one environment, or several sources")
        first = self.worlds[0]
        for m, world in enumerate(self.worlds):
            if not world.batched:
                raise DataError(f"source {m} is a single copy; build sources with n_envs, one or more")
            world.require(first.fingerprint(), f"source 0 beside source {m}: it")
            if world.horizon != first.horizon:
                raise DataError(
                    f"source {m} ends after {world.horizon} steps and source 0 after {first.horizon}; give one horizon"
                )
        self.first, self.envs = first.env, list(envs)
        self.n_agents, self.horizon, self.adjacency = first.n, first.horizon, first.env.adjacency
        self.n_envs = sum(world.copies for world in self.worlds)
        self.cuts = np.cumsum([world.copies for world in self.worlds])[:-1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in {"first", "action_masks"}:
            raise AttributeError(name)
        return getattr(self.first, name)

    def world(self) -> World:
        """All sources as one."""
        return dataclasses.replace(World.of(self), label=self.worlds[0].label)

    def reset(self, seed: int) -> tuple[AnyArray, dict[str, Any]]:
        """Every source from a seed of its own."""
        starts = [world.reset(seeds(seed, m)) for m, world in enumerate(self.worlds)]
        return np.concatenate([obs for obs, _ in starts]), _told([masks for _, masks in starts])

    def step(self, actions: AnyArray) -> tuple[Any, ...]:
        """A step in every source."""
        steps = [world.step(part) for world, part in zip(self.worlds, np.split(actions, self.cuts), strict=True)]
        *parts, masks = zip(*steps, strict=True)
        return (*(np.concatenate(part) for part in parts), _told(list(masks)))


def _told(masks: list[Any]) -> dict[str, Any]:
    return {} if masks[0] is None else {"action_mask": np.concatenate(masks)}


def codes_of(conditioning: Conditioning, worlds: Sequence[World]) -> Array:
    """(E, n or 1, F): f(omega) of the source that each copy is of."""
    return np.repeat(conditioning.sources(), [world.copies for world in worlds], axis=0)
