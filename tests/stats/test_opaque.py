"""Scores behind an address say what they say to the face, and one compiled search serves them all."""

from __future__ import annotations

import numpy as np
from numba import njit

from causalnet.search.orders import fit_given
from causalnet.search.orders.moves import fit_order
from causalnet.stats.scores import discrete_score, equal_variance_score, gaussian_score, hide
from causalnet.stats.scores.contract import add, begin, best_add, best_drop, copy, drop, helps, rise

rng = np.random.default_rng(5)
X = rng.normal(size=(300, 6)) @ (np.eye(6) + np.triu(rng.uniform(-1, 1, (6, 6)), 1))
SCORES = {  # the one that takes least to compile open, and others
    "equal variance": lambda: equal_variance_score(np.cov(X.T), 300, 1.0, 2.0, 5),
    "gaussian": lambda: gaussian_score(np.corrcoef(X.T), 300, 2.0, 5),
    "discrete": lambda: discrete_score((X > 0.0).astype(np.int64), 5, name="fnml"),
}


@njit
def _told(score, slots, may, fixed, said):  # type: ignore[no-untyped-def]
    """All eight questions about variable 5 with a few parents."""
    d = may.size
    begin(score, slots, d, 5)
    for r in range(5):
        said[0, r], said[1, r] = helps(score, slots, d, r), rise(score, slots, d, r)
    said[2, 0] = best_add(score, slots, d, may)
    add(score, slots, d, 1)
    add(score, slots, d, 4)
    add(score, slots, d, 0)
    said[2, 1] = best_add(score, slots, d, may)
    said[2, 2] = best_drop(score, slots, d, fixed)
    copy(score, slots, d, 5)
    said[3, 0] = slots.value[5]
    drop(score, slots, d, 0)
    said[3, 1], said[3, 2], said[3, 3] = slots.value[d], slots.size[d], slots.parents[d, 0]


def test_a_hidden_score_gives_the_answers_of_the_open_one() -> None:
    said = np.zeros((2, 4, 6))
    may, fixed = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0]), np.array([False, True, False, False, False, False])
    _told(*SCORES["equal variance"](), may, fixed, said[0])
    score, slots = SCORES["equal variance"]()
    _told(hide(score, slots), slots, may, fixed, said[1])
    np.testing.assert_allclose(said[1], said[0], rtol=1e-12)  # its sums may be made in any order
    assert len(np.unique(said[0])) > 10


def test_one_search_serves_all_scores() -> None:
    free, none = ~np.eye(6, dtype=bool), np.zeros((6, 6), bool)
    for make in SCORES.values():
        score, slots = make()
        assert fit_given(score, slots, np.arange(6), free, none).any()
    assert len(fit_order.signatures) == 1
