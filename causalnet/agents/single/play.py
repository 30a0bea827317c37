"""The running episodes of the copies in a vector environment: played together, each begun from the seed of its number.

However the vector resets by itself (Gymnasium's autoreset modes), what is learned from is the same: the last state of an
episode is the successor of its last action, no action leads from one episode into the next, and a step in which a copy was
only reset is none. Copies that can be reset one by one get the seeds that episodes of one environment have, so that
episodes that ran when a checkpoint was written can be played again up to where they were.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import iterate

from ...base.arrays import AnyArray, Array, Bools, Floats, Ints
from ...envs import answers
from ...envs.copies import autoreset_mode, resets_copies
from ...envs.masks import KEY
from .episodes import Step
from .reader import Reader


@dataclass(frozen=True)
class Moved:
    """What one step of the ``copies`` (k,) led to; those of them that ended have begun anew since."""

    copies: Ints
    reward: Array
    terminated: Bools
    ended: Bools
    "terminated or truncated"
    unmasked: Bools
    "the state after is the last of its episode, and the vector does not tell what was allowed in it"
    x: Floats
    "(k, n_obs) the states after, of episodes that ended the last ones"
    masks: Bools | None
    obs: Any
    info: Mapping[str, Any]


class Play:
    """E copies of an environment. x: (E, n_obs) and masks (E, A) or None: the states that they are in."""

    def __init__(self, env: Any, reader: Reader, seed_of: Callable[[], tuple[int, int]]) -> None:
        """seed_of: the number of the next episode to start, and its seed."""
        self.env, self.reader, self.n = env, reader, reader.copies
        self.mode, self.resets = autoreset_mode(env), resets_copies(env)
        self._seed_of = seed_of
        self.running = False
        self.x: Floats = np.zeros((self.n, reader.n_obs), np.float32)
        self.masks: Bools | None = None
        self.obs: Any = None
        self.seeds = [0] * self.n
        self.total, self.length = np.zeros(self.n), np.zeros(self.n, np.int64)
        self.waiting = np.zeros(self.n, dtype=bool)  # copies whose next step is their reset
        self._only_reset = self.waiting
        self._log: list[Ints] = []  # actions (E, m) of the last steps, back to the longest running episode's first
        self._recreated: dict[str, AnyArray] | None = None

    # ---- episodes -------------------------------------------------------------------------------------------------

    def begin(self, give_back: Callable[[], None]) -> bool:
        """Start what is not running; True if all of it is new, False if episodes go on.

        give_back: restores what masks had learned and drawn, which playing again has changed.
        """
        if self.running:
            return False
        goes_on = False
        if self._recreated is not None:
            goes_on = self._replay(self._recreated)
            give_back()
        self._recreated, self.running = None, True
        if not goes_on:
            self.seeds = [self._seed_of()[1] for _ in range(self.n)]
            self.total[:], self.length[:], self.waiting[:], self._log = 0.0, 0, False, []
            here = "reset of all copies"
            self.obs, info = answers.reset(self.env, seed=list(self.seeds) if self.resets else self.seeds[0])
            self.x, self.masks = self.reader.vectors(self.obs, here), self.reader.masks(self.obs, info, here)
        return not goes_on

    def step(self, columns: Ints, here: str) -> Moved:
        """Play the actions (E, m) of the copies."""
        reader, only_reset = self.reader, self.waiting
        obs, reward, terminated, truncated, info = answers.step(self.env, reader.parts.actions(columns))
        terminated, truncated = answers.ends(terminated, truncated, (self.n,))
        reward = answers.finite_rewards(reward, self.n, here)
        if self.resets:
            self._log.append(columns.astype(np.int32))
        ended = (np.asarray(terminated) | np.asarray(truncated)) & ~only_reset
        x = reader.vectors(obs, here)
        same = self.mode == AutoresetMode.SAME_STEP
        live = None if same else ~np.asarray(terminated, dtype=bool)
        masks = reader.masks(obs, info, here, **({} if live is None else {"live": live}))
        after, after_masks, unmasked = x, masks, np.zeros(self.n, dtype=bool)
        if same and ended.any():
            after, after_masks, unmasked = self._last(x, masks, info, ended, here)
        acted = np.flatnonzero(~only_reset)
        self.total[acted] += reward[acted]
        self.length[acted] += 1
        self.x, self.masks, self.obs = x, masks, obs
        self._only_reset, self.waiting = only_reset, ended if not self.resets and not same else np.zeros_like(ended)
        k: Any = slice(None) if len(acted) == self.n else acted
        of_masks = None if after_masks is None else after_masks[k]
        return Moved(
            acted, reward[k], np.asarray(terminated, bool)[k], ended[k], unmasked[k], after[k], of_masks, obs, info
        )

    def renew(self, ended: Ints, here: str) -> Ints:
        """Start new episodes where one has ended, now or with the next step; the copies in which one has begun."""
        self.total[ended], self.length[ended] = 0.0, 0
        if not self.resets and self.mode == AutoresetMode.NEXT_STEP:
            if self.masks is not None:
                self.masks[ended] = True  # no action follows: the next step only resets
            return np.flatnonzero(self._only_reset)
        if self.resets and len(ended):
            which = np.isin(np.arange(self.n), ended)
            for i in ended:
                self.seeds[i] = self._seed_of()[1]
            obs, info = self.env.reset(seed=list(self.seeds), options={"reset_mask": which})
            x, masks = self.reader.vectors(obs, here), self.reader.masks(obs, info, here, asked=which, live=which)
            self.x = np.where(which[:, None], x, self.x)
            if masks is not None:
                self.masks = masks if self.masks is None else np.where(which[:, None], masks, self.masks)
            self.obs = obs
        if len(self._log) > 2 * (longest := int(self.length.max())) + 64:
            self._log = self._log[len(self._log) - longest :]
        return ended

    def _last(
        self, x: Floats, masks: Bools | None, info: Mapping[str, Any], ended: Bools, here: str
    ) -> tuple[Floats, Bools | None, Bools]:
        """The last states of episodes that were followed by a reset in the same step, and their masks where told."""
        x = x.copy()
        masks, unmasked = None if masks is None else masks.copy(), ended & (masks is not None)
        final = info.get("final_info", {})
        for i in np.flatnonzero(ended):
            obs = info["final_obs"][i]
            x[i] = self.reader.vector(obs, f"{here}, copy {i}")
            told = final[KEY][i] if KEY in final and final.get(f"_{KEY}", ended)[i] else None
            if told is None and isinstance(obs, dict):
                told = obs.get(KEY)
            if masks is not None:
                masks[i] = True if told is None else np.asarray(told, dtype=bool)
                unmasked[i] = told is None
        return x, masks, unmasked

    # ---- checkpoints ----------------------------------------------------------------------------------------------

    def to_arrays(self) -> dict[str, AnyArray]:
        """What recreates the running episodes: seeds, and the actions since each began."""
        if not self.running:
            return self._recreated or {}
        longest = int(self.length.max())
        log = (
            np.stack(self._log[len(self._log) - longest :])
            if longest and self.resets
            else np.zeros((0, self.n, 1), np.int32)
        )
        told = {"seeds": np.array(self.seeds), "log": log, "total": self.total, "length": self.length, "x": self.x}
        return {**told, **({} if self.masks is None else {"masks": self.masks})}

    def from_arrays(self, arrays: dict[str, AnyArray]) -> None:
        """Take back what ``to_arrays`` gave, for as many copies; they are played when learning goes on."""
        self._recreated, self.running = dict(arrays) if len(arrays.get("seeds", ())) == self.n else None, False

    def _replay(self, kept: Mapping[str, AnyArray]) -> bool:
        """Play the kept actions again; False, with a warning, where that leads elsewhere."""
        if not self.resets:
            warnings.warn(
                f"{self.env} cannot reset its copies one by one, so the episodes that ran when the checkpoint was written "
                "cannot be played again; new ones start",
                UserWarning,
                stacklevel=6,
            )
            return False
        log, length, seeds = kept["log"], kept["length"], [int(s) for s in kept["seeds"]]
        steps, parts, masks = len(log), self.reader.parts, kept.get("masks")
        first = np.tile(parts.begins, (self.n, 1))
        for i in np.flatnonzero(length == 0):  # an action that its first state allows, for steps before it starts
            if masks is not None:
                first[i] = [
                    b + int(part.argmax())
                    for b, part in zip(parts.begins, np.split(masks[i], parts.begins[1:]), strict=True)
                ]
        first[length > 0] = log[steps - length[length > 0], np.flatnonzero(length > 0)] if steps else first[length > 0]
        obs, _ = self.env.reset(seed=list(seeds))
        for t in range(steps):
            due = length >= steps - t
            starting = length <= steps - t
            if t and starting.any():
                self.env.reset(seed=list(seeds), options={"reset_mask": starting})
            obs, *_ = self.env.step(parts.actions(np.where(due[:, None], log[t], first)))
        if steps and (length == 0).any():
            obs, _ = self.env.reset(seed=list(seeds), options={"reset_mask": length == 0})
        if not np.array_equal(self.reader.vectors(obs, "replay"), kept["x"]):
            warnings.warn(
                f"the actions that led {self.env} where it was when the checkpoint was written lead elsewhere now: its "
                "copies do not follow from the seed given to reset; new episodes start",
                UserWarning,
                stacklevel=6,
            )
            return False
        self.obs, self.x, self.masks, self.seeds = obs, kept["x"].copy(), None if masks is None else masks.copy(), seeds
        self.total, self.length, self._log = kept["total"].copy(), length.copy(), list(log)
        return True


def one_of(info: Mapping[str, Any], i: int) -> dict[str, Any]:
    """The info of copy i, out of that of a vector."""
    found = {}
    for name, value in info.items():
        told = info.get(f"_{name}")
        if (name.startswith("_") and name[1:] in info) or (told is not None and not told[i]):
            continue
        found[name] = one_of(value, i) if isinstance(value, Mapping) else value[i]
    return found


def steps_of(
    play: Play, before: Any, columns: Ints, masks: Bools | None, moved: Moved, counts: tuple[int, int]
) -> Iterator[Step]:
    """One step of the copies as transitions; before, columns, masks: where they were, what they did, what was allowed."""
    seen, after = (list(iterate(play.env.observation_space, obs)) for obs in (before, moved.obs))
    for k, i in enumerate(map(int, moved.copies)):
        info, mask, ended = one_of(moved.info, i), None if masks is None else masks[i], bool(moved.ended[k])
        last, told = info.pop("final_obs", after[i]), info.pop("final_info", info)
        info, following = (told, last) if ended else (info, after[i])
        ends = bool(moved.terminated[k]), ended and not moved.terminated[k]
        taken, (number, episode) = play.reader.parts.action(columns[i]), counts
        yield Step(seen[i], taken, float(moved.reward[k]), following, *ends, info, mask, number + k, episode, i)
