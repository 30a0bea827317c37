"""Directions of the links of now: colliders by majority, then the rules of PC, where time has not decided already.

An unshielded triple (i, t - tau) *-> k - j is a collider iff fewer than half of the sets that separate its ends hold k;
with exactly half, or none that separates, it is ambiguous, and no rule reads it (Colombo and Maathuis, JMLR 15, 2014;
Runge, UAI 2020, algorithms S2 and S3). An edge that two triples would direct both ways stays without direction. All
triples that a rule finds are read before an edge is directed, so that nothing depends on the order of the columns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np

from ...base.arrays import Bools
from .skeleton import Link, Momentary

MOST_SETS = 1 << 12  # sets of one pair asked for a majority
Triple = tuple[int, int, int, int]  # lag, i, k, j


class Now(NamedTuple):
    """The links of lag 0, (d, d) bool each: directed i -> j; loose (symmetric); conflict (symmetric), wanted both ways.

    colliders, ambiguous: how many triples were read as such.
    """

    directed: Bools
    loose: Bools
    conflict: Bools
    colliders: int
    ambiguous: int


def orient_now(momentary: Momentary, links: Bools, allowed: Bools, alpha: float, most: int | None = None) -> Now:
    """Direct the links of lag 0 of ``links`` (lags + 1, d, d). allowed: (d, d), the directions that knowledge leaves.

    Where the time of ``momentary`` is over nothing is directed but what knowledge directs.
    """
    joined = links[0]
    directed = joined & allowed & ~allowed.T
    loose = joined & allowed & allowed.T
    if time.monotonic() > momentary.until:
        return Now(directed, loose, np.zeros_like(joined), 0, 0)
    apart = _Apart(momentary, links, alpha, most)
    triples = list(_triples(links, loose, directed | loose))
    apart.ask({(lag, i, j) for lag, i, _, j in triples})
    share = {t: apart.share(*t) for t in triples}
    colliders = [t for t, held in share.items() if held is not None and held < 0.5]
    ambiguous = {t for t, held in share.items() if held is None or held == 0.5}
    wanted = np.zeros_like(joined)
    for lag, i, k, j in colliders:
        wanted[j, k] = True
        if lag == 0:
            wanted[i, k] = True
    conflict = np.zeros_like(joined)
    _direct(wanted, directed, loose, conflict)
    while True:
        before = int(loose.sum())
        for rule in (_away_from_colliders, _no_cycle, _two_ways):
            _direct(rule(links, directed, loose, ambiguous), directed, loose, conflict)
        if loose.sum() == before:
            return Now(directed, loose, conflict, len(colliders), len(ambiguous))


def _direct(wanted: Bools, directed: Bools, loose: Bools, conflict: Bools) -> None:
    """Direct loose links as wanted, in place; those wanted both ways become conflicts."""
    wanted = wanted & loose
    both = wanted & wanted.T
    conflict |= both
    directed |= wanted & ~both
    loose &= ~(wanted | wanted.T)


def _triples(links: Bools, loose: Bools, into: Bools) -> Iterator[Triple]:
    """Every (i, t - lag) *- k - j with the ends apart, k - j loose. into: (d, d), links of now that count for i *- k."""
    for k, j in np.argwhere(loose):
        ends = links[:, :, k] & ~links[:, :, j]  # (lags + 1, d)
        ends[0] &= into[:, k]
        ends[0, j] = False
        yield from ((int(lag), int(i), int(k), int(j)) for lag, i in np.argwhere(ends))


def _away_from_colliders(links: Bools, directed: Bools, loose: Bools, ambiguous: set[Triple]) -> Bools:
    """Rule 1: (i, t - lag) -> k - j with the ends apart gives k -> j."""
    wanted = np.zeros_like(loose)
    for lag, i, k, j in _triples(links, loose, directed):
        if (lag, i, k, j) not in ambiguous:
            wanted[k, j] = True
    return wanted


def _no_cycle(links: Bools, directed: Bools, loose: Bools, ambiguous: set[Triple]) -> Bools:
    """Rule 2: i -> k -> j and i - j gives i -> j."""
    steps: Bools = (directed.astype(np.int64) @ directed) > 0
    return steps & loose


def _two_ways(links: Bools, directed: Bools, loose: Bools, ambiguous: set[Triple]) -> Bools:
    """Rule 3: i - k -> j, i - l -> j, k and l apart, and i - j gives i -> j."""
    wanted = np.zeros_like(loose)
    for i, j in np.argwhere(loose):
        ways = np.flatnonzero(loose[i] & directed[:, j])
        wanted[i, j] = len(ways) > 1 and not (links[0][np.ix_(ways, ways)] | np.eye(len(ways), dtype=bool)).all()
    return wanted


class _Apart:
    """The sets of variables of now that separate the ends of triples."""

    def __init__(self, momentary: Momentary, links: Bools, alpha: float, most: int | None) -> None:
        self.momentary, self.joined, self.alpha, self.most = momentary, links[0], alpha, most
        self.separating: dict[Link, list[tuple[int, ...]]] = {}

    def ask(self, pairs: set[Link]) -> None:
        """Test every pair given all sets of the variables joined to its ends now."""
        asked: list[Link] = []
        sets: list[tuple[int, ...]] = []
        for lag, i, j in sorted(pairs):
            self.separating[lag, i, j] = []
            if (lag == 0 and i > j) or time.monotonic() > self.momentary.until:
                continue  # as from the other side
            drawn = dict.fromkeys(self._sets(j, i if lag == 0 else -1))
            drawn |= dict.fromkeys(self._sets(i, j)) if lag == 0 else {}
            asked += [(lag, i, j)] * len(drawn)
            sets += drawn
        p = self.momentary(asked, sets)[0] if asked else ()
        for link, given, its_p in zip(asked, sets, p, strict=True):
            if its_p > self.alpha:
                self.separating[link].append(given)

    def share(self, lag: int, i: int, k: int, j: int) -> float | None:
        """The share of separating sets that hold k; None where no set separates."""
        sets = self.separating[(lag, min(i, j), max(i, j)) if lag == 0 else (lag, i, j)]
        return sum(k in given for given in sets) / len(sets) if sets else None

    def _sets(self, v: int, other: int) -> list[tuple[int, ...]]:
        """All sets of the variables joined to v now but for the other end, small ones first."""
        near = [int(k) for k in np.flatnonzero(self.joined[:, v]) if k != other]
        most = len(near) if self.most is None else min(self.most, len(near))
        while most > 1 and 2 ** len(near) > MOST_SETS and len(near) ** most > MOST_SETS:
            most -= 1
        return list(chain.from_iterable(combinations(near, size) for size in range(most + 1)))
