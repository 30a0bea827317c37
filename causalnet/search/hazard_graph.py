"""Acyclic graph of constant hazards: every type picks its causes alone, then cycles are cut at their weakest edge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools
from ..stats.hazard_fit import Fit, Target, choose, fit


class Chosen(NamedTuple):
    """adj (V, V) bool; fits: one per target; loss (V, V): nats that the fit of i loses without j -> i."""

    adj: Bools
    fits: tuple[Fit, ...]
    loss: Array


def search(
    targets: Sequence[Target],
    allowed: Bools,
    required: Bools,
    hops: int,
    price: float,
    start: Sequence[Bools],
    until: float = math.inf,
) -> Chosen:
    """Maximise sum_i [L_i - price * (number of (type, hop) columns)] over directed graphs.

    allowed, required: (V, V) bool over types; start: for each type the (P,) bool columns to begin with. Each type chooses
    by itself; while there is a cycle, edges are laid in order of their loss, strongest first, those that would close
    a cycle are forbidden, and the types that lost one choose again. until: time.monotonic; types that come later keep the
    causes they begin with.
    """
    v = len(targets)
    open_, must = allowed.copy(), required.copy()
    fits = [
        choose(targets[i], *_columns(i, open_, must, hops), price, np.flatnonzero(start[i]), until) for i in range(v)
    ]
    loss = np.zeros((v, v))
    stale = set(range(v))
    while True:
        for i in stale:
            loss[:, i] = _losses(targets[i], fits[i], v, hops)
        adj = np.stack([_parents(f, i, v, hops) for i, f in enumerate(fits)], axis=1)
        banned = closing(adj, loss, must)
        if not banned.any():
            return Chosen(adj, tuple(fits), loss)
        open_ &= ~banned
        stale = set(np.flatnonzero(banned.any(axis=0)).tolist())
        for i in stale:
            fits[i] = choose(targets[i], *_columns(i, open_, must, hops), price, fits[i].columns, until)


def _columns(i: int, allowed: Bools, required: Bools, hops: int) -> tuple[Bools, Bools]:
    """(P,) which columns target i may use, and must use; a type may always excite itself, which is no edge."""
    may = allowed[:, i].copy()
    may[i] = True
    ground = np.ones(2, dtype=bool)
    return np.concatenate([ground, np.repeat(may, hops)]), np.concatenate([ground, np.repeat(required[:, i], hops)])


def _parents(found: Fit, i: int, v: int, hops: int) -> Bools:
    """(V,) the types whose columns are chosen, without the target itself."""
    used = np.zeros(v, dtype=bool)
    used[(found.columns[2:] - 2) // hops] = True
    used[i] = False
    return used


def _losses(target: Target, found: Fit, v: int, hops: int) -> Array:
    """(V,) what L loses when all the columns of a type are dropped."""
    loss = np.zeros(v)
    owner = np.where(found.columns < 2, -1, (found.columns - 2) // hops)
    for j in set(owner[2:].tolist()):
        rest = owner != j
        loss[j] = found.value - fit(target, found.columns[rest], np.maximum(found.theta[rest], 1e-2)).value
    return loss


def closing(adj: Bools, loss: Array, required: Bools) -> Bools:
    """(V, V) the edges that close a cycle when edges are laid required first, then by falling loss."""
    v = len(adj)
    reach = np.eye(v, dtype=bool)  # reach[a, b]: a leads to b by what is laid
    banned = np.zeros_like(adj)
    cause, effect = np.nonzero(adj)
    for at in np.lexsort((-loss[cause, effect], ~required[cause, effect])):
        a, b = cause[at], effect[at]
        if reach[b, a]:
            banned[a, b] = True
        else:
            reach |= reach[:, [a]] & reach[[b], :]
    return banned
