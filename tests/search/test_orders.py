"""Search over orders: the exact optimum on small problems, compiled scores against their definition, knowledge, time."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from causalnet.datasets.sem import linear_sem, random_weights
from causalnet.graph import is_acyclic
from causalnet.graph.random_dags import random_dag
from causalnet.search.orders import Found, fit_given, search_orders
from causalnet.search.orders.state import greedy_order
from causalnet.stats.scores import gaussian_score, local_score
from causalnet.stats.scores.contract import SCRATCH, implement

PENALTY = 2.0


def correlation(rng: np.random.Generator, d: int, degree: float, n: int = 1000, low: float = 0.25) -> np.ndarray:
    values = linear_sem(random_weights(random_dag(d, min(degree, d - 1), rng), rng, low, 1.0), n, rng)
    return np.corrcoef(values.T)


def search(corr: np.ndarray, n: int = 1000, seed: int = 0, restarts: int = 20, **kwargs) -> Found:  # type: ignore[no-untyped-def]
    d = len(corr)
    allowed = kwargs.pop("allowed", ~np.eye(d, dtype=bool))
    required = kwargs.pop("required", np.zeros((d, d), bool))
    score, slots = gaussian_score(corr, n, PENALTY, max(1, d - 1))
    return search_orders(score, slots, corr, allowed, required, restarts=restarts, seed=seed, **kwargs)


def total(corr: np.ndarray, dag: np.ndarray, n: int = 1000) -> float:
    return sum(local_score(corr, n, PENALTY, v, np.flatnonzero(dag[:, v])) for v in range(len(corr)))


def optimum(corr: np.ndarray, n: int, allowed: np.ndarray | None = None) -> float:
    """The least score of any DAG, by dynamic programming over subsets (Silander and Myllymaki 2006).

    best[v][S] = min over P in S of f(v | P); least[S] = min over sinks v of S of least[S - v] + best[v][S - v].
    """
    d = len(corr)
    size = 1 << d
    every = np.arange(size)
    logdet = np.zeros(size)  # ln det R_SS, by the last pivot of each subset
    for s in range(1, size):
        members = [j for j in range(d) if s >> j & 1]
        logdet[s] = np.linalg.slogdet(corr[np.ix_(members, members)])[1]
    count = np.array([bin(s).count("1") for s in range(size)])
    best = np.full((d, size), np.inf)
    for v in range(d):
        free = every[(every >> v & 1) == 0]
        best[v, free] = n * (logdet[free | 1 << v] - logdet[free]) + PENALTY * math.log(n) * count[free]
        if allowed is not None:
            banned = sum(1 << j for j in range(d) if j != v and not allowed[j, v])
            best[v, free[(free & banned) > 0]] = np.inf
        for j in range(d):  # min over subsets
            inside = free[(free >> j & 1) == 1]
            best[v, inside] = np.minimum(best[v, inside], best[v, inside ^ (1 << j)])
    least = np.full(size, np.inf)
    least[0] = 0.0
    for s in range(1, size):
        least[s] = min(least[s ^ 1 << v] + best[v, s ^ 1 << v] for v in range(d) if s >> v & 1)
    return float(least[-1])


def test_the_optimum_in_at_least_99_of_100_small_problems() -> None:
    rng = np.random.default_rng(11)
    hits, trials = 0, 200
    for seed in range(trials):
        d = int(rng.integers(2, 9)) if seed % 10 else 10
        corr = correlation(rng, d, rng.uniform(1.0, 6.0))
        found = search(corr, seed=seed)
        best = optimum(corr, 1000)
        assert found.score >= best - 1e-6 * max(1.0, abs(best)), "the oracle is not a lower bound"
        hits += found.score < best + 1e-6 * max(1.0, abs(best))
    assert hits >= 0.99 * trials


@pytest.mark.parametrize("seed", range(6))
def test_the_score_is_that_of_the_dag(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corr = correlation(rng, 30, 8.0)
    found = search(corr, seed=seed)
    assert is_acyclic(found.dag)
    assert found.score == pytest.approx(total(corr, found.dag), abs=1e-6)
    place = np.argsort(found.order)
    assert all(place[i] < place[j] for i, j in np.argwhere(found.dag))


def test_a_hub_with_more_parents_than_are_kept_small() -> None:
    rng = np.random.default_rng(3)
    weight = np.zeros((25, 25))
    weight[:24, 24] = rng.uniform(0.5, 1.0, 24)
    corr = np.corrcoef(linear_sem(weight, 2000, rng).T)
    found = search(corr, 2000)
    assert found.dag[:, 24].sum() >= 20
    assert found.score == pytest.approx(total(corr, found.dag, 2000), abs=1e-6)
    assert found.score <= total(corr, weight != 0.0, 2000) + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_nothing_single_can_be_changed_for_the_better(seed: int) -> None:
    """No edge of the found DAG can be dropped, and none along its order added, at a gain."""
    corr = correlation(np.random.default_rng(seed), 15, 4.0)
    found = search(corr, seed=seed)
    place = np.argsort(found.order)
    for v in range(15):
        have = found.dag[:, v]
        now = local_score(corr, 1000, PENALTY, v, np.flatnonzero(have))
        for r in range(15):
            if place[r] < place[v]:
                other = have.copy()
                other[r] = ~other[r]
                assert local_score(corr, 1000, PENALTY, v, np.flatnonzero(other)) > now - 1e-6


def test_same_seed_same_dag_and_more_restarts_are_never_worse() -> None:
    corr = correlation(np.random.default_rng(5), 40, 6.0)
    one, two = search(corr, seed=4), search(corr, seed=4)
    assert (one.dag == two.dag).all() and one.score == two.score and one.refits == two.refits
    scores = [round(search(corr, seed=4, restarts=k).score, 6) for k in (0, 5, 50)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("seed", range(8))
def test_knowledge_holds_and_the_optimum_under_it_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = 7
    corr = correlation(rng, d, 3.0)
    allowed = (rng.random((d, d)) < 0.7) & ~np.eye(d, dtype=bool)
    found = search(corr, seed=seed, allowed=allowed)
    assert not (found.dag & ~allowed).any() and is_acyclic(found.dag)
    assert found.score == pytest.approx(optimum(corr, 1000, allowed), rel=1e-3)
    required = np.triu(rng.random((d, d)) < 0.3, 1)
    found = search(corr, seed=seed, allowed=~required.T & ~np.eye(d, dtype=bool), required=required)
    assert (found.dag | ~required).all() and is_acyclic(found.dag)
    assert found.score == pytest.approx(total(corr, found.dag), abs=1e-6)


def test_time_that_runs_out_leaves_a_dag() -> None:
    corr = correlation(np.random.default_rng(1), 80, 6.0)
    found = search(corr, restarts=100000, max_seconds=0.2)
    assert not found.complete and is_acyclic(found.dag)
    assert found.score == pytest.approx(total(corr, found.dag), abs=1e-6)
    at_once = search(corr, restarts=100000, max_seconds=1e-6)
    assert not at_once.complete and at_once.score >= found.score - 1e-6


def test_time_that_runs_out_in_the_first_fit_leaves_what_was_fitted() -> None:
    corr = correlation(np.random.default_rng(1), 300, 4.0)
    found = search(corr, max_seconds=1e-9)
    assert not found.complete and found.rounds == 0 and is_acyclic(found.dag)
    assert found.score == pytest.approx(total(corr, found.dag), abs=1e-6)
    assert found.score > search(corr, restarts=0).score + 100.0


@pytest.mark.parametrize("most", [1, 2, 3])
def test_few_parents_are_those_that_no_exchange_betters(most: int) -> None:
    rng, hits, trials = np.random.default_rng(most), 0, 0
    for _ in range(30):
        corr, d = correlation(rng, 9, 6.0), 9
        free, order = ~np.eye(d, dtype=bool), rng.permutation(d)
        dag = fit_given(*gaussian_score(corr, 1000, PENALTY, most), order, free, ~(free | True))
        for at, v in enumerate(order):
            have, given = set(np.flatnonzero(dag[:, v]).tolist()), order[:at].tolist()
            sets = [set(s) for k in range(most + 1) for s in itertools.combinations(given, k)]
            scores = [local_score(corr, 1000, PENALTY, v, np.array(sorted(s), int)) for s in sets]
            mine = local_score(corr, 1000, PENALTY, v, np.array(sorted(have), int))
            assert all(mine < x + 1e-6 for s, x in zip(sets, scores, strict=True) if len(s - have) < 2 > len(have - s))
            hits, trials = hits + (mine < min(scores) + 1e-6), trials + 1
    assert hits >= 0.95 * trials  # a set that only two exchanges at once would better


def test_the_first_order_keeps_to_its_time_and_to_what_is_required() -> None:
    corr = correlation(np.random.default_rng(1), 60, 4.0)
    required = np.triu(np.random.default_rng(2).random((60, 60)) < 0.1, 1)
    late, whole = (greedy_order(corr, np.ascontiguousarray(required.T), True, 0.0, at) for at in (0.0, math.inf))
    for order in (late, whole):
        place = np.argsort(order)
        assert sorted(order) == list(range(60)) and all(place[i] < place[j] for i, j in np.argwhere(required))
    assert (late != whole).any()


@pytest.mark.parametrize("at", ["fit_order", "wander"])
def test_an_interrupted_search_returns_the_best_so_far(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from causalnet.search.orders import best_order

    real, calls = getattr(best_order, at), []

    def interrupted(*args):  # type: ignore[no-untyped-def]
        calls.append(real(*args))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(best_order, at, interrupted)
    corr = correlation(np.random.default_rng(1), 40, 4.0)
    found = search(corr)
    assert len(calls) >= 2 and not found.complete and is_acyclic(found.dag)
    assert found.score == pytest.approx(total(corr, found.dag), abs=1e-6)


def test_copies_and_sums_of_columns_are_searched_without_an_exception() -> None:
    rng = np.random.default_rng(2)
    values = linear_sem(random_weights(random_dag(12, 3, rng), rng, 0.25, 1.0), 500, rng)
    values = np.column_stack([values, values[:, 0], -3.0 * values[:, 1], values[:, 2] + values[:, 3]])
    corr = np.corrcoef(values.T)
    found = search(corr, 500)
    assert is_acyclic(found.dag) and np.isfinite(found.score)
    assert found.dag[0, 12] or found.dag[12, 0]
    assert (search(corr, 500).dag == found.dag).all()


def test_more_variables_than_rows() -> None:
    rng = np.random.default_rng(3)
    values = linear_sem(random_weights(random_dag(120, 2, rng), rng, 0.5, 1.0), 60, rng)
    corr = np.corrcoef(values.T)
    score, slots = gaussian_score(corr, 60, 4.0, 57)
    free = ~np.eye(120, dtype=bool)
    found = search_orders(score, slots, corr, free, ~(free | True), restarts=2, seed=0)
    assert is_acyclic(found.dag) and np.isfinite(found.score)
    assert found.score == pytest.approx(
        sum(local_score(corr, 60, 4.0, v, np.flatnonzero(found.dag[:, v])) for v in range(120)), abs=1e-5
    )


def test_same_class_whatever_the_columns_order_and_units() -> None:
    from causalnet.backends import order
    from causalnet.data import as_table

    rng = np.random.default_rng(4)
    for trial in range(40):
        values = linear_sem(random_weights(random_dag(20, 4, rng), rng, 0.25, 1.0), 300, rng)
        place = rng.permutation(20)
        other = (values * 10.0 ** rng.uniform(-3.0, 3.0, 20))[:, place]
        one, two = (
            order.learn(as_table(x, discrete=False), rng=np.random.default_rng(trial), restarts=3).adj
            for x in (values, other)
        )
        assert (one[np.ix_(place, place)] == two).all(), trial


def test_a_score_answers_every_question() -> None:
    assert SCRATCH >= 2
    with pytest.raises(TypeError, match="a local score answers begin, copy"):
        implement(tuple, len)
