"""The graph of a Hawkes process from its sufficient sums: each type picks its causes by score tests, cycles are cut.

Of target i with the columns S in its fit, theta = G_SS^-1 b_S, a further column a would explain

    s_a = b_a - G_aS theta        z_a = s_a / sqrt(sum over events of i of phi~_a^2)

with phi~_a what S leaves of phi_a; the sum is taken as that of phi_a^2 times the share of G_aa that S leaves. In every
fit are the background, the target's own effects and what events of any type raise alike. An edge needs a z that noise
reaches FEW times in a whole graph, and z^2 / 2 nats above MISFIT per event of the rarer type.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from ..base.arrays import Array, Bools, Ints
from ..stats.hawkes_sums import Moments
from .hazard_graph import closing

FEW = 0.25  # edges of noise in a whole graph
MISFIT = 0.01  # nats per event that delays which are not quite exponential may be worth
KEEP = 0.5  # of the z that lets an edge in, to stay when others joined


class Fitted(NamedTuple):
    """adj, z (V, V) of each edge; theta (V, 1 + C): background and effects in 1/s, the common ones in every column."""

    adj: Bools
    z: Array
    theta: Array


def fit_graph(moments: Moments, hops: int, allowed: Bools, required: Bools) -> Fitted:
    """Causes of every type among ``allowed`` (V, V), acyclic; the weakest edge of a cycle is cut, its target fitted again."""
    v = len(allowed)
    kinds = np.repeat(np.arange(v), hops)
    # the columns once more, and after them their sums over types
    join = np.zeros((1 + (v + 1) * hops, 1 + v * hops))
    join[: 1 + v * hops] = np.eye(1 + v * hops)
    for k in range(hops):
        join[1 + v * hops + k, 1 + k :: hops] = 1.0
    gram, at = join @ moments.gram @ join.T, moments.at @ join.T
    owner = np.concatenate([[v], kinds, np.full(hops, v)])  # v: part of every fit
    size = moments.square[:, 0]
    may, z, theta = allowed.copy(), np.zeros((v, v)), np.zeros((v, 1 + v * hops))
    adj, todo = required.copy(), list(range(v))
    while todo:
        for i in todo:
            least = np.sqrt(2.0 * MISFIT * np.minimum(size[i], size))
            least = np.maximum(least, -ndtri(FEW / max(1, v * (v - 1) * hops)))
            square = np.append(moments.square[i], np.full(hops, np.inf))
            parents, z[:, i], own = _causes(gram, at[i], square, owner, i, may[:, i], required[:, i], least)
            adj[:, i], theta[i] = parents, own @ join
        banned = closing(adj, z, required)
        may &= ~banned
        todo = np.flatnonzero(banned.any(axis=0)).tolist()
    return Fitted(adj, z, theta)


def _causes(
    gram: Array, b: Array, square: Array, owner: Ints, i: int, may: Bools, must: Bools, least: Array
) -> tuple[Bools, Array, Array]:
    """Causes (V,), z (V,) of what each adds to the others, and theta over all columns of ``gram``."""
    v = len(may)
    chosen = must.copy()
    diagonal = np.diag(gram)
    for _ in range(2 * v):
        use, theta = _fit(gram, b, owner, np.append(chosen, True), i)
        z = _z(gram, b, square, use, theta, diagonal)
        each = np.full(v, -np.inf)
        np.maximum.at(each, owner[owner < v], z[owner < v])
        each[chosen | ~may] = -np.inf
        each[i] = -np.inf
        new = int(np.argmax(each - least))
        if each[new] < least[new]:
            break
        chosen[new] = True
        for j in np.flatnonzero(chosen & ~must).tolist():  # those that the new one explains go again
            without = chosen.copy()
            without[j] = False
            if j != new and _worth(gram, b, square, owner, without, i, j, diagonal) < KEEP * least[j]:
                chosen = without
                may = may & (np.arange(v) != j)
    found = np.zeros(v)
    for j in np.flatnonzero(chosen).tolist():
        without = chosen.copy()
        without[j] = False
        found[j] = max(_worth(gram, b, square, owner, without, i, j, diagonal), 0.0)
    use, theta = _fit(gram, b, owner, np.append(chosen, True), i)
    whole = np.zeros(len(b))
    whole[use] = theta
    return chosen, found, whole


def _worth(gram: Array, b: Array, square: Array, owner: Ints, chosen: Bools, i: int, j: int, diagonal: Array) -> float:
    """z of type j on top of the types ``chosen``."""
    use, theta = _fit(gram, b, owner, np.append(chosen, True), i)
    return float(_z(gram, b, square, use, theta, diagonal)[owner == j].max())


def _fit(gram: Array, b: Array, owner: Ints, chosen: Bools, i: int) -> tuple[Ints, Array]:
    """The columns in use, and theta >= 0 of them: those that come out negative leave, the most negative first."""
    chosen = chosen.copy()
    chosen[i] = True
    use = np.flatnonzero(chosen[owner] & (np.diag(gram) > 0))
    while True:
        h = gram[np.ix_(use, use)]
        theta = np.linalg.solve(h + np.diag(1e-9 * np.diag(h)), b[use])
        if len(use) <= 1 or theta[1:].min() >= 0:
            return use, np.maximum(theta, 1e-12)
        use = np.delete(use, 1 + int(np.argmin(theta[1:])))


def _z(gram: Array, b: Array, square: Array, use: Ints, theta: Array, diagonal: Array) -> Array:
    """The score test of each column."""
    h = gram[np.ix_(use, use)]
    cross = np.linalg.solve(h + np.diag(1e-9 * np.diag(h)), gram[use])
    left = np.clip(1.0 - (gram[use] * cross).sum(axis=0) / np.maximum(diagonal, 1e-300), 0.0, 1.0)
    variance = square * left
    score = b - theta @ gram[use]
    some = (left > 1e-6) & (variance > 0) & np.isfinite(variance)
    return np.where(some, score / np.sqrt(np.where(some, variance, 1.0)), 0.0)
