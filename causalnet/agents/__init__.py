"""Agents, one flat file each; loaded on first use, so that looking at the list imports neither torch nor gymnasium."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "PPO": "ppo",
    "DQN": "dqn",
    "D3QN": "dqn",
    "Step": "_agent",
    "Episode": "_agent",
    "CsvLogger": "_logging",
    "TensorBoardLogger": "_logging",
}
__all__ = ["D3QN", "DQN", "PPO", "CsvLogger", "Episode", "Step", "TensorBoardLogger"]

if TYPE_CHECKING:
    from ._agent import Episode, Step
    from ._logging import CsvLogger, TensorBoardLogger
    from .dqn import D3QN, DQN
    from .ppo import PPO


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'causalnet.agents' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
