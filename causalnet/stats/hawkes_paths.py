"""Over which paths events on one device are felt on another: hop weights of a topology, sparse, by receiving device."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Array, Bools, Codes, Ints
from .hawkes import Normalization


def hop_matrices(links: sp.csr_array, hops: tuple[int, ...], normalization: Normalization) -> list[sp.csr_array]:
    """The hop weights of :func:`causalnet.stats.hawkes.hop_weights` as sparse (M, M) matrices; links (M, M) of 0 and 1."""
    m = links.shape[0]
    near = [sp.eye_array(m, format="csr")]  # nodes k links away, k = 0, 1, ...
    if normalization == "none":
        seen = near[0]
        for _ in range(max(hops)):
            front = (near[-1] @ links).astype(bool).astype(np.float64)
            front = (front - front.multiply(seen)).tocsr()
            front.eliminate_zeros()
            near.append(front)
            seen = (seen + front).tocsr()
        return [near[k] for k in hops]
    degree = np.asarray(links.sum(axis=1)).ravel()
    power = -1.0 if normalization == "degree" else -0.5
    scale = sp.diags_array(np.where(degree > 0, np.maximum(degree, 1.0) ** power, 0.0))
    step = (scale @ links @ scale).tocsr()
    for _ in range(max(hops)):
        near.append((near[-1] @ step).tocsr())
    return [near[k] for k in hops]


class Paths(NamedTuple):
    """By receiving device n, at start[n] : start[n + 1]: which device reaches it, over which hop, how strongly."""

    start: Ints
    device: Ints
    hop: Ints
    weight: Array
    hops: int


def paths_to(matrices: list[sp.csr_array]) -> Paths:
    """The non-zeros of the hop weights, each (M, M) from row to column, sorted by column."""
    found = [matrix.tocoo() for matrix in matrices]
    source, goal = (np.concatenate([f.coords[axis] for f in found]).astype(np.int64) for axis in (0, 1))
    hop = np.repeat(np.arange(len(found)), [f.nnz for f in found])
    order = np.lexsort((source, hop, goal))
    start = np.searchsorted(goal[order], np.arange(matrices[0].shape[0] + 1))
    weight = np.concatenate([f.data for f in found])[order].astype(np.float64)
    return Paths(start, source[order], hop[order], weight, len(found))


class Log(NamedTuple):
    """An event log sorted by time as arrays (N,), with the paths between its M devices.

    lasting: seconds after which an event has no more effects (an alarm that is cleared), inf where it goes on, 0 where it has
    none at all; None: all go on.
    """

    time: Array
    device: Codes
    paths: Paths
    lasting: Array | None = None

    def taken(self, which: slice | Bools) -> Log:
        """Some of its events."""
        lasting = None if self.lasting is None else self.lasting[which]
        return Log(self.time[which], self.device[which], self.paths, lasting)

    @property
    def marks(self) -> Marks:
        """What changes the effects that are felt, in order of time."""
        every = np.arange(len(self.time))
        if self.lasting is None:
            return Marks(self.time, every, np.zeros(len(every), np.bool_), np.full(len(every), np.inf))
        begins = np.flatnonzero(self.lasting > 0)
        over = begins[(self.time + self.lasting)[begins] <= self.time[-1]]
        event = np.append(begins, over)
        ends = np.arange(len(event)) >= len(begins)
        time = np.where(ends, (self.time + self.lasting)[event], self.time[event])
        order = np.argsort(time, kind="stable")
        return Marks(time[order], event[order], ends[order], self.lasting)


class Marks(NamedTuple):
    """Beginnings and ends of the effects of events, (Z,) sorted by time; lasting (N,) as in the log."""

    time: Array
    event: Ints
    ends: Bools
    lasting: Array
