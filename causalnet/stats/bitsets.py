"""Rows as bits: every state of every discrete column is a bit set over the rows, and a count is a population count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from ..base.arrays import AnyArray


@intrinsic
def popcount(typing_context: Any, word: Any) -> Any:
    """Number of ones of a 64-bit word: one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


@njit(cache=True)
def compact(columns: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Codes renumbered over the states that occur, missing cells -1 as before: ((d, n) int32, (d,) int64)."""
    d, n = columns.shape
    result = np.empty_like(columns)
    cards = np.zeros(d, np.int64)
    for v in range(d):
        number = np.zeros(columns[v].max() + 1, np.int32)
        for r in range(n):
            if columns[v, r] >= 0:
                number[columns[v, r]] = 1
        for state in range(number.size):
            if number[state]:
                number[state] = cards[v]
                cards[v] += 1
        for r in range(n):
            result[v, r] = number[columns[v, r]] if columns[v, r] >= 0 else -1
    return result, cards


@njit(cache=True)
def state_bits(columns: AnyArray, offset: AnyArray) -> AnyArray:
    """(offset[d], ceil(n / 64)) uint64: row offset[v] + i is the rows in state i of v, where v has any room."""
    d, n = columns.shape
    bits = np.zeros((offset[d], (n + 63) // 64), np.uint64)
    for v in range(d):
        if offset[v + 1] == offset[v]:
            continue
        for r in range(n):
            if columns[v, r] >= 0:
                bits[offset[v] + columns[v, r], r >> 6] |= np.uint64(1) << np.uint64(r & 63)
    return bits


@njit(cache=True)
def meet(a: AnyArray, b: AnyArray, out: AnyArray) -> int:
    """out = a & b, bit sets of the same length; the number of rows in it."""
    total = np.uint64(0)
    for w in range(a.size):
        word = a[w] & b[w]
        out[w] = word
        total += popcount(word)
    return int(total)


@njit(cache=True, _nrt=False)
def common(a: AnyArray, b: AnyArray) -> int:
    """Number of rows in both bit sets."""
    total = np.uint64(0)
    for w in range(a.size):
        total += popcount(a[w] & b[w])
    return int(total)
