"""Parent sets are drawn with the probabilities that enumeration gives them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from causalnet.search.hazard_posterior import draw_parents, evidence, odds_against
from causalnet.stats.hazard_fit import fit, scaled


def test_sets_are_drawn_as_often_as_their_weights_say() -> None:
    rng, v, draws = np.random.default_rng(0), 4, 6000
    phi = (rng.random((60, v + 2)) < 0.5).astype(float)
    phi[:, 0] = 1.0
    target = scaled(phi, np.array([3.0, 1.0]), np.r_[300.0, 300.0, 100.0 * np.ones(v)])
    i, weight = 0, {}
    for rest in product((False, True), repeat=v - 1):
        causes = np.array((False, *rest))
        weight[causes.tobytes()] = np.exp(evidence(target, causes))
    total = sum(weight.values())
    drawn = draw_parents(target, i, np.ones(v, bool), np.zeros(v, bool), draws, rng)
    assert not drawn[:, i].any() and len(weight) == 8
    share = dict.fromkeys(weight, 0.0)
    for row in drawn:
        share[row.tobytes()] += 1 / draws
    assert sorted(w / total for w in weight.values())[-2] > 0.05  # several sets compete
    for key, w in weight.items():
        assert abs(share[key] - w / total) < 0.04, (np.frombuffer(key, bool), share[key], w / total)


@pytest.mark.parametrize(("starts", "steps"), [(2, 2.0), (6, 40.0), (30, 200.0)])
def test_the_evidence_of_a_cause_is_the_integral_over_its_hazard(starts: int, steps: float) -> None:
    """Against sums over a fine grid of hazards, of a cause that is present in ``starts`` of the starts and in so many steps."""
    phi = np.zeros((starts, 7))
    phi[:, [0, 3]] = 1.0
    exposure = np.array([400.0, 1.0, 300.0, steps, 300.0, 300.0, 300.0])
    target = scaled(phi, np.array([8.0, 0.0]), exposure)
    causes = np.arange(5) == 1
    both = fit(target, np.array([0, 1, 3]))
    mu, h = both.theta[0] / exposure[0], np.linspace(1e-6, 6.0, 600_000)
    shares = h * steps, mu * exposure[0]  # what rows hold is divided by the exposures, so that hazards count starts
    log_l = 8.0 * np.log(shares[1]) + starts * np.log(h + mu) - shares[0] - shares[1] - both.theta[1]
    integral = np.log((np.exp(log_l - log_l.max()) * 4.0 * h * np.exp(-2.0 * h)).sum() * (h[1] - h[0])) + log_l.max()
    assert evidence(target, causes) + odds_against(5) == pytest.approx(integral, abs=0.25)
