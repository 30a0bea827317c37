"""One gradient step: Adam (arXiv 1412.6980) in one fused pass, after clipping the gradient's norm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.optim.adam import adam

from ...base.arrays import AnyArray
from .networks import Network, shares


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


class Adam:
    """``torch.optim.Adam``, fused: its operations and its state, without the compiler that making one of those imports for a second."""

    def __init__(self, weights: Sequence[torch.Tensor], lr: float, eps: float) -> None:
        self.weights, self.lr, self.eps = list(weights), lr, eps
        self.state: dict[torch.Tensor, dict[str, torch.Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Descend the weights that have a gradient."""
        live = [weight for weight in self.weights if weight.grad is not None]
        for weight in live:
            if weight not in self.state:
                step = torch.zeros((), dtype=torch.float32, device=weight.device)
                moments = {key: torch.zeros_like(weight) for key in ("exp_avg", "exp_avg_sq")}
                self.state[weight] = {"step": step, **moments}
        steps, first, second = ([self.state[w][key] for w in live] for key in ("step", "exp_avg", "exp_avg_sq"))
        grads = [weight.grad for weight in live if weight.grad is not None]
        how = {"beta1": 0.9, "beta2": 0.999, "weight_decay": 0.0, "amsgrad": False, "maximize": False, "fused": True}
        adam(live, grads, first, second, [], steps, lr=self.lr, eps=self.eps, **how)


class Optimiser:
    """Adam over named weights."""

    def __init__(self, weights: dict[str, torch.Tensor], lr: float, max_grad_norm: float, eps: float = 1e-5) -> None:
        self._weights, self._max = weights, max_grad_norm
        self._adam = Adam(list(weights.values()), lr, eps)

    def step(self, loss: torch.Tensor) -> None:
        """Descend once."""
        for weight in self._weights.values():
            weight.grad = None
        loss.backward()
        self.apply()

    def apply(self) -> None:
        """Descend along the gradients that the weights have."""
        torch.nn.utils.clip_grad_norm_(list(self._weights.values()), self._max)
        self._adam.step()

    def rate(self, lr: float) -> None:
        """The step size from now on."""
        self._adam.lr = lr

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


class FlatOptimiser:
    """Adam over the weights of a network, which lie side by side in one vector from then on: one pass over all of them."""

    def __init__(self, network: Network, lr: float, max_grad_norm: float, eps: float = 1e-5) -> None:
        self._weights, self._max = network.weights, max_grad_norm
        self._flat = network.gather()
        self._flat.grad = torch.zeros_like(self._flat)
        self._adam = Adam([self._flat], lr, eps)
        self._look()

    def _look(self) -> None:
        """Views of the gradient: by weight, and as one array."""
        assert self._flat.grad is not None
        self._views = shares(self._flat.grad, self._weights)
        self._arrays = {name: view.numpy() for name, view in self._views.items()}
        self._all = self._flat.grad.numpy()

    def __getstate__(self) -> dict[str, Any]:
        return {name: part for name, part in self.__dict__.items() if name not in ("_views", "_arrays", "_all")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._look()

    def step(self, loss: torch.Tensor) -> None:
        """Descend once by the operations that torch has recorded."""
        self._all[:] = 0.0
        for name, weight in self._weights.items():
            weight.grad = self._views[name]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(self._weights.values()), self._max)
        self._adam.step()

    def descend(self, grads: dict[str, AnyArray]) -> None:
        """Descend once by a gradient that is given, by weight."""
        for name, grad in grads.items():
            self._arrays[name][...] = grad
        share = self._max / (float(self._all @ self._all) ** 0.5 + 1e-6)
        if share < 1.0:
            self._all *= np.float32(share)
        self._adam.step()

    def to_arrays(self) -> dict[str, AnyArray]:
        """First and second moments and the step count, by weight."""
        state = self._adam.state.get(self._flat, {})
        out = {}
        for key, value in state.items():
            parts = dict.fromkeys(self._weights, value) if key == "step" else shares(value, self._weights)
            out.update({f"{name}.{key}": part.numpy() for name, part in parts.items()})
        return out

    def from_arrays(self, arrays: dict[str, AnyArray]) -> None:
        """Take back what ``to_arrays`` gave."""
        names = list(self._weights)
        if f"{names[0]}.step" not in arrays:
            return
        state = {key: torch.empty_like(self._flat) for key in ("exp_avg", "exp_avg_sq")}
        for key, flat in state.items():
            for name, part in shares(flat, self._weights).items():
                part.copy_(torch.from_numpy(np.asarray(arrays[f"{name}.{key}"])))
        self._adam.state[self._flat] = {"step": torch.tensor(np.asarray(arrays[f"{names[0]}.step"])), **state}
