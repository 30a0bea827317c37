"""Simulators: graph densities, variances and weights are what their docstrings say."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

import causalnet as cn
from causalnet.datasets import categorical_table, hide_cells, mixed_table, sem_table
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.datasets.sem import internally_standardized, nonlinear_sem, random_weights
from causalnet.graph.random_dags import random_dag, sized_dag


@pytest.mark.parametrize("noise", ["gaussian", "exponential"])
def test_nonlinear_samples_have_unit_variance(noise: str) -> None:
    rng = np.random.default_rng(3)
    values = nonlinear_sem(random_dag(12, 4, rng), 500, rng, noise)
    np.testing.assert_allclose(values.var(axis=0), 1.0)
    np.testing.assert_allclose(values.mean(axis=0), 0.0, atol=1e-12)


def test_standardised_tables_come_with_standardised_weights() -> None:
    raw, before = sem_table(np.random.default_rng(1), d=6, degree=2, n=50_000)
    table, truth = sem_table(np.random.default_rng(1), d=6, degree=2, n=50_000, standardize=True)
    assert before.weight is not None and truth.weight is not None
    np.testing.assert_allclose(table.values.std(axis=0), 1.0)
    for j in range(6):  # least squares on the parents finds the weights of the standardised equations
        parents = np.flatnonzero(truth.adj[:, j])
        fit = np.linalg.lstsq(table.values[:, parents], table.values[:, j], rcond=None)[0]
        np.testing.assert_allclose(fit, truth.weight[parents, j], atol=0.02)
    deviation = raw.values.std(axis=0)
    np.testing.assert_allclose(truth.weight * deviation[None, :] / deviation[:, None], before.weight)


def test_scale_free_graphs_have_the_degree_asked_for() -> None:
    adj = random_dag(200, 4, np.random.default_rng(0), "sf")
    assert adj.sum() == 2 * (200 - 2) and nx.is_directed_acyclic_graph(nx.DiGraph(adj.astype(int)))
    for degree, write in ((1, 2), (3, 4), (2.5, 2), (0, 2)):
        with pytest.raises(cn.DataError, match=f"even number from 2 on, got .*write degree={write}"):
            random_dag(20, degree, np.random.default_rng(0), "sf")


def test_a_sized_dag_has_its_edges_and_the_stream_that_published_runs_drew() -> None:
    for d, edges in ((1, 0), (2, 1), (18, 36), (6, 15)):
        adj = sized_dag(d, edges, np.random.default_rng(0))
        assert adj.sum() == edges and nx.is_directed_acyclic_graph(nx.DiGraph(adj.astype(int)))
    assert np.argwhere(sized_dag(4, 3, np.random.default_rng(0))).tolist() == [[0, 3], [1, 0], [2, 3]]
    with pytest.raises(cn.DataError, match="DAG over 4 nodes is 7, and must be a whole number from 0 to 6"):
        sized_dag(4, 7, np.random.default_rng(0))


def test_hawkes_density_is_the_share_of_joined_pairs() -> None:
    joined = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        _, truth = simulate_hawkes(12, 2, 5, rng=rng, density=0.25, strength=(0.01, 0.02))
        joined.append(len(truth.edges) / 66)
    assert np.mean(joined) == pytest.approx(0.25, abs=0.05)
    with pytest.raises(cn.DataError, match=r"density is 1\.5, and must be a finite number from 0 to 1"):
        simulate_hawkes(4, 2, 5, rng=np.random.default_rng(0), density=1.5)


# ---- fair, categorical, mixed and incomplete tables --------------------------------------------------------------


@pytest.mark.parametrize("graph", ["er", "sf"])
def test_a_fair_table_has_unit_variances_in_the_model(graph: str) -> None:
    rng = np.random.default_rng(5)
    adj = random_dag(40, 6, rng, graph)
    weight, deviation = internally_standardized(random_weights(adj, rng, 0.25, 0.8))
    mixing = np.linalg.inv(np.eye(40) - weight)
    cov = mixing.T @ np.diag(deviation**2) @ mixing
    np.testing.assert_allclose(np.diag(cov), 1.0)
    assert np.array_equal(weight != 0, adj) and (deviation[~adj.any(axis=0)] == 1).all()
    table, truth = sem_table(
        np.random.default_rng(0), d=40, n=20_000, graph=graph, low=0.25, high=0.8, standardize="iscm"
    )
    np.testing.assert_allclose(table.values.var(axis=0), 1.0, atol=0.06)
    assert truth.weight is not None and truth.is_dag


def test_a_fair_table_does_not_tell_the_order() -> None:
    """The position in the order says something of the variance of raw tables, and nothing of that of fair ones."""

    def sortability(standardize: bool | str) -> float:
        found = []
        for seed in range(10):
            table, truth = sem_table(np.random.default_rng(seed), d=30, n=500, standardize=standardize)
            variance = table.values.var(axis=0)
            cause, effect = np.nonzero(truth.adj)
            found.append((variance[cause] < variance[effect]).mean())
        return float(np.mean(found))

    assert sortability(False) > 0.9 and abs(sortability("iscm") - 0.5) < 0.1


def test_what_is_no_way_to_standardise_is_refused() -> None:
    with pytest.raises(cn.DataError, match="standardize is 'icsm'; write True, False or 'iscm'"):
        sem_table(np.random.default_rng(0), standardize="icsm")
    with pytest.raises(cn.DataError, match="standardize is 'icsm'"):
        cn.load_dataset("linear-gaussian:standardize=icsm")
    np.testing.assert_array_equal(
        cn.load_dataset("linear-gaussian:low=0.25:high=0.8:standardize=iscm", 3).data.values,
        cn.load_dataset("linear-fair", 3).data.values,
    )


def test_a_categorical_table_follows_its_graph() -> None:
    """Given its parents a variable is independent of what comes before it, and no parent is idle."""
    table, truth = categorical_table(np.random.default_rng(2), d=8, degree=2, n=60_000, levels=3, concentration=1.0)
    assert table.kind == "discrete" and (table.cardinality == 3).all() and truth.is_dag
    law = {}
    for j in range(8):
        parents = np.flatnonzero(truth.adj[:, j])
        _, row = np.unique(table.codes[:, parents], axis=0, return_inverse=True)
        law[j] = np.array([np.bincount(table.codes[row.ravel() == r, j], minlength=3) for r in range(row.max() + 1)])
    strong = [
        np.ptp(counts / counts.sum(axis=1, keepdims=True), axis=0).max() for counts in law.values() if len(counts) > 1
    ]
    assert min(strong) > 0.1
    again, same = categorical_table(np.random.default_rng(2), d=8, degree=2, n=30_000, levels=3, concentration=1.0)
    assert truth == same  # the graph and the tables do not depend on the number of rows
    rows = {n: t.codes for n, t in ((60_000, table), (30_000, again))}
    share = {n: np.array([np.bincount(c[:, j], minlength=3) / n for j in range(8)]) for n, c in rows.items()}
    np.testing.assert_allclose(share[60_000], share[30_000], atol=0.015)


def test_many_parents_need_no_table_of_all_their_configurations() -> None:
    table, truth = categorical_table(np.random.default_rng(0), d=60, degree=50, n=200)
    assert truth.adj.sum(axis=0).max() > 40 and table.n == 200


@pytest.mark.parametrize("levels", [(4, 2), (1, 2), 1])
def test_odd_numbers_of_levels_are_refused(levels: object) -> None:
    with pytest.raises(cn.DataError, match="level"):
        categorical_table(np.random.default_rng(0), levels=levels)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["conditional", "degenerate"])
def test_a_mixed_table_has_both_kinds_and_scaled_numbers(model: str) -> None:
    table, truth = mixed_table(np.random.default_rng(1), d=12, n=4000, model=model, discrete=0.25)
    assert table.kind == "mixed" and table.discrete.sum() == 3 and truth.is_dag
    numbers = table.values[:, ~table.discrete]
    np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(numbers.var(axis=0), 1)
    for j in np.flatnonzero(table.discrete):
        assert len(np.unique(table.values[:, j])) == table.cardinality[j] == len(table.levels[j] or ())
    ends = mixed_table(np.random.default_rng(1), d=5, n=50, discrete=1.0)[0]
    assert ends.kind == "mixed" and ends.discrete.sum() == 4


@pytest.mark.parametrize("model", ["conditional", "degenerate"])
def test_numbers_and_categories_cause_each_other(model: str) -> None:
    """Each kind of edge leaves a trace: a child's law differs between the halves of its only parent."""
    seen = {}
    for seed in range(40):
        table, truth = mixed_table(np.random.default_rng(seed), d=2, degree=1, n=3000, model=model)
        if truth.adj.any():
            cause, effect = (int(v[0]) for v in np.nonzero(truth.adj))
            x, y = table.values[:, cause], table.values[:, effect]
            if table.discrete[cause]:
                change = np.ptp([y[x == k].mean() for k in np.unique(x)])
            else:
                change = max(abs((y[x > 0] == k).mean() - (y[x <= 0] == k).mean()) for k in np.unique(y))
            seen.setdefault(bool(table.discrete[effect]), []).append(change)
    assert set(seen) == {True, False} and all(np.mean(np.array(c) > 0.1) > 0.8 for c in seen.values())


def test_cells_are_hidden_whatever_they_hold() -> None:
    table, _ = mixed_table(np.random.default_rng(0), d=20, n=5000)
    hidden = hide_cells(table, 0.1, np.random.default_rng(1))
    gone = np.isnan(hidden.values)
    np.testing.assert_allclose(gone.mean(axis=0), 0.1, atol=0.02)
    np.testing.assert_array_equal(hidden.values[~gone], table.values[~gone])
    high = table.values > np.median(table.values, axis=0)
    assert abs(gone[high].mean() - gone[~high].mean()) < 0.01 and not np.isnan(table.values).any()
