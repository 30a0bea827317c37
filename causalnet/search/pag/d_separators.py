"""Possible-d-sep: the nodes that may be needed to separate x from a node it is joined to (Spirtes et al. 2000).

z is in the set of x iff on a path from x to z every inner node is a collider, or the two beside it are joined
(Colombo, Maathuis, Kalisch and Richardson, Annals of Statistics 40, 2012, Definition 3.3).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ...base.arrays import AnyArray
from ...base.clock import over, watch_until
from ...graph.marks import ARROW
from .ends import Ends


@njit(cache=True)
def possible_d_sep(ends: Ends, deadline: float) -> AnyArray:
    """(d, d) bool: row x holds the set of x, or a part of it, or nothing, where time.monotonic() passes the deadline.

    From every x along edges; u - v - w goes on where u and w are joined, or v is a collider.
    """
    marks, near = ends.marks, ends.near
    d, edges = marks.shape[0], near.member.size
    found = np.zeros((d, d), np.bool_)
    first, last = np.empty(edges, np.int64), np.empty(edges, np.int64)
    watch = watch_until(deadline)
    for x in range(d):
        if over(watch, edges):
            break
        came = np.zeros(edges, np.bool_)  # of each entry of near: does a path take that edge, that way?
        count = 0
        for at in range(near.first[x], near.first[x + 1]):
            found[x, near.member[at]] = came[at] = True
            first[count], last[count] = x, near.member[at]
            count += 1
        while count:
            count -= 1
            u, v = first[count], last[count]
            if over(watch, near.first[v + 1] - near.first[v]):
                return found
            for at in range(near.first[v], near.first[v + 1]):
                w = near.member[at]
                on = marks[u, w] > 0 or (marks[u, v] == ARROW and marks[w, v] == ARROW)
                if on and w != u and w != x and not came[at]:
                    found[x, w] = came[at] = True
                    first[count], last[count] = v, w
                    count += 1
    return found
