"""A Hawkes process beside what comes on many devices at once (:mod:`causalnet.stats.crowds`).

Members of a crowd bring nothing: what they seem to bring is of the crowd too. But a single event may have brought all of them, such as
the failure of a hub that each of its neighbours tells. So a first graph is learned in which they have causes and no effects; those
that it explains are taken back where it explains most of their crowd, which may explain further ones, and the graph is learned from these
and all that is in no crowd. One by one, some of a sweep are explained by chance, and would seem to bring the rest of it.
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
    crowd = ~every if keep else crowded(log, kind, poll_interval(log.time))
    kept = ~crowd
    if np.mean(crowd) <= FEW or not kept.any() or not np.ptp(log.time[kept]) > 0:
        return learn_unaided(log, kind, links, ties, told, limits), every
    early = limits if told.half is None else limits._replace(deadline=told.half)
    for _ in range(ROUNDS):
        if over(told.half):
            break
        silent = log._replace(lasting=np.where(kept, np.inf if log.lasting is None else log.lasting, 0.0))
        learned = learn_unaided(silent, kind, links, ties, told, early)
        if over(limits.deadline):  # the best so far
            return learned._replace(found=learned.found._replace(complete=False)), every
        likely = explained(learned, log.device, kind) > EXPLAINED
        back = ~kept & likely & _mostly(likely, crowd, log.time, kind, learned.delay)
        if not back.any():
            break
        kept = kept | back
    return learn_unaided(log.taken(kept), kind[kept], links, ties, told, limits), kept


def _mostly(likely: Bools, crowd: Bools, time: Array, kind: Codes, delay: float) -> Bools:
    """(N,) the members of crowds of which most are ``likely`` (N,). One crowd: members of a type, each within a delay of the next."""
    at = np.flatnonzero(crowd)
    at = at[np.lexsort((time[at], kind[at]))]
    which = np.cumsum((np.diff(kind[at], prepend=-1) != 0) | (np.diff(time[at], prepend=-np.inf) > delay)) - 1
    found = np.zeros(len(kind), bool)
    found[at] = (np.bincount(which, likely[at]) > np.bincount(which) / 2.0)[which]
    return found


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
