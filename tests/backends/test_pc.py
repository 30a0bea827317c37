"""The pc backend: exact on an oracle, the peer's skeleton on data, knowledge, contradictions, order of the columns."""

from __future__ import annotations

import itertools
import math
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import causalnet as cn
from causalnet.backends import pc
from causalnet.data import Table, as_table
from causalnet.errors import DataError, NotApplicable, UnknownNameError
from causalnet.graph import is_acyclic
from causalnet.graph.meek import cpdag
from causalnet.search.orientation import Triples, orient
from causalnet.search.partial_correlation import PartialCorrelation
from causalnet.search.skeleton import Alone, Search, Skeleton, find_skeleton, no_tests

RNG = np.random.default_rng(0)


def random_dag(rng: np.random.Generator, d: int, degree: float) -> np.ndarray:
    order = rng.permutation(d)
    dag = np.zeros((d, d), bool)
    dag[np.ix_(order, order)] = np.triu(rng.random((d, d)) < min(1.0, degree / max(d - 1, 1)), 1)
    return dag


def gaussian(rng: np.random.Generator, d: int, degree: float, n: int) -> np.ndarray:
    weight = random_dag(rng, d, degree) * rng.uniform(0.25, 1.0, (d, d)) * rng.choice([-1, 1], (d, d))
    return rng.standard_normal((n, d)) @ np.linalg.inv(np.eye(d) - weight)


def categorical(rng: np.random.Generator, d: int, n: int) -> np.ndarray:
    """(n, d) codes, 2 to 5 states, each a noisy threshold of its parents."""
    dag, order = np.triu(rng.random((d, d)) < 0.4, 1), rng.permutation(d)
    codes = np.zeros((n, d))
    for j in range(d):
        score = rng.standard_normal(n) + codes @ (dag[:, j] * rng.uniform(-0.8, 0.8, d))
        codes[:, j] = np.digitize(score, np.quantile(score, np.sort(rng.uniform(0.1, 0.9, rng.integers(1, 5)))))
    return codes[:, order]


def dummy(d: int, n: int = 40) -> Table:
    return as_table(np.random.default_rng(d).standard_normal((n + d, d)))


def oracle(dag: np.ndarray):
    """p = 1 where x and y are d-separated given z, else 0."""
    graph = nx.from_numpy_array(dag, create_using=nx.DiGraph)

    def d_separation(x: int, y: int, z: tuple[int, ...], table: Table) -> float:
        return float(nx.is_d_separator(graph, {x}, {y}, set(z)))

    return d_separation


# ---- the answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", range(8))
def test_an_oracle_gives_the_exact_cpdag(block: int) -> None:
    rng = np.random.default_rng(block)
    for _ in range(40):
        d = int(rng.integers(2, 9))
        dag = random_dag(rng, d, rng.uniform(0.5, 4.0))
        graph = pc.learn(dummy(d), rng=RNG, ci_test=oracle(dag))
        np.testing.assert_array_equal(graph.adj, cpdag(dag))
        assert graph.meta["conflicts"] == 0


@pytest.mark.parametrize("seed", range(30))
def test_an_oracle_with_true_knowledge_stays_exact(seed: int) -> None:
    """Known arrows only add arrows, every one of them true, and are all in the answer."""
    rng = np.random.default_rng([seed, 1])
    dag = random_dag(rng, 7, 3.0)
    table = dummy(7)
    edges = [e for e in np.argwhere(dag) if rng.random() < 0.4]
    required = [(table.columns[i], table.columns[j]) for i, j in edges[::2]]
    forbidden = [(table.columns[j], table.columns[i]) for i, j in edges[1::2]]
    knowledge = cn.Knowledge(required=required, forbidden=forbidden)
    graph = pc.learn(table, rng=RNG, ci_test=oracle(dag), knowledge=knowledge)
    knowledge.check(graph)
    np.testing.assert_array_equal(graph.skeleton, dag | dag.T)
    assert not (dag & ~graph.adj).any()
    assert not (graph.adj & ~cpdag(dag)).any()


def peer_skeleton(values: np.ndarray, alpha: float, test: str) -> np.ndarray:
    from causallearn.utils.cit import CIT
    from causallearn.utils.PCUtils.SkeletonDiscovery import skeleton_discovery

    found = skeleton_discovery(values, alpha, CIT(values, test), stable=True, show_progress=False)
    return found.G.graph != 0


@pytest.mark.parametrize("block", range(6))
def test_gaussian_skeleton_is_causal_learns(block: int) -> None:
    pytest.importorskip("causallearn", reason="causal-learn is not installed")
    for seed in range(10):
        rng = np.random.default_rng([block, seed])
        alpha, n = float(rng.choice([0.01, 0.05, 0.2])), int(rng.choice([60, 300, 1000]))
        values = gaussian(rng, int(rng.integers(3, 18)), rng.uniform(1, 5), n)
        graph = pc.learn(as_table(values, discrete=False), rng=RNG, alpha=alpha)
        np.testing.assert_array_equal(graph.skeleton, peer_skeleton(values, alpha, "fisherz"))


@pytest.mark.parametrize(("ours", "theirs"), [("chi2", "chisq"), ("g2", "gsq")])
def test_discrete_skeleton_is_causal_learns(ours: str, theirs: str) -> None:
    pytest.importorskip("causallearn", reason="causal-learn is not installed")
    for seed in range(12):
        rng = np.random.default_rng([seed, 5])
        codes = categorical(rng, int(rng.integers(3, 9)), int(rng.choice([80, 400, 1500])))
        graph = pc.learn(as_table(codes, discrete=True), rng=RNG, alpha=0.05, ci_test=ours)
        np.testing.assert_array_equal(graph.skeleton, peer_skeleton(codes, 0.05, theirs))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), d=st.integers(2, 15), discrete=st.booleans())
def test_columns_in_another_order_give_the_same_graph(seed: int, d: int, discrete: bool) -> None:
    rng = np.random.default_rng(seed)
    values = categorical(rng, d, 500) if discrete else gaussian(rng, d, 3.0, 300)
    order = rng.permutation(d)
    names = [f"v{j}" for j in range(d)]
    one = pc.learn(as_table(values, names, discrete), rng=RNG, alpha=0.05)
    two = pc.learn(as_table(values[:, order], [names[j] for j in order], discrete), rng=RNG, alpha=0.05)
    np.testing.assert_array_equal(one.skeleton, two.align(names).skeleton)
    assert is_acyclic(one.adj & ~one.adj.T)
    assert is_acyclic(two.adj & ~two.adj.T)
    assert two.align(names) == one


@pytest.mark.parametrize("test", ["fisher-z", "chi2", "g2"])
def test_the_evidence_is_what_the_test_alone_says(test: str) -> None:
    from causalnet.stats.independence import chi_square, fisher_z, g_square

    rng = np.random.default_rng(3)
    values = gaussian(rng, 9, 3.0, 400) if test == "fisher-z" else categorical(rng, 9, 800)
    table = as_table(values, discrete=test != "fisher-z")
    plain = {
        "fisher-z": lambda *c: fisher_z(table.correlation, table.n, *c),
        "chi2": lambda *c: chi_square(table.codes, *c),
        "g2": lambda *c: g_square(table.codes, *c),
    }[test]
    graph = pc.learn(table, rng=RNG, ci_test=test)
    assert len(graph.evidence) == 36
    for (i, a), (j, b) in itertools.combinations(enumerate(table.columns), 2):
        why = graph.explain(b, a)
        statistic, p = plain(i, j, [table.columns.index(name) for name in why["given"]])
        assert why["statistic"] == pytest.approx(statistic, rel=1e-6, abs=1e-9)
        assert why["p_value"] == pytest.approx(p, rel=1e-6, abs=1e-10)
        assert why["joined"] == (why["p_value"] <= 0.01) == bool(graph.skeleton[i, j])
        assert ("rule" in why) == why["joined"]
    again = cn.Graph.from_json(graph.to_json())
    assert again == graph
    assert again.explain("x0", "x1") == graph.explain("x0", "x1")
    assert pickle.loads(pickle.dumps(graph)).explain("x0", "x1") == graph.explain("x0", "x1")


def test_the_set_told_is_the_one_with_the_largest_p_value_of_all_tests() -> None:
    rng = np.random.default_rng(11)
    values = gaussian(rng, 8, 3.5, 200)
    p: dict[tuple, float] = {}

    def spy(x: int, y: int, z: tuple[int, ...], table: Table) -> float:
        from causalnet.stats.independence import fisher_z

        assert (x, y, z) not in p  # nothing is asked twice
        p[x, y, z] = fisher_z(table.correlation, table.n, x, y, z)[1]
        return p[x, y, z]

    table = as_table(values)
    graph, compiled = pc.learn(table, rng=RNG, ci_test=spy), pc.learn(table, rng=RNG)
    assert graph == compiled
    assert graph.meta["tests"] == len(p)
    for i, j in itertools.combinations(range(8), 2):
        asked = {z: value for (x, y, z), value in p.items() if (x, y) == (i, j)}
        best = max(asked, key=asked.__getitem__)
        assert graph.explain(f"x{i}", f"x{j}")["given"] == [f"x{k}" for k in best]
        assert compiled.explain(f"x{i}", f"x{j}")["given"] == [f"x{k}" for k in best]


class Slowly:
    """Fisher's z without its search over all levels."""

    def __init__(self, tests: PartialCorrelation) -> None:
        self.weakness_at, self.p_values, self.answer = tests.weakness_at, tests.p_values, tests.answer
        self.most = tests.most


@pytest.mark.parametrize("seed", range(12))
def test_one_compiled_search_is_a_level_after_the_other(seed: int) -> None:
    rng = np.random.default_rng([seed, 9])
    d, n = int(rng.integers(2, 25)), int(rng.choice([6, 60, 600]))
    tests = PartialCorrelation(np.corrcoef(gaussian(rng, d, 3.0, n).T), n)
    free = np.triu(rng.random((d, d)) < 0.9, 1)
    kept = np.triu(rng.random((d, d)) < 0.05, 1)
    limits = [None, 2][seed % 2], math.inf, [None, 4][seed // 2 % 2]
    search = Search(free | free.T | kept | kept.T, kept | kept.T, *limits)
    one, other = (find_skeleton(family, 0.1, search) for family in (tests, Slowly(tests)))
    np.testing.assert_array_equal(one.adj, other.adj)
    assert (one.tests, one.depth, one.bounded, one.complete) == (
        other.tests,
        other.depth,
        other.bounded,
        other.complete,
    )
    np.testing.assert_array_equal(one.alone.statistic, other.alone.statistic)
    for name in ("i", "j", "weakness", "statistic", "df", "size", "partial"):
        np.testing.assert_array_equal(getattr(one.weakest, name), getattr(other.weakest, name))
    assert all(one.weakest.given(k) == other.weakest.given(k) for k in range(len(one.weakest.i)))


# ---- knowledge and contradictions -------------------------------------------------------------------------


def test_pairs_forbidden_both_ways_and_required_edges_are_never_tested() -> None:
    asked = set()

    def spy(x: int, y: int, z: tuple[int, ...], table: Table) -> float:
        asked.add((x, y))
        return 0.0

    knowledge = cn.Knowledge(required=[("x3", "x0")], forbidden=[("x1", "x2"), ("x2", "x1")])
    graph = pc.learn(dummy(4), rng=RNG, ci_test=spy, knowledge=knowledge)
    assert asked == {(0, 1), (0, 2), (1, 3), (2, 3)}
    assert ("x3", "x0") in graph.edges
    assert not graph.skeleton[1, 2]
    assert "required" in graph.explain("x0", "x3")["note"]
    assert "forbidden" in graph.explain("x1", "x2")["note"]
    assert not graph.meta["conflicts"]  # nothing is argued from a pair that was not tested
    assert all(graph.adj[i, j] and graph.adj[j, i] for i, j in [(0, 1), (0, 2)])


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31))
@pytest.mark.filterwarnings("ignore:the data join these pairs")
def test_no_knowledge_is_ever_broken(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = int(rng.integers(3, 9))
    table = as_table(gaussian(rng, d, 4.0, 150))
    pairs = [(a, b) for a, b in itertools.permutations(table.columns, 2) if rng.random() < 0.25]
    first = rng.integers(0, 2, d)
    tiers = [[c for c, t in zip(table.columns, first, strict=True) if t == k] for k in (0, 1)]
    knowledge = cn.Knowledge(forbidden=pairs, tiers=tiers if rng.random() < 0.5 else ())
    allowed, _ = knowledge.compile(table.columns)
    forward = [(table.columns[i], table.columns[j]) for i, j in np.argwhere(np.triu(allowed)) if rng.random() < 0.1]
    knowledge = cn.Knowledge(required=forward, forbidden=knowledge.forbidden, tiers=knowledge.tiers)
    graph = pc.learn(table, rng=RNG, alpha=0.1, knowledge=knowledge)
    knowledge.check(graph)
    assert is_acyclic(graph.adj & ~graph.adj.T)


def test_a_surviving_pair_with_one_direction_forbidden_takes_the_other() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(500)
    table = as_table(np.column_stack([a, a + rng.standard_normal(500)]), ["a", "b"])
    assert pc.learn(table, rng=RNG).undirected == (("a", "b"),)
    graph = pc.learn(table, rng=RNG, knowledge=cn.Knowledge(tiers=[["b"], ["a"]]))
    assert graph.edges == (("b", "a"),)
    assert graph.explain("a", "b")["rule"] == "knowledge"


def test_knowledge_that_leaves_no_acyclic_way_drops_the_weakest_pair_and_says_so() -> None:
    table = dummy(3)
    ring = cn.Knowledge(forbidden=[("x1", "x0"), ("x2", "x1"), ("x0", "x2")])

    def test(x: int, y: int, z: tuple[int, ...], table: Table) -> float:
        return {(0, 1): 1e-5, (1, 2): 1e-3, (0, 2): 1e-4}[x, y]

    with pytest.warns(UserWarning, match="x1 -> x2"):
        graph = pc.learn(table, rng=RNG, ci_test=test, knowledge=ring)
    assert graph.edges == (("x0", "x1"), ("x2", "x0"))
    assert "x1 -> x2" in graph.meta["warnings"][0]
    assert "left out" in graph.explain("x1", "x2")["rule"]


def oriented(d: int, lines: list[tuple[int, int]], colliders: list[tuple[int, int, int, float]]):
    """orient() of joined pairs (i < j, all equally strong) with triples (x, z, y, how clear a collider)."""
    adj = np.zeros((d, d), bool)
    i, j = np.array(sorted(lines)).T
    adj[i, j] = adj[j, i] = True
    weakest = no_tests(i, j)
    weakest.weakness[:] = -9.0
    x, z, y = (np.array([c[k] for c in colliders]) for k in range(3))
    triples = Triples(x, z, y, np.array([c[3] for c in colliders]), np.full(len(x), -9.0))
    free, none = ~np.eye(d, dtype=bool), np.zeros((d, d), bool)
    skeleton = Skeleton(adj, Alone(np.zeros(d * (d - 1) // 2), 0, 9), weakest, 0, 1, False, True)
    return orient(skeleton, triples, none, free, none)


@pytest.mark.parametrize("stronger", [0, 1])
def test_of_two_colliders_that_disagree_the_clearer_wins(stronger: int) -> None:
    """0 - 1 - 2 - 3 where 1 and 2 both look like colliders: the edge 1 - 2 cannot point both ways."""
    clear = [0.5, 0.5]
    clear[stronger] = 0.9
    found = oriented(4, [(0, 1), (1, 2), (2, 3)], [(0, 1, 2, clear[0]), (1, 2, 3, clear[1])])
    assert found.conflicts == 1
    assert is_acyclic(found.adj & ~found.adj.T)
    middle = (2, 1) if stronger == 0 else (1, 2)  # 0 -> 1 <- 2 or 1 -> 2 <- 3
    assert found.adj[middle]
    assert not found.adj[middle[::-1]]


def test_an_edge_that_equally_clear_colliders_direct_both_ways_stays_undirected() -> None:
    found = oriented(5, [(0, 1), (1, 2), (2, 3), (3, 4)], [(0, 1, 2, 0.5), (1, 2, 3, 0.5 + 1e-12), (2, 3, 4, 0.1)])
    assert found.conflicts >= 2
    assert found.adj[1, 2]
    assert found.adj[2, 1]
    assert not found.adj[3, 2]  # the third is drawn: nothing contradicts it
    ring = [(0, 1), (1, 2), (2, 3), (0, 3)]
    colliders = [(3, 0, 1, 0.2), (0, 1, 2, 0.2), (1, 2, 3, 0.2), (0, 3, 2, 0.2)]
    found = oriented(4, ring, colliders)  # each edge both ways
    assert (found.adj == found.adj.T).all()


@pytest.mark.parametrize("seed", range(60))
def test_nonsense_evidence_never_gives_a_directed_cycle(seed: int) -> None:
    """Random p-values: full of contradictions, still acyclic and the same in any column order."""
    rng = np.random.default_rng([seed, 2])
    d = 9
    noise: dict[tuple, float] = {}

    def test_of(names: list[int]):
        def random_p(x: int, y: int, z: tuple[int, ...], table: Table) -> float:
            key = (frozenset((names[x], names[y])), frozenset(names[k] for k in z))
            return noise.setdefault(key, float(rng.random() ** 3 * 0.6))

        return random_p

    order = rng.permutation(d).tolist()
    one = pc.learn(dummy(d), rng=RNG, alpha=0.4, ci_test=test_of(list(range(d))), max_cond=2)
    two = pc.learn(dummy(d), rng=RNG, alpha=0.4, ci_test=test_of(order), max_cond=2)
    assert is_acyclic(one.adj & ~one.adj.T)
    np.testing.assert_array_equal(one.adj[np.ix_(order, order)], two.adj)


# ---- parameters, limits, odd data -------------------------------------------------------------------------


def test_tables_that_do_not_suit_the_test() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal(100)
    mixed = as_table(np.column_stack([a, a > 0]), ["size", "flag"], discrete=["flag"])
    assert pc.learn(mixed, rng=RNG).meta["ci_test"] == "mixed"
    with pytest.raises(NotApplicable, match=r"fisher-z.*mixed; 'mixed' takes both"):
        pc.learn(mixed, rng=RNG, ci_test="fisher-z")
    assert pc.learn(mixed, rng=RNG, ci_test=lambda x, y, z, table: 0.0).skeleton[0, 1]
    with pytest.raises(NotApplicable, match=r"chi2.*discrete"):
        pc.learn(dummy(3), rng=RNG, ci_test="chi2")
    with pytest.raises(NotApplicable, match="fisher-z"):
        pc.learn(as_table(categorical(rng, 3, 60), discrete=True), rng=RNG, ci_test="fisher-z")
    with pytest.raises(UnknownNameError, match="Did you mean 'fisher-z'"):
        pc.learn(dummy(3), rng=RNG, ci_test="fisherz")
    with pytest.raises(DataError, match="alpha"):
        pc.learn(dummy(3), rng=RNG, alpha=5)
    with pytest.raises(DataError, match="max_cond"):
        pc.learn(dummy(3), rng=RNG, max_cond=-1)
    with pytest.raises(DataError, match="max_sets"):
        pc.learn(dummy(3), rng=RNG, max_sets=0)
    with pytest.raises(DataError, match="fdr"):
        pc.learn(dummy(3), rng=RNG, fdr="yes")


@pytest.mark.parametrize("bad", [float("nan"), -0.1, 1.5, None, "0.3"])
def test_a_test_that_returns_no_p_value_is_named(bad: object) -> None:
    with pytest.raises(DataError, match="'x0' and 'x1' given nothing"):
        pc.learn(dummy(3), rng=RNG, ci_test=lambda x, y, z, table: bad)


def test_max_cond_bounds_the_sets() -> None:
    values = gaussian(np.random.default_rng(5), 12, 5.0, 400)
    full = pc.learn(as_table(values), rng=RNG)
    short = pc.learn(as_table(values), rng=RNG, max_cond=1)
    assert full.meta["largest_set"] > 1 == short.meta["largest_set"]
    assert not (full.skeleton & ~short.skeleton).any()
    assert max(len(why["given"]) for why in short.evidence.values()) <= 1
    alone = pc.learn(as_table(values), rng=RNG, max_cond=0)
    assert alone.meta["largest_set"] == 0
    assert all(why["given"] == [] for why in alone.evidence.values())


@pytest.mark.parametrize("kind", ["continuous", "discrete", "function"])
def test_max_seconds_stops_a_search_that_would_take_hours(kind: str) -> None:
    import time

    rng = np.random.default_rng(0)
    common = rng.standard_normal((2000, 1))
    values = 0.5 * common + rng.standard_normal((2000, 45))  # one hidden cause of all: no set separates
    table = as_table((values > 0).astype(float), discrete=True) if kind == "discrete" else as_table(values)
    test = (lambda x, y, z, table: 0.0) if kind == "function" else "auto"
    for kind in ("continuous", "mixed", "discrete"):
        pc.warm_up(kind)
    start = time.process_time()
    graph = pc.learn(table, rng=RNG, alpha=0.5, ci_test=test, max_seconds=0.3, max_sets=1 << 40)
    assert time.process_time() - start < 3.0
    assert graph.meta["complete"] is False
    assert is_acyclic(graph.adj & ~graph.adj.T)


def test_nearly_collinear_columns_have_a_defined_answer() -> None:
    """A column that copies another up to rounding never separates it from anything, and nothing is NaN."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal(500)
    b, c = a + rng.standard_normal(500), a + rng.standard_normal(500)
    table = as_table(np.column_stack([a, b, c, a + 1e-9 * rng.standard_normal(500)]))
    with pytest.warns(UserWarning, match=r"'x[03]' is a linear function of 'x[03]'"):
        graph = pc.learn(table, rng=RNG)
    assert not graph.skeleton[1, 2]
    assert graph.skeleton[0].tolist() == [False, True, True, True]
    assert all(0.0 <= why["p_value"] <= 1.0 for why in graph.evidence.values())


def test_few_rows_stop_the_levels_where_the_statistic_ends() -> None:
    values = np.random.default_rng(2).standard_normal((8, 6)) @ np.ones((6, 6)) + np.eye(8, 6)
    graph = pc.learn(as_table(values, discrete=False), rng=RNG)
    assert graph.meta["largest_set"] <= 4
    tiny = as_table(values[:3, :2], discrete=False)
    with pytest.raises(DataError, match="4 rows"):
        pc.learn(tiny, rng=RNG)


def test_inputs_stay_as_they_were_and_the_answer_repeats() -> None:
    values = gaussian(np.random.default_rng(8), 10, 3.0, 300)
    table = as_table(values)
    before, state = table.values.copy(), RNG.bit_generator.state
    one, two = pc.learn(table, rng=RNG), pc.learn(table, rng=RNG)
    assert one == two
    np.testing.assert_array_equal(table.values, before)
    assert RNG.bit_generator.state == state
    assert not one.adj.flags.writeable
    rho = np.array(table.correlation)
    start = ~np.eye(10, dtype=bool)
    for array in (rho, start):
        array.setflags(write=False)
    find_skeleton(PartialCorrelation(rho, 300), 0.01, Search(start, np.zeros((10, 10), bool)))


def test_one_variable_and_two() -> None:
    assert pc.learn(as_table(np.arange(30.0)[:, None]), rng=RNG).edges == ()
    graph = cn.discover(np.random.default_rng(0).standard_normal((50, 2)), "pc")
    assert graph.meta["complete"] is True
    assert graph.d == 2


def test_a_test_of_another_shape_is_told_what_it_is_called_with() -> None:
    table = as_table(np.random.default_rng(0).standard_normal((50, 3)))
    with pytest.raises(DataError, match=r"takes \(x, y, z\), and is called with \(x, y, z, table\)"):
        pc.learn(table, rng=RNG, ci_test=lambda x, y, z: 0.5)
