"""Compiled search over causal orders: reinsertion of one variable at a time, and perturbations undone unless they pay.

A state is an order of the variables and, for each, the parents that a grow-shrink search chose among those before it.
Moving a variable v past its neighbour z changes two local problems only, that of v and that of z, and mostly neither:
v's changes when z is one of its parents or would become one, z's when v is one of its parents or would become one.
``link[v, z]`` tells which at a glance; what is left is refitted from the parents it has (a warm start). So a variable
is tried at all places of the order for d glances and a handful of refits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ...base.arrays import Ints
from ...base.clock import now
from ...stats.scores.contract import BARE, SCRATCH, Slots, add, begin, copy, drop, helps
from .state import (
    CHANGED,
    EPS,
    HEAD,
    HELPS,
    MOVED,
    OLD,
    ORDER,
    PARENT,
    PATIENCE,
    PLACE,
    QUEUE,
    QUEUED,
    SAVED,
    SWEEPING,
    WAITING,
    Rules,
    State,
    clear,
    draw,
    enqueue,
    find,
    publish,
    settle,
    take,
)
from .ties import NEAR, Met, note


@njit(**BARE)
def _last_parent(slots: Slots, state: State, s: int) -> int:
    """The place of the last parent of slot s, or -1."""
    last = -1
    for i in range(slots.size[s]):
        last = max(last, state.table[PLACE, slots.parents[s, i]])
    return last


@njit(**BARE)
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


@njit(**BARE)
def _without(score: Any, slots: Slots, state: State, rules: Rules, z: int, v: int, limit: int) -> float:
    """Scratch: z without its parent v, among those ahead of ``limit``; returns the change of its score."""
    t = state.link.shape[0] + 1
    copy(score, slots, z, t)
    drop(score, slots, t, find(slots, t, v))
    settle(score, slots, state, rules, t, limit, v)
    return slots.value[t] - slots.value[z]


@njit(**BARE)
def _with(score: Any, slots: Slots, state: State, rules: Rules, z: int, v: int, limit: int) -> float:
    """Scratch: z with v as a parent, among those ahead of ``limit``; returns the change of its score."""
    t = state.link.shape[0] + 1
    copy(score, slots, z, t)
    add(score, slots, t, v)
    settle(score, slots, state, rules, t, limit, v)
    return slots.value[t] - slots.value[z]


@njit(**BARE)
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
            drop(score, slots, s, find(slots, s, z))
            settle(score, slots, state, rules, s, q, v)
            own = slots.value[s] - slots.value[v]
            parent = _last_parent(slots, state, s)
            event = True
        if link[v, z] == HELPS and (not rules.any[0] or rules.allowed[z, v] > 0.0):  # z gains v
            others += _with(score, slots, state, rules, z, v, q)
            if move:
                take(score, slots, state, s + 1)
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
            take(score, slots, state, s)
    return where, best


@njit(**BARE)
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
                take(score, slots, state, s + 1)
            event = True
        if helps(score, slots, at, z) and (not rules.any[0] or rules.allowed[v, z] > 0.0):  # v gains z
            if at == v:
                copy(score, slots, v, s)
                at = s
            settle(score, slots, state, rules, s, q + 1, v)
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
            take(score, slots, state, s)
    return where, best


@njit(**BARE)
def _move(score: Any, slots: Slots, state: State, rules: Rules, v: int, where: int) -> None:
    """Put v at the place ``where``, or as near as knowledge lets it, and refit what that concerns."""
    low, high = _free(state, rules, v)
    if where < state.table[PLACE, v]:
        _ahead(score, slots, state, rules, v, max(where, low), True, 0.0)
    elif where > state.table[PLACE, v]:
        _behind(score, slots, state, rules, v, min(where, high), True, 0.0)


@njit(**BARE)
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


@njit(**BARE)
def _drain(score: Any, slots: Slots, state: State, rules: Rules, deadline: float) -> bool:
    """Improve what is queued until nothing is; False if time ran out first."""
    looks = 0
    while state.tally[WAITING] > 0:
        v = state.table[QUEUE, state.tally[HEAD]]
        state.tally[HEAD] = (state.tally[HEAD] + 1) % state.link.shape[0]
        state.tally[WAITING] -= 1
        state.table[QUEUED, v] = False
        if _improve(score, slots, state, rules, v):
            state.tally[MOVED] = 1
        looks += 1
        if looks % 8 == 0 and deadline < np.inf and now() > deadline:
            return False
    return True


@njit(**BARE)
def begin_order(score: Any, slots: Slots, state: State, rules: Rules, order: Ints) -> None:
    """The order (d,) with no parents but those required; all variables are queued."""
    d, table = state.link.shape[0], state.table
    state.total[0] = 0.0
    for q in range(d):
        table[ORDER, q] = order[q]
        table[PLACE, order[q]] = q
    for v in range(d):
        begin(score, slots, d, v)
        if rules.any[0]:
            for r in range(d):
                if rules.required[v, r]:
                    add(score, slots, d, r)
        copy(score, slots, d, v)
        state.total[0] += slots.value[v]
    for q in range(d):  # in random order (Fisher and Yates): topological ones end in worse places
        k = draw(state, q + 1)
        table[QUEUE, q] = table[QUEUE, k]
        table[QUEUE, k] = q
        table[QUEUED, q] = 1
    state.tally[HEAD] = 0
    state.tally[WAITING] = d
    state.tally[SWEEPING] = 0


@njit(**BARE)
def fit_order(score: Any, slots: Slots, state: State, rules: Rules, start: int, deadline: float) -> int:
    """Parents for the variables from the place ``start``; the place where time ran out, or d."""
    d = state.link.shape[0]
    for q in range(start, d):
        if deadline < np.inf and q > start and now() > deadline:
            return q
        v = state.table[ORDER, q]
        before = slots.value[v]
        copy(score, slots, v, d)
        settle(score, slots, state, rules, d, q, v)
        copy(score, slots, d, v)
        publish(score, slots, state, v, False)
        state.total[0] += slots.value[v] - before
    return d


@njit(**BARE)
def reconsider(score: Any, slots: Slots, state: State, rules: Rules) -> None:
    """Grow and shrink every variable where it stands: a score that has been widened may want more parents."""
    d = state.link.shape[0]
    for q in range(d):
        v = state.table[ORDER, q]
        copy(score, slots, v, d)
        settle(score, slots, state, rules, d, q, v)
        take(score, slots, state, d)


@njit(**BARE)
def descend(score: Any, slots: Slots, state: State, rules: Rules, patience: int, deadline: float) -> bool:
    """Reinsert variables until no reinsertion lowers the score; False if time ran out first, and it may be called again.

    patience: give a scan up after so many places in a row where scores changed for nothing.
    """
    tally = state.tally
    tally[PATIENCE] = patience
    while _drain(score, slots, state, rules, deadline):
        if tally[SWEEPING] and not tally[MOVED]:
            tally[SWEEPING] = 0
            clear(state)
            return True
        tally[SWEEPING], tally[MOVED] = 1, 0
        for v in range(state.link.shape[0]):
            enqueue(state, v)
    return False


@njit(**BARE)
def _swap(score: Any, slots: Slots, state: State, rules: Rules, a: int, b: int) -> None:
    """Let a and b change places."""
    at, to = state.table[PLACE, a], state.table[PLACE, b]
    if at != to:
        _move(score, slots, state, rules, a, to)
        _move(score, slots, state, rules, b, at)


@njit(**BARE)
def wander(
    score: Any,
    slots: Slots,
    state: State,
    rules: Rules,
    met: Met,
    rounds: int,
    swaps: int,
    patience: int,
    deadline: float,
) -> int:
    """Iterated local search: swap, descend, undo unless the score is as low as before. Returns rounds made.

    met: the higher of the two, where they are close, is noted.

    A variable changes places with another, ``swaps`` times; only what that concerns is searched again.
    """
    d, table = state.link.shape[0], state.table
    state.tally[PATIENCE] = patience
    for made in range(rounds):
        for q in range(d):
            table[OLD, q] = table[ORDER, q]
        total = state.total[0]
        clear(state)
        for _ in range(swaps):
            _swap(score, slots, state, rules, draw(state, d), draw(state, d))
        done = _drain(score, slots, state, rules, deadline)
        if done and EPS < abs(state.total[0] - total) <= NEAR:
            note(slots, state, met, max(state.total[0], total), state.total[0] < total)
        if state.total[0] > total + EPS:
            for i in range(state.tally[CHANGED]):
                v = table[SAVED, i]
                copy(score, slots, d + SCRATCH + i, v)
                publish(score, slots, state, v, False)
            for q in range(d):
                table[ORDER, q] = table[OLD, q]
                table[PLACE, table[OLD, q]] = q
            state.total[0] = total
        clear(state)
        if not done:
            return made
    return rounds
