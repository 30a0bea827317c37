"""Possible-d-sep: the nodes that may be needed to separate x from a node it is joined to (Spirtes et al. 2000).

z is in the set of x iff on a path from x to z every inner node is a collider, or the two beside it are joined
(Colombo, Maathuis, Kalisch and Richardson, Annals of Statistics 40, 2012, Definition 3.3).
"""

from __future__ import annotations

from ...graph.marks import ARROW
from ...graph.separation import bits
from .ends import Ends


def possible_d_sep(ends: Ends) -> list[int]:
    """Of every node its set, as an integer."""
    return [_from(ends, x) for x in range(ends.d)]


def _from(ends: Ends, x: int) -> int:
    near, arrow = ends.near, ends.own[ARROW]
    came = [0] * ends.d  # [v]: from where paths have come to v
    fresh = [(x, v) for v in bits(near[x])]
    found = near[x]
    for _, v in fresh:
        came[v] = 1 << x
    while fresh:
        u, v = fresh.pop()
        on = near[u] | (arrow[v] if arrow[v] >> u & 1 else 0)
        for w in bits(near[v] & on & ~(1 << u | 1 << x)):
            if not came[w] >> v & 1:
                came[w] |= 1 << v
                found |= 1 << w
                fresh.append((v, w))
    return found
