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
from ...stats.scores.contract import BARE, INNER, SCRATCH, Slots, add, begin, copy, drop, helps
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


@njit(**INNER)
def _last_parent(slots: Slots, state: State, s: int) -> int:
    """The place of the last parent of slot s, or -1."""
    last = -1
    for i in range(slots.size[s]):
        last = max(last, state.table[PLACE, slots.parents[s, i]])
    return last


@njit(**INNER, inline="always")
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


@njit(**INNER, inline="always")
def _toggled(score: Any, slots: Slots, state: State, rules: Rules, z: int, v: int, limit: int) -> float:
    """Scratch: z without its parent v, or with v as a new one, among those ahead of ``limit``; the change of its score."""
    t = state.link.shape[0] + 1
    copy(score, slots, z, t)
    place = find(slots, t, v)
    if place < 0:
        add(score, slots, t, v)
    else:
        drop(score, slots, t, place)
    settle(score, slots, state, rules, t, limit, v)
    return slots.value[t] - slots.value[z]


@njit(**INNER, inline="always")
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
            others += _toggled(score, slots, state, rules, z, v, q)
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


@njit(**INNER, inline="always")
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
            others += _toggled(score, slots, state, rules, z, v, q)
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


@njit(**INNER)
def _reinsert(score: Any, slots: Slots, state: State, rules: Rules, v: int, to: int) -> bool:
    """Put v at the place ``to``, or as near as knowledge lets it; at its best place, if that lowers the score, where
    ``to`` is -1. Refits what that concerns; False if v stays. (Each scan has one call: what is compiled once.)"""
    low, high = _free(state, rules, v)
    at, move = state.table[PLACE, v], to >= 0
    while True:
        where, best = -1, 0.0
        if to < at:
            where, best = _ahead(score, slots, state, rules, v, max(to, low), move, best)
        if to > at or not move:
            behind, best = _behind(score, slots, state, rules, v, min(to, high) if move else high, move, best)
            where = behind if behind >= 0 else where
        if move or where < 0:
            return move
        to, move = where, True


@njit(**INNER)
def _descend(score: Any, slots: Slots, state: State, rules: Rules, patience: int, sweep: bool, deadline: float) -> bool:
    """Reinsert what is queued until nothing is, with ``sweep`` until no reinsertion at all lowers the score; False if
    time ran out first, and it may be called again.

    patience: give a scan up after so many places in a row where scores changed for nothing.
    """
    looks, d, tally = 0, state.link.shape[0], state.tally
    anywhere = np.int64(-1)  # no literal: for each of those numba compiles anew
    tally[PATIENCE] = patience
    while True:
        while tally[WAITING] > 0:
            v = state.table[QUEUE, tally[HEAD]]
            tally[HEAD] = (tally[HEAD] + 1) % d
            tally[WAITING] -= 1
            state.table[QUEUED, v] = False
            if _reinsert(score, slots, state, rules, v, anywhere):
                tally[MOVED] = 1
            looks += 1
            if looks % 8 == 0 and deadline < np.inf and now() > deadline:
                return False
        if not sweep:
            return True
        if tally[SWEEPING] and not tally[MOVED]:
            tally[SWEEPING] = 0
            clear(state)
            return True
        tally[SWEEPING], tally[MOVED] = 1, 0
        for v in range(d):
            enqueue(state, v)


@njit(**INNER)
def _begin_order(score: Any, slots: Slots, state: State, rules: Rules, order: Ints) -> None:
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
def fit_order(score: Any, slots: Slots, state: State, rules: Rules, order: Ints, start: int, deadline: float) -> int:
    """Grow and shrink every variable from the place ``start``; the place where time ran out, or d.

    order: (d,) one to begin with, no parents but those required and all variables queued; (0,) for what there is.
    """
    d, table = state.link.shape[0], state.table
    if order.size and start == 0:
        _begin_order(score, slots, state, rules, order)
    for q in range(start, d):
        if deadline < np.inf and q > start and now() > deadline:
            return q
        v = table[ORDER, q]
        copy(score, slots, v, d)
        settle(score, slots, state, rules, d, q, v)
        take(score, slots, state, d)
    return d


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

    A variable changes places with another, ``swaps`` times; only what that concerns is searched again. met: the higher of the
    two, where they are close, is noted. With 0 rounds descend from what there is until no reinsertion at all lowers the
    score, and note that; -1 if time ran out first, and it may be called again.
    """
    d, table = state.link.shape[0], state.table
    for made in range(max(rounds, 1)):
        for q in range(d):
            table[OLD, q] = table[ORDER, q]
        total = state.total[0]
        if rounds > 0:
            clear(state)
        for _ in range(swaps):
            a, b = draw(state, d), draw(state, d)
            at, to = table[PLACE, a], table[PLACE, b]
            for turn in range(2 if a != b else 0):
                _reinsert(score, slots, state, rules, b if turn else a, at if turn else to)
        done = _descend(score, slots, state, rules, patience, rounds == 0, deadline)
        if rounds == 0:
            note(slots, state, met, state.total[0], rounds > 0)
            return 0 if done else -1
        if done and EPS < abs(state.total[0] - total) <= NEAR:
            note(slots, state, met, max(state.total[0], total), state.total[0] < total)
        if state.total[0] > total + EPS:
            for i in range(state.tally[CHANGED]):
                v = table[SAVED, i]
                copy(score, slots, d + SCRATCH + i, v)
                publish(score, slots, state, v)
            for q in range(d):
                table[ORDER, q] = table[OLD, q]
                table[PLACE, table[OLD, q]] = q
            state.total[0] = total
        clear(state)
        if not done:
            return made
    return rounds
