"""Why a pair is joined or not, kept as arrays and read as dicts."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..base.arrays import Array, Bools
from .labels import node_names


class PairEvidence(Mapping[tuple[str, str], Mapping[str, Any]]):
    """Evidence per pair kept as arrays and turned into dicts only when read.

    nodes: the graph's names. present: (d, d) bool, the pairs that have evidence (read for i < j when symmetric).
    describe(i, j): builds the dict of one pair from the backend's own arrays; it must be picklable.
    """

    def __init__(self, nodes: Sequence[str], present: Bools, describe: Callable[[int, int], Mapping[str, Any]]) -> None:
        self._nodes = node_names(nodes)
        self._index = {name: i for i, name in enumerate(self._nodes)}
        self._present = present
        self._describe = describe

    def __getitem__(self, pair: tuple[str, str]) -> Mapping[str, Any]:
        i, j = self._index[pair[0]], self._index[pair[1]]
        if not self._present[i, j]:
            raise KeyError(pair)
        return self._describe(i, j)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((self._nodes[i], self._nodes[j]) for i, j in np.argwhere(self._present))

    def __len__(self) -> int:
        return int(self._present.sum())


def by_chain(nodes: Sequence[str], adj: Bools, gain: Array, j: int, i: int) -> dict[str, Any]:
    """What a chain of other edges says of the edge j -> i, nothing if there is none or no edge. adj, gain: (d, d), in nats.

    "chain": of all paths from j to i over other nodes, the one whose weakest edge gains most. "ancestor": whether the edge
    gains less than that: then j may act on i through the chain alone, an ancestor and no parent.
    """
    if not adj[j, i]:
        return {}
    path, weakest = _chain(adj, gain, j, i)
    if not path:
        return {}
    return {"chain": [nodes[k] for k in path], "ancestor": bool(gain[j, i] < weakest)}


def _chain(adj: Bools, gain: Array, j: int, i: int) -> tuple[list[int], float]:
    """The widest path of two edges or more from j to i, and its width."""
    width, via = {j: math.inf}, {j: j}
    waiting = [(-math.inf, j)]
    while waiting and waiting[0][1] != i:
        wide, k = heapq.heappop(waiting)
        for n in np.flatnonzero(adj[k]).tolist():
            through = min(-wide, float(gain[k, n]))
            if (k, n) != (j, i) and through > width.get(n, -math.inf):
                width[n], via[n] = through, k
                heapq.heappush(waiting, (-through, n))
    if i not in via:
        return [], 0.0
    path = [i]
    while path[-1] != j:
        path.append(via[path[-1]])
    return path[::-1], width[i]
