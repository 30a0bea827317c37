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
