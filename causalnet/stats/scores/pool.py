"""Local scores met so far: a search that comes back to a set of parents counts nothing again.

Every family (v, P) has a row: entry x is f(v | P + x), or f(v | P - x) where x is in P, and entry v is f(v | P) itself;
nan where not worked out. A family is known by a random number, the exclusive or of those of its members.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import Array, Bools, Ints
from .contract import BARE, INNER

ROOM = 1 << 23  # numbers kept, 64 MB
FAR = 1e30  # as good as never


class Pool(NamedTuple):
    """values: (rows, d). known: (rows,) the family of each row. places: (2^m,) int64, open addressing: row + 1, or 0.
    names: (2, d) int64, random: of the variable and of a parent. held: (3, s) the family and the row of every slot, and work.
    used: (1,) rows in use. blank: (d, d), row v is what a new row for v starts from: nan, or FAR where not to be asked."""

    values: Array
    blank: Array
    known: Ints
    places: Ints
    names: Ints
    held: Ints
    used: Ints


def empty_pool(looked_at: Bools, slots: int) -> Pool:
    """Room for the families of d variables, of which ``slots`` are held at a time. looked_at: (d, d), the pairs asked."""
    d = len(looked_at)
    rows = max(ROOM // d, 4 * slots)
    return Pool(
        np.empty((rows, d)),
        np.where(looked_at, np.nan, FAR),
        np.empty(rows, np.int64),
        np.zeros(1 << (2 * rows).bit_length(), np.int64),
        np.random.default_rng(0).integers(1, 1 << 62, (2, d)),
        np.zeros((3, slots), np.int64),
        np.zeros(1, np.int64),
    )


@njit(**INNER)
def _seek(pool: Pool, family: int) -> int:
    """The place in the index where the row of ``family`` is, or belongs."""
    mask = pool.places.size - 1
    at = (family ^ (family >> 29)) & mask
    while pool.places[at] and pool.known[pool.places[at] - 1] != family:
        at = (at + 1) & mask
    return at


@njit(**INNER)
def _forget(pool: Pool) -> None:
    """Empty the pool but for the rows that slots hold."""
    held, used = pool.held, 0
    for i in range(pool.places.size):
        pool.places[i] = 0
    for s in range(held.shape[1]):
        held[2, s] = held[1, s]  # where the row is now
    for s in range(held.shape[1]):
        at = _seek(pool, held[0, s])
        if pool.places[at] == 0:
            was = held[2, s]
            for j in range(pool.values.shape[1]):  # the rows change places, so that none is lost
                pool.values[used, j], pool.values[was, j] = pool.values[was, j], pool.values[used, j]
            for i in range(s, held.shape[1]):
                held[2, i] = was if held[2, i] == used else used if held[2, i] == was else held[2, i]
            pool.known[used] = held[0, s]
            pool.places[at] = used + 1
            used += 1
        held[1, s] = pool.places[at] - 1
    pool.used[0] = used


@njit(**BARE)
def hold(pool: Pool, s: int, family: int, v: int, value: float) -> None:
    """Give slot s the row of ``family``, v and its parents, whose score is ``value``; a new row if it was never met."""
    at = _seek(pool, family)
    if pool.places[at] == 0:
        if pool.used[0] == pool.known.size:
            _forget(pool)
            at = _seek(pool, family)
        row = pool.used[0]
        pool.used[0] += 1
        for j in range(pool.blank.shape[1]):
            pool.values[row, j] = pool.blank[v, j]
        pool.values[row, v] = value
        pool.known[row] = family
        pool.places[at] = row + 1
    pool.held[0, s], pool.held[1, s] = family, pool.places[at] - 1


@njit(**BARE)
def recall(pool: Pool, family: int, v: int) -> float:
    """f of ``family``, whose variable is v, or nan if it was never met."""
    at = _seek(pool, family)
    return float(pool.values[pool.places[at] - 1, v]) if pool.places[at] else np.nan


def ask_all(pool: Pool) -> bool:
    """From now on every pair may be asked; False if that is as it was."""
    if not (pool.blank == FAR).any():
        return False
    pool.blank[:] = np.nan
    rows = pool.values[: pool.used[0]]
    rows[rows == FAR] = np.nan
    return True
