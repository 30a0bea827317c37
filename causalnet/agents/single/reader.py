"""From what an environment returns to what a network reads: flattened, checked, and scaled."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from ...base.arrays import AnyArray, Bools, Floats
from ...envs.actions import Parts, finite_env
from ...envs.copies import attribute
from ...envs.masks import KEY, MaskReader, VectorMaskReader, some_mask
from ...errors import DataError, NotApplicable

MEANINGS = {  # attributes that spaces do not show, as a message names them: only digests are kept
    "variables": "variables",
    "action_variables": "action_variables",
    "action_units": "action_units",
    "fingerprint": "rates, links or rules (its fingerprint)",
}


class Reader:
    """Flattens observations, finds masks, and refuses numbers that are none; messages name the step."""

    def __init__(self, env: Any, several: bool = True) -> None:
        env = finite_env("an agent", env, several=several, copies=True)
        self.copies = int(env.num_envs) if isinstance(env, gymnasium.vector.VectorEnv) else 0
        "of a vector environment; 0: one environment"
        space = env.single_observation_space if self.copies else env.observation_space
        if not isinstance(space, gymnasium.Space):
            raise NotApplicable(f"the observation space is {space!r:.60}, and must be a gymnasium.Space")
        self._drop = isinstance(space, gymnasium.spaces.Dict) and KEY in space.spaces
        if self._drop:  # a mask inside the observation is no input of the network
            space = gymnasium.spaces.Dict({k: v for k, v in space.spaces.items() if k != KEY})
        if not space.is_np_flattenable:
            raise NotApplicable(f"the observation space {space} cannot be flattened to one vector of fixed length")
        self.env, self.space = env, space
        self._is_box = isinstance(space, gymnasium.spaces.Box)
        self.n_obs = int(gymnasium.spaces.flatdim(space))
        self.action_space = env.single_action_space if self.copies else env.action_space
        self.parts = Parts.of(self.action_space)
        self.n_actions, self.first_action = self.parts.n, int(self.parts.start[0])
        self._read: Any = VectorMaskReader(env) if self.copies else MaskReader(env)
        self._told = self._read.method is not None or self._drop  # that there are masks, before the first of them
        self.masked = self._told

    def vector(self, obs: Any, where: str) -> Floats:
        """(n_obs,) float32, always a copy; DataError if it holds NaN or infinity, or has another shape."""
        try:
            if self._drop:
                obs = {k: v for k, v in obs.items() if k != KEY}
            flat = obs if self._is_box else gymnasium.spaces.flatten(self.space, obs)
            x = np.array(flat, np.float32).ravel()
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise DataError(f"{where}: {obs!r:.60} is no observation of the space {self.space}") from error
        if x.shape != (self.n_obs,):
            raise DataError(f"{where}: the observation has {x.size} numbers, and the space {self.space} {self.n_obs}")
        if not np.isfinite(x).all():
            k = int(np.flatnonzero(~np.isfinite(x))[0])
            raise DataError(f"{where}: entry {k} of the observation is {x[k]}; repair the environment that returned it")
        return x

    def vectors(self, obs: Any, where: str) -> Floats:
        """(E, n_obs) float32 of the observations of all copies, always a copy; see ``vector``."""
        if self._is_box:
            x = np.array(obs, np.float32)
            if x.shape[0] == self.copies and x.size == self.copies * self.n_obs and np.isfinite(x).all():
                return x.reshape(self.copies, self.n_obs)
            return np.stack([self.vector(one, f"{where}, copy {i}") for i, one in enumerate(x)])
        space = self.env.observation_space
        each = gymnasium.vector.utils.iterate(space, obs)
        return np.stack([self.vector(one, f"{where}, copy {i}") for i, one in enumerate(each)])

    def mask(self, obs: Any, info: Mapping[str, Any], where: str) -> Bools | None:
        """The mask of the state the environment is in, (A,) bool; None if it has no masks. Called once a state."""
        mask = self._read(obs, info, where)
        self.masked = self.masked or mask is not None
        return mask

    def masks(self, obs: Any, info: Mapping[str, Any], where: str, **which: Bools) -> Bools | None:
        """(E, A) bool of the states that the copies are in; None if they have no masks. which: live, asked."""
        masks: Bools | None = self._read(obs, info, where, **which)
        self.masked = self.masked or masks is not None
        return masks

    def mask_of(self, obs: Any, given: Any = None) -> Bools | None:
        """The mask of any observation: the given one, the one inside the observation, or of the wrapper's mask rule."""
        if given is not None:
            return some_mask(given, self.parts, "predict: the action mask")
        if not self.masked:
            return None
        if self._drop:
            return some_mask(obs[KEY], self.parts, "predict: the action mask of the observation")
        rule = attribute(self.env, "mask")
        if not callable(rule):
            raise DataError(
                "this agent learned with action masks, and its environment has no rule that gives the mask of any "
                "observation: write agent.predict(obs, mask=env.get_wrapper_attr('action_masks')()), or mask=info['action_mask']"
            )
        return some_mask(rule(obs), self.parts, "predict: the action mask")

    def spaces(self) -> dict[str, Any]:
        """What a checkpoint says about the environment, so that it is not continued in another one."""
        told = {"observation": str(self.space), "action": str(self.action_space), "masked": self._told}
        if self.masked and not self._told:
            told["masks_in_info"] = True
        meanings = {name: attribute(self.env, name) for name in MEANINGS}
        return told | {name: _digest(value) for name, value in meanings.items() if value is not None}

    def refuse_other(self, path: str | Path, there: Any) -> None:
        """DataError if ``there``, what a checkpoint says (see ``spaces``), is not about this environment."""
        if not isinstance(there, dict):
            raise DataError(f"{path} does not say in which spaces it learned; take an older copy")
        for name, here in self.spaces().items():
            if name in MEANINGS and here != there.get(name, here):
                raise DataError(
                    f"{path} comes from another environment of the same size: its {MEANINGS[name]} are not those of "
                    f"{self.env.unwrapped}; give the environment it learned in"
                )
            if name not in MEANINGS and here != there.get(name):
                raise DataError(
                    f"{path} comes from another environment: its {name} was {there.get(name)}, and here it is {here}; "
                    "give the environment it learned in"
                )


def _digest(value: Any) -> str:
    """16 hexadecimal digits that follow from a list of names or numbers, whatever kind of sequence holds it."""
    return hashlib.blake2b(json.dumps(np.asarray(value).tolist()).encode(), digest_size=8).hexdigest()


# ---- scaling -----------------------------------------------------------------------------------------------------

SCALINGS = ("auto", "symlog", "standard", "none")
_BOUND = 10.0  # standardised inputs are kept within +-10, in units of their standard deviation


def choose_scaling(space: gymnasium.Space) -> str:
    """'symlog' for counts, ages and the like (no negative numbers, and large ones possible), 'none' for what is
    bounded by +-10 already, else 'standard'."""
    if not isinstance(space, gymnasium.spaces.Box):
        space = gymnasium.spaces.flatten_space(space)
    low, high = float(space.low.min()), float(space.high.max())
    if max(-low, high) <= _BOUND:
        return "none"
    return "symlog" if low >= 0 else "standard"


class Scaler:
    """symlog: sign(x) log(1 + |x|), which leaves zeros zero. standard: (x - mean) / deviation, both running."""

    def __init__(self, kind: str, n_obs: int) -> None:
        self.kind = kind
        self.count, self.mean, self.square = 0.0, np.zeros(n_obs), np.zeros(n_obs)
        self._refresh()

    def see(self, x: AnyArray) -> None:
        """Merge the rows x (m, n_obs) into the running moments (parallel form of Welford's update)."""
        if self.kind != "standard" or not len(x):
            return
        m, mean = len(x), x.mean(axis=0, dtype=np.float64)
        total, shift = self.count + m, mean - self.mean
        self.square = self.square + ((x - mean) ** 2).sum(axis=0) + shift**2 * (self.count * m / total)
        self.mean, self.count = self.mean + shift * (m / total), total
        self._refresh()

    def __call__(self, x: AnyArray) -> Floats:
        """Scaled copy, float32, same shape."""
        if self.kind == "symlog":
            if x.dtype == np.uint8:
                return _LOG1P[x]
            return np.sign(x) * np.log1p(np.abs(x))
        if self.kind == "standard":
            return np.clip((x - self._shift) * self._scale, -_BOUND, _BOUND).astype(np.float32)
        return np.array(x, np.float32)

    def to_arrays(self) -> dict[str, AnyArray]:
        return {"count": np.array(self.count), "mean": self.mean, "square": self.square}

    def from_arrays(self, arrays: dict[str, AnyArray]) -> None:
        self.count, self.mean, self.square = float(arrays["count"]), arrays["mean"], arrays["square"]
        self._refresh()

    def _refresh(self) -> None:
        deviation = np.sqrt(self.square / self.count) if self.count > 1 else np.ones_like(self.mean)
        self._shift = self.mean.astype(np.float32)
        self._scale = (1.0 / np.maximum(deviation, 1e-4)).astype(np.float32)


_LOG1P = np.log1p(np.arange(256, dtype=np.float32))


class ReturnScale:
    """Running standard deviation of the discounted return, by which rewards are divided (never shifted)."""

    def __init__(self, gamma: float, on: bool) -> None:
        self.gamma, self.on = gamma, on
        self.running: Any = 0.0  # an array, one a copy, where there are several
        self.count, self.mean, self.square = 0, 0.0, 0.0

    def see_all(self, rewards: AnyArray, ended: AnyArray) -> None:
        """The same for one step of E copies: rewards, ended (E,)."""
        running = self.gamma * self.running + rewards
        m, mean = len(running), float(running.mean())
        total, shift = self.count + m, mean - self.mean
        self.square += float(np.square(running - mean).sum()) + shift**2 * (self.count * m / total)
        self.mean, self.count = self.mean + shift * (m / total), total
        self.running = np.where(ended, 0.0, running)

    def see(self, reward: float, ended: bool) -> None:
        """Merge one step's return-to-date."""
        self.running = self.gamma * self.running + reward
        self.count += 1
        shift = self.running - self.mean
        self.mean += shift / self.count
        self.square += shift * (self.running - self.mean)
        if ended:
            self.running = 0.0

    @property
    def value(self) -> float:
        """1 when off, or while there is nothing to tell from."""
        if not self.on or self.count < 2:
            return 1.0
        return max(math.sqrt(self.square / self.count), 1e-4)

    def to_json(self) -> list[Any]:
        return [np.asarray(self.running).tolist(), self.count, self.mean, self.square]

    def from_json(self, state: list[Any]) -> None:
        running = np.asarray(state[0], dtype=np.float64)
        self.running = running if running.ndim else float(running)
        self.count, self.mean, self.square = int(state[1]), state[2], state[3]
