"""The I-essential graph against its definition, over all DAGs of four nodes."""

from __future__ import annotations

import numpy as np
from all_dags import every_dag

from causalnet.graph.interventional import essential_graph, told_apart
from causalnet.graph.meek import cpdag


def test_essential_graphs_are_the_unions_of_their_classes() -> None:
    dags = every_dag(4)
    assert len(dags) == 543
    rng = np.random.default_rng(0)
    for family in [np.zeros((1, 4), bool), *(rng.random((3, 2, 4)) < 0.4)]:
        apart = told_apart(family)
        classes: dict[bytes, list[np.ndarray]] = {}
        for dag in dags:  # Hauser and Bühlmann's theorem 10: Markov class, and the directions that regimes tell
            classes.setdefault(cpdag(dag).tobytes() + (dag & apart).tobytes(), []).append(dag)
        for members in classes.values():
            union = np.any(members, axis=0)
            for dag in members:
                assert np.array_equal(essential_graph(dag, apart), union)


def test_told_apart_is_exactly_one_of_the_two() -> None:
    acted = np.array([[0, 0, 0], [1, 1, 0]], bool)
    assert told_apart(acted).tolist() == [[False, False, True], [False, False, True], [True, True, False]]


def test_knowledge_settles_what_no_regime_tells() -> None:
    dag = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], bool)
    nowhere, allowed = np.zeros((3, 3), bool), ~np.eye(3, dtype=bool)
    assert np.array_equal(essential_graph(dag, nowhere), dag | dag.T)
    allowed[1, 0] = False
    assert np.array_equal(
        essential_graph(dag, nowhere, allowed), dag
    )  # 0 -> 1 by knowledge, 1 -> 2 by Meek's first rule
