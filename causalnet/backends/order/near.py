"""Near-ties: equivalence classes of nearly the least score, and the pairs of variables on which they disagree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...base.arrays import Bools
from ...base.clock import now
from ...graph.interventional import essential_graph
from ...graph.meek import restrict
from ...search.orders import NEAR, Near

CELLS, MOST = 10**7, 500  # of matrices of classes worked out, and classes


class Other(NamedTuple):
    """What another class says of a pair (i, j), i < j. rise: its score less the least. forward, back: has it i -> j, j -> i; both for
    an undirected edge. i, j: the columns."""

    rise: float
    forward: bool
    back: bool
    i: int
    j: int

    def told(self, columns: tuple[str, ...]) -> dict[str, Any]:
        a, b = columns[self.i], columns[self.j]
        mark = {(True, True): "-", (True, False): "->", (False, True): "<-"}.get((self.forward, self.back))
        return {
            "near_tie": True,
            "alternative": {"score_rise": self.rise, "edge": f"{a} {mark} {b}" if mark else None},
        }


class Ties(NamedTuple):
    """graphs: classes within NEAR of the least score, the best included. others: of the pairs on which any of them disagrees
    with the best, the one of least score that does."""

    graphs: int
    others: dict[tuple[int, int], Other]


def near_ties(near: Sequence[Near], dag: Bools, allowed: Bools, apart: Bools, deadline: float = math.inf) -> Ties:
    """Which of the DAGs near the best, told by their differences from it, are classes of their own.

    Classes are compared as completed graphs, with the directions that the knowledge leaves, cheapest first while they are
    few: at most CELLS / d^2, and MOST. Of what is left only single edges are looked at, where each other pair counts as a
    class. apart: (d, d), pairs that regimes tell apart. deadline: by base.clock; those that are not come to by then are left out.
    """
    if not near:
        return Ties(1, {})
    best = essential_graph(dag, apart)
    marks, seen, others = restrict(best, allowed), {best.tobytes()}, dict[tuple[int, int], Other]()
    compared, pairs = min(MOST, CELLS // len(dag) ** 2), set[tuple[int, int]]()
    graphs = 1
    for rise, toggled in sorted(near, key=lambda one: one.rise):
        if rise > NEAR or now() > deadline:
            continue
        i, j = (int(x) for x in np.sort(toggled[0]))
        other = dag.copy()
        other[tuple(toggled.T)] ^= True
        if compared:
            compared -= 1
            found = essential_graph(other, apart)
            if found.tobytes() in seen:
                continue
            seen.add(found.tobytes())
            found = restrict(found, allowed)
            differ = found != marks
            differing = np.argwhere(np.triu(differ | differ.T))
        elif (i, j) in pairs or len(np.unique(toggled)) > 2:
            continue
        else:
            found, differing = other, np.array([[i, j]])
        graphs += 1
        if len(np.unique(toggled)) == 2:
            pairs.add((i, j))
        for a, b in differing.tolist():
            others.setdefault((a, b), Other(rise, bool(found[a, b]), bool(found[b, a]), a, b))
    return Ties(graphs, others)
