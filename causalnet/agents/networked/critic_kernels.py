"""Compiled parts of the critic: keys of neighbourhoods, hashed tables, and temporal differences for all agents at once.

Every critic is Q_i = sum_f w_i[slot_f]: a table has one active slot a step, linear features have several.
Shapes as in :mod:`.actor_kernels`; trajectories carry T + 1 steps in front. x = code * A + a is an agent's own pair (s_i, a_i).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Codes, Ints
from ...envs.networked.neighbourhoods import Rows
from ...envs.networked.streams import Words, mix
from ...errors import CausalnetError

Keys = Words  # 64 bits each, zero where there is none


class TableFull(CausalnetError, MemoryError):
    """A hashed critic has no room for another neighbourhood state; policy and critic are as they were before the episode."""


@njit(cache=True)
def pairs(codes: Codes, a: Ints, width: int, out: Codes) -> None:
    """out = codes * width + a, the number of each own pair: (T + 1, E, n)."""
    for t in range(codes.shape[0]):
        for e in range(codes.shape[1]):
            for i in range(codes.shape[2]):
                out[t, e, i] = codes[t, e, i] * width + a[t, e, i]


@njit(cache=True)
def neighbourhood_keys(x: Codes, near: Rows, out: Keys) -> None:
    """64-bit keys of the pairs of N_i^kappa: x, out (T + 1, E, n), near N_i^kappa by rows; never zero.

    Each place in the neighbourhood has an odd multiplier, and the sum is mixed: two different neighbourhoods share a
    key with a chance near 2**-64.
    """
    n, widest = x.shape[2], 0
    for i in range(n):
        widest = max(widest, near.indptr[i + 1] - near.indptr[i])
    multipliers = np.empty(widest, np.uint64)
    for k in range(widest):
        multipliers[k] = mix(np.uint64(0x9E3779B97F4A7C15) * np.uint64(k + 1)) | np.uint64(1)
    for t in range(x.shape[0]):
        for e in range(x.shape[1]):
            row, to = x[t, e], out[t, e]
            for i in range(n):
                h = np.uint64(0)
                first = near.indptr[i]
                for k in range(near.indptr[i + 1] - first):
                    h += np.uint64(row[near.indices[first + k]] + 1) * multipliers[k]
                h = mix(h)
                to[i] = h if h != np.uint64(0) else np.uint64(1)


@njit(cache=True)
def first_visits(keys: Keys, slots: Codes) -> None:
    """Slots of a table that lives for one episode: the first step with the same key. keys (T + 1, E, n), slots (..., 1)."""
    steps, copies, n = keys.shape
    for e in range(copies):
        for i in range(n):
            for t in range(steps):
                u = 0
                while keys[u, e, i] != keys[t, e, i]:
                    u += 1
                slots[t, e, i, 0] = u


@njit(cache=True)
def insert(keys: Keys, tables: Keys, slots: Codes) -> int:
    """Find or make the slot of each key by linear probing. Returns the agent whose table is full, or -1.

    tables (L, n, C), C a power of two, zero where empty: the tables of all agents in one pool. New slots hold the value
    zero, as absent ones do, so an insertion changes no estimate.
    """
    steps, copies, n = keys.shape
    per, capacity = copies // tables.shape[0], tables.shape[2]
    for e in range(copies):
        for i in range(n):
            table = tables[e // per, i]
            for t in range(steps):
                key = keys[t, e, i]
                slot = np.int64(key >> np.uint64(20)) & (capacity - 1)
                tried = 0
                while table[slot] != key and table[slot] != np.uint64(0):
                    slot = (slot + 1) & (capacity - 1)
                    tried += 1
                    if tried == capacity:
                        return i
                table[slot] = key
                slots[t, e, i, 0] = slot
    return -1


@njit(cache=True, inline="always")
def _value(w: Array, slots: AnyArray) -> float:
    total = 0.0
    for f in range(slots.size):
        if slots[f] >= 0:
            total += w[slots[f]]
    return total


@njit(cache=True, inline="always")
def _move(w: Array, visits: Array, clock: Array, slots: AnyArray, rate: float, error: float) -> None:
    active = 0
    for f in range(slots.size):
        active += slots[f] >= 0
    for f in range(slots.size):
        slot = slots[f]
        if slot >= 0:
            step = rate
            if visits.size > 0:
                step = clock[0] / (clock[2] + visits[slot]) ** clock[1]
                visits[slot] += 1.0
            w[slot] += step / active * error


@njit(cache=True, inline="always")
def _place(x: Codes, near: Rows, e: int, i: int, size: int, slots: Codes) -> None:
    """slots[t, k] = k * size + x_j for the k-th agent j of N_i^kappa, in copy e: (T + 1, widest)."""
    first = near.indptr[i]
    for t in range(x.shape[0]):
        for k in range(near.indptr[i + 1] - first):
            slots[t, k] = k * size + x[t, e, near.indices[first + k]]


@njit(cache=True, inline="always")
def _follow(
    slots: Codes,
    r: Array,
    own: Array,
    seen: Array,
    clock: Array,
    rates: Array,
    gamma: float,
    trace: float,
    mu: Array,
    mu_rates: Array,
) -> None:
    """One agent along one trajectory: slots (T + 1, F), r (T,), its weights and their visits (W,), its average reward mu (1,)."""
    steps = slots.shape[0]
    if trace == 0.0:
        for t in range(1, steps):
            old, reward = slots[t - 1], r[t - 1]
            error = reward - mu[0] + gamma * _value(own, slots[t]) - _value(own, old)
            mu[0] += mu_rates[t - 1] * (reward - mu[0])
            _move(own, seen, clock, old, rates[t - 1], error)
    else:
        g = _value(own, slots[steps - 1])
        for t in range(steps - 1, 0, -1):
            old, reward = slots[t - 1], r[t - 1]
            g = reward - mu[0] + gamma * ((1 - trace) * _value(own, slots[t]) + trace * g)
            mu[0] += mu_rates[t - 1] * (reward - mu[0])
            _move(own, seen, clock, old, rates[t - 1], g - _value(own, old))
    # the last pair of the trajectory is evaluated, never updated


@njit(cache=True)
def temporal_differences(
    slots: Codes,
    r: Array,
    w: Array,
    visits: Array,
    clock: Array,
    rates: Array,
    gamma: float,
    trace: float,
    mu: Array,
    mu_rates: Array,
    q: Array,
) -> None:
    """Q_i <- Q_i + alpha (r_i(t) - mu_i + gamma Q_i(t + 1) - Q_i(t)) along each trajectory (Algorithm 1, lines 6-8).

    slots (T + 1, E, n, F), -1 where idle; r (T, E, n); w (L, n, W), L dividing E: learners, or E itself for tables that
    live for one episode. rates, mu_rates (T,): alpha_t. visits (L, n, W), or empty: if given, the rate of an
    entry visited k times is start / (offset + k)^power instead, with clock (3,) = start, power, offset.
    trace: lambda; above zero the returns G = r + gamma ((1 - lambda) Q + lambda G') are followed from the last step back,
    Q being what the later steps have made of it.
    mu (L, n): average rewards, for the average-reward objective (gamma 1); mu_rates of zero leave them.
    q (T + 1, E, n): the estimates along the trajectory when all is done.
    """
    steps, copies, n = slots.shape[:3]
    per, family = copies // w.shape[0], copies // mu.shape[0]
    for e in range(copies):
        learner, group = e // per, e // family
        for i in range(n):
            seen = visits[learner, i] if visits.size > 0 else visits[0, 0]
            average = mu[group, i : i + 1]
            _follow(slots[:, e, i], r[:, e, i], w[learner, i], seen, clock, rates, gamma, trace, average, mu_rates)
    for e in range(copies):
        for i in range(n):
            for t in range(steps):
                q[t, e, i] = _value(w[e // per, i], slots[t, e, i])


@njit(cache=True)
def linear_differences(
    x: Codes,
    near: Rows,
    r: Array,
    w: Array,
    visits: Array,
    clock: Array,
    rates: Array,
    gamma: float,
    trace: float,
    mu: Array,
    mu_rates: Array,
    q: Array,
) -> None:
    """:func:`temporal_differences` for Q_i = sum_{j in N_i^kappa} w_ij[x_j], with x (T + 1, E, n) the agents' own pairs.

    w, visits (L, P, S A): a row for each of the P pairs (i, j) of ``near``, in its order; visits may be empty. The slots of an
    agent are made one trajectory at a time: memory is that of the pairs, however wide a hub's neighbourhood is.
    """
    steps, copies, n = x.shape
    per, family, size, widest = copies // w.shape[0], copies // mu.shape[0], w.shape[2], 0
    for i in range(n):
        widest = max(widest, near.indptr[i + 1] - near.indptr[i])
    slots = np.empty((steps, widest), np.int32)
    for e in range(copies):
        learner, group = e // per, e // family
        for i in range(n):
            first, last = near.indptr[i], near.indptr[i + 1]
            _place(x, near, e, i, size, slots)
            own = w[learner, first:last].reshape(-1)
            seen = visits[learner, first:last].reshape(-1) if visits.size > 0 else visits[0, 0]
            active, average = slots[:, : last - first], mu[group, i : i + 1]
            _follow(active, r[:, e, i], own, seen, clock, rates, gamma, trace, average, mu_rates)
    for e in range(copies):
        for i in range(n):
            first, last = near.indptr[i], near.indptr[i + 1]
            _place(x, near, e, i, size, slots)
            own = w[e // per, first:last].reshape(-1)
            for t in range(steps):
                q[t, e, i] = _value(own, slots[t, : last - first])
