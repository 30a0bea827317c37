"""Missing cells: EM against its likelihood and a closed form, the covariance of a network, categories drawn given the rest."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from causalnet.stats.imputation import draw_given_rest, draw_marginal
from causalnet.stats.missing import (
    estimate_covariance,
    graph_precision,
    group_patterns,
    pair_counts,
    shrinkage,
    sort_gaps,
    take_step,
)


def likelihood(values: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> float:
    """The log likelihood of the observed cells, row by row."""
    total = 0.0
    for row in values:
        o = ~np.isnan(row)
        if o.any():
            away, inner = row[o] - mean[o], cov[np.ix_(o, o)]
            total -= 0.5 * (np.linalg.slogdet(inner)[1] + away @ np.linalg.solve(inner, away))
    return total


def hidden(seed: int, n: int = 500, d: int = 5, share: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    full = rng.standard_normal((n, d)) @ (np.eye(d) + np.triu(rng.standard_normal((d, d)), 1))
    values = np.where(rng.random((n, d)) < share, np.nan, full)
    return full, values


def test_em_climbs_to_the_top_of_the_likelihood() -> None:
    _, values = hidden(0)
    gaps = sort_gaps(values)
    scaled = np.where(gaps.gone, np.nan, gaps.x)
    mean, cov = np.zeros(5), np.eye(5)
    heights = [likelihood(scaled, mean, cov)]
    for _ in range(12):
        mean, cov = take_step(gaps, mean, np.linalg.inv(cov))
        heights.append(likelihood(scaled, mean, cov))
    assert (np.diff(heights) > -1e-6).all() and heights[-1] > heights[0] + 10
    mean, cov = estimate_covariance(sort_gaps(values))
    top = likelihood(scaled, mean, cov)
    rng = np.random.default_rng(1)
    for _ in range(20):
        bend = np.eye(5) + 0.05 * rng.standard_normal((5, 5))
        assert likelihood(scaled, mean + 0.05 * rng.standard_normal(5), bend @ cov @ bend.T) < top


def test_em_of_a_monotone_pattern_is_the_regression() -> None:
    """y missing in some rows: the slope is that of the complete rows, the moments of x those of all (Anderson 1957)."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal(400)
    y = 2.0 * x + rng.standard_normal(400)
    y[x > 0.3] = np.nan  # at random given x: complete rows alone have too little variance
    values = np.column_stack([x, y])
    _, cov = estimate_covariance(sort_gaps(values), steps=2000)
    there = ~np.isnan(y)
    slope = np.polyfit(x[there], y[there], 1)[0] * x.std() / y[there].std()
    assert cov[0, 0] == pytest.approx(1.0, abs=1e-9)
    assert cov[0, 1] / cov[0, 0] == pytest.approx(slope, rel=0.02)


def test_complete_rows_and_columns_in_any_order() -> None:
    full, values = hidden(5, share=0.1)
    _, plain = estimate_covariance(sort_gaps(full))
    np.testing.assert_allclose(plain, np.corrcoef(full.T), atol=1e-12)
    turn = np.random.default_rng(0).permutation(5)
    _, one = estimate_covariance(sort_gaps(values))
    _, two = estimate_covariance(sort_gaps(values[:, turn] * 100.0 - 3.0))
    np.testing.assert_allclose(two, one[np.ix_(turn, turn)], atol=1e-8)


def test_patterns_and_pairs() -> None:
    gone = np.array([[1, 0], [0, 0], [1, 0], [1, 1], [0, 0]], bool)
    order, first = group_patterns(gone)
    groups = [gone[order[a:b]] for a, b in pairwise(first)]
    assert len(groups) == 3 and all((g == g[0]).all() for g in groups) and first[-1] == 5
    np.testing.assert_array_equal(pair_counts(gone), [[2, 2], [2, 4]])


def test_a_complete_graph_implies_the_covariance_itself() -> None:
    full, _ = hidden(7)
    full = full + 2.0 * np.random.default_rng(0).standard_normal(full.shape)  # so that no column is nearly determined
    cov, start = np.corrcoef(full.T), np.array([0, 2, 3, 5])
    dag = np.triu(np.ones((3, 3), bool), 1)
    np.testing.assert_allclose(np.linalg.inv(graph_precision(cov, start, dag)), cov, atol=5e-3)
    apart = np.linalg.inv(graph_precision(cov, start, np.zeros((3, 3), bool)))
    assert np.abs(apart[:2, 2:]).max() < 1e-9


def test_shrinkage_falls_with_rows_and_rises_where_nothing_is_correlated() -> None:
    rng = np.random.default_rng(0)
    few, many = (rng.standard_normal((n, 10)) for n in (20, 2000))
    assert shrinkage(few, few.T @ few / 20) > 0.5
    tied = many + 2.0 * rng.standard_normal((2000, 1))
    tied = (tied - tied.mean(0)) / tied.std(0)
    assert shrinkage(tied, tied.T @ tied / 2000) < 0.05


def test_categories_are_drawn_given_the_rest() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 4000)
    b = np.where(rng.random(4000) < 0.9, a, rng.integers(0, 3, 4000))
    c = np.where(rng.random(4000) < 0.9, b, rng.integers(0, 3, 4000))
    codes = np.column_stack([a, b, c]).astype(np.int32)
    gone = np.zeros((4000, 3), bool)
    gone[rng.random(4000) < 0.3, 1] = True
    dag = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], bool)
    hidden_codes = np.where(gone, -1, codes)
    filled = draw_marginal(hidden_codes, gone, rng)
    assert (filled[~gone] == codes[~gone]).all() and filled.min() == 0
    share = [(filled[gone[:, 1], 1] == b[gone[:, 1]]).mean()]
    for _ in range(5):
        filled = draw_given_rest(filled, gone, np.array([3, 3, 3]), dag, rng)
        share.append((filled[gone[:, 1], 1] == b[gone[:, 1]]).mean())
    assert (filled[~gone] == codes[~gone]).all()
    assert share[0] < 0.4 and share[-1] > 0.8
