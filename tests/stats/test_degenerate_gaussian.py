"""The mixed test against determinants, its level, and what missing cells leave of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from causalnet.stats.degenerate_gaussian import NOT_MADE, as_blocks, likelihood_ratio
from causalnet.stats.independence import fisher_z

NONE = np.zeros(0, np.int64)


def mixed(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 5) values, columns 1 and 3 categories of 3 and 4 states."""
    values = rng.standard_normal((n, 5)) @ (np.eye(5) + 0.5 * np.triu(np.ones((5, 5)), 1))
    for column, states in ((1, 3), (3, 4)):
        cuts = np.quantile(values[:, column], np.arange(1, states) / states)
        values[:, column] = np.digitize(values[:, column], cuts)
    return values, np.array([False, True, False, True, False])


def log_det(values: np.ndarray, discrete: np.ndarray, variables: tuple[int, ...]) -> float:
    columns = []
    for v in variables:
        columns += [values[:, v] == s for s in np.unique(values[:, v])[1:]] if discrete[v] else [values[:, v]]
    return np.linalg.slogdet(np.atleast_2d(np.cov(np.array(columns, float), bias=True)))[1] if columns else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_statistic_is_the_ratio_of_determinants(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, discrete = mixed(rng, 150)
    blocks, width = as_blocks(values, discrete, None), {0: 1, 1: 2, 2: 1, 3: 3, 4: 1}
    for k in range(4):
        x, y, *z = rng.permutation(5)[: k + 2].tolist()
        ratio = sum(
            sign * log_det(values, discrete, tuple(v))
            for sign, v in ((1, (x, y, *z)), (1, z), (-1, (x, *z)), (-1, (y, *z)))
        )
        factor = 150 - 1 - sum(width[v] for v in z) - (width[x] + width[y] + 1) / 2
        found, df, n = likelihood_ratio(blocks, x, y, np.array(z, np.int64))
        assert found == pytest.approx(-factor * ratio, rel=1e-8, abs=1e-8)
        assert (df, n) == (width[x] * width[y], 150)
        assert likelihood_ratio(blocks, y, x, np.array(z, np.int64))[0] == pytest.approx(found, rel=1e-8, abs=1e-9)


def test_the_level_is_kept_in_small_samples() -> None:
    """x and y are independent given z, each a category or a number that depends on it."""
    rng, p = np.random.default_rng(0), []
    for _ in range(600):
        z = rng.standard_normal((40, 2))
        x = np.digitize(z[:, 0] + rng.standard_normal(40), [-0.7, 0.7])
        values = np.column_stack([x, z[:, 1] + rng.standard_normal(40), z])
        blocks = as_blocks(values, np.array([True, False, False, False]), None)
        statistic, df, _ = likelihood_ratio(blocks, 0, 1, np.array([2, 3]))
        p.append(stats.chi2.sf(statistic, df))
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.08
    assert 0.4 < np.mean(p) < 0.6


@pytest.mark.parametrize("fisher", [True, False])
def test_missing_cells_are_left_out_test_by_test(fisher: bool) -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal((200, 4)) @ rng.standard_normal((4, 4))
    missing = rng.random((200, 4)) < 0.15
    holed, none = np.where(missing, np.nan, values), np.zeros(4, bool)
    for x, y, z in ((0, 1, ()), (0, 2, (1,)), (3, 1, (0, 2))):
        rows = ~missing[:, [x, y, *z]].any(axis=1)
        statistic, _, n = likelihood_ratio(as_blocks(holed, none, missing, fisher=fisher), x, y, np.array(z, np.int64))
        assert n == rows.sum() < 200
        if fisher:
            expected = fisher_z(np.corrcoef(values[rows].T), n, x, y, z)[0] ** 2
        else:
            expected = likelihood_ratio(as_blocks(values[rows], none, None), x, y, np.array(z, np.int64))[0]
        assert statistic == pytest.approx(expected, rel=1e-8)


def test_what_cannot_be_tested() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((2, 60))
    blocks = as_blocks(np.column_stack([a, b, a + b, a]), np.zeros(4, bool), None)
    assert likelihood_ratio(blocks, 0, 1, np.array([2]))[0] == np.inf  # given the sum, one says the other
    assert likelihood_ratio(blocks, 0, 1, np.array([3]))[0] == np.inf
    few = as_blocks(rng.standard_normal((6, 5)), np.zeros(5, bool), None)
    assert likelihood_ratio(few, 0, 1, np.array([2, 3, 4]))[1] == NOT_MADE
    assert likelihood_ratio(few, 0, 1, NONE)[1] == 1
    flat = as_blocks(np.column_stack([a, np.ones(60), b, np.ones(60)]), np.array([False, False, False, True]), None)
    for y in (1, 3):
        assert likelihood_ratio(flat, 0, y, np.array([2])) == (0.0, 0, 60)
