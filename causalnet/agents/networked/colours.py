"""Colours of agents: those of one colour are so far apart that their truncated critics never overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

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
    """(n,) from 0: two agents of one colour are more than 2 kappa hops apart, so no N_j^kappa holds both of them.

    Greedy, those with most agents around first: never more colours than the largest number of agents within 2 kappa hops.
    """
    near = hop_neighbourhoods(adjacency, 2 * whole("kappa", kappa, 0))
    order = np.argsort(-np.diff(near.indptr), kind="stable").astype(np.int64)
    return np.asarray(_greedy(near.indptr, near.indices, order))
