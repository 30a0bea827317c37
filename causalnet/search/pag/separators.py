"""The sets that took pairs apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Bools, Codes
from ..sets import Lists
from ..skeleton import Weakest


class Separators(NamedTuple):
    """place: (d, d) int32, symmetric, which of the sets ``given`` separated a pair; -1 for none."""

    place: Codes
    given: Lists


def none_yet(d: int) -> Separators:
    """No pair of d nodes is apart."""
    return Separators(np.full((d, d), -1, np.int32), Lists(np.zeros(1, np.int64), np.zeros(0, np.int64)))


def separators_of(d: int, sets: Mapping[tuple[int, int], Sequence[int]]) -> Separators:
    """From pairs with their sets."""
    found, first, member = none_yet(d).place, [0], list[int]()
    for number, ((a, b), given) in enumerate(sets.items()):
        found[a, b] = found[b, a] = number
        member += given
        first.append(len(member))
    return Separators(found, Lists(np.array(first, np.int64), np.array(member, np.int64)))


def taken_apart(before: Separators, was: Bools, adj: Bools, record: Weakest) -> Separators:
    """``before``, and of the pairs that ``was`` joins and ``adj`` does not the set of their test; none recorded is the empty one."""
    tests = record.i, record.j, record.size, record.start, record.members
    return Separators(*_entered(before.place, before.given, was, adj, tests))


@njit(cache=True)
def _entered(
    before: AnyArray,
    given: Lists,
    was: AnyArray,
    adj: AnyArray,
    record: tuple[AnyArray, AnyArray, AnyArray, AnyArray, AnyArray],
) -> tuple[AnyArray, Lists]:
    """(place, sets): those of before, the empty set, those of the record."""
    i, j, size, start, members = record
    place, number = before.copy(), given.first.size - 1
    for a in range(was.shape[0]):
        for b in range(was.shape[0]):
            if was[a, b] and not adj[a, b]:
                place[a, b] = number
    first, member = np.empty(number + 2 + i.size, np.int64), np.empty(given.member.size + size.sum(), np.int64)
    first[: number + 1], member[: given.member.size] = given.first, given.member
    end = given.member.size
    number += 1
    first[number] = end
    for k in range(i.size):
        if size[k] > 0 and not adj[i[k], j[k]]:
            place[i[k], j[k]] = place[j[k], i[k]] = number
            for p in range(size[k]):
                member[end] = members[start[k] + p]
                end += 1
            number += 1
            first[number] = end
    return place, Lists(first[: number + 1], member[:end])
