"""Steepest ascent over graphs of a Hawkes process: a score that is a sum over targets, with memoised fits."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..stats.hawkes import Exposure
from ..stats.hawkes_traces import Traces

GRACE = 0.5  # seconds after the deadline in which types without a parent are given one
SLACK = 5.0  # on a promised gain, for what refitting the others adds: much where their effects look alike


class Fit(NamedTuple):
    """The fitted law of one target: log-likelihood, background rate and alpha (p * K,), the common effects last."""

    value: float
    mu: float
    alpha: Array


class Scorer:
    """score(i, Pa) = log-likelihood of type i given its parents - price * coefficients; each (i, Pa) is fitted once.

    price: nats per coefficient. tol: a fit stops when a step gains less, in nats.
    active: count per parent only the coefficients that explain at least half an event, and never fewer than one
    (at the boundary alpha = 0 a coefficient costs nothing); otherwise all K of them.
    floor: None, or the least that an edge costs in nats, and the type's own effects and the common ones are then free.
    misfit: (V,) nats per event that an edge into each target costs at least with a floor, by the events of its cause or
        effect, whichever are fewer.
    """

    def __init__(
        self,
        exposure: Exposure | Traces,
        price: float,
        tol: float,
        active: bool = False,
        floor: float | None = None,
        misfit: Array | None = None,
        max_iter: int = 10_000,
    ) -> None:
        self.exposure, self.price, self.tol, self.active, self.max_iter = exposure, price, tol, active, max_iter
        self.memo: dict[tuple[int, int], Fit] = {}
        self.beside: dict[tuple[int, int], dict[int, float]] = {}
        self._size = exposure.size
        self.floor, self.misfit = floor, np.zeros(len(exposure.size)) if misfit is None else misfit

    def fit(self, target: int, parents: int) -> Fit:
        """The fit of ``target`` given ``parents``, a bit mask over types that includes the target itself."""
        key = (target, parents)
        if key not in self.memo:
            who = members(parents)
            rows = self._rows(who)
            if self._size[target] == 0:  # a type that never occurs: rate zero, likelihood one
                fit = Fit(0.0, 0.0, np.zeros(len(rows)))
            else:
                fit = Fit(*self.exposure.solve(target, rows, self.tol, self.max_iter))
            self.memo[key] = fit
        return self.memo[key]

    def joined(self, target: int, parents: int, sources: Ints) -> Array:
        """(S,) the log-likelihoods of ``parents`` with each of ``sources`` (S,) beside them; of :class:`Traces` alone."""
        assert isinstance(self.exposure, Traces) and self.exposure.common
        known = self.beside.setdefault((target, parents), {})
        new = np.array([j for j in sources.tolist() if j not in known], dtype=np.int64)
        if len(new):
            values = self.exposure.values(target, np.array(members(parents)), new, self.tol, self.max_iter)
            known.update(zip(new.tolist(), values.tolist(), strict=True))
        return np.array([known[j] for j in sources.tolist()])

    def score(self, target: int, parents: int) -> float:
        """Penalised log-likelihood of one target."""
        fit, who = self.fit(target, parents), members(parents)
        explained = (fit.alpha * self.exposure.integral[self._rows(who)]).reshape(-1, self.exposure.slots)[: len(who)]
        return fit.value - self._cost(target, who, explained)

    def least(self, target: int, source: Ints) -> Array:
        """(S,) the least that edges from ``source`` (S,) into ``target`` cost."""
        smaller = np.minimum(self._size[target], self._size[source])
        return np.maximum(max(self.price, self.floor or 0.0), self.misfit[target] * smaller)

    def priced(self, price: float, floor: float, misfit: Array) -> Scorer:
        """The same fits at another price."""
        other = Scorer(self.exposure, price, self.tol, self.active, floor, misfit, self.max_iter)
        other.memo, other.beside = self.memo, self.beside
        return other

    def promises(self, target: int, parents: int) -> tuple[Ints, Array] | None:
        """Types (S,) and what each would add to the log-likelihood of a fit that stays as it is; None if not sparse."""
        if isinstance(self.exposure, Exposure):
            return None
        if self._size[target] == 0:
            return np.empty(0, dtype=np.int64), np.empty(0)
        fit = self.fit(target, parents)
        return self.exposure.marginals(target, self._rows(members(parents)), fit.mu, fit.alpha)

    def moments(self, target: int, parents: int) -> Array:
        """What :meth:`Traces.moments` says beside a fit."""
        assert isinstance(self.exposure, Traces)
        fit = self.fit(target, parents)
        return self.exposure.moments(target, self._rows(members(parents)), fit.mu, fit.alpha)

    def _rows(self, who: list[int]) -> Ints:
        """Rows of the effects of the types ``who``, and of the common ones."""
        blocks = np.array([*who, len(self._size)] if self.exposure.common else who, dtype=np.int64)
        slots = self.exposure.slots
        return (blocks[:, None] * slots + np.arange(slots)).ravel()

    def _cost(self, target: int, who: list[int], explained: Array) -> float:
        """What the parents ``who`` (p) cost in nats; explained (p, K): expected number of events due to each."""
        each = np.full(len(who), self.exposure.slots)
        if self.active:
            each = np.maximum((explained > 0.5).sum(axis=1), 1)
        if self.floor is None:
            return self.price * int(each.sum())
        others = np.array(who)[np.array(who) != target]
        return float(np.maximum(self.price * each[np.array(who) != target], self.least(target, others)).sum())


def members(mask: int) -> list[int]:
    """Positions of the bits set in ``mask``, ascending."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found


class Found(NamedTuple):
    """Result of a search: adj (V, V) bool without the diagonal, parents as bit masks, score, changes, complete."""

    adj: Bools
    parents: list[int]
    score: float
    changes: int
    complete: bool


class Limits(NamedTuple):
    """What a search keeps to, as :func:`climb` takes it."""

    allowed: Bools
    required: Bools
    acyclic: bool
    max_changes: int | None = None
    max_parents: int | None = None
    deadline: float | None = None


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
    change raises the score. acyclic: never close a directed cycle. deadline: time.monotonic() at which to stop: then
    every type without a parent still takes the one that promises most, at the cost of one scan and no further fit.
    """
    v = len(allowed)
    adj = required.copy()
    parents = [(1 << i) | sum(1 << int(j) for j in np.flatnonzero(adj[:, i])) for i in range(v)]
    options = Options(scorer, allowed & ~required, max_parents)
    stale = set(range(v))
    reach = ancestors(adj) if acyclic else None
    changes, complete = 0, True
    while max_changes is None or changes < max_changes:
        late = False
        for i in sorted(stale):
            late = late or (deadline is not None and time.monotonic() > deadline)
            if not late:
                options.renew(i, adj, parents)
        best = None if late else options.best(adj, reach)
        while best is not None and not late and options.settle(*best, parents):
            late = deadline is not None and time.monotonic() > deadline
            best = options.best(adj, reach)
        if late:
            room = v if max_changes is None else max_changes - changes
            changes += options.finish(adj, parents, reach, room, time.monotonic() + GRACE)
            complete = False
        if late or best is None:
            break
        j, i = best
        turned = bool(adj[i, j])
        stale = {i, j} if turned else {i}
        if turned:
            adj[i, j] = False
            parents[j] ^= 1 << i
        adj[j, i] = not adj[j, i]
        parents[i] ^= 1 << j
        if reach is not None and adj[j, i] and not turned:
            lead(reach, j, i)
        elif reach is not None:
            reach = ancestors(adj)
        changes += 1
    return Found(adj, parents, sum(scorer.score(i, parents[i]) for i in range(v)), changes, complete)


def ancestors(adj: Bools) -> Bools:
    """(V, V) [j, i]: a directed path leads from j to i."""
    reach = adj.copy()
    for k in np.flatnonzero(adj.any(axis=0) & adj.any(axis=1)):  # those that a path may pass
        reach[reach[:, k]] |= reach[k]
    return reach


def lead(reach: Bools, j: int, i: int) -> None:
    """Enter j -> i, which closes no cycle, into what leads to what (V, V)."""
    above = reach[:, j].copy()
    above[j] = True
    reach[above] |= reach[i]
    reach[above, i] = True


class Options:
    """What toggling j among the parents of i would add to the score, per target: fitted, or promised until it matters.

    A promise is what the scan of marginal gains says, raised by SLACK for what a refit of the others may add; it is
    replaced by the fitted gain as soon as it would be the best change of all. Each target keeps its changes in order, so
    that only targets near a change are looked at again.
    """

    def __init__(self, scorer: Scorer, toggle: Bools, max_parents: int | None) -> None:
        self.scorer, self.toggle, self.max_parents = scorer, toggle, max_parents
        v = len(toggle)
        self.source = [np.empty(0, dtype=np.int64)] * v
        self.gain, self.fitted = [np.empty(0)] * v, [np.empty(0, dtype=bool)] * v
        self._ranked: list[tuple[Ints, Array]] = [
            (self.source[0], self.gain[0])
        ] * v  # sources, best first; their totals
        self._top = np.zeros(v)
        self._stale = np.ones(v, dtype=bool)

    def renew(self, i: int, adj: Bools, parents: list[int]) -> None:
        """The options of target i given its present parents."""
        self._touch(i, adj)
        here = np.flatnonzero(self.toggle[:, i] & adj[:, i])
        full = self.max_parents is not None and int(adj[:, i].sum()) >= self.max_parents
        known = None if full else self.scorer.promises(i, parents[i])
        if full:
            new, gain, fitted = here[:0], np.empty(0), True
        elif known is None:
            new = np.flatnonzero(self.toggle[:, i] & ~adj[:, i])
            gain, fitted = np.array([self._fit(int(j), i, parents) for j in new]), True
        else:
            new, gain = self._promised(i, known, adj, SLACK)
            fitted = False
        gone = np.array([self._fit(int(j), i, parents) for j in here])
        self.source[i], self.gain[i] = np.append(here, new), np.append(gone, gain)
        self.fitted[i] = np.append(np.ones(len(here), dtype=bool), np.full(len(new), fitted))

    def finish(self, adj: Bools, parents: list[int], reach: Bools | None, room: int, until: float) -> int:
        """Where time is over: at most ``room`` types without a parent take the one that promises most, strongest first; ``until``: of
        those that are looked at by then."""
        found: list[tuple[float, int, int]] = []
        for i in np.flatnonzero(~adj.any(axis=0)).tolist() if self.max_parents != 0 else []:
            if time.monotonic() > until:
                break
            known = self.scorer.promises(i, parents[i])
            if known is not None:
                source, gain = self._promised(i, known, adj)
                found += [(-g, j, i) for g, j in zip(gain.tolist(), source.tolist(), strict=True) if g > 0.0]
        changes = 0
        for _, j, i in sorted(found):
            if changes < room and not (adj[:, i].any() or adj[i, j] or (reach is not None and reach[i, j])):
                adj[j, i], parents[i], changes = True, parents[i] | 1 << j, changes + 1
                if reach is not None:
                    lead(reach, j, i)
        return changes

    def _promised(self, i: int, known: tuple[Ints, Array], adj: Bools, slack: float = 1.0) -> tuple[Ints, Array]:
        """Sources (S,) that i may take, and what they promise beyond what they cost."""
        kept = self.toggle[known[0], i] & ~adj[known[0], i]
        new = known[0][kept]
        return new, known[1][kept] * slack - self.scorer.least(i, new)

    def _fit(self, j: int, i: int, parents: list[int]) -> float:
        return self.scorer.score(i, parents[i] ^ (1 << j)) - self.scorer.score(i, parents[i])

    def _touch(self, i: int, adj: Bools) -> None:
        """Changes of target i, and edges into it turned round, those that there were and those that are, get a new place."""
        self._stale[i] = True
        self._stale[adj[:, i]] = True
        self._stale[self.source[i][self.fitted[i]]] = True

    def settle(self, j: int, i: int, parents: list[int]) -> bool:
        """Replace the promised gain of j -> i by the fitted one; False if it was fitted already."""
        at = int(np.flatnonzero(self.source[i] == j)[0])
        if self.fitted[i][at]:
            return False
        self.gain[i][at], self.fitted[i][at] = self._fit(j, i, parents), True
        self._stale[i] = True
        return True

    def _rank(self, i: int, adj: Bools) -> None:
        """Put the changes of target i in order; those that turn an edge round gain what its loss gains as well."""
        source, total = self.source[i], self.gain[i].copy()
        for r in np.flatnonzero(adj[i, source] & ~adj[source, i]):
            back = self.source[source[r]] == i
            total[r] += self.gain[source[r]][back][0] if back.any() else -np.inf
        at = np.flatnonzero(total > 0)
        at = at[np.lexsort((source[at], -total[at]))]
        self._ranked[i] = source[at], total[at]
        self._top[i] = total[at[0]] if len(at) else 0.0
        self._stale[i] = False

    def best(self, adj: Bools, reach: Bools | None) -> tuple[int, int] | None:
        """The toggle with the largest positive gain; ties go to the first source, then target.

        reach: None, or (V, V) which types lead to which, and no cycle may be closed.
        """
        for i in np.flatnonzero(self._stale).tolist():
            self._rank(i, adj)
        top, at = self._top, np.zeros(len(adj), dtype=np.int64)
        while (most := top.max(initial=0.0)) > 0.0:
            j, i = min((int(self._ranked[i][0][at[i]]), i) for i in np.flatnonzero(top == most).tolist())
            if reach is None or adj[j, i] or not (adj[i] & reach[:, j]).any():
                return j, i
            if not at.any():
                top = top.copy()
            at[i] += 1
            ranked = self._ranked[i][1]
            top[i] = ranked[at[i]] if at[i] < len(ranked) else 0.0
        return None
