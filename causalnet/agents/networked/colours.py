"""Colours of agents: those of one colour are so far apart that their truncated critics never overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

from ...base.arrays import Codes, Ints
from ...base.checks import whole
from ...envs.networked.neighbourhoods import hop_neighbourhoods


@njit(cache=True)
def _greedy(indptr: Codes, indices: Codes, order: Ints) -> Ints:
    n = order.size
    colour = np.full(n, -1, np.int64)
    taken = np.full(n + 1, -1, np.int64)  # taken[c] = i: some agent near i has colour c
    for i in order:
        for e in range(indptr[i], indptr[i + 1]):
            if colour[indices[e]] >= 0:
                taken[colour[indices[e]]] = i
        c = 0
        while taken[c] == i:
            c += 1
        colour[i] = c
    return colour


def colour_agents(adjacency: Any, kappa: int) -> Ints:
    """(n,) from 0: no N_j^kappa holds two agents of one colour; where influence runs both ways they are more than 2 kappa hops apart.

    Greedy, those with most agents around first: never more colours than the largest number of agents that one shares balls with.
    """
    balls = hop_neighbourhoods(adjacency, whole("kappa", kappa, 0)).astype(np.int32)
    near = sparse.csr_matrix(balls.T @ balls)  # who shares a ball with whom
    near.sort_indices()
    order = np.argsort(-np.diff(near.indptr), kind="stable").astype(np.int64)
    return np.asarray(_greedy(near.indptr, near.indices, order))
