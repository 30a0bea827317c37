"""Advantages of agents who answer for a neighbourhood's rewards: lambda returns of each reward, then truncated sums."""

from __future__ import annotations

import torch

from .reach import apply


def advantages(
    reward: torch.Tensor,
    values: torch.Tensor,
    terminated: torch.Tensor,
    alive: torch.Tensor,
    gamma: float,
    lam: float,
) -> torch.Tensor:
    """A_j(t) = d_j(t) + gamma lambda A_j(t + 1), d_j = r_j + gamma V_j(s') - V_j(s) (arXiv 1506.02438): (n, T, E).

    reward (n, T, E); values (n, T + 1, E); terminated, alive (T, E): after termination nothing is worth anything, and after a
    copy's last step, alive False, nothing happened.
    """
    steps = reward.shape[1]
    goes_on = gamma * (~terminated).to(reward.dtype)
    delta = reward + goes_on * values[:, 1:] - values[:, :-1]
    out, later = torch.zeros_like(reward), torch.zeros_like(reward[:, 0])
    for t in range(steps - 1, -1, -1):
        later = (delta[:, t] + goes_on[t] * lam * later) * alive[t]
        out[:, t] = later
    return out


def truncated(own: torch.Tensor, answers: torch.Tensor | None) -> torch.Tensor:
    """sum_j A_j over the agents whose rewards i answers for (eq. 7 of arXiv 1912.02906): (n, T, E). None: everybody."""
    return own.sum(dim=0, keepdim=True).expand(own.shape) if answers is None else apply(answers, own)


def scaled(advantage: torch.Tensor, alive: torch.Tensor, how: str) -> torch.Tensor:
    """Less their mean, over their deviation: over all agents, over each one's own steps, or as they are."""
    if how == "none" or not bool(alive.any()):
        return advantage
    weight = alive.to(advantage.dtype)
    axes = (0, 1, 2) if how == "all" else (1, 2)
    count = weight.sum() * (len(advantage) if how == "all" else 1)
    mean = (advantage * weight).sum(axes, keepdim=True) / count
    square = ((advantage - mean).square() * weight).sum(axes, keepdim=True) / count
    return (advantage - mean) / (square.sqrt() + 1e-8)
