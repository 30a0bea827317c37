"""Tiny environments whose best policy or value is known, for the tests of agents."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class Echo(gymnasium.Env):
    """One step: reward 1 for the action that equals the observed one-hot position, else 0."""

    def __init__(self, n: int = 4) -> None:
        self.n = n
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (n,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(n)

    def _look(self) -> np.ndarray:
        return np.eye(self.n, dtype=np.float32)[self.k]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.k = int(self.np_random.integers(self.n))
        return self._look(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        return self._look(), float(action == self.k), True, False, {}


class Endless(gymnasium.Env):
    """Reward 1 a step in one state, for ``length`` steps; then the episode is truncated, or terminated."""

    def __init__(self, length: int, truncates: bool) -> None:
        self.length, self.truncates = length, truncates
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.t = 0
        return np.ones(1, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.t += 1
        last = self.t >= self.length
        return np.ones(1, np.float32), 1.0, last and not self.truncates, last and self.truncates, {}


class TwoSteps(gymnasium.Env):
    """Two states, then the end: reward 0, then 1. Values: gamma, then 1."""

    observation_space = gymnasium.spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.t = 0
        return np.array([1, 0], np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.t += 1
        return np.array([0, 1], np.float32), float(self.t == 2), self.t == 2, False, {}


class Repair(gymnasium.Env):
    """Alarm counts of devices x types: repairing a cell clears the later types of its device; others breed. Masked by presence.

    ``masks``: "present", "all" (always all True) or None (no ``action_masks`` at all).
    """

    def __init__(self, devices: int = 6, types: int = 5, masks: str | None = "present", cap: int = 20) -> None:
        self.shape, self.cap, n = (devices, types), cap, devices * types
        self.observation_space = gymnasium.spaces.Box(0.0, 100.0, (n,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(n)
        self.action_units, self.action_variables = np.divmod(np.arange(n), types)
        if masks is not None:
            self.action_masks = self._present if masks == "present" else lambda: np.ones(n, bool)

    def _present(self) -> np.ndarray:
        return (self.c > 0).ravel() if self.c.any() else np.ones(self.c.size, bool)

    def mask(self, obs: np.ndarray) -> np.ndarray:
        """The mask of any observation."""
        return np.asarray(obs) > 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.t, self.c = 0, (self.np_random.random(self.shape) < 0.2).astype(np.float32)
        self.c[0, 0] = 1
        return self.c.ravel().copy(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.t += 1
        d, v = divmod(int(action), self.shape[1])
        before = self.c.sum()
        if self.c[d, v]:
            self.c[d, v:] = 0
        for i, j in np.argwhere(self.c > 0):
            if j + 1 < self.shape[1] and self.np_random.random() < 0.15:
                self.c[i, j + 1] += 1
        reward = float((before - self.c.sum()) / max(before, 1.0) - self.t / 100)
        return self.c.ravel().copy(), reward, not self.c.any(), self.t >= self.cap, {}


class Services(gymnasium.Env):
    """n services on a DAG: a failed dependency fails a dependant with q = .6 a step; an action restarts one, or none.

    dialect: where the mask of presence is told, of "info", "method", "obs" and None. actions: "one", of n + 1; "pair", two of
    them at once (MultiDiscrete); "switches", any (MultiBinary). episodes end by truncation, or when all is well.
    """

    def __init__(
        self, n: int = 6, dialect: str | None = None, actions: str = "one", steps: int = 12, seed: int = 0
    ) -> None:
        rng = np.random.default_rng(seed)
        self.n, self.dialect, self.kind, self.steps = n, dialect, actions, steps
        self.needs = np.zeros((n, n), bool)
        for i in range(1, n):
            self.needs[rng.choice(i, min(i, 2), replace=False), i] = True
        self.variables = tuple(f"s{i}" for i in range(n))
        one, many = np.append(np.arange(n), -1), {"one": 1, "pair": 2, "switches": 1}[actions]
        self.action_variables = np.arange(n) if actions == "switches" else np.tile(one, many)
        self.action_units = np.zeros(len(self.action_variables), int)
        self.action_space = {
            "one": gymnasium.spaces.Discrete(n + 1),
            "pair": gymnasium.spaces.MultiDiscrete([n + 1, n + 1]),
            "switches": gymnasium.spaces.MultiBinary(n),
        }[actions]
        self.observation_space = gymnasium.spaces.Box(0, 1, (n,), np.float32)
        columns = 2 * n if actions == "switches" else many * (n + 1)
        if dialect == "obs":
            box = gymnasium.spaces.Box(0, 1, (columns,), np.int8)
            self.observation_space = gymnasium.spaces.Dict({"failed": self.observation_space, "action_mask": box})
        if dialect == "method":
            self.action_masks = self.allowed

    def counts(self, obs: Any) -> np.ndarray:
        return np.asarray(obs["failed"] if isinstance(obs, dict) else obs)[None] > 0

    def allowed(self) -> np.ndarray:
        if self.kind == "switches":
            return np.stack([np.ones(self.n, bool), self.failed], axis=1).ravel()
        return np.tile(np.append(self.failed, True), 2 if self.kind == "pair" else 1)

    def told(self) -> tuple[Any, dict]:
        obs: Any = self.failed.astype(np.float32)
        if self.dialect == "obs":
            obs = {"failed": obs, "action_mask": self.allowed().astype(np.int8)}
        return obs, {"action_mask": self.allowed().astype(np.int8)} if self.dialect == "info" else {}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict]:
        super().reset(seed=seed)
        self.t, self.failed = 0, self.np_random.random(self.n) < 0.4
        return self.told()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict]:
        assert self.dialect is None or np.all(self.allowed()[self.columns(action)])
        spread = self.np_random.random(self.n) < 1 - 0.4 ** (self.failed @ self.needs)
        restarted = np.zeros(self.n + 1, bool)
        restarted[np.flatnonzero(action) if self.kind == "switches" else action] = True
        self.failed = (self.failed | spread | (self.np_random.random(self.n) < 0.01)) & ~restarted[:-1]
        self.t += 1
        reward = -2.0 * self.failed.mean() - 0.3 * restarted[:-1].sum()
        return (*(obs_info := self.told())[:1], float(reward), not self.failed.any(), self.t >= self.steps, obs_info[1])

    def columns(self, action: Any) -> np.ndarray:
        many = np.atleast_1d(action)
        return many + np.arange(len(many)) * (2 if self.kind == "switches" else self.n + 1)
