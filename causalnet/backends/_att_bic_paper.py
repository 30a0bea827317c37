"""Algorithm 1 of arXiv 2402.04869 on the state of att_bic: orient by the effect on the treated, prune by Eq. 6."""

from __future__ import annotations

import numpy as np

from ..stats.hazard_graph import closing
from ..stats.treatment_effect import effect
from ._att_bic_state import Bools, State

ENOUGH = 3  # treated steps before a row of the graph is oriented
LEAST = 0.08  # alarms that a repair takes along on average: less is no effect
SIGNIFICANT = 1.0  # standard errors that an effect must be away from zero


def oriented(state: State) -> Bools:
    """(V, V) bool: i -> j where repairing i leaves fewer j (Theorem 4.2); pairs without data keep the start's edge."""
    setup = state.setup
    seen = effect(state.sums)
    z = -seen.att / seen.error
    known = (seen.n >= ENOUGH)[:, None] & (state.sums.held > 0)
    adj = np.where(known, (-seen.att > LEAST) & (z > SIGNIFICANT), state.start)
    np.fill_diagonal(adj, False)
    adj = (adj & setup.allowed) | setup.required
    result: Bools = adj & ~closing(adj, np.maximum(z, 0.0), setup.required)
    return result


def pruned(state: State, adj: Bools) -> Bools:
    """Drop edges one at a time while the score of Eq. 6 on the earlier log rises, the best first."""
    scorer, required = state.scorer, state.setup.required
    if scorer is None:
        return adj
    adj = adj.copy()
    for i in range(len(adj)):
        mask = (1 << i) | sum(1 << int(j) for j in np.flatnonzero(adj[:, i]))
        while True:
            loose = np.flatnonzero(adj[:, i] & ~required[:, i]).tolist()
            gains = [scorer.score(i, mask ^ (1 << j)) - scorer.score(i, mask) for j in loose]
            if not gains or max(gains) <= 0:
                break
            j = loose[int(np.argmax(gains))]
            adj[j, i] = False
            mask ^= 1 << j
    return adj
