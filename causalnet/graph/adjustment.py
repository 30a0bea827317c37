"""Which sets of variables adjust for confounding: the criterion behind the structural intervention distance."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..base.arrays import Bools


@njit(cache=True)
def valid_adjustment(adj: Bools, reach: Bools, i: int, j: int, z: Bools) -> bool:
    """Is z (d,) a valid adjustment set for the effect of i on j in the DAG adj? (Shpitser et al. 2010)

    reach: (d, d), ``[i, j]`` iff there is a directed path i -> ... -> j; every node reaches itself.
    """
    d = adj.shape[0]
    for w in range(d):  # no member of z may descend from a node on a causal path i -> ... -> j
        if w != i and reach[i, w] and reach[w, j]:
            for k in range(d):
                if z[k] and reach[w, k]:
                    return False
    # z must block every other path: d-separation once the causal first steps i -> w are removed
    ancestor = np.zeros(d, dtype=np.bool_)  # of z: opens colliders
    for k in range(d):
        if z[k]:
            for w in range(d):
                if reach[w, k]:
                    ancestor[w] = True
    # reach was computed before removing the steps; a lost ancestor of z would lie on a causal path, excluded above
    seen = np.zeros((d, 2), dtype=np.bool_)  # arrived at node from a child (0) or from a parent (1)
    stack = np.empty((2 * d + 2, 2), dtype=np.int64)
    top = 1
    stack[0, 0], stack[0, 1] = i, 0
    seen[i, 0] = True
    while top > 0:
        top -= 1
        v, came = stack[top, 0], stack[top, 1]
        if v == j:
            return False
        down, up = not z[v], ancestor[v] if came == 1 else not z[v]  # may a path go on to children, to parents?
        for u in range(d):
            if down and adj[v, u] and not seen[u, 1] and not (v == i and reach[u, j]):
                seen[u, 1] = True
                stack[top, 0], stack[top, 1] = u, 1
                top += 1
            if up and adj[u, v] and not seen[u, 0] and not (u == i and reach[v, j]):
                seen[u, 0] = True
                stack[top, 0], stack[top, 1] = u, 0
                top += 1
    return True
