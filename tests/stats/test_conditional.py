"""The conditional Gaussian score: compiled against its definition, and what only it can see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from causalnet.backends.order import learn
from causalnet.data import as_table
from causalnet.datasets import hide_cells, mixed_table
from causalnet.errors import NotApplicable
from causalnet.search.orders import search_orders
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
