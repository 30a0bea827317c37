"""What the score says of one pair of variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...base.arrays import Bools, Ints
from ...search.orders import Near, leads
from .near import Other


@dataclass(frozen=True)
class Why:
    """What the score says of one pair, worked out when asked.

    local: f(v | parents). dag: (d, d) bool, the best DAG found. others: of pairs (i, j), i < j, on which graphs of nearly the
    same score disagree, the one of least score. acted: the targets of each regime, empty without regimes.
    """

    columns: tuple[str, ...]
    local: Callable[[int, Ints], float]
    dag: Bools
    allowed: Bools
    required: Bools
    others: dict[tuple[int, int], Other]
    acted: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __call__(self, i: int, j: int) -> dict[str, Any]:
        other = self.others.get((min(i, j), max(i, j)))
        return self._changes(i, j) | (other.told(self.columns) if other else {}) | self._regimes(i, j)

    def _regimes(self, i: int, j: int) -> dict[str, Any]:
        """The regimes that act on one of the two alone, by which their edge is directed."""
        a, b = self.columns[i], self.columns[j]
        found = {label: a if a in on else b for label, on in self.acted.items() if (a in on) != (b in on)}
        return {"told_apart_by": found} if found else {}

    def _changes(self, i: int, j: int) -> dict[str, Any]:
        a, b = (j, i) if self.dag[j, i] else (i, j)
        if not self.dag[a, b]:
            adds = {self._arrow(x, y): self.toggled(x, y) for x, y in ((i, j), (j, i)) if self._fits(x, y)}
            item: dict[str, Any] = {"joined": False, "score_if_added": adds}
            if not adds:
                item["note"] = "ruled out by the knowledge"
            return item
        item = {"joined": True, "in_best_dag": self._arrow(a, b)}
        if self.required[a, b]:
            item["note"] = "required by the knowledge"
        item["score_if_dropped"] = self.toggled(a, b)
        turned = self.reversed(a, b)
        if turned is not None:
            item["score_if_reversed"] = turned
        return item

    def toggled(self, a: int, b: int) -> float:
        """How the score changes when a -> b is dropped or added, all else as it is."""
        with_a = self.dag[:, b].copy()
        with_a[a] = ~with_a[a]
        return self._local(b, with_a) - self._local(b, self.dag[:, b])

    def reversed(self, a: int, b: int) -> float | None:
        """How the score changes when a -> b becomes b -> a; None where that closes a cycle or knowledge forbids it."""
        if not self.allowed[b, a] or self.required[a, b] or leads(self.dag, a, b):
            return None
        into_a = self.dag[:, a].copy()
        into_a[b] = True
        return self.toggled(a, b) + self._local(a, into_a) - self._local(a, self.dag[:, a])

    def _fits(self, a: int, b: int) -> bool:
        return bool(self.allowed[a, b]) and not leads(self.dag, b, a)

    def _local(self, v: int, parents: Bools) -> float:
        return self.local(v, np.flatnonzero(parents))

    def _arrow(self, a: int, b: int) -> str:
        return f"{self.columns[a]} -> {self.columns[b]}"


def turned(why: Why, apart: Bools) -> list[Near]:
    """The DAGs that reversing one edge of ``why.dag`` makes, where cause and effect have the same other parents and only
    regimes tell the direction. apart: (d, d), the pairs that they tell apart."""
    found = []
    for a, b in np.argwhere(why.dag & apart):
        if np.flatnonzero(why.dag[:, a] != why.dag[:, b]).tolist() == [a]:
            rise = why.reversed(int(a), int(b))
            if rise is not None:
                found.append(Near(rise, np.array([(a, b), (b, a)])))
    return found
