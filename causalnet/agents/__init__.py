"""Agents, one flat file each; loaded on first use, so that looking at the list imports neither torch nor gymnasium."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "PPO": "ppo",
    "DQN": "dqn",
    "D3QN": "dqn",
    "ScalableActorCritic": "scalable_ac",
    "independent_learners": "scalable_ac",
    "GeneralUtility": "general_utility",
    "Constraint": "general_utility",
    "LocalizedPolicyImprovement": "lpi",
    "GSAC": "gsac",
    "adapt": "adaptation",
    "compact_view": "adaptation",
    "Step": "_agent",
    "Episode": "_agent",
    "CsvLogger": "_logging",
    "TensorBoardLogger": "_logging",
}
__all__ = [*_HOME]

if TYPE_CHECKING:
    from ._agent import Episode, Step
    from ._logging import CsvLogger, TensorBoardLogger
    from .adaptation import adapt, compact_view
    from .dqn import D3QN, DQN
    from .general_utility import Constraint, GeneralUtility
    from .gsac import GSAC
    from .lpi import LocalizedPolicyImprovement
    from .ppo import PPO
    from .scalable_ac import ScalableActorCritic, independent_learners


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'causalnet.agents' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
