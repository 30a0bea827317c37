"""Possible-d-sep: the nodes that may be needed to separate x from a node it is joined to (Spirtes et al. 2000).

z is in the set of x iff on a path from x to z every inner node is a collider, or the two beside it are joined
(Colombo, Maathuis, Kalisch and Richardson, Annals of Statistics 40, 2012, Definition 3.3).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Bools
from ...base.clock import now
from ...graph.marks import ARROW
from .ends import Ends


def possible_d_sep(ends: Ends, deadline: float = np.inf) -> Bools:
    """(d, d) bool: row x holds the set of x, or nothing if time.monotonic() is past the deadline by then."""
    marks = ends.marks()
    found: Bools = _reach(marks > 0, marks == ARROW, deadline)
    return found


@njit(cache=True)
def _reach(near: AnyArray, arrow: AnyArray, deadline: float) -> AnyArray:
    """From every x along edges; u - v - w goes on where u and w are joined, or v is a collider. arrow: [u, v] at v of u *-* v."""
    d = len(near)
    found = np.zeros((d, d), np.bool_)
    first, last = np.empty(d * d, np.int64), np.empty(d * d, np.int64)
    for x in range(d):
        if deadline < np.inf and now() > deadline:
            break
        came = np.zeros((d, d), np.bool_)  # [u, v]: a path comes to v from u
        count = 0
        for v in range(d):
            if near[x, v]:
                found[x, v] = came[x, v] = True
                first[count], last[count] = x, v
                count += 1
        while count:
            count -= 1
            u, v = first[count], last[count]
            for w in range(d):
                on = near[u, w] or (arrow[u, v] and arrow[w, v])
                if near[v, w] and on and w != u and w != x and not came[v, w]:
                    found[x, w] = came[v, w] = True
                    first[count], last[count] = v, w
                    count += 1
    return found
