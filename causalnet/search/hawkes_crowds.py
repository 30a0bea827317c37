"""A Hawkes process beside what comes on many devices at once (:mod:`causalnet.stats.crowds`).

Members of a crowd bring nothing: what they seem to bring is of the crowd too. But a single event may have brought all of them, such as
the failure of a hub that each of its neighbours tells. So a first graph is learned in which they have causes and no effects; those
that it explains are taken back, which may explain further ones, and the graph is learned from these and all that is in no crowd.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Array, Bools, Codes
from ..stats.crowds import crowded
from ..stats.hawkes_paths import Log
from ..stats.hawkes_traces import Traces
from ..stats.repeats import poll_interval
from .hawkes_search import Limits, members
from .hawkes_unaided import Told, Unaided, learn_unaided
from .label_null import over

EXPLAINED = 0.5  # of the rate at an event, by its causes: more likely an effect than not
ROUNDS = 3  # of taking back
FEW = 0.01  # of the events: fewer in crowds than that change no graph but by chance


def learn_beside_crowds(
    log: Log, kind: Codes, links: sp.csr_array, ties: float | None, told: Told, limits: Limits, keep: bool = False
) -> tuple[Unaided, Bools]:
    """What :func:`learn_unaided` learns, and which events (N,) it is learned from. keep: all."""
    every = np.ones(len(kind), bool)
    kept = every if keep else ~crowded(log, kind, poll_interval(log.time))
    if np.mean(kept) >= 1.0 - FEW or not kept.any() or not np.ptp(log.time[kept]) > 0:
        return learn_unaided(log, kind, links, ties, told, limits), every
    early = limits if told.half is None else limits._replace(deadline=told.half)
    for _ in range(ROUNDS):
        if over(told.half):
            break
        silent = log._replace(lasting=np.where(kept, np.inf if log.lasting is None else log.lasting, 0.0))
        learned = learn_unaided(silent, kind, links, ties, told, early)
        if over(limits.deadline):  # the best so far
            return learned._replace(found=learned.found._replace(complete=False)), every
        back = ~kept & (explained(learned, log.device, kind) > EXPLAINED)
        if not back.any():
            break
        kept = kept | back
    return learn_unaided(log.taken(kept), kind[kept], links, ties, told, limits), kept


def explained(learned: Unaided, device: Codes, kind: Codes) -> Array:
    """(N,) the share of its causes in the rate at each event, beside its own type and what all raise; 0 where not looked at."""
    seen, scorer, found = learned.scorer.exposure, learned.scorer, np.zeros(len(kind))
    assert isinstance(seen, Traces)
    looked = np.ones(len(kind), bool) if learned.views.most is None else learned.views.most[device]
    slots, v = seen.slots, len(seen.size)
    for i in np.flatnonzero(learned.found.adj.any(axis=0)).tolist():
        fit, who = scorer.fit(i, learned.found.parents[i]), members(learned.found.parents[i])
        alpha, free = fit.alpha.reshape(-1, slots), np.array([j == i for j in who] + [True])
        blocks = np.array([*who, v])[:, None] * slots + np.arange(slots)
        others, causes = (blocks[free].ravel(), alpha[free].ravel()), (blocks[~free].ravel(), alpha[~free].ravel())
        found[looked & (kind == i)] = seen.explained(i, others, causes, fit.mu)
    return found
