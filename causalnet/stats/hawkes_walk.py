"""The walk through a log that fills :mod:`causalnet.stats.hawkes_traces`: one receiving device at a time, one running sum a type, hop and decay."""

from __future__ import annotations

import numpy as np
from numba import njit


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
def _change(state, last, key, t, weight, decay, ends, lasting):  # type: ignore[no-untyped-def]
    """Adds an event that begins at time t to the running sums of its key, or takes out what is left of one that ends then."""
    for q in range(len(decay)):
        cell = key * len(decay) + q
        change = -weight * np.exp(-decay[q] * lasting) if ends else weight
        state[cell] = max(state[cell] * np.exp(decay[q] * (last[key] - t)) + change, 0.0)
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
def walk(  # type: ignore[no-untyped-def]
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
                if not (alive[key] or marks.ends[mark]):
                    alive[key], live[n_live], n_live = True, key, n_live + 1
                    state[key * b : key * b + b], last[key] = 0.0, time[e]
                _change(state, last, key, marks.time[mark], weight[s], decay, marks.ends[mark], marks.lasting[e])
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
