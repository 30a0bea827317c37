"""How training runs: one loop for every learner here, those of one agent and those of networks of agents.

    until so many more episodes or steps are done:
        the learner advances by one unit: an episode (PPO, DQN, D3QN), or an update (the networked learners)
        the caller's function sees it, and may return numbers to log
        a row is logged, the bar moves, and every so often a checkpoint is replaced

All randomness is drawn from the learner's own seeds and counters, never from here: a learner that is loaded from its
checkpoint goes on to the bit, with or without log, bar and functions that look on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..base.checks import function, whole
from ..errors import DataError, UnknownNameError, nearest
from ..storage.checkpoint import claim
from .logging import EPISODE, RETURN, STEP, Logger, bar, opened

Tick = Callable[[int], None]
Advance = Callable[["int | None", Tick], Any]


@dataclass(eq=False)
class Files:
    """The files that a learner goes on in. What another run has written is never replaced."""

    checkpoint: Path | None = None
    "the last one that it was saved to, or was loaded from"
    log: Path | None = None
    loaded: bool = False
    "a learner from a checkpoint may go on in the log of the run that wrote it"

    def claim_log(self, path: Path) -> None:
        """Refuse to take rows out of the log of another run."""
        if path.is_file() and path.stat().st_size and self.log != path.resolve() and not self.loaded:
            raise DataError(
                f"{path} holds the episodes of another run; give another name, delete it, or load that run's checkpoint to "
                "go on"
            )
        self.log = path.resolve()


class Learner(Protocol):
    """What the loop asks of a learner, beside a function that advances it by one unit."""

    files: Files

    @property
    def episodes(self) -> int:
        """Episodes done so far, over all calls of ``learn``."""

    @property
    def steps(self) -> int:
        """Steps taken so far."""

    def scalars(self) -> dict[str, float]:
        """What to log of the last unit by name, ``rollout/return`` among it; called only if somebody looks."""

    def save(self, path: str | Path) -> Path:
        """Write everything needed to go on to the bit."""


@dataclass(frozen=True)
class Records:
    """What a call of ``learn`` leaves behind."""

    log: str | Path | Logger | None = None
    "a CSV file's name, or a logger: one row a unit"
    checkpoint: str | Path | None = None
    "a file replaced after every ``checkpoint_every`` units and at the end"
    checkpoint_every: int = 1
    progress: bool = False
    "draw a bar on stderr"


LEARN = ("episodes", "steps", "on_step", "on_episode", "log", "checkpoint", "checkpoint_every", "progress")


def refuse_policy_name(learner: str, others: tuple[Any, ...]) -> None:
    """DataError where a learner is given more than an environment, as in PPO("MlpPolicy", env)."""
    if others:
        raise DataError(f"{learner} takes an environment alone, not a policy's name before it; write {learner}(env)")


def refuse_other(given: Mapping[str, Any], **functions: Any) -> None:
    """UnknownNameError, naming what to write instead, for arguments that ``learn`` does not have; functions: of those it has."""
    for name, told in functions.items():
        function(name, told, name.removeprefix("on_"))
    for name in given:
        hint = (
            " Write steps=."
            if name == "total_timesteps"
            else " Write on_step= or on_episode=."
            if name == "callback"
            else ""
        )
        raise UnknownNameError(f"learn has no argument {name!r}.{hint or nearest(name, LEARN)}")


def train(
    learner: Learner,
    advance: Advance,
    look: Callable[[Any], Any] | None,
    records: Records,
    *,
    episodes: int | None = None,
    steps: int | None = None,
) -> None:
    """Advance the learner until it has done so many more ``episodes`` or ``steps``, whichever comes first.

    advance: (the step to stop at, or None; a function to tell of steps taken) -> what ``look`` is to see, or None where
    the unit was cut off by that step: it is not reported. look: may return numbers to log.
    """
    function("on_episode", look, "episode")
    if episodes is None and steps is None:
        raise DataError("say how long to learn: learn(episodes=300) or learn(steps=20_000)")
    last_episode = None if episodes is None else learner.episodes + whole("episodes", episodes, 0)
    last_step = None if steps is None else learner.steps + whole("steps", steps, 0)
    every, units = whole("checkpoint_every", records.checkpoint_every, 1), 0
    if records.checkpoint is not None:
        claim(records.checkpoint, learner.files.checkpoint, type(learner))
    if isinstance(records.log, str | Path):
        learner.files.claim_log(Path(records.log))
    first_episode, first_step, start = learner.episodes, learner.steps, time.monotonic()
    with opened(records.log, learner.episodes) as logger, bar(records.progress, episodes, steps) as tell:
        while (last_episode is None or learner.episodes < last_episode) and (
            last_step is None or learner.steps < last_step
        ):
            seen = advance(last_step, tell.steps)
            if seen is None:
                break
            units += 1
            more = look(seen) if look is not None else None
            if logger is not None or records.progress:
                scalars = learner.scalars()
                tell.episodes(learner.episodes - first_episode, scalars[RETURN])
            if logger is not None:
                rate = (learner.steps - first_step) / max(time.monotonic() - start, 1e-9)
                counts = {EPISODE: learner.episodes, STEP: learner.steps, "time/fps": rate}
                logger.write({**counts, **scalars, **(more if isinstance(more, Mapping) else {})})
            if records.checkpoint is not None and units % every == 0:
                learner.save(records.checkpoint)
    if records.checkpoint is not None:
        learner.save(records.checkpoint)
