"""fci: true PAGs under an oracle, knowledge that holds, and what it says when it stops early or cannot."""

from __future__ import annotations

import itertools
import warnings
from collections import defaultdict
from typing import Any

import networkx as nx
import numpy as np
import pytest

import causalnet as cn
from causalnet.graph.marks import ARROW, CIRCLE, TAIL
from causalnet.graph.order import ancestry
from causalnet.graph.random_dags import random_dag
from causalnet.graph.separation import Separation, ancestral_graph, marks_of_dag
from causalnet.search.pag import Ends, close, new_round, none_yet, open_ends, pag_of, settle, want


def table(d: int, n: int = 300, seed: int = 0) -> cn.Table:
    rng = np.random.default_rng(seed)
    dag = random_dag(d, min(2.5, d - 1), rng)
    mixed = rng.standard_normal((n, d)) @ np.linalg.inv(np.eye(d) - 0.7 * dag)
    return cn.as_table(mixed, names=[f"v{k}" for k in range(d)])


def learn(data: Any, **how: Any) -> cn.Graph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return cn.discover(data, "fci", **how)


def oracle(separated: Any, seen: list[int]) -> Any:
    def m_separation(x: int, y: int, z: tuple[int, ...], data: Any) -> float:
        return float(separated(seen[x], seen[y], [seen[v] for v in z]))

    return m_separation


def directed_mags(d: int) -> list[np.ndarray]:
    """All maximal ancestral graphs of tails and arrows over d nodes."""
    pairs = list(itertools.combinations(range(d), 2))
    found = []
    for ends in itertools.product(((0, 0), (TAIL, ARROW), (ARROW, TAIL), (ARROW, ARROW)), repeat=len(pairs)):
        marks = np.zeros((d, d), np.int8)
        for (i, j), (at_i, at_j) in zip(pairs, ends, strict=True):
            marks[j, i], marks[i, j] = at_i, at_j
        above = ancestry((marks == ARROW) & (marks.T == TAIL))
        if above.diagonal().any() or ((marks == ARROW) & above.T).any():
            continue  # a cycle, or an arrow at an ancestor
        apart = Separation(marks)
        causes = {(i, j): [k for k in range(d) if (above[k, i] or above[k, j]) and k not in (i, j)] for i, j in pairs}
        if all(marks[i, j] or apart(i, j, causes[i, j]) for i, j in pairs):
            found.append(marks)
    return found


def test_every_class_of_four_variables_gets_the_marks_that_its_members_share() -> None:
    d = 4
    classes = defaultdict(list)
    for marks in directed_mags(d):
        apart = Separation(marks)
        questions = ((i, j, z) for i, j in itertools.combinations(range(d), 2) for z in given(d, i, j))
        classes[tuple(apart(*q) for q in questions)].append(marks)
    assert len(classes) > 100 and max(map(len, classes.values())) > 20
    data = table(d)
    for members in classes.values():
        shared = np.where(np.all(np.array(members) == members[0], axis=0), members[0], CIRCLE)
        found = learn(data, ci_test=oracle(Separation(members[0]), list(range(d))))
        np.testing.assert_array_equal(found.marks, shared)
        np.testing.assert_array_equal(pag_of(members[-1]), shared)


def given(d: int, i: int, j: int) -> list[tuple[int, ...]]:
    rest = [k for k in range(d) if k not in (i, j)]
    return [z for size in range(len(rest) + 1) for z in itertools.combinations(rest, size)]


@pytest.mark.parametrize("seed", range(12))
def test_every_mark_is_sound_with_hidden_causes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hidden, d = int(rng.integers(1, 4)), int(rng.integers(6, 11))
    dag = random_dag(d + hidden, 2.2, rng)
    gone = rng.choice(d + hidden, hidden, replace=False).tolist()
    seen = [v for v in range(d + hidden) if v not in gone]
    truth = ancestral_graph(dag, gone)
    found = learn(table(d), ci_test=oracle(Separation(marks_of_dag(dag)), seen)).marks
    assert found is not None
    np.testing.assert_array_equal(found > 0, truth > 0)
    decided = (found > 0) & (found != CIRCLE)
    np.testing.assert_array_equal(found[decided], truth[decided])


def test_possible_d_sep_separates_what_no_neighbours_do() -> None:
    """Of x and y, neither's neighbours hold a set that separates them; b and c and d together do."""
    nodes = ["b", "c", "d", "x", "y", "l1", "l2", "l3"]
    dag = np.zeros((8, 8), bool)
    for arc in ("b>c", "c>x", "d>y", "l1>d", "l1>x", "l2>b", "l2>d", "l3>c", "l3>y"):
        i, j = (nodes.index(v) for v in arc.split(">"))
        dag[i, j] = True
    truth, apart = ancestral_graph(dag, [5, 6, 7]), Separation(marks_of_dag(dag))
    x, y = 3, 4
    separators = [z for z in given(5, x, y) if apart(x, y, z)]
    near = [set(np.flatnonzero(truth[v]).tolist()) for v in (x, y)]
    assert separators and not truth[x, y]
    assert not [z for z in separators for those in near if set(z) <= those]
    found = learn(table(5), ci_test=oracle(apart, list(range(5))))
    np.testing.assert_array_equal(found.marks, pag_of(truth))
    assert found.meta["possible_d_sep"] == 1 and set(found.explain("v3", "v4")["given"]) in [
        {f"v{k}" for k in z} for z in separators
    ]


def circles(d: int, edges: list[tuple[int, int]]) -> Ends:
    joined = np.zeros((d, d), bool)
    for i, j in edges:
        joined[i, j] = joined[j, i] = True
    return open_ends(joined, ~joined & ~np.eye(d, dtype=bool))


def test_selection_bias_leaves_an_undirected_cycle() -> None:
    ends = circles(5, [(0, 1), (1, 2), (2, 3), (3, 0), (3, 4)])  # R5 the cycle, R6 what hangs on it
    assert close(ends, none_yet(5), np.inf)
    marks = ends.marks
    assert (marks[:4, :4][marks[:4, :4] > 0] == TAIL).all() and marks[4, 3] == TAIL and marks[3, 4] == CIRCLE
    chain = circles(3, [(0, 1), (1, 2)])
    chain.marks[1, 0] = TAIL  # 0 -o 1 o-o 2: R7
    close(chain, none_yet(3), np.inf)
    assert chain.marks[2, 1] == TAIL


def settled(ends: Ends, *wanted: tuple[int, int, int]) -> bool:
    """One round that wants these marks at v of u *-* v."""
    together = new_round(ends, np.inf)
    for rule, (u, v, mark) in enumerate(wanted):
        want(ends, together, u, v, mark, rule)
    return bool(settle(ends, together))


def test_contradictions_stay_open_and_close_no_cycle() -> None:
    ends = circles(3, [(0, 1), (1, 2), (0, 2)])
    cycle = [(0, 1), (1, 2), (2, 0)]
    assert not settled(ends, *[(i, j, ARROW) for i, j in cycle], *[(j, i, TAIL) for i, j in cycle])
    assert (ends.marks != ARROW).all() and ends.stuck.sum() == 6
    both = circles(2, [(0, 1)])
    assert not settled(both, (0, 1, ARROW), (0, 1, TAIL))
    assert both.stuck[0, 1] and not both.stuck[1, 0]


def test_just_the_edges_on_a_cycle_stay_open() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        pairs = [(i, j) for i in range(9) for j in range(i) if rng.random() < 0.35]
        ways = [pair if rng.random() < 0.5 else pair[::-1] for pair in pairs]
        ends = circles(9, pairs)
        settled(ends, *[(i, j, ARROW) for i, j in ways], *[(j, i, TAIL) for i, j in ways])
        group = {v: k for k, part in enumerate(nx.strongly_connected_components(nx.DiGraph(ways))) for v in part}
        assert all(ends.stuck[i, j] == ends.stuck[j, i] == (group[i] == group[j]) for i, j in ways)


def test_a_rule_that_the_clock_ends_writes_nothing() -> None:
    ends = circles(5, [(0, 1), (1, 2), (2, 3), (3, 0), (3, 4)])
    assert not close(ends, none_yet(5), -1.0)
    assert (ends.marks[ends.marks > 0] == CIRCLE).all()


def some_knowledge(columns: tuple[str, ...], rng: np.random.Generator) -> cn.Knowledge:
    order = rng.permutation(columns).tolist()
    cut = sorted(rng.integers(0, len(order) + 1, 2).tolist())
    tiers = [order[: cut[0]], order[cut[0] : cut[1]], order[cut[1] :]] if rng.random() < 0.7 else []
    place = {name: k for k, name in enumerate(order)}
    pairs = [tuple(rng.choice(columns, 2, replace=False).tolist()) for _ in range(5)]
    required = [p for p in pairs[:2] if place[p[0]] < place[p[1]]]
    forbidden = [p for p in pairs[2:] if p not in required]
    roots, leaves = ([order[0]], [order[-1]]) if rng.random() < 0.4 else ([], [])
    try:
        return cn.Knowledge(required=required, forbidden=forbidden, tiers=tiers, roots=roots, leaves=leaves)
    except cn.KnowledgeError:
        return cn.Knowledge(tiers=tiers)


def test_knowledge_is_never_broken() -> None:
    """From every start; the check reads marks, so that it fails for circles too."""
    tables = [table(6, 120, seed) for seed in range(10)]
    for case in range(120):
        data = tables[case % 10]
        known = some_knowledge(data.columns, np.random.default_rng(case))
        start = ("skeleton", "order", "dag")[case % 3]
        known.check(learn(data, knowledge=known, start=start, alpha=0.05))


def test_the_check_of_knowledge_reads_marks() -> None:
    known = cn.Knowledge(forbidden=[("a", "b")])
    for mark_at_a, fine in ((ARROW, True), (CIRCLE, False), (TAIL, False)):
        graph = cn.Graph.from_marks("ab", [[0, ARROW], [mark_at_a, 0]])
        if fine:
            known.check(graph)
        else:
            with pytest.raises(cn.KnowledgeError, match="by the knowledge a is no cause of b"):
                known.check(graph)
    both = cn.Graph.from_marks("ab", [[0, ARROW], [ARROW, 0]])
    cn.Knowledge(leaves=["a", "b"]).check(both)
    for apart in (cn.Knowledge(forbidden=[("a", "b"), ("b", "a")]), cn.Knowledge(roots=["a", "b"])):
        with pytest.raises(cn.KnowledgeError, match="a <-> b although the knowledge keeps the two apart"):
            apart.check(both)
    with pytest.raises(cn.KnowledgeError, match="the mark at a is a tail"):
        cn.Knowledge(required=[("a", "b")]).check(cn.Graph.from_marks("ab", [[0, ARROW], [CIRCLE, 0]]))


def test_it_stops_early_and_says_so() -> None:
    data = table(30, 400)
    for start in ("skeleton", "order", "dag"):
        cut = learn(data, start=start, max_seconds=1e-9)
        assert cut.meta["complete"] is False and cut.marks is not None
    small = learn(data, max_cond=0)
    assert small.meta["largest_set"] == 0 and (small.skeleton | ~learn(data).skeleton).all()


def test_what_is_told_of_a_pair() -> None:
    rng = np.random.default_rng(1)
    a, b, e = rng.standard_normal((3, 500))
    data = cn.as_table(np.column_stack([a, b, a + b + 0.5 * e]), names=["a", "b", "c"])
    found = learn(data)
    assert [edge["mark"] for edge in found.to_dict()["edges"]] == ["o->", "o->"]
    said = found.explain("a", "c")
    assert said["test"] == "fisher-z" and said["rule"] == "at a, left open; at c, R0: the middle of a collider"
    assert found.explain("a", "b")["given"] == [] and not found.explain("a", "b")["joined"]
    assert learn(data, start="dag").explain("a", "c")["note"] == "not tested: as in the best DAG"
    with pytest.raises(cn.DataError, match="start is 'best'; write one of skeleton, order, dag"):
        learn(data, start="best")
