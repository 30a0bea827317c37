"""One gradient step: Adam (arXiv 1412.6980) in one fused pass, after clipping the gradient's norm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from ...base.arrays import AnyArray


@contextlib.contextmanager
def no_denormals() -> Iterator[None]:
    """Let this thread's processor round numbers below 1e-38 to zero meanwhile.

    Weights of inputs and actions that are not in use have gradient zero, so their Adam moments decay into that range,
    where every operation costs many times more. The setting found is put back.
    """
    flushed = bool((torch.tensor([1e-39], dtype=torch.float32) * 1.0 == 0).item())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


class Optimiser:
    """Adam over named weights."""

    def __init__(self, weights: dict[str, torch.Tensor], lr: float, max_grad_norm: float, eps: float = 1e-5) -> None:
        self._weights, self._max = weights, max_grad_norm
        self._adam = torch.optim.Adam(list(weights.values()), lr=lr, eps=eps, fused=True)

    def step(self, loss: torch.Tensor) -> None:
        """Descend once."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()
        self.apply()

    def apply(self) -> None:
        """Descend along the gradients that the weights have."""
        torch.nn.utils.clip_grad_norm_(list(self._weights.values()), self._max)
        self._adam.step()

    def rate(self, lr: float) -> None:
        """The step size from now on."""
        for group in self._adam.param_groups:
            group["lr"] = lr

    def to_arrays(self) -> dict[str, AnyArray]:
        """First and second moments and the step count, by weight."""
        out = {}
        for name, weight in self._weights.items():
            state = self._adam.state.get(weight, {})
            out.update({f"{name}.{key}": value.cpu().numpy() for key, value in state.items()})
        return out

    def from_arrays(self, arrays: dict[str, AnyArray]) -> None:
        """Take back what ``to_arrays`` gave."""
        for name, weight in self._weights.items():
            keys = ("step", "exp_avg", "exp_avg_sq")
            if f"{name}.step" in arrays:
                self._adam.state[weight] = {
                    key: torch.tensor(np.asarray(arrays[f"{name}.{key}"]), device=weight.device) for key in keys
                }
