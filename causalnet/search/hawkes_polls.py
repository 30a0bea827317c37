"""Which of two types that share their polls comes first: by what earlier polls told of the one, and later ones of the other.

Events of one poll have no order, so they tell who belongs together and not which way. Of a pair j, i the count Y_j of
the same poll is part of the fit of i in any case, and the decayed count S_j of the polls before is what is tested. Where
j causes i, S_j says more of i than S_i does of j.
"""

from __future__ import annotations

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..stats.hawkes_sums import Polls
from .score_tests import Tested, fit_columns, scores


def before(polls: Polls, adj: Bools, hops: int) -> Array:
    """(V, V) z of S_j on top of Y_j and of the causes of i in ``adj`` (V, V), for every pair that it joins either way."""
    v = len(adj)
    z = np.zeros((v, v))
    for j, i in np.argwhere(adj | adj.T).tolist():
        columns = _columns(polls, i, [int(k) for k in np.flatnonzero(adj[:, i]) if k != j], j, hops)
        n = columns.shape[1]
        gram, b = columns.T @ polls.gram @ columns, polls.at[i] @ columns
        whole, heard = (columns * (polls.whole @ columns)).sum(axis=0), polls.heard[i] @ columns
        square = np.append(np.full(n - hops, np.inf), polls.square[i, j * hops : (j + 1) * hops])
        use, theta = fit_columns(gram, b, np.flatnonzero(np.diag(gram)[: n - hops] > 0))
        tested = Tested(whole, heard, square, polls.ground @ columns)
        z[j, i] = scores(gram, b, tested, use, theta, hops)[-1]
    return z


def _columns(polls: Polls, i: int, causes: list[int], j: int, hops: int) -> Array:
    """(2C, p) i's own S, effects of all types together, those of the causes, Y_j, and S_j last."""
    half = len(polls.gram) // 2
    v = half // hops

    def of(kinds: Ints, later: float, once: float) -> Array:
        """(2C, hops) the sums over some types of later S + once Y."""
        w = np.zeros((2 * half, hops))
        for k in range(hops):
            w[kinds * hops + k, k] = later
            w[half + kinds * hops + k, k] = once
        return w

    own = np.array([i])
    others = np.delete(np.arange(v), i)
    common = of(others, polls.later, polls.once) + of(own, polls.later, 0.0)
    felt = [of(np.array([k]), polls.later, polls.once) for k in causes]
    pair = np.array([j])
    return np.hstack([of(own, polls.later, 0.0), common, *felt, of(pair, 0.0, 1.0), of(pair, 1.0, 0.0)])
