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
class Made:
    """The tests that were made. test: the name. bare: are its statistics p-values? counted: do its tests differ in the
    rows they use? weakest: those of each phase with the largest p-value of a pair."""

    columns: tuple[str, ...]
    test: str
    bare: bool
    counted: bool
    alone: Alone
    weakest: tuple[Weakest, ...]

    def of(self, i: int, j: int) -> dict[str, Any]:
        """The test of the pair i < j with the largest p-value; empty where none was made."""
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


def tell_untested(i: int, j: int, allowed: Bools, required: Bools) -> str:
    """Why no test was made of a pair."""
    if required[i, j] or required[j, i]:
        return "required by the knowledge: not tested"
    if not (allowed[i, j] or allowed[j, i]):
        return "forbidden both ways by the knowledge: not tested"
    return "not tested"


@dataclass(frozen=True)
class Why:
    """The evidence of one pair. made: tests of the skeleton, and of the unshielded triples. skeleton: before knowledge
    left pairs out."""

    made: Made
    skeleton: Bools
    oriented: Orientation
    allowed: Bools
    required: Bools

    def __call__(self, a: int, b: int) -> dict[str, Any]:
        i, j = min(a, b), max(a, b)
        joined = bool(self.oriented.adj[i, j] or self.oriented.adj[j, i])
        test = self.made.of(i, j) or {"note": tell_untested(i, j, self.allowed, self.required)}
        item: dict[str, Any] = {"joined": joined} | test
        if joined:
            item["rule"] = self._rule(i, j)
        elif self.skeleton[i, j]:
            item["rule"] = "left out: the only direction that the knowledge allows closes a cycle"
        return item

    def _rule(self, i: int, j: int) -> str:
        columns = self.made.columns
        for a, b in ((i, j), (j, i)):
            code = int(self.oriented.rule[a, b])
            if code == COLLIDER:
                drawn = self.oriented.partner
                other = columns[drawn[(drawn[:, 0] == a) & (drawn[:, 1] == b), 2][0]]
                return f"collider {columns[a]} -> {columns[b]} <- {other}"
            if code:
                return RULES[code]
        return "not oriented: both directions fit"
