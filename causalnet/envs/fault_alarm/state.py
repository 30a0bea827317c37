"""What the fault-alarm kernel reads and writes: constants, tables, state and working memory, as plain arrays.

E environments, D devices, V types, C = D * V cells, cell = device * V + type. Times are in seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Array, Bools, Codes, Ints

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

    first: Ints
    child: Codes
    hop: NDArray[np.int8]
    cumulative: Array
    quiet: Array
    transient: Bools
    mu: Array
    root_cells: Codes
    noise_devices: Codes
    noise_types: Codes


class State(NamedTuple):
    """Everything that the next step depends on. M: room for alarms; a father stands before its children.

    cell, father (E, M) int32 (father: slot, -1 if none); start, length, seen (E, M) seconds (seen: start as observed);
    n (E,) alarms; clock (E,) s; steps (E,), -1 during a reset; done (E,) bool; counts (E, C) int16; random (E, 4) uint64
    words of xoshiro256++.
    """

    cell: Codes
    father: Codes
    start: Array
    length: Array
    seen: Array
    n: Ints
    clock: Array
    steps: Ints
    done: Bools
    counts: NDArray[np.int16]
    random: NDArray[np.uint64]


class Scratch(NamedTuple):
    """Working memory: gone, moved (M,) per slot; row, father, order (K,) int64, start (K,) of candidates."""

    gone: Bools
    moved: Codes
    row: Ints
    father: Ints
    order: Ints
    start: Array


class Simulation(NamedTuple):
    """All that a kernel needs, in one argument."""

    tables: Tables
    rules: Rules
    state: State
    scratch: Scratch


def room(rules: Rules, n_types: int) -> int:
    """M: slots that one window can need: the alarms before it, plus a new set that stops growing above the limit."""
    return 2 * (rules.max_alarms + rules.initial_roots + n_types + 2)


def new_state(n_envs: int, n_cells: int, slots: int) -> State:
    """An empty state of every environment; each counts as finished until its first reset."""
    shape = (n_envs, slots)
    return State(
        cell=np.zeros(shape, np.int32),
        father=np.zeros(shape, np.int32),
        start=np.zeros(shape),
        length=np.zeros(shape),
        seen=np.zeros(shape),
        n=np.zeros(n_envs, np.int64),
        clock=np.zeros(n_envs),
        steps=np.zeros(n_envs, np.int64),
        done=np.ones(n_envs, np.bool_),
        counts=np.zeros((n_envs, n_cells), np.int16),
        random=np.zeros((n_envs, 4), np.uint64),
    )


def new_scratch(slots: int) -> Scratch:
    """Working memory for environments with ``slots`` slots."""
    k = 4 * slots  # room for candidates
    row, father, order = np.zeros((3, k), np.int64)
    return Scratch(np.zeros(slots, np.bool_), np.zeros(slots, np.int32), row, father, order, np.zeros(k))
