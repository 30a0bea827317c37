"""min over DAGs of sum_v f(v | parents of v): a search over causal orders for any local score f.

Given an order, the parents of v are chosen among those before it by grow-shrink; the order itself is improved by taking
one variable out and putting it where the score falls most, until no such move helps (Teyssier and Koller 2005; BOSS,
Andrews et al. 2023). What is found is perturbed by swapping variables and searched again where that changed anything;
a round that ends higher is undone (iterated local search, as FLOP: Wienöbst, Henckel and Weichwald, arXiv 2510.04970).
The first descent is made from several orders, and the best of them goes on.
Kernels: :mod:`causalnet.search.orders.moves`, which return to Python every now and then, so that a search can be
interrupted and keeps what it has. Deterministic: all draws come from one seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...base.arrays import Array, Bools, Ints
from ...base.clock import now
from ...base.progress import say_progress
from ...graph.order import topological_order
from ...stats.scores.contract import Slots, widen
from ...stats.scores.opaque import Hidden, hide
from .moves import fit_order, wander
from .state import COUNTS, ROWS, Rules, State, clear, greedy_order
from .ties import Met, Near, graphs_met, no_graphs, single_changes

FAR = 1 << 40
SLICE = 0.2  # seconds from one return of the kernels to the next, about
FIRST, PATIENCE, REGION, SMALL, LARGE = 12, 4, 20, 12, 200
"""Settled on random linear Gaussian problems of 20 to 1000 variables: how many places in a row may change scores for
nothing before a scan gives up, in the first descent and in a round; variables a restart has one round for; up to how
many variables it has six, so that the optimum is met; and from how many on rounds and swaps are fewer."""
STARTS = 5  # orders to descend from, up to LARGE variables; 1 from five times as many
NOISE = 0.1  # in the first order of many variables, a partial correlation no larger is none


@dataclass(frozen=True)
class Found:
    """dag: (d, d) bool, the best one met. score: its score. order: (d,) the variables, causes first. rounds: perturbations
    tried. refits: grow-shrink searches made. complete: False if time ran out or the search was interrupted.
    near: other DAGs of nearly this score."""

    dag: Bools
    score: float
    order: Ints
    rounds: int
    refits: int
    complete: bool
    near: tuple[Near, ...] = ()


def search_orders(
    score: Any,
    slots: Slots,
    corr: Array,
    allowed: Bools,
    required: Bools,
    *,
    restarts: int,
    seed: int,
    max_seconds: float | None = None,
    first: Ints | None = None,
    ties: bool = False,
) -> Found:
    """The best DAG met; score and slots as a local score makes them.

    corr: (d, d), what the first order is chosen by. allowed, required: (d, d) bool, [i, j] for i -> j, as
    Knowledge.compile gives them. restarts: rounds of perturbation, for each more with the variables. seed: below 2**63.
    max_seconds: stop then. A KeyboardInterrupt stops it as well; either way the best so far is returned.
    first: (d,) the only order to start from, in place of those that corr and seed give. ties: tell DAGs of nearly the least
    score too (:mod:`causalnet.search.orders.ties`), of more than LARGE variables only if the search is complete.
    """
    search = _Search(score, slots, _start(len(corr), seed), _rules(allowed, required), no_graphs(len(corr)))
    search.deadline = math.inf if max_seconds is None else now() + max_seconds
    search.wanted = _rounds(restarts, len(corr))
    complete = False
    try:
        orders = _first_orders(corr, required, seed, search.deadline) if first is None else iter([first])
        complete = search.first(orders) and search.improve() and search.widen()
    except KeyboardInterrupt:
        clear(search.state)
    found = search.found(complete)
    return replace(found, near=search.near(found)) if ties else found


@dataclass
class _Search:
    """One search, in slices of compiled work. deadline: by the clock of base.clock. rounds: made so far, of
    those wanted."""

    score: Any
    slots: Slots
    state: State
    rules: Rules
    met: Met
    deadline: float = math.inf
    rounds: int = 0
    wanted: int = 0

    def first(self, orders: Iterator[Ints]) -> bool:
        """Descend from each order and keep the best; False if time ran out."""
        best, least, done = None, math.inf, True
        try:
            for order in orders:
                done = self._fit(order) and self._descend(FIRST)
                if self.state.total[0] < least - 1e-6:
                    best, least = self.state.table[0].copy(), self.state.total[0]
                if not done:
                    break
        finally:  # interrupted or not
            if best is not None and (best != self.state.table[0]).any():
                clear(self.state)
                self._fit(best, math.inf)
        return done and self._descend(FIRST)

    def improve(self) -> bool:
        """Rounds of perturbation; False if time ran out."""
        d, many = self.state.table.shape[1], 1
        while self.rounds < self.wanted:
            ask, begun = min(many, self.wanted - self.rounds), now()
            made = wander(*self._parts, self.met, ask, 3 if d <= LARGE else 2, PATIENCE, self.deadline)
            self.rounds += made
            if made < ask:
                return False
            many *= 2 if now() - begun < SLICE else 1
            self._say()
        return self.wanted == 0 or self._descend(FAR)

    def widen(self) -> bool:
        """Ask the pairs too that the score set aside at first, and exchange parents where no more fit; False if time ran out."""
        d, most = self.state.table.shape[1], self.slots.parents.shape[1]
        if not widen(self.score) and (most >= d - 1 or self.slots.size[:d].max() < most):
            return True
        return self._fit(np.empty(0, np.int64)) and self._descend(FAR)

    def found(self, complete: bool) -> Found:
        state, slots = self.state, self.slots
        dag = _dag(slots, state.table.shape[1])
        return Found(dag, float(state.total[0]), state.table[0].copy(), self.rounds, int(state.tally[3]), complete)

    def near(self, found: Found) -> tuple[Near, ...]:
        near = graphs_met(self.met, found.dag, found.score)
        if found.complete or (len(found.dag) <= LARGE and now() < self.deadline):
            near += single_changes(self._parts[0], self.slots, self.rules, found.dag)
        return tuple(near)

    @cached_property
    def _parts(self) -> tuple[Hidden, Slots, State, Rules]:
        return hide(self.score, self.slots), self.slots, self.state, self.rules

    def _fit(self, order: Ints, deadline: float | None = None) -> bool:
        """Parents for all in this order, from scratch; in the present one, from those they have, if it is empty."""
        until = self.deadline if deadline is None else deadline
        at, d = 0, self.state.table.shape[1]
        while at < d:
            at = fit_order(*self._parts, order, at, min(until, now() + SLICE))
            if deadline is None:
                self._say()
            if at < d and now() > until:
                clear(self.state)
                return False
        return True

    def _descend(self, patience: int) -> bool:
        while wander(*self._parts, self.met, 0, 0, patience, min(self.deadline, now() + SLICE)) < 0:
            if now() > self.deadline:
                clear(self.state)
                return False
            self._say()
        return True

    def _say(self) -> None:
        say_progress(self.rounds, self.wanted, f"score {self.state.total[0]:.1f}")


def _first_orders(corr: Array, required: Bools, seed: int, deadline: float) -> Iterator[Ints]:
    """Orders to descend from: that of least determinants, and random ones."""
    d = len(corr)
    some = bool(required.any())
    yield greedy_order(corr, np.ascontiguousarray(required.T), some, NOISE if d > LARGE else 0.0, deadline)
    rng = np.random.default_rng(seed)
    for _ in range(min(STARTS, max(1, STARTS * LARGE // d)) - 1):
        place = rng.permutation(d)
        yield place[topological_order(required[np.ix_(place, place)])] if some else place


def _rounds(restarts: int, d: int) -> int:
    return restarts * (6 if d <= SMALL else math.ceil(min(d, math.sqrt(d * LARGE)) / REGION))


def fit_given(score: Any, slots: Slots, order: Ints, allowed: Bools, required: Bools) -> Bools:
    """(d, d) bool, the DAG along ``order`` (d,): for each variable what grow-shrink chooses among those before it."""
    parts = hide(score, slots), slots, _start(len(order), 0), _rules(allowed, required)
    fit_order(*parts, order, 0, math.inf)
    return _dag(slots, len(order))


def _dag(slots: Slots, d: int) -> Bools:
    dag = np.zeros((d, d), dtype=bool)
    for v in range(d):
        dag[slots.parents[v, : slots.size[v]], v] = True
    return dag


def _start(d: int, seed: int) -> State:
    table = np.zeros((ROWS, d), np.int64)
    random = np.array([seed], np.uint64)
    return State(table, np.zeros((d, d), np.uint8), np.zeros(d), np.zeros(COUNTS, np.int64), np.zeros(1), random)


def _rules(allowed: Bools, required: Bools) -> Rules:
    """Compiled searches read row v for what may and must cause v; without knowledge the matrices are left out."""
    d = len(allowed)
    if not required.any() and allowed.sum() == d * (d - 1):
        return Rules(np.zeros(1, bool), np.zeros((1, 1)), np.zeros((1, d), bool))
    return Rules(np.ones(1, bool), np.ascontiguousarray(allowed.T, float), np.ascontiguousarray(required.T))
