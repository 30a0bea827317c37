"""Methods on rows of several experiments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet import Graph, Table
from causalnet.comparison.worker import judge
from causalnet.datasets.interventional import interventional_table
from causalnet.errors import CausalnetError, NotApplicable
from causalnet.graph.interventional import essential_graph, told_apart
from causalnet.graph.metrics import shd


def draw(seed: int, **settings: object) -> tuple[Table, Graph]:
    return interventional_table(np.random.default_rng(seed), **{"d": 12, "degree": 3, "targets": 6, **settings})  # type: ignore[arg-type]


def forget(table: Table) -> Table:
    return replace(table, regimes=replace(table.regimes, targets=(None,) * len(table.regimes.labels)))  # type: ignore[union-attr,arg-type]


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_order_finds_the_essential_graph_and_the_targets(kind: str) -> None:
    exact = 0
    for seed in range(4):
        table, truth = draw(seed, kind=kind)
        acted = table.regimes.acted_on(table.columns)  # type: ignore[union-attr]
        right = essential_graph(truth.adj, told_apart(acted))
        graph, blind = cn.discover(table, "order"), cn.discover(forget(table), "order")
        assert shd(blind.adj, right) <= shd(graph.adj, right) + 1
        exact += np.array_equal(graph.adj, right)
        extra = 0
        for label, on in graph.meta["targets"].items():
            assert set(on) <= set(blind.meta["targets"][label])
            extra += len(blind.meta["targets"][label]) - len(on)
        assert extra <= (kind == "soft")
        assert blind.meta["targets_found"]["regimes"] == list(table.regimes.labels)  # type: ignore[union-attr]
    assert exact >= (3 if kind == "hard" else 1)


def test_comparisons_judge_directions_that_regimes_tell() -> None:
    """The I-essential graph of the truth is a perfect answer, and its CPDAG is not."""
    table, truth = draw(0, degree=1)
    apart = told_apart(table.regimes.acted_on(table.columns))  # type: ignore[union-attr]
    best, blind = (Graph(truth.nodes, essential_graph(truth.adj, pairs)) for pairs in (apart, apart & False))
    assert judge(truth, best, table, 0)["cpdag_f1"] == judge(truth, truth, table, 0)["cpdag_f1"] == 1.0
    assert judge(truth, blind, table, 0)["cpdag_shd"] == shd(best.adj, blind.adj) > 0


def test_shifts_alone_make_no_edges() -> None:
    """Pooled without regimes, what moves together between experiments looks like a cause."""
    rng = np.random.default_rng(0)
    move = np.repeat([[0.0, 0.0], [4.0, 4.0], [-3.0, -3.0]], 200, axis=0)
    frame = pd.DataFrame(rng.normal(size=(600, 2)) + move, columns=["a", "b"]).assign(
        day=np.repeat(["p", "q", "r"], 200)
    )
    assert cn.discover(frame.drop(columns="day"), "order").skeleton.any()
    for targets in ({}, {"q": ["a", "b"], "r": ["a", "b"]}, None):
        assert not cn.discover(cn.as_table(frame, regime="day", targets=targets), "order").skeleton.any()
    found = cn.discover(cn.as_table(frame, regime="day"), "order").meta["targets"]
    assert [sum(name in on for on in found.values()) for name in "ab"] == [
        2,
        2,
    ]  # which of the three is no target is open
    assert not cn.discover(cn.as_table(frame, regime="day"), "pc").skeleton.any()


def test_a_regime_directs_an_edge_and_explain_says_which() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=600)
    b = 0.8 * a + rng.normal(size=600)
    b[400:] = rng.normal(2.0, 1.0, 200)
    frame = pd.DataFrame({"a": a, "b": b, "what": np.repeat(["seen", "done"], [400, 200])})
    graph = cn.discover(cn.as_table(frame, regime="what", targets={"done": ["b"]}), "order")
    assert graph.edges == (("a", "b"),)
    told = graph.explain("a", "b")
    assert told["told_apart_by"] == {"done": "b"} and told["score_if_reversed"] > 10
    assert cn.discover(frame[:400].drop(columns="what"), "order").undirected == (("a", "b"),)
    known = cn.Knowledge(forbidden=[("a", "b")])
    assert (
        cn.discover(cn.as_table(frame, regime="what", targets={"done": ["b"]}), "order", knowledge=known).edges
        != graph.edges
    )
    assert (
        cn.discover(cn.as_table(frame, regime="what"), "pc").edges == graph.edges
    )  # the context makes a collider of b


def test_a_near_tie_in_a_direction_that_few_rows_tell_is_told() -> None:
    """Near ties know that reversing such an edge leaves the class."""
    rng = np.random.default_rng(5)
    a = rng.normal(size=300)
    frame = pd.DataFrame({"a": a, "b": 0.7 * a + rng.normal(size=300), "what": ["seen"] * 297 + ["done"] * 3})
    graph = cn.discover(cn.as_table(frame, regime="what", targets={"done": ["b"]}), "order")
    assert len(graph.edges) == 1 and graph.meta["near_ties"]["disagree"] == [["a", "b"]]
    assert graph.explain("a", "b")["near_tie"]


def test_pc_pools_by_context_whatever_the_columns_are() -> None:
    table, truth = draw(3)
    graph, plain = cn.discover(table, "pc"), cn.discover(replace(table, regimes=None), "pc")
    right = essential_graph(truth.adj, told_apart(table.regimes.acted_on(table.columns)))  # type: ignore[union-attr]
    assert shd(graph.adj, right) < shd(plain.adj, right)
    assert set(graph.meta["targets_found"]) >= {name for on in table.regimes.targets for name in on or ()}  # type: ignore[union-attr]
    assert graph.nodes == table.columns and graph.explain("x0", "x1")["test"] == "mixed"
    assert Graph.from_json(graph.to_json()) == graph
    words = pd.DataFrame(np.where(table.values > 0.5, "high", "low"), columns=table.columns)
    words["how"] = np.array(table.regimes.labels)[table.regimes.code]  # type: ignore[union-attr]
    assert cn.discover(cn.as_table(words, regime="how"), "auto").meta["backend"] == "pc"
    roots = cn.Knowledge(roots=["x0"])
    assert not cn.discover(table, "pc", knowledge=roots).adj[:, 0].any()


def states(rng: np.random.Generator, experiments: tuple[int, ...], mixed: bool) -> tuple[Table, np.ndarray]:
    """Chain x0 -> x1 -> x2 -> x3 and x0 -> x3 of three states each; experiments set one of them at random. mixed: x3 is a number."""
    parts = []
    for at, n in [(-1, 900), *((k, 300) for k in experiments)]:
        x = np.zeros((4, n), int)
        for v, causes in enumerate(((), (0,), (1,), (0, 2))):
            told = (sum(x[p] for p in causes) + (rng.random(n) < 0.25) * rng.integers(1, 3, n)) % 3
            x[v] = rng.integers(0, 3, n) if v == at or not causes else told
        parts.append(pd.DataFrame(x.T, columns=list("abcd")).astype(str).assign(how="seen" if at < 0 else f"do {at}"))
    frame = pd.concat(parts, ignore_index=True)
    if mixed:
        frame["d"] = frame["d"].astype(float) + 0.3 * rng.standard_normal(len(frame))
    targets = {f"do {k}": ["abcd"[k]] for k in experiments}
    dag = np.zeros((4, 4), bool)
    dag[[0, 1, 2, 0], [1, 2, 3, 3]] = True
    return cn.as_table(frame, regime="how", targets=targets), dag


@pytest.mark.parametrize("experiments", [(1,), (2, 3)])
def test_categories_are_scored_on_the_rows_in_which_they_were_left_alone(experiments: tuple[int, ...]) -> None:
    for seed in range(3):
        table, dag = states(np.random.default_rng(seed), experiments, mixed=False)
        right = essential_graph(dag, told_apart(table.regimes.acted_on(table.columns)))  # type: ignore[union-attr]
        graph = cn.discover(table)
        assert graph.meta["score_name"] == "interventional fnml"
        np.testing.assert_array_equal(graph.adj, right)
        assert (right & ~right.T).sum() > (
            essential_graph(dag, right & False) & ~essential_graph(dag, right & False).T
        ).sum()


def test_a_mixed_table_is_scored_so_too() -> None:
    """An experiment on a tells a -> b, which rows without one leave open."""
    rng = np.random.default_rng(2)
    a = rng.integers(0, 3, 900)
    b = a + rng.standard_normal(900)
    b[600:] = rng.normal(4.0, 1.0, 300)
    frame = pd.DataFrame({"a": a.astype(str), "b": b, "how": np.repeat(["seen", "done"], [600, 300])})
    graph = cn.discover(cn.as_table(frame, regime="how", targets={"done": ["b"]}), "order")
    assert graph.edges == (("a", "b"),) and graph.meta["score_name"] == "interventional mixed"
    assert graph.explain("a", "b")["told_apart_by"] == {"done": "b"}
    assert not cn.discover(frame[:600].drop(columns="how"), "order").edges


def test_names_and_places_do_not_matter() -> None:
    table, _ = draw(5)
    place = np.random.default_rng(0).permutation(table.d)
    frame = table.frame().iloc[:, place].assign(how=np.array(table.regimes.labels)[table.regimes.code])  # type: ignore[union-attr]
    targets = dict(zip(table.regimes.labels, table.regimes.targets, strict=True))  # type: ignore[union-attr]
    moved = cn.as_table(frame.sample(frac=1.0, random_state=2), regime="how", targets=targets)
    assert cn.discover(moved, "order").align(table.columns) == cn.discover(table, "order")


def test_what_order_cannot_do_with_regimes_is_a_sentence() -> None:
    table, _ = draw(6)
    with pytest.raises(NotApplicable, match="knows no regimes of continuous tables; write score='auto'"):
        cn.discover(table, "order", score="mixed")
    words = table.frame().assign(x0=np.where(table.values[:, 0] > 0, "high", "low"))
    words["how"] = np.array(table.regimes.labels)[table.regimes.code]  # type: ignore[union-attr]
    with pytest.raises(
        NotApplicable, match=r"regimes of categories with unknown targets .*These can: empty, pc, random"
    ):
        cn.discover(cn.as_table(words, regime="how"), "order")
    with pytest.raises(NotApplicable, match="write ci_test='auto'"):
        cn.discover(table, "pc", ci_test="fisher-z")
    alone = table.take(np.flatnonzero(table.regimes.code == 1))  # type: ignore[union-attr]
    with pytest.raises(CausalnetError, match="acted on in every regime"):
        cn.discover(alone, "order")


def test_what_regimes_need_is_compiled_off_the_clock() -> None:
    from causalnet.discovery import get

    told: list[str] = []
    table, _ = draw(7, d=4, targets=2)
    cn.discover(table, replace(get("pc"), warm_up=told.append))
    assert told == ["continuous", "regimes"]
