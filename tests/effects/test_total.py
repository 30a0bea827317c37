"""Effects: the sets by an independent checker and by search, intervals that cover, and a sentence for what has no answer."""

from __future__ import annotations

from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import causalnet as cn
from causalnet.effects import effect
from causalnet.errors import DataError, NotApplicable, UnknownNameError
from causalnet.graph.adjustment_sets import best_adjustment, directions_at, is_amenable, is_valid, optimal_set
from causalnet.graph.meek import cpdag


def random_dag(rng: np.random.Generator, d: int, share: float = 0.4) -> np.ndarray:
    place = rng.permutation(d)
    return (np.triu(rng.random((d, d)) < share, 1))[np.ix_(place, place)]


def valid_by_paths(dag: np.ndarray, x: int, y: int, z: set[int]) -> bool:
    """The adjustment criterion, path by path: z holds no descendant of a causal path, and blocks all that are not causal."""
    g = nx.from_numpy_array(dag.astype(int), create_using=nx.DiGraph)
    below = {v: nx.descendants(g, v) | {v} for v in g}
    causal = {v for path in nx.all_simple_paths(g, x, y) for v in path[1:]}
    if z & {w for v in causal for w in below[v]} or z & {x, y}:
        return False
    for path in nx.all_simple_paths(g.to_undirected(), x, y):
        if all(g.has_edge(a, b) for a, b in pairwise(path)):
            continue
        blocked = False
        for a, v, b in zip(path, path[1:], path[2:], strict=False):
            collider = g.has_edge(a, v) and g.has_edge(b, v)
            blocked |= not (below[v] & z) if collider else v in z
        if not blocked:
            return False
    return True


def test_sets_are_valid_by_paths_and_the_best_is_the_best_of_all(times: int) -> None:
    rng, checked = np.random.default_rng(0), 0
    for _ in range(60 * times):
        d = int(rng.integers(3, 6))
        dag = random_dag(rng, d)
        weights = dag * rng.uniform(0.4, 1.2, (d, d))
        spread = np.linalg.inv(np.eye(d) - weights)
        covariance = spread.T @ np.diag(rng.uniform(0.5, 2, d)) @ spread
        for x, y in zip(
            *np.nonzero(np.linalg.matrix_power(np.eye(d) + dag, d).astype(bool) & ~np.eye(d, dtype=bool)), strict=True
        ):
            others = [v for v in range(d) if v not in (x, y)]
            sets = [set(z) for k in range(d - 1) for z in combinations(others, k)]
            valid = [z for z in sets if valid_by_paths(dag, x, y, z)]
            for z in sets:
                assert is_valid(dag, x, y, np.isin(np.arange(d), list(z))) == (z in valid)
            best = set(np.flatnonzero(optimal_set(dag, x, y)).tolist())
            assert best in valid

            def variance(z: set[int], x: int = x, y: int = y, covariance: np.ndarray = covariance) -> float:
                at = [y, x, *z]
                precision = np.linalg.inv(covariance[np.ix_(at, at)])
                noise = 1 / precision[0, 0]
                rest = covariance[x, x] - (
                    covariance[x, list(z)]
                    @ np.linalg.solve(covariance[np.ix_(list(z), list(z))], covariance[list(z), x])
                    if z
                    else 0
                )
                return float(noise / rest)

            assert variance(best) <= min(map(variance, valid)) * (1 + 1e-9)
            checked += 1
    assert checked > 150 * times


def test_a_class_identifies_what_all_its_dags_agree_on() -> None:
    rng, decided = np.random.default_rng(1), {True: 0, False: 0}
    for _ in range(80):
        d = int(rng.integers(3, 6))
        dag = random_dag(rng, d, 0.5)
        weights = dag * rng.uniform(0.4, 1.2, (d, d))
        spread = np.linalg.inv(np.eye(d) - weights)
        covariance = spread.T @ spread
        adj = cpdag(dag)
        for x in range(d):
            for y in set(range(d)) - {x}:
                found = []
                for way in directions_at(adj, x):
                    p = np.flatnonzero(way.parents)
                    at = [x, *p]
                    found.append(
                        0.0
                        if way.parents[y]
                        else float(np.linalg.solve(covariance[np.ix_(at, at)], covariance[at, y])[0])
                    )
                same = np.ptp(found) < 1e-9
                amenable = is_amenable(adj, x, y)
                assert same or not amenable
                decided[amenable] += 1
                truth = spread[x, y]
                assert min(abs(np.array(found) - truth)) < 1e-9  # the true DAG is one of them
                if amenable and abs(truth) > 1e-12:
                    z = best_adjustment(adj, x, y, np.ones(d, dtype=bool))
                    assert z is not None and valid_by_paths(dag, x, y, set(np.flatnonzero(z).tolist()))
    assert min(decided.values()) > 100


def test_intervals_cover(times: int) -> None:
    rng, hits, total = np.random.default_rng(2), 0, 0
    while total < 1000 * times:
        d = int(rng.integers(4, 9))
        dag = random_dag(rng, d)
        weights = dag * rng.uniform(-1, 1, (d, d))
        spread = np.linalg.inv(np.eye(d) - weights)
        noise = rng.standard_t(6, (200, d)) if total % 2 else rng.normal(size=(200, d))
        names = [f"v{i}" for i in range(d)]
        table = cn.as_table(pd.DataFrame(noise @ spread, columns=names))
        graph = cn.Graph(names, dag)
        for x, y in zip(*np.nonzero(np.abs(spread) * ~np.eye(d, dtype=bool) > 1e-9), strict=True):
            found = graph.effect(names[x], names[y], table)
            hits += found.low <= spread[x, y] <= found.high
            total += 1
    assert 0.92 <= hits / total <= 0.97


def test_categories_are_contrasts_of_states() -> None:
    rng, hits, runs = np.random.default_rng(3), 0, 120
    graph = cn.Graph(["z", "a", "b"], np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=bool))
    for _ in range(runs):
        z = rng.integers(0, 3, 600)
        a = (rng.random(600) < np.array([0.2, 0.5, 0.7])[z]).astype(int)
        b = rng.random(600) < 0.1 + 0.2 * a + 0.2 * z
        frame = pd.DataFrame({"b": np.where(b, "ill", "well"), "a": np.where(a, "yes", "no"), "z": z.astype(str)})
        found = effect(graph, "a", "b", cn.as_table(frame), start="no", end="yes", state="ill")
        hits += found.low <= 0.2 <= found.high
    assert found.adjustment == ("z",) and "P(b = ill) at a = yes against no" in str(found)
    assert 0.9 <= hits / runs <= 1


def test_what_has_no_single_answer_shows_the_possible_ones() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=500)
    b = 0.5 * a + rng.normal(size=500)
    frame = pd.DataFrame({"a": a, "b": b})
    either = cn.Graph(["a", "b"], np.array([[0, 1], [1, 0]], dtype=bool))
    found = either.effect("a", "b", frame)
    assert not found.identified and [round(p.mean, 1) for p in found.possible] == [0.0, 0.4]
    assert "not identified" in str(found) and found.to_dict()["mean"] is None
    none = cn.Graph(["a", "b"], np.array([[0, 0], [1, 0]], dtype=bool)).effect("a", "b", frame)
    assert (none.mean, none.low, none.high) == (0.0, 0.0, 0.0) and "no directed path" in none.why


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"a": "q"}, UnknownNameError, "no variable 'q'"),
        ({"b": "a"}, DataError, "on itself"),
        ({"adj": [[0, 1, 0], [0, 0, 1], [1, 0, 0]]}, DataError, "directed cycle"),
        ({"start": 1}, DataError, "is a number"),
        ({"level": 2}, DataError, "strictly between"),
        ({"columns": ["a", "b"], "adj": [[0, 1, 0], [0, 0, 0], [1, 1, 0]]}, NotApplicable, "measure more of c"),
        ({"adj": [[0, 1, 0], [0, 0, 0], [1, 1, 0]], "copy": True}, NotApplicable, "does not vary given c"),
    ],
)
def test_sentences(change: dict, error: type, words: str) -> None:
    adj = np.array(change.get("adj", [[0, 1, 0], [0, 0, 1], [0, 0, 0]]), dtype=bool)
    frame = pd.DataFrame(np.random.default_rng(5).normal(size=(50, 3)), columns=["a", "b", "c"])
    if change.get("copy"):
        frame["a"] = frame["c"] * 2 + 1
    table = (
        cn.data.as_table(frame[change.get("columns", ["a", "b", "c"])])
        if not change.get("copy")
        else cn.Table(("a", "b", "c"), frame.to_numpy(), np.zeros(3, dtype=bool), (None,) * 3)
    )
    more = {k: change[k] for k in ("start", "level") if k in change}
    with pytest.raises(error, match=words):
        effect(cn.Graph(["a", "b", "c"], adj), change.get("a", "a"), change.get("b", "b"), table, **more)


def test_a_pag_is_refused() -> None:
    marks = np.array([[0, 2], [1, 0]])
    graph = cn.Graph(["a", "b"], np.array([[0, 1], [0, 0]], dtype=bool), marks=marks)
    with pytest.raises(NotApplicable, match="partial ancestral graph"):
        graph.effect("a", "b", pd.DataFrame(np.random.default_rng(6).normal(size=(50, 2)), columns=["a", "b"]))


def test_intervals_of_contrasts_cover_where_strata_are_thin() -> None:
    """Random networks of six categories; the truth by enumeration of every state, a set."""
    rng, hits, total = np.random.default_rng(8), 0, 0
    while total < 300:
        dag, sizes = random_dag(rng, 6, 0.5), rng.integers(2, 4, 6)
        order = list(nx.topological_sort(nx.from_numpy_array(dag.astype(int), create_using=nx.DiGraph)))
        laws = [rng.dirichlet(np.ones(sizes[j]), size=tuple(sizes[np.flatnonzero(dag[:, j])])) for j in range(6)]
        codes = np.zeros((600, 6), dtype=int)
        for j in order:
            own = np.broadcast_to(laws[j][tuple(codes[:, np.flatnonzero(dag[:, j])].T)], (600, sizes[j]))
            codes[:, j] = (rng.random((600, 1)) >= np.cumsum(own, axis=1)[:, :-1]).sum(axis=1)
        x = order[int(rng.integers(4))]
        below = sorted(nx.descendants(nx.from_numpy_array(dag.astype(int), create_using=nx.DiGraph), x))
        if not below or min(np.bincount(codes[:, x], minlength=2)[:2]) < 2 or min(len(set(c)) for c in codes.T) < 2:
            continue
        y = int(rng.choice(below))
        cells = np.array(list(np.ndindex(*sizes)))
        chance = np.ones(len(cells))
        for j in set(range(6)) - {x}:
            chance *= laws[j][tuple(cells[:, [*np.flatnonzero(dag[:, j]), j]].T)]
        truth = sum(s * chance[(cells[:, x] == v) & (cells[:, y] == 0)].sum() for s, v in ((-1, 0), (1, 1)))
        names = [f"v{j}" for j in range(6)]
        table = cn.as_table(pd.DataFrame(codes, columns=names), discrete=True)
        found = effect(cn.Graph(names, dag), names[x], names[y], table, start=0, end=1, state=0)
        hits += found.low <= truth <= found.high
        total += 1
    assert 0.91 <= hits / total <= 0.98


def test_a_class_directed_by_knowledge_knows_an_effect_that_is_zero_in_all_its_dags() -> None:
    adj = np.array([[0, 1, 0], [1, 0, 1], [1, 1, 0]], dtype=bool)  # c -> a, a - b, b - c
    frame = pd.DataFrame(np.random.default_rng(9).normal(size=(80, 3)), columns=["a", "b", "c"])
    graph = cn.Graph(["a", "b", "c"], adj)
    assert graph.effect("a", "c", frame).mean == 0.0
    assert not graph.effect("a", "b", frame).identified
    chain = cn.Graph(["a", "b", "c"], np.array([[0, 1, 0], [1, 0, 1], [0, 0, 0]], dtype=bool))  # a - b -> c
    assert {p.parents for p in chain.effect("a", "c", frame).possible} == {(), ("b",)}


def test_possible_effects_need_only_columns_that_are_there() -> None:
    rng = np.random.default_rng(10)
    frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
    triangle = cn.Graph(["a", "b", "c"], ~np.eye(3, dtype=bool))
    with pytest.raises(NotApplicable, match="measure more of c"):
        triangle.effect("a", "b", frame)
    chain = cn.Graph(["a", "b", "c"], np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=bool))  # b - a - c
    assert {p.parents for p in chain.effect("a", "b", frame).possible} == {(), ("b",), ("c",)}


def test_an_effect_is_read_from_the_rows_in_which_nothing_but_the_cause_was_acted_on() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=2000)
    b = a + rng.normal(size=2000)
    b[1000:] = rng.normal(3.0, 1.0, 1000)  # set, whatever a is
    rows = pd.DataFrame({"a": a, "b": b, "c": b + rng.normal(size=2000), "how": ["calm"] * 1000 + ["set"] * 1000})
    graph = cn.Graph.from_edges(["a", "b", "c"], [("a", "b"), ("b", "c")])
    found = effect(graph, "a", "c", cn.as_table(rows, regime="how", targets={"set": ["b"]}))
    assert abs(found.mean - 1.0) < 0.2 and found.rows == 1000 and "nothing but a" in found.why
    assert effect(graph, "b", "c", cn.as_table(rows, regime="how", targets={"set": ["b"]})).rows == 2000
    with pytest.raises(NotApplicable, match="something else than a was acted on, or it is not known"):
        effect(graph, "a", "c", cn.as_table(rows, regime="how"))
    still = rows.assign(c=np.where(rows.how == "set", rows.c, 0.0))
    with pytest.raises(cn.DataError, match="'c' never varies in the 1000 rows in which nothing but a was acted on"):
        effect(graph, "a", "c", cn.as_table(still, regime="how", targets={"set": ["b"]}))
    learned = cn.discover(cn.as_table(rows, regime="how", targets={"set": ["b"]}))
    assert "as if they came from one" in effect(learned, "a", "c", rows).why


@pytest.mark.parametrize("method", ["pcmci", "granger"])
def test_a_graph_over_lags_has_no_effects_to_read_off_rows(method: str) -> None:
    noise = np.random.default_rng(0).normal(size=(300, 2))
    noise[1:, 1] += noise[:-1, 0]
    series = pd.DataFrame(noise, columns=["a", "b"])
    with pytest.raises(NotApplicable, match="some steps later"):
        effect(cn.discover(cn.Series(series), method), "a", "b", series)
