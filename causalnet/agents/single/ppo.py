"""Proximal policy optimisation (arXiv 1707.06347) with masked actions, causal or not by the environment's wrapper.

Maximise E[ min(ratio A, clip(ratio, 1 - c, 1 + c) A) ] - v (V - G)^2 + e entropy, ratio = pi(a | s, mask) / pi_old(a | s, mask).
The mask of the moment of acting is kept with the transition, so the ratio is one before the first gradient step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch

from ...base.arrays import AnyArray, Array, Bools, Floats, Ints
from . import gradient
from .agent import Agent
from .cells import CellActorCritic, need_layout
from .frames import Frames
from .masked import masked_log_softmax
from .networks import ActorCritic, Batch, columns_in_use
from .optimiser import no_denormals
from .settings import AgentSettings, resolve


@dataclasses.dataclass(frozen=True)
class PPOSettings(AgentSettings):
    """Defaults are for short runs (2,000 to 20,000 steps); ``preset="paper"`` is Table 4 of arXiv 2402.04869."""

    n_steps: int | None = None
    "an update follows every so many steps (of each copy), with all since the last one; None: 64 for cells, 256 for mlp"
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


Policy = ActorCritic | CellActorCritic
Descend = Callable[[Ints], AnyArray]  # rows of a rollout -> the five numbers to log of one gradient step


class PPO(Agent):
    """Masked PPO: ``PPO(env, seed=0).learn(episodes=300).predict(obs)``; settings are the fields of PPOSettings."""

    FRAMES, SEES_STEPS, SEVERAL = "rollout", False, True
    settings: PPOSettings
    network: Policy
    DETERMINISTIC = False  # what was optimised is the policy that draws; its most probable action may be worth far less

    def __init__(self, env: Any, *others: Any, seed: int = 0, preset: str | None = None, **settings: Any) -> None:
        super().__init__(env, others, seed, resolve(PPOSettings, PRESETS, preset, settings), USUAL)
        reader = self.reader
        self.frames = Frames(None, reader.n_obs, reader.n_actions, reader.masked, len(reader.parts.sizes))

    def _build(self, rng: np.random.Generator) -> Policy:
        s, n, a = self.settings, self.reader.n_obs, self.reader.n_actions
        assert s.hidden is not None
        if s.network == "cells":
            return CellActorCritic(need_layout(self.env, n, a), s.hidden, rng)
        return ActorCritic(n, a, s.hidden, rng)

    def _sample(self, scores: Callable[[], Floats], n: int, rng: np.random.Generator, learning: bool) -> int:
        """From softmax(logits), by inverting the distribution function."""
        logits = scores()
        p = np.exp(logits.astype(np.float64) - logits.max()).cumsum()
        return min(int(p.searchsorted(rng.random() * p[-1], side="right")), n - 1)

    def _sample_all(self, scores: Floats, masks: Bools | None, rng: np.random.Generator, learning: bool) -> Ints:
        """The same for every row and every part of the actions."""
        parts, out = self.reader.parts, []
        for begin, size in zip(parts.begins, parts.sizes, strict=True):
            logits = scores[:, begin : begin + size].astype(np.float64)
            p = np.exp(logits - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
            out.append((p <= rng.random((len(p), 1)) * p[:, -1:]).sum(axis=1).clip(max=size - 1) + begin)
        return np.stack(out, axis=1)

    def _improve(self) -> dict[str, float] | None:
        s = self.settings
        assert s.n_steps is not None
        if self.steps <= s.warmup or self.rounds % s.n_steps:
            return None
        rows = slice(0, self.frames.used)
        raw = self.frames.states(rows)
        with no_denormals():
            told = self._update(raw, self.frames.masks(rows))
        self.scaler.see(raw)
        self.frames.clear()
        return told

    def _update(self, raw: AnyArray, mask: Bools | None) -> dict[str, float]:
        """All gradient steps of one rollout; raw (F, n_obs) are its frames, a row per state."""
        s, kept, network = self.settings, self.frames, self.network
        states = network.prepare(self.scaler(raw))
        with torch.no_grad():
            values = network.values(states).numpy().astype(np.float64)
        used, acted = slice(0, kept.used), kept.acted()
        reward = kept.reward[used] / self.reward_scale.value
        follows, ends = kept.follows[used], kept.terminated[used]
        advantages = gae(acted, reward, ends, values, s.gamma, s.gae_lambda, follows)
        taken = kept.action[used]
        learner = self._recorded if isinstance(network, CellActorCritic) else self._written
        descend = learner(states, mask, taken, advantages, values)
        sums, n = np.zeros(5), 0
        for index in self._minibatches(int(acted.sum())):
            sums, n = sums + descend(index), n + 1
        self.updates += n
        names = ("loss", "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl")
        return {f"train/{name}": float(v) for name, v in zip(names, sums / n, strict=True)} | {
            "train/n_updates": self.updates
        }

    def _recorded(self, *rollout: Any) -> Descend:
        """What descends on some rows of a rollout, by the operations that torch has recorded."""
        network, data = self.network, _Rollout.of(*rollout)
        with torch.no_grad():
            data.old = judged(network, data, slice(None))[1]

        def descend(index: Ints) -> AnyArray:
            loss, told = ppo_loss(network, data, torch.from_numpy(index), self.settings)
            self.optimiser.step(loss)
            numbers: AnyArray = told.numpy()
            return numbers

        return descend

    def _written(self, states: Batch, mask: Bools | None, taken: Ints, advantages: Array, values: Array) -> Descend:
        """The same by the gradient that is written out, of the plain network."""
        network, rows = self.network, np.flatnonzero(self.frames.acted())
        assert isinstance(network, ActorCritic)
        mask = None if mask is None else mask[rows]
        used, chosen = columns_in_use(mask), taken[rows].reshape(len(rows), -1)
        part, actions = self.reader.parts.part, None if used is None else used.numpy()
        if actions is not None and mask is not None:
            mask, chosen, part = mask[:, actions], np.searchsorted(actions, chosen), part[actions]
        columns = None if states.columns is None else states.columns.numpy()
        gained, target = ((a[rows]).astype(np.float32) for a in (advantages, advantages + values))
        x = states.x.numpy()[rows]
        data = gradient.Rollout(x, columns, mask, actions, gradient.Choices.of(part), chosen, gained, target)
        data.old = gradient.log_taken(network, data)

        def descend(index: Ints) -> AnyArray:
            told, grads = gradient.loss_and_gradient(network, data, index, self.settings)
            self.optimiser.descend(grads)
            return told

        return descend

    def _minibatches(self, n: int) -> list[Ints]:
        s, size = self.settings, min(self.settings.batch_size, n)
        if s.minibatches is not None:
            draws = [self._sample_rng.permutation(n)[:size] for _ in range(s.minibatches)]
        else:
            orders = [self._sample_rng.permutation(n) for _ in range(s.epochs)]
            draws = [order[k : k + size] for order in orders for k in range(0, n, size)]
        return draws


def gae(
    acted: Bools,
    reward: Array,
    terminated: Bools,
    values: Array,
    gamma: float,
    lam: float,
    follows: Ints | None = None,
) -> Array:
    """A_t = d_t + gamma lambda A_{t+1}, d_t = r_t + gamma V(s_{t+1}) - V(s_t) (arXiv 1506.02438, Eq. 11-16), all (F,).

    Row follows[t] (None: t + 1), always a later one, is the successor of row t where ``acted``; rows without an action end
    a trajectory, and start afresh with 0. After termination the successor is worth nothing; after truncation (or a cut)
    it is worth V(s_{t+1}).
    """
    rows = np.flatnonzero(acted)
    after = (rows + 1 if follows is None else follows[rows]).tolist()
    goes_on = np.where(terminated[rows], 0.0, gamma)
    delta = (reward[rows] + goes_on * values[after] - values[rows]).tolist()
    fades, advantage = (goes_on * lam).tolist(), [0.0] * len(values)
    for k, t in zip(range(len(rows) - 1, -1, -1), rows[::-1].tolist(), strict=True):
        advantage[t] = delta[k] + fades[k] * advantage[after[k]]
    return np.array(advantage)


@dataclasses.dataclass
class _Rollout:
    """The transitions of a rollout as tensors, a row each."""

    states: Batch
    mask: torch.Tensor | None
    actions: torch.Tensor | None
    "the actions that mask and action count within; None: all"
    action: torch.Tensor
    advantage: torch.Tensor
    target: torch.Tensor
    old: torch.Tensor = dataclasses.field(init=False)
    "log pi_old(a | s, mask), assigned before the first gradient step"

    @staticmethod
    def of(states: Batch, mask: Bools | None, taken: Ints, advantages: Array, values: Array) -> _Rollout:
        """Keep the rows with an action, where ``taken`` is none of -1; the others end a trajectory."""
        rows = np.flatnonzero(taken >= 0)
        mask = None if mask is None else mask[rows]
        used, action = columns_in_use(mask), torch.from_numpy(taken[rows])
        allowed = None if mask is None else torch.from_numpy(mask)
        if used is not None and allowed is not None:
            allowed, action = allowed[:, used], torch.searchsorted(used, action)
        gained = torch.from_numpy(advantages[rows].astype(np.float32))
        target = torch.from_numpy((advantages + values)[rows].astype(np.float32))
        return _Rollout(states.rows(torch.from_numpy(rows)), allowed, used, action, gained, target)


def judged(network: Policy, data: _Rollout, index: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """In the rows ``index``: log pi(. | s, mask) (B, A), that of the actions taken (B,), and values (B,)."""
    mask = None if data.mask is None else data.mask[index]
    logits, value = network(data.states.rows(index), data.actions, mask)
    logp = masked_log_softmax(logits, mask)
    return logp, logp.gather(1, data.action[index][:, None])[:, 0], value


def ppo_loss(network: Policy, data: _Rollout, index: torch.Tensor, s: PPOSettings) -> tuple[torch.Tensor, torch.Tensor]:
    """The clipped objective (Eq. 9 of arXiv 1707.06347) of the rows ``index``, and five numbers to log."""
    logp, taken, value = judged(network, data, index)
    log_ratio = taken - data.old[index]
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
