"""The state of a search over orders: the order, who could gain from whom, the queue, and what a round may have to undo."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Bools, Ints
from ...base.clock import now
from ...stats.scores.contract import BARE, INNER, SCRATCH, Slots, add, best_add, best_drop, copy, drop, helps

NOTHING, HELPS, PARENT = 0, 1, 2  # entries of link
EPS = 1e-7  # a change of score below this is rounding


class State(NamedTuple):
    """Everything about the present order but the slots, in few arrays: compiled calls carry each of them.

    table: (7, d) int64, the rows named below. link: (d, d) uint8, [r, v] PARENT if r is a parent of v, HELPS if it would
    lower v's score (wherever it stands), else NOTHING. may: (d,) float64 work, 1 for those that may be parents at
    the place looked at. tally: (7,) int64, the entries named below. total: (1,) score of the present state.
    random: (1,) uint64.
    """

    table: Ints
    link: AnyArray
    may: Array
    tally: Ints
    total: Array
    random: AnyArray


ORDER, PLACE, QUEUE, QUEUED, SAVED, MARKED, OLD = range(7)
"""Rows of State.table: variables, causes first; where each stands; a ring of variables to look at; is it in the ring;
variables whose slots have changed in this round; is it among them; the order
to go back to."""
HEAD, WAITING, CHANGED, REFITS, PATIENCE, SWEEPING, MOVED = range(7)
ROWS, COUNTS = 7, 7
"""Entries of State.tally: first entry and length of the ring; how many are saved; refits made; tuning; is every
variable looked at once more, and has any moved since."""


class Rules(NamedTuple):
    """What knowledge says. any: (1,) is there any. allowed: (d, d) float64 and required: (d, d) bool, row v: may, must r
    be a parent of v (both (1, 1) when there is none)?"""

    any: Bools
    allowed: Array
    required: Bools


@njit(**INNER)
def draw(state: State, n: int) -> Any:
    """A whole number below n (splitmix64)."""
    state.random[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state.random[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64((z >> np.uint64(11)) % np.uint64(n))  # a signed one: compiled, int() keeps it unsigned


@njit(**INNER)
def find(slots: Slots, s: int, r: int) -> int:
    for i in range(slots.size[s]):
        if slots.parents[s, i] == r:
            return i
    return -1


@njit(**INNER, inline="always")
def _exchange(score: Any, slots: Slots, state: State, s: int, fixed: Bools) -> bool:
    """Let a candidate take the place of a parent of scratch slot s, those of best score; False if none lowers it.

    Asked where there is no room for more parents; from the last to the first, as a parent that is taken back comes last.
    """
    least, out, new = slots.value[s] - EPS, -1, -1
    for i in range(slots.size[s] - 1, -1, -1):
        r: Any = np.int64(slots.parents[s, i])  # one type of number: for each numba compiles anew
        if fixed[r]:
            continue
        drop(score, slots, s, i)
        state.may[r] = 0.0
        x = best_add(score, slots, s, state.may)
        state.may[r] = 1.0
        if x >= 0:
            add(score, slots, s, x)
            if slots.value[s] < least:
                least, out, new = slots.value[s], r, x
            drop(score, slots, s, slots.size[s] - 1)
        add(score, slots, s, r)
    if new >= 0:
        drop(score, slots, s, find(slots, s, out))
        add(score, slots, s, new)
    return new >= 0


@njit(**INNER)
def settle(score: Any, slots: Slots, state: State, rules: Rules, s: int, limit: int, out: int) -> None:
    """Grow and shrink scratch slot s among those that stand before the place ``limit``, ``out`` apart; exchange when full."""
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
        if i < 0 and (slots.size[s] < slots.parents.shape[1] or not _exchange(score, slots, state, s, fixed)):
            break
        while i >= 0:
            drop(score, slots, s, i)
            i = best_drop(score, slots, s, fixed)


@njit(**INNER)
def enqueue(state: State, v: int) -> None:
    table, count = state.table, state.tally
    if table[QUEUED, v] == 0:
        table[QUEUED, v] = 1
        table[QUEUE, (count[HEAD] + count[WAITING]) % table.shape[1]] = v
        count[WAITING] += 1


@njit(**INNER)
def publish(score: Any, slots: Slots, state: State, v: int) -> None:
    """link[:, v] from slot v; those whose entry changes are queued."""
    link = state.link
    for i in range(slots.size[v]):
        state.may[slots.parents[v, i]] = -1.0
    for r in range(link.shape[0]):
        new = HELPS if r != v and helps(score, slots, v, r) else NOTHING
        if state.may[r] < 0.0:
            new = PARENT
            state.may[r] = 0.0
        old = link[r, v]
        if old != new:
            link[r, v] = new
            if old == PARENT or new != NOTHING:
                enqueue(state, r)


@njit(**INNER)
def take(score: Any, slots: Slots, state: State, s: int) -> None:
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
    publish(score, slots, state, v)
    for i in range(slots.size[v]):
        enqueue(state, np.int64(slots.parents[v, i]))
    enqueue(state, v)


@njit(**BARE)
def clear(state: State) -> None:
    """Forget the queue and what was saved."""
    while state.tally[WAITING] > 0:
        state.table[QUEUED, state.table[QUEUE, state.tally[HEAD]]] = False
        state.tally[HEAD] = (state.tally[HEAD] + 1) % state.link.shape[0]
        state.tally[WAITING] -= 1
    for i in range(state.tally[CHANGED]):
        state.table[MARKED, state.table[SAVED, i]] = False
    state.tally[CHANGED] = 0


@njit(cache=True)
def greedy_order(corr: Array, required: Bools, some: bool, noise: float, deadline: float) -> Ints:
    """(d,) an order to start from: least determinants from the end.

    The two of largest correlation come last, and ahead of them always the variable of least residual variance given
    those placed. (The same from the head ends several times as far from the optimum.) With ``some`` knowledge, none is
    placed before its required effects, required[v, r] for r -> v. Partial correlations of at most ``noise`` count as
    none: then rows are sparse, and more variables than rows do no harm. What is not placed by ``deadline`` is placed as
    known by then.
    """
    d = corr.shape[0]
    order = np.empty(d, np.int64)
    rows, rest = np.empty((d, d)), np.ones(d)
    placed, late = np.zeros(d, np.bool_), False
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
        if deadline < np.inf and (late or now() > deadline):
            late = True
            continue
        for j in range(d):
            rows[k, j] = corr[v, j]
        for i in range(k):
            t = rows[i, v]
            if abs(t) > noise:
                for j in range(d):
                    rows[k, j] -= t * rows[i, j]
        scale = 1.0 / math.sqrt(max(rows[k, v], 1e-12))
        for j in range(d):
            rows[k, j] *= scale
            if abs(rows[k, j]) <= noise:
                rows[k, j] = 0.0
            rest[j] -= rows[k, j] * rows[k, j]
    return order
