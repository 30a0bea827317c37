"""One window of the fault-alarm simulator for each environment of a batch, compiled.

An alarm of type i at device m starts at most one alarm of type j at device v per hop k and window, at the first
arrival of a Poisson process of rate A_k[v, m] * alpha[k, i, j] (arXiv 2402.04869, section 5.1, as its code has it).
All these processes of one alarm are drawn at once: the next arrival of their superposition has the summed rate, it
belongs to each pair in proportion to the pair's rate, and a pair's later arrivals are ignored. That is exactly the
law of independent first arrivals, at the price of about one random number an alarm.

E environments, D devices, V types, C = D * V cells, cell = device * V + type. Times are in seconds.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

PERSISTENT = 999_999.0  # the length of an alarm that does not end by itself
MAX_ROUNDS = 10_000  # windows that a reset may take
COUNTS, AGES, PAPER = 0, 1, 2  # observation modes
TOO_MANY, NEVER_ENOUGH = 1, 2  # faults that a kernel reports
LONGEST = 40.0  # above -log(u) of any u that is drawn
PER_ALARM = ("cell", "father", "start", "length", "seen")  # fields of the state with a row of slots


class Rules(NamedTuple):
    """The constants of the dynamics; the defaults are those of the published environment.

    window: seconds per step. root_probability, noise_probability: of one new fault, or one noise alarm, per step.
    noise_draws: devices tried for a noise alarm. initial_roots: faults at reset, within ``root_window`` seconds.
    initial_alarms: reset goes on until there are as many. warmup: seconds in which their consequences start.
    max_alarms: the episode ends above it. cell_limit: a cell with more live alarms than this gets no new ones.
    shortest, mean_length: a transient alarm lasts max(shortest, Exp(mean_length)) seconds.
    polled: an alarm's start is seen as the time of the poll (the end of the step) that first reported it.
    """

    window: float = 50.0
    root_probability: float = 0.2
    noise_probability: float = 0.1
    noise_draws: int = 2
    initial_roots: int = 5
    initial_alarms: int = 20
    max_alarms: int = 1000
    cell_limit: int = 10
    root_window: float = 500.0
    warmup: float = 350.0
    shortest: float = 10.0
    mean_length: float = 10.0
    polled: bool = False


class Tables(NamedTuple):
    """What may follow what: the rows ``first[c]:first[c + 1]`` are the pairs that an alarm in cell c can start.

    child (R,) int32 cells; hop (R,) int8; cumulative (R,) summed rates within the cell, 1/s;
    quiet (C,) probability that an alarm starts nothing in one window; transient (C,) bool; mu (V,) 1/s;
    root_cells (Q,), noise_devices (N,), noise_types (U,) int32.
    """

    first: NDArray[np.int64]
    child: NDArray[np.int32]
    hop: NDArray[np.int8]
    cumulative: NDArray[np.float64]
    quiet: NDArray[np.float64]
    transient: NDArray[np.bool_]
    mu: NDArray[np.float64]
    root_cells: NDArray[np.int32]
    noise_devices: NDArray[np.int32]
    noise_types: NDArray[np.int32]


class State(NamedTuple):
    """Everything that the next step depends on. M: room for alarms; a father stands before its children.

    cell, father (E, M) int32 (father: slot, -1 if none); start, length, seen (E, M) seconds (seen: start as observed);
    n (E,) alarms; clock (E,) s; steps (E,), -1 during a reset; done (E,) bool; counts (E, C) int16; random (E, 4) uint64 xoshiro256++.
    """

    cell: NDArray[np.int32]
    father: NDArray[np.int32]
    start: NDArray[np.float64]
    length: NDArray[np.float64]
    seen: NDArray[np.float64]
    n: NDArray[np.int64]
    clock: NDArray[np.float64]
    steps: NDArray[np.int64]
    done: NDArray[np.bool_]
    counts: NDArray[np.int16]
    random: NDArray[np.uint64]


class Scratch(NamedTuple):
    """Working memory: gone, moved (M,) per slot; row, father (K,) int64 and start (K,) of the candidates."""

    gone: NDArray[np.bool_]
    moved: NDArray[np.int32]
    row: NDArray[np.int64]
    father: NDArray[np.int64]
    start: NDArray[np.float64]


def room(rules: Rules, n_types: int) -> int:
    """M: slots that one window can need: the alarms before it, plus a new set that stops growing above the limit."""
    return 2 * (rules.max_alarms + rules.initial_roots + n_types + 2)


def new_state(n_envs: int, n_cells: int, slots: int) -> State:
    """An empty state of every environment; each counts as finished until its first reset."""
    shape = (n_envs, slots)
    return State(
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int32),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(n_envs, np.int64),
        np.zeros(n_envs),
        np.zeros(n_envs, np.int64),
        np.ones(n_envs, np.bool_),
        np.zeros((n_envs, n_cells), np.int16),
        np.zeros((n_envs, 4), np.uint64),
    )


def new_scratch(slots: int) -> Scratch:
    """Working memory for environments with ``slots`` slots."""
    k = 4 * slots
    return Scratch(
        np.zeros(slots, np.bool_), np.zeros(slots, np.int32), np.zeros(k, np.int64), np.zeros(k, np.int64), np.zeros(k)
    )


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
def _append(state: Any, rules: Any, e: int, i: int, cell: int, father: int, start: float, transient: bool) -> None:
    """Writes an alarm to slot i; its length is drawn here (step 7 of the published dynamics)."""
    state.cell[e, i] = cell
    state.father[e, i] = father
    state.start[e, i] = start
    state.length[e, i] = PERSISTENT
    if transient:
        state.length[e, i] = max(rules.shortest, -math.log(_uniform(state.random, e)) * rules.mean_length)


@njit(cache=True, inline="always")
def _full(state: Any, rules: Any, e: int, cell: int, n_old: int, t: float) -> bool:
    """More live alarms in the cell than the limit, among those of the last observation (repaired ones included)."""
    if state.counts[e, cell] <= rules.cell_limit:
        return False
    live = 0
    for i in range(n_old):
        if state.cell[e, i] == cell and state.start[e, i] + state.length[e, i] > t:
            live += 1
    return live > rules.cell_limit


@njit(cache=True)
def _add_root(tables: Any, rules: Any, state: Any, e: int, i: int, t: float, within: float, used: Any) -> None:
    """A fault: (cell, start) drawn uniformly and t + Exp(1/mu), again until the start is within; its type is used."""
    v = len(tables.mu)
    while True:
        cell = tables.root_cells[int(_uniform(state.random, e) * len(tables.root_cells))]
        kind = cell % v
        if used[kind]:
            continue
        delay = -math.log(_uniform(state.random, e)) / tables.mu[kind]
        if delay < within:
            break
    used[kind] = True
    _append(state, rules, e, i, cell, -1, math.floor(t + delay), False)


@njit(cache=True)
def _add_noise(
    tables: Any, rules: Any, state: Any, e: int, i: int, n_old: int, t: float, begin: float, end: float
) -> int:
    """At most one alarm without a cause: one of those that fire on ``noise_draws`` devices. Returns how many."""
    v, found, chosen, when = len(tables.mu), 0, 0, 0.0
    for _ in range(rules.noise_draws):
        device = tables.noise_devices[int(_uniform(state.random, e) * len(tables.noise_devices))]
        for kind in tables.noise_types:
            start = begin - math.log(_uniform(state.random, e)) / tables.mu[kind]
            cell = device * v + kind
            if start > end or _full(state, rules, e, cell, n_old, t):
                continue
            found += 1
            if _uniform(state.random, e) * found < 1.0:  # each of those found is kept equally often
                chosen, when = cell, start
    if found == 0:
        return 0
    _append(state, rules, e, i, chosen, -1, math.floor(when), tables.transient[chosen])
    state.length[e, i] = math.floor(state.length[e, i])
    return 1


@njit(cache=True, inline="always")
def _candidates(
    tables: Any,
    rules: Any,
    state: Any,
    scratch: Any,
    e: int,
    lo: int,
    hi: int,
    n_old: int,
    t: float,
    end: float,
) -> int:
    """The alarms that slots lo..hi-1 start in this window: how many, or -1 if the working memory is too small."""
    m, warm = 0, state.steps[e] < 0
    for i in range(lo, hi):
        if i < n_old and scratch.gone[i]:
            continue
        cell = state.cell[e, i]
        row0, row1 = tables.first[cell], tables.first[cell + 1]
        if row0 == row1:
            continue
        begin = state.start[e, i] if warm else t
        lasting = state.length[e, i] == PERSISTENT
        span = (end if lasting else state.start[e, i] + state.length[e, i]) - begin
        if span <= 0.0:
            continue
        u = _uniform(state.random, e)
        if lasting and not warm and u < tables.quiet[cell]:
            continue
        rate, mine = tables.cumulative[row1 - 1], m
        wait = -math.log(u) / rate
        while wait <= span:
            aim = _uniform(state.random, e) * rate
            a, b = row0, row1 - 1
            while a < b:
                middle = (a + b) >> 1
                if tables.cumulative[middle] <= aim:
                    a = middle + 1
                else:
                    b = middle
            fresh = True
            for c in range(mine, m):
                if scratch.row[c] == a:
                    fresh = False
                    break
            if fresh and not _full(state, rules, e, tables.child[a], n_old, t):
                if m == len(scratch.row):
                    return -1
                scratch.row[m] = a
                scratch.father[m] = i
                scratch.start[m] = begin + wait
                m += 1
            wait -= math.log(_uniform(state.random, e)) / rate
    return m


@njit(cache=True)
def _cut(tables: Any, state: Any, scratch: Any, e: int, m: int, current: int, cap: int) -> tuple[Any, int]:
    """The first candidates in the published order, until the total exceeds the cap: their indices, and how many.

    Devices in random order; within one by hop, the father's device and the father; the check stands before each
    (father, device, hop), so the last group is taken whole.
    """
    n_devices, v = len(tables.transient) // len(tables.mu), len(tables.mu)
    rank = np.arange(n_devices)
    for i in range(n_devices - 1, 0, -1):
        j = int(_uniform(state.random, e) * (i + 1))
        rank[i], rank[j] = rank[j], rank[i]
    group = np.empty(m, np.int64)
    for c in range(m):
        device = tables.child[scratch.row[c]] // v
        father = scratch.father[c]
        near = state.cell[e, father] // v
        key = (rank[device] * 64 + tables.hop[scratch.row[c]]) * n_devices + near
        group[c] = key * state.cell.shape[1] + father
    order = np.argsort(group)
    taken = 0
    while taken < m:
        if current + taken > cap and group[order[taken]] != group[order[taken - 1]]:
            break
        taken += 1
    return order, taken


@njit(cache=True)
def _propagate(
    tables: Any,
    rules: Any,
    state: Any,
    scratch: Any,
    e: int,
    n_old: int,
    total: int,
    current: int,
    t: float,
    end: float,
) -> int:
    """All generations of consequences in one window: the new number of slots in use, or -1 (too many)."""
    cap = rules.initial_alarms if state.steps[e] < 0 else rules.max_alarms
    lo, hi = 0, total
    while lo < hi and current <= cap:
        m = _candidates(tables, rules, state, scratch, e, lo, hi, n_old, t, end)
        if m < 0:
            return -1
        if current + m <= cap:
            for c in range(m):
                cell = tables.child[scratch.row[c]]
                _append(state, rules, e, hi + c, cell, scratch.father[c], scratch.start[c], tables.transient[cell])
            taken = m
        else:
            order, taken = _cut(tables, state, scratch, e, m, current, cap)
            for k in range(taken):
                c = order[k]
                cell = tables.child[scratch.row[c]]
                _append(state, rules, e, hi + k, cell, scratch.father[c], scratch.start[c], tables.transient[cell])
        current += taken
        lo, hi = hi, hi + taken
    return hi


@njit(cache=True, inline="always")
def _settle(
    rules: Any, state: Any, scratch: Any, e: int, n_old: int, total: int, t: float, started: Any, cleared: Any
) -> None:
    """Removes what was repaired, what ended before t and the descendants of both; times become whole seconds."""
    kept = 0
    for i in range(total):
        father = state.father[e, i]
        if i < n_old:
            dead = scratch.gone[i] or state.start[e, i] + state.length[e, i] < t
            dead = dead or (father >= 0 and scratch.gone[father])
            scratch.gone[i] = dead
            if dead:
                cleared[e, state.cell[e, i]] += 1
                state.counts[e, state.cell[e, i]] -= 1
                continue
        else:
            started[e, state.cell[e, i]] += 1
            state.counts[e, state.cell[e, i]] += 1
            state.start[e, i] = math.floor(state.start[e, i])
            state.length[e, i] = math.floor(state.length[e, i])
            state.seen[e, i] = t + rules.window if rules.polled else state.start[e, i]
        if father >= 0:  # new alarms outlive a father that goes in the same window, and have none from then on
            father = -1 if father < n_old and scratch.gone[father] else scratch.moved[father]
        scratch.moved[i] = kept
        state.father[e, kept] = father
        if kept != i:
            state.cell[e, kept] = state.cell[e, i]
            state.start[e, kept] = state.start[e, i]
            state.length[e, kept] = state.length[e, i]
            state.seen[e, kept] = state.seen[e, i]
        kept += 1
    state.n[e] = kept


@njit(cache=True)
def _advance(tables: Any, rules: Any, state: Any, scratch: Any, e: int, base: int, started: Any, cleared: Any) -> int:
    """One window: new fault, noise, consequences, removals; ``base`` alarms are left of those before. 0 or a fault."""
    t, n_old, warm = state.clock[e], state.n[e], state.steps[e] < 0
    end = rules.warmup if warm else t + rules.window
    total = n_old
    if _uniform(state.random, e) < rules.root_probability:
        _add_root(tables, rules, state, e, total, t, rules.window, np.zeros(len(tables.mu), np.bool_))
        total += 1
    if _uniform(state.random, e) < rules.noise_probability and len(tables.noise_devices) and len(tables.noise_types):
        total += _add_noise(tables, rules, state, e, total, n_old, t, 0.0 if warm else t, end)
    total = _propagate(tables, rules, state, scratch, e, n_old, total, base + total - n_old, t, end)
    if total < 0:
        return TOO_MANY
    _settle(rules, state, scratch, e, n_old, total, t, started, cleared)
    state.clock[e] = t + rules.window
    return 0


@njit(cache=True)
def reset_kernel(tables: Any, rules: Any, state: Any, scratch: Any, which: Any) -> int:
    """Faults, then windows until there are ``initial_alarms``, in the environments of ``which`` (E,) bool."""
    v, n_cells = len(tables.mu), state.counts.shape[1]
    started, cleared = np.zeros((len(which), n_cells), np.int16), np.zeros((len(which), n_cells), np.int16)
    has_type = np.zeros(v, np.bool_)
    for cell in tables.root_cells:
        has_type[cell % v] = True
    for e in range(len(which)):
        if not which[e]:
            continue
        state.counts[e, :] = 0
        used, left, last = ~has_type, has_type.sum(), 0.0
        for i in range(rules.initial_roots):
            if left == 0:  # every type has had its fault: all may again
                used, left = ~has_type, has_type.sum()
            _add_root(tables, rules, state, e, i, 0.0, rules.root_window, used)
            left -= 1
            state.seen[e, i] = state.start[e, i]
            state.counts[e, state.cell[e, i]] += 1
            last = max(last, state.start[e, i])
        state.n[e], state.steps[e], state.clock[e] = rules.initial_roots, -1, last + 1.0
        rounds = 0
        while state.n[e] < rules.initial_alarms:
            if rounds == MAX_ROUNDS:
                return NEVER_ENOUGH
            rounds += 1
            started[e, :] = 0
            cleared[e, :] = 0
            scratch.gone[: state.n[e]] = False
            fault = _advance(tables, rules, state, scratch, e, state.n[e], started, cleared)
            if fault:
                return fault
        if rules.polled:
            state.seen[e, : state.n[e]] = state.clock[e]
        state.steps[e], state.done[e] = 0, False
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


@njit(cache=True)
def step_kernel(
    tables: Any,
    rules: Any,
    state: Any,
    scratch: Any,
    actions: Any,
    max_steps: int,
    reward: Any,
    ended: Any,
    change: Any,
    mode: int,
    obs: Any,
) -> int:
    """Repair cell ``actions[e]`` and let one window pass, in every environment e that is not finished.

    Fills reward (E,) float64; ended (2, E) bool: terminated, truncated; change (3, E, C) int16: counts, started,
    cleared; obs (E, n_obs) float32. Returns 0, or a fault.
    """
    started, cleared = change[1], change[2]
    for e in range(len(actions)):
        started[e, :] = 0
        cleared[e, :] = 0
        reward[e] = 0.0
        ended[:, e] = False
        if state.done[e]:
            continue
        n_old, acted, left = state.n[e], actions[e], state.n[e]
        for i in range(n_old):  # 1. the cell's alarms go with all their descendants
            father = state.father[e, i]
            scratch.gone[i] = state.cell[e, i] == acted or (father >= 0 and scratch.gone[father])
            left -= scratch.gone[i]
        alone = n_old - state.counts[e, acted]  # m: their own removal earns nothing
        if left == 0:  # 2. nothing left: the episode ends at once
            cleared[e, :] = state.counts[e]
            state.counts[e, :] = 0
            state.n[e] = 0
            state.clock[e] += rules.window
        else:
            fault = _advance(tables, rules, state, scratch, e, left, started, cleared)
            if fault:
                return fault
        n = state.n[e]
        state.steps[e] += 1
        share = 1.0 if n == 0 or alone == 0 else (alone - n) / alone
        reward[e] = round(share - state.steps[e] / max_steps, 2)  # the paper's r, counted as its code does
        ended[0, e] = n == 0 or n > rules.max_alarms
        ended[1, e] = not ended[0, e] and state.steps[e] >= max_steps
        state.done[e] = ended[0, e] or ended[1, e]
    change[0] = state.counts
    observe_kernel(state, mode, obs)
    return 0


@njit(cache=True)
def oracle_kernel(state: Any) -> Any:
    """(E,) cell of an alarm without a live father that has the most live children; 0 where there is no alarm."""
    found = np.zeros(len(state.n), np.int64)
    for e in range(len(state.n)):
        children = np.zeros(state.n[e], np.int64)
        for i in range(state.n[e]):
            if state.father[e, i] >= 0:
                children[state.father[e, i]] += 1
        best = -1
        for i in range(state.n[e]):
            if state.father[e, i] < 0 and children[i] > best:
                best, found[e] = children[i], state.cell[e, i]
    return found


@njit(cache=True)
def oldest_kernel(state: Any) -> Any:
    """(E,) cell of the alarm seen first; ties go to the least of hashed slots, which draws nothing from the stream."""
    found = np.zeros(len(state.n), np.int64)
    for e in range(len(state.n)):
        first, least = np.inf, np.uint64(0)
        for i in range(state.n[e]):
            mixed = state.random[e, 0] + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)  # splitmix64
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed ^= mixed >> np.uint64(31)
            if state.seen[e, i] < first or (state.seen[e, i] == first and mixed < least):
                first, least, found[e] = state.seen[e, i], mixed, state.cell[e, i]
    return found
