"""Ranks and paired differences: against scipy, published tables and simulated ties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from causalnet.errors import DataError
from causalnet.stats.ranks import (
    compare_ranks,
    critical_difference,
    find_groups,
    nested_interval,
    paired_interval,
    rank_each,
)


def test_ranks_and_friedman_agree_with_scipy() -> None:
    values = np.random.default_rng(0).normal([0, 0.2, 0.4, 0.9], size=(12, 4))
    ranks = rank_each(values)
    statistic, p = compare_ranks(ranks)
    expected = stats.friedmanchisquare(*values.T).statistic
    assert statistic == pytest.approx(expected)
    f = 11 * expected / (12 * 3 - expected)
    assert p == pytest.approx(stats.f.sf(f, 3, 33))
    tied = np.round(values)
    assert compare_ranks(rank_each(tied))[0] == pytest.approx(stats.friedmanchisquare(*tied.T).statistic)
    assert compare_ranks(rank_each(np.ones((5, 3)))) == (0.0, 1.0)
    assert compare_ranks(rank_each(np.tile([3.0, 2.0, 1.0], (5, 1))))[1] == 0.0
    with pytest.raises(DataError, match="full table"):
        rank_each([[1.0, np.nan]])


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (5, 2.728), (10, 3.164)])  # Demsar 2006, table 5a
def test_the_critical_difference_has_the_published_quantiles(k: int, q: float) -> None:
    assert critical_difference(k, 14) == pytest.approx(q * np.sqrt(k * (k + 1) / 84), abs=2e-3)


def test_groups_are_maximal() -> None:
    assert find_groups([1.0, 1.5, 2.4, 4.0], 1.0) == [(0, 1), (1, 2)]
    assert find_groups([1.0, 3.0], 1.0) == []
    assert find_groups([1.0, 1.1, 1.2], 1.0) == [(0, 2)]


@pytest.mark.parametrize("n", [3, 6, 15])
def test_equal_methods_are_seldom_told_apart(n: int) -> None:
    rng = np.random.default_rng(n)
    told = np.mean([paired_interval(rng.normal(size=n), reps=300)[1] > 0 for _ in range(500)])
    assert told <= 0.025 + 2.5 * np.sqrt(0.025 * 0.975 / 500)
    found = paired_interval(np.arange(n) + 10.0)
    assert found[0] == pytest.approx(10 + (n - 1) / 2)
    assert found[1] > 0
    assert np.isnan(paired_interval([1.0])[1])


def test_leads_over_data_sets_weigh_each_data_set_alike() -> None:
    groups = [np.full(20, 0.1), *(np.full(2, 0.3) for _ in range(7))]
    mean, low, high = nested_interval(groups)
    assert mean == pytest.approx((0.1 + 7 * 0.3) / 8)
    assert 0.1 <= low <= mean <= high <= 0.3
