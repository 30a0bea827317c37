"""min over DAGs of sum_v f(v | parents of v): a search over causal orders for any local score f.

Given an order, the parents of v are chosen among those before it by grow-shrink; the order itself is improved by taking
one variable out and putting it where the score falls most, until no such move helps (Teyssier and Koller 2005; BOSS,
Andrews et al. 2023). What is found is perturbed by swapping variables and searched again where that changed anything;
a round that ends higher is undone (iterated local search, as FLOP: Wienöbst, Henckel and Weichwald, arXiv 2510.04970).
Kernels: :mod:`causalnet.search.orders.moves`. Deterministic: all draws come from one seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...base.arrays import Array, Bools, Ints
from ...base.clock import now
from ...stats.scores.contract import Slots, widen
from .moves import descend, fit_order, reconsider, wander
from .state import COUNTS, ROWS, Rules, State, greedy_order

FAR = 1 << 40
FIRST, PATIENCE, SWAPS, REGION, SMALL = 12, 5, 2, 24, 12
"""Settled on random linear Gaussian problems of 50 to 100 variables: how many places in a row may change scores for
nothing before a scan gives up, in the first descent and in a round; swaps a round; variables a restart has one round for; and up to how many
variables it has six, so that the optimum is met."""


@dataclass(frozen=True)
class Found:
    """dag: (d, d) bool, the best one met. score: its score. order: (d,) the variables, causes first. rounds: perturbations
    tried. refits: grow-shrink searches made. complete: False if time ran out."""

    dag: Bools
    score: float
    order: Ints
    rounds: int
    refits: int
    complete: bool


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
) -> Found:
    """The best DAG met; score and slots as a local score makes them.

    corr: (d, d), what the first order is chosen by. allowed, required: (d, d) bool, [i, j] for i -> j, as
    Knowledge.compile gives them. restarts: rounds of perturbation for every REGION variables. seed: below 2**63.
    max_seconds: stop then.
    """
    d = len(corr)
    deadline = math.inf if max_seconds is None else now() + max_seconds
    state, rules = _start(d, seed), _rules(allowed, required)
    fit_order(score, slots, state, rules, greedy_order(corr, rules.required, bool(required.any())))
    complete = descend(score, slots, state, rules, FIRST, deadline)
    wanted = restarts * (6 if d <= SMALL else math.ceil(d / REGION))
    rounds = 0
    if complete and wanted:
        rounds = wander(score, slots, state, rules, wanted, SWAPS, PATIENCE, deadline)
        complete = rounds == wanted and descend(score, slots, state, rules, FAR, deadline)
    if complete and widen(score):
        reconsider(score, slots, state, rules)
        complete = descend(score, slots, state, rules, FAR, deadline)
    dag = np.zeros((d, d), dtype=bool)
    for v in range(d):
        dag[slots.parents[v, : slots.size[v]], v] = True
    return Found(dag, float(state.total[0]), state.table[0].copy(), rounds, int(state.tally[3]), bool(complete))


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
