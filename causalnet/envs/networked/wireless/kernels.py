"""Compiled steps of the wireless network, and whole rollouts of own-state policies in it.

One environment has state (n,) codes, action (n,) codes, reward (n,), stream (2,); a batch the same in rows. A state code
holds the packets in its low d bits (bit k - 1 is b_k; b_1, the earliest deadline, is bit 0), then the channel-quality
indicator z_1, then the constant coordinate z_2, which nothing depends on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ....base.arrays import AnyArray, Array, Codes, Floats, Ints
from ..policies import act
from ..streams import HALF, LOW, WORD, Words, draw, mix

FRESH, UNIFORM, EMPTY = 0, 1, 2


class WirelessTables(NamedTuple):
    """The network as arrays that compiled code reads; shared by all environments of a batch.

    access_points (n, 1 + m) int32: column k is an agent's k-th access point; column 0 and padding hold ``n_places``.
    link (n, 1 + m) float64: probability q that a lone transmission succeeds.
    port, slots (A,) int64: column that an action uses, and the bits of the packets that it may send.
    levels, stay: z_1 takes ``levels`` values and is redrawn uniformly with probability 1 - stay (levels 1: no
    distractors). coordinate (n,) int32: z_2. start: FRESH, UNIFORM or EMPTY buffers. ghost: an empty transmission collides.
    """

    access_points: Codes
    link: Array
    port: Ints
    slots: Ints
    coordinate: Codes
    n_places: int
    deadline: int
    levels: int
    stay: float
    start: int
    ghost: bool


@njit(cache=True)
def wireless_reset(net: WirelessTables, arrival: Array, states: AnyArray, streams: Words) -> None:
    """First states (E, n), in place. arrival (1, n) or (E, n): probability p_i of a packet a step."""
    d = net.deadline
    for e in range(states.shape[0]):
        chance, stream = arrival[e % arrival.shape[0]], streams[e]
        for i in range(states.shape[1]):
            bits = draw(stream)
            code = np.int64(0)
            if net.start == FRESH:
                code = np.int64((bits >> WORD) * HALF < chance[i]) << (d - 1)
            elif net.start == UNIFORM:
                code = np.int64(bits >> np.uint64(64 - d))
            if net.levels > 1:
                z = np.int64(((draw(stream) >> WORD) * np.uint64(net.levels)) >> WORD)
                code |= (z + net.levels * net.coordinate[i]) << d
            states[e, i] = code


@njit(cache=True)
def wireless_step(
    net: WirelessTables,
    arrival: Array,
    state: AnyArray,
    action: Ints,
    reward: Array,
    target: Codes,
    load: Codes,
    stream: Words,
) -> None:
    """One step of one environment, ``state`` and ``reward`` in place; linear in n.

    Each user sends its earliest allowed packet; it succeeds with probability q when nobody else uses that access point.
    Then the buffer moves one slot towards its deadline, what is left in b_1 expires, and a packet arrives in b_d with
    probability p. Scratch: target (n,) int32, load (n_places + 1,) int32.
    """
    n, d = state.size, net.deadline
    full, newest = (1 << d) - 1, 1 << (d - 1)
    load[:] = 0
    for i in range(n):
        place = net.access_points[i, net.port[action[i]]]
        if not net.ghost and (state[i] & net.slots[action[i]]) == 0:
            place = net.n_places
        target[i] = place
        load[place] += 1
    load[net.n_places] = 2  # nobody succeeds nowhere
    position, stride = stream[0], stream[1]
    for i in range(n):
        position += stride
        bits = mix(position)  # the low half decides the transmission, the high half the arrival
        code = np.int64(state[i])
        packets = code & full
        won = 0
        if load[target[i]] == 1:
            held = packets & net.slots[action[i]]
            if held and (bits & LOW) * HALF < net.link[i, net.port[action[i]]]:
                packets ^= held & -held  # the lowest bit is the earliest packet
                won = 1
        reward[i] = won
        packets >>= 1
        if (bits >> WORD) * HALF < arrival[i]:
            packets |= newest
        if net.levels > 1:
            position += stride
            bits = mix(position)
            rest = code >> d
            if (bits >> WORD) * HALF >= net.stay:
                rest += np.int64(((bits & LOW) * np.uint64(net.levels)) >> WORD) - rest % net.levels
            packets |= rest << d
        state[i] = packets
    stream[0] = position


@njit(cache=True)
def wireless_step_batch(
    net: WirelessTables, arrival: Array, states: AnyArray, actions: Ints, rewards: Array, streams: Words
) -> None:
    """``wireless_step`` on the rows of states, actions, rewards (E, n), streams (E, 2); arrival (1, n) or (E, n)."""
    target, load = np.empty(states.shape[1], np.int32), np.empty(net.n_places + 1, np.int32)
    for e in range(states.shape[0]):
        own = arrival[e % arrival.shape[0]]
        wireless_step(net, own, states[e], actions[e], rewards[e], target, load, streams[e])


@njit(cache=True)
def wireless_rollout(
    net: WirelessTables,
    arrival: Array,
    states: AnyArray,
    streams: Words,
    view: Codes,
    cumulative: Floats,
    policy_streams: Words,
    n_states: Ints,
    codes: Codes,
    a: Ints,
    r: Array,
) -> None:
    """A whole rollout, the steps of one copy after another; see ``CompiledRollout.roll_out``. states (E, n) move on."""
    per = states.shape[0] // cumulative.shape[0]
    target, load = np.empty(states.shape[1], np.int32), np.empty(net.n_places + 1, np.int32)
    for e in range(states.shape[0]):
        state, table, own = states[e], cumulative[e // per], arrival[e % arrival.shape[0]]
        for t in range(r.shape[0]):
            act(state, view, table, policy_streams[e], n_states, codes[t, e], a[t, e])
            wireless_step(net, own, state, a[t, e], r[t, e], target, load, streams[e])
        act(state, view, table, policy_streams[e], n_states, codes[-1, e], a[-1, e])
