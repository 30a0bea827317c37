"""What the learners of networks share: a learner is an actor, one or more critics, and the loop that runs them."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from ...base.arrays import Array
from ...base.checks import function, instance
from ...errors import DataError
from .. import loop
from ..logging import RETURN, Logger
from .checkpoint import Kept, save_agent


class Updating(ABC):
    """``learn``, ``scalars`` and ``save`` of learners that advance by updates. updates: done so far."""

    def __init__(self) -> None:
        self.updates = 0
        self.files = loop.Files()

    @property
    @abstractmethod
    def episodes(self) -> int:
        """Episodes seen so far."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """Transitions seen so far."""

    @abstractmethod
    def last_return(self) -> float:
        """Mean return of the last update's trajectories, undiscounted, over agents, copies and learners."""

    @abstractmethod
    def _advance(self, last_step: int | None, tick: loop.Tick) -> Self:
        """One update, which may end early at ``last_step``; ``tick`` is told of the steps."""

    @abstractmethod
    def _write(self, path: str | Path) -> Path:
        """Everything learnt as one npz file with a JSON header."""

    def learn(
        self,
        episodes: int | None = None,
        steps: int | None = None,
        *,
        on_update: Callable[[Self], Any] | None = None,
        log: str | Path | Logger | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 1,
        progress: bool = False,
    ) -> Self:
        """Learn for so many more episodes or steps, as ``episodes`` and ``steps`` count them, whichever ends first; rounded
        up to whole updates, or to whole steps of all copies where an update may be cut.

        on_update sees the learner after each update, and may return numbers to log. log: a CSV file's name, or a logger: a
        row an update. checkpoint: a file replaced after every ``checkpoint_every`` updates and at the end.
        """
        function("on_update", on_update, "learner")
        records = loop.Records(log, checkpoint, checkpoint_every, progress)
        loop.train(self, self._advance, on_update, records, episodes=episodes, steps=steps)
        return self

    def scalars(self) -> dict[str, float]:
        """What to log of the last update."""
        return {RETURN: self.last_return(), "train/n_updates": self.updates}

    def save(self, path: str | Path) -> Path:
        """Write everything needed to go on to the bit as one npz file with a JSON header, an unfinished episode included."""
        self.files.checkpoint = self._write(path)
        return self.files.checkpoint


class NetworkedLearner(Updating):
    """Counters of learners with tables. learners: independent seeds, who share the ``copies`` of an environment evenly.
    theta: the parameters, of all learners."""

    settings: Any
    seed: int
    learners: int
    copies: int
    theta: Array

    # ---- what a learner adds --------------------------------------------------------------------------------------

    @abstractmethod
    def update(self) -> None:
        """One update: trajectories under the present policy, the critic's pass over them, the actor's step."""

    @property
    @abstractmethod
    def per_update(self) -> int:
        """Episodes of each learner in an update."""

    @abstractmethod
    def kept(self) -> Kept:
        """What a checkpoint holds of it beside settings and counters."""

    # ---- learning -------------------------------------------------------------------------------------------------

    @property
    def episodes(self) -> int:
        """Episodes that each learner has seen."""
        return self.updates * self.per_update

    @property
    def steps(self) -> int:
        """Transitions that each learner has seen."""
        return self.episodes * int(self.settings.length)

    def _advance(self, last_step: int | None, tick: loop.Tick) -> Self:
        self.update()
        tick(self.per_update * self.settings.length)
        return self

    def _write(self, path: str | Path) -> Path:
        return save_agent(path, self)


class Course:
    """The returns of a fresh learner's first updates; a policy that is no better by then is told of, once, where noise is
    small enough to tell."""

    UPDATES, ENDS, SURE = 100, 20, 0.05

    def __init__(self) -> None:
        self.returns: list[float] = []

    def see(self, update: int, value: float) -> None:
        """The return of the ``update``-th update, from 1; a learner that is loaded on the way is not judged."""
        if update != len(self.returns) + 1 or update > self.UPDATES:
            return
        self.returns.append(value)
        if update == self.UPDATES:
            first, last = np.array(self.returns[: self.ENDS]), np.array(self.returns[-self.ENDS :])
            noise = 2 * math.sqrt((first.var(ddof=1) + last.var(ddof=1)) / self.ENDS)
            told = noise <= self.SURE * abs(first.mean())  # with more noise than that, nothing can be said yet
            if told and last.mean() - first.mean() <= noise:
                warnings.warn(
                    f"the return has not risen beyond its noise in {self.UPDATES} updates: {first.mean():.4g} in the first "
                    f"{self.ENDS}, {last.mean():.4g} in the last (noise {noise:.2g}); try a larger actor_rate, a smaller "
                    "kappa, more copies, or NetworkedPPO",
                    UserWarning,
                    stacklevel=6,  # the line that called learn
                )


def usual(settings: Any, otherwise: Any) -> Any:
    """Settings as given, of the same class as ``otherwise``; None: those."""
    name = type(otherwise).__name__
    return otherwise if settings is None else instance("settings", settings, type(otherwise), f"{name}(...), or None")


def converging(theta: Array, update: int) -> Array:
    """New parameters, or DataError where their squares are beyond all numbers; ``update`` counts from 0."""
    if not np.isfinite(np.vdot(theta, theta)):
        raise DataError(
            f"the learning diverged in update {update + 1}; the policy is as before, the critic is not: learn anew with smaller rates"
        )
    return theta
