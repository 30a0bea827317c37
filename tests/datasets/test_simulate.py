"""Simulators: graph densities, variances and weights are what their docstrings say."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

import causalnet as cn
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.datasets.sem import nonlinear_sem, sem_table
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
