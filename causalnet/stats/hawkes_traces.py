"""What each event of a log has seen before it, kept sparsely: the effects phi of types present nearby, and no others.

The same effects as in :mod:`causalnet.stats.hawkes`, one receiving device at a time: its own and its neighbours' events
pass by in order of time, one running sum a (type, hop, decay) is kept, and a sum that has decayed below ``CUT`` is
dropped. So the cost is events x types still felt where they happen, whatever the number of types and devices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..base import memory
from ..base.arrays import Array, Bools, Codes, Ints
from .hawkes import em_fit
from .hawkes_paths import Log
from .hawkes_rows import block_gains, fits_beside, gather, newton_fit, row_moments, summed_rates
from .hawkes_walk import walk

CUT = 1e-5  # of one event's effect: 11.5 mean delays
AN_EFFECT = 32.0  # bytes, while effects are sorted


Effects = tuple[Ints, Array]  # rows (p,) and their alpha


class Traces(NamedTuple):
    """Effects by target i as sparse rows j * K + slot over the events of i; a last block V * K ... holds their sums."""

    size: Ints  # (V,) events of each target
    rows: tuple[Ints, ...]  # ascending: the rows that are not empty
    start: tuple[Ints, ...]  # where each begins in event and value
    event: tuple[Codes, ...]
    value: tuple[Array, ...]
    integral: Array  # ((V + 1) * K,) integral of each effect over devices and time
    horizon: float  # device-seconds observed
    slots: int  # K = hops x decays
    common: bool  # the last block, what events of any type raise, is part of every fit, and fits are by Newton steps

    def solve(self, target: int, rows: Ints, tol: float, max_iter: int) -> tuple[float, float, Array]:
        """Log-likelihood, mu and alpha (p,) at the maximum over mu, alpha >= 0 with the given rows (p,)."""
        c = np.append(self.horizon, self.integral[rows])
        where, size = self._of(target, rows), int(self.size[target])
        if not self.common:
            phi, empty = gather(*where, size)
            return em_fit(phi[1:], c[1:], np.arange(len(rows)), self.horizon, tol, max_iter, empty)[:3]
        value, y = newton_fit(where[0], c, *where[1:], size, tol, max_iter)
        return value, y[0] / self.horizon, y[1:] / c[1:]

    def values(self, target: int, kinds: Ints, sources: Ints, tol: float, max_iter: int) -> Array:
        """(S,) log-likelihoods with the effects of ``kinds``, those of all types together, and each of ``sources`` (S,)."""
        i = target
        rows = self.rows[i], self.start[i], self.event[i], self.value[i], int(self.size[i])
        blocks = np.append(kinds, len(self.size))
        return fits_beside(blocks, sources, *rows, self.integral, self.horizon, self.slots, tol, max_iter)

    def marginals(self, target: int, rows: Ints, mu: float, alpha: Array) -> tuple[Ints, Array]:
        """Types felt by the target (S,) and what each would gain in nats on top of a fit that stays as it is."""
        where, start, event, value = self._of(target, rows)
        rate = summed_rates(where, start, event, value, np.full(int(self.size[target]), mu), alpha)
        source = self.rows[target] // self.slots
        first = np.flatnonzero(np.diff(source, prepend=-1) > 0)
        if len(first) and source[-1] == len(self.size):
            first, source = first[:-1], source[: first[-1]]
        ends = np.append(first[1:], len(source)) if len(first) else first
        gains = block_gains(first, ends, start, event, value, rate, self.integral[self.rows[target]])
        return source[first], gains

    def explained(self, target: int, others: Effects, causes: Effects, mu: float) -> Array:
        """(n,) the share of ``causes`` in the rate at each event of the target, which ``others`` and mu make up with them."""
        before = summed_rates(*self._of(target, others[0]), np.full(int(self.size[target]), mu), others[1])
        whole = summed_rates(*self._of(target, causes[0]), before.copy(), causes[1])
        return np.asarray(1.0 - before / whole)

    def moments(self, target: int, rows: Ints, mu: float, alpha: Array) -> Array:
        """(2, V, K) sums of phi / lambda and of its square over the target's events, lambda by ``mu`` and ``alpha`` of ``rows``."""
        where, start, event, value = self._of(target, rows)
        rate = summed_rates(where, start, event, value, np.full(int(self.size[target]), mu), alpha)
        found = np.zeros((2, (len(self.size) + 1) * self.slots))
        found[:, self.rows[target]] = row_moments(start, event, value, rate)
        return found.reshape(2, -1, self.slots)[:, :-1]

    def dense(self, target: int, rows: Ints) -> Array:
        """(p, n) effects of the given rows at all events of the target."""
        where, start, event, value = self._of(target, rows)
        phi = np.zeros((len(rows), int(self.size[target])))
        for a, r in enumerate(where.tolist()):
            if r >= 0:
                phi[a, event[start[r] : start[r + 1]]] = value[start[r] : start[r + 1]]
        return phi

    def _of(self, target: int, rows: Ints) -> tuple[Ints, Ints, Codes, Array]:
        """Where the rows (p,) of the target lie, -1 for an empty one, and its sparse arrays."""
        have = self.rows[target]
        where = np.searchsorted(have, rows)
        found = np.append(have, -1)[where] == rows
        return np.where(found, where, -1), self.start[target], self.event[target], self.value[target]


def trace(
    log: Log,
    kind: Codes,
    decay: Array,
    n_types: int,
    tie: float = 0.0,
    share: Array | None = None,
    receives: Bools | None = None,
    tie_summed: bool = True,
) -> Traces:
    """Effects on the events of the devices that ``receives`` (M,) marks (all with events if None), types ``kind`` (N,).

    decay: (B,) in 1/s. tie: weight of an event of another type in the same instant as a cause (0: only strictly earlier
    ones). share: (M,) b_n, lambda = b_n (mu + ... / b_n), or (M, V), of one mean for all types, and the effects of all
    types together are in every fit; None for the plain model, whose effects are followed to the last bit. tie_summed:
    whether those of the same instant are among the effects of all types together.
    """
    time, device, paths, marks = log.time, log.device, log.paths, log.marks
    m = len(paths.start) - 1
    active = np.bincount(device, minlength=m) > 0
    receiving = active if receives is None else active & receives
    by_device = np.argsort(device, kind="stable")
    bounds = np.searchsorted(device[by_device], np.arange(m + 1))
    mine = receiving[device]
    size = np.bincount(kind[mine], minlength=n_types)
    place = np.zeros(len(time), dtype=np.int32)  # an event's number among those of its type
    at = np.flatnonzero(mine)
    order = at[np.argsort(kind[at], kind="stable")]
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    common, cut = share is not None, 1e-16 if share is None else CUT
    share = (np.ones(m) if share is None else share).reshape(m, -1)
    marked = device[marks.event]
    passing = np.searchsorted(np.sort(marked), np.arange(m + 1)), np.argsort(marked, kind="stable")
    known = (time, kind, place, bounds, by_device, marks, passing, *paths[:4], receiving)
    how = (share, decay, n_types, paths.hops, tie, tie_summed, cut)
    none = np.empty(0)
    fill = np.zeros(n_types, dtype=np.int64)
    walk(*known, *how, False, fill, none.astype(np.int32), none.astype(np.int32), none)
    end = np.cumsum(fill)
    memory.require(
        f"the effects that {len(time):,} events feel of each other",
        AN_EFFECT * float(end[-1]),
        "take a part of the log, or watch it as a stream, which keeps sums and no events (`causalnet watch`)",
    )
    event, row, value = np.empty(end[-1], np.int32), np.empty(end[-1], np.int32), np.empty(end[-1])
    walk(*known, *how, True, end - fill, event, row, value)
    slots = paths.hops * len(decay)
    width = (n_types + 1) * slots
    blocks = [_sorted(row[a:b], event[a:b], value[a:b], width) for a, b in zip(end - fill, end, strict=True)]
    integral = _integrals(log, kind, decay, n_types, receiving)
    seconds = float((time[-1] - time[0]) * share[receiving, 0].sum())
    rows, starts, events, values = (tuple(part) for part in zip(*blocks, strict=True))
    return Traces(size, rows, starts, events, values, integral, seconds, slots, common)


@njit(cache=True)
def _sorted(row: Codes, event: Codes, value: Array, width: int) -> tuple[Ints, Ints, Codes, Array]:
    """Distinct rows of 0 .. width - 1, their starts, and the entries sorted by row: by counting, each in its old order."""
    free = np.zeros(width + 1, np.int64)  # where the next entry of a row goes
    for r in row:
        free[r + 1] += 1
    rows = np.flatnonzero(free[1:])
    free = np.cumsum(free)
    start = np.append(free[rows], len(row))
    events, values = np.empty_like(event), np.empty_like(value)
    for a, r in enumerate(row):
        events[free[r]], values[free[r]] = event[a], value[a]
        free[r] += 1
    return rows, start, events, values


def _integrals(log: Log, kind: Codes, decay: Array, n_types: int, receiving: Bools) -> Array:
    """((V + 1) * K,) integrals of the effects until the last event, over the receiving devices."""
    time, device, paths = log.time, log.device, log.paths
    m, seen = len(paths.start) - 1, time[-1] - time
    seen = seen if log.lasting is None else np.minimum(seen, log.lasting)
    goal = np.repeat(np.arange(m), np.diff(paths.start))
    kept = receiving[goal]
    out = np.zeros((paths.hops, m))
    np.add.at(out, (paths.hop[kept], paths.device[kept]), paths.weight[kept])
    integral = np.zeros((n_types + 1, paths.hops, len(decay)))
    for q, rate in enumerate(decay):
        lasting = -np.expm1(-rate * seen) / rate  # (N,) integral of the kernel until t_max, or its end
        for k in range(paths.hops):
            integral[:-1, k, q] = np.bincount(kind, weights=lasting * out[k][device], minlength=n_types)
    integral[-1] = integral[:-1].sum(axis=0)
    return integral.ravel()
