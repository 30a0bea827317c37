"""Proximal policy optimisation (arXiv 1707.06347) with masked actions, causal or not by the environment's wrapper.

Maximise E[ min(ratio A, clip(ratio, 1 - c, 1 + c) A) ] - v (V - G)^2 + e entropy, ratio = pi(a | s, mask) / pi_old(a | s, mask).
The mask of the moment of acting is kept with the transition, so the ratio is one before the first gradient step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch

from ...base.arrays import AnyArray, Array, Bools, Floats, Ints
from ...storage import checkpoint
from .agent import Agent
from .cells import CellActorCritic, find_layout, need_layout
from .frames import Frames
from .masked import masked_log_softmax
from .networks import ActorCritic, Batch, columns_in_use
from .optimiser import Optimiser, no_denormals
from .settings import AgentSettings, by_network, resolve


@dataclasses.dataclass(frozen=True)
class PPOSettings(AgentSettings):
    """Defaults are for short runs (2,000 to 20,000 steps); ``preset="paper"`` is Table 4 of arXiv 2402.04869."""

    n_steps: int | None = None
    "an update follows every so many steps, with all steps since the last one; None: 64 for cells, 256 for mlp"
    warmup: int = 0
    "no update before more than so many steps"
    epochs: int = 10
    "passes over the rollout an update"
    minibatches: int | None = None
    "instead of passes: so many minibatches, each drawn anew without replacement"
    gae_lambda: float = 0.95
    "lambda of the advantages: 1 trusts the rewards that followed, 0 the values learnt"
    clip: float = 0.2
    "the ratio of new to old probability counts within 1 - clip and 1 + clip"
    lr: float | None = None
    "learning rate of Adam; None: 3e-3 for cells, 3e-4 for mlp"
    entropy: float = 0.01
    "weight of the policy's entropy in the objective"
    value: float = 0.5
    "weight of the error of the values"

    RANGES: ClassVar[Mapping[str, tuple[float, float]]] = {
        **AgentSettings.RANGES,
        **dict.fromkeys(("n_steps", "epochs", "minibatches"), (1, 1e9)),
        **dict.fromkeys(("entropy", "value"), (0, 1e6)),
        "warmup": (0, 1e12),
        "gae_lambda": (0, 1),
        "clip": (1e-12, 1e12),
    }


USUAL: dict[str, dict[str, Any]] = {
    "cells": {"n_steps": 64, "lr": 3e-3, "hidden": (64, 64)},
    "mlp": {"n_steps": 256, "lr": 3e-4, "hidden": (128, 128)},
}
PRESETS: dict[str, dict[str, Any]] = {
    # Table 4: update every 256 steps (causal; 512 native), "epochs" 50 = 50 minibatches in the published code; correct
    # Monte-Carlo returns (lambda = 1) in place of its sums over shuffled rows
    "paper": {
        "network": "mlp",
        "n_steps": 256,
        "warmup": 512,
        "minibatches": 50,
        "gae_lambda": 1.0,
        "scale_rewards": False,
    },
}


class PPO(Agent):
    """Masked PPO: ``PPO(env, seed=0).learn(episodes=300).predict(obs)``; settings are the fields of PPOSettings."""

    settings: PPOSettings
    DETERMINISTIC = False  # what was optimised is the policy that draws; its most probable action may be worth far less

    def __init__(self, env: gymnasium.Env, *, seed: int = 0, preset: str | None = None, **settings: Any) -> None:
        super().__init__(env, seed, resolve(PPOSettings, PRESETS, preset, settings))
        n, a = self.reader.n_obs, self.reader.n_actions
        self.settings = s = by_network(self.settings, find_layout(env, n, a) is not None, USUAL)
        assert s.hidden is not None and s.lr is not None
        self.network: ActorCritic | CellActorCritic
        if s.network == "cells":
            self.network = CellActorCritic(need_layout(env, n, a), s.hidden, self._init_rng)
        else:
            self.network = ActorCritic(n, a, s.hidden, self._init_rng)
        self.optimiser = Optimiser(self.network.weights, s.lr, s.max_grad_norm)
        self.rollout = Frames(None, n, a, self.reader.masked)

    def _begin(self, x: Floats, mask: Bools | None) -> None:
        self.rollout.begin(x, mask)

    def _record(self, action: int, reward: float, terminated: bool, x: Floats, mask: Bools | None) -> None:
        self.rollout.add(action, reward, terminated, x, mask)

    def _act(self, x: Floats, allowed: Ints | None) -> int:
        return _draw(self._scores(x, allowed), allowed, self._act_rng)

    def _choose(self, x: Floats, allowed: Ints | None, deterministic: bool) -> int:
        if not deterministic:
            return _draw(self._scores(x, allowed), allowed, self._predict_rng)
        return self._best(x, allowed)

    def _improve(self) -> dict[str, float] | None:
        s = self.settings
        assert s.n_steps is not None
        if self.steps <= s.warmup or self.steps % s.n_steps:
            return None
        frames = slice(0, self.rollout.used)
        raw = self.rollout.states(frames)
        with no_denormals():
            told = self._update(raw, self.rollout.masks(frames))
        self.scaler.see(raw)
        self.rollout.clear()
        return told

    def _update(self, raw: AnyArray, mask: Bools | None) -> dict[str, float]:
        """All gradient steps of one rollout; raw (F, n_obs) are its frames, a row per state."""
        s, kept, network = self.settings, self.rollout, self.network
        states = network.prepare(self.scaler(raw))
        with torch.no_grad():
            values = network.values(states).numpy().astype(np.float64)
        taken = kept.action[: kept.used]
        rows = np.flatnonzero(taken >= 0)
        reward = kept.reward[: kept.used] / self.reward_scale.value
        advantages = gae(taken >= 0, reward, kept.terminated[: kept.used], values, s.gamma, s.gae_lambda)
        mask = None if mask is None else mask[rows]
        actions_used = columns_in_use(mask)
        data = _Rollout.of(states, mask, actions_used, taken, advantages, values, rows)
        with torch.no_grad():
            data.old = log_probability(network, data, slice(None), actions_used)
        sums, n = np.zeros(5), 0
        for index in self._minibatches(len(rows)):
            loss, told = ppo_loss(network, data, index, actions_used, s)
            self.optimiser.step(loss)
            sums, n = sums + told.numpy(), n + 1
        self.updates += n
        names = ("loss", "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl")
        return {f"train/{name}": float(v) for name, v in zip(names, sums / n, strict=True)} | {
            "train/n_updates": self.updates
        }

    def _minibatches(self, n: int) -> list[torch.Tensor]:
        s, size = self.settings, min(self.settings.batch_size, n)
        if s.minibatches is not None:
            draws = [self._sample_rng.permutation(n)[:size] for _ in range(s.minibatches)]
        else:
            orders = [self._sample_rng.permutation(n) for _ in range(s.epochs)]
            draws = [order[k : k + size] for order in orders for k in range(0, n, size)]
        return [torch.from_numpy(draw) for draw in draws]

    def _more_arrays(self) -> dict[str, dict[str, AnyArray]]:
        return {"rollout": self.rollout.to_arrays()}

    def _take_arrays(self, arrays: checkpoint.Arrays) -> None:
        self.rollout.from_arrays(checkpoint.nested(arrays, "rollout"))


def _draw(logits: Floats, allowed: Ints | None, rng: np.random.Generator) -> int:
    """An action from softmax(logits) by inverting the distribution function; logits of the allowed ones only."""
    p = np.exp(logits.astype(np.float64) - logits.max()).cumsum()
    k = min(int(p.searchsorted(rng.random() * p[-1], side="right")), len(p) - 1)
    return k if allowed is None else int(allowed[k])


def gae(
    acted: Bools,
    reward: Array,
    terminated: Bools,
    values: Array,
    gamma: float,
    lam: float,
) -> Array:
    """A_t = d_t + gamma lambda A_{t+1}, d_t = r_t + gamma V(s_{t+1}) - V(s_t) (arXiv 1506.02438, Eq. 11-16), all (F,).

    Row t+1 is the successor of row t where ``acted``; rows without an action end a trajectory, and start afresh with 0.
    After termination the successor is worth nothing; after truncation (or a cut) it is worth V(s_{t+1}).
    """
    advantage = np.zeros(len(values))
    for t in np.flatnonzero(acted)[::-1]:
        goes_on = 0.0 if terminated[t] else gamma
        delta = reward[t] + goes_on * values[t + 1] - values[t]
        advantage[t] = delta + goes_on * lam * advantage[t + 1]
    return advantage


@dataclasses.dataclass
class _Rollout:
    """The transitions of a rollout as tensors, a row each."""

    states: Batch
    mask: torch.Tensor | None
    action: torch.Tensor
    advantage: torch.Tensor
    target: torch.Tensor
    old: torch.Tensor = dataclasses.field(init=False)
    "log pi_old(a | s, mask), assigned before the first gradient step"

    @staticmethod
    def of(
        states: Batch,
        mask: Bools | None,
        actions_used: torch.Tensor | None,
        taken: Ints,
        advantages: Array,
        values: Array,
        rows: Ints,
    ) -> _Rollout:
        """Keep the rows with an action; actions count within ``actions_used``."""
        action, kept = torch.from_numpy(taken[rows]), None if mask is None else torch.from_numpy(mask)
        if actions_used is not None and kept is not None:
            kept, action = kept[:, actions_used], torch.searchsorted(actions_used, action)
        gained = torch.from_numpy(advantages[rows].astype(np.float32))
        target = torch.from_numpy((advantages + values)[rows].astype(np.float32))
        return _Rollout(states.rows(torch.from_numpy(rows)), kept, action, gained, target)


def log_probability(
    network: ActorCritic | CellActorCritic, data: _Rollout, index: Any, actions_used: torch.Tensor | None
) -> torch.Tensor:
    """log pi(a | s, mask) of the actions taken in the rows ``index``, (B,)."""
    mask = None if data.mask is None else data.mask[index]
    logits, _ = network(data.states.rows(index), actions_used, mask)
    logp = masked_log_softmax(logits, mask)
    return logp.gather(1, data.action[index][:, None])[:, 0]


def ppo_loss(
    network: ActorCritic | CellActorCritic,
    data: _Rollout,
    index: torch.Tensor,
    actions_used: torch.Tensor | None,
    s: PPOSettings,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The clipped objective (Eq. 9 of arXiv 1707.06347) of the rows ``index``, and five numbers to log."""
    mask = None if data.mask is None else data.mask[index]
    logits, value = network(data.states.rows(index), actions_used, mask)
    logp = masked_log_softmax(logits, mask)
    log_ratio = logp.gather(1, data.action[index][:, None])[:, 0] - data.old[index]
    ratio, advantage = log_ratio.exp(), data.advantage[index]
    if len(index) > 1:
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    policy = -torch.minimum(ratio * advantage, ratio.clamp(1 - s.clip, 1 + s.clip) * advantage).mean()
    error = torch.nn.functional.mse_loss(value, data.target[index])
    entropy = -(logp.exp() * logp).sum(dim=1).mean()
    loss = policy + s.value * error - s.entropy * entropy
    with torch.no_grad():
        kl = (ratio - 1 - log_ratio).mean()
        return loss, torch.stack((loss.detach(), policy.detach(), error.detach(), -entropy.detach(), kl))
