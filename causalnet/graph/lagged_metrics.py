"""How far learned links are from the true ones, lag by lag and in the summary."""

from __future__ import annotations

import numpy as np

from ..base.arrays import Bools
from ..base.checks import instance
from .lagged import LaggedGraph


def score_lags(truth: LaggedGraph, learned: LaggedGraph) -> dict[str, float]:
    """F1 of links (cause, lag, effect) of the past; of their summary, ordered pairs of two variables, two-cycles kept;
    and of the pairs joined at lag 0. Both graphs empty count as 1."""
    for which, given in (("truth", truth), ("learned", learned)):
        instance(which, given, LaggedGraph, "a LaggedGraph; LaggedGraph.from_links(nodes, links) makes one")
    found = learned.align(truth.nodes).links
    other = ~np.eye(truth.d, dtype=bool)
    lags = max(len(found), len(truth.links))
    t, g = (np.pad(one, ((0, lags - len(one)), (0, 0), (0, 0))) for one in (truth.links, found))
    now = [np.triu(one[0] | one[0].T) for one in (t, g)]
    return {
        "lagged_f1": _f1(t[1:], g[1:]),
        "summary_f1": _f1(t[1:].any(axis=0) & other, g[1:].any(axis=0) & other),
        "now_f1": _f1(*now),
    }


def _f1(truth: Bools, found: Bools) -> float:
    total = int(truth.sum() + found.sum())
    return 2.0 * float((truth & found).sum()) / total if total else 1.0
