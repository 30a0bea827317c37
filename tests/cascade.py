"""A small network in which faults cascade down a chain of variables; repairing anything but the root is in vain."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

import causalnet as cn

CHAIN = cn.Graph.from_edges(("power", "link", "service"), [("power", "link"), ("link", "service")])
REVERSED = cn.Graph.from_edges(("power", "link", "service"), [("service", "link"), ("link", "power")])
KINDS = np.tile(np.arange(3), 4)


class Cascade(gymnasium.Env):
    """Four units by three variables; one unit has lost its power, and what depends on it fails step by step."""

    metadata = {"render_modes": []}
    variables = CHAIN.nodes
    action_variables = KINDS
    action_units = np.repeat(np.arange(4), 3)

    def __init__(self) -> None:
        self.observation_space = gymnasium.spaces.Box(0, 1, (12,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(12)
        self.state = np.zeros((4, 3), dtype=bool)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.state[:] = False
        self.state[self.np_random.integers(4), :] = True
        self.state[self.np_random.integers(4), 1:] = True
        return self._read()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.state[action // 3, action % 3] = False
        spread = self.np_random.random((4, 2)) < 0.7
        self.state[:, 1:] |= spread & self.state[:, :-1]
        done = not self.state.any()
        return self._read()[0], -float(self.state.mean()), done, False, self._read()[1]

    def _read(self) -> tuple[Any, dict[str, Any]]:
        return self.state.astype(np.float32).ravel(), {"counts": self.state.astype(np.int64)}

    def counts(self, obs: Any) -> Any:
        return obs.reshape(4, 3)
