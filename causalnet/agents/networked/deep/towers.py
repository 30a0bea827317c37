"""The networks: towers of layers, shared by all agents or one an agent, with a recurrent cell where there is a memory.

Inputs are (n, B, d), agents first: shared layers are one product of n B rows, layers of each agent one batched product.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from ....errors import DataError
from ...single.networks import orthogonal
from .settings import NeuralSettings

Factory = Callable[[int, int], nn.Module]
RELU_GAIN = 2**0.5
EMBEDDING = 8


class Layer(nn.Module):
    """x W + b; W (d, h) shared by all agents, or (n, d, h) for one an agent."""

    def __init__(self, n: int | None, width: int, out: int, gain: float, rng: np.random.Generator) -> None:
        super().__init__()
        stack = () if n is None else (n,)
        self.weight = nn.Parameter(orthogonal((*stack, width, out), gain, rng).detach())
        self.bias = nn.Parameter(torch.zeros((out,) if n is None else (n, 1, out)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, B, d) -> (n, B, h)."""
        if self.weight.ndim == 3:
            return torch.baddbmm(self.bias, x, self.weight)
        return torch.addmm(self.bias, x.reshape(-1, x.shape[2]), self.weight).view(*x.shape[:2], -1)


class Cell(nn.Module):
    """A gated recurrent unit (arXiv 1406.1078): h' = (1 - z) tanh(x W + r (h U)) + z h, with gates r and z of x and h."""

    def __init__(self, n: int | None, width: int, memory: int, rng: np.random.Generator) -> None:
        super().__init__()
        self.inward, self.back = Layer(n, width, 3 * memory, 1.0, rng), Layer(n, memory, 3 * memory, 1.0, rng)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        """x (n, B, d), h (n, B, m) -> h'."""
        (r, z, c), (hr, hz, hc) = self.inward(x).chunk(3, dim=2), self.back(h).chunk(3, dim=2)
        keep = torch.sigmoid(z + hz)
        return (1 - keep) * torch.tanh(c + torch.sigmoid(r + hr) * hc) + keep * h


class Tower(nn.Module):
    """x (n, B, d) -> (n, B, out) through hidden layers; with a memory h (n, B, m) first. gain: of the last layer."""

    def __init__(self, n: int, width: int, out: int, s: NeuralSettings, gain: float, rng: np.random.Generator) -> None:
        super().__init__()
        own = n if s.parameters == "each" else None
        self.memory, self.act = s.memory, torch.relu if s.activation == "relu" else torch.tanh
        self.names = nn.Parameter(torch.zeros((n, 1, EMBEDDING))) if s.parameters == "embedded" else None
        if self.names is not None:
            self.names.data.copy_(torch.tensor(rng.standard_normal((n, 1, EMBEDDING))))
        width += 0 if self.names is None else EMBEDDING
        self.cell = Cell(own, width, s.memory, rng) if s.memory else None
        sizes = [s.memory or width, *s.hidden]
        self.layers = nn.ModuleList(Layer(own, a, b, RELU_GAIN, rng) for a, b in pairwise(sizes))
        self.head = Layer(own, sizes[-1], out, gain, rng)

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The outputs, and the memory after x."""
        if self.names is not None:
            x = torch.cat((x, self.names.expand(-1, x.shape[1], -1)), dim=2)
        if self.cell is not None:
            x = h = self.cell(x, x.new_zeros((*x.shape[:2], self.memory)) if h is None else h)
        for layer in self.layers:
            x = self.act(layer(x))
        return self.head(x), h


class Own(nn.Module):
    """A module of the caller's, from (rows, d) to (rows, out), in the place of a tower."""

    memory = 0

    def __init__(self, make: Any, width: int, out: int) -> None:
        super().__init__()
        self.module, self.out = make if isinstance(make, nn.Module) else make(width, out), out
        if not isinstance(self.module, nn.Module):
            raise DataError(
                f"a network is a torch module, or a function (inputs, outputs) -> module; got {type(self.module).__name__}"
            )
        with torch.no_grad():
            got = self.module(torch.zeros((3, width), device=next(self.module.parameters()).device))
        if got.shape != (3, out):
            raise DataError(
                f"the network makes (3, {width}) into {tuple(got.shape)}, and should make it into (3, {out})"
            )

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(n, B, d) -> (n, B, out)."""
        return self.module(x.reshape(-1, x.shape[2])).view(*x.shape[:2], self.out), h


def along(tower: Any, x: torch.Tensor, h: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A tower along time: x (n, L, B, d) -> (n, L, B, out), and the memory after the last step."""
    n, steps, many, d = x.shape
    if not tower.memory:
        return tower(x.reshape(n, steps * many, d))[0].view(n, steps, many, -1), h
    outs = []
    for t in range(steps):
        out, h = tower(x[:, t], h)
        outs.append(out)
    return torch.stack(outs, dim=1), h
