"""Networks for states made of cells, units x variables: one scorer shared by all cells, so devices learn from each other.

score(unit d, variable v | x) = w' tanh(W2' tanh(own_v x_dv + unit x_d. + world g(x) + e_v)), and V = f(g(x)), where
g(x) = (symlog of the sums, and of the counts of non-zero entries, over the units). Nothing depends on which device it is,
so 900 actions share what a plain network learns one by one; nothing is known of the topology either.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import gymnasium
import numpy as np
import torch

from ...base.arrays import Bools, Floats, Ints
from ...base.checks import array_of
from ...envs.copies import attribute
from ...errors import NotApplicable
from .networks import Batch, Network, orthogonal, zeros


class Layout(NamedTuple):
    """Observations are (units, variables, channels), flattened; action a acts on cell[a] = unit * variables + variable."""

    units: int
    variables: int
    channels: int
    cell: Ints


def find_layout(env: gymnasium.Env, n_obs: int, n_actions: int) -> Layout | None:
    """From the environment's ``action_variables`` and ``action_units``; None if they are missing or do not fit."""
    found = [attribute(env, name) for name in ("action_variables", "action_units")]
    if found[0] is None or found[1] is None:
        return None
    variable, unit = (array_of("action_variables", one) for one in found)
    if variable.dtype.kind not in "iu" or unit.dtype.kind not in "iu":
        return None
    if variable.shape != (n_actions,) or unit.shape != (n_actions,):
        return None
    if variable.min() < 0 or unit.min() < 0:  # an action on no variable has no cell
        return None
    units, variables = int(unit.max()) + 1, int(variable.max()) + 1
    if n_obs % (units * variables):
        return None
    return Layout(units, variables, n_obs // (units * variables), unit * variables + variable)


def need_layout(env: gymnasium.Env, n_obs: int, n_actions: int) -> Layout:
    """The same, with NotApplicable in place of None."""
    layout = find_layout(env, n_obs, n_actions)
    if layout is None:
        raise NotApplicable(
            "network='cells' needs an environment with action_variables and action_units, one integer an action each, "
            "whose observations are (units, variables, channels) flattened; write network='mlp'"
        )
    return layout


class _CellNetwork(Network):
    """The shared scorer, in torch for batches and in numpy for one state."""

    def __init__(
        self, layout: Layout, widths: tuple[int, ...], rng: np.random.Generator, value_gain: float = 1.0
    ) -> None:
        super().__init__()
        self.layout, self.depth = layout, len(widths) - 1
        self._cell = torch.tensor(layout.cell)
        inputs, h = layout.variables * layout.channels, widths[0]
        self.weights["own"] = orthogonal((layout.variables * layout.channels, h), 1.0, rng)
        self.weights["unit"] = orthogonal((inputs, h), 1.0, rng)
        self.weights["world"] = orthogonal((2 * inputs, h), 1.0, rng)
        self.weights["variable"] = orthogonal((layout.variables, h), 1.0, rng)
        for k, (a, b) in enumerate(pairwise(widths)):
            self.weights[f"cell{k}"] = orthogonal((a, b), 2**0.5, rng)
            self.weights[f"cell{k}_bias"] = zeros(b)
        self.weights["score"] = orthogonal((1, widths[-1]), 0.01, rng)
        for k, (a, b) in enumerate(pairwise((2 * inputs, *widths))):
            self.weights[f"value{k}"] = orthogonal((a, b), 2**0.5, rng)
            self.weights[f"value{k}_bias"] = zeros(b)
        self.weights["value"] = orthogonal((1, widths[-1]), value_gain, rng)
        self.weights["value_bias"] = zeros(1)

    def prepare(self, x: Floats) -> Batch:
        """The states x (B, n_obs) as a batch, with g(x) (B, 2 V C)."""
        rows = x.reshape(len(x), self.layout.units, -1)
        return Batch(torch.tensor(x), None, torch.tensor(_world(rows)))

    def values(self, batch: Batch) -> torch.Tensor:
        """V of each state, (B,)."""
        assert batch.world is not None
        w, z = self.weights, batch.world
        for k in range(self.depth + 1):
            z = torch.tanh(torch.addmm(w[f"value{k}_bias"], z, w[f"value{k}"]))
        return torch.addmv(w["value_bias"], z, w["value"][0])

    def _score(self, batch: Batch, row: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
        """Scores (M,) of the cells ``cell`` (M,) in the states ``row`` (M,)."""
        assert batch.world is not None
        w, (units, variables, channels, _) = self.weights, self.layout
        variable = cell % variables
        devices = batch.x.view(-1, variables * channels)[row * units + cell // variables]
        own = batch.x.view(-1, channels)[row * (units * variables) + cell]
        z = torch.addmm(w["variable"][variable], devices, w["unit"]) + (batch.world @ w["world"])[row]
        z = torch.tanh(z + (own[:, :, None] * w["own"].view(variables, channels, -1)[variable]).sum(dim=1))
        for k in range(self.depth):
            z = torch.tanh(torch.addmm(w[f"cell{k}_bias"], z, w[f"cell{k}"]))
        return torch.mv(z, w["score"][0])

    def _table(self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """Scores of the allowed ones among ``actions`` (None: all) as (B, len(actions)); 0 elsewhere."""
        cells = self._cell if actions is None else self._cell[actions]
        if mask is None:
            mask = torch.ones(len(batch.x), len(cells), dtype=torch.bool)
        row, column = mask.nonzero(as_tuple=True)
        table = batch.x.new_zeros(mask.shape)
        return table.masked_scatter(mask, self._score(batch, row, cells[column]))

    def single(self, x: Floats, allowed: Ints | None) -> Floats:
        """Scores of the allowed actions in one state x (n_obs,)."""
        w, (units, variables, channels, cell) = self.arrays, self.layout
        cell = cell if allowed is None else cell[allowed]
        device, variable = np.divmod(cell, variables)
        rows = x.reshape(units, variables * channels)
        own = (x.reshape(-1, channels)[cell][:, :, None] * w["own"].reshape(variables, channels, -1)[variable]).sum(
            axis=1
        )
        z = np.tanh(rows[device] @ w["unit"] + _world(rows) @ w["world"] + w["variable"][variable] + own)
        for k in range(self.depth):
            z = np.tanh(z @ w[f"cell{k}"] + w[f"cell{k}_bias"])
        out: Floats = z @ w["score"][0]
        return out

    def many(self, x: Floats, mask: Bools | None) -> Floats:
        """Scores (B, A) where the mask allows, 0 elsewhere, in the states x (B, n_obs)."""
        with torch.no_grad():
            allowed = None if mask is None else torch.from_numpy(mask)
            out: Floats = self._table(self.prepare(x), None, allowed).numpy()
        return out


def _world(rows: Floats) -> Floats:
    """g(x) (..., 2 V C) of the states (..., units, V C)."""
    total, seen = rows.sum(axis=-2), np.count_nonzero(rows, axis=-2).astype(np.float32)
    return np.concatenate((np.sign(total) * np.log1p(np.abs(total)), np.log1p(seen)), axis=-1)


class CellActorCritic(_CellNetwork):
    """Policy logits by the shared scorer, values from g(x)."""

    def __call__(
        self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (B, len(actions)) where mask allows, and values (B,)."""
        return self._table(batch, actions, mask), self.values(batch)


class CellActionValues(_CellNetwork):
    """Q(s, a) = V(s) + score(s, a), minus, for duelling, the mean score of the cells in which something is seen.

    That set is a function of the state alone, so here too the mean is taken before, and without, the mask.
    """

    def __init__(self, layout: Layout, widths: tuple[int, ...], dueling: bool, rng: np.random.Generator) -> None:
        super().__init__(layout, widths, rng, value_gain=0.01)
        self.dueling = dueling
        if not dueling:  # plain Q: the state's value is part of every score, through the world's inputs
            for name in [name for name in self.weights if name.startswith("value")]:
                del self.weights[name]

    def __call__(self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """Q (B, len(actions)) where mask allows."""
        return self._base(batch)[:, None] + self._table(batch, actions, mask)

    def ranking(self, batch: Batch, actions: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor:
        """Q up to a number that is the same for all actions of a state, (B, len(actions)), where mask allows."""
        return self._table(batch, actions, mask)

    def of(self, batch: Batch, action: torch.Tensor) -> torch.Tensor:
        """Q of one action a state, (B,)."""
        return self._base(batch) + self._score(batch, torch.arange(len(action)), self._cell[action])

    def _base(self, batch: Batch) -> torch.Tensor:
        if not self.dueling:
            return batch.x.new_zeros(len(batch.x))
        seen = (batch.x.view(len(batch.x), -1, self.layout.channels) != 0).any(dim=2)
        row, cell = seen.nonzero(as_tuple=True)
        total = batch.x.new_zeros(len(batch.x)).index_add(0, row, self._score(batch, row, cell))
        return self.values(batch) - total / seen.sum(dim=1).clamp(min=1)
