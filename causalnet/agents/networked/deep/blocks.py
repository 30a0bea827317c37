"""The gradient of a batch on a processor, in blocks of rows that stay in its cache: what autograd gives, several times faster.

For towers that all agents share, without memory, and actions by number. Products go to BLAS, every buffer is used again, and
the objective's own gradient is one compiled loop. Numbers differ from autograd's by rounding alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ....base.arrays import AnyArray, Array, Floats, Ints
from .choices import Categorical
from .improve import Batch
from .kernels import objective
from .settings import NeuralSettings
from .towers import Tower

ROWS = 1024  # of a block: its activations fit the second cache


class Chain:
    """The layers of a tower as arrays that share its memory, and buffers for a block of rows."""

    def __init__(self, tower: Tower) -> None:
        self.tanh = tower.act is torch.tanh
        layers = [*tower.layers, tower.head]
        for layer in layers:
            layer.weight.grad, layer.bias.grad = torch.zeros_like(layer.weight), torch.zeros_like(layer.bias)
        self.weights = [(w.weight.detach().numpy(), w.bias.detach().numpy()) for w in layers]
        self.gradients = [(w.weight.grad.numpy(), w.bias.grad.numpy()) for w in layers]
        widths = [w.shape[1] for w, _ in self.weights]
        self.found, self.slopes = ([np.empty((ROWS, k), np.float32) for k in widths] for _ in range(2))
        self.block = np.empty((ROWS, len(self.weights[0][0])), np.float32)
        self.scratch = [np.empty_like(w) for w, _ in self.weights]
        self.inner, self.ones = [np.empty((ROWS, k), np.float32) for k in widths[:-1]], np.ones(ROWS, np.float32)

    def clear(self) -> None:
        """Gradients begin at zero."""
        for w, b in self.gradients:
            w[:], b[:] = 0.0, 0.0

    def scale(self, by: float) -> None:
        """Gradients times a number."""
        for w, b in self.gradients:
            w *= np.float32(by)
            b *= np.float32(by)

    def taken(self, x: Floats, rows: Ints) -> Floats:
        """Some rows of all inputs, as a block."""
        return np.take(x, rows, axis=0, out=self.block[: len(rows)], mode="clip")

    def forward(self, x: Floats) -> Floats:
        """Outputs of a block x (R, d)."""
        rows, last = len(x), len(self.weights) - 1
        for k, (w, b) in enumerate(self.weights):
            z = self.found[k][:rows]
            np.dot(x, w, out=z)
            z += b
            if k < last:
                np.tanh(z, out=z) if self.tanh else np.maximum(z, 0, out=z)
            x = z
        return x

    def backward(self, x: Floats) -> None:
        """Add the gradient of a block, from that of its outputs in the last of ``slopes``."""
        rows = len(x)
        for k in range(len(self.weights) - 1, -1, -1):
            before, slope = self.found[k - 1][:rows] if k else x, self.slopes[k][:rows]
            w, b = self.gradients[k]
            np.dot(before.T, slope, out=self.scratch[k])
            w += self.scratch[k]
            b += self.ones[:rows] @ slope
            if k:
                down, inner = self.slopes[k - 1][:rows], self.inner[k - 1][:rows]
                np.dot(slope, self.weights[k][0].T, out=down)
                if self.tanh:
                    np.multiply(before, before, out=inner)
                    np.subtract(1, inner, out=inner)
                else:
                    np.greater(before, 0, out=inner)
                down *= inner


class Blocks:
    """Gradients of policy and critic from the rows of a batch, left where the optimiser finds them."""

    def __init__(self, policy: Tower, critic: Tower) -> None:
        self.policy, self.critic = Chain(policy), Chain(critic)

    @staticmethod
    def fit(policy: Any, critic: Any, choice: Any, s: NeuralSettings, device: torch.device) -> bool:
        """Whether these networks are of the kind."""
        towers = isinstance(policy, Tower) and isinstance(critic, Tower)
        shared = s.parameters == "shared" and not s.memory
        return towers and shared and isinstance(choice, Categorical) and device.type == "cpu"

    def __call__(self, batch: Batch, index: Ints, s: NeuralSettings, entropy: float) -> Array:
        """The five numbers of :func:`..improve.loss` for the ``index`` of B; the gradients of their mean are set."""
        n, many = batch.action.shape
        if batch.alive is not None:
            index = index[batch.alive.numpy()[0, index] > 0]
        rows = (np.arange(n)[:, None] * many + index).ravel()
        count = max(len(rows), 1)
        flat = {
            name: _rows(getattr(batch, name)) for name in ("read", "judged", "action", "logp", "advantage", "target")
        }
        allowed = None if batch.allowed is None else batch.allowed.numpy()
        sums, error, rates = np.zeros(3), 0.0, (np.float32(s.clip), np.float32(entropy))
        self.policy.clear()
        self.critic.clear()
        for k in range(0, len(rows), ROWS):
            at = rows[k : k + ROWS]
            x = self.policy.taken(flat["read"], at)
            logits = self.policy.forward(x)
            ok = (
                _NONE
                if allowed is None
                else allowed.reshape(-1, allowed.shape[2])[at if allowed.shape[1] > 1 else at // many]
            )
            parts = (flat[name][at] for name in ("action", "logp", "advantage"))
            objective(logits, ok, *parts, *rates, self.policy.slopes[-1][: len(at)], sums)
            self.policy.backward(x)
            y = x if batch.judged is batch.read else self.critic.taken(flat["judged"], at)
            off = self.critic.forward(y)[:, 0] - flat["target"][at]
            error += float(off @ off)
            self.critic.slopes[-1][: len(at), 0] = off * np.float32(2 * s.value)
            self.critic.backward(y)
        self.policy.scale(1 / count)
        self.critic.scale(1 / count)
        gain, spread, kl = sums / count
        error /= count
        return np.array([gain + s.value * error + entropy * spread, gain, error, spread, kl])


_NONE = np.zeros((0, 1), bool)


def _rows(x: torch.Tensor) -> AnyArray:
    """(n, B, ...) -> (n B, ...), the same memory."""
    return x.flatten(0, 1).numpy()
