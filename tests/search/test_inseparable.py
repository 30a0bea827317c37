"""What a bound says no set can separate, all the tests keep joined; and it is most of what they keep."""

from __future__ import annotations

import itertools

import numpy as np

from causalnet.search.pag.inseparable import find_inseparable
from causalnet.search.partial_correlation import PartialCorrelation
from causalnet.search.sets import Lists
from causalnet.stats.independence import normal_p


def everything_near(d: int) -> Lists:
    """Of each of d variables all others."""
    return Lists(np.arange(d + 1) * (d - 1), np.array([v for u in range(d) for v in range(d) if v != u]))


def largest_p(rho: np.ndarray, n: int, i: int, j: int, most: int) -> float:
    """Of i and j given each set of at most so many of the others, by the inverse of their correlations."""
    rest, p = [v for v in range(len(rho)) if v not in (i, j)], 0.0
    for given in itertools.chain.from_iterable(itertools.combinations(rest, k) for k in range(most + 1)):
        precision = np.linalg.inv(rho[np.ix_((i, j, *given), (i, j, *given))])
        r = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
        p = max(p, normal_p(np.sqrt(n - len(given) - 3) * np.arctanh(r)))
    return p


def test_no_set_separates_them() -> None:
    d, alpha, kept, told = 9, 0.01, 0, 0
    i, j = np.ascontiguousarray(np.triu_indices(d, 1))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        n, most = int(rng.choice([15, 60, 400])), int(rng.choice([5, d - 2]))
        weights = np.triu(rng.uniform(-0.9, 0.9, (d, d)) * (rng.random((d, d)) < 0.35), 1)
        rho = np.corrcoef((rng.standard_normal((n, d)) @ np.linalg.inv(np.eye(d) - weights)).T)
        tests = PartialCorrelation(rho, n)
        limit = np.full(d, min(most, tests.most))
        found, made = find_inseparable(tests, (i, j), everything_near(d), limit, int(limit[0]), alpha, np.inf)
        stays = [largest_p(rho, n, a, b, int(limit[0])) <= alpha for a, b in zip(i, j, strict=True)]
        assert not (found & ~np.array(stays)).any()
        assert made < 2000  # of 36 pairs with up to 128 sets each
        kept, told = kept + sum(stays), told + found.sum()
    assert kept > 30 and told == kept


def test_copies_and_late_hours_are_left_to_the_tests() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((100, 8))
    values[:, 1] = values[:, 0] + 1e-7 * values[:, 2]
    tests, near = PartialCorrelation(np.corrcoef(values.T), 100), everything_near(8)
    pairs, limit = np.ascontiguousarray(np.triu_indices(8, 1)), np.full(8, 6)
    found = find_inseparable(tests, (pairs[0], pairs[1]), near, limit, 6, 0.01, np.inf)[0]
    assert found.tolist() == [True] + 27 * [False]  # the copies, which nothing but a copy could part
    values[:, 1:] += 3 * values[:, [0]]
    tests = PartialCorrelation(np.corrcoef(values[:, 2:].T), 100)
    near, limit = everything_near(6), np.full(6, 4)
    i, j = np.ascontiguousarray(np.triu_indices(6, 1))
    assert not find_inseparable(tests, (i, j), near, limit, 4, 0.5, -1.0)[0].any()
