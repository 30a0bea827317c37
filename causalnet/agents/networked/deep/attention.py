"""A network that weighs its neighbours: graph attention (arXiv 1710.10903, with the scaled products of arXiv 1706.03762).

    c_i = sum_{j in N_i} softmax_j(q_i . k_j / sqrt(h)) v_j, q, k, v linear in what agents see; then a tower of (x_i, c_i).
The pairs (i, j) are a list, so that memory is linear in them whatever the widest neighbourhood.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import sparse
from torch import nn

from .settings import NeuralSettings
from .towers import Layer, Tower


class Attention(nn.Module):
    """x (n, B, d) -> (n, B, out); pairs: those within reach, as rows of a bool CSR matrix, each agent among its own."""

    memory = 0
    row: torch.Tensor
    column: torch.Tensor

    def __init__(
        self, pairs: sparse.csr_matrix, width: int, out: int, s: NeuralSettings, gain: float, rng: np.random.Generator
    ) -> None:
        super().__init__()
        n, self.heads = pairs.shape[0], s.hidden[0]
        own = n if s.parameters == "each" else None
        self.asked = Layer(own, width, 3 * self.heads, 1.0, rng)
        self.tower = Tower(n, width + self.heads, out, s, gain, rng)
        row = np.repeat(np.arange(n), np.diff(pairs.indptr))
        self.register_buffer("row", torch.tensor(row, dtype=torch.int64), persistent=False)
        self.register_buffer("column", torch.tensor(pairs.indices, dtype=torch.int64), persistent=False)

    @property
    def head(self) -> Layer:
        """The last layer."""
        return self.tower.head

    def forward(self, x: torch.Tensor, h: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The outputs; there is no memory."""
        q, k, v = self.asked(x).chunk(3, dim=2)
        score = (q[self.row] * k[self.column]).sum(2) / math.sqrt(self.heads)  # (pairs, B)
        index = self.row[:, None].expand_as(score)
        top = score.new_full(x.shape[:2], -math.inf).scatter_reduce(0, index, score.detach(), "amax")
        share = (score - top[self.row]).exp()
        total = torch.zeros_like(top).index_add(0, self.row, share)
        context = torch.zeros_like(v).index_add(0, self.row, share[..., None] * v[self.column])
        return self.tower(torch.cat((x, context / total[..., None]), dim=2))[0], h
