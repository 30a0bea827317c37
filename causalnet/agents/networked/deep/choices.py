"""How actions are drawn from what a policy's network says: one of so many under a mask, or numbers in [-1, 1]."""

from __future__ import annotations

import math

import numpy as np
import torch

from ....base.arrays import AnyArray, Bools
from ...single.masked import masked_log_softmax

NARROWEST = -3.0  # log of the standard deviation
WIDEST = 1.0


class Categorical:
    """pi(a | o) = softmax over the allowed actions; out (n, B, A), masks (n, B, A) or None, actions (n, B)."""

    def __init__(self, n_actions: int, table: Bools | None, device: torch.device) -> None:
        self.outputs, self.device = n_actions, device
        self.table = None if table is None else torch.tensor(table, device=device)[:, None]

    def allowed(self, masks: Bools | None) -> torch.Tensor | None:
        """Masks (E, n, A) of the environment, or all the actions that an agent has: (n, E or 1, A)."""
        return self.table if masks is None else torch.tensor(masks, device=self.device).transpose(0, 1)

    def draw(
        self, out: torch.Tensor, allowed: torch.Tensor | None, rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Actions and their log probability, by inverting the distribution function at uniform numbers."""
        logp = masked_log_softmax(out, allowed)
        u = torch.tensor(rng.random(out.shape[:2], np.float32), device=out.device)
        sums = logp.exp().cumsum(-1)
        a = (u[..., None] * sums[..., -1:] >= sums).sum(-1).clamp(max=self.outputs - 1)
        taken = logp.gather(-1, a[..., None])[..., 0]
        if allowed is not None:  # rounding at the last place never leads outside
            a = torch.where(allowed.expand(out.shape).gather(-1, a[..., None])[..., 0], a, logp.argmax(-1))
            taken = logp.gather(-1, a[..., None])[..., 0]
        return a, taken

    def best(self, out: torch.Tensor, allowed: torch.Tensor | None) -> torch.Tensor:
        """The likeliest action."""
        return masked_log_softmax(out, allowed).argmax(-1)

    def judge(
        self, out: torch.Tensor, allowed: torch.Tensor | None, a: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """log pi(a) and the entropy, (n, B) each."""
        logp = masked_log_softmax(out, allowed)
        return logp.gather(-1, a[..., None])[..., 0], -(logp.exp() * logp).sum(-1)


class Gaussian:
    """a ~ N(tanh(out), exp(log sigma)^2) in each of k numbers, cut to [-1, 1] by the environment's side; actions (n, B, k).

    out (n, B, 2 k): the mean before tanh, and log sigma as a step away from that of ``spread``.
    """

    def __init__(self, size: int, spread: float) -> None:
        self.size, self.outputs, self.start = size, 2 * size, math.log(spread)

    def allowed(self, masks: Bools | None) -> None:
        """Every vector is allowed."""

    def law(self, out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log of the standard deviation."""
        return torch.tanh(out[..., : self.size]), (self.start + out[..., self.size :]).clamp(NARROWEST, WIDEST)

    def draw(self, out: torch.Tensor, allowed: None, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and noise, and their log density."""
        mean, log_sigma = self.law(out)
        noise: AnyArray = rng.standard_normal(mean.shape, np.float32)
        a = mean + log_sigma.exp() * torch.tensor(noise, device=out.device)
        return a, self.judge(out, allowed, a)[0]

    def best(self, out: torch.Tensor, allowed: None) -> torch.Tensor:
        """The mean."""
        return self.law(out)[0]

    def judge(self, out: torch.Tensor, allowed: None, a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """log density and entropy, (n, B) each."""
        mean, log_sigma = self.law(out)
        z = (a - mean) * (-log_sigma).exp()
        logp = -(0.5 * z.square() + log_sigma + 0.5 * math.log(2 * math.pi)).sum(-1)
        return logp, (log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


Choice = Categorical | Gaussian
