"""Which event triggered which: stochastic declustering of a log under a Hawkes model with known parents.

    lambda(e) = mu_v b_n + sum over earlier e' : alpha[j -> v, k] W_k[m, n] g(t_e - t_e')
    P(e' triggered e) = alpha W g / lambda(e)        P(e is a root) = mu_v b_n / lambda(e)

g is exponential with the mean delay d of the edge j -> v. Two devices' clocks differ by a N(0, s^2) law, so between
devices the kernel is integrated over it, which lets an effect be stamped before its cause:

    g_s(lag) = 1/d exp(s^2 / (2 d^2) - lag / d) Phi(lag / s - s / d)

W_k[m, n] is the share of the effects of an event at m, over distance k, that falls on n: evenly over the devices at
that distance. Events N, edges E of types, hops K, candidates C (pairs of a cause and an effect within reach).
(Zhuang, Ogata, Vere-Jones, "Stochastic declustering of space-time earthquake occurrences", JASA 97 (2002) 369-380.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp
from scipy.special import log_ndtr

from ..base.arrays import Array, Codes, Ints

PATIENCE = 10.0  # mean delays after which an effect no longer counts as one
SIGMAS = 3.0  # how far, in deviations of the clocks, an effect may come before its cause


class Candidates(NamedTuple):
    """Pairs of events that may be cause and effect; each array (C,)."""

    cause: Ints
    effect: Ints
    edge: Ints  # row of the edges
    hop: Ints  # column of alpha
    reach: Array  # W_k[m, n]
    lag: Array  # seconds from cause to effect, by their clocks


def spreads(topology: nx.Graph | None, devices: Sequence[str], hops: Sequence[int]) -> list[sp.csr_array]:
    """One sparse (M, M) W_k per hop; a device that the topology lacks reaches itself alone."""
    index = {name: at for at, name in enumerate(devices)}
    cells: list[list[tuple[int, int, float]]] = [[] for _ in hops]
    for name, m in index.items():
        far = {name: 0}
        if topology is not None and name in topology:
            far = nx.single_source_shortest_path_length(topology, name, cutoff=max(hops))
        for k, hop in enumerate(hops):
            ring = [n for n, distance in far.items() if distance == hop]
            cells[k] += [(m, index[n], 1.0 / len(ring)) for n in ring if n in index]
    shape = (len(devices), len(devices))
    return [sp.csr_array((w, (i, j)), shape=shape) for i, j, w in (_columns(found) for found in cells)]


def _columns(cells: list[tuple[int, int, float]]) -> tuple[Ints, Ints, Array]:
    table = np.array(cells, dtype=np.float64).reshape(-1, 3)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2]


def candidates(
    time: Array, kind: Codes, device: Codes, edges: Ints, delay: Array, reach: list[sp.csr_array], skew: float
) -> Candidates:
    """All pairs in reach of each other: time (N,) ascending; edges (E, 2) of types; delay (E,) seconds."""
    of_type = {int(v): np.flatnonzero(kind == v) for v in np.unique(edges)}
    parts: list[tuple[Ints, Ints, Ints, Ints, Array]] = []
    for row, (j, v) in enumerate(edges):
        before, after = of_type[int(j)], of_type[int(v)]
        low = np.searchsorted(time[after], time[before] - SIGMAS * skew, side="left")
        high = np.searchsorted(time[after], time[before] + PATIENCE * delay[row] + SIGMAS * skew, side="right")
        size = high - low
        cause = np.repeat(before, size)
        effect = after[np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size) + np.repeat(low, size)]
        for k, matrix in enumerate(reach):
            share = np.asarray(matrix[device[cause], device[effect]]).ravel() if len(cause) else np.zeros(0)
            same = device[cause] == device[effect]
            take = (share > 0) & (~same | (time[effect] >= time[cause]))
            n = int(take.sum())
            parts.append((cause[take], effect[take], np.full(n, row), np.full(n, k), share[take]))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Candidates(none, none, none, none, np.zeros(0), np.zeros(0))
    cause, effect, edge, hop, share = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Candidates(cause, effect, edge, hop, share, time[effect] - time[cause])


def kernel(lag: Array, delay: Array, skew: Array) -> Array:
    """g at each lag (C,) in seconds, for mean delays (C,) and the clocks' deviations (C,); 0 is one clock."""
    s = np.maximum(skew, 1e-9)
    apart = s**2 / (2.0 * delay**2) - lag / delay + log_ndtr(lag / s - s / delay)
    together = np.where(lag >= 0, -lag / delay, -np.inf)
    return np.asarray(np.exp(np.where(skew > 0, apart, together)) / delay)


def attribute(
    pairs: Candidates, device: Codes, background: Array, alpha: Array, delay: Array, skew: float
) -> tuple[Array, Array, Array]:
    """P(cause triggered effect) (C,), P(root) (N,) and lambda (N,); background (N,) mu b; alpha (E, K), delay (E,)."""
    apart = np.where(device[pairs.cause] == device[pairs.effect], 0.0, skew)
    rate = alpha[pairs.edge, pairs.hop] * pairs.reach * kernel(pairs.lag, delay[pairs.edge], apart)
    intensity = background + np.bincount(pairs.effect, rate, len(device))
    return rate / intensity[pairs.effect], background / intensity, intensity
