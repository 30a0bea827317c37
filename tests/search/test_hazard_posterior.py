"""Parent sets are drawn with the probabilities that enumeration gives them."""

from __future__ import annotations

from itertools import product

import numpy as np

from causalnet.search.hazard_posterior import draw_parents, price_of
from causalnet.stats.hazard_fit import fit, scaled


def test_sets_are_drawn_as_often_as_their_weights_say() -> None:
    rng, v, draws = np.random.default_rng(0), 4, 6000
    phi = (rng.random((60, v + 2)) < 0.5).astype(float)
    phi[:, 0] = 1.0
    target = scaled(phi, np.array([3.0, 1.0]), 300.0 * np.ones(v + 2))
    i, price = 0, price_of(len(phi) + target.lone.sum(), v)
    weight = {}
    for rest in product((False, True), repeat=v - 1):
        causes = np.array((False, *rest))
        value = fit(target, np.flatnonzero(np.r_[True, True, causes])).value
        weight[causes.tobytes()] = np.exp(value - price * causes.sum())
    total = sum(weight.values())
    drawn = draw_parents(target, i, np.ones(v, bool), np.zeros(v, bool), draws, rng)
    assert not drawn[:, i].any() and len(weight) == 8
    share = dict.fromkeys(weight, 0.0)
    for row in drawn:
        share[row.tobytes()] += 1 / draws
    assert sorted(w / total for w in weight.values())[-2] > 0.05  # several sets compete
    for key, w in weight.items():
        assert abs(share[key] - w / total) < 0.04, (np.frombuffer(key, bool), share[key], w / total)
