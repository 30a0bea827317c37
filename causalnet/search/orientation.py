"""Arrows that every DAG with this skeleton, these separating sets and this knowledge shares.

Knowledge first, then unshielded colliders, then Meek's rules (Spirtes, Glymour and Scheines 2000; Meek 1995). On
samples the three can contradict one another. What happens then:

* Knowledge always wins. If one-sided prohibitions leave no acyclic way to orient the joined pairs, the pair with the
  weakest evidence on the cycle being closed is taken out, and reported.
* Colliders x -> z <- y are drawn in order of the p-value that separates x from y, largest first (ties: the pair of
  edges with the stronger evidence). One that contradicts an arrow already there, or would close a directed cycle, is
  not drawn at all.
* Meek's rules draw the edge with the strongest evidence first; see :mod:`causalnet.graph.meek`.

So the result has no directed cycle and, unless two p-values are exactly equal, does not depend on the column order.
A pair that was never tested counts as neither adjacent nor separated: no collider, and no rule that argues from "not
adjacent", is drawn across it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..graph.meek import add_arrow, close, has
from .skeleton import Skeleton

KNOWN, COLLIDER = 5, 6  # beside R1..R4


@dataclass(frozen=True)
class Orientation:
    """adj: (d, d) bool. rule: (d, d) int8, what drew i -> j: R1..R4, KNOWN, COLLIDER, or 0. partner: (d, d) int32,
    for a collider i -> j <- k the k, else -1. dropped: (k, 2) int64, pairs that knowledge left no room for.
    conflicts: colliders and rule applications given up because they contradicted stronger ones."""

    adj: Bools
    rule: NDArray[np.int8]
    partner: Codes
    dropped: Ints
    conflicts: int


def orient(skeleton: Skeleton, allowed: Bools, required: Bools) -> Orientation:
    """Orient a skeleton under knowledge; allowed, required: (d, d) bool as Knowledge.compile gives them."""
    d = len(allowed)
    adj = skeleton.adj.copy()
    rule, partner = np.zeros((d, d), np.int8), np.full((d, d), -1, np.int32)
    below = np.zeros((d, (d + 63) // 64), np.uint64)
    shield = adj | (skeleton.size < 0)
    dropped = np.zeros((0, 2), np.int64)
    if allowed.sum() != d * (d - 1):
        dropped = _draw_known(adj, allowed, required, skeleton.weakness, rule, below)
    i, z, j = _colliders(adj, shield, skeleton.size, skeleton.start, skeleton.members)
    edges = np.maximum(skeleton.weakness[i, z], skeleton.weakness[j, z])
    order = np.lexsort((edges, -skeleton.weakness[i, j]))
    conflicts = _draw_colliders(adj, i[order], z[order], j[order], rule, partner, below)
    conflicts += close(adj, shield, -skeleton.weakness, rule, below)
    return Orientation(adj, rule, partner, dropped, conflicts)


def _draw_known(
    adj: Bools, allowed: Bools, required: Bools, weakness: Array, rule: NDArray[np.int8], below: NDArray[np.uint64]
) -> Ints:
    """Draw, in place, the pairs whose direction is known: required ones, then the strongest. Returns (k, 2) dropped."""
    one_way = np.argwhere(adj & allowed & ~allowed.T)
    tail, head = one_way[:, 0], one_way[:, 1]
    dropped = []
    for a, b in one_way[np.lexsort((weakness[tail, head], ~required[tail, head]))]:
        if has(below[b], a):
            adj[a, b] = adj[b, a] = False
            dropped.append((a, b))
        else:
            add_arrow(a, b, adj, below)
            rule[a, b] = KNOWN
    return np.array(dropped, np.int64).reshape(-1, 2)


@njit(cache=True)
def _colliders(
    adj: AnyArray, shield: AnyArray, size: AnyArray, start: AnyArray, members: AnyArray
) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Unshielded x - z - y whose separating set lacks z: three (k,) int64 arrays x, z, y with x < y."""
    xs, zs, ys = [0][:0], [0][:0], [0][:0]
    for z in range(adj.shape[0]):
        near = np.flatnonzero(adj[z] | adj[:, z])
        for a in range(near.size):
            for b in range(a + 1, near.size):
                x, y = near[a], near[b]
                if shield[x, y]:
                    continue
                inside = False
                for k in range(start[x, y], start[x, y] + size[x, y]):
                    inside |= members[k] == z
                if not inside:
                    xs.append(x)
                    zs.append(z)
                    ys.append(y)
    return np.array(xs, np.int64), np.array(zs, np.int64), np.array(ys, np.int64)


@njit(cache=True)
def _draw_colliders(
    adj: AnyArray, xs: AnyArray, zs: AnyArray, ys: AnyArray, rule: AnyArray, partner: AnyArray, below: AnyArray
) -> int:
    """Draw x -> z <- y in the given order, in place; return how many were given up."""
    conflicts = 0
    for k in range(xs.size):
        x, z, y = xs[k], zs[k], ys[k]
        if not (adj[x, z] and adj[y, z]) or has(below[z], x) or has(below[z], y):
            conflicts += 1
            continue
        for a, other in ((x, y), (y, x)):
            if adj[z, a]:
                add_arrow(a, z, adj, below)
                rule[a, z] = COLLIDER
                partner[a, z] = other
    return conflicts
