"""All Markov equivalence classes of ancestral graphs over a few variables, one of each shape, with what their members share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations, product
from typing import NamedTuple

import numpy as np

from causalnet.base.arrays import Bools
from causalnet.graph.marks import ARROW, CIRCLE, TAIL, Marks
from causalnet.graph.order import ancestry
from causalnet.graph.separation import Separation

ENDS = ((0, 0), (TAIL, ARROW), (ARROW, ARROW))  # of i and j, i before j in an order of causes


class Class(NamedTuple):
    """A class. member: (d, d) one of its graphs. shared: (d, d) the ends that all members have, CIRCLE where they differ.

    members: how many there are.
    """

    member: Marks
    shared: Marks
    members: int


def enumerate_classes(d: int, edges: int | None = None) -> list[Class]:
    """Every class over d variables, of at most ``edges`` edges, once for all ways to name the variables.

    A maximal ancestral graph has an order of its causes, so those over the order 0, 1, ... are all there are but for names.
    Members share their m-separations; those of a class under every naming that gives the same separations are collected.
    """
    pairs = list(combinations(range(d), 2))
    questions = [(i, j, z) for i, j in pairs for z in _sets(d, i, j)]
    place = {q: k for k, q in enumerate(questions)}
    names = np.array(list(permutations(range(d))))
    # moved[r, k]: the question that k becomes when node v is called names[r, v]
    moved = np.array([[place[_renamed(q, name)] for q in questions] for name in names.tolist()])
    found: dict[bytes, tuple[Marks, Bools, Bools, set[bytes]]] = {}
    for marks in _ordered(d, pairs, edges):
        apart = Separation(marks)
        told = np.array([apart(i, j, z) for i, j, z in questions])
        under = np.zeros((len(names), len(questions)), bool)
        np.put_along_axis(under, moved, np.broadcast_to(told, moved.shape), axis=1)
        packed = np.packbits(under, axis=1)
        order = np.lexsort(packed.T[::-1])
        first = packed[order[0]]
        for r in order:
            if not np.array_equal(packed[r], first):
                break
            back = np.argsort(names[r])  # marks of the renamed graph: [names[u], names[v]] = marks[u, v]
            graph = marks[np.ix_(back, back)]
            _, tail, arrow, seen = found.setdefault(
                first.tobytes(), (graph, np.zeros((d, d), bool), np.zeros((d, d), bool), set())
            )
            tail |= graph == TAIL
            arrow |= graph == ARROW
            seen.add(graph.tobytes())
    return [
        Class(member, np.where(tail & arrow, CIRCLE, member).astype(np.int8), len(seen))
        for member, tail, arrow, seen in found.values()
    ]


def _sets(d: int, i: int, j: int) -> list[tuple[int, ...]]:
    rest = [k for k in range(d) if k not in (i, j)]
    return [z for size in range(len(rest) + 1) for z in combinations(rest, size)]


def _renamed(question: tuple[int, int, tuple[int, ...]], name: list[int]) -> tuple[int, int, tuple[int, ...]]:
    i, j, z = question
    a, b = sorted((name[i], name[j]))
    return a, b, tuple(sorted(name[v] for v in z))


def _ordered(d: int, pairs: list[tuple[int, int]], edges: int | None) -> Iterator[Marks]:
    """The maximal ancestral graphs whose causes stand before their effects in 0, 1, ..."""
    for ends in product(ENDS, repeat=len(pairs)):
        if edges is not None and sum(at_j > 0 for _, at_j in ends) > edges:
            continue
        marks = np.zeros((d, d), np.int8)
        for (i, j), (at_i, at_j) in zip(pairs, ends, strict=True):
            marks[j, i], marks[i, j] = at_i, at_j
        above = ancestry((marks == ARROW) & (marks.T == TAIL))
        if ((marks == ARROW) & above.T).any():
            continue  # an arrow at an ancestor
        apart = Separation(marks)
        if all(
            marks[i, j] or apart(i, j, [k for k in range(d) if (above[k, i] or above[k, j]) and k not in (i, j)])
            for i, j in pairs
        ):
            yield marks
