"""Steepest ascent over graphs of a Hawkes process: a score that is a sum over targets, with memoised fits."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools
from ..stats.hawkes import Exposure, em_fit


class Fit(NamedTuple):
    """The fitted law of one target: log-likelihood, background rate, alpha (p * K,) and penalised score."""

    value: float
    mu: float
    alpha: Array
    score: float


class Scorer:
    """score(i, Pa) = log-likelihood of type i given its parents - price * coefficients; each (i, Pa) is fitted once.

    price: nats per coefficient. tol: EM stops when a step gains less, in nats.
    active: count per parent only the coefficients that explain at least half an event, and never fewer than one
    (at the boundary alpha = 0 a coefficient costs nothing); otherwise all K of them.
    floor: None, or the least that an edge costs in nats; the type's own effects and the common ones are then free.
    """

    def __init__(
        self,
        exposure: Exposure,
        price: float,
        tol: float,
        active: bool = False,
        floor: float | None = None,
        max_iter: int = 10_000,
    ) -> None:
        self.exposure, self.price, self.tol, self.active, self.max_iter = exposure, price, tol, active, max_iter
        self.floor = floor
        self.memo: dict[tuple[int, int], Fit] = {}
        self._rows = np.arange(len(exposure.integral)).reshape(-1, exposure.slots)

    def fit(self, target: int, parents: int) -> Fit:
        """The fit of ``target`` given ``parents``, a bit mask over types that includes the target itself."""
        key = (target, parents)
        if key not in self.memo:
            who = members(parents)
            if self.exposure.common:
                who.append(len(self.exposure.effects))
            effects = self.exposure.effects[target]
            if effects.shape[1] == 0:  # a type that never occurs: rate zero, likelihood one
                explained = np.zeros(len(who) * self.exposure.slots)
                fit = Fit(0.0, 0.0, explained, -self._cost(target, who, explained))
            else:
                rows = self._rows[who].ravel()
                e = self.exposure
                value, mu, alpha, _ = em_fit(effects, e.integral, rows, e.horizon, self.tol, self.max_iter)
                fit = Fit(value, mu, alpha, value - self._cost(target, who, alpha * e.integral[rows]))
            self.memo[key] = fit
        return self.memo[key]

    def _cost(self, target: int, who: list[int], explained: Array) -> float:
        """What the parents ``who`` (p) cost in nats; explained (p * K,): expected number of events due to each."""
        each = np.full(len(who), self.exposure.slots)
        if self.active:
            each = np.maximum((explained.reshape(len(who), -1) > 0.5).sum(axis=1), 1)
        if self.floor is None:
            return self.price * int(each.sum())
        edge = [j not in (target, len(self.exposure.effects)) for j in who]
        return float(np.maximum(self.price * each[edge], self.floor).sum())

    def score(self, target: int, parents: int) -> float:
        """Penalised log-likelihood of one target."""
        return self.fit(target, parents).score


def members(mask: int) -> list[int]:
    """Positions of the bits set in ``mask``, ascending."""
    return [j for j in range(mask.bit_length()) if mask >> j & 1]


class Found(NamedTuple):
    """Result of a search: adj (V, V) bool without the diagonal, parents as bit masks, score, changes, complete."""

    adj: Bools
    parents: list[int]
    score: float
    changes: int
    complete: bool


def climb(
    scorer: Scorer,
    allowed: Bools,
    required: Bools,
    acyclic: bool,
    max_changes: int | None = None,
    max_parents: int | None = None,
    deadline: float | None = None,
) -> Found:
    """Maximise the sum of scores by the best single change at a time: add j -> i, delete it, or reverse i -> j to it.

    allowed, required: (V, V) bool. Starts from the required edges (each type is always its own parent), stops when no
    change raises the score. acyclic: never close a directed cycle. deadline: time.monotonic() at which to stop.
    """
    v = len(allowed)
    adj = required.copy()
    parents = [(1 << i) | sum(1 << int(j) for j in np.flatnonzero(adj[:, i])) for i in range(v)]
    gain = np.full((v, v), -np.inf)  # gain[j, i]: change of target i's score when j is toggled among its parents
    stale = set(range(v))
    changes, complete = 0, True
    toggle = allowed & ~required
    while max_changes is None or changes < max_changes:
        for i in sorted(stale):
            if deadline is not None and time.monotonic() > deadline:
                complete = False
                break
            full = max_parents is not None and int(adj[:, i].sum()) >= max_parents
            base = scorer.score(i, parents[i])
            for j in np.flatnonzero(toggle[:, i]).tolist():
                skip = full and not adj[j, i]
                gain[j, i] = -np.inf if skip else scorer.score(i, parents[i] ^ (1 << j)) - base
        if not complete:
            break
        best = _best_change(adj, np.where(adj.T & ~adj, gain + np.where(adj.T, gain.T, 0.0), gain), acyclic)
        if best is None:
            break
        j, i = best
        stale = {i}
        if adj[j, i]:
            adj[j, i] = False
        else:
            adj[j, i] = True
            if adj[i, j]:
                adj[i, j] = False
                parents[j] ^= 1 << i
                stale.add(j)
        parents[i] ^= 1 << j
        changes += 1
    return Found(adj, parents, sum(scorer.score(i, parents[i]) for i in range(v)), changes, complete)


def _best_change(adj: Bools, total: Array, acyclic: bool) -> tuple[int, int] | None:
    """The admissible toggle with the largest positive total (V, V); ties go to the first in row order."""
    candidates = np.flatnonzero(total > 0)
    v = len(adj)
    for flat in candidates[np.argsort(-total.ravel()[candidates], kind="stable")]:
        j, i = divmod(int(flat), v)
        if not acyclic or adj[j, i] or not _reaches(adj, i, j):
            return j, i
    return None


def _reaches(adj: Bools, source: int, goal: int) -> bool:
    """Whether a directed path leads from source to goal, not counting the edge source -> goal itself."""
    seen, stack = {source}, [source]
    while stack:
        here = stack.pop()
        for there in np.flatnonzero(adj[here]).tolist():
            if there == goal and here != source:
                return True
            if there not in seen and there != goal:
                seen.add(there)
                stack.append(there)
    return False
