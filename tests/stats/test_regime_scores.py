"""The interventional BIC against regressions on the rows in which each variable was left alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from all_dags import every_dag

from causalnet.search.orders import search_orders
from causalnet.search.targets import choose_regimes
from causalnet.stats.regimes import RegimeLocal, pool, sum_regimes
from causalnet.stats.scores.gaussian import grouped_score

ROWS = [np.arange(0, 60), np.arange(60, 100), np.arange(100, 130)]
ACTED = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0]], bool)


def values() -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(130, 4))
    x[60:100, 0] = rng.normal(3.0, 2.0, 40)
    x[:, 1] += 0.7 * x[:, 0]
    x[100:, 1] = rng.normal(-2.0, 1.0, 30)
    x[:, 2] += 0.8 * x[:, 1]
    x[100:, 2] = rng.normal(4.0, 1.0, 30)
    x[:, 3] += 0.6 * x[:, 2] - 0.5 * x[:, 0]
    return x


def regressed(x: np.ndarray, v: int, parents: list[int]) -> float:
    """n_v ln of the residual variance of v given its parents and an intercept for each regime that leaves it alone."""
    regimes = [k for k in range(3) if not ACTED[k, v]]
    rows = np.concatenate([ROWS[k] for k in regimes])
    design = np.column_stack([*(np.isin(rows, ROWS[k]) for k in regimes), x[rows][:, parents]])
    rest = x[rows, v] - design @ np.linalg.lstsq(design, x[rows, v], rcond=None)[0]
    return len(rows) * math.log((rest**2).mean())


def test_scores_are_those_of_regressions_on_the_rows_left_alone() -> None:
    x = values()
    pooled = pool(sum_regimes(x, ROWS), ACTED)
    local = RegimeLocal(pooled.corr, pooled.group, pooled.n, 3.0)
    assert pooled.n.tolist() == [90, 100, 100, 130] and pooled.regimes.tolist() == [2, 2, 2, 3]
    assert len(pooled.corr) == 3  # variables 1 and 2 share their rows
    for v, parents in ((0, [1, 3]), (1, [0]), (2, [0, 1]), (3, [0, 1, 2])):
        change = regressed(x, v, parents) - regressed(x, v, [])
        assert local(v, np.array(parents)) == pytest.approx(change + 3.0 * len(parents), abs=1e-8)


def test_the_search_meets_the_optimum_of_all_dags() -> None:
    x = values()
    pooled = pool(sum_regimes(x, ROWS), ACTED)
    local = RegimeLocal(pooled.corr, pooled.group, pooled.n, math.log(130))
    totals = [sum(local(v, np.flatnonzero(dag[:, v])) for v in range(4)) for dag in every_dag(4)]
    score = grouped_score(pooled.corr, pooled.group, pooled.n, math.log(130), 3)
    free = ~np.eye(4, dtype=bool)
    found = search_orders(*score, pooled.near, free, ~(free | True), restarts=5, seed=0)
    assert found.score == pytest.approx(min(totals), abs=1e-7)


def test_regimes_that_act_are_told_from_those_that_do_not() -> None:
    moments = sum_regimes(values(), ROWS)
    parents, none, every = ([], [0], [1], [0, 2]), np.zeros(3, bool), np.ones(3, bool)
    found = [choose_regimes(moments, v, np.array(parents[v], int), none, every, 2 * math.log(130)) for v in range(4)]
    assert np.array_equal(np.column_stack(found), ACTED)
    known = choose_regimes(moments, 3, np.array([0, 2]), np.array([False, True, False]), none, 5.0)
    assert known.tolist() == [False, True, False]  # what is known stays, whatever the score says


def test_a_variable_held_still_explains_nothing() -> None:
    x = values()
    x[:60, 0] = 1.0
    x[100:, 0] = 1.0
    pooled = pool(sum_regimes(x, ROWS), ACTED)
    assert not np.isnan(pooled.corr).any()
    assert pooled.corr[pooled.group[0], 0, 1] == 0.0
