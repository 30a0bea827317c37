"""What the mask over one environment and the mask over a vector of them share as wrappers."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from ..base.checks import number
from ..graph import Graph
from .gate import Gate
from .masking import Masker
from .root_causes import Doubtful, RootCauseMask


class Masking:
    """What a mask over one environment and one over a vector of them share: the rule, its gate and its counters."""

    masker: Masker

    @property
    def mask(self) -> RootCauseMask | None:
        """The rule of the graph, or of presence; None where a function of the user's own decides."""
        return self.masker.mask

    @property
    def graph(self) -> Graph | None:
        """The graph that masks; None for presence only, and beside a function."""
        return None if self.mask is None else self.mask.graph

    @property
    def gate(self) -> Gate | None:
        """What chooses between the graph's mask and presence, if anything."""
        return self.masker.gate

    @property
    def empty(self) -> str:
        """The rule for states in which nothing is allowed."""
        return self.masker.empty

    @property
    def n_empty(self) -> int:
        """States so far in which ``empty`` had to step in."""
        return self.masker.n_empty

    @property
    def n_invalid(self) -> int:
        """Actions so far that were outside the mask."""
        return self.masker.n_invalid

    @property
    def eta(self) -> float:
        """With this probability an observation's mask is by presence only."""
        return self.masker.eta

    @eta.setter
    def eta(self, value: float) -> None:
        self.masker.eta = number("eta", value, 0.0, 1.0)

    @property
    def settled(self) -> bool:
        """Does the gate play its better arm, and learn nothing?"""
        return self.masker.settled

    @settled.setter
    def settled(self, value: bool) -> None:
        self.masker.settled = bool(value)

    @property
    def mask_state(self) -> dict[str, Any]:
        """What the mask has learned and drawn, as JSON; agents keep it in their checkpoints. May be assigned."""
        return self.masker.to_json()

    @mask_state.setter
    def mask_state(self, value: dict[str, Any]) -> None:
        self.masker.from_json(value)

    def update(self, graph: Doubtful) -> None:
        """Mask by another graph, or other doubt, from the next observation on; the current mask stays, as it may be in use."""
        self.masker.update(graph)


def nests(space: gymnasium.Space[Any]) -> bool:
    """Is it {"observation", "action_mask"}, as of an environment that has masks itself?"""
    return isinstance(space, gymnasium.spaces.Dict) and set(space) == {"observation", "action_mask"}


def with_mask(space: gymnasium.Space[Any], n: int) -> gymnasium.spaces.Dict:
    """The observation space with ``action_mask`` beside it."""
    inner = dict(space.spaces) if isinstance(space, gymnasium.spaces.Dict) else {"observation": space}
    return gymnasium.spaces.Dict({**inner, "action_mask": gymnasium.spaces.Box(0, 1, (n,), np.int8)})
