"""All sets of neighbours of a variable, depth first: partial correlations by elimination.

The Schur complement of each prefix of a set is computed once and serves all the sets that begin with it, and one leaf answers
every pair of the variable given its set.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..base.arrays import AnyArray
from ..base.clock import now
from ..stats.independence import DEGENERATE
from .sets import Largest, Lists, Question, pairs_of

CLOCK_EVERY = 1 << 23  # numbers worked out between two looks at the clock
LARGEST_R = 1.0 - np.finfo(float).eps
BARE = {"cache": True, "error_model": "numpy", "_nrt": False}  # kernels that make no arrays, and so count no references


class Room(NamedTuple):
    """Work around one variable x: k variables at play, those that sets are drawn from first.

    members: (k,) they. rows: (k,) the rows of their pairs with x in the question, or -1. block: flat, (sizes, drawn, k) in use,
    the covariance of the drawn with all given the set so far, one more member a step; spread, cross: (sizes, k) variances,
    and covariances with x; own: (sizes,) variance of x. cap: (sizes, k), the bound of each pair with x, 0 where there is none.
    slack: (k,). pick: (sizes,) places of the set.
    """

    members: AnyArray
    rows: AnyArray
    block: AnyArray
    spread: AnyArray
    cross: AnyArray
    own: AnyArray
    cap: AnyArray
    slack: AnyArray
    pick: AnyArray


class Bound(NamedTuple):
    """The r^2 below which a test given a set of each size, from the least, changes what was found: of m pairs (sizes, m), and of
    t middles by the sets that hold them and those that do not (sizes, t). Of a pair with middles the largest of theirs."""

    pair: AnyArray
    inside: AnyArray
    outside: AnyArray


@njit(cache=True)
def eliminate_sets(
    rho: AnyArray,
    scale: AnyArray,
    question: Question,
    sizes: tuple[int, int],
    asked: AnyArray,
    found: Largest,
    deadline: float,
) -> tuple[int, bool]:
    """The pairs ``asked`` (m,) given all sets, of sizes[0] to sizes[1] members, of neighbours of either: (tests, stopped).
    scale: (size + 1,), sqrt(n - |S| - 3)."""
    near, (least, size), middle = question.near, sizes, question.middle
    pairs, first = pairs_of(question.i, question.j, rho.shape[0]), near.first
    widest = volume = np.int64(0)  # no literals: for each of those numba compiles anew
    for x in range(rho.shape[0]):
        drawn, own = first[x + 1] - first[x], pairs.first[x + 1] - pairs.first[x]
        top = min(size, question.limit[x])
        if own and top >= least:
            widest = max(widest, drawn + own)
            volume = max(volume, top * drawn * (drawn + own))
    room = _make_room(size, least, widest, volume)
    bound = _bounds(found, middle, scale, least, size)
    tests, spent = 0, 0
    for x in range(rho.shape[0]):
        top, drawn = min(size, question.limit[x]), first[x + 1] - first[x]
        if pairs.first[x + 1] == pairs.first[x] or top < least:
            continue
        k = _gather(x, pairs, asked, question, room)
        spent += drawn * k
        block = room.block[: top * drawn * k].reshape((top, drawn, k))
        made, spent = _around(rho, scale, x, (k, least, top), block, room, middle, found, bound, spent, deadline)
        if spent < 0:
            return tests, True
        tests += made
    return tests, False


@njit(cache=True)
def _make_room(size: int, least: int, widest: int, volume: int) -> Room:
    """Work for sets up to ``size`` around variables with up to ``widest`` at play. volume: of the largest block."""
    return Room(
        np.empty(widest, np.int64),
        np.empty(widest, np.int64),
        np.empty(volume),
        np.empty((size, widest)),
        np.empty((size, widest)),
        np.empty(size),
        np.empty((size - least + 1, widest)),
        np.empty(widest),
        np.empty(size, np.int64),
    )


@njit(cache=True)
def _bounds(found: Largest, middle: Lists, scale: AnyArray, least: int, size: int) -> Bound:
    """Of what was found so far."""
    sizes, m, t = size - least + 1, found.weakness.size, middle.member.size
    bound = Bound(np.empty((sizes, m)), np.empty((sizes, t)), np.empty((sizes, t)))
    for s in range(sizes):
        for row in range(m):
            lo, hi = middle.first[row], middle.first[row + 1]
            bound.pair[s, row] = _squared(found.weakness[row], scale[least + s]) if lo == hi else 0.0
            for k in range(lo, hi):
                bound.inside[s, k] = _squared(found.inside[k], scale[least + s])
                bound.outside[s, k] = _squared(found.outside[k], scale[least + s])
                bound.pair[s, row] = max(bound.pair[s, row], bound.inside[s, k], bound.outside[s, k])
    return bound


@njit(**BARE)
def _squared(weakness: float, scale: float) -> float:
    """The r^2 of which scale atanh |r| is minus the weakness."""
    return math.tanh(weakness / scale) ** 2 if weakness > -np.inf else np.inf


@njit(**BARE)
def _gather(x: int, pairs: Lists, asked: AnyArray, question: Question, room: Room) -> int:
    """Put the variables at play around x into members and rows: how many there are."""
    i, j, near, members, rows = question.i, question.j, question.near, room.members, room.rows
    begin, end = near.first[x], near.first[x + 1]
    k = end - begin
    for a in range(k):
        members[a], rows[a] = near.member[begin + a], -1
    for row in pairs.member[pairs.first[x] : pairs.first[x + 1]]:
        if asked[row]:
            y = j[row] if i[row] == x else i[row]
            lo, hi = 0, end - begin
            while lo < hi:
                mid = (lo + hi) // 2
                lo, hi = (mid + 1, hi) if members[mid] < y else (lo, mid)
            if lo < end - begin and members[lo] == y:
                rows[lo] = row
            else:
                members[k], rows[k] = y, row
                k += 1
    return k


@njit(**BARE)
def _around(
    rho: AnyArray,
    scale: AnyArray,
    x: int,
    extent: tuple[int, int, int],
    block: AnyArray,
    room: Room,
    middle: Lists,
    found: Largest,
    bound: Bound,
    spent: int,
    deadline: float,
) -> tuple[int, int]:
    """All sets around x, depth first: (tests, spent). extent: k, least and largest size. block: (largest, drawn, k), that of
    the room. spent: numbers worked out since the last look at the clock, -1 where the time is over."""
    (k, least, top), drawn = extent, block.shape[1]
    members, rows, own, pick, spread, cross = room.members, room.rows, room.own, room.pick, room.spread, room.cross
    asked = 0
    for a in range(k):
        cross[0, a], spread[0, a] = rho[x, members[a]], 1.0
        asked += rows[a] >= 0
        for s in range(top - least + 1):
            room.cap[s, a] = bound.pair[s, rows[a]] if rows[a] >= 0 else 0.0
    for s in range(drawn if asked else 0):
        for a in range(k):
            block[0, s, a] = rho[members[s], members[a]]
    own[0], pick[0] = 1.0, 0
    depth, tests = 0 if asked else -1, 0
    while depth >= 0:
        s = pick[depth]
        if s >= drawn - max(least - 1 - depth, 0):
            depth -= 1
            if depth >= 0:
                pick[depth] += 1
            continue
        if spread[depth, s] <= DEGENERATE or own[depth] <= DEGENERATE:
            pick[depth] += 1
            continue
        if depth >= least - 1:
            spent += k
            rest_x = own[depth] * spread[depth, s] - cross[depth, s] * cross[depth, s]
            if rest_x > DEGENERATE * spread[depth, s]:
                cap = room.cap[depth + 1 - least]
                at = block[depth, s], spread[depth], cross[depth], rest_x
                if _weaker(k, s, at, cap, room.slack):
                    spent += _leaf(k, s, at, scale, (depth + 1, least), room, middle, found, bound)
                tests += asked
                for level in range(depth + 1):
                    tests -= rows[pick[level]] >= 0
        if depth < top - 1 and s < drawn - 1:
            _eliminate(block, room, depth, s, k)
            spent += (drawn - s) * k
            depth += 1
            pick[depth] = s + 1
        else:
            pick[depth] += 1
        if spent > CLOCK_EVERY and deadline < np.inf:
            spent = 0
            if now() > deadline:
                return tests, -1
    return tests, spent


@njit(**BARE)
def _eliminate(block: AnyArray, room: Room, depth: int, s: int, k: int) -> None:
    """Condition on member s as well: the state of depth + 1 from that of depth, rows after s only."""
    row, scale = block[depth, s], 1.0 / room.spread[depth, s]
    spread, cross = room.spread[depth + 1], room.cross[depth + 1]
    shared = room.cross[depth, s] * scale
    for b in range(k):
        spread[b] = room.spread[depth, b] - row[b] * row[b] * scale
        cross[b] = room.cross[depth, b] - shared * row[b]
    room.own[depth + 1] = room.own[depth] - room.cross[depth, s] * shared
    spread[s] = cross[s] = 0.0
    for a in range(s + 1, block.shape[1]):
        before, after, factor = block[depth, a], block[depth + 1, a], row[a] * scale
        for b in range(k):
            after[b] = before[b] - factor * row[b]


@njit(**BARE, inline="always")
def _weaker(k: int, s: int, at: tuple[AnyArray, AnyArray, AnyArray, float], cap: AnyArray, slack: AnyArray) -> bool:
    """Has x with some of the k members a squared partial correlation below its cap, given the set that ends with s?

    r^2 = (c_xy c_ss - c_xs c_sy)^2 / ((c_xx c_ss - c_xs^2)(c_yy c_ss - c_sy^2)), compared without a division. slack: filled, above
    zero where it has.
    """
    row, spread, cross, rest_x = at
    pivot, shared, hits = spread[s], cross[s], 0
    for b in range(k):
        joint = cross[b] * pivot - shared * row[b]
        rest = spread[b] * pivot - row[b] * row[b]
        rest = rest if rest > DEGENERATE * pivot else 0.0
        slack[b] = cap[b] * rest_x * rest - joint * joint
        hits += slack[b] > 0.0
    return hits > 0


@njit(**BARE)
def _leaf(
    k: int,
    s: int,
    at: tuple[AnyArray, AnyArray, AnyArray, float],
    scale: AnyArray,
    sizes: tuple[int, int],
    room: Room,
    middle: Lists,
    found: Largest,
    bound: Bound,
) -> int:
    """Enter the tests of x and the members that have slack, given the set that ends with s: the work. sizes: its, and the least."""
    (row, spread, cross, rest_x), work = at, 0
    pivot, shared, (size, least) = spread[s], cross[s], sizes
    pick, slack, rows, members = room.pick[:size], room.slack, room.rows, room.members
    for b in range(k):
        if slack[b] > 0.0:
            joint = cross[b] * pivot - shared * row[b]
            walk = size * (1 + middle.first[rows[b] + 1] - middle.first[rows[b]])
            work += walk
            squared = joint * joint / (rest_x * (spread[b] * pivot - row[b] * row[b]))
            if _matters(squared, rows[b], size - least, members, pick, middle, bound):
                work += walk * (1 + room.cap.shape[0])
                new = -scale[size] * math.atanh(min(math.sqrt(squared), LARGEST_R))
                _enter(new, rows[b], members, pick, middle, found)
                _lower(squared, rows[b], scale, sizes, members, pick, middle, bound)
                for t in range(room.cap.shape[0]):
                    room.cap[t, b] = bound.pair[t, rows[b]]
    return work


@njit(**BARE)
def _holds(z: int, members: AnyArray, pick: AnyArray) -> bool:
    """Is z in the set?"""
    found = False
    for p in pick:
        found |= members[p] == z
    return found


@njit(**BARE, inline="always")
def _matters(squared: float, row: int, s: int, members: AnyArray, pick: AnyArray, middle: Lists, bound: Bound) -> bool:
    """Is a test weaker than any yet of the pair, or of one of its middles' sets with or without it?"""
    lo, hi = middle.first[row], middle.first[row + 1]
    if lo == hi:
        return squared < bound.pair[s, row]
    for t in range(lo, hi):
        side = bound.inside if _holds(middle.member[t], members, pick) else bound.outside
        if squared < side[s, t]:
            return True
    return False


@njit(**BARE, inline="always")
def _enter(new: float, row: int, members: AnyArray, pick: AnyArray, middle: Lists, found: Largest) -> None:
    """Keep a test where it is the weakest so far, of the pair, and of the sets with or without a middle."""
    if new > found.weakness[row]:
        found.weakness[row], found.size[row] = new, pick.size
        for level in range(pick.size):
            found.sets[row, level] = members[pick[level]]
    for t in range(middle.first[row], middle.first[row + 1]):
        side = found.inside if _holds(middle.member[t], members, pick) else found.outside
        side[t] = max(side[t], new)


@njit(**BARE, inline="always")
def _lower(
    squared: float,
    row: int,
    scale: AnyArray,
    sizes: tuple[int, int],
    members: AnyArray,
    pick: AnyArray,
    middle: Lists,
    bound: Bound,
) -> None:
    """Lower the bounds of a pair after a test. sizes: of its set, and the least.

    A test given a set of another size, scale c' for c, is weaker only if r'^2 < tanh(q atanh r)^2 <= max(1, q^2) r^2, q = c / c'.
    """
    (size, least), lo, hi = sizes, middle.first[row], middle.first[row + 1]
    for s in range(bound.pair.shape[0]):
        most = squared * max(1.0, (scale[size] / scale[least + s]) ** 2)
        if lo == hi:
            bound.pair[s, row] = min(bound.pair[s, row], most)
            continue
        bound.pair[s, row] = 0.0
        for t in range(lo, hi):
            side = bound.inside if _holds(middle.member[t], members, pick) else bound.outside
            side[s, t] = min(side[s, t], most)
            bound.pair[s, row] = max(bound.pair[s, row], bound.inside[s, t], bound.outside[s, t])
