"""Deep Q-learning with masked actions: plain (arXiv 1312.5602), double (1509.06461), duelling (1511.06581), or both.

Minimise E[ huber(Q(s, a) - y) ], y = r + gamma max_{a' in mask(s')} Q_target(s', a'); the mask of the *next* state,
kept with the transition, bounds the maximum. Duelling subtracts a mean that the mask has no part in:
over all actions in the mlp network, over the cells where something is seen in the cells network.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch

from ...base.arrays import Bools, Floats, Ints
from .agent import Agent
from .cells import CellActionValues, need_layout
from .frames import Frames
from .masked import masked_argmax, masked_max
from .networks import ActionValues, Batch, Network, columns_in_use
from .optimiser import no_denormals
from .settings import AgentSettings, resolve

Values = ActionValues | CellActionValues


@dataclasses.dataclass(frozen=True)
class DQNSettings(AgentSettings):
    """Defaults are for short runs (2,000 to 20,000 steps); ``preset="paper"`` is Table 4 of arXiv 2402.04869."""

    double: bool = False
    "the network chooses the next action, and the target network says what it is worth"
    dueling: bool = False
    "value and advantages apart"
    buffer_size: int = 50_000
    "transitions kept"
    random_steps: int = 64
    "uniform over the allowed actions, and no update, for so many steps"
    update_every: int = 1
    "one update each so many steps"
    target_rate: float = 0.01
    "the target network moves by this share after each update"
    epsilon: float = 0.05
    "probability of a uniform allowed action, at the end"
    epsilon_start: float = 0.3
    "and after the random steps"
    epsilon_steps: int = 1000
    "steps after the random ones over which it falls linearly"
    lr: float | None = None
    "learning rate of Adam; None: 1e-3 for cells, 5e-4 for mlp"
    max_grad_norm: float = 10.0
    "longer gradients are cut to this length"

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        **AgentSettings.RANGES,
        **dict.fromkeys(("target_rate", "epsilon", "epsilon_start"), (0, 1)),
        **dict.fromkeys(("random_steps", "epsilon_steps"), (0, 1e12)),
        "update_every": (1, 1e9),
        "buffer_size": (2, 1e9),
    }


USUAL: dict[str, dict[str, Any]] = {
    "cells": {"lr": 1e-3, "hidden": (64, 64)},
    "mlp": {"lr": 5e-4, "hidden": (128, 128)},
}
PRESETS: dict[str, dict[str, Any]] = {
    # Table 4; how the target network follows is not said there: 0.005 an update, as in an unused setting of the code
    "paper": {
        "network": "mlp",
        "buffer_size": 100_000,
        "random_steps": 512,
        "update_every": 5,
        "epsilon": 0.1,
        "epsilon_start": 0.1,
        "lr": 3e-4,
        "target_rate": 0.005,
        "scale_rewards": False,
    },
}


class DQN(Agent):
    """Masked DQN: ``DQN(env, double=True).learn(episodes=300)``; settings are the fields of DQNSettings."""

    FRAMES, SEES_STEPS, SEVERAL = "replay", True, False
    settings: DQNSettings
    network: Values

    def __init__(self, env: Any, *others: Any, seed: int = 0, preset: str | None = None, **settings: Any) -> None:
        super().__init__(env, others, seed, resolve(DQNSettings, PRESETS, preset, settings), USUAL)
        self.target = self._build(np.random.default_rng(0))
        self.target.fill(self.network.arrays)
        reader = self.reader
        self.frames = Frames(self.settings.buffer_size, reader.n_obs, reader.n_actions, reader.masked)

    def _build(self, rng: np.random.Generator) -> Values:
        s, n, a = self.settings, self.reader.n_obs, self.reader.n_actions
        assert s.hidden is not None
        if s.network == "cells":
            return CellActionValues(need_layout(self.env, n, a), s.hidden, s.dueling, rng)
        return ActionValues(n, a, s.hidden, s.dueling, rng)

    def _networks(self) -> dict[str, Network]:
        return {**super()._networks(), "target": self.target}

    @property
    def epsilon(self) -> float:
        """Probability of a uniform allowed action at the present step."""
        s, past = self.settings, self.steps - self.settings.random_steps
        if past < 0:
            return 1.0
        share = min(1.0, past / s.epsilon_steps) if s.epsilon_steps else 1.0
        return s.epsilon_start + share * (s.epsilon - s.epsilon_start)

    def _sample(self, scores: Callable[[], Floats], n: int, rng: np.random.Generator, learning: bool) -> int:
        epsilon = self.epsilon if learning else self.settings.epsilon
        if epsilon > 0 and rng.random() < epsilon:
            return int(rng.integers(n))
        return int(scores().argmax())

    def _sample_all(self, scores: Floats, masks: Bools | None, rng: np.random.Generator, learning: bool) -> Ints:
        best = scores.argmax(axis=1)
        epsilon = self.epsilon if learning else self.settings.epsilon
        free = np.flatnonzero(rng.random(len(scores)) < epsilon)
        if len(free):
            lots = rng.random((len(free), scores.shape[1]))
            best[free] = (lots if masks is None else np.where(masks[free], lots, -1.0)).argmax(axis=1)
        return best[:, None]

    def _improve(self) -> dict[str, float] | None:
        s = self.settings
        due = self.steps // s.update_every - (self.steps - self._new) // s.update_every
        if self.steps <= s.random_steps or not due:
            return None
        with no_denormals():
            for _ in range(due):
                loss, mean = self._update(self.frames.sample(s.batch_size, self._sample_rng))
        return {
            "train/loss": loss,
            "train/q_mean": mean,
            "train/n_updates": self.updates,
            "rollout/exploration_rate": self.epsilon,
        }

    def _update(self, rows: Ints) -> tuple[float, float]:
        """One gradient step on the transitions in ``rows``; its loss and mean Q."""
        s, kept = self.settings, self.frames
        now = self.network.prepare(self.scaler(kept.states(rows)))
        with torch.no_grad():
            goal = torch.from_numpy((kept.reward[rows] / self.reward_scale.value).astype(np.float32))
            goes_on = np.flatnonzero(~kept.terminated[rows])
            if len(goes_on):
                after = kept.after(rows[goes_on])
                following = self.network.prepare(self.scaler(kept.states(after)))
                best = next_values(self.network if s.double else None, self.target, following, kept.masks(after))
                goal[torch.from_numpy(goes_on)] += s.gamma * best
        q = self.network.of(now, torch.from_numpy(kept.action[rows]))
        loss = torch.nn.functional.smooth_l1_loss(q, goal)
        self.optimiser.step(loss)
        with torch.no_grad():
            torch._foreach_lerp_(self.target.parameters, self.network.parameters, s.target_rate)
        self.updates += 1
        return loss.item(), q.detach().mean().item()


def next_values(chooser: Values | None, target: Values, states: Batch, mask: Bools | None) -> torch.Tensor:
    """max over the allowed actions of the target's Q (B,); with a chooser, the target's Q of the chooser's best action."""
    used = columns_in_use(mask)
    allowed = None if mask is None else torch.from_numpy(mask)
    if allowed is not None and used is not None:
        allowed = allowed[:, used]
    if chooser is None:
        return masked_max(target(states, used, allowed), allowed)
    best = masked_argmax(chooser.ranking(states, used, allowed), allowed)
    return target.of(states, best if used is None else used[best])


class D3QN(DQN):
    """Double and duelling DQN."""

    def __init__(self, env: Any, *others: Any, seed: int = 0, preset: str | None = None, **settings: Any) -> None:
        super().__init__(env, *others, seed=seed, preset=preset, **{"double": True, "dueling": True, **settings})
