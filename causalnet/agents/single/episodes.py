"""What a learner tells of its training: each transition as it happened, and each episode when it has ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...base.arrays import Bools

ENDLESS = 100_000  # steps after which an episode is taken for one that never ends, where nothing else ends learning


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One transition as it happened; ``mask`` is the one its action was chosen under, ``number`` counts all steps.

    copy: of a vector environment; ``episode`` counts the finished ones.
    """

    obs: Any
    action: Any
    reward: float
    next_obs: Any
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    mask: Bools | None
    number: int
    episode: int
    copy: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Episode:
    """A finished episode: ``number`` from 0, undiscounted ``return_``, ``length`` in steps, the last step's ``info``."""

    number: int
    return_: float
    length: int
    terminated: bool
    info: dict[str, Any]
    steps: int
    train: dict[str, float]


OnStep = Callable[[Step], object]
OnEpisode = Callable[[Episode], "Mapping[str, float] | None"]


def episode_seed(seed: int, number: int) -> int:
    """The seed of ``env.reset`` for the episode that was the ``number``-th to start, from 0."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)
