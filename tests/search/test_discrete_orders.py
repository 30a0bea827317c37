"""Search over orders with scores of categories: the exact optimum, compiled counts against definitions and pgmpy's."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from numba import njit

from causalnet.backends.order import learn
from causalnet.data import as_table
from causalnet.graph import is_acyclic
from causalnet.graph.meek import cpdag
from causalnet.graph.random_dags import random_dag
from causalnet.search.orders import Found, search_orders
from causalnet.stats.scores import Counted, closeness, discrete_score, hide
from causalnet.stats.scores.association import dependent
from causalnet.stats.scores.cells import DiscreteScore
from causalnet.stats.scores.contract import add, begin, drop
from causalnet.stats.scores.counting import coded_columns, empty_counts, split, stratify
from causalnet.stats.scores.regrets import regret

SETTINGS = [
    {"name": "bic"},
    {"name": "fnml"},
    {"name": "qnml"},
    {"name": "bdeu", "ess": 1.0},
    {"name": "bdeu", "ess": 10.0},
]


def categories(rng: np.random.Generator, d: int, n: int = 500, states: int = 3, degree: float = 2.5) -> np.ndarray:
    """(n, d) codes of a random network whose tables are drawn from a sparse Dirichlet."""
    dag = random_dag(d, min(degree, d - 1), rng)
    codes = np.zeros((n, d), dtype=np.int32)
    cards = rng.integers(2, states + 1, d)
    left = list(range(d))
    while left:
        v = next(j for j in left if not dag[left, j].any())
        left.remove(v)
        _, group = np.unique(codes[:, dag[:, v]], axis=0, return_inverse=True)
        law = rng.dirichlet(np.full(cards[v], 0.5), group.max() + 1)[group.ravel()]
        codes[:, v] = (rng.random((n, 1)) > np.cumsum(law, axis=1)[:, :-1]).sum(axis=1)
    return codes


def search(codes: np.ndarray, seed: int = 0, restarts: int = 20, **settings) -> Found:  # type: ignore[no-untyped-def]
    d = codes.shape[1]
    allowed = settings.pop("allowed", ~np.eye(d, dtype=bool))
    required = settings.pop("required", np.zeros((d, d), bool))
    score, slots = discrete_score(codes, d - 1, **settings)
    return search_orders(score, slots, closeness(codes), allowed, required, restarts=restarts, seed=seed)


def total(codes: np.ndarray, dag: np.ndarray, **settings) -> float:  # type: ignore[no-untyped-def]
    local = Counted(codes, **settings)
    return sum(local(v, np.flatnonzero(dag[:, v])) for v in range(len(dag)))


def optimum(codes: np.ndarray, **settings) -> float:  # type: ignore[no-untyped-def]
    """The least score of any DAG, by dynamic programming over subsets (Silander and Myllymaki 2006)."""
    d = codes.shape[1]
    local = Counted(codes, **settings)
    best = [[np.inf] * (1 << d) for _ in range(d)]
    least = [0.0] + [np.inf] * ((1 << d) - 1)
    for s in range(1 << d):
        members = [j for j in range(d) if s >> j & 1]
        for v in set(range(d)) - set(members):
            best[v][s] = min([local(v, np.array(members, dtype=int)), *(best[v][s ^ 1 << j] for j in members)])
        if s:
            least[s] = min(least[s ^ 1 << v] + best[v][s ^ 1 << v] for v in members)
    return least[-1]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_optimum_on_small_problems(settings: dict) -> None:  # type: ignore[type-arg]
    rng = np.random.default_rng(7)
    hits, trials = 0, 25
    for seed in range(trials):
        codes = categories(rng, int(rng.integers(2, 7)))
        found, best = search(codes, seed=seed, **settings).score, optimum(codes, **settings)
        assert found > best - 1e-2, "the oracle is not a lower bound"
        hits += found < best + 1e-2
    assert hits >= 0.9 * trials


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_optimum_where_each_variable_counts_rows_of_its_own(settings: dict) -> None:  # type: ignore[type-arg]
    rng = np.random.default_rng(8)
    codes = categories(rng, 5, 400)
    alone = rng.random(codes.shape) < 0.7
    alone[:, 0] = True
    codes[~alone] = rng.integers(0, 4, (~alone).sum())  # acted on: a state that may occur nowhere else
    own = {**settings, "alone": alone}
    found, best = search(codes, **own), optimum(codes, **own)
    assert found.score == pytest.approx(best, abs=1e-2)
    assert found.score < optimum(codes, **settings) - 100.0


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("d", "n", "states"), [(12, 300, 3), (10, 3000, 8), (25, 1000, 2)])
def test_the_score_is_that_of_the_dag(settings: dict, d: int, n: int, states: int) -> None:  # type: ignore[type-arg]
    codes = categories(np.random.default_rng(d), d, n, states)
    found = search(codes, **settings)
    assert is_acyclic(found.dag) and found.dag.any()
    assert found.score == pytest.approx(total(codes, found.dag, **settings), abs=d * 1e-4)
    again = search(codes, **settings)
    assert (again.dag == found.dag).all() and again.refits == found.refits


@njit
def walk(score, slots, d, steps):  # type: ignore[no-untyped-def]
    """(steps + 1,) the score of variable 0 in a scratch slot as parents come, and go by their places (minus them)."""
    begin(score, slots, d, 0)
    values = np.zeros(steps.size + 1)
    values[0] = slots.value[d]
    for i in range(steps.size):
        if steps[i] > 0:
            add(score, slots, d, steps[i])
        else:
            drop(score, slots, d, -steps[i])
        values[i + 1] = slots.value[d]
    return values


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_compiled_counts_are_the_definition(settings: dict) -> None:  # type: ignore[type-arg]
    """Parents come and go, few cells (bit sets) and many (rows)."""
    rng = np.random.default_rng(1)
    codes = np.column_stack([rng.integers(0, k, 800) for k in (3, 2, 4, 5, 2, 30)]).astype(np.int32)
    score, slots = discrete_score(codes, 5, **settings)
    values = walk(hide(score, slots), slots, 6, np.array([1, 2, 3, 0, 4, 5, -1, 1]))
    local = Counted(codes, **settings)
    sets = [[], [1], [1, 2], [1, 2, 3], [3, 2], [3, 2, 4], [3, 2, 4, 5], [3, 5, 4], [3, 5, 4, 1]]
    np.testing.assert_allclose(values, [local(0, np.array(p, dtype=int)) for p in sets], atol=1e-4)


def test_parity_with_pgmpy() -> None:
    pytest.importorskip("pgmpy")
    from pgmpy.structure_score import BIC, BDeu

    rng = np.random.default_rng(2)
    for _ in range(5):
        codes = np.column_stack([rng.integers(0, k, 400) for k in (3, 2, 4, 2)])
        frame = pd.DataFrame(codes, columns=list("abcd")).astype("category")
        for parents in ([], [1], [2, 1], [1, 2, 3]):
            names = tuple("abcd"[p] for p in parents)
            ours = [Counted(codes, **s)(0, np.array(parents, dtype=int)) for s in (SETTINGS[0], SETTINGS[-1])]
            theirs = [BIC(frame), BDeu(frame, equivalent_sample_size=10)]
            assert ours == pytest.approx([-2.0 * s.local_score("a", names) for s in theirs], rel=1e-9)


def test_the_regret_of_two_and_three_categories() -> None:
    """Exactly sum_k C(n, k) (k/n)^k (1 - k/n)^(n - k) for two, and C(n, K + 2) = C(n, K + 1) + n / K C(n, K)."""
    n = 200
    k = np.arange(n + 1)
    logs = np.cumsum(np.log(np.maximum(k, 1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.nan_to_num(k * np.log(k / n)) + np.nan_to_num((n - k) * np.log(1.0 - k / n))
    two = np.exp(logs[-1] - logs - logs[::-1] + power).sum()
    assert regret(n, 2.0) == pytest.approx(np.log(two), abs=0.1)
    assert regret(n, 3.0) == pytest.approx(np.log(two + n), abs=0.1)


def test_a_pool_that_is_full_forgets_and_goes_on() -> None:
    codes = categories(np.random.default_rng(3), 15, 400)
    free = search(codes, name="bdeu")
    score, slots = discrete_score(codes, 14, name="bdeu")
    rows = len(slots.node) + 3
    few = score.pool._replace(values=score.pool.values[:rows].copy(), known=score.pool.known[:rows].copy())
    tight = DiscreteScore(**{**score._asdict(), "pool": few})
    every = ~np.eye(15, dtype=bool)
    found = search_orders(tight, slots, closeness(codes), every, np.zeros((15, 15), bool), restarts=20, seed=0)
    assert (cpdag(found.dag) == cpdag(free.dag)).all() and found.score == free.score


@pytest.mark.parametrize("name", ["fnml", "bdeu"])
def test_columns_and_categories_may_be_permuted(name: str) -> None:
    rng = np.random.default_rng(11)
    for seed in range(100):
        codes = categories(rng, int(rng.integers(3, 9)), 300, 4)
        if (
            np.unique(codes, axis=1).shape != codes.shape or (codes == codes[0]).all(axis=0).any()
        ):  # copies and constants are no table
            continue
        table = as_table(codes, discrete=True)
        column = rng.permutation(table.d)
        other = np.column_stack([rng.permutation(codes[:, j].max() + 1)[codes[:, j]] for j in column])
        names = [table.columns[j] for j in column]
        one, two = (
            learn(t, rng=np.random.default_rng(seed), score=name, restarts=2)
            for t in (table, as_table(other, names, discrete=True))
        )
        assert (one.adj == two.align(one.nodes).adj).all()


def test_a_cause_that_shows_only_beside_another_is_found() -> None:
    """y is an exclusive or of a and b and follows a a little: of 30 columns, b is asked when the search widens."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, (4000, 30)).astype(np.int32)
    a, b = codes[:, 3], codes[:, 7]
    codes[:, 11] = np.where(rng.random(4000) < 0.7, a ^ b, np.where(rng.random(4000) < 0.7, a, codes[:, 11]))
    assert not dependent(codes)[7, 11]
    found = search(codes, name="fnml", restarts=2)
    assert sorted(np.argwhere(found.dag | found.dag.T).tolist()) == sorted(
        [i, j] for i in (3, 7, 11) for j in (3, 7, 11) if i != j and {i, j} != {3, 7}
    )


def test_a_column_of_a_hundred_thousand_categories_is_bounded() -> None:
    rng = np.random.default_rng(5)
    codes = categories(rng, 5, 100_000)
    wide = np.column_stack([codes, rng.permutation(100_000)]).astype(np.int32)
    start = time.process_time()
    found = search(wide, name="fnml", restarts=2)
    assert time.process_time() - start < 10.0
    assert not found.dag[5].any() and not found.dag[:, 5].any()
    alone = search(codes, name="fnml", restarts=2)
    assert (cpdag(found.dag[:5, :5]) == cpdag(alone.dag)).all()


@pytest.mark.parametrize("states", [2, 5, 40])
@pytest.mark.parametrize("skew", [0.2, 5.0])
def test_tables_split_by_bits_and_by_rows_are_alike(states: int, skew: float) -> None:
    rng = np.random.default_rng(states)
    n = 3000
    codes = np.column_stack([rng.choice(k, n, p=rng.dirichlet(np.full(k, skew))) for k in (3, 2, states)])
    columns, counts = coded_columns(codes.astype(np.int32)), empty_counts(n)
    strata = stratify(columns, 0, np.array([1], np.int32), -1, counts)
    cells, wide = strata * int(columns.cards[0]), int(columns.cards[2])
    expected = np.zeros((wide, cells), np.int64)
    np.add.at(expected, (columns.codes[2], counts.cell), 1)
    by_rows, by_bits = columns._replace(offset=columns.offset * 0), columns._replace(first=columns.first * 10**9)
    for way in (by_rows, by_bits):
        split(way, 2, cells, counts)
        assert (counts.table[: wide * cells].reshape(wide, cells) == expected).all()


def test_knowledge_holds() -> None:
    rng = np.random.default_rng(4)
    codes = categories(rng, 7)
    required = np.triu(rng.random((7, 7)) < 0.3, 1)
    found = search(codes, name="bdeu", allowed=~required.T & ~np.eye(7, dtype=bool), required=required)
    assert (found.dag | ~required).all() and is_acyclic(found.dag)
    assert found.score == pytest.approx(total(codes, found.dag, name="bdeu"), abs=1e-3)
