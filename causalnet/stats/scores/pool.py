"""Local scores met so far: a search that comes back to a set of parents counts nothing again.

Every family (v, P) has a row: entry x is f(v | P + x), or f(v | P - x) where x is in P, and entry v is f(v | P) itself;
nan where not worked out. A family is known by a random number, the exclusive or of those of its members.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import Array, Bools, Ints

ROOM = 1 << 23  # numbers kept, 64 MB
FAR = 1e30  # as good as never


class Pool(NamedTuple):
    """values: (rows, d). known: (rows,) the family of each row. places: (2^m,) int64, open addressing: row + 1, or 0.
    names: (2, d) int64, random: of the variable and of a parent. held: (2, s) the family and the row of every slot.
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
        np.zeros((2, slots), np.int64),
        np.zeros(1, np.int64),
    )


@njit(cache=True)
def _seek(pool: Pool, family: int) -> int:
    """The place in the index where the row of ``family`` is, or belongs."""
    mask = pool.places.size - 1
    at = (family ^ (family >> 29)) & mask
    while pool.places[at] and pool.known[pool.places[at] - 1] != family:
        at = (at + 1) & mask
    return at


@njit(cache=True)
def _forget(pool: Pool) -> None:
    """Empty the pool but for the rows that slots hold."""
    held = pool.held
    pool.places[:] = 0
    used, last = 0, -1
    for s in np.argsort(held[1]):
        if held[1, s] != last:
            last = held[1, s]
            pool.values[used] = pool.values[last]
            pool.known[used] = held[0, s]
            pool.places[_seek(pool, held[0, s])] = used + 1
            used += 1
        held[1, s] = used - 1
    pool.used[0] = used


@njit(cache=True)
def hold(pool: Pool, s: int, family: int, v: int, value: float) -> None:
    """Give slot s the row of ``family``, v and its parents, whose score is ``value``; a new row if it was never met."""
    at = _seek(pool, family)
    if pool.places[at] == 0:
        if pool.used[0] == pool.known.size:
            _forget(pool)
            at = _seek(pool, family)
        row = pool.used[0]
        pool.used[0] += 1
        pool.values[row] = pool.blank[v]
        pool.values[row, v] = value
        pool.known[row] = family
        pool.places[at] = row + 1
    pool.held[0, s], pool.held[1, s] = family, pool.places[at] - 1


@njit(cache=True)
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
