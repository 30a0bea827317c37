"""Missing cells filled by a network that is learnt from what is filled, in turns (structural EM, Friedman 1997)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...base.arrays import AnyArray, Array, Bools, Codes, Ints
from ...base.clock import now
from ...search.orders import canonical_order, search_orders
from ...stats.imputation import draw_given_rest, draw_marginal
from ...stats.missing import Gaps, estimate_covariance, graph_precision, take_step
from ...stats.scores import Slots, closeness, whiten

TURNS = 4  # of network and draws, categories
ROUNDS, STEPS = 3, 4  # of network and covariance, and steps of EM in each


def separate_missing(codes: AnyArray) -> AnyArray:
    """(n, d) codes with a state of its own, the last, where one is missing (below 0, or NaN)."""
    gone = np.isnan(codes) | (codes < 0)
    return np.where(gone, np.where(gone, -1, codes).max(axis=0) + 1, codes).astype(codes.dtype)


def fill_categories(codes: Codes, score_of: Callable[[Codes], tuple[Any, Slots]], seed: int, deadline: float) -> Codes:
    """(n, d) codes, -1 where missing, with each missing one drawn given the rest of its row.

    A stochastic structural EM (Friedman 1997; Celeux and Diebolt 1985): drawn from what its column holds at first, then
    TURNS times a network is searched for and the cells are drawn again given it, so that what is filled in
    makes no dependence beyond what the network has. No turn begins after ``deadline``. The draws follow the content of the columns, not their places.
    """
    place = canonical_order(closeness(separate_missing(codes)))
    ranked = _rank_states(codes[:, place])
    gone = ranked < 0
    cards = ranked.max(axis=0).astype(np.int64) + 1
    rng = np.random.default_rng(seed)
    filled = draw_marginal(ranked, gone, rng)
    d = codes.shape[1]
    free, none = ~np.eye(d, dtype=bool), np.zeros((d, d), bool)
    for _ in range(TURNS):
        left = deadline - now()
        if left < 0.0:
            break
        near = np.ascontiguousarray(closeness(filled))
        found = search_orders(*score_of(filled), near, free, none, restarts=0, seed=seed, max_seconds=left)
        filled = draw_given_rest(filled, gone, cards, found.dag, rng)
    back = np.empty_like(filled)
    back[:, place] = filled
    return back


def fill_covariance(gaps: Gaps, start: Ints, learn: Callable[[Array], Bools], deadline: float) -> Array:
    """(m, m) covariance of standardised columns, first by EM without a network, then ROUNDS times by a network and EM given it.

    A network has few parameters: with many columns or few rows it fills a gap far better than all columns at once do.
    No step begins after ``deadline``. start: (d + 1,) where the columns of each variable are. learn: the DAG (d, d) for a covariance whose blocks are white.
    """
    mean, cov = estimate_covariance(gaps, deadline=deadline)
    for _ in range(ROUNDS if gaps.gone.any() else 0):
        if now() > deadline:
            break
        dag = learn(whiten(cov, start))
        for _ in range(STEPS):
            if now() > deadline:
                break
            mean, cov = take_step(gaps, mean, graph_precision(cov, start, dag))
    return cov


def _rank_states(codes: Codes) -> Codes:
    """The states of each column by how common they are, so that their labels do not matter."""
    ranked = np.array(codes)
    for column in ranked.T:
        there = column >= 0
        order = np.argsort(-np.bincount(column[there]), kind="stable")
        column[there] = np.argsort(order)[column[there]]
    return ranked
