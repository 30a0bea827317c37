"""The metrics cannot lie: hand-made cases, properties, and interventional distances against exact regressions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from causalnet.graph import Graph
from causalnet.graph.meek import cpdag
from causalnet.graph.metrics import DEFINITIONS, score, sid
from causalnet.graph.random_dags import random_dag

CHAIN = Graph.from_edges("abc", [("a", "b"), ("b", "c")])


def dag(d: int, degree: float, seed: int) -> np.ndarray:
    return random_dag(d, min(degree, d - 1), np.random.default_rng(seed))


def graph(adj: np.ndarray) -> Graph:
    return Graph(tuple(f"v{i}" for i in range(len(adj))), adj)


def test_perfect_empty_and_reversed() -> None:
    assert score(CHAIN, CHAIN)["f1"] == 1 and score(CHAIN, CHAIN)["shd"] == 0 and score(CHAIN, CHAIN)["sid"] == 0
    nothing = score(CHAIN, Graph.from_edges("abc"))
    assert (nothing["f1"], nothing["precision"], nothing["recall"], nothing["shd"]) == (0, 0, 0, 2)
    both_empty = score(Graph.from_edges("abc"), Graph.from_edges("abc"))
    assert (both_empty["f1"], both_empty["shd"], both_empty["sid"]) == (1, 0, 0)
    backwards = score(CHAIN, Graph.from_edges("abc", [("b", "a"), ("c", "b")]))
    assert (backwards["f1"], backwards["shd"]) == (0, 2)
    assert backwards["cpdag_f1"] == 1 and backwards["cpdag_shd"] == 0  # Markov equivalent to the chain


def test_undirected_answer_is_not_a_directed_claim_but_a_perfect_class() -> None:
    loose = Graph.from_edges("abc", [], [("a", "b"), ("b", "c")])
    s = score(CHAIN, loose)
    assert (s["f1"], s["precision"], s["recall"], s["shd"], s["sid"]) == (0, 0, 0, 2, None)
    assert (s["cpdag_f1"], s["cpdag_shd"], s["skeleton_f1"], s["learned_edges"]) == (1, 0, 1, 2)


def test_a_cyclic_truth_has_no_class_to_be_scored_against() -> None:
    cyclic = Graph.from_edges("abc", [("a", "b"), ("b", "c"), ("c", "a")])
    s = score(cyclic, CHAIN)
    assert (s["cpdag_f1"], s["cpdag_shd"], s["sid"]) == (None, None, None)
    assert (s["f1"], s["shd"], s["skeleton_recall"]) == (0.8, 1, 2 / 3)


def test_alignment_is_by_name() -> None:
    assert score(CHAIN, CHAIN.align("cab"))["f1"] == 1
    with pytest.raises(ValueError, match="not in both"):
        score(CHAIN, Graph.from_edges("abd"))


@settings(max_examples=150)
@given(st.integers(2, 9), st.floats(0, 4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_properties(d: int, degree: float, seed: int, other: int) -> None:
    a, b = graph(dag(d, degree, seed)), graph(dag(d, degree, other))
    s = score(a, b)
    assert set(s) == set(DEFINITIONS)
    for name, value in s.items():
        if name.startswith(("arrowhead", "tail", "pag")):
            assert value is None  # no graph has end marks
        elif name.endswith(("f1", "precision", "recall")):
            assert value is not None and 0 <= value <= 1
    mirrored = score(b, a)
    assert s["shd"] == mirrored["shd"] and s["cpdag_shd"] == mirrored["cpdag_shd"]
    assert s["precision"] == mirrored["recall"] and s["f1"] == pytest.approx(mirrored["f1"])
    assert (s["shd"] == 0) == (a == b)
    order = np.random.default_rng(seed).permutation(d)
    names = [a.nodes[i] for i in order]
    assert score(a.align(names), b) == s
    assert score(a, graph(cpdag(a.adj)))["cpdag_f1"] == 1


def effects(weight: np.ndarray, learned: np.ndarray) -> int:
    """Wrong intervention effects when adjusting for learned parents, by population regression (generic weights)."""
    d = len(weight)
    total = np.linalg.inv(np.eye(d) - weight)  # [i, j]: total effect of i on j
    cov = total.T @ np.diag(np.linspace(1, 2, d)) @ total
    wrong = 0
    for i in range(d):
        z = [i, *np.flatnonzero(learned[:, i])]
        for j in range(d):
            if i != j:
                said = 0.0 if learned[j, i] else np.linalg.solve(cov[np.ix_(z, z)], cov[z, j])[0]
                wrong += abs(said - total[i, j]) > 1e-7
    return wrong


@settings(max_examples=200)
@given(st.integers(2, 7), st.floats(0, 4), st.integers(0, 10**6), st.integers(0, 10**6))
def test_sid_counts_exactly_the_wrong_regressions(d: int, degree: float, seed: int, other: int) -> None:
    truth, learned = dag(d, degree, seed), dag(d, degree, other)
    weight = np.where(truth, np.random.default_rng(seed).uniform(0.5, 2, (d, d)), 0.0)
    assert sid(truth, learned) == effects(weight, learned)
