"""Intervals against scipy's and statsmodels', how often they hold the truth, and their ends inside what can be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from causalnet.errors import DataError
from causalnet.stats import bootstrap_interval, student_interval, wilson_interval
from causalnet.stats.intervals import POSITIVE, SHARE


def test_students_interval_is_scipys_for_one_quantity_and_for_many() -> None:
    x = np.random.default_rng(0).normal(size=(7, 3))
    mean, low, high = student_interval(x, level=0.9)
    wanted = stats.t.interval(0.9, 6, loc=x.mean(axis=0), scale=stats.sem(x))
    assert np.array_equal(mean, x.mean(axis=0)) and np.allclose((low, high), wanted, rtol=1e-12)
    assert student_interval(x[:, 1], level=0.9) == pytest.approx((mean[1], low[1], high[1]), rel=1e-12)


def test_students_interval_needs_two_values() -> None:
    assert student_interval([0.5])[0] == 0.5 and all(map(math.isnan, student_interval([0.5])[1:]))
    assert all(map(math.isnan, student_interval([])))
    assert np.isnan(student_interval(np.zeros((1, 4)))[1]).all()


def test_no_interval_leaves_the_range_of_its_quantity() -> None:
    assert student_interval([0.0, 1.0], bounds=SHARE) == (0.5, 0.0, 1.0)
    mean, low, high = student_interval([0.0, 1.0])
    assert low < 0.0 < mean < 1.0 < high  # so it is the bounds that cut
    assert student_interval([0.0, 9.0], bounds=POSITIVE)[1] == 0.0
    assert student_interval([-3.0, -2.0], bounds=(-math.inf, -2.0))[2] == -2.0
    assert bootstrap_interval([0.1, 0.9], lambda x: 3 * x.mean(axis=-1), bounds=SHARE)[1] == 1.0


def test_values_outside_their_bounds_are_refused() -> None:
    with pytest.raises(DataError, match=r"bounds is \(0.0, 1.0\), and the values reach from 0.5 to 1.5"):
        student_interval([0.5, 1.5], bounds=SHARE)
    assert student_interval([1.0 + 1e-12, 1.0], bounds=SHARE)[2] == 1.0  # rounding is forgiven


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (199, 200), (1, 10_000)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_wilsons_interval_is_statsmodels(k: int, n: int, level: float) -> None:
    share, low, high = wilson_interval(k, n, level=level)
    assert share == k / n
    assert (low, high) == pytest.approx(proportion_confint(k, n, alpha=1 - level, method="wilson"), abs=1e-12)
    assert 0.0 <= low <= share <= high <= 1.0 and low < high


def test_wilsons_interval_covers_a_rare_event_where_students_does_not() -> None:
    drawn = np.random.default_rng(1).random((2000, 20)) < 0.05
    wilson = [low <= 0.05 <= high for _, low, high in (wilson_interval(int(row.sum()), 20) for row in drawn)]
    _, low, high = student_interval(drawn.T.astype(float), bounds=SHARE)
    assert np.mean(wilson) > 0.9 > np.mean((low <= 0.05) & (high >= 0.05))


def test_wrong_counts_are_told() -> None:
    assert all(map(math.isnan, wilson_interval(0, 0)))
    with pytest.raises(DataError, match="successes is 4, and must be a whole number from 0 to 3"):
        wilson_interval(4, 3)
    for function in (
        lambda level: wilson_interval(1, 2, level=level),
        lambda level: student_interval([1, 2], level=level),
    ):
        for level in (0.0, 1.0, 95.0):
            with pytest.raises(DataError, match="level is"):
                function(level)
