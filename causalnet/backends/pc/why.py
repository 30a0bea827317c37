"""What pc tells of a pair, from the arrays of its search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Bools
from ...search.orientation import COLLIDER, KNOWN, Orientation
from ...search.skeleton import Alone, Weakest
from ...stats.independence import chi2_p, normal_p

RULES = {
    1: "Meek rule 1: otherwise a new collider",
    2: "Meek rule 2: otherwise a cycle",
    3: "Meek rule 3: otherwise a new collider or a cycle",
    4: "Meek rule 4: otherwise a new collider or a cycle",
    KNOWN: "knowledge",
}


@dataclass(frozen=True)
class Why:
    """The evidence of one pair. test: its name. bare: are its statistics p-values? counted: do its tests differ in the
    rows they use? weakest: tests of the skeleton, and of the unshielded triples. skeleton: before knowledge left pairs
    out."""

    columns: tuple[str, ...]
    test: str
    bare: bool
    counted: bool
    alone: Alone
    weakest: tuple[Weakest, Weakest]
    skeleton: Bools
    oriented: Orientation
    allowed: Bools
    required: Bools

    def __call__(self, a: int, b: int) -> dict[str, Any]:
        i, j = min(a, b), max(a, b)
        joined = bool(self.oriented.adj[i, j] or self.oriented.adj[j, i])
        item: dict[str, Any] = {"joined": joined} | (self._test(i, j) or {"note": self._untested(i, j)})
        if joined:
            item["rule"] = self._rule(i, j)
        elif self.skeleton[i, j]:
            item["rule"] = "left out: the only direction that the knowledge allows closes a cycle"
        return item

    def _test(self, i: int, j: int) -> dict[str, Any]:
        """The test with the largest p-value; empty where none was made."""
        kept = [(record, k) for record in self.weakest if (k := record.place(i, j)) >= 0]
        if kept:
            record, k = max(kept, key=lambda r: r[0].weakness[r[1]])
            statistic, df, n = (part[k].item() for part in (record.statistic, record.df, record.n))
            members = record.given(k)
        if not kept or record.weakness[k] == -np.inf:
            statistic, df, n = (part.item() for part in self.alone.of(np.array([i]), np.array([j])))
            members = []
        if np.isnan(statistic):
            return {}
        item = {"test": self.test, "p_value": self._p_value(statistic, df), "given": [self.columns[v] for v in members]}
        if not self.bare:
            item["statistic"] = statistic
        if df:
            item["df"] = df
        if self.counted:
            item["n"] = n
        if any(record.partial[k] for record, k in kept):
            item["note"] = "not all sets tested: of some size there were more than max_sets"
        return item

    def _p_value(self, statistic: float, df: int) -> float:
        if self.bare:
            return statistic
        return normal_p(statistic) if self.test == "fisher-z" else chi2_p(statistic, df)

    def _untested(self, i: int, j: int) -> str:
        if self.required[i, j] or self.required[j, i]:
            return "required by the knowledge: not tested"
        if not (self.allowed[i, j] or self.allowed[j, i]):
            return "forbidden both ways by the knowledge: not tested"
        return "not tested"

    def _rule(self, i: int, j: int) -> str:
        for a, b in ((i, j), (j, i)):
            code = int(self.oriented.rule[a, b])
            if code == COLLIDER:
                other = self.columns[self.oriented.partner[a * len(self.columns) + b]]
                return f"collider {self.columns[a]} -> {self.columns[b]} <- {other}"
            if code:
                return RULES[code]
        return "not oriented: both directions fit"
