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
    _walk(*known, *how, False, fill, none.astype(np.int32), none.astype(np.int32), none)
    end = np.cumsum(fill)
    memory.require(
        f"the effects that {len(time):,} events feel of each other",
        AN_EFFECT * float(end[-1]),
        "take a part of the log, or watch it as a stream, which keeps sums and no events (`causalnet watch`)",
    )
    event, row, value = np.empty(end[-1], np.int32), np.empty(end[-1], np.int32), np.empty(end[-1])
    _walk(*known, *how, True, end - fill, event, row, value)
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


@njit(cache=True)
def _passing(source, bounds, by_device):  # type: ignore[no-untyped-def]
    """Marks of the devices ``source`` (S,) in order of time, each as mark * S + position of its device."""
    total, width = 0, len(source)
    for m in source:
        total += bounds[m + 1] - bounds[m]
    passing = np.empty(total, dtype=np.int64)
    total = 0
    for s in range(width):
        for z in range(bounds[source[s]], bounds[source[s] + 1]):
            passing[total] = by_device[z] * width + s
            total += 1
    passing.sort()
    return passing


@njit(cache=True)
def _decayed(t, state, last, decay, cut, live, n_live, alive, now, touched):  # type: ignore[no-untyped-def]
    """Running sums at time t into ``now``; those below ``cut`` are dropped. Returns how many cells and live sums."""
    b, count, a = len(decay), 0, 0
    while a < n_live:
        key = live[a]
        felt = False
        for q in range(b):
            x = state[key * b + q] * np.exp(decay[q] * (last[key] - t))
            if x > cut:
                felt = True
                now[key * b + q] = x
                touched[count] = key * b + q
                count += 1
        if felt:
            a += 1
        else:
            alive[key] = False
            n_live -= 1
            live[a] = live[n_live]
    return count, n_live


@njit(cache=True)
def _end(state, last, key, t, weight, decay, lasting):  # type: ignore[no-untyped-def]
    """Takes what is left of an event that began ``lasting`` seconds before time t out of the running sums of its key."""
    b = len(decay)
    for q in range(b):
        faded, left = np.exp(decay[q] * (last[key] - t)), np.exp(-decay[q] * lasting)
        state[key * b + q] = max(state[key * b + q] * faded - weight * left, 0.0)
    last[key] = t


@njit(cache=True)
def _summed(now, touched, count, first, slots):  # type: ignore[no-untyped-def]
    """Adds to ``now``, from cell ``first`` on, the sums over types per slot; returns the new number of cells."""
    own = count
    for a in range(own):
        cell = first + touched[a] % slots
        if now[cell] == 0.0:
            touched[count] = cell
            count += 1
        now[cell] += now[touched[a]]
    return count


@njit(cache=True)
def _ties(passing, at, t, marks, kind, width, low, hop, weight, hops, n_old, ties, tied):  # type: ignore[no-untyped-def]
    """Weights of the events at time t, from ``at`` on, by type and hop into ``ties``; returns how many of ``tied`` it names."""
    for a in range(n_old):
        ties[tied[a]] = 0.0
    count = 0
    while at < len(passing) and marks.time[passing[at] // width] == t:
        z, s = passing[at] // width, low + passing[at] % width
        at += 1
        if marks.ends[z]:
            continue
        key = kind[marks.event[z]] * hops + hop[s]
        if ties[key] == 0.0:
            tied[count], count = key, count + 1
        ties[key] += weight[s]
    return count


@njit(cache=True)
def _of_others(now, touched, count, tie, ties, tied, own, hops, b):  # type: ignore[no-untyped-def]
    """Adds to ``now`` what types other than that of the keys from ``own`` on did at once; returns the number of cells."""
    for key in tied:
        if not own <= key < own + hops:
            for q in range(b):
                cell = key * b + q
                if now[cell] == 0.0:
                    touched[count], count = cell, count + 1
                now[cell] += tie * ties[key]
    return count


@njit(cache=True)
def _walk(  # type: ignore[no-untyped-def]
    time,
    kind,
    place,
    bounds,
    by_device,
    marks,
    marked,
    start,
    source,
    hop,
    weight,
    receiving,
    share,
    decay,
    n_types,
    hops,
    tie,
    tie_summed,
    cut,
    write,
    fill,
    event,
    row,
    value,
):
    """Entries of the traces, counted by target in ``fill``, and written from there on if ``write``."""
    b, slots = len(decay), hops * len(decay)
    state, last = np.zeros(n_types * slots), np.zeros(n_types * hops)
    alive, live = np.zeros(n_types * hops, dtype=np.bool_), np.empty(n_types * hops, dtype=np.int64)
    now, touched = np.zeros((n_types + 1) * slots), np.empty((n_types + 1) * slots, dtype=np.int64)
    ties, tied, n_ties = np.zeros(n_types * hops), np.empty(n_types * hops, dtype=np.int64), np.int64(0)
    for n in range(len(receiving)):
        if not receiving[n]:
            continue
        low, width = start[n], start[n + 1] - start[n]
        passing = _passing(source[low : low + width], marked[0], marked[1])
        total, n_live, at = len(passing), 0, 0
        for z in range(bounds[n], bounds[n + 1]):
            here, t = by_device[z], time[by_device[z]]
            while at < total and marks.time[passing[at] // width] < t:
                mark, s = passing[at] // width, low + passing[at] % width
                e, at = marks.event[mark], at + 1
                key = kind[e] * hops + hop[s]
                if marks.ends[mark]:
                    _end(state, last, key, marks.time[mark], weight[s], decay, marks.lasting[e])
                    continue
                if not alive[key]:
                    alive[key], live[n_live], n_live = True, key, n_live + 1
                    state[key * b : key * b + b], last[key] = 0.0, time[e]
                for q in range(b):
                    state[key * b + q] = state[key * b + q] * np.exp(decay[q] * (last[key] - time[e])) + weight[s]
                last[key] = time[e]
            count, n_live = _decayed(t, state, last, decay, cut, live, n_live, alive, now, touched)
            count = count if tie_summed else _summed(now, touched, count, n_types * slots, slots)
            if tie > 0.0 and (z == bounds[n] or time[by_device[z - 1]] < t):
                n_ties = _ties(passing, at, t, marks, kind, width, low, hop, weight, hops, n_ties, ties, tied)
            count = _of_others(now, touched, count, tie, ties, tied[:n_ties], kind[here] * hops, hops, b)
            count = _summed(now, touched, count, n_types * slots, slots) if tie_summed else count
            i = kind[here]
            if write:
                for a in range(count):
                    event[fill[i] + a], row[fill[i] + a] = place[here], touched[a]
                    value[fill[i] + a] = now[touched[a]] / share[n, i % share.shape[1]]
            fill[i] += count
            for a in range(count):
                now[touched[a]] = 0.0
        for a in range(n_live):
            alive[live[a]] = False
        for a in range(n_ties):
            ties[tied[a]] = 0.0
        n_ties = np.int64(0)
