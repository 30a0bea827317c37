"""Which alarm may have caused which, read off one run of actions: the rows of a constant-hazard event likelihood.

An alarm of type i at unit m that is there during a window of s seconds starts an alarm of type j at unit v with the
hazard W_k[m, v] alpha[k, i, j] at hop k, so a start of j at v has the rate (arXiv 2402.04869, Eq. 27 without decay)

    mu_j + sum over i, k of alpha[k, i, j] phi[k, i],    phi[k, i] = sum over m of W_k[m, v] x_i(m),

x = alarms left by the repair + alarms started in the window (so two generations in one window are accounted for).

A repair removes an alarm together with its descendants, and what vanishes says more: the parent of an alarm that
vanished with the repaired one is among what vanished; the parent of one that stayed is not. So every start keeps a
list of possible parents, each later repair shortens it, and phi sums over what is left. With ``leak`` as the share of
alarms that vanish for another reason, a vanished one counts (1 - leak) phi[left] + leak phi[all].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import Array, Ints

GROUND = 2  # the first columns of a row are backgrounds: of these runs, and of an earlier log


class Rows(NamedTuple):
    """What the likelihood needs of one run; P = 2 + V * K columns, (type i, hop k) at 2 + i * K + k."""

    target: Ints  # (N,) type of each start
    phi: Array  # (N, P)
    lone: Array  # (V, 2) starts without any possible parent, by background
    exposure: Array  # (V, P) seconds of exposure of each column, per target
    unit: Ints  # (N,) where each start was; -1 for an earlier log
    alone: Array  # (D, V) starts of these runs without any possible parent, by unit
    span: Array  # (D, V) seconds in which a start could have been seen, by unit


@njit(cache=True)
def _grow(pool):  # type: ignore[no-untyped-def]
    bigger = np.empty(2 * len(pool), pool.dtype)
    bigger[: len(pool)] = pool
    return bigger


@njit(cache=True)
def read_run(before, started, cleared, unit, variable, seconds, reads, start, source, weight, hops, leak, capacity):  # type: ignore[no-untyped-def]
    """The fields of :class:`Rows` for one run.

    before, started, cleared: (T, D, V); unit, variable, seconds: (T,), unit -1 where nothing was acted on. start,
    source, weight: row k * D + v of the sparse hop weights lists the units that reach v. Starts in the cell acted on
    are left out: the action did them. reads: (T,) bool, whether what vanished went with the cell acted on.
    leak: 1 or more reads nothing from what vanishes. capacity: a cell that holds so many cannot start another.
    """
    steps, units, types = before.shape
    total = started.sum()
    target, place = np.empty(total, np.int64), np.empty(total, np.int64)
    first, last = np.empty(total, np.int64), np.empty(total, np.int64)
    live = np.zeros(total, np.bool_)
    phi = np.zeros((total, GROUND + types * hops))
    cell, slot, load = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024)
    exposure, span = np.zeros((types, GROUND + types * hops)), np.zeros((units, types))
    events, used = np.int64(0), 0  # no literal: for each of those numba compiles what is called anew
    for t in range(steps):
        gone, fresh = cleared[t], started[t]
        if leak < 1.0 and not reads[t]:
            _let_go(gone, events, place, first, last, live, phi, cell, slot, load)
        elif leak < 1.0:
            _apply_repair(
                before[t], gone, unit[t], variable[t], leak, events, place, first, last, live, phi, cell, slot, load
            )
        held = np.maximum(before[t] - gone, 0)
        present = held + fresh
        acted = unit[t] * types + variable[t] if unit[t] >= 0 else -1
        _expose(present, held >= capacity, acted, seconds[t], start, source, weight, hops, exposure, span)
        for v in range(units):
            for j in range(types):
                if fresh[v, j] == 0 or v * types + j == acted:
                    continue
                for _ in range(fresh[v, j]):
                    target[events], place[events], first[events], live[events] = j, v * types + j, used, True
                    for k in range(hops):
                        for s in range(start[k * units + v], start[k * units + v + 1]):
                            m = source[s]
                            for i in range(types):
                                count = present[m, i] - (1 if m == v and i == j else 0)
                                if count > 0:
                                    if used == len(cell):
                                        cell, slot, load = _grow(cell), _grow(slot), _grow(load)
                                    cell[used] = m * types + i
                                    slot[used] = GROUND + i * hops + k
                                    load[used] = count * weight[s]
                                    used += 1
                    last[events] = used
                    events += 1
    lone, alone, some = np.zeros((types, GROUND)), np.zeros((units, types)), np.zeros(events, np.bool_)
    for e in range(events):
        if live[e]:
            _settle(e, 0.0, first, last, phi, cell, slot, load, live)
        some[e] = phi[e, GROUND:].sum() > 0
        if not some[e]:
            lone[target[e], 0] += 1
            alone[place[e] // types, target[e]] += 1
    return target[:events][some], phi[:events][some], lone, exposure, place[:events][some] // types, alone, span


@njit(cache=True)
def _settle(e, leak, first, last, phi, cell, slot, load, live):  # type: ignore[no-untyped-def]
    """Write the row of start ``e``: full weight for the candidates left, ``leak`` for those marked by cell < 0."""
    phi[e, 0] = leak if leak > 0 else 1.0
    for s in range(first[e], last[e]):
        phi[e, slot[s]] += load[s] * (leak if cell[s] < 0 else 1.0)
    live[e] = False


@njit(cache=True)
def _let_go(cleared, events, place, first, last, live, phi, cell, slot, load):  # type: ignore[no-untyped-def]
    """Write the rows of starts whose cell lost something: which of them it was, and why, nobody can tell."""
    gone = cleared.ravel()
    for e in range(events):
        if live[e] and gone[place[e]] > 0:
            _settle(e, 0.0, first, last, phi, cell, slot, load, live)


@njit(cache=True)
def _apply_repair(before, cleared, unit, variable, leak, events, place, first, last, live, phi, cell, slot, load):  # type: ignore[no-untyped-def]
    """Shorten the candidate lists by what vanished: before, cleared (D, V)."""
    types = before.shape[1]
    acted = unit * types + variable
    had, gone = before.ravel(), cleared.ravel()
    for e in range(events):
        if not live[e]:
            continue
        c = place[e]
        if gone[c] == 0 or c == acted:  # its parent is not among what vanished altogether
            n = first[e]
            for s in range(first[e], last[e]):
                where = cell[s]
                if where == c or gone[where] < had[where] or gone[where] == 0:
                    cell[n], slot[n], load[n] = cell[s], slot[s], load[s]
                    n += 1
            last[e] = n
            if gone[c] > 0:
                _settle(e, 0.0, first, last, phi, cell, slot, load, live)
        elif gone[c] < had[c]:  # nobody can tell which of them it was
            _settle(e, 0.0, first, last, phi, cell, slot, load, live)
        else:
            found = False
            for s in range(first[e], last[e]):
                found |= gone[cell[s]] > 0
            if found:
                for s in range(first[e], last[e]):
                    if gone[cell[s]] == 0:
                        cell[s] = -1
            _settle(e, leak if found else 0.0, first, last, phi, cell, slot, load, live)


@njit(cache=True)
def _expose(present, closed, acted, span, start, source, weight, hops, into, spans):  # type: ignore[no-untyped-def]
    """Add ``span`` seconds under the alarms ``present`` (D, V) to ``into`` (V, P), but not in closed or acted cells."""
    units, types = present.shape
    if acted >= 0:
        closed[acted // types, acted % types] = True
    for v in range(units):
        reach = np.zeros(types * hops)
        for k in range(hops):
            for s in range(start[k * units + v], start[k * units + v + 1]):
                for i in range(types):
                    reach[i * hops + k] += span * present[source[s], i] * weight[s]
        some = np.flatnonzero(reach)
        for j in range(types):
            if not closed[v, j]:
                into[j, 0] += span
                spans[v, j] += span
                for a in some:
                    into[j, GROUND + a] += reach[a]
