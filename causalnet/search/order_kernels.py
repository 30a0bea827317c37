"""Compiled search over causal orders: reinsertion of one variable at a time, and perturbations undone unless they pay.

A state is an order of the variables and, for each, the parents that a grow-shrink search chose among those before it.
Moving a variable v past its neighbour z changes two local problems only, that of v and that of z, and mostly neither:
v's changes when z is one of its parents or would become one, z's when v is one of its parents or would become one.
``link[v, z]`` tells which at a glance; what is left is refitted from the parents it has (a warm start). So a variable
is tried at all places of the order for d glances and a handful of refits.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Ints
from ..base.clock import now
from ..stats.scores.contract import SCRATCH, Slots, add, begin, best_add, best_drop, copy, drop, helps

NOTHING, HELPS, PARENT = 0, 1, 2  # entries of link
EPS = 1e-7  # a change of score below this is rounding


class State(NamedTuple):
    """Everything about the present order but the slots, in few arrays: compiled calls carry each of them.

    table: (6, d) int64, the rows named below. link: (d, d) uint8, [r, v] PARENT if r is a parent of v, HELPS if it would
    lower v's score (wherever it stands), else NOTHING. may: (d,) float64 work, 1 for those that may be parents at
    the place looked at. tally: (5,) int64, the entries named below. total: (1,) score of the present state.
    random: (1,) uint64.
    """

    table: Ints
    link: AnyArray
    may: Array
    tally: Ints
    total: Array
    random: AnyArray


ORDER, PLACE, QUEUE, QUEUED, SAVED, MARKED = range(6)
"""Rows of State.table: variables, causes first; where each stands; a ring of variables to look at; is it in the ring;
variables whose slots have changed in this round; is it among them."""
HEAD, WAITING, CHANGED, REFITS, PATIENCE = range(5)
ROWS, COUNTS = 6, 5
"""Entries of State.tally: first entry and length of the ring; how many are saved; refits made; tuning."""


class Rules(NamedTuple):
    """What knowledge says. any: (1,) is there any. allowed: (d, d) float64 and required: (d, d) bool, row v: may, must r
    be a parent of v (both (1, 1) when there is none)?"""

    any: Bools
    allowed: Array
    required: Bools


@njit(cache=True)
def _draw(state: State, n: int) -> int:
    """A whole number below n (splitmix64)."""
    state.random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state.random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return int((z >> np.uint64(11)) % np.uint64(n))


@njit(cache=True)
def _settle(score: Any, slots: Slots, state: State, rules: Rules, s: int, limit: int, out: int) -> None:
    """Grow and shrink scratch slot s among those that stand before the place ``limit``, ``out`` apart."""
    v = slots.node[s]
    state.tally[REFITS] += 1
    may, table = state.may, state.table
    for j in range(may.size):
        may[j] = 1.0 if table[PLACE, j] < limit else 0.0
    may[out] = 0.0
    may[v] = 0.0
    fixed = rules.required[0]
    if rules.any[0]:
        fixed = rules.required[v]
        for j in range(may.size):
            may[j] *= rules.allowed[v, j]
    while True:
        r = best_add(score, slots, s, may)
        while r >= 0:
            add(score, slots, s, r)
            r = best_add(score, slots, s, may)
        i = best_drop(score, slots, s, fixed)
        if i < 0:
            break
        while i >= 0:
            drop(score, slots, s, i)
            i = best_drop(score, slots, s, fixed)


@njit(cache=True)
def _find(slots: Slots, s: int, r: int) -> int:
    for i in range(slots.size[s]):
        if slots.parents[s, i] == r:
            return i
    return -1


@njit(cache=True)
def _enqueue(state: State, v: int) -> None:
    table, count = state.table, state.tally
    if table[QUEUED, v] == 0:
        table[QUEUED, v] = 1
        table[QUEUE, (count[HEAD] + count[WAITING]) % table.shape[1]] = v
        count[WAITING] += 1


@njit(cache=True)
def _publish(score: Any, slots: Slots, state: State, v: int, wake: bool) -> None:
    """link[:, v] from slot v; with wake, those whose entry changes are queued."""
    link = state.link
    for i in range(slots.size[v]):
        state.may[slots.parents[v, i]] = -1.0
    for r in range(link.shape[0]):
        new = HELPS if r != v and helps(score, slots, v, r) else NOTHING
        if state.may[r] < 0.0:
            new = PARENT
            state.may[r] = 0.0
        if link[r, v] != new:
            link[r, v] = new
            if wake:
                _enqueue(state, r)


@njit(cache=True)
def _take(score: Any, slots: Slots, state: State, s: int) -> None:
    """Scratch slot s becomes the state of its variable; those whose moves it concerns are queued."""
    v, d = slots.node[s], state.link.shape[0]
    table, count = state.table, state.tally
    if table[MARKED, v] == 0:
        table[MARKED, v] = 1
        copy(score, slots, v, d + SCRATCH + count[CHANGED])
        table[SAVED, count[CHANGED]] = v
        count[CHANGED] += 1
    state.total[0] += slots.value[s] - slots.value[v]
    copy(score, slots, s, v)
    _publish(score, slots, state, v, True)
    for i in range(slots.size[v]):
        _enqueue(state, slots.parents[v, i])
    _enqueue(state, v)


@njit(cache=True)
def _last_parent(slots: Slots, state: State, s: int) -> int:
    """The place of the last parent of slot s, or -1."""
    last = -1
    for i in range(slots.size[s]):
        last = max(last, state.table[PLACE, slots.parents[s, i]])
    return last


@njit(cache=True)
def _free(state: State, rules: Rules, v: int) -> tuple[int, int]:
    """The first and the last place that v may take: required causes stay ahead of it, required effects behind."""
    low, high = 0, state.link.shape[0] - 1
    if rules.any[0]:
        for r in range(high + 1):
            if rules.required[v, r]:
                low = max(low, state.table[PLACE, r] + 1)
            if rules.required[r, v]:
                high = min(high, state.table[PLACE, r] - 1)
    return low, high


@njit(cache=True)
def _without(score: Any, slots: Slots, state: State, rules: Rules, z: int, v: int, limit: int) -> float:
    """Scratch: z without its parent v, among those ahead of ``limit``; returns the change of its score."""
    t = state.link.shape[0] + 1
    copy(score, slots, z, t)
    drop(score, slots, t, _find(slots, t, v))
    _settle(score, slots, state, rules, t, limit, v)
    return slots.value[t] - slots.value[z]


@njit(cache=True)
def _with(score: Any, slots: Slots, state: State, rules: Rules, z: int, v: int, limit: int) -> float:
    """Scratch: z with v as a parent, among those ahead of ``limit``; returns the change of its score."""
    t = state.link.shape[0] + 1
    copy(score, slots, z, t)
    add(score, slots, t, v)
    _settle(score, slots, state, rules, t, limit, v)
    return slots.value[t] - slots.value[z]


@njit(cache=True)
def _ahead(
    score: Any, slots: Slots, state: State, rules: Rules, v: int, low: int, move: bool, best: float
) -> tuple[int, float]:
    """The best place for v from ``low`` to where it is, if it changes the score by less than ``best``, else -1; the change.

    With move, v is put at ``low``, and refitted with all that this concerns.
    """
    s, table, link = state.link.shape[0], state.table, state.link
    now_at = table[PLACE, v]
    own, others, where, idle = 0.0, 0.0, -1, 0
    at = v  # its slot until something changes, then scratch slot s
    parent = _last_parent(slots, state, v)
    for q in range(now_at - 1, low - 1, -1):
        z = table[ORDER, q]
        event = False
        if q == parent:  # v loses z
            if at == v:
                copy(score, slots, v, s)
                at = s
            drop(score, slots, s, _find(slots, s, z))
            _settle(score, slots, state, rules, s, q, v)
            own = slots.value[s] - slots.value[v]
            parent = _last_parent(slots, state, s)
            event = True
        if link[v, z] == HELPS and (not rules.any[0] or rules.allowed[z, v] > 0.0):  # z gains v
            others += _with(score, slots, state, rules, z, v, q)
            if move:
                _take(score, slots, state, s + 1)
            event = True
        if move:
            table[ORDER, q + 1] = z
            table[PLACE, z] = q + 1
        elif event:
            idle += 1
            if own + others < best - EPS:
                best, where, idle = own + others, q, 0
            elif idle >= state.tally[PATIENCE]:
                break
    if move:
        table[ORDER, low] = v
        table[PLACE, v] = low
        if at == s:
            _take(score, slots, state, s)
    return where, best


@njit(cache=True)
def _behind(
    score: Any, slots: Slots, state: State, rules: Rules, v: int, high: int, move: bool, best: float
) -> tuple[int, float]:
    """The best place for v from where it is to ``high``, if it changes the score by less than ``best``, else -1; the change.

    With move, v is put at ``high``, and refitted with all that this concerns.
    """
    s, table, link = state.link.shape[0], state.table, state.link
    now_at = table[PLACE, v]
    own, others, where, idle = 0.0, 0.0, -1, 0
    at = v
    for q in range(now_at + 1, high + 1):
        z = table[ORDER, q]
        event = False
        if link[v, z] == PARENT:  # z loses v
            others += _without(score, slots, state, rules, z, v, q)
            if move:
                _take(score, slots, state, s + 1)
            event = True
        if helps(score, slots, at, z) and (not rules.any[0] or rules.allowed[v, z] > 0.0):  # v gains z
            if at == v:
                copy(score, slots, v, s)
                at = s
            _settle(score, slots, state, rules, s, q + 1, v)
            own = slots.value[s] - slots.value[v]
            event = True
        if move:
            table[ORDER, q - 1] = z
            table[PLACE, z] = q - 1
        elif event:
            idle += 1
            if own + others < best - EPS:
                best, where, idle = own + others, q, 0
            elif idle >= state.tally[PATIENCE]:
                break
    if move:
        table[ORDER, high] = v
        table[PLACE, v] = high
        if at == s:
            _take(score, slots, state, s)
    return where, best


@njit(cache=True)
def _move(score: Any, slots: Slots, state: State, rules: Rules, v: int, where: int) -> None:
    """Put v at the place ``where``, or as near as knowledge lets it, and refit what that concerns."""
    low, high = _free(state, rules, v)
    if where < state.table[PLACE, v]:
        _ahead(score, slots, state, rules, v, max(where, low), True, 0.0)
    elif where > state.table[PLACE, v]:
        _behind(score, slots, state, rules, v, min(where, high), True, 0.0)


@njit(cache=True)
def _improve(score: Any, slots: Slots, state: State, rules: Rules, v: int) -> bool:
    """Move v to its best place, if that lowers the score."""
    low, high = _free(state, rules, v)
    where, best = _ahead(score, slots, state, rules, v, low, False, 0.0)
    behind, best = _behind(score, slots, state, rules, v, high, False, best)
    where = behind if behind >= 0 else where
    if where < 0:
        return False
    _move(score, slots, state, rules, v, where)
    return True


@njit(cache=True)
def _drain(score: Any, slots: Slots, state: State, rules: Rules, deadline: float) -> bool:
    """Improve what is queued until nothing is; False if time ran out first."""
    looks = 0
    while state.tally[WAITING] > 0:
        v = state.table[QUEUE, state.tally[HEAD]]
        state.tally[HEAD] = (state.tally[HEAD] + 1) % state.link.shape[0]
        state.tally[WAITING] -= 1
        state.table[QUEUED, v] = False
        _improve(score, slots, state, rules, v)
        looks += 1
        if looks % 16 == 0 and deadline < np.inf and now() > deadline:
            return False
    return True


@njit(cache=True)
def _clear(state: State) -> None:
    """Forget the queue and what was saved."""
    while state.tally[WAITING] > 0:
        state.table[QUEUED, state.table[QUEUE, state.tally[HEAD]]] = False
        state.tally[HEAD] = (state.tally[HEAD] + 1) % state.link.shape[0]
        state.tally[WAITING] -= 1
    for i in range(state.tally[CHANGED]):
        state.table[MARKED, state.table[SAVED, i]] = False
    state.tally[CHANGED] = 0


@njit(cache=True)
def fit_order(score: Any, slots: Slots, state: State, rules: Rules, order: Ints) -> None:
    """Parents for every variable in the order (d,), from scratch; all are queued."""
    d, table = state.link.shape[0], state.table
    state.total[0] = 0.0
    for q in range(d):
        table[ORDER, q] = order[q]
        table[PLACE, order[q]] = q
    for q in range(d):
        v = order[q]
        begin(score, slots, d, v)
        if rules.any[0]:
            for r in range(d):
                if rules.required[v, r]:
                    add(score, slots, d, r)
        _settle(score, slots, state, rules, d, q, v)
        copy(score, slots, d, v)
        _publish(score, slots, state, v, False)
        state.total[0] += slots.value[v]
    for q in range(d):  # in random order (Fisher and Yates): topological ones end in worse places
        k = _draw(state, q + 1)
        table[QUEUE, q] = table[QUEUE, k]
        table[QUEUE, k] = q
        table[QUEUED, q] = 1
    state.tally[HEAD] = 0
    state.tally[WAITING] = d


@njit(cache=True)
def descend(score: Any, slots: Slots, state: State, rules: Rules, patience: int, deadline: float) -> bool:
    """Reinsert variables until no reinsertion lowers the score; False if time ran out first.

    patience: give a scan up after so many places in a row where scores changed for nothing.
    """
    d = state.link.shape[0]
    state.tally[PATIENCE] = patience
    while True:
        if not _drain(score, slots, state, rules, deadline):
            _clear(state)
            return False
        moved = False
        for v in range(d):
            if _improve(score, slots, state, rules, v):
                moved = True
            if deadline < np.inf and now() > deadline:
                _clear(state)
                return False
        if not moved:
            _clear(state)
            return True


@njit(cache=True)
def _swap(score: Any, slots: Slots, state: State, rules: Rules, a: int, b: int) -> None:
    """Let a and b change places."""
    at, to = state.table[PLACE, a], state.table[PLACE, b]
    if at != to:
        _move(score, slots, state, rules, a, to)
        _move(score, slots, state, rules, b, at)


@njit(cache=True)
def wander(
    score: Any, slots: Slots, state: State, rules: Rules, rounds: int, swaps: int, patience: int, deadline: float
) -> int:
    """Iterated local search: swap, descend, undo unless the score is as low as before. Returns rounds made.

    A variable changes places with another, ``swaps`` times; only what that concerns is searched again.
    """
    d, table = state.link.shape[0], state.table
    state.tally[PATIENCE] = patience
    old = np.empty(d, np.int64)
    for made in range(rounds):
        for q in range(d):
            old[q] = table[ORDER, q]
        total = state.total[0]
        _clear(state)
        for _ in range(swaps):
            _swap(score, slots, state, rules, _draw(state, d), _draw(state, d))
        done = _drain(score, slots, state, rules, deadline)
        if state.total[0] > total + EPS:
            for i in range(state.tally[CHANGED]):
                v = table[SAVED, i]
                copy(score, slots, d + SCRATCH + i, v)
                _publish(score, slots, state, v, False)
            for q in range(d):
                table[ORDER, q] = old[q]
                table[PLACE, old[q]] = q
            state.total[0] = total
        _clear(state)
        if not done:
            return made
    return rounds


@njit(cache=True)
def greedy_order(corr: Array, required: Bools, some: bool) -> Ints:
    """(d,) an order to start from: least determinants from the end.

    The two of largest correlation come last, and ahead of them always the variable of least residual variance given
    those placed. (The same from the head ends several times as far from the optimum.) With ``some`` knowledge, none is
    placed before its required effects, required[v, r] for r -> v.
    """
    d = corr.shape[0]
    order = np.empty(d, np.int64)
    rows, rest = np.empty((d, d)), np.ones(d)
    placed = np.zeros(d, np.bool_)
    for k in range(d):
        v, least = -1, np.inf
        for j in range(d):
            if placed[j]:
                continue
            x = rest[j]
            if k == 0:
                for r in range(d):
                    if r != j:
                        x = min(x, -abs(corr[j, r]))
            if x >= least:
                continue
            free = True
            if some:
                for r in range(d):
                    free &= placed[r] or not required[r, j]
            if free:
                v, least = j, x
        order[d - 1 - k] = v
        placed[v] = True
        for j in range(d):
            rows[k, j] = corr[v, j]
        for i in range(k):
            t = rows[i, v]
            for j in range(d):
                rows[k, j] -= t * rows[i, j]
        scale = 1.0 / math.sqrt(max(rows[k, v], 1e-12))
        for j in range(d):
            rows[k, j] *= scale
            rest[j] -= rows[k, j] * rows[k, j]
    return order
