"""The order backend: classes on easy truths, knowledge, evidence that can be checked, units and column order, bad input."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.backends import order
from causalnet.backends.order import filling
from causalnet.data import Table, as_table
from causalnet.datasets.sem import sem_table
from causalnet.errors import DataError
from causalnet.graph.meek import cpdag
from causalnet.graph.metrics import shd
from causalnet.stats.scores import local_score

RNG = np.random.default_rng(0)


def learn(table: Table, seed: int = 0, **kwargs) -> cn.Graph:  # type: ignore[no-untyped-def]
    return order.learn(table, rng=np.random.default_rng(seed), **kwargs)


def problem(seed: int, d: int = 20, n: int = 1000, **kwargs) -> tuple[Table, cn.Graph]:  # type: ignore[no-untyped-def]
    return sem_table(np.random.default_rng(seed), d=d, degree=3, n=n, standardize=True, **kwargs)


@pytest.mark.parametrize("seed", range(5))
def test_the_class_of_the_truth_is_found(seed: int) -> None:
    table, truth = problem(seed, n=5000)
    assert shd(learn(table).adj, cpdag(truth.adj)) <= 3


def test_far_better_than_pc_on_the_same_tables() -> None:
    ours = theirs = 0
    for seed in range(5):
        table, truth = problem(seed, d=40)
        ours += shd(learn(table).adj, cpdag(truth.adj))
        theirs += shd(cn.discover(table, "pc").adj, cpdag(truth.adj))
    assert ours < 0.5 * theirs


@pytest.mark.parametrize("seed", range(20))
def test_columns_names_and_units_do_not_matter(seed: int) -> None:
    table, _ = problem(seed)
    plain = learn(table)
    rng = np.random.default_rng(seed)
    turn = rng.permutation(table.d)
    scale = rng.choice([-1.0, 1.0], table.d) * 10.0 ** rng.uniform(-3, 3, table.d)
    names = [f"v{j}" for j in turn]
    moved = learn(as_table(pd.DataFrame(table.values[:, turn] * scale, columns=names), discrete=False))
    np.testing.assert_array_equal(moved.adj, plain.adj[np.ix_(turn, turn)])


def test_knowledge_is_in_the_class() -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(800)
    b = a + rng.standard_normal(800)
    c = b + rng.standard_normal(800)
    table = as_table(pd.DataFrame({"a": a, "b": b, "c": c}), discrete=False)
    assert learn(table).undirected == [("a", "b"), ("b", "c")] or len(learn(table).undirected) == 2
    for k, edges in (
        (cn.Knowledge(required=[("a", "b")]), {("a", "b"), ("b", "c")}),
        (cn.Knowledge(forbidden=[("b", "c")]), {("c", "b"), ("b", "a")}),
        (cn.Knowledge(tiers=[["c"], ["a", "b"]]), {("c", "b"), ("b", "a")}),
        (cn.Knowledge(roots=["b"]), {("b", "a"), ("b", "c")}),
    ):
        graph = learn(table, knowledge=k)
        assert set(graph.edges) == edges and not graph.undirected
        k.check(graph)


def test_evidence_is_the_change_of_the_score() -> None:
    table, _ = problem(3, d=8)
    graph = learn(table)
    seen = {"joined": 0, "apart": 0, "reversed": 0}
    for i, a in enumerate(table.columns):
        for b in table.columns[i + 1 :]:
            told = graph.explain(a, b)
            if told["joined"]:
                assert told["score_if_dropped"] > 0.0
                seen["joined"] += 1
                if "score_if_reversed" in told:
                    assert told["score_if_reversed"] > -1e-6  # else the search would have done it
                    seen["reversed"] += 1
                    if graph.adj[i, table.columns.index(b)] and graph.adj[table.columns.index(b), i]:
                        assert told["score_if_reversed"] >= -1e-6
            else:
                assert all(change > -1e-6 for change in told["score_if_added"].values())
                seen["apart"] += 1
    assert min(seen.values()) > 0
    assert pickle.loads(pickle.dumps(graph)).explain("x0", "x1") == graph.explain("x0", "x1")


def test_an_edge_that_hardly_pays_is_told() -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal(1000), rng.standard_normal(1000)
    noise -= x * (x @ noise) / (x @ x)  # uncorrelated in the sample too
    share = -np.expm1(-(2.0 * np.log(1000) + 1.0) / 1000)  # of variance, for one unit more than an edge costs
    y = np.sqrt(share) * x / x.std() + np.sqrt(1.0 - share) * noise / noise.std()
    table = as_table(pd.DataFrame({"x": x - x.mean(), "y": y - y.mean()}), discrete=False)
    graph = learn(table, penalty=2.0)
    assert graph.meta["near_ties"] == {"graphs": 2, "disagree": [["x", "y"]]}
    told = graph.explain("x", "y")
    assert 0.0 < told["score_if_dropped"] < 2.0
    assert told["near_tie"] and told["alternative"] == {
        "score_rise": pytest.approx(told["score_if_dropped"]),
        "edge": None,
    }
    assert learn(table, penalty=1.0).meta["near_ties"] == {"graphs": 1, "disagree": []}


def every_dag(d: int) -> Iterator[np.ndarray]:
    i, j = np.triu_indices(d, 1)
    for marks in itertools.product((0, 1, 2), repeat=len(i)):
        dag, way = np.zeros((d, d), bool), np.array(marks)
        dag[i[way == 1], j[way == 1]] = True
        dag[j[way == 2], i[way == 2]] = True
        left = np.ones(d, bool)  # sources leave, until none is left
        while (free := left & ~dag[left].any(axis=0)).any():
            left &= ~free
        if not left.any():
            yield dag


@pytest.mark.parametrize(("seed", "d"), [(0, 5), *((seed, 4) for seed in range(1, 9))])
def test_the_near_ties_are_those_of_all_dags(seed: int, d: int) -> None:
    """None is invented, and none is missing whose DAG differs in one edge from the best."""
    table, _ = problem(seed, d=d, n=60)
    graph = learn(table, seed, penalty=1.0)
    corr, best = np.corrcoef(table.values.T), np.zeros((d, d), bool)
    for i, j in itertools.combinations(range(d), 2):
        told = graph.explain(table.columns[i], table.columns[j])
        if told["joined"]:
            a, b = told["in_best_dag"].split(" -> ")
            best[table.columns.index(a), table.columns.index(b)] = True
    known: dict[tuple[int, bytes], float] = {}
    within: dict[bytes, bool] = {}

    def total(dag: np.ndarray) -> float:
        for v in range(d):
            if (v, dag[:, v].tobytes()) not in known:
                known[v, dag[:, v].tobytes()] = local_score(corr, 60, 1.0, v, np.flatnonzero(dag[:, v]))
        return sum(known[v, dag[:, v].tobytes()] for v in range(d))

    for dag in every_dag(d):
        if total(dag) <= total(best) + 2.0:
            near = np.triu((dag != best) | (dag != best).T).sum() <= 1
            key = cpdag(dag).tobytes()
            within[key] = within.get(key, False) or near
    told = graph.meta["near_ties"]
    assert sum(within.values()) <= told["graphs"] <= len(within)
    differ = {False: np.zeros((d, d), bool), True: np.zeros((d, d), bool)}
    for key, near in within.items():
        other = np.frombuffer(key, bool).reshape(d, d) != graph.adj
        differ[False] |= other | other.T
        differ[True] |= (other | other.T) & near
    said = np.zeros((d, d), bool)
    for a, b in told["disagree"]:
        i, j = table.columns.index(a), table.columns.index(b)
        said[i, j] = said[j, i] = True
        assert graph.explain(a, b)["near_tie"] and -1e-6 < graph.explain(a, b)["alternative"]["score_rise"] <= 2.0
    assert (said | ~differ[True]).all() and (differ[False] | ~said).all()


def test_more_penalty_fewer_edges_and_a_limit_on_parents() -> None:
    table, _ = problem(2, d=30)
    edges = [int(learn(table, penalty=p).skeleton.sum()) for p in (0.5, 2.0, 20.0)]
    assert edges == sorted(edges, reverse=True) and edges[0] > edges[2]
    assert learn(table, max_parents=1).directed.sum(axis=0).max() <= 1


def test_a_sum_of_columns_breaks_nothing() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(rng.standard_normal((300, 3)), columns=["a", "b", "c"])
    frame["sum"] = frame["a"] + frame["b"]
    with pytest.warns(UserWarning, match="determine exactly: '.*' of '.*', '.*'; all are kept"):
        graph = learn(as_table(frame, discrete=False))
    assert graph.meta["warnings"] and graph.skeleton[0, 3] and graph.skeleton[1, 3] and not graph.skeleton[2].any()
    assert np.isfinite(graph.meta["score"])


def test_time_bounds_the_search() -> None:
    table, _ = problem(0, d=60)
    graph = cn.discover(table, "order", restarts=10**6, max_seconds=0.3)
    assert graph.meta["complete"] is False and graph.meta["seconds"] < 3.0
    assert graph.skeleton.any()


@pytest.mark.parametrize("gaps", [False, True])
def test_a_category_that_never_varies_is_joined_to_none(gaps: bool, coded: Table) -> None:
    values = coded.values.copy()
    values[:, 1] = 0.0
    if gaps:
        values[:40, 1] = values[40:80, 0] = np.nan
    table = Table(coded.columns, values, coded.discrete, coded.levels)
    with pytest.warns(UserWarning, match=f"the same in all rows, and so without an edge: '{coded.columns[1]}'"):
        graph = learn(table)
    assert not graph.skeleton[1].any() and graph.skeleton.any()


def test_more_rows_than_there_is_time_for_are_a_sample() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (40_000, 6))
    codes[:, 1] = (codes[:, 0] + (codes[:, 2] == 1)) % 3
    table = cn.as_table(codes, discrete=True)
    with pytest.warns(UserWarning, match="all 40,000 rows, and 10,000 drawn of them were used; allow more seconds"):
        graph = cn.discover(table, "order", max_seconds=1e-3)
    assert graph.meta["rows_used"] == 10_000 and not graph.meta["complete"]
    whole = cn.discover(table, "order")
    assert "rows_used" not in whole.meta and whole.meta["complete"] and whole.skeleton[0, 1]


def test_progress_is_told_and_a_callback_may_stop_the_search() -> None:
    table, _ = problem(0, d=40)
    told: list[Any] = []

    def enough(state: Any) -> None:
        told.append(state)
        if state.done >= 3:
            raise KeyboardInterrupt

    whole, part = cn.discover(table, "order"), cn.discover(table, "order", progress=enough)
    assert [s.done for s in told] == sorted(s.done for s in told) and {s.total for s in told} == {whole.meta["rounds"]}
    assert told[-1].remaining > 0.0
    assert whole.meta["complete"] and not part.meta["complete"] and part.meta["rounds"] < whole.meta["rounds"]
    assert part.meta["score"] >= whole.meta["score"] - 1e-6 and part.skeleton.any()


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"penalty": 0.0}, "penalty"),
        ({"penalty": -1.0}, "penalty"),
        ({"restarts": -1}, "restarts"),
        ({"restarts": 1.5}, "restarts"),
        ({"score": "aic"}, "write one of"),
        ({"max_parents": 0}, "max_parents"),
    ],
)
def test_bad_settings_are_sentences(bad: dict, match: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(DataError, match=match):
        learn(problem(0, d=5)[0], **bad)


def test_required_causes_need_room() -> None:
    table, _ = problem(0, d=5)
    known = cn.Knowledge(required=[("x0", "x2"), ("x1", "x2")])
    with pytest.raises(DataError, match="requires 2 causes"):
        learn(table, knowledge=known, max_parents=1)


@pytest.fixture(scope="module")
def coded() -> Table:
    rng = np.random.default_rng(0)
    a, b = (
        rng.choice(3, 2000, p=[0.6, 0.3, 0.1]),
        rng.choice(2, 2000, p=[0.7, 0.3]),
    )  # if a were uniform, b and c would be independent
    c = np.where(rng.random(2000) < 0.8, (a + b) % 3, rng.integers(0, 3, 2000))
    e = np.where(rng.random(2000) < 0.8, c > 0, rng.integers(0, 2, 2000))
    return as_table(pd.DataFrame({"a": a, "b": b, "c": c, "e": e}), discrete=True)


@pytest.mark.parametrize("score", ["auto", "bic", "fnml", "qnml", "bdeu"])
def test_categories_by_every_score(coded: Table, score: str) -> None:
    graph = learn(coded, score=score)
    assert set(graph.edges) == {("a", "c"), ("b", "c"), ("c", "e")} and not graph.undirected
    assert graph.explain("a", "c")["score_if_dropped"] > 2.0
    assert pickle.loads(pickle.dumps(graph)).explain("c", "e") == graph.explain("c", "e")
    renamed = np.array([2, 0, 1])[coded.codes[:, ::-1]].astype(str)
    moved = learn(as_table(pd.DataFrame(renamed, columns=list("ecba")), discrete=True), score=score)
    np.testing.assert_array_equal(moved.adj[::-1, ::-1], graph.adj)


def test_scores_know_their_tables(coded: Table) -> None:
    for score in ("bdeu", "qnml"):
        with pytest.raises(cn.NotApplicable, match="is for categories"):
            learn(problem(0, d=5)[0], score=score)
    with pytest.raises(DataError, match="ess is"):
        learn(coded, score="bdeu", ess=0.0)


def test_required_causes_that_cannot_be_counted_are_told() -> None:
    rng = np.random.default_rng(0)
    with pytest.warns(UserWarning, match="put categories together"):
        table = as_table(pd.DataFrame(rng.integers(0, 300, (400, 4)), columns=list("abcd")), discrete=True)
    with pytest.warns(UserWarning, match="too few to tell edges by"):
        assert not learn(table, score="bic").skeleton.any()
    known = cn.Knowledge(required=[("a", "d"), ("b", "d"), ("c", "d")])
    with pytest.raises(DataError, match="more configurations than can be counted"):
        learn(table, knowledge=known, max_seconds=20.0)


def mixed_problem(seed: int, n: int = 1000, d: int = 12) -> tuple[Table, np.ndarray]:
    """Numbers and categories in turns, every parent adding its own effect; a category is that of greatest utility."""
    rng = np.random.default_rng(seed)
    adj = np.triu(rng.random((d, d)) < 2.5 / d, 1)
    states = np.where(np.arange(d) % 2, rng.integers(2, 4, d), 0)
    codes: list[np.ndarray] = []
    for v in range(d):
        utility = np.zeros((n, max(1, states[v])))
        for p in np.flatnonzero(adj[:, v]):
            code = np.eye(states[p])[codes[p].astype(int)] if states[p] else codes[p][:, None]
            effect = rng.uniform(0.8, 1.6, (code.shape[1], utility.shape[1]))
            utility += code @ (effect * (-1.0) ** np.add.outer(np.arange(len(effect)), np.arange(effect.shape[1])))
        made = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1) if states[v] else utility[:, 0]
        if not states[v]:
            made = made + rng.standard_normal(n)
            made = (made - made.mean()) / made.std()
        codes.append(made.astype(float))
    frame = pd.DataFrame(np.column_stack(codes), columns=[f"x{j}" for j in range(d)])
    return as_table(frame, discrete=[f"x{j}" for j in range(d) if states[j]]), adj


def skeleton_f1(graph: cn.Graph, adj: np.ndarray) -> float:
    truth = adj | adj.T
    return float(2 * (graph.skeleton & truth).sum() / (graph.skeleton.sum() + truth.sum()))


def without(table: Table, share: float, seed: int = 0) -> Table:
    """The table with a share of its cells missing, through the door that people use."""
    frame = table.frame()
    gone = np.random.default_rng(seed).random(frame.shape) < share
    named = [name for name, coded in zip(table.columns, table.discrete, strict=True) if coded]
    return as_table(frame.astype(float).mask(gone), discrete=named)


def test_mixed_tables_get_nearly_their_graph() -> None:
    values = [skeleton_f1(learn(table), adj) for table, adj in map(mixed_problem, range(5))]
    assert np.mean(values) > 0.9, values


@pytest.mark.parametrize("seed", range(8))
def test_mixed_columns_names_units_and_labels_do_not_matter(seed: int) -> None:
    table, _ = mixed_problem(seed, d=10)
    table = without(table, 0.05, seed) if seed % 2 else table
    plain = learn(table)
    rng = np.random.default_rng(seed)
    turn = rng.permutation(table.d)
    columns = {}
    for j in turn:
        values = table.values[:, j]
        if table.discrete[j]:
            labels = np.array(list("qwerty"))[rng.permutation(6)]
            there = np.where(np.isnan(values), 0, values).astype(int)
            columns[f"v{j}"] = pd.Series(labels[there]).where(~np.isnan(values), None)
        else:
            columns[f"v{j}"] = pd.Series(-3.0 * 10.0 ** rng.uniform(-3, 3) * values + 5.0)
    named = [f"v{j}" for j in turn if table.discrete[j]]
    moved = learn(as_table(pd.DataFrame(columns), discrete=named))
    np.testing.assert_array_equal(moved.adj, plain.adj[np.ix_(turn, turn)])


@pytest.mark.parametrize("score", ["conditional", "mixed"])
def test_evidence_of_mixed_tables_is_the_change_of_the_score(score: str) -> None:
    table, _ = mixed_problem(1, d=8)
    graph = learn(table, penalty=1.0, score=score)
    assert graph.meta["score_name"] == score
    told = [graph.explain(a, b) for i, a in enumerate(table.columns) for b in table.columns[i + 1 :]]
    assert any(one["joined"] for one in told) and any(not one["joined"] for one in told)
    for one in told:
        changes = [one["score_if_dropped"]] if one["joined"] else list(one["score_if_added"].values())
        assert all(change > -1e-6 for change in changes)
        assert one.get("score_if_reversed", 0.0) > -1e-6
    assert pickle.loads(pickle.dumps(graph)).explain("x0", "x1") == graph.explain("x0", "x1")


def test_a_tenth_of_the_cells_missing_costs_little() -> None:
    full, gappy = [], []
    for seed in range(4):
        table, truth = problem(seed, d=30, n=1000)
        full.append(shd(learn(table).adj, cpdag(truth.adj)))
        graph = learn(without(table, 0.1, seed))
        gappy.append(shd(graph.adj, cpdag(truth.adj)))
        told = graph.meta["missing"]
        assert told["cells"] == without(table, 0.1, seed).missing.sum() and told["columns"] == 30
        assert 750 < told["rows"] < 900 and "EM" in told["treatment"]
    assert np.mean(gappy) <= 1.5 * np.mean(full) + 2.0


@pytest.mark.parametrize("missing", ["auto", "em", "category"])
def test_categories_with_missing_cells(coded: Table, missing: str) -> None:
    table = without(coded, 0.1)
    graph = learn(table, missing=missing)
    assert {("a", "c"), ("b", "c"), ("c", "e")} <= set(graph.edges) or missing == "category"
    assert graph.skeleton[2].sum() == 3 and graph.meta["missing"]["cells"] == table.missing.sum()
    assert learn(table, missing=missing).meta["score"] == graph.meta["score"]


def test_time_that_runs_out_while_cells_are_filled_leaves_a_graph(
    coded: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    monkeypatch.setattr(filling, "take_step", lambda *args: steps.append(args))
    monkeypatch.setattr(filling, "draw_given_rest", lambda *args: steps.append(args))
    for table in (without(problem(0, d=30)[0], 0.1), without(coded, 0.1)):
        graph = learn(table, max_seconds=1e-9)
        assert not steps and not graph.meta["complete"] and graph.meta["missing"]["cells"] == table.missing.sum()


def test_missing_can_be_refused_and_needs_categories() -> None:
    table = without(problem(0, d=5)[0], 0.1)
    with pytest.raises(DataError, match=r"missing cells .* write missing='auto'"):
        learn(table, missing="refuse")
    with pytest.raises(cn.NotApplicable, match="write missing='em'"):
        learn(table, missing="category")


def test_columns_never_seen_together_get_no_edge() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400, 3)).cumsum(axis=1)
    x[:200, 0], x[200:, 1] = np.nan, np.nan
    with pytest.warns(UserWarning, match="no row has values of both 'a' and 'b'"):
        graph = learn(as_table(pd.DataFrame(x, columns=list("abc")), discrete=False))
    assert not graph.skeleton[0, 1] and graph.skeleton[1, 2]


def test_more_columns_than_rows() -> None:
    rng = np.random.default_rng(0)
    noise = as_table(pd.DataFrame(rng.standard_normal((40, 80))).add_prefix("x"), discrete=False)
    assert learn(noise).skeleton.sum() / 2 <= 8
    rng = np.random.default_rng(1)
    table, truth = sem_table(rng, d=60, degree=2, n=50, standardize=True)
    assert skeleton_f1(learn(table), truth.adj) > 0.8
    with pytest.raises(DataError, match="at least 4 rows"):
        learn(table.take(np.array([0, 1, 2])))


def test_copies_of_columns_are_named() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((300, 2)), columns=["a", "b"])
    frame["twin"] = 3.0 * frame["a"] - 1.0
    frame["k"] = np.where(frame["b"] > 0, "yes", "no")
    frame["k2"] = np.where(frame["b"] > 0, "left", "right")
    with pytest.warns(UserWarning, match="determine exactly"):
        graph = learn(as_table(frame))
    [sentence] = graph.meta["warnings"]
    assert "'twin'" in sentence and "'a'" in sentence and "'k2'" in sentence
    assert graph.skeleton[0, 2] and graph.skeleton[3, 4]


def test_a_column_of_many_states_is_told_and_bounded() -> None:
    rng = np.random.default_rng(0)
    n = 20000
    frame = pd.DataFrame({"id": [f"k{i}" for i in range(n)], "a": rng.standard_normal(n), "b": rng.integers(0, 3, n)})
    frame["c"] = frame["a"] + frame["b"] + rng.standard_normal(n)
    table, two = as_table(frame, discrete=["id", "b"]), as_table(frame[["id", "b"]], discrete=True)
    with pytest.warns(UserWarning, match=r"'id' \(20000 states, 1 kept\)"):
        graph = learn(table, max_seconds=20.0)
    assert set(graph.edges) == {("a", "c"), ("b", "c")} and graph.meta["complete"]
    with pytest.warns(UserWarning, match=r"fewer than 5 rows each in 'id' \(20000 states\)"):
        learn(two, max_seconds=20.0)


def test_a_flag_of_one_state_of_a_category() -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(800)
    b = 0.9 * a + rng.standard_normal(800)
    frame = pd.DataFrame({"a": a, "b": pd.qcut(b, 3, labels=list("lmh")).astype(object)})
    frame["c"] = 0.9 * b + rng.standard_normal(800)
    frame["low"] = frame["b"] == "l"  # the states of b determine it
    with pytest.warns(UserWarning, match="determine exactly"):
        graph = cn.discover(frame, "order")
    assert graph.skeleton[graph.nodes.index("b"), graph.nodes.index("low")]


def test_a_price_that_no_edge_is_worth() -> None:
    table, _ = problem(0, d=4)
    assert not learn(table, penalty=1e9).adj.any()
