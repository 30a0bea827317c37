"""The update: maximise E[min(rho A_i, clip(rho, 1 - c, 1 + c) A_i)] - v (V_i - G_i)^2 + e entropy over agents and steps.

arXiv 1707.06347, eq. 9, with the truncated advantages of :mod:`.gains`; rho = pi_i(a | o) / pi_old_i(a | o), under the mask of the
moment of acting. Critics learn each agent's own reward; an agent's advantage sums those that it answers for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ....base.arrays import AnyArray, Ints
from .choices import Choice
from .gains import advantages, scaled, truncated
from .play import Record
from .settings import NeuralSettings
from .towers import along

NAMES = ("loss", "policy_gradient_loss", "value_loss", "entropy_loss", "approx_kl", "explained_variance")


@dataclass(eq=False)
class Worth:
    """The scale of values: V = mean + deviation v, v what the network says. Learnt from returns, half of it new each update."""

    mean: float = 0.0
    square: float = 1.0
    weight: float = 0.0

    @property
    def deviation(self) -> float:
        """Of the returns; 1 before any."""
        return max(self.square - self.mean**2, 1e-8) ** 0.5 if self.weight else 1.0

    def learn(self, returns: torch.Tensor, alive: torch.Tensor, head: Any) -> None:
        """Take returns (n, T, E) in; ``head``, the critic's last layer or None, goes on meaning what it meant."""
        before = (self.mean, self.deviation)
        share = alive.to(returns.dtype)
        total = float(share.sum()) * len(returns)
        moments = (float((returns * share).sum()) / total, float((returns.square() * share).sum()) / total)
        keep = 0.9 if self.weight else 0.0
        self.mean, self.square = (
            keep * old + (1 - keep) * new for old, new in zip((self.mean, self.square), moments, strict=True)
        )
        self.weight = 1.0
        if head is not None:
            with torch.no_grad():
                head.weight.mul_(before[1] / self.deviation)
                head.bias.mul_(before[1]).add_(before[0] - self.mean).div_(self.deviation)


@dataclass(eq=False)
class Batch:
    """Rows to learn from, agents first: (n, B, ...); with a memory (n, L, B, ...), B sequences of L steps."""

    read: torch.Tensor
    judged: torch.Tensor
    allowed: torch.Tensor | None
    action: torch.Tensor
    logp: torch.Tensor
    advantage: torch.Tensor
    target: torch.Tensor
    alive: torch.Tensor | None
    memory: tuple[torch.Tensor | None, torch.Tensor | None]

    @property
    def many(self) -> int:
        """B."""
        return self.read.shape[-2]

    def rows(self, numbers: Ints) -> Batch:
        """Some of the B; the batch itself where it is all of them."""
        if len(numbers) == self.many:
            return self
        index = torch.tensor(numbers, device=self.read.device)
        names = ("read", "judged", "allowed", "action", "logp", "advantage", "target", "alive")
        parts: dict[str, Any] = {}
        axis = self.read.ndim - 2
        for name in names:
            whole = getattr(self, name)
            fixed = whole is None or whole.shape[axis] == 1 < self.many
            parts[name] = whole if fixed else whole.index_select(axis, index)
        if self.judged is self.read:
            parts["judged"] = parts["read"]
        policy, critic = (None if h is None else h.index_select(1, index) for h in self.memory)
        return Batch(**parts, memory=(policy, critic))


def loss(
    policy: Any, critic: Any, choice: Choice, batch: Batch, s: NeuralSettings, entropy: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The objective's negative in a batch, and five numbers to log."""
    out, value = _outputs(policy, batch.read, batch.memory[0]), _outputs(critic, batch.judged, batch.memory[1])[..., 0]
    logp, spread = choice.judge(out, batch.allowed, batch.action)
    log_ratio = logp - batch.logp
    ratio = log_ratio.exp()
    gain = torch.minimum(ratio * batch.advantage, ratio.clamp(1 - s.clip, 1 + s.clip) * batch.advantage)
    error = (value - batch.target).square()
    parts = [_mean(part, batch.alive) for part in (-gain, error, -spread)]
    total = parts[0] + s.value * parts[1] + entropy * parts[2]
    with torch.no_grad():
        kl = _mean(ratio - 1 - log_ratio, batch.alive)
        return total, torch.stack((total, *parts, kl)).detach()


def _outputs(tower: Any, x: torch.Tensor, h: torch.Tensor | None) -> torch.Tensor:
    out: torch.Tensor = tower(x)[0] if x.ndim == 3 else along(tower, x, h)[0]
    return out


def _mean(x: torch.Tensor, alive: torch.Tensor | None) -> torch.Tensor:
    return x.mean() if alive is None else (x * alive).sum() / (alive.sum() * len(x)).clamp(min=1)


@torch.no_grad()
def valued(
    critic: Any, judged: torch.Tensor, memory: torch.Tensor | None, worth: Worth, steps: int
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """V (n, T + 1, E) of judged (n, T + 1, E, d), and the critic's memory before every ``steps``-th step and after T."""
    n, length, many, _ = judged.shape
    if not critic.memory:
        rows = max(1, 2**14 // (n * many))  # so many steps at a time
        parts = [along(critic, judged[:, t : t + rows], None)[0][..., 0] for t in range(0, length, rows)]
        return worth.mean + worth.deviation * torch.cat(parts, dim=1), []
    h = judged.new_zeros((n, many, critic.memory)) if memory is None else memory
    found, kept = [], []
    for t in range(length):
        if t % steps == 0 or t == length - 1:
            kept.append(h)
        value, h = critic(judged[:, t], h)
        found.append(value[..., 0])
    return worth.mean + worth.deviation * torch.stack(found, dim=1), kept


def prepared(
    record: Record,
    critic: Any,
    memory: torch.Tensor | None,
    worth: Worth,
    s: NeuralSettings,
    answers: torch.Tensor | None,
) -> tuple[Batch, torch.Tensor | None, float]:
    """The batch of a record, the critic's memory after it, and the share of the returns' variance that the values explained."""
    device = record.read[0].device
    judged = torch.stack(record.judged, dim=1)
    piece = min(s.sequence, len(record))
    values, kept = valued(critic, judged, memory, worth, piece)
    reward = torch.tensor(np.stack(record.reward), dtype=torch.float32, device=device).permute(2, 0, 1)
    terminated, alive = (torch.tensor(np.stack(part), device=device) for part in (record.terminated, record.alive))
    own = advantages(reward, values, terminated, alive, s.gamma, s.gae_lambda)
    returns = own + values[:, :-1]
    advantage = scaled(truncated(own, answers), alive, s.scale)
    head = getattr(critic, "head", None)
    worth.learn(returns, alive, head)
    target = (returns - worth.mean) / worth.deviation
    read = judged if record.read[0] is record.judged[0] else torch.stack(record.read, dim=1)
    explained = 1 - float(own[:, alive].var() / returns[:, alive].var().clamp(min=1e-12)) if alive.sum() > 1 else 0.0
    allowed = None if record.allowed[0] is None else _over_time(record.allowed)
    batch = Batch(
        read[:, :-1],
        judged[:, :-1],
        allowed,
        torch.stack(record.action, dim=1),
        torch.stack(record.logp, dim=1),
        advantage,
        target,
        None if bool(alive.all()) else alive.to(torch.float32)[None],
        (None, None),
    )
    if read is judged:
        batch.judged = batch.read
    if not critic.memory:
        return _flat(batch), None, explained
    return _sequences(batch, record, kept, piece), kept[-1], explained


def _over_time(allowed: list[Any]) -> torch.Tensor:
    """Masks (n, T, E, A); one that never changes is kept once, (n, 1, 1, A)."""
    if all(mask is allowed[0] for mask in allowed):
        return torch.as_tensor(allowed[0])[:, None]
    return torch.stack([torch.as_tensor(mask) for mask in allowed], dim=1)


def _flat(batch: Batch) -> Batch:
    """(n, T, E, ...) -> (n, T E, ...)."""

    def flat(x: torch.Tensor | None) -> Any:
        return None if x is None else x.flatten(1, 2).contiguous()

    read = flat(batch.read)
    judged = read if batch.judged is batch.read else flat(batch.judged)
    wanted = (batch.allowed, batch.action, batch.logp, batch.advantage, batch.target, batch.alive)
    allowed, action, logp, advantage, target, alive = (flat(part) for part in wanted)
    return Batch(read, judged, allowed, action, logp, advantage, target, alive, (None, None))


def _sequences(batch: Batch, record: Record, kept: list[torch.Tensor], length: int) -> Batch:
    """(n, T, E, ...) -> (n, L, C E, ...): time cut into C pieces, the last one filled up with steps that never happened."""
    steps, many = batch.action.shape[1:3]
    pieces = -(-steps // length)
    missing = pieces * length - steps

    def cut(x: torch.Tensor) -> torch.Tensor:
        x = torch.cat((x, x[:, -1:].expand(-1, missing, *x.shape[2:])), dim=1)
        x = x.view(len(x), pieces, length, *x.shape[2:]).transpose(1, 2)
        return x.reshape(len(x), length, pieces * many, *x.shape[4:])

    alive = cut(torch.ones((1, steps, many), device=batch.read.device) if batch.alive is None else batch.alive)
    alive[:, length - missing :, (pieces - 1) * many :] = 0.0
    starts = record.memory[::length]
    policy = torch.cat([torch.zeros_like(kept[0]) if h is None else h for h in starts], dim=1)
    critic = torch.cat(kept[: len(starts)], dim=1)
    action, logp, advantage, target = (cut(part) for part in (batch.action, batch.logp, batch.advantage, batch.target))
    allowed = batch.allowed if batch.allowed is None or batch.allowed.shape[1] == 1 else cut(batch.allowed)
    read, judged = cut(batch.read), cut(batch.judged)
    return Batch(read, judged, allowed, action, logp, advantage, target, alive, (policy, critic))


def minibatches(batch: Batch, n: int, s: NeuralSettings, rng: np.random.Generator) -> Iterator[Ints]:
    """Which of the B to learn from together: all in every epoch, in a new order, ``batch_size`` agents times steps at a time."""
    length = batch.read.shape[1] if batch.read.ndim == 4 else 1
    size = max(1, s.batch_size // (n * length))
    for _ in range(s.epochs):
        order: Ints = rng.permutation(batch.many) if size < batch.many else np.arange(batch.many)
        for k in range(0, batch.many, size):
            yield order[k : k + size]


def told(sums: AnyArray, count: int, explained: float) -> dict[str, float]:
    """Means over gradient steps, by the names that logs have."""
    return {f"train/{name}": float(v) for name, v in zip(NAMES, [*(sums / max(count, 1)), explained], strict=True)}
