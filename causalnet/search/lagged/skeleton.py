"""Which links stand the momentary test: all lagged ones at once (PCMCI), or PC's levels over sets of now (PCMCI+).

X_{t-tau} and Y_t are tested given the conditions of both (:mod:`.conditions`), those of X moved back by tau, and in
PCMCI+ given sets S of the variables joined to Y at t besides (Runge, UAI 2020, algorithm 2). A level draws its sets from
the links that stood at its begin, so that nothing depends on the order of the columns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

import numpy as np

from ...base.arrays import Array, Bools, Ints
from ...stats.lagged import DETERMINED, MADE, REDUNDANT, UNTESTED, Questions, listed
from .conditions import Conditions, LaggedTests

PIECE = 1 << 12  # links tested before the clock is looked at
FIRST_SETS, MORE = 4, 16  # sets of one size tested of a link before it is looked at again; growing so many times
Link = tuple[int, int, int]  # lag, cause, effect


@dataclass
class LaggedSkeleton:
    """links: (lags + 1, d, d) bool, [lag, cause, effect], symmetric at lag 0. p, r: (lags + 1, d, d), of the test with the
    largest p-value. largest_set: of variables of now."""

    links: Bools
    p: Array
    r: Array
    tests: int = 0
    largest_set: int = 0
    complete: bool = True


class Momentary:
    """Momentary tests of many links, each given its own set of variables of now. until: time.monotonic."""

    def __init__(self, tests: LaggedTests, conditions: Conditions, until: float = np.inf) -> None:
        self.tests, self.start, self.parent, self.until = tests, conditions.start, conditions.parent, until
        self.made = 0

    def __call__(self, links: Sequence[Link] | Ints, sets: Sequence[Sequence[int]]) -> tuple[Array, Array]:
        """(p, r) of every link given its set.

        What its past alone determines depends on nothing else (p = 1); a test in which a cause, or with the help of the
        present an effect, is determined says nothing, and never separates (p = 0), nor does one that is not made in time.
        """
        lag, cause, effect = np.array(links, np.int64).reshape(-1, 3).T.copy()
        first, given = listed(sets)
        found = self.tests.answer(Questions(cause, lag, effect, first, given, self.start, self.parent), self.until)
        self.made += int((found.state != UNTESTED).sum())
        by_past = (np.diff(first) == 0) & ((found.state == DETERMINED) | ((lag == 0) & (found.state == REDUNDANT)))
        return np.where(found.state == MADE, found.p, np.where(by_past, 1.0, 0.0)), found.r


def test_all(momentary: Momentary, allowed: Bools) -> tuple[Array, Array, bool]:
    """(p, r), (lags + 1, d, d) each, of every allowed lagged link given no variable of now; p = 1 elsewhere, and where the time
    was over before, which the last one tells."""
    p, r = np.ones(allowed.shape), np.zeros(allowed.shape)
    lagged = allowed.copy()
    lagged[0] = False
    some, p_some, r_some, done = _given_none(momentary, np.argwhere(lagged))
    p[tuple(some.T)], r[tuple(some.T)] = p_some, r_some
    return p, r, done


def _given_none(momentary: Momentary, links: Ints) -> tuple[Ints, Array, Array, bool]:
    """The links (m, 3) that there was time to test given no variable of now, (p, r) of each, and whether these are all."""
    before, found = momentary.made, [(np.empty(0), np.empty(0))]
    for lo in range(0, len(links), PIECE):
        if time.monotonic() > momentary.until:
            break
        some = links[lo : lo + PIECE]
        found.append(momentary(some, [()] * len(some)))
    made = momentary.made - before  # the first ones, where the time was over
    p, r = (np.concatenate(part)[:made] for part in zip(*found, strict=True))
    return links[:made], p, r, made == len(links)


def find_links(
    momentary: Momentary, links: Bools, alpha: float, most: int | None = None, deadline: float = np.inf
) -> LaggedSkeleton:
    """The links, (lags + 1, d, d) to begin with, that no set of at most ``most`` variables of now separates."""
    found = LaggedSkeleton(links.copy(), np.where(links, 0.0, 1.0), np.zeros(links.shape))
    weakest = np.where(links, np.inf, 0.0)
    some, p, r, found.complete = _given_none(momentary, np.argwhere(links))
    at = tuple(some.T)
    found.p[at], found.r[at], weakest[at], found.links[at] = p, r, np.abs(r), p <= alpha
    found.links[0] &= found.links[0].T
    size = 1
    while found.complete and (most is None or size <= most):
        if time.monotonic() > deadline:
            found.complete = False
            break
        near = [_strongest_first(found.links[0][:, j], weakest[0][:, j]) for j in range(links.shape[1])]
        room = (
            np.array([len(others) for others in near]) - found.links * (np.arange(len(found.links)) == 0)[:, None, None]
        )
        turn: Any = {
            (k, i, j): _sets(near, (k, i, j), size) for k, i, j in np.argwhere(found.links & (room >= size)).tolist()
        }
        if not turn:
            break
        found.largest_set = size
        if not _level(momentary, found, weakest, turn, alpha, deadline):
            found.complete = False
            break
        size += 1
    both = found.p[0] >= found.p[0].T  # a pair of now is as weak as the weaker of its two sides
    found.p[0], found.r[0] = np.where(both, found.p[0], found.p[0].T), np.where(both, found.r[0], found.r[0].T)
    found.tests = momentary.made
    return found


def _sets(near: list[list[int]], link: tuple[int, int, int], size: int) -> Iterator[tuple[int, ...]]:
    """The sets of one size of the others that a link's effect is joined to now, strongest first; listed when they are asked for."""
    lag, i, j = link
    yield from combinations(near[j] if lag else [k for k in near[j] if k != i], size)


def _strongest_first(joined: Bools, strength: Array) -> list[int]:
    near = np.flatnonzero(joined)
    return near[np.argsort(-strength[near], kind="stable")].tolist()


def _level(
    momentary: Momentary,
    found: LaggedSkeleton,
    weakest: Array,
    turn: dict[Link, Iterator[tuple[int, ...]]],
    alpha: float,
    deadline: float,
) -> bool:
    """Test every link given its sets of one size until one separates it; False where the deadline came."""
    take = 1
    while turn:
        asked: list[Link] = []
        sets: list[tuple[int, ...]] = []
        for count, link in enumerate(list(turn)):
            if count % PIECE == 0 and time.monotonic() > deadline:
                return False
            drawn = list(islice(turn[link], take))
            if not drawn:
                del turn[link]
            asked += [link] * len(drawn)
            sets += drawn
        before = momentary.made
        p, r = momentary(asked, sets) if asked else (np.zeros(0), np.zeros(0))
        made = momentary.made - before  # the first ones, where the time was over
        p, r, asked = p[:made], r[:made], asked[:made]
        at = tuple(np.array(asked, np.int64).reshape(-1, 3).T)
        np.minimum.at(weakest, at, np.abs(r))
        for link, its_p, its_r in zip(asked, p.tolist(), r.tolist(), strict=True):
            if its_p >= found.p[link]:
                found.p[link], found.r[link] = its_p, its_r
            if its_p > alpha and found.links[link]:
                lag, i, j = link
                other = (lag, j, i) if lag == 0 else link
                found.links[link] = found.links[other] = False
                turn.pop(link, None)
                turn.pop(other, None)
        if time.monotonic() > deadline:
            return not turn
        take = FIRST_SETS if take == 1 else take * MORE
    return True
