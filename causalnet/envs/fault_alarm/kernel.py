"""One window of the fault-alarm simulator for each environment of a batch, compiled.

An alarm of type i at device m starts at most one alarm of type j at device v per hop k and window, at the first
arrival of a Poisson process of rate A_k[v, m] * alpha[k, i, j] (arXiv 2402.04869, section 5.1, as its code has it).
All these processes of one alarm are drawn at once: the next arrival of their superposition has the summed rate, it
belongs to each pair in proportion to the pair's rate, and a pair's later arrivals are ignored. That is exactly the
law of independent first arrivals, at the price of about one random number an alarm.

``sim`` is a ``Simulation``, e an environment of the batch, i a slot; see ``state.py``. The helpers are
inlined because a call with this many arrays costs more, in reference counts, than the work that most of them do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from .state import COUNTS, MAX_ROUNDS, NEVER_ENOUGH, PAPER, PERSISTENT, TOO_MANY


@njit(cache=True)
def _uniform(random: Any, e: int) -> float:
    """The next number in (0, 1) of stream e (xoshiro256++; Blackman and Vigna 2021)."""
    s0, s1, s2, s3 = random[e, 0], random[e, 1], random[e, 2], random[e, 3]
    total = s0 + s3
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    random[e, 1] = s1 ^ s2
    random[e, 0] = s0 ^ s3
    random[e, 2] = s2 ^ shifted
    random[e, 3] = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    return (np.float64(np.int64(result >> np.uint64(11))) + 0.5) * (1.0 / 9007199254740992.0)


@njit(cache=True, inline="always")
def _append(sim: Any, e: int, i: int, cell: int, father: int, start: float, transient: bool) -> None:
    """Writes an alarm to slot i; its length is drawn here (step 7 of the published dynamics)."""
    state = sim.state
    state.cell[e, i] = cell
    state.father[e, i] = father
    state.start[e, i] = start
    state.length[e, i] = PERSISTENT
    if transient:
        state.length[e, i] = max(sim.rules.shortest, -math.log(_uniform(state.random, e)) * sim.rules.mean_length)


@njit(cache=True, inline="always")
def _full(sim: Any, e: int, cell: int) -> bool:
    """More live alarms in the cell than the limit, among those of the last observation (repaired ones included)."""
    state, live = sim.state, 0
    if state.counts[e, cell] > sim.rules.cell_limit:
        for i in range(state.n[e]):
            if state.cell[e, i] == cell and state.start[e, i] + state.length[e, i] > state.clock[e]:
                live += 1
    return live > sim.rules.cell_limit


@njit(cache=True)
def _add_root(sim: Any, e: int, i: int, t: float, within: float, used: Any) -> None:
    """A fault: (cell, start) drawn uniformly and t + Exp(1/mu), again until the start is within; its type is used."""
    tables, random = sim.tables, sim.state.random
    while True:
        cell = tables.root_cells[int(_uniform(random, e) * len(tables.root_cells))]
        kind = cell % len(tables.mu)
        if used[kind]:
            continue
        u = _uniform(random, e)
        if 1.0 - u >= within * tables.mu[kind]:  # then -log(u) is larger still: no logarithm needed
            continue
        delay = -math.log(u) / tables.mu[kind]
        if delay < within:
            break
    used[kind] = True
    _append(sim, e, i, cell, -1, math.floor(t + delay), False)


@njit(cache=True)
def _add_noise(sim: Any, e: int, i: int, begin: float, end: float) -> int:
    """At most one alarm without a cause: one of those that fire on ``noise_draws`` devices. Returns how many."""
    tables, random = sim.tables, sim.state.random
    found, chosen, when = 0, 0, 0.0
    for _ in range(sim.rules.noise_draws):
        device = tables.noise_devices[int(_uniform(random, e) * len(tables.noise_devices))]
        for kind in tables.noise_types:
            u = _uniform(random, e)
            if 1.0 - u > (end - begin) * tables.mu[kind]:  # as above
                continue
            start = begin - math.log(u) / tables.mu[kind]
            cell = device * len(tables.mu) + kind
            if start > end or _full(sim, e, cell):
                continue
            found += 1
            if _uniform(random, e) * found < 1.0:  # each of those found is kept equally often
                chosen, when = cell, start
    if found == 0:
        return 0
    _append(sim, e, i, chosen, -1, math.floor(when), tables.transient[chosen])
    sim.state.length[e, i] = math.floor(sim.state.length[e, i])
    return 1


@njit(cache=True, inline="always")
def _pair(cumulative: Any, lo: int, hi: int, aim: float) -> int:
    """The first row in lo..hi whose cumulative rate exceeds ``aim``."""
    while lo < hi:
        middle = (lo + hi) >> 1
        if cumulative[middle] <= aim:
            lo = middle + 1
        else:
            hi = middle
    return lo


@njit(cache=True, inline="always")
def _candidates(sim: Any, e: int, lo: int, hi: int, end: float) -> int:
    """The alarms that slots lo..hi-1 start in this window: how many, or -1 if the working memory is too small."""
    tables, state, scratch = sim.tables, sim.state, sim.scratch
    m, warm, t = 0, state.steps[e] < 0, state.clock[e]
    for i in range(lo, hi):
        cell = state.cell[e, i]
        row, beyond = tables.first[cell], tables.first[cell + 1]
        if row == beyond or (i < state.n[e] and scratch.gone[i]):
            continue
        begin = state.start[e, i] if warm else t
        lasting = state.length[e, i] == PERSISTENT
        span = (end if lasting else state.start[e, i] + state.length[e, i]) - begin
        if span <= 0.0:
            continue
        u = _uniform(state.random, e)
        if lasting and not warm and u < tables.quiet[cell]:  # nothing starts: -log(u) / rate > window
            continue
        rate, mine = tables.cumulative[beyond - 1], m
        wait = -math.log(u) / rate
        while wait <= span:
            a = _pair(tables.cumulative, row, beyond - 1, _uniform(state.random, e) * rate)
            fresh = True
            for c in range(mine, m):
                fresh = fresh and scratch.row[c] != a
            if fresh and not _full(sim, e, tables.child[a]):
                if m == len(scratch.row):
                    return -1
                scratch.row[m] = a
                scratch.father[m] = i
                scratch.start[m] = begin + wait
                m += 1
            wait -= math.log(_uniform(state.random, e)) / rate
    return m


@njit(cache=True)
def _cut(sim: Any, e: int, m: int, room: int) -> int:
    """How many candidates there are, in the published order, until they exceed ``room``; fills ``scratch.order``.

    Devices in random order; within one by hop, the father's device and the father; the check stands before each
    (father, device, hop), so the last group is taken whole.
    """
    tables, state, scratch = sim.tables, sim.state, sim.scratch
    v, n_devices = len(tables.mu), len(tables.transient) // len(tables.mu)
    rank = np.arange(n_devices)
    for i in range(n_devices - 1, 0, -1):
        j = int(_uniform(state.random, e) * (i + 1))
        rank[i], rank[j] = rank[j], rank[i]
    group = np.empty(m, np.int64)
    for c in range(m):
        father, row = scratch.father[c], scratch.row[c]
        place = rank[tables.child[row] // v] * 64 + tables.hop[row]
        group[c] = (place * n_devices + state.cell[e, father] // v) * state.cell.shape[1] + father
    order = np.argsort(group)
    taken = 0
    while taken < m and (taken <= room or group[order[taken]] == group[order[taken - 1]]):
        taken += 1
    scratch.order[:m] = order
    return taken


@njit(cache=True, inline="always")
def _propagate(sim: Any, e: int, total: int, current: int, end: float) -> int:
    """All generations of consequences in one window: the new number of slots in use, or -1 (too many)."""
    tables, scratch = sim.tables, sim.scratch
    cap = sim.rules.initial_alarms if sim.state.steps[e] < 0 else sim.rules.max_alarms
    lo, hi = 0, total
    while lo < hi and current <= cap:
        m = _candidates(sim, e, lo, hi, end)
        if m < 0:
            return -1
        whole = current + m <= cap
        taken = m if whole else _cut(sim, e, m, cap - current)
        for k in range(taken):
            c = k if whole else scratch.order[k]
            cell = tables.child[scratch.row[c]]
            _append(sim, e, hi + k, cell, scratch.father[c], scratch.start[c], tables.transient[cell])
        current += taken
        lo, hi = hi, hi + taken
    return hi


@njit(cache=True, inline="always")
def _settle(sim: Any, e: int, total: int, started: Any, cleared: Any) -> None:
    """Removes what was repaired, what ended before the clock and what both caused; times become whole seconds."""
    state, gone, moved = sim.state, sim.scratch.gone, sim.scratch.moved
    n_old, t, kept = state.n[e], state.clock[e], 0
    for i in range(total):
        father, cell = state.father[e, i], state.cell[e, i]
        if i < n_old:
            gone[i] |= state.start[e, i] + state.length[e, i] < t or (father >= 0 and gone[father])
            if gone[i]:
                cleared[e, cell] += 1
                state.counts[e, cell] -= 1
                continue
        else:
            started[e, cell] += 1
            state.counts[e, cell] += 1
            state.start[e, i] = math.floor(state.start[e, i])
            state.length[e, i] = math.floor(state.length[e, i])
            state.seen[e, i] = t + sim.rules.window if sim.rules.polled else state.start[e, i]
        if father >= 0:  # new alarms outlive a father that goes in the same window, and have none from then on
            father = -1 if father < n_old and gone[father] else moved[father]
        moved[i] = kept
        state.father[e, kept] = father
        if kept != i:
            state.cell[e, kept] = cell
            state.start[e, kept] = state.start[e, i]
            state.length[e, kept] = state.length[e, i]
            state.seen[e, kept] = state.seen[e, i]
        kept += 1
    state.n[e] = kept


@njit(cache=True)
def _advance(sim: Any, e: int, left: int, started: Any, cleared: Any) -> int:
    """One window: new fault, noise, consequences, removals; ``left`` alarms are there before it. 0, or a fault."""
    rules, state = sim.rules, sim.state
    t, total, warm = state.clock[e], state.n[e], state.steps[e] < 0
    end = rules.warmup if warm else t + rules.window
    if _uniform(state.random, e) < rules.root_probability:
        _add_root(sim, e, total, t, rules.window, np.zeros(len(sim.tables.mu), np.bool_))
        total += 1
    if _uniform(state.random, e) < rules.noise_probability and len(sim.tables.noise_devices):
        total += _add_noise(sim, e, total, 0.0 if warm else t, end)
    total = _propagate(sim, e, total, left + total - state.n[e], end)
    if total < 0:
        return TOO_MANY
    _settle(sim, e, total, started, cleared)
    state.clock[e] = t + rules.window
    return 0


@njit(cache=True)
def reset_kernel(sim: Any, which: Any) -> int:
    """Faults, then windows until there are ``initial_alarms``, in the environments of ``which`` (E,) bool."""
    rules, state, shape = sim.rules, sim.state, sim.state.counts.shape
    started, cleared = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
    unused = np.zeros(len(sim.tables.mu), np.bool_)
    for cell in sim.tables.root_cells:
        unused[cell % len(unused)] = True
    for e in range(len(which)):
        if not which[e]:
            continue
        state.counts[e, :] = 0
        used, last = ~unused, 0.0
        for i in range(rules.initial_roots):
            if used.all():  # every type has had its fault: all may again
                used = ~unused
            _add_root(sim, e, i, 0.0, rules.root_window, used)
            state.seen[e, i] = state.start[e, i]
            state.counts[e, state.cell[e, i]] += 1
            last = max(last, state.start[e, i])
        state.n[e], state.steps[e], state.clock[e] = rules.initial_roots, -1, last + 1.0
        rounds = 0
        while state.n[e] < rules.initial_alarms:
            if rounds == MAX_ROUNDS:
                return NEVER_ENOUGH
            rounds += 1
            sim.scratch.gone[: state.n[e]] = False
            fault = _advance(sim, e, state.n[e], started, cleared)
            if fault:
                return fault
        if rules.polled:
            state.seen[e, : state.n[e]] = state.clock[e]
        state.steps[e], state.done[e] = 0, False
    return 0


@njit(cache=True)
def step_kernel(
    sim: Any, actions: Any, max_steps: int, reward: Any, ended: Any, change: Any, mode: int, obs: Any
) -> int:
    """Repair cell ``actions[e]`` and let one window pass, in every environment e that is not finished.

    Fills reward (E,) float64; ended (2, E) bool: terminated, truncated; change (3, E, C) int16: counts, started,
    cleared; obs (E, n_obs) float32. Returns 0, or a fault.
    """
    state, gone, started, cleared = sim.state, sim.scratch.gone, change[1], change[2]
    for e in range(len(actions)):
        started[e, :] = 0
        cleared[e, :] = 0
        reward[e] = 0.0
        ended[0, e] = ended[1, e] = False
        if state.done[e]:
            continue
        n_old, acted, left = state.n[e], actions[e], state.n[e]
        for i in range(n_old):  # 1. the cell's alarms go with all their descendants
            father = state.father[e, i]
            gone[i] = state.cell[e, i] == acted or (father >= 0 and gone[father])
            left -= gone[i]
        alone = n_old - state.counts[e, acted]  # m: their own removal earns nothing
        if left == 0:  # 2. nothing left: the episode ends at once
            cleared[e, :] = state.counts[e]
            state.counts[e, :] = 0
            state.n[e] = 0
            state.clock[e] += sim.rules.window
        else:
            fault = _advance(sim, e, left, started, cleared)
            if fault:
                return fault
        n = state.n[e]
        state.steps[e] += 1
        share = 1.0 if n == 0 or alone == 0 else (alone - n) / alone
        reward[e] = round(share - state.steps[e] / max_steps, 2)  # the paper's r, counted as its code does
        ended[0, e] = n == 0 or n > sim.rules.max_alarms
        ended[1, e] = not ended[0, e] and state.steps[e] >= max_steps
        state.done[e] = ended[0, e] or ended[1, e]
    for e in range(len(actions)):
        for c in range(state.counts.shape[1]):
            change[0, e, c] = state.counts[e, c]
    observe_kernel(state, mode, obs)
    return 0


@njit(cache=True)
def observe_kernel(state: Any, mode: int, obs: Any) -> None:
    """Fills obs (E, C) counts, or (E, 2 C) with (time, count) per cell; ages: of the oldest; paper: newest start."""
    n_cells = state.counts.shape[1]
    for e in range(len(obs)):
        if mode == COUNTS:
            for c in range(n_cells):
                obs[e, c] = state.counts[e, c]
            continue
        for c in range(n_cells):
            obs[e, 2 * c] = 0.0
            obs[e, 2 * c + 1] = state.counts[e, c]
        for i in range(state.n[e]):
            c, seen = state.cell[e, i], state.seen[e, i]
            value = seen if mode == PAPER else max(0.0, state.clock[e] - seen)
            obs[e, 2 * c] = max(obs[e, 2 * c], value)
