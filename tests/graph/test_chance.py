"""What chance scores: against drawn graphs, closed forms, the published figures of Sachs, and under the null."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import causalnet as cn
from causalnet.graph import Graph
from causalnet.graph.chance import METRICS, Chance, draw_chance
from causalnet.graph.metrics import score
from causalnet.graph.random_dags import random_dag, sized_dag


def dag(d: int, edges: int, seed: int) -> Graph:
    return Graph(tuple(f"v{k}" for k in range(d)), sized_dag(d, edges, np.random.default_rng(seed)))


def star(d: int, hub: int) -> Graph:
    adj = np.zeros((d, d), dtype=bool)
    adj[hub] = np.arange(d) != hub
    return Graph(tuple(f"v{k}" for k in range(d)), adj)


@pytest.fixture(scope="module")
def truth() -> Graph:
    return cn.load_dataset("sachs:truth=17").truth  # type: ignore[return-value]


def test_a_random_dag_of_17_edges_on_sachs_scores_as_published(truth: Graph) -> None:
    found = draw_chance(truth, truth, np.random.default_rng(0), draws=20_000)
    assert found is not None
    drawn = found.draws("f1", "size")
    assert drawn.mean() == pytest.approx(0.154, abs=0.003)
    assert np.quantile(drawn, 0.95) == pytest.approx(0.294, abs=0.001)
    assert found.p_value("f1", "size") == found.p_value("f1", "names") == 1 / 20_001
    assert found.levels["f1"].f1(found.levels["f1"].hits) == 1.0
    # half of a random order's 55 edges point as their pair does: E F1 = 2 (17 / 2) / (55 + 17)
    assert found.draws("f1", "orders").mean() == pytest.approx(17 / 72, abs=0.004)


def test_draws_score_as_graphs_drawn_and_scored_one_by_one(truth: Graph) -> None:
    answer = Graph(truth.nodes, sized_dag(11, 14, np.random.default_rng(3)))
    found = draw_chance(truth, answer, np.random.default_rng(0), draws=4000)
    assert found is not None
    own = cn.score(truth, answer)
    assert list(found.levels) == list(METRICS[:3])  # arrowheads are counted where a graph has end marks
    for name in found.levels:
        assert found.levels[name].f1(found.levels[name].hits) == pytest.approx(own[name])
    rng = np.random.default_rng(1)
    sized = [cn.score(truth, Graph(truth.nodes, sized_dag(11, 14, rng))) for _ in range(300)]
    shuffled = []
    for _ in range(300):
        names = rng.permutation(11)
        shuffled.append(cn.score(truth, Graph(truth.nodes, answer.adj[np.ix_(names, names)])))
    for kind, scored, names in (("size", sized, ("f1", "skeleton_f1")), ("names", shuffled, METRICS[:3])):
        for name in names:
            one_by_one = np.array([s[name] for s in scored])
            drawn = found.draws(name, kind)
            error = np.hypot(one_by_one.std() / 300**0.5, drawn.std() / 4000**0.5)
            assert abs(one_by_one.mean() - drawn.mean()) < 4 * error, (kind, name)
            assert one_by_one.std() == pytest.approx(drawn.std(), rel=0.2)


def test_pairs_are_hypergeometric_and_an_open_edge_earns_no_direction() -> None:
    truth, answer = dag(9, 12, 1), dag(9, 10, 2)
    found = draw_chance(truth, answer, np.random.default_rng(0), draws=5000)
    assert found is not None
    level = found.levels["skeleton_f1"]
    assert found.skeleton_tail(level.hits) == pytest.approx(stats.hypergeom(36, 12, 10).sf(level.hits - 1))
    drawn = np.bincount(level.size.hits, minlength=11)[:11] / 5000
    assert drawn == pytest.approx(stats.hypergeom(36, 12, 10).pmf(np.arange(11)), abs=0.02)
    opened = Graph(answer.nodes, answer.adj | answer.adj.T)
    again = draw_chance(truth, opened, np.random.default_rng(0))
    assert again is not None
    assert again.p_orientation is None
    assert again.levels["f1"].claimed == 0
    assert again.p_value("f1", "size") == 1.0
    assert again.p_skeleton == pytest.approx(found.p_skeleton, abs=0.03)


def test_hubs_by_chance_are_not_taken_for_skill() -> None:
    """A star matches another star at every ray or at one: shuffled names know, random graphs of its size do not."""
    found = draw_chance(star(40, 0), star(40, 0), np.random.default_rng(0))
    assert found is not None
    assert found.skeleton_tail(39) < 1e-30
    assert found.p_value("skeleton_f1", "names") == pytest.approx(1 / 40, abs=0.02)
    assert found.p_skeleton == found.p_value("skeleton_f1", "names")


@pytest.mark.parametrize("family", ["er", "sf"])
def test_under_the_null_p_values_are_uniform(family: str, times: int) -> None:
    """Answers without any knowledge of the truth: P(p <= a) is at most a and two standard errors."""
    runs, levels = 250 * times, np.array([0.01, 0.05, 0.1])
    told, randomised = [], []
    for run in range(runs):
        rng = np.random.default_rng([run, 5])
        names = tuple("abcdefghijkl")
        truth = Graph(names, random_dag(12, 4, rng, family))
        other = rng.permutation(12)  # the hubs of a scale-free graph are its first variables
        answer = Graph(names, random_dag(12, 4, rng, family)[np.ix_(other, other)])
        found = draw_chance(truth, answer, rng, draws=400)
        assert found is not None
        level, orders = found.levels["f1"], found.orders.above(found.right)
        p = max(found.p_value("f1", "size"), found.p_value("f1", "names"))
        told.append((found.p_skeleton, found.p_orientation or 1.0, p))
        coin = rng.random(2)
        (more, same, n), (after, equal, m) = level.names.above(level.hits), orders
        randomised.append(((more + coin[0] * (1 + same)) / (1 + n), (after + coin[1] * (1 + equal)) / (1 + m)))
    share = (np.array(told)[:, :, None] <= levels).mean(axis=0)
    assert (share <= levels + 2 * np.sqrt(levels * (1 - levels) / runs)).all(), share
    for column in np.array(randomised).T:
        assert stats.kstest(column, "uniform").pvalue > 0.005


def test_cycles_marks_and_tiny_graphs() -> None:
    ring = Graph.from_edges("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    found = draw_chance(ring, Graph.from_edges("cba", [("a", "b")]), np.random.default_rng(0))
    assert found is not None
    assert set(found.levels) == {"f1", "skeleton_f1"}  # a cycle has no class
    marks = np.zeros((3, 3), dtype=np.int8)
    marks[0, 1], marks[1, 0] = 2, 3
    found = draw_chance(ring, Graph.from_marks(tuple("abc"), marks), np.random.default_rng(0))
    assert found is not None
    assert found.levels["f1"].claimed == 0
    assert Chance.from_dict(found.to_dict()) == found
    assert draw_chance(Graph.from_edges("a"), Graph.from_edges("a"), np.random.default_rng(0)) is None
    empty = draw_chance(Graph.from_edges("ab"), Graph.from_edges("ab"), np.random.default_rng(0))
    assert empty is not None
    assert empty.p_value("f1", "size") == 1.0
    assert empty.draws("f1", "size").tolist() == [1.0] * 1000


@pytest.mark.parametrize("seed", range(15))
def test_arrowheads_of_ends_are_counted_as_they_are_scored(seed: int) -> None:
    rng = np.random.default_rng(seed)
    marks = np.zeros((6, 6), np.int8)
    for i, j in np.argwhere(np.triu(rng.random((6, 6)) < 0.5, 1)):
        marks[i, j], marks[j, i] = rng.integers(1, 4, 2)
    truth, learned = Graph(tuple("abcdef"), sized_dag(6, 7, rng)), Graph.from_marks("abcdef", marks)
    level = draw_chance(truth, learned, rng, draws=50).levels["arrowhead_f1"]  # type: ignore[union-attr]
    assert float(level.f1(level.hits)) == pytest.approx(score(truth, learned)["arrowhead_f1"])
    assert level.claimed == (marks == 2).sum() and level.wanted == 7
    assert level.orders.hits.mean() == pytest.approx(
        3.5, abs=1.2
    )  # a random order has each of the seven in one of two cases


def test_a_bidirected_answer_of_shuffled_names_has_both_heads() -> None:
    marks = np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0]], np.int8)
    truth = Graph.from_marks("abc", marks)
    chance = draw_chance(truth, truth, np.random.default_rng(0), draws=600)
    assert chance is not None and chance.levels["arrowhead_f1"].hits == 2
    for control in ("names", "size"):
        drawn = chance.draws("arrowhead_f1", control)
        assert set(drawn) == {0.0, 1.0} and drawn.mean() == pytest.approx(1 / 3, abs=0.07)


def test_very_many_edges_are_scored_in_bounded_time() -> None:
    d = 700
    rng = np.random.default_rng(0)
    one, other = (Graph(tuple(f"x{k}" for k in range(d)), sized_dag(d, 210_000, rng)) for _ in range(2))
    found = score(one, other)
    assert found["sid"] is None and found["parent_aid"] is None and 0.4 < found["f1"] < 0.5  # type: ignore[operator]
    chance = draw_chance(one, other, rng)
    assert chance is not None and len(chance.draws("f1", "size")) == 50
