"""PPO of lights (Schulman et al., arXiv 1707.06347), each by itself (kappa = 0), that starts from max-pressure.

logits = network(local state) + s x pressure of each phase, s learnt, 2 at first: what is learnt is what max-pressure lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from causalnet.envs import Sumo


@dataclass(frozen=True)
class LightSettings:
    """shared: one network for all lights (of one shape), or one for each. Rewards are in vehicles."""

    shared: bool = True
    hidden: int = 64
    lr: float = 1e-3
    "falls to 0 linearly"
    gamma: float = 0.95
    gae_lambda: float = 0.95
    epochs: int = 4
    parts: int = 16
    "gradient steps an epoch"
    clip: float = 0.2
    scale: float = 0.1
    "of observations and rewards in vehicles"
    pressure: float = 2.0


class Lights:
    """Policies and values of n lights on d observations; weights (1 or n, ...)."""

    def __init__(self, env: Sumo, settings: LightSettings, seed: int) -> None:
        self.settings, self.rng = settings, torch.Generator().manual_seed(seed)
        names = env.feature_names
        self.units = torch.tensor(
            [self.settings.scale if "vehicles" in x or "queue" in x or "pressure" in x else 1.0 for x in names]
        )
        self.pressures = [k for k, name in enumerate(names) if name.startswith("pressure")]
        self.mask = torch.tensor(env.network.allowed)
        groups, d, h = 1 if settings.shared else env.n_agents, len(names), settings.hidden
        sizes = {"policy": [(d, h, 2**0.5), (h, h, 2**0.5), (h, len(self.pressures), 0.01)]}
        sizes["value"] = [*sizes["policy"][:2], (h, 1, 1.0)]
        self.layers = {name: [self._layer(groups, *size) for size in rows] for name, rows in sizes.items()}
        self.weight = torch.tensor(settings.pressure, requires_grad=True)
        self.parameters = [p for rows in self.layers.values() for layer in rows for p in layer] + [self.weight]
        self.adam = torch.optim.Adam(self.parameters, settings.lr, eps=1e-5)

    def _layer(self, groups: int, a: int, b: int, gain: float) -> tuple[torch.Tensor, torch.Tensor]:
        w = torch.empty(groups, a, b)
        for one in w:
            torch.nn.init.orthogonal_(one, gain, generator=self.rng)
        return w.requires_grad_(), torch.zeros(groups, 1, b).requires_grad_()

    def _run(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """x (B, n, d) -> (B, n, out)."""
        z = (x * self.units).transpose(0, 1)
        shape = z.shape[:2]
        z = z.reshape(len(self.layers[name][0][0]), -1, z.shape[-1])
        for k, (w, b) in enumerate(self.layers[name]):
            z = torch.baddbmm(b, z, w)
            z = torch.tanh(z) if k < 2 else z
        return z.reshape(*shape, -1).transpose(0, 1)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(B, n, P), log-probabilities of the phases."""
        found = self._run("policy", x) + self.weight * x[..., self.pressures]
        return found.masked_fill(~self.mask, -1e9).log_softmax(-1)

    def act(self, s: Any, draw: bool) -> Any:
        """Phases (E, n) for local states (E, n, d): drawn, or the likeliest."""
        with torch.no_grad():
            logp = self.logits(torch.as_tensor(s))
            noise = torch.empty_like(logp).exponential_(generator=self.rng).log() if draw else 0.0
            return (logp - noise).argmax(-1).numpy()

    def learn_episode(self, env: Sumo, left: float, seed: int | None) -> float:
        """One episode in every copy, then its gradient steps; left: share of the training to come. Its mean delay in s."""
        s, _ = env.reset(seed)
        states, actions, rewards, over = [], [], [], False
        while not over:
            a = self.act(s, draw=True)
            after, r, _, truncated, info = env.step(a)
            states.append(s), actions.append(a), rewards.append(r)
            s, over = after, bool(truncated.all())
        x, a, r = (np.stack(rows) for rows in ([*states, s], actions, rewards))
        self._update(torch.as_tensor(x), torch.as_tensor(a), torch.as_tensor(r, dtype=torch.float32), left)
        return float(info["mean_delay"].mean())

    def _update(self, x: torch.Tensor, a: torch.Tensor, r: torch.Tensor, left: float) -> None:
        """x (T + 1, E, n, d), a, r (T, E, n): clipped policy gradient with generalised advantages."""
        c, (steps, copies, n) = self.settings, r.shape
        flat, flat_a = x[:-1].reshape(steps * copies, n, -1), a.reshape(-1, n)
        with torch.no_grad():
            v = self._run("value", x.reshape(-1, n, x.shape[-1])).reshape(steps + 1, copies, n)
            old = self.logits(flat).gather(-1, flat_a[..., None])[..., 0]
            advantage, running = torch.zeros_like(r), torch.zeros_like(r[0])
            for t in reversed(range(steps)):  # A_t = delta_t + gamma lambda A_{t+1}
                running = c.scale * r[t] + c.gamma * v[t + 1] - v[t] + c.gamma * c.gae_lambda * running
                advantage[t] = running
            target = (advantage + v[:-1]).reshape(-1, n)
            spread = (0, 1, 2) if c.shared else (0, 1)
            advantage = (advantage - advantage.mean(spread)) / (advantage.std(spread) + 1e-8)
            advantage = advantage.reshape(-1, n)
        for group in self.adam.param_groups:
            group["lr"] = c.lr * left
        for _ in range(c.epochs):
            for rows in torch.randperm(len(flat), generator=self.rng).chunk(c.parts):
                ratio = (self.logits(flat[rows]).gather(-1, flat_a[rows][..., None])[..., 0] - old[rows]).exp()
                gain = torch.min(ratio * advantage[rows], ratio.clamp(1 - c.clip, 1 + c.clip) * advantage[rows])
                error = (self._run("value", flat[rows])[..., 0] - target[rows]) ** 2 / (target.var() + 1e-3)
                loss = (0.25 * error - gain).mean(0)
                self.adam.zero_grad()
                (loss.mean() if c.shared else loss.sum()).backward()
                torch.nn.utils.clip_grad_norm_(self.parameters, 0.5 if c.shared else 0.5 * n**0.5)
                self.adam.step()
