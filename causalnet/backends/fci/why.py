"""What fci tells of a pair: the weakest test of it, and what gave each end of an edge its mark."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Bools
from ...search.pag import KNOWN, Spared
from ..pc.why import Made

RULES = {
    -1: "left open",
    0: "R0: the middle of a collider",
    1: "R1: otherwise a new collider",
    2: "R2: otherwise a cycle, or almost one",
    3: "R3: otherwise a new collider or a cycle",
    4: "R4: a discriminating path",
    5: "R5: an uncovered cycle of open edges",
    6: "R6: beside an undirected edge",
    7: "R7: otherwise a new collider, under selection",
    8: "R8: otherwise almost a cycle",
    9: "R9: an uncovered path leads there",
    10: "R10: two uncovered paths lead there",
    KNOWN: "knowledge",
}


@dataclass(frozen=True)
class Why:
    """The evidence of one pair. made: the tests, None where none was made; spared: pairs whose later tests were not. rule: (d, d) int8, what gave the mark at j of
    i *-* j. joined: (d, d) bool. apart, fixed: (d, d) bool, pairs kept apart, or joined, by knowledge."""

    columns: tuple[str, ...]
    made: Made | None
    spared: Spared | None
    rule: NDArray[np.int8]
    joined: Bools
    apart: Bools
    fixed: Bools

    def __call__(self, a: int, b: int) -> dict[str, Any]:
        i, j = min(a, b), max(a, b)
        item: dict[str, Any] = {"joined": bool(self.joined[i, j])} | self._test(i, j)
        if item["joined"]:
            ends = ((j, i), (i, j))
            item["rule"] = "; ".join(f"at {self.columns[v]}, {RULES[int(self.rule[u, v])]}" for u, v in ends)
        return item

    def _test(self, i: int, j: int) -> dict[str, Any]:
        if self.fixed[i, j]:
            return {"note": "required by the knowledge: not tested"}
        if self.apart[i, j]:
            return {"note": "kept apart by the knowledge: not tested"}
        late = None if self.spared is None else self.spared.record(i, j)
        made = self.made
        if made is not None and late is not None:
            made = replace(made, weakest=(*made.weakest, late))
        found = {} if made is None else made.of(i, j)
        return found or {"note": "not tested: as in the best DAG"}
