"""Separation in mixed graphs, and the ancestral graph that a DAG with hidden variables leaves over the observed ones.

Richardson and Spirtes, Annals of Statistics 30, 2002: x and y are m-separated given Z iff on every path between them some
vertex is a collider without a descendant in Z, or no collider and in Z. Sets of nodes are integers, node k the bit k.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..base.arrays import Bools
from .marks import ARROW, TAIL, Marks
from .order import ancestry


def bits(members: int) -> Iterator[int]:
    """The nodes of a set, ascending."""
    while members:
        low = members & -members
        yield low.bit_length() - 1
        members ^= low


def as_set(members: Iterable[int]) -> int:
    """Nodes as a set."""
    found = 0
    for k in members:
        found |= 1 << int(k)
    return found


def rows(matrix: Bools) -> list[int]:
    """The rows of a (d, d) bool matrix as sets."""
    packed = np.packbits(matrix, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


class Separation:
    """Answers "are x and y m-separated given Z?" for one graph.

    marks: (d, d) int8, tails and arrows only; the mark at j of the edge i *-* j. A DAG is one without ``<->``.
    """

    def __init__(self, marks: Marks) -> None:
        joined, arrow = marks > 0, marks == ARROW
        self._into = rows(arrow.T)  # [v]: the u with u *-> v
        self._near = rows(joined)
        self._above = rows(ancestry(arrow & (marks.T == TAIL)).T | np.eye(len(marks), dtype=bool))

    def __call__(self, x: int, y: int, given: Iterable[int]) -> bool:
        """Reachability over (node, did the walk come by an arrowhead); a collider is open iff it has a descendant given."""
        fixed = as_set(given)
        opens = 0  # what is given, and its ancestors
        for k in bits(fixed):
            opens |= self._above[k]
        seen = [0, 0]  # nodes reached by a tail, by an arrowhead
        fresh = [(x, 0, self._near[x])]
        while fresh:
            v, _, ahead = fresh.pop()
            for w in bits(ahead):
                if w == y:
                    return False
                head = self._into[w] >> v & 1
                if seen[head] >> w & 1 or w == x:
                    continue
                seen[head] |= 1 << w
                on = 0
                if not fixed >> w & 1:  # passed as no collider: one end at w is a tail
                    on |= self._near[w] & ~self._into[w] if head else self._near[w]
                if head and opens >> w & 1:
                    on |= self._into[w]
                fresh.append((w, head, on))
        return True


def marks_of_dag(dag: Bools) -> Marks:
    """(d, d) int8: an arrow at j and a tail at i of every i -> j."""
    return np.where(dag, ARROW, np.where(dag.T, TAIL, 0)).astype(np.int8)


def ancestral_graph(dag: Bools, hidden: Iterable[int] = ()) -> Marks:
    """(m, m) int8: the maximal ancestral graph over the m observed variables of a DAG (d, d), in their order.

    x and y are joined iff nothing observed separates them: iff An({x, y}) without them and the hidden does not; the mark
    at y is a tail iff y is an ancestor of x.
    """
    gone = set(hidden)
    seen = [k for k in range(len(dag)) if k not in gone]
    apart, above = Separation(marks_of_dag(dag)), ancestry(dag)
    marks = np.zeros((len(seen), len(seen)), np.int8)
    for i, x in enumerate(seen):
        for j, y in enumerate(seen[:i]):
            causes = [k for k in seen if (above[k, x] or above[k, y]) and k not in (x, y)]
            if not apart(x, y, causes):
                marks[i, j] = TAIL if above[y, x] else ARROW
                marks[j, i] = TAIL if above[x, y] else ARROW
    return marks
