"""Adjustment distances: gadjid's own numbers, the house's SID as an oracle, and None where there is no distance."""

from __future__ import annotations

import gadjid
import numpy as np
import pytest

from causalnet.errors import DataError, UnknownNameError
from causalnet.graph import Graph
from causalnet.graph.identification import AID_DEFINITIONS, adjustment_distances
from causalnet.graph.meek import cpdag
from causalnet.graph.metrics import sid
from causalnet.graph.random_dags import random_dag

NAMES = tuple("abcdef")


def test_between_dags_the_parents_distance_is_sid_and_all_are_gadjids_in_its_transposed_form(times: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40 * times):
        a, b = random_dag(6, 2.5, rng), random_dag(6, 2.5, rng)
        found = adjustment_distances(Graph(NAMES, a), Graph(NAMES, b).align("fbdace"))
        assert found["parent_aid"] == sid(a, b) / 30
        for name in ("parent_aid", "ancestor_aid", "oset_aid"):
            there = getattr(gadjid, name)(a.T.astype(np.int8), b.T.astype(np.int8), edge_direction="from column to row")
            assert found[name] == there[0]


def test_classes_are_read_with_their_undirected_edges(times: int) -> None:
    rng, loose = np.random.default_rng(1), 0
    for _ in range(40 * times):
        a, b = cpdag(random_dag(6, 2.0, rng)), cpdag(random_dag(6, 2.0, rng))
        loose += bool((b & b.T).any())
        found = adjustment_distances(Graph(NAMES, a), Graph(NAMES, b))
        codes = [np.where(g & g.T, np.tril(2 * (g & g.T)), g).astype(np.int8) for g in (a, b)]  # the other triangle
        for name in ("parent_aid", "ancestor_aid", "oset_aid"):
            assert found[name] == getattr(gadjid, name)(*codes, edge_direction="from row to column")[0]
        own = adjustment_distances(Graph(NAMES, a), Graph(NAMES, a))
        assert own["parent_aid"] == own["ancestor_aid"] == own["oset_aid"] == 0
    assert loose > 20 * times


def test_directions_are_judged_given_the_pairs() -> None:
    truth = Graph.from_edges("abcd", [("a", "b"), ("b", "c"), ("c", "d")])
    learned = Graph.from_edges("abcd", [("a", "b"), ("c", "b"), ("a", "d")])
    assert adjustment_distances(truth, learned)["orientation_accuracy"] == 0.5
    assert adjustment_distances(truth, Graph.from_edges("abcd"))["orientation_accuracy"] is None
    loose = Graph.from_edges("abcd", [("a", "b")], [("b", "c")])
    assert adjustment_distances(truth, loose)["orientation_accuracy"] == 0.5


def test_no_distance_where_a_graph_has_no_sets() -> None:
    dag = Graph.from_edges("abc", [("a", "b"), ("b", "c")])
    cycle = Graph.from_edges("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    knowing = Graph.from_edges("abc", [("a", "b"), ("b", "c")], []).replace(adj=[[0, 1, 1], [1, 0, 1], [0, 0, 0]])
    pag = Graph.from_marks("abc", [[0, 2, 0], [3, 0, 0], [0, 0, 0]])
    for odd in (cycle, pag, knowing):
        for pair in ((dag, odd), (odd, dag)):
            found = adjustment_distances(*pair)
            assert set(found) == set(AID_DEFINITIONS) and found["parent_aid"] is None and found["oset_aid"] is None
    assert adjustment_distances(Graph.from_edges("a"), Graph.from_edges("a"))["parent_aid"] is None
    with pytest.raises(UnknownNameError, match="not in both"):
        adjustment_distances(dag, Graph.from_edges("abd"))
    with pytest.raises(DataError, match="truth is"):
        adjustment_distances(dag.adj, dag)
