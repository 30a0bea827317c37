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
    lower v's score (wherever it stands), else NOTHING. mask: (2, d) float64 work, 1 for those that may be parents at
    the place looked at. count: (6,) int64, the entries named below. total: (1,) score of the present state.
    random: (1,) uint64.
    """

    table: Ints
    link: AnyArray
    mask: Array
    count: Ints
    total: Array
    random: AnyArray


ORDER, PLACE, QUEUE, QUEUED, SAVED, MARKED = range(6)
"""Rows of State.table: variables, causes first; where each stands; a ring of variables to look at; is it in the ring;
variables whose slots have changed in this round; is it among them."""
HEAD, WAITING, CHANGED, REFITS, PATIENCE, WAKE = range(6)
"""Entries of State.count: first entry and length of the ring; how many are saved; refits made; tuning."""


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
    return np.int64((z >> np.uint64(11)) % np.uint64(n))


@njit(cache=True)
def _settle(score: Any, slots: Slots, state: State, rules: Rules, s: int) -> None:
    """Grow and shrink scratch slot s among ``before`` until neither lowers its score."""
    v = slots.node[s]
    state.count[REFITS] += 1
    may, fixed = state.mask[0], rules.required[0]
    if rules.any[0]:
        fixed = rules.required[v]
        may = state.mask[1]
        for j in range(may.size):
            may[j] = state.mask[0][j] * rules.allowed[v, j]
    while True:
        grown = False
        while True:
            r = best_add(score, slots, s, may)
            if r < 0:
                break
            add(score, slots, s, r)
            grown = True
        shrunk = False
        while True:
            i = best_drop(score, slots, s, fixed)
            if i < 0:
                break
            drop(score, slots, s, i)
            shrunk = True
        if not shrunk:
            break


@njit(cache=True)
def _find(slots: Slots, s: int, r: int) -> int:
    for i in range(slots.size[s]):
        if slots.parents[s, i] == r:
            return i
    return -1


@njit(cache=True)
def _enqueue(state: State, v: int) -> None:
    if not state.table[QUEUED, v]:
        state.table[QUEUED, v] = 1
        state.table[QUEUE, (state.count[HEAD] + state.count[WAITING]) % state.link.shape[0]] = v
        state.count[WAITING] += 1


@njit(cache=True)
def _publish(score: Any, slots: Slots, state: State, v: int) -> None:
    """link[:, v] from slot v."""
    for r in range(state.link.shape[0]):
        state.link[r, v] = HELPS if r != v and helps(score, slots, v, r) else NOTHING
    for i in range(slots.size[v]):
        state.link[slots.parents[v, i], v] = PARENT


@njit(cache=True)
def _take(score: Any, slots: Slots, state: State, s: int) -> None:
    """Scratch slot s becomes the state of its variable; those whose moves it concerns are queued."""
    d = state.link.shape[0]
    v = slots.node[s]
    if not state.table[MARKED, v]:
        state.table[MARKED, v] = True
        copy(score, slots, v, d + SCRATCH + state.count[CHANGED])
        state.table[SAVED, state.count[CHANGED]] = v
        state.count[CHANGED] += 1
    for i in range(slots.size[v]):
        _enqueue(state, slots.parents[v, i])
    state.total[0] += slots.value[s] - slots.value[v]
    copy(score, slots, s, v)
    if state.count[WAKE] == 0:
        _publish(score, slots, state, v)
        for r in range(d):
            if state.link[r, v] != NOTHING:
                _enqueue(state, r)
    elif state.count[WAKE] == 1:
        for r in range(d):
            state.mask[1][r] = state.link[r, v]
        _publish(score, slots, state, v)
        for r in range(d):
            if state.link[r, v] != state.mask[1][r]:
                _enqueue(state, r)
        for i in range(slots.size[v]):
            _enqueue(state, slots.parents[v, i])
    else:
        _publish(score, slots, state, v)
        for i in range(slots.size[v]):
            _enqueue(state, slots.parents[v, i])
    _enqueue(state, v)


@njit(cache=True)
def _ahead(score: Any, slots: Slots, state: State, rules: Rules, v: int, best: float) -> tuple[int, float]:
    """The best place ahead of v's, if it changes the score by less than ``best``, else -1; and the change."""
    d = state.link.shape[0]
    s, t = d, d + 1
    p = state.table[PLACE, v]
    before = state.mask[0]
    for q in range(d):
        before[state.table[ORDER, q]] = 1.0 if q < p else 0.0
    copied = False
    idle = 0
    own, others, where = 0.0, 0.0, -1
    for q in range(p - 1, -1, -1):
        z = state.table[ORDER, q]
        before[z] = 0.0
        event = False
        if rules.any[0] and rules.required[v, z]:
            break
        if (copied and _find(slots, s, z) >= 0) or (not copied and state.link[z, v] == PARENT):
            if not copied:
                copy(score, slots, v, s)
                copied = True
            drop(score, slots, s, _find(slots, s, z))
            _settle(score, slots, state, rules, s)
            own = slots.value[s] - slots.value[v]
            event = True
        if state.link[v, z] == HELPS and (not rules.any[0] or rules.allowed[z, v] > 0.0):
            copy(score, slots, z, t)
            add(score, slots, t, v)
            _settle(score, slots, state, rules, t)
            others += slots.value[t] - slots.value[z]
            event = True
        if event:
            idle += 1
            if own + others < best - EPS:
                best, where = own + others, q
                idle = 0
            elif idle >= state.count[PATIENCE]:
                break
    return where, best


@njit(cache=True)
def _behind(score: Any, slots: Slots, state: State, rules: Rules, v: int, best: float) -> tuple[int, float]:
    """The best place behind v's, if it changes the score by less than ``best``, else -1; and the change."""
    d = state.link.shape[0]
    s, t = d, d + 1
    p = state.table[PLACE, v]
    before = state.mask[0]
    for q in range(d):
        before[state.table[ORDER, q]] = 1.0 if q < p else 0.0
    copied = False
    idle = 0
    own, others, where = 0.0, 0.0, -1
    for q in range(p + 1, d):
        z = state.table[ORDER, q]
        event = False
        if rules.any[0] and rules.required[z, v]:
            break
        if state.link[v, z] == PARENT:  # z does without v
            copy(score, slots, z, t)
            drop(score, slots, t, _find(slots, t, v))
            _settle(score, slots, state, rules, t)
            others += slots.value[t] - slots.value[z]
            event = True
        before[z] = 1.0
        could = state.link[z, v] == HELPS
        if copied:
            could = _find(slots, s, z) < 0 and helps(score, slots, s, z)
        if could and (not rules.any[0] or rules.allowed[v, z] > 0.0):
            if not copied:
                copy(score, slots, v, s)
                copied = True
            _settle(score, slots, state, rules, s)
            own = slots.value[s] - slots.value[v]
            event = True
        if event:
            idle += 1
            if own + others < best - EPS:
                best, where = own + others, q
                idle = 0
            elif idle >= state.count[PATIENCE]:
                break
    return where, best


@njit(cache=True)
def _move(score: Any, slots: Slots, state: State, rules: Rules, v: int, where: int) -> None:
    """Put v at the place ``where``, or as near as knowledge lets it, and refit what that concerns."""
    d = state.link.shape[0]
    s, t = d, d + 1
    p = state.table[PLACE, v]
    order, before = state.table[ORDER], state.mask[0]
    step = 1 if where > p else -1
    for q in range(d):
        before[order[q]] = 1.0 if q < p else 0.0
    copy(score, slots, v, s)
    changed = False
    for q in range(p, where, step):
        z = order[q + step]
        if rules.any[0] and (rules.required[z, v] if step > 0 else rules.required[v, z]):
            break
        if step < 0:
            before[z] = 0.0
            i = _find(slots, s, z)
            if i >= 0:
                drop(score, slots, s, i)
                _settle(score, slots, state, rules, s)
                changed = True
            if state.link[v, z] == HELPS and (not rules.any[0] or rules.allowed[z, v] > 0.0):
                copy(score, slots, z, t)
                add(score, slots, t, v)
                _settle(score, slots, state, rules, t)
                _take(score, slots, state, t)
        else:
            if state.link[v, z] == PARENT:
                copy(score, slots, z, t)
                drop(score, slots, t, _find(slots, t, v))
                _settle(score, slots, state, rules, t)
                _take(score, slots, state, t)
            before[z] = 1.0
            if (
                _find(slots, s, z) < 0
                and helps(score, slots, s, z)
                and (not rules.any[0] or rules.allowed[v, z] > 0.0)
            ):
                _settle(score, slots, state, rules, s)
                changed = True
        order[q] = z
        state.table[PLACE, z] = q
        order[q + step] = v
        state.table[PLACE, v] = q + step
    if changed:
        _take(score, slots, state, s)


@njit(cache=True)
def _improve(score: Any, slots: Slots, state: State, rules: Rules, v: int) -> bool:
    """Move v to its best place, if that lowers the score."""
    where, best = _ahead(score, slots, state, rules, v, 0.0)
    behind, best = _behind(score, slots, state, rules, v, best)
    where = behind if behind >= 0 else where
    if where < 0:
        return False
    _move(score, slots, state, rules, v, where)
    return True


@njit(cache=True)
def _drain(score: Any, slots: Slots, state: State, rules: Rules, deadline: float) -> bool:
    """Improve what is queued until nothing is; False if time ran out first."""
    looks = 0
    while state.count[WAITING] > 0:
        v = state.table[QUEUE, state.count[HEAD]]
        state.count[HEAD] = (state.count[HEAD] + 1) % state.link.shape[0]
        state.count[WAITING] -= 1
        state.table[QUEUED, v] = False
        _improve(score, slots, state, rules, v)
        looks += 1
        if looks % 16 == 0 and deadline < np.inf and now() > deadline:
            return False
    return True


@njit(cache=True)
def _clear(state: State) -> None:
    """Forget the queue and what was saved."""
    while state.count[WAITING] > 0:
        state.table[QUEUED, state.table[QUEUE, state.count[HEAD]]] = False
        state.count[HEAD] = (state.count[HEAD] + 1) % state.link.shape[0]
        state.count[WAITING] -= 1
    for i in range(state.count[CHANGED]):
        state.table[MARKED, state.table[SAVED, i]] = False
    state.count[CHANGED] = 0


@njit(cache=True)
def fit_order(score: Any, slots: Slots, state: State, rules: Rules) -> None:
    """Parents for every variable in the present order, from scratch; all are queued."""
    d = state.link.shape[0]
    state.mask[0][:] = 0.0
    state.total[0] = 0.0
    for q in range(d):
        v = state.table[ORDER, q]
        state.table[PLACE, v] = q
        begin(score, slots, d, v)
        if rules.any[0]:
            for r in range(d):
                if rules.required[v, r]:
                    add(score, slots, d, r)
        _settle(score, slots, state, rules, d)
        copy(score, slots, d, v)
        _publish(score, slots, state, v)
        state.total[0] += slots.value[v]
        state.mask[0][v] = 1.0
    for q in range(d):
        _enqueue(state, state.table[ORDER, q])


@njit(cache=True)
def descend(score: Any, slots: Slots, state: State, rules: Rules, deadline: float) -> bool:
    """Reinsert variables until no reinsertion lowers the score; False if time ran out first."""
    d = state.link.shape[0]
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
def _perturb(score: Any, slots: Slots, state: State, rules: Rules, kind: int, size: int) -> None:
    d = state.link.shape[0]
    if kind == 0:  # random swaps anywhere
        for _ in range(size):
            a, b = state.table[ORDER, _draw(state, d)], state.table[ORDER, _draw(state, d)]
            pa, pb = state.table[PLACE, a], state.table[PLACE, b]
            if pa != pb:
                _move(score, slots, state, rules, a, pb)
                _move(score, slots, state, rules, b, pa)
    elif kind == 1:  # one variable to a place up to size away
        v = _draw(state, d)
        where = state.table[PLACE, v] + _draw(state, 2 * size + 1) - size
        _move(score, slots, state, rules, v, min(max(where, 0), d - 1))
    elif kind == 2:  # neighbours of one variable: each to the place of another
        v = _draw(state, d)
        k = slots.size[v]
        near = np.empty(d, np.int64)
        near[0] = v
        m = 1
        for r in range(d):
            if state.link[v, r] == PARENT or state.link[r, v] == PARENT:
                near[m] = r
                m += 1
        for _ in range(size):
            a, b = near[_draw(state, m)], near[_draw(state, m)]
            pa, pb = state.table[PLACE, a], state.table[PLACE, b]
            if pa != pb:
                _move(score, slots, state, rules, a, pb)
                _move(score, slots, state, rules, b, pa)
    elif kind == 3:  # reverse edges: a parent goes behind its child or the child ahead of the parent
        v = _draw(state, d)
        for _ in range(size):
            m = 0
            pick = -1
            for r in range(d):
                if state.link[v, r] == PARENT or state.link[r, v] == PARENT:
                    m += 1
                    if _draw(state, m) == 0:
                        pick = r
            if pick < 0:
                return
            _move(score, slots, state, rules, v, state.table[PLACE, pick])
            v = pick


@njit(cache=True)
def wander(
    score: Any, slots: Slots, state: State, rules: Rules, rounds: int, kind: int, size: int, deadline: float
) -> int:
    """Iterated local search: perturb, descend, undo unless the score is as low as before. Returns rounds made."""
    d = state.link.shape[0]
    old = np.empty(d, np.int64)
    for made in range(rounds):
        old[:] = state.table[ORDER]
        total = state.total[0]
        _clear(state)
        _perturb(score, slots, state, rules, kind, size)
        done = _drain(score, slots, state, rules, deadline)
        if state.total[0] > total + EPS:
            for i in range(state.count[CHANGED]):
                v = state.table[SAVED, i]
                copy(score, slots, d + SCRATCH + i, v)
                _publish(score, slots, state, v)
            for q in range(d):
                state.table[ORDER, q] = old[q]
                state.table[PLACE, old[q]] = q
            state.total[0] = total
        _clear(state)
        if not done:
            return made
    return rounds


@njit(cache=True)
def first_order(corr: Array, required: Bools, some: bool) -> Ints:
    """Greedy: the pair of largest correlation, then always the variable that those placed explain best."""
    d = corr.shape[0]
    order = np.empty(d, np.int64)
    rows = np.empty((d, d))
    rest = np.ones(d)
    placed = np.zeros(d, np.bool_)
    top = np.zeros(d)
    for i in range(d):
        for j in range(d):
            if i != j:
                top[i] = max(top[i], abs(corr[i, j]))
    for k in range(d):
        v, least = -1, np.inf
        for j in range(d):
            if placed[j]:
                continue
            if some:
                open_ = True
                for r in range(d):
                    if required[j, r] and not placed[r]:
                        open_ = False
                        break
                if not open_:
                    continue
            x = rest[j] if k > 0 else -top[j]
            if x < least:
                v, least = j, x
        order[k] = v
        placed[v] = True
        e = rows[k]
        e[:] = corr[v]
        for i in range(k):
            t = rows[i, v]
            if t != 0.0:
                r = rows[i]
                for j in range(d):
                    e[j] -= t * r[j]
        scale = 1.0 / math.sqrt(max(e[v], 1e-12))
        for j in range(d):
            e[j] *= scale
            rest[j] -= e[j] * e[j]
    return order
