"""Negentropy: the compiled moments against their definition, the test's level and its power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from causalnet.datasets.sem import NOISES
from causalnet.stats.gaussian_noise import GAMMA, MEAN, gaussianity, moments, negentropy


def standard(u: np.ndarray) -> np.ndarray:
    return (u - u.mean()) / u.std()


@pytest.mark.parametrize("n", [1, 3, 511, 512, 513, 2000])
def test_moments_are_the_means_they_say(n: int) -> None:
    u = 3 * np.random.default_rng(n).standard_normal(n)
    u[0] = 30.0  # far out, where exponentials are nothing
    wanted = np.mean(np.logaddexp(u, -u) - np.log(2)), np.mean(u * np.exp(-(u**2) / 2))
    np.testing.assert_allclose(moments(u), wanted, rtol=1e-11, atol=1e-13)


def test_a_gaussian_has_the_mean_of_log_cosh_that_the_literature_gives() -> None:
    assert pytest.approx(GAMMA, abs=5e-5) == MEAN


def test_the_test_keeps_its_level_and_its_p_values_are_uniform() -> None:
    rng = np.random.default_rng(1)
    p = np.array([gaussianity(standard(rng.standard_normal(400))) for _ in range(1500)])
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert 0.035 < np.mean(p <= 0.05) < 0.065


@pytest.mark.parametrize("noise", sorted(set(NOISES) - {"gaussian"}))
def test_other_noise_is_found_and_has_more_negentropy(noise: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        u = standard(NOISES[noise](rng, 1000))
        assert gaussianity(u) < 1e-4
        assert negentropy(u) > negentropy(standard(rng.standard_normal(1000)))
