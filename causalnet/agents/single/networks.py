"""Small tanh networks, written out as weight arrays: actor beside critic, and action values with or without duelling.

Three savings, none of which changes what is computed beyond rounding:
inputs that are zero in a whole batch are left out of the first product, actions that no state of the batch allows are
left out of the last one, and actor and critic share each product (their weights lie side by side).
A single state is scored in numpy, on the same memory as the torch weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch

from ...base.arrays import AnyArray, Bools, Floats, Ints

_DENSE = 0.6  # above this share of columns in use, picking them out costs more than it saves


class Batch(NamedTuple):
    """Scaled inputs x (B, len(columns)); ``columns`` None: all of them. ``world``: a summary of each, if there is one."""

    x: torch.Tensor
    columns: torch.Tensor | None = None
    world: torch.Tensor | None = None

    def rows(self, index: torch.Tensor) -> Batch:
        """The batch of these states."""
        return Batch(self.x[index], self.columns, None if self.world is None else self.world[index])


def compact(x: Floats) -> Batch:
    """Leave out the columns of x (B, n) that are zero everywhere, if they are many."""
    columns = np.flatnonzero(x.any(axis=0))
    if len(columns) > _DENSE * x.shape[1]:
        return Batch(torch.tensor(x))  # torch.tensor copies to aligned memory: the same bits every time
    return Batch(torch.tensor(x[:, columns]), torch.from_numpy(columns))


def columns_in_use(mask: Bools | None) -> torch.Tensor | None:
    """The actions that some row of mask (B, A) allows; None for (nearly) all of them."""
    if mask is None:
        return None
    used = np.flatnonzero(mask.any(axis=0))
    return None if len(used) > _DENSE * mask.shape[1] else torch.from_numpy(used)


def orthogonal(shape: tuple[int, ...], gain: float, rng: np.random.Generator) -> torch.Tensor:
    """Orthonormal columns (or rows) times gain in the last two axes, arXiv 1312.6120; a leaf that learns."""
    *stack, rows, columns = shape
    out = np.empty((int(np.prod(stack)), rows, columns), np.float32)
    for layer in out:
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        layer[:] = gain * (q if rows >= columns else q.T)
    return torch.tensor(out.reshape(shape)).requires_grad_()


def shares(flat: torch.Tensor, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Views of a vector (P,), one in the shape of each weight."""
    parts = flat.split([w.numel() for w in weights.values()])
    return {name: part.view(w.shape) for part, (name, w) in zip(parts, weights.items(), strict=True)}


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.float32).requires_grad_()


class Network(ABC):
    """Named weights; ``arrays`` are views of the same memory."""

    def __init__(self) -> None:
        self.weights: dict[str, torch.Tensor] = {}
        self._arrays: dict[str, AnyArray] | None = None

    @property
    def parameters(self) -> list[torch.Tensor]:
        return list(self.weights.values())

    @property
    def arrays(self) -> dict[str, AnyArray]:
        if self._arrays is not None:
            return dict(self._arrays)
        return {name: w.detach().numpy() for name, w in self.weights.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}  # a copy's arrays are views of its own weights

    def gather(self) -> torch.Tensor:
        """Move all weights into one vector (P,), which is returned; each is a view of its part from now on."""
        flat = torch.cat([w.detach().ravel() for w in self.weights.values()])
        for name, part in shares(flat, self.weights).items():
            self.weights[name].data = part
        self._arrays = {name: w.detach().numpy() for name, w in self.weights.items()}
        return flat

    def fill(self, arrays: dict[str, AnyArray]) -> None:
        """Copy arrays into the weights' own memory; ValueError if one is missing, no number, or has another shape."""
        own = self.arrays
        if own.keys() != arrays.keys():
            raise ValueError(f"weights {sorted(own.keys() ^ arrays.keys())}")
        for name, array in arrays.items():
            if own[name].shape != array.shape:
                raise ValueError(f"weight {name} has shape {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"weight {name} holds NaN or infinity")
            own[name][...] = array

    @abstractmethod
    def single(self, x: Floats, allowed: Ints | None) -> Floats:
        """What decides between the allowed actions (None: all) in one state, a number each."""

    @abstractmethod
    def many(self, x: Floats, mask: Bools | None) -> Floats:
        """The same for the states x (B, n_obs), of all actions (B, A); any number where the mask forbids."""

    def prepare(self, x: Floats) -> Batch:
        """The states x (B, n_obs) as a batch."""
        return compact(x)


def _first(batch: Batch, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """tanh(x W + b) (B, h), over the columns in use."""
    used = weight if batch.columns is None else weight.index_select(0, batch.columns)
    return torch.tanh(torch.addmm(bias, batch.x, used))


def _head(h: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, actions: torch.Tensor | None) -> torch.Tensor:
    """h W' + b (B, A), over the given actions; weight (A, h), bias (A,)."""
    if actions is None:
        return torch.addmm(bias, h, weight.T)
    return torch.addmm(bias.index_select(0, actions), h, weight.index_select(0, actions).T)


def _first_single(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """The first layer of one state x (n_obs,)."""
    used = np.flatnonzero(x)
    h = x @ weight if len(used) > _DENSE * len(x) / 2 else x[used] @ weight[used]
    return np.tanh(h + bias)


def _head_single(z: Floats, weight: Floats, bias: Floats, allowed: Ints | None) -> Floats:
    """W z + b of the allowed actions (None: all) in one state."""
    return weight @ z + bias if allowed is None else weight[allowed] @ z + bias[allowed]


class ActorCritic(Network):
    """Two towers of the same widths, the policy's and the value's, of x (n_obs,).

    Their weights lie side by side: first (n_obs, 2 h), then (2, h, h') a layer.
    """

    def __init__(self, n_obs: int, n_actions: int, widths: tuple[int, ...], rng: np.random.Generator) -> None:
        super().__init__()
        self.depth, self.width = len(widths) - 1, widths[0]
        first = [orthogonal((n_obs, widths[0]), 2**0.5, rng).detach() for _ in range(2)]
        self.weights["first"] = torch.cat(first, dim=1).requires_grad_()
        self.weights["first_bias"] = zeros(2 * widths[0])
        for k, (a, b) in enumerate(pairwise(widths)):
            self.weights[f"layer{k}"] = orthogonal((2, a, b), 2**0.5, rng)
            self.weights[f"layer{k}_bias"] = zeros(2, 1, b)
        self.weights["policy"] = orthogonal((n_actions, widths[-1]), 0.01, rng)
        self.weights["policy_bias"] = zeros(n_actions)
        self.weights["value"] = orthogonal((1, widths[-1]), 1.0, rng)
        self.weights["value_bias"] = zeros(1)

    def __call__(
        self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (B, A or len(actions)) and values (B,); the mask is left to the caller."""
        w, both = self.weights, self._towers(batch)
        value = torch.addmv(w["value_bias"], both[1], w["value"][0])
        return _head(both[0], w["policy"], w["policy_bias"], actions), value

    def values(self, batch: Batch) -> torch.Tensor:
        """Values alone, (B,)."""
        return torch.addmv(self.weights["value_bias"], self._towers(batch)[1], self.weights["value"][0])

    def single(self, x: Floats, allowed: Ints | None) -> Floats:
        """Logits of the allowed actions in one state."""
        w, h = self.arrays, self.width
        z = _first_single(x, w["first"][:, :h], w["first_bias"][:h])
        for k in range(self.depth):
            z = np.tanh(z @ w[f"layer{k}"][0] + w[f"layer{k}_bias"][0, 0])
        return _head_single(z, w["policy"], w["policy_bias"], allowed)

    def many(self, x: Floats, mask: Bools | None) -> Floats:
        """Logits (B, A) of all actions in the states x (B, n_obs)."""
        w, h = self.arrays, self.width
        z = np.tanh(x @ w["first"][:, :h] + w["first_bias"][:h])
        for k in range(self.depth):
            z = np.tanh(z @ w[f"layer{k}"][0] + w[f"layer{k}_bias"][0])
        out: Floats = z @ w["policy"].T + w["policy_bias"]
        return out

    def _towers(self, batch: Batch) -> torch.Tensor:
        """(2, B, h) last hidden layers of policy and value."""
        w = self.weights
        z = _first(batch, w["first"], w["first_bias"])
        z = z.view(len(z), 2, self.width).transpose(0, 1)
        for k in range(self.depth):
            z = torch.tanh(torch.baddbmm(w[f"layer{k}_bias"], z, w[f"layer{k}"]))
        return z


class ActionValues(Network):
    """Q(s, .): one tower, or for duelling (arXiv 1511.06581) one whose last layer splits into value and advantage.

    Eq. 9 there: Q(s, a) = V(s) + A(s, a) - mean_a' A(s, a'). The mean is over all actions, allowed or not; since the last
    layer is linear it equals the advantage of the averaged weights, so it costs one product instead of n_actions.
    """

    def __init__(
        self, n_obs: int, n_actions: int, widths: tuple[int, ...], dueling: bool, rng: np.random.Generator
    ) -> None:
        super().__init__()
        self.dueling, self.depth = dueling, len(widths) - 1
        sizes = [n_obs, *widths]
        for k, (a, b) in enumerate(pairwise(sizes)):
            split = 2 if dueling and k == self.depth else 1
            parts = [orthogonal((a, b), 2**0.5, rng).detach() for _ in range(split)]
            self.weights[f"layer{k}"] = torch.cat(parts, dim=1).requires_grad_()
            self.weights[f"layer{k}_bias"] = zeros(split * b)
        self.weights["advantage"] = orthogonal((n_actions, widths[-1]), 0.01, rng)
        self.weights["advantage_bias"] = zeros(n_actions)
        if dueling:
            self.weights["value"] = orthogonal((1, widths[-1]), 0.01, rng)
            self.weights["value_bias"] = zeros(1)

    def __call__(self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """Q of all states and of the given actions (None: all), (B, len(actions)); the mask is left to the caller."""
        h, base = self._tower(batch)
        return base + _head(h, self.weights["advantage"], self.weights["advantage_bias"], actions)

    def ranking(self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """Q up to a number that is the same for all actions of a state, (B, len(actions))."""
        return _head(self._hidden(batch)[1], self.weights["advantage"], self.weights["advantage_bias"], actions)

    def of(self, batch: Batch, action: torch.Tensor) -> torch.Tensor:
        """Q of one action a state, (B,)."""
        h, base = self._tower(batch)
        weight = self.weights["advantage"].index_select(0, action)
        return base[:, 0] + (h * weight).sum(1) + self.weights["advantage_bias"].index_select(0, action)

    def single(self, x: Floats, allowed: Ints | None) -> Floats:
        """Q of the allowed actions in one state, up to a constant (the same for all of them) when duelling."""
        w = self.arrays
        z = _first_single(x, w["layer0"], w["layer0_bias"])
        for k in range(1, self.depth + 1):
            z = np.tanh(z @ w[f"layer{k}"] + w[f"layer{k}_bias"])
        return _head_single(z[-w["advantage"].shape[1] :], w["advantage"], w["advantage_bias"], allowed)

    def many(self, x: Floats, mask: Bools | None) -> Floats:
        """Q of all actions in the states x (B, n_obs), up to a constant a state when duelling, (B, A)."""
        w, z = self.arrays, x
        for k in range(self.depth + 1):
            z = np.tanh(z @ w[f"layer{k}"] + w[f"layer{k}_bias"])
        out: Floats = z[:, -w["advantage"].shape[1] :] @ w["advantage"].T + w["advantage_bias"]
        return out

    def _hidden(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Last hidden layers of the value and of the advantage, (B, h); the same one without duelling."""
        w = self.weights
        z = _first(batch, w["layer0"], w["layer0_bias"])
        for k in range(1, self.depth + 1):
            z = torch.tanh(torch.addmm(w[f"layer{k}_bias"], z, w[f"layer{k}"]))
        return (z, z) if not self.dueling else z.tensor_split(2, dim=1)

    def _tower(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """The advantage's last hidden layer (B, h), and what is added to every action's advantage (B, 1)."""
        w, (v, a) = self.weights, self._hidden(batch)
        if not self.dueling:
            return a, a.new_zeros(1, 1)
        value = torch.addmm(w["value_bias"], v, w["value"].T)
        mean = torch.mv(a, w["advantage"].mean(dim=0)) + w["advantage_bias"].mean()
        return a, value - mean[:, None]
