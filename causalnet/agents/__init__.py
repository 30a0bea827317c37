"""Agents, loaded on first use, so that looking at the list imports neither torch nor gymnasium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.doors import door

__getattr__, __dir__, __all__ = door(
    __name__,
    {
        "logging": "CsvLogger TensorBoardLogger",
        "single.ppo": "PPO",
        "single.dqn": "D3QN DQN",
        "single.agent": "Episode Step",
        "networked.scalable_ac": "ScalableActorCritic independent_learners",
        "networked.rollout": "returns",
        "networked.settings": "ProximalSettings Rate Settings",
        "networked.gsac": "GSAC",
        "networked.adaptation": "adapt compact_view full_masks",
        "networked.general_utility": "Constraint Determinism Differentiated Entropy GeneralUtility Imitation Linear Penalty PerAgent RiskAverse Total exact_utility exact_utility_gradient",
        "networked.lpi": "Cooling LocalizedPolicyImprovement",
        "networked.lpi_exact": "exact_improvement",
    },
)

if TYPE_CHECKING:
    from .logging import CsvLogger, TensorBoardLogger
    from .networked.adaptation import adapt, compact_view, full_masks
    from .networked.general_utility import (
        Constraint,
        Determinism,
        Differentiated,
        Entropy,
        GeneralUtility,
        Imitation,
        Linear,
        Penalty,
        PerAgent,
        RiskAverse,
        Total,
        exact_utility,
        exact_utility_gradient,
    )
    from .networked.gsac import GSAC
    from .networked.lpi import Cooling, LocalizedPolicyImprovement
    from .networked.lpi_exact import exact_improvement
    from .networked.rollout import returns
    from .networked.scalable_ac import ScalableActorCritic, independent_learners
    from .networked.settings import ProximalSettings, Rate, Settings
    from .single.agent import Episode, Step
    from .single.dqn import D3QN, DQN
    from .single.ppo import PPO
