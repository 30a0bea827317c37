"""Observations as numbers that a network reads: codes by their components, vectors by their own scale, and the domain's factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ....base.arrays import AnyArray, Array, Floats, Ints
from ....base.checks import shaped
from ....envs.networked.protocols import Described
from ....errors import DataError
from ..rollout import view_table
from .world import World

MOST_LEVELS = 64  # of a code or a component that get a number each
RANDOM = 64  # numbers that stand for a code with more levels than that, and no components
FARTHEST = 10.0  # deviations from the mean, beyond which an observation counts as that


class Codes:
    """Codes (E, n) -> x (n, E, d): a one in the place of the code, or of each component's value.

    view: what is seen of a code, see :func:`..rollout.view_table`. A code of more than 64 levels without components is a fixed
    vector of 64 random signs, nearly orthogonal to all others.
    """

    def __init__(self, world: World, view: Any, device: torch.device) -> None:
        assert world.n_states is not None
        self.device, self.view = device, None if view is None else view_table(world.env, view)
        levels = int(world.n_states.max()) if self.view is None else int(self.view.max()) + 1
        self.env: Any = None
        self.signs: torch.Tensor | None = None
        if levels <= MOST_LEVELS:
            self.sizes: Ints = np.array([levels])
        elif self.view is None and isinstance(world.env, Described):
            self.env, self.sizes = world.env, np.asarray(world.env.radices).max(axis=0)
        else:
            rng, self.sizes = np.random.default_rng(levels), np.array([RANDOM])
            self.signs = torch.tensor(
                np.where(rng.random((levels, RANDOM)) < 0.5, -1.0, 1.0), dtype=torch.float32, device=device
            )
        wide = self.sizes > MOST_LEVELS
        self.wide, widths = wide, np.where(wide, 2, self.sizes)
        self.starts, self.width = np.concatenate(([0], np.cumsum(widths)[:-1])), int(widths.sum())
        self.observed = self.width

    def __call__(self, obs: AnyArray) -> torch.Tensor:
        """Codes (E, n) -> (n, E, d)."""
        codes = np.asarray(obs).T
        if self.view is not None:
            rows = np.arange(len(codes))[:, None] if len(self.view) > 1 else 0
            codes = self.view[rows, codes]
        if self.signs is not None:
            return self.signs[torch.tensor(codes, device=self.device)]
        parts = codes[..., None] if self.env is None else self.env.components(np.asarray(obs)).transpose(1, 0, 2)
        x = torch.zeros((*codes.shape, self.width), device=self.device)
        narrow = np.flatnonzero(~self.wide)
        places = torch.tensor(parts[..., narrow] + self.starts[narrow], dtype=torch.int64, device=self.device)
        x.scatter_(2, places, 1.0)
        for k in np.flatnonzero(self.wide):
            value, top = parts[..., k].astype(np.float32), float(self.sizes[k] - 1)
            scaled = np.stack((value / top, np.log1p(value) / np.log1p(top)), axis=-1)
            x[..., self.starts[k] : self.starts[k] + 2] = torch.tensor(scaled, dtype=torch.float32, device=self.device)
        return x

    def learn(self) -> None:
        """Nothing to learn."""

    def arrays(self) -> dict[str, AnyArray]:
        """What a checkpoint keeps of it beside the view, which its caller gave."""
        return {} if self.view is None else {"view": self.view}

    def fill(self, arrays: dict[str, AnyArray]) -> None:
        """Nothing beside the view."""


class Vectors:
    """Vectors (E, n, d) -> x (n, E, d), less their running mean, over their running deviation. view: (d,) or (n, d) bool, the
    numbers that are seen; the others are zero."""

    def __init__(self, world: World, view: Any, device: torch.device, width: int) -> None:
        self.device, self.width, self.observed = device, width, width
        self.view = None if view is None else np.asarray(view)
        fits = self.view is None or (self.view.dtype == bool and self.view.shape in {(width,), (world.n, width)})
        if not fits:
            raise DataError(
                f"view says yes or no for each of {width} numbers of an observation: ({width},) or ({world.n}, {width})"
            )
        self.keep = None if self.view is None else torch.tensor(np.atleast_2d(self.view), device=device)[:, None]
        self.count = 0.0
        self.moments: Array = np.zeros((2, width))  # sums of what was seen, and of squares
        self.seen = np.zeros(3 * width).reshape(3, width)
        self._use()

    def __call__(self, obs: AnyArray) -> torch.Tensor:
        """Vectors (E, n, d) -> (n, E, d)."""
        if obs.shape[-1] != self.width:
            raise DataError(
                f"observations have {obs.shape[-1]} numbers, and had {self.width}; their shape may not change"
            )
        x = torch.tensor(obs, device=self.device).transpose(0, 1)
        x = ((x - self.mean) * self.scale).clamp(-FARTHEST, FARTHEST)
        return x if self.keep is None else torch.where(self.keep, x, 0.0)

    def see(self, obs: AnyArray) -> None:
        """Take vectors (E, n, d) into account, from the next ``learn`` on."""
        flat = obs.reshape(-1, self.width).astype(np.float64)
        self.seen += (np.full(self.width, len(flat)), flat.sum(0), np.square(flat).sum(0))

    def learn(self) -> None:
        """Scale by all that was seen so far."""
        self.count += float(self.seen[0, 0])
        self.moments += self.seen[1:]
        self.seen[:] = 0.0
        self._use()

    def arrays(self) -> dict[str, AnyArray]:
        """What a checkpoint keeps."""
        kept: dict[str, AnyArray] = {"moments": self.moments, "count": np.array(self.count), "seen": self.seen}
        return kept if self.view is None else kept | {"view": self.view}

    def fill(self, arrays: dict[str, AnyArray]) -> None:
        """Take back what ``arrays`` gave."""
        self.moments, self.count = (
            shaped("moments", arrays["moments"], self.moments.shape, "sums, squares"),
            float(arrays["count"]),
        )
        self.seen = shaped("seen", arrays["seen"], self.seen.shape, "counts, sums, squares")
        self._use()

    def _use(self) -> None:
        n = max(self.count, 1.0)
        mean = self.moments[0] / n
        deviation = np.sqrt(np.maximum(self.moments[1] / n - mean**2, 0.0)) if self.count else np.ones(self.width)
        scale: Floats = np.where(deviation > 1e-6, 1 / np.maximum(deviation, 1e-6), 1.0).astype(np.float32)
        self.mean = torch.tensor(mean.astype(np.float32), device=self.device)
        self.scale = torch.tensor(scale, device=self.device)


Reader = Codes | Vectors


def reader(world: World, view: Any, device: torch.device, width: int | None) -> Reader:
    """The reader that an environment's observations need. width: d of vectors; None for codes."""
    return Codes(world, view, device) if width is None else Vectors(world, view, device, width)
