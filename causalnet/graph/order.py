"""A causal order of any directed graph, cycles included, produced from its head: causes before effects."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arrays import Array, Bools
from ..base.checks import array_of, shown
from ..errors import DataError


def causal_order(adj: Bools, push: Array | None = None) -> Iterator[int]:
    """Indices of all nodes, causes first: a topological order of the strongly connected components of ``adj`` (d, d).

    Where the order is open, a node without causes comes before a cycle, then the node with the most descendants
    (it explains most), then the one that gives most: its row sum of ``push`` less its column sum, then the lower
    index. A cycle stands together. It is opened at the node that gives most, and the rest of it is ordered likewise,
    which leaves few and weak edges against the order (the greedy rule of Eades, Lin and Smyth, 1993).

    push: (d, d) size of every effect, zero off the edges; None counts every edge as one.
    """
    adj = np.asarray(adj, dtype=bool)
    push = adj.astype(np.float64) if push is None else push
    d = len(adj)
    reach = ancestry(adj)
    above = reach & ~reach.T  # one-way ancestors: those in an earlier component
    together = reach & reach.T
    gives = push.sum(axis=1) - push.sum(axis=0)
    rank = np.lexsort((-gives, -above.sum(axis=1), together.any(axis=1)))  # stable: the lower index last
    waiting = np.ones(d, dtype=bool)
    causes = above.sum(axis=0)
    while waiting.any():
        node = int(next(i for i in rank if waiting[i] and not causes[i]))
        members = np.flatnonzero(together[node]) if together[node].any() else np.array([node])
        yield from [node] if len(members) == 1 else _open_cycle(members, gives, adj, push)
        waiting[members] = False
        causes -= above[members].sum(axis=0)


def _open_cycle(members: NDArray[np.intp], gives: Array, adj: Bools, push: Array) -> Iterator[int]:
    """The members of one component: first the one that gives most, then the causal order of the others."""
    first = members[np.argmax(gives[members])]
    yield int(first)
    rest = members[members != first]
    block = np.ix_(rest, rest)
    for i in causal_order(adj[block], push[block]):
        yield int(rest[i])


def ancestry(adj: Bools) -> Bools:
    """(d, d) bool: [i, j] iff a directed path of at least one edge leads from i to j (Warshall)."""
    reach = np.array(adj, dtype=bool)
    for mid in range(len(reach)):
        reach |= reach[:, mid, None] & reach[None, mid, :]
    return reach


def is_acyclic(adj: ArrayLike) -> bool:
    """True iff the directed graph ``adj`` (d, d) has no directed cycle (Kahn's algorithm)."""
    return topological_order(adj) is not None


def _square(adj: ArrayLike) -> Bools:
    """The (d, d) bools of a matrix; DataError for anything else."""
    a = array_of("adj", adj)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or a.dtype.kind not in "biuf":
        raise DataError(f"adj is {shown(adj)}, and must be a square matrix, True or 1 where i -> j")
    return a.astype(bool, copy=False)


def topological_order(adj: ArrayLike) -> list[int] | None:
    """Causes before effects; None when there is a directed cycle."""
    a = _square(adj)
    waiting = a.sum(axis=0).astype(int)
    ready = [int(i) for i in np.flatnonzero(waiting == 0)]
    order: list[int] = []
    while ready:
        node = ready.pop(0)
        order.append(node)
        for child in np.flatnonzero(a[node]):
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(int(child))
    return order if len(order) == len(a) else None


def find_cycle(adj: ArrayLike) -> list[int] | None:
    """One directed cycle as node indices (first repeated at the end is left out), or None."""
    a = _square(adj).copy()
    while (a.any(axis=0) != a.any(axis=1)).any():  # peel sources and sinks: what stays lies on or between cycles
        inner: Bools = np.logical_and(a.any(axis=0), a.any(axis=1))
        a &= inner & inner[:, None]
    if not a.any():
        return None
    path = [int(a.any(axis=1).argmax())]
    while (after := int(a[path[-1]].argmax())) not in path:
        path.append(after)
    return path[path.index(after) :]
