"""Meek's rules, CPDAGs and consistent extensions against brute force over whole equivalence classes."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from causalnet.errors import DataError
from causalnet.graph import is_acyclic
from causalnet.graph.meek import cpdag, orient


def random_dag(rng: np.random.Generator, d: int, density: float) -> np.ndarray:
    order = rng.permutation(d)
    upper = np.triu(rng.random((d, d)) < density, 1)
    dag = np.zeros((d, d), bool)
    dag[np.ix_(order, order)] = upper
    return dag


def colliders(dag: np.ndarray) -> set[tuple[int, int, int]]:
    joined = dag | dag.T
    return {
        (x, z, y)
        for z in range(len(dag))
        for x, y in itertools.combinations(np.flatnonzero(dag[:, z]).tolist(), 2)
        if not joined[x, y]
    }


def all_dags(joined: np.ndarray):
    """Every acyclic orientation of a skeleton."""
    pairs = [(i, j) for i, j in itertools.combinations(range(len(joined)), 2) if joined[i, j]]
    for flips in itertools.product((False, True), repeat=len(pairs)):
        dag = np.zeros_like(joined)
        for (i, j), flip in zip(pairs, flips, strict=True):
            dag[(j, i) if flip else (i, j)] = True
        if nx.is_directed_acyclic_graph(nx.from_numpy_array(dag, create_using=nx.DiGraph)):
            yield dag


@pytest.mark.parametrize("seed", range(40))
def test_cpdag_is_the_union_of_the_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dag = random_dag(rng, int(rng.integers(3, 6)), rng.uniform(0.3, 0.95))
    same = [other for other in all_dags(dag | dag.T) if colliders(other) == colliders(dag)]
    union = np.logical_or.reduce(same)
    np.testing.assert_array_equal(cpdag(dag), union)
    for other in same:  # every member, and the CPDAG itself, leads to the same CPDAG
        np.testing.assert_array_equal(cpdag(other), union)
    np.testing.assert_array_equal(cpdag(union), union)


@pytest.mark.parametrize("seed", range(60))
def test_rules_with_known_arrows_are_complete(seed: int) -> None:
    """With background arrows (rule 4) the closure is the union of the class members that agree with them."""
    rng = np.random.default_rng([seed, 4])
    dag = random_dag(rng, 5, rng.uniform(0.6, 1.0))
    known = cpdag(dag)
    free = np.argwhere(known & known.T & dag)
    for i, j in free[rng.random(len(free)) < 0.4]:
        known[j, i] = False
    members = [
        other for other in all_dags(dag | dag.T) if colliders(other) == colliders(dag) and not (other & ~known).any()
    ]
    np.testing.assert_array_equal(orient(known), np.logical_or.reduce(members))


def test_each_rule_on_its_own_figure() -> None:
    def graph(d: int, arrows: list, lines: list) -> np.ndarray:
        adj = np.zeros((d, d), bool)
        for i, j in [*arrows, *lines, *((j, i) for i, j in lines)]:
            adj[i, j] = True
        return adj

    def oriented(adj: np.ndarray, i: int, j: int) -> bool:
        closed = orient(adj)
        return bool(closed[i, j] and not closed[j, i])

    assert oriented(graph(3, [(0, 1)], [(1, 2)]), 1, 2)  # R1
    assert oriented(graph(3, [(0, 1), (1, 2)], [(0, 2)]), 0, 2)  # R2
    assert oriented(graph(4, [(1, 3), (2, 3)], [(0, 1), (0, 2), (0, 3)]), 0, 3)  # R3
    assert oriented(graph(4, [(1, 2), (2, 3)], [(0, 1), (0, 2), (0, 3)]), 0, 3)  # R4


@pytest.mark.parametrize("d", [1, 2, 63, 64, 65, 130])
def test_larger_graphs_and_word_boundaries(d: int) -> None:
    rng = np.random.default_rng(d)
    dag = random_dag(rng, d, min(1.0, 4 / max(d - 1, 1)))
    completed = cpdag(dag)
    np.testing.assert_array_equal(completed | completed.T, dag | dag.T)
    assert not (dag & ~completed).any()
    np.testing.assert_array_equal(cpdag(completed), completed)  # by way of one of its DAGs
    order = rng.permutation(d)
    np.testing.assert_array_equal(cpdag(dag[np.ix_(order, order)]), completed[np.ix_(order, order)])


def test_no_extension_and_cycles() -> None:
    ring = np.zeros((4, 4), bool)
    for i in range(4):
        ring[i, (i + 1) % 4] = ring[(i + 1) % 4, i] = True
    with pytest.raises(DataError, match="consistent"):  # a chordless undirected ring always makes a new collider
        cpdag(ring)
    loop = np.roll(np.eye(3, dtype=bool), 1, axis=1)
    assert not is_acyclic(loop)
    with pytest.raises(DataError, match="cycle"):
        cpdag(loop)
    with pytest.raises(DataError, match="self-loop"):
        cpdag(np.eye(2, dtype=bool))
    with pytest.raises(DataError, match="square"):
        cpdag(np.zeros((2, 3), bool))


@pytest.mark.parametrize("seed", range(100))
def test_contradictory_input_never_gains_a_cycle(seed: int) -> None:
    rng = np.random.default_rng([seed, 9])
    adj = random_dag(rng, 8, 0.5)
    adj |= adj.T & (rng.random((8, 8)) < 0.6)
    before = adj.copy()
    adj.setflags(write=False)
    closed = orient(adj)
    assert is_acyclic(closed & ~closed.T)
    np.testing.assert_array_equal(adj, before)
    np.testing.assert_array_equal(closed | closed.T, adj | adj.T)
    assert not (closed & ~adj).any()
