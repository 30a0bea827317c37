"""Parents of one variable among variables of the past: a grow-shrink search on tests that survive thin strata.

When every candidate lies in the past of the target and nothing is hidden, the parents are the smallest set given
which the target is independent of all the other candidates; no edge has to be oriented. Grow: add the candidate with
the smallest p-value given those already in, while it is significant. Shrink: drop what the others make superfluous
(Margaritis and Thrun 1999; Tsamardinos, Aliferis and Statnikov 2003). PC's rule, which drops a candidate as soon as
any smaller set separates it, is sounder in the limit but blind to effects that show only beside another cause: a
neighbour's choice of an access point says nothing about my success until my own choice is known.

The test. The conditional mutual information estimated from n rows is G^2 / (2 n), and G^2 is asymptotically chi-square.
With hundreds of strata of a few rows each it is not: G^2 is then too large and finds edges everywhere. The default
``"exact"`` is Pearson's X^2 (the same quantity to second order), whose mean and variance with all margins held fixed are
known exactly for every stratum, however thin; their sums are matched by a scaled chi-square.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Codes
from ..errors import DataError, UnknownNameError, nearest
from ..stats.independence import log_chi2_sf, sparse_statistic, stratify, tabulate

TESTS = ("exact", "g2", "chi2")
MOST_STATES = 256  # of a candidate: beyond that no table of counts says anything, and memory grows with it


@dataclass(frozen=True)
class Parents:
    """members: columns found, strongest first. log_p: for every candidate, the log of the p-value that decided on it:
    given the other parents. information: with it, the conditional mutual information in nats, what chance alone would
    show taken off. tests: how many tests were made."""

    members: tuple[int, ...]
    log_p: dict[int, float]
    information: dict[int, float]
    tests: int


def find_parents(
    columns: Codes,
    target: int,
    candidates: Sequence[int],
    *,
    given: Sequence[int] = (),
    alpha: float = 1e-3,
    test: str = "exact",
    max_cond: int | None = None,
) -> Parents:
    """The smallest set S of candidates with target independent of the others given S and ``given``, by grow-shrink.

    columns: (d, n) int32 codes from 0. given: columns always conditioned on. alpha: significance level of one test.
    max_cond: condition on at most so many members of S, the strongest; None for all of them.
    """
    if not isinstance(test, str) or test not in TESTS:
        raise UnknownNameError(f"there is no test {test!r}; it is one of {', '.join(TESTS)}.{nearest(test, TESTS)}")
    cards = (columns.max(axis=1) + 1).astype(np.int64) if columns.shape[1] else np.ones(len(columns), np.int64)
    large = [k for k in (target, *candidates) if cards[k] > MOST_STATES and len(candidates)]
    if large:
        raise DataError(
            f"column {large[0]} has {cards[large[0]]} states and the tests count at most {MOST_STATES}; bin it first"
        )
    threshold, count = math.log(alpha), 0
    log_p: dict[int, float] = {}
    nats: dict[int, float] = {}

    def against(some: Sequence[int], members: Sequence[int]) -> dict[int, float]:
        nonlocal count
        base = [*given, *members[:max_cond]]
        order, first = stratify(columns[base], cards[base])
        count += len(some)
        found = {}
        for c in some:
            value, mean, log_chance = _tested(columns, cards, target, c, order, first, test)
            found[c] = log_chance
            if log_chance < 0.0:
                nats[c] = (value - mean) / (2.0 * max(order.size, 1))  # I = G^2 / (2 n)
        return found

    inside: list[int] = []
    while len(inside) < len(candidates):  # grow
        found = against([c for c in candidates if c not in inside], inside)
        log_p.update(found)
        best = min(found, key=lambda c: found[c])
        if found[best] >= threshold:
            break
        inside.append(best)
    while len(inside) > 1:  # shrink; a set that leaves no table to test tells nothing (log p = 0 exactly)
        found = {c: against([c], [k for k in inside if k != c])[c] for c in inside}
        worst = max(found, key=lambda c: found[c] if found[c] < 0.0 else -math.inf)
        log_p.update({c: p for c, p in found.items() if p < 0.0})
        if not threshold < found[worst] < 0.0:
            break
        inside.remove(worst)
    return Parents(tuple(inside), log_p, nats, count)


def stratified_test(x: Codes, y: Codes, given: Codes, test: str = "exact") -> tuple[float, float, float]:
    """(statistic, degrees of freedom, log p) of x independent of y given columns. x, y: (n,); given: (k, n) codes."""
    columns = np.ascontiguousarray(np.vstack([x[None], y[None], given.reshape(-1, x.size)]), dtype=np.int32)
    cards = (columns.max(axis=1) + 1).astype(np.int64)
    order, first = stratify(columns[2:], cards[2:])
    return _tested(columns, cards, 0, 1, order, first, test)


def _tested(
    columns: AnyArray, cards: AnyArray, x: int, y: int, order: AnyArray, first: AnyArray, test: str
) -> tuple[float, float, float]:
    if test != "exact":
        value, df = sparse_statistic(columns[x], columns[y], cards[x], cards[y], order, first, test == "g2")
        return value, float(df), float(log_chi2_sf(value, df))
    value, mean, variance = exact_moments(columns[x], columns[y], cards[x], cards[y], order, first)
    return value, mean, _matched(value, mean, variance)


def _matched(value: float, mean: float, variance: float) -> float:
    """log p of ``value`` under the chi-square scaled to that mean and variance; 0 where there is nothing to test."""
    if variance <= 1e-9 * mean or mean <= 0.0:
        return 0.0
    scale = variance / (2.0 * mean)
    return float(min(log_chi2_sf(value / scale, mean / scale), -1e-300))


@njit(cache=True)
def exact_moments(
    x: AnyArray, y: AnyArray, card_x: int, card_y: int, order: AnyArray, first: AnyArray
) -> tuple[float, float, float]:
    """(Pearson's X^2, its mean, its variance), summed over strata, the moments with every margin held fixed.

    For one r by c table of N rows with margins R_i and C_j (Haldane 1940; Mielke and Berry 1985):
    mean = N (r - 1)(c - 1) / (N - 1), variance = 2 N (v1 - w1)(v2 - w2) / (N - 3) + N^2 w1 w2 / (N - 1) with
    v1 = (r - 1)(N - r) / (N - 1), w1 = (N sum 1 / R_i - r^2) / (N - 2), and v2, w2 likewise from the columns.
    """
    cells = np.zeros(card_x * card_y, np.int64)
    rows, cols = np.zeros(card_x, np.int64), np.zeros(card_y, np.int64)
    statistic, mean, variance = 0.0, 0.0, 0.0
    for t in range(first.size - 1):
        lo, hi = first[t], first[t + 1]
        total = float(hi - lo)
        n_rows, n_cols = tabulate(x, y, card_y, order[lo:hi], cells, rows, cols)
        if n_rows > 1 and n_cols > 1 and total > 2.0:
            part, over_rows, over_cols = -total, 0.0, 0.0
            for k in range(lo, hi):
                r = order[k]
                i, j = x[r], y[r]
                c = cells[i * card_y + j]
                part += c * (c * (total / (float(abs(rows[i])) * abs(cols[j]))))
                cells[i * card_y + j] = 0
                if rows[i] > 0:  # each margin once: its sign marks that it has been seen
                    over_rows += 1.0 / rows[i]
                    rows[i] = -rows[i]
                if cols[j] > 0:
                    over_cols += 1.0 / cols[j]
                    cols[j] = -cols[j]
            v1 = (n_rows - 1) * (total - n_rows) / (total - 1.0)
            v2 = (n_cols - 1) * (total - n_cols) / (total - 1.0)
            w1 = (total * over_rows - n_rows**2) / (total - 2.0)
            w2 = (total * over_cols - n_cols**2) / (total - 2.0)
            spread = total * total * w1 * w2 / (total - 1.0)
            if total > 3.0:
                spread += 2.0 * total * (v1 - w1) * (v2 - w2) / (total - 3.0)
            statistic += part
            mean += total * (n_rows - 1) * (n_cols - 1) / (total - 1.0)
            variance += max(spread, 0.0)
        for k in range(lo, hi):
            r = order[k]
            rows[x[r]] = 0
            cols[y[r]] = 0
            cells[x[r] * card_y + y[r]] = 0
    return statistic, mean, variance
