"""The ends of the edges of a graph that is being oriented, as sets of nodes: integers, node k the bit k."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Bools
from ...graph.marks import ARROW, CIRCLE, TAIL, Marks
from ...graph.separation import bits, rows

End = tuple[int, int]  # (u, v): the end at v of the edge u *-* v
KNOWN = 11  # beside the rules 0 to 10


class Ends:
    """End marks over d nodes, every end a circle at first.

    near[v]: whom v is joined to. apart[v]: from whom it is separated; a pair that is neither is one of which nothing is
    known, and no rule argues from it. own[mark][v]: the u with that mark at v of u *-* v; far[mark][v]: the u with that
    mark at u. rule: (d, d) int8, what gave the mark at j of i *-* j: 0 to 10, KNOWN, or -1. stuck: ends left as circles
    because of a contradiction.
    """

    def __init__(self, joined: Bools, apart: Bools) -> None:
        d = len(joined)
        self.d = d
        self.near, self.apart = rows(joined), rows(apart)
        self.own = {mark: [0] * d for mark in (TAIL, ARROW)} | {CIRCLE: list(self.near)}
        self.far = {mark: [0] * d for mark in (TAIL, ARROW)} | {CIRCLE: list(self.near)}
        self.rule: NDArray[np.int8] = np.full((d, d), -1, np.int8)
        self.stuck: set[End] = set()

    def put(self, end: End, mark: int, rule: int) -> None:
        """Write a mark, whatever stood there."""
        u, v = end
        for other in (TAIL, ARROW, CIRCLE):
            self.own[other][v] &= ~(1 << u)
            self.far[other][u] &= ~(1 << v)
        self.own[mark][v] |= 1 << u
        self.far[mark][u] |= 1 << v
        self.rule[u, v] = rule

    def is_open(self, end: End) -> bool:
        """Is there a circle that may become a mark?"""
        return bool(self.own[CIRCLE][end[1]] >> end[0] & 1) and end not in self.stuck

    def open_at(self, v: int) -> int:
        """The u with such a circle at v of u *-* v."""
        found = self.own[CIRCLE][v]
        for u, end in self.stuck:
            if end == v:
                found &= ~(1 << u)
        return found

    def parents(self, v: int) -> int:
        """The u with u -> v."""
        return self.own[ARROW][v] & self.far[TAIL][v]

    def children(self, v: int) -> int:
        """The u with v -> u."""
        return self.far[ARROW][v] & self.own[TAIL][v]

    def leads(self, a: int, b: int) -> bool:
        """Is there a directed path from a to b?"""
        seen, fresh = 0, 1 << a
        while fresh:
            ahead = 0
            for v in bits(fresh):
                ahead |= self.children(v)
            if ahead >> b & 1:
                return True
            seen |= fresh
            fresh = ahead & ~seen
        return False

    def settle(self, wanted: list[tuple[End, int, int]]) -> bool:
        """Write the marks (end, mark, rule) that one round implies, together; True where one was written.

        An end that is wanted as a tail and as an arrow stays a circle, and so do the ends that would close a directed
        cycle: the answer does not depend on the order in which they come.
        """
        asked: dict[End, int] = {}
        by: dict[End, int] = {}
        for end, mark, rule in wanted:
            if not self.is_open(end):
                continue
            if asked.setdefault(end, mark) != mark:
                self.stuck.add(end)
            by[end] = min(rule, by.get(end, rule))
        asked = {end: mark for end, mark in asked.items() if end not in self.stuck}
        for end, mark in asked.items():
            self.put(end, mark, by[end])
        ways = {(u, v) if self.own[ARROW][v] >> u & 1 else (v, u) for u, v in asked}
        bad = [(a, b) for a, b in ways if self.children(a) >> b & 1 and self.leads(b, a)]
        for a, b in bad:
            for end in {(a, b), (b, a)} & asked.keys():
                self.put(end, CIRCLE, -1)
                self.stuck.add(end)
        return any(end not in self.stuck for end in asked)

    def marks(self) -> Marks:
        """(d, d) int8, the mark at j of the edge i *-* j."""
        found, width = np.zeros((self.d, self.d), np.int8), -(-self.d // 8)
        for mark, sets in self.own.items():
            packed = np.frombuffer(b"".join(members.to_bytes(width, "little") for members in sets), np.uint8)
            there = np.unpackbits(packed.reshape(self.d, width), axis=1, count=self.d, bitorder="little")
            found[there.T > 0] = mark
        return found
