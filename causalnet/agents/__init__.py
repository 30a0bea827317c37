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
        "single.episodes": "Episode Step",
        "single.decider": "Decider Decision export_policy",
        "networked.scalable_ac": "ScalableActorCritic independent_learners",
        "networked.critic": "access_point_loads",
        "networked.critic_kernels": "TableFull",
        "networked.rollout": "returns",
        "networked.settings": "ProximalSettings Rate Settings",
        "networked.gsac": "GSAC",
        "networked.adaptation": "adapt compact_view full_masks",
        "networked.general_utility": "Constraint GeneralUtility exact_utility exact_utility_gradient",
        "networked.utilities.forms": "Differentiated Penalty PerAgent Total",
        "networked.utilities.utilities": "Determinism Entropy Imitation Linear RiskAverse",
        "networked.lpi": "Cooling LocalizedPolicyImprovement",
        "networked.lpi_exact": "exact_improvement",
        "networked.deep.ppo": "NetworkedPPO",
        "networked.deep.settings": "NeuralSettings",
    },
)

if TYPE_CHECKING:
    from .logging import CsvLogger, TensorBoardLogger
    from .networked.adaptation import adapt, compact_view, full_masks
    from .networked.critic import access_point_loads
    from .networked.critic_kernels import TableFull
    from .networked.deep.ppo import NetworkedPPO
    from .networked.deep.settings import NeuralSettings
    from .networked.general_utility import Constraint, GeneralUtility, exact_utility, exact_utility_gradient
    from .networked.gsac import GSAC
    from .networked.lpi import Cooling, LocalizedPolicyImprovement
    from .networked.lpi_exact import exact_improvement
    from .networked.rollout import returns
    from .networked.scalable_ac import ScalableActorCritic, independent_learners
    from .networked.settings import ProximalSettings, Rate, Settings
    from .networked.utilities.forms import Differentiated, Penalty, PerAgent, Total
    from .networked.utilities.utilities import Determinism, Entropy, Imitation, Linear, RiskAverse
    from .single.decider import Decider, Decision, export_policy
    from .single.dqn import D3QN, DQN
    from .single.episodes import Episode, Step
    from .single.ppo import PPO
