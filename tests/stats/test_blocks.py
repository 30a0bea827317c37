"""Blocks: the compiled degenerate Gaussian against its definition, the linear Gaussian score, coding, relations."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest

from causalnet.search.orders import search_orders
from causalnet.stats.coding import MOST, RARE, code_blocks
from causalnet.stats.dependence import exact_copies, exact_relations
from causalnet.stats.scores import BlockLocal, block_score, gaussian_score, grouped_blocks, hide, whiten
from causalnet.stats.scores.contract import add, best_add, best_drop, drop, helps


def blocks(rng: np.random.Generator, sizes: list[int], n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """A covariance with white blocks, and where they start."""
    m = sum(sizes)
    values = rng.standard_normal((n, m)) @ (np.eye(m) + 0.5 * np.triu(rng.standard_normal((m, m)), 1))
    start = np.concatenate([[0], np.cumsum(sizes)])
    return whiten(np.corrcoef(values.T), start), start


def prices(start: np.ndarray, n: int, penalty: float = 1.0) -> np.ndarray:
    size = np.diff(start)
    return penalty * math.log(n) * np.outer(size, size)


@pytest.mark.parametrize("seed", range(4))
def test_compiled_answers_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = [1, 3, 2, 1, 1, 0, 4, 2]
    d, n = len(sizes), 400
    cov, start = blocks(rng, sizes, n)
    price = prices(start, n)
    local = BlockLocal(cov, start, n, price)
    score, slots = block_score(cov, start, n, price, d - 1, n)
    found = search_orders(
        score, slots, np.eye(d), ~np.eye(d, dtype=bool), np.zeros((d, d), bool), restarts=3, seed=seed
    )
    total = sum(local(v, np.flatnonzero(found.dag[:, v])) for v in range(d))
    assert found.score == pytest.approx(total, abs=1e-6) and not found.dag[5].any() and not found.dag[:, 5].any()
    for v in range(d):  # nothing single along the order is better
        place, have = np.argsort(found.order), found.dag[:, v]
        for r in np.flatnonzero(place < place[v]):
            other = have.copy()
            other[r] = ~other[r]
            assert local(v, np.flatnonzero(other)) > local(v, np.flatnonzero(have)) - 1e-6


def test_each_variable_on_rows_of_its_own() -> None:
    """The least total of all DAGs, by subsets; a state that some rows lack leaves a direction without variance."""
    rng = np.random.default_rng(3)
    sizes, n = [1, 3, 2, 1], np.array([300.0, 180.0, 300.0, 180.0])
    d, group = len(sizes), np.array([0, 1, 0, 1])
    (one, start), (other, _) = blocks(rng, sizes, 300), blocks(rng, sizes, 180)
    flat = other.copy()
    flat[2] = flat[:, 2] = 0.0
    cov, price = np.array([one, whiten(flat, start)]), prices(start, 300)
    assert np.array_equal(np.diag(cov[1]), np.ones(len(flat))) and np.isfinite(cov).all()
    local = [BlockLocal(cov[group[v]], start, n[v], price) for v in range(d)]
    score, slots = grouped_blocks(cov, start, group, n, price, d - 1, 300)
    free, none = ~np.eye(d, dtype=bool), np.zeros((d, d), bool)
    found = search_orders(score, slots, np.eye(d), free, none, restarts=5, seed=0)

    def least(v: int, before: tuple[int, ...]) -> float:
        sets = (s for size in range(len(before) + 1) for s in combinations(before, size))
        return min(local[v](v, np.array(s, int)) for s in sets)

    totals = (sum(least(v, order[:k]) for k, v in enumerate(order)) for order in permutations(range(d)))
    assert found.score == pytest.approx(min(totals), abs=1e-6) and found.dag.any()


def test_questions_one_by_one() -> None:
    d, n = 6, 400
    cov, start = blocks(np.random.default_rng(1), [1, 2, 3, 1, 2, 1], n)
    price = prices(start, n, 0.01)  # so that nearly all helps
    local = BlockLocal(cov, start, n, price)
    score, slots = block_score(cov, start, n, price, d - 1, n)
    v, free = 2, np.ones(d)
    free[v] = 0.0
    ask, hidden = compiled(), hide(score, slots)
    ask["begin"](hidden, slots, d, v)
    have: list[int] = []
    for _ in range(4):
        r = int(ask["best_add"](hidden, slots, d, free))
        changes = {
            c: local(v, np.array([*have, c])) - local(v, np.array(have, int))
            for c in range(d)
            if free[c] and c not in have
        }
        assert r == min(changes, key=lambda c: changes[c])
        assert all(bool(ask["helps"](hidden, slots, d, c)) == (change < 0) for c, change in changes.items())
        ask["add"](hidden, slots, d, r)
        have.append(r)
        assert slots.value[d] == pytest.approx(local(v, np.array(have)), abs=1e-6)
    score.price[:] *= 1e4  # now all should leave, the least useful first
    expected = BlockLocal(cov, start, n, score.price)
    slots.value[d] = expected(v, np.array(have))
    while (at := int(ask["best_drop"](hidden, slots, d, np.zeros(d, bool)))) >= 0:
        rests = [expected(v, np.array([p for p in have if p != q], int)) for q in have]
        assert have[at] == have[int(np.argmin(rests))]
        ask["drop"](hidden, slots, d, at)
        have[at] = have[-1]
        have.pop()
        assert slots.value[d] == pytest.approx(expected(v, np.array(have, int)), abs=1e-6)
    assert have == []


def compiled() -> dict[str, object]:
    """The questions as compiled calls, from outside of a search."""
    from numba import njit

    from causalnet.stats.scores import contract

    def wrap(question):  # type: ignore[no-untyped-def]
        return njit(lambda score, slots, s, x: question(score, slots, s, x))

    return {f.__name__: wrap(f) for f in (contract.begin, add, drop, helps, best_add, best_drop)}


@pytest.mark.parametrize("seed", range(3))
def test_blocks_of_one_column_are_the_linear_gaussian_score(seed: int) -> None:
    d, n = 15, 400
    cov, start = blocks(np.random.default_rng(seed), [1] * d, n)
    free, none = ~np.eye(d, dtype=bool), np.zeros((d, d), bool)
    one = search_orders(
        *block_score(cov, start, n, prices(start, n, 2.0), d - 1, n), cov, free, none, restarts=5, seed=1
    )
    two = search_orders(*gaussian_score(cov, n, 2.0, d - 1), cov, free, none, restarts=5, seed=1)
    assert one.score == pytest.approx(two.score, abs=1e-6) and (one.dag == two.dag).all()


def test_whitening_keeps_determinants_up_to_those_of_the_blocks() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((100, 5)) @ rng.standard_normal((5, 5))
    cov, start = np.cov(values.T), np.array([0, 2, 2, 5])
    white = whiten(cov, start)
    own = sum(np.linalg.slogdet(cov[a:b, a:b])[1] for a, b in ((0, 2), (2, 5)))
    assert np.linalg.slogdet(white)[1] == pytest.approx(np.linalg.slogdet(cov)[1] - own)
    np.testing.assert_allclose(white[:2, :2], np.eye(2), atol=1e-12)


def test_coding_keeps_common_states_and_lumps_the_rest() -> None:
    n = 1000
    codes = np.concatenate([np.arange(30).repeat(33), np.arange(30, 40)])  # 30 common states, 10 of one row
    values = np.column_stack([np.linspace(0, 1, n), codes[:n], np.arange(n), np.arange(n) % 2])
    values[0, 3] = np.nan
    coded = code_blocks(values, np.array([False, True, True, True]))
    np.testing.assert_array_equal(np.diff(coded.start), [1, MOST - 1, 0, 1])
    np.testing.assert_array_equal(coded.states, [0, 40, n, 2])
    np.testing.assert_array_equal(coded.kept, [0, MOST, 1, 2])
    assert np.isnan(coded.values[0, -1]) and np.isnan(coded.values).sum() == 1
    block = coded.values[:, coded.start[1] : coded.start[2]]
    assert set(np.unique(block)) == {0.0, 1.0} and (block.sum(axis=0) >= RARE).all() and (block.sum(axis=1) <= 1).all()


def test_relations_are_found_and_named() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 4))
    assert exact_relations(np.corrcoef(x.T)) == []
    both = np.column_stack([x, x[:, 0] - 2 * x[:, 1], 3 * x[:, 2]])
    found = {frozenset([j, *others.tolist()]) for j, others in exact_relations(np.corrcoef(both.T))}
    assert found == {frozenset([0, 1, 4]), frozenset([2, 5])}
    [(j, others)] = exact_copies(np.corrcoef(both.T))
    assert (j, others.tolist()) == (5, [2])
