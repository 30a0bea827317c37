"""Matrices and edges as people bring them: labels decide, codes of other packages are converted by name or refused."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.graph import from_causal_learn, from_pcalg


def test_the_labels_of_a_frame_decide() -> None:
    frame = pd.DataFrame([[0, 1, 0], [0, 0, 0], [0, 0, 0]], index=list("abc"), columns=list("abc"))
    graph = cn.Graph(("c", "b", "a"), frame)
    assert graph.edges == (("a", "b"),)
    assert cn.Graph(("a", "b", "c"), frame.loc[["b", "a", "c"]]) == cn.Graph(("a", "b", "c"), frame)
    weighed = cn.Graph(("c", "b", "a"), frame, weight=frame * 2.0)
    assert weighed.weight is not None and weighed.weight[2, 1] == 2.0
    with pytest.raises(cn.DataError, match="not in both: 'c', 'z'"):
        cn.Graph(("a", "b", "z"), frame)
    assert cn.Graph(("x", "y", "z"), pd.DataFrame(frame.to_numpy())).edges == (("x", "y"),)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[0, 0, -1], [0, 0, -1], [1, 1, 0]], "adj holds -1, and its entries are 0 or 1"),
        ([[0, 0.7, 0], [0, 0, 0], [0, 0, 0]], "adj holds 0.7"),
        ([[0, 2, 0], [0, 0, 0], [0, 0, 0]], "adj holds 2"),
        ([["0", "1", "0"], ["0", "0", "0"], ["0", "0", "0"]], "adj holds"),
        ([[0, 1], [0, 0]], "shape"),
    ],
)
def test_a_matrix_of_other_entries_is_refused(matrix: Any, words: str) -> None:
    with pytest.raises(cn.DataError, match=words):
        cn.Graph(("x", "y", "z"), np.array(matrix))


def test_causal_learn_and_pcalg_are_converted_by_name() -> None:
    collider = [[0, 0, -1], [0, 0, -1], [1, 1, 0]]  # causal-learn: x -> z <- y
    assert from_causal_learn(collider, ("x", "y", "z")).edges == (("x", "z"), ("y", "z"))
    assert from_causal_learn([[0, -1], [-1, 0]], "ab").undirected == (("a", "b"),)
    partial = from_causal_learn([[0, 2], [1, 0]], "ab")
    assert partial.to_dict()["edges"] == [{"from": "a", "to": "b", "mark": "o->"}]
    assert from_causal_learn([[0, 1], [1, 0]], "ab").to_dict()["edges"][0]["mark"] == "<->"
    assert from_pcalg([[0, 0], [1, 0]], "ab").edges == (("a", "b"),)
    assert from_pcalg([[0, 1], [1, 0]], "ab").undirected == (("a", "b"),)
    assert from_pcalg([[0, 2], [3, 0]], "ab", code="pag").edges == (("a", "b"),)
    assert from_pcalg([[0, 2], [1, 0]], "ab", code="pag").to_dict()["edges"][0]["mark"] == "o->"
    frame = pd.DataFrame([[0, 0], [1, 0]], index=["a", "b"], columns=["a", "b"])
    assert from_pcalg(frame).edges == from_pcalg(frame, ("b", "a")).edges == (("a", "b"),)
    for call, words in (
        (lambda: from_causal_learn([[0, 3], [1, 0]], "ab"), "holds 3"),
        (lambda: from_causal_learn([[0, 1], [0, 0]], "ab"), "half an edge"),
        (lambda: from_pcalg([[0, -1], [1, 0]], "ab"), "holds -1"),
        (lambda: from_pcalg([[0, 1], [1, 0]]), "nodes is missing"),
        (lambda: from_pcalg([[0, 1]], "ab"), "shape"),
    ):
        with pytest.raises(cn.DataError, match=words):
            call()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cn.Graph.from_edges([("a", "b"), ("b", "c")]), "a node is a name; edges are given to"),
        (lambda: cn.Graph.from_edges("ab", ["ab"]), "pairs of names"),
        (lambda: cn.Graph.from_edges("ab", [("a", "b", 1)]), "pairs of names"),
        (lambda: cn.Graph.from_edges("ab", {"a": "b"}), "list of pairs"),
        (lambda: cn.Graph.from_networkx({"a": ["b"]}), "takes a networkx graph"),
        (lambda: cn.Graph.from_networkx(nx.DiGraph([("1", 1)])), "repeated: 1"),
        (lambda: cn.Graph.from_networkx(nx.DiGraph([("a", "b", {"weight": "much"})])), "weight of a -> b"),
        (lambda: cn.Knowledge(tiers={0: ["a"], 1: ["b"]}), "not a dict; write tiers="),  # type: ignore[arg-type]
        (lambda: cn.Knowledge(tiers=3), "list of groups"),  # type: ignore[arg-type]
        (lambda: cn.Knowledge(required={"a": "b"}), "takes pairs"),  # type: ignore[arg-type]
        (lambda: cn.Knowledge(required=[1]), "takes pairs"),  # type: ignore[list-item]
        (lambda: cn.score(nx.DiGraph(), cn.Graph.from_edges("ab")), "truth is .* must be a Graph"),  # type: ignore[arg-type]
        (lambda: cn.score(cn.Graph.from_edges("ab"), np.zeros((2, 2))), "learned is .* must be a Graph"),  # type: ignore[arg-type]
        (lambda: cn.discover(np.random.default_rng(0).normal(size=(9, 2)), "pc", knowledge={"roots": []}), "Knowledge"),  # type: ignore[arg-type]
        (lambda: cn.Events(np.zeros((3, 3))), "an event log is a DataFrame"),  # type: ignore[arg-type]
    ],
)
def test_wrong_types_get_a_sentence(call: Any, words: str) -> None:
    with pytest.raises(cn.CausalnetError, match=words):
        call()


def test_nodes_of_networkx_of_any_kind_keep_their_edges() -> None:
    grid = nx.DiGraph([((0, 0), (0, 1)), ((0, 1), 7)])
    assert cn.Graph.from_networkx(grid).edges == (("(0, 0)", "(0, 1)"), ("(0, 1)", "7"))


def test_the_score_reads_marks() -> None:
    truth = cn.Graph.from_edges("ab", [("a", "b")])
    both = cn.Graph.from_marks("ab", [[0, 2], [2, 0]])
    open_ = cn.Graph.from_marks("ab", [[0, 3], [3, 0]])
    found = cn.score(truth, both)
    assert found["cpdag_f1"] == 0 and found["cpdag_shd"] == 1 and found["shd"] == 1 and found["skeleton_f1"] == 1
    found = cn.score(both, open_)
    assert found["shd"] == 1 and found["f1"] is None and found["cpdag_f1"] is None
    assert cn.score(both, both)["shd"] == 0 == cn.score(open_, open_)["shd"]
    arrow = cn.Graph.from_marks("ab", [[0, 2], [1, 0]])  # a -> b
    same = cn.score(truth, arrow)
    assert (same["arrowhead_f1"], same["tail_f1"], same["pag_shd"]) == (1, 1, 0)
    assert {k: same[k] for k, v in cn.score(truth, truth).items() if v is not None} == {
        k: v for k, v in cn.score(truth, truth).items() if v is not None
    }


def test_a_bootstrap_of_a_time_series_keeps_its_order() -> None:
    rng = np.random.default_rng(0)
    x, y = np.zeros((2, 600))
    for t in range(1, 600):
        x[t] = 0.5 * x[t - 1] + rng.normal()
        y[t] = 0.3 * y[t - 1] + 0.8 * x[t - 1] + rng.normal()
    frame = pd.DataFrame({"x": x, "y": y})
    found = cn.edge_confidence(frame, "granger", n=10).frame()
    assert found["p_a_to_b"].iloc[0] >= 0.8
    with pytest.raises(cn.NotApplicable, match="a half would tear"):
        cn.edge_confidence(frame, "granger", n=2, draw="half")
