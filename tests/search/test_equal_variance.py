"""The score of equal noise variances: what the search reports is the score by its definition, and no permutation beats it by much."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from causalnet.datasets.sem import linear_sem, random_weights
from causalnet.graph.random_dags import random_dag
from causalnet.search.orders import fit_given, search_orders
from causalnet.stats.scores import equal_variance_score


def defined(cov: np.ndarray, dag: np.ndarray, n: int, sigma2: float) -> float:
    total = 0.0
    for v in range(len(cov)):
        given = np.flatnonzero(dag[:, v])
        slope = np.linalg.solve(cov[np.ix_(given, given)], cov[given, v]) if len(given) else np.zeros(0)
        total += n * (cov[v, v] - slope @ cov[given, v]) / sigma2 + 2 * len(given) * np.log(n)
    return total


@pytest.mark.parametrize("seed", range(4))
def test_search_reports_the_defined_score_and_reaches_the_best_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = linear_sem(random_weights(random_dag(5, 3, rng), rng), 300, rng)
    cov, corr = np.cov(x.T, bias=True), np.corrcoef(x.T)
    allowed, none = ~np.eye(5, dtype=bool), np.zeros((5, 5), dtype=bool)
    found = search_orders(*equal_variance_score(cov, 300, 1.5, 2.0, 4), corr, allowed, none, restarts=5, seed=1)
    assert found.score == pytest.approx(defined(cov, found.dag, 300, 1.5), rel=1e-9)
    along = (
        fit_given(*equal_variance_score(cov, 300, 1.5, 2.0, 4), np.array(order), allowed, none)
        for order in itertools.permutations(range(5))
    )
    assert found.score <= min(defined(cov, dag, 300, 1.5) for dag in along) + 1e-6
