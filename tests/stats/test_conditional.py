"""The conditional Gaussian score: compiled against its definition, and what only it can see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_t

from causalnet.backends.order import learn
from causalnet.backends.order.additive import additive_evidence
from causalnet.data import as_table
from causalnet.datasets import hide_cells, mixed_table
from causalnet.errors import NotApplicable
from causalnet.search.orders import search_orders
from causalnet.stats.coding import choose_states
from causalnet.stats.scores import Conditional, Counted, discrete_score, scale_numbers


@pytest.mark.parametrize("seed", range(3))
def test_compiled_answers_are_those_of_the_definition(seed: int) -> None:
    table, _ = mixed_table(np.random.default_rng(seed), d=8, n=300, degree=4)
    numbers = scale_numbers(table.values, table.discrete, 7)
    codes = np.where(table.discrete, table.values, 0.0).astype(np.int64)
    local = Conditional(Counted(codes, "fnml", 0.1), numbers.values.T, ~table.discrete)
    free, none = ~np.eye(8, dtype=bool), np.zeros((8, 8), bool)
    parts = discrete_score(codes, 7, name="fnml", penalty=0.1, numbers=numbers)
    found = search_orders(*parts, np.corrcoef(table.values.T), free, none, restarts=2, seed=seed)
    total = sum(local(v, np.flatnonzero(found.dag[:, v])) for v in range(8))
    assert found.score == pytest.approx(total, abs=1e-3) and found.dag.sum() > 8
    for v in range(8):  # nothing single along the order is better
        place, have = np.argsort(found.order), found.dag[:, v]
        for r in np.flatnonzero(place < place[v]):
            other = have.copy()
            other[r] = ~other[r]
            assert local(v, np.flatnonzero(other)) > local(v, np.flatnonzero(have)) - 1e-3


def test_a_category_that_changes_a_slope_is_found() -> None:
    rng = np.random.default_rng(0)
    group, x = rng.integers(0, 2, 600), rng.standard_normal(600)
    y = np.where(group == 1, x, -0.4 * x) + 0.5 * rng.standard_normal(600)  # of mean 0 in either group
    table = as_table(pd.DataFrame({"g": group, "x": x, "y": y}), discrete=["g"])
    graph = learn(table, rng=rng)
    assert graph.meta["score_name"] == "conditional"
    assert graph.adj.tolist() == [[False, False, True], [False, False, True], [False, False, False]]
    assert not learn(table, rng=rng, score="mixed").skeleton[0, 2]


def test_what_the_score_is_not_for_is_said() -> None:
    table, _ = mixed_table(np.random.default_rng(0), d=4, degree=2, n=60)
    with pytest.raises(NotApplicable, match="mixed tables without missing cells"):
        learn(hide_cells(table, 0.1, np.random.default_rng(0)), rng=np.random.default_rng(0), score="conditional")


@pytest.mark.parametrize("model", ["conditional", "degenerate"])
def test_effects_that_add_up_get_the_score_for_them(model: str) -> None:
    for seed in range(2):
        table, _ = mixed_table(np.random.default_rng([seed, 5]), d=10, n=800, model=model)
        graph = learn(table, rng=np.random.default_rng(0))
        other = learn(table, rng=np.random.default_rng(0), score="mixed")
        if model == "degenerate":
            assert graph.meta["score_name"] == "mixed" and graph.meta["additive"] > 0.0 and graph == other
        else:
            assert graph.meta["score_name"] == "conditional" and "additive" not in graph.meta


def test_the_evidence_for_sums_is_that_of_two_regressions() -> None:
    """One category of two states: its indicator as a number, or a regression in each state."""
    rng = np.random.default_rng(3)
    group, x = rng.integers(0, 2, 200), rng.standard_normal(200)
    values = np.column_stack([group, x, x + group + rng.standard_normal(200)])
    coded = choose_states(values, np.array([True, False, False]))
    numbers = coded.code(values)
    numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    codes = np.column_stack([group, 0 * group, 0 * group])
    apart = Conditional(
        Counted(codes, "fnml", 0.0), np.where([False, True, True], numbers, 0.0), np.array([False, True, True])
    )
    dag = np.array([[False, False, True], [False, False, True], [False, False, False]])

    def law(v: np.ndarray, given: np.ndarray) -> float:
        """ln m(v, given) - ln m(given) by the t law of each row after the others (Bernardo and Smith 1994, A.2)."""
        both = np.column_stack([given, v])
        return joint(both) - joint(given)

    def joint(z: np.ndarray) -> float:
        mean, weight, spread, total, k = np.zeros(z.shape[1]), 1.0, np.eye(z.shape[1]), 0.0, z.shape[1]
        free = 2 + k - 1.0
        for row in z:
            scale = spread * (weight + 1.0) / (weight * (free - k + 1.0))
            total += multivariate_t(mean, scale, free - k + 1.0).logpdf(row)
            step = row - mean
            spread = spread + np.outer(step, step) * weight / (weight + 1.0)
            mean, weight, free = (weight * mean + row) / (weight + 1.0), weight + 1.0, free + 1.0
        return total

    x, y, g = numbers[:, 1:2], numbers[:, 2:3], numbers[:, 0:1]
    own = sum(law(y[group == s], x[group == s]) for s in (0, 1))
    expected = 2.0 * (law(y, np.column_stack([g, x])) - own)
    assert additive_evidence(values, coded, apart, dag) == pytest.approx(expected, rel=1e-6)
    assert additive_evidence(values, coded, apart, dag & ~dag) == 0.0
