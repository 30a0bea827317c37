"""Conditional independence tests: is x independent of y given z?

Each returns (statistic, p-value); the p-value is the chance of a statistic at least as large under independence.
Fisher's z on the partial correlation (Fisher 1924; Anderson 2003, section 4.3), Pearson's chi-square and the
likelihood ratio G-square on contingency tables, summed over the strata of z (Spirtes, Glymour and Scheines 2000,
section 5.5). The compiled searches in :mod:`causalnet.search.skeleton` use the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from ..base.arrays import AnyArray
from ..base.sorting import sorted_places
from ..errors import DataError

MOST_CELLS = 1 << 22  # of a contingency table that is held whole
DEGENERATE = 1e-10  # residual variance, as a share of the whole, below which a variable counts as determined
LARGEST_Z = math.atanh(1.0 - np.finfo(float).eps)


def fisher_z(correlation: ArrayLike, n: int, x: int, y: int, z: Sequence[int] = ()) -> tuple[float, float]:
    """Fisher's z for zero partial correlation: (|sqrt(n - |z| - 3) atanh r|, two-sided normal p-value).

    correlation: (d, d); n: rows. When z determines x or y there is nothing left to test: (inf, 0.0), so that such a
    set never separates a pair. A member of z that the others determine is left out.
    """
    freedom = n - len(z) - 3
    if freedom < 1:
        raise DataError(f"Fisher's z needs n > |z| + 3 rows; got n={n} and {len(z)} conditioning variables")
    rho = np.asarray(correlation, dtype=float)
    index = _columns(x, y, z, rho.shape[0])
    block = rho[np.ix_(index, index)].copy()
    for k in range(2, len(index)):  # eliminate z one by one: the Schur complement of its block
        if block[k, k] > DEGENERATE:
            block -= np.outer(block[:, k], block[k]) / block[k, k]
    if min(block[0, 0], block[1, 1]) <= DEGENERATE:
        return math.inf, 0.0
    r = abs(block[0, 1]) / math.sqrt(block[0, 0] * block[1, 1])
    statistic = math.sqrt(freedom) * (math.atanh(r) if r < 1.0 else LARGEST_Z)
    return statistic, normal_p(statistic)


def chi_square(codes: ArrayLike, x: int, y: int, z: Sequence[int] = ()) -> tuple[float, float]:
    """Pearson's sum over strata of (observed - expected)^2 / expected, and its p-value.

    codes: (n, d) non-negative integers. Rows and columns of a stratum's table that are empty do not count towards
    the degrees of freedom; with none left the statistic is 0 and the p-value 1.
    """
    return _contingency(codes, x, y, z, False)


def g_square(codes: ArrayLike, x: int, y: int, z: Sequence[int] = ()) -> tuple[float, float]:
    """Likelihood ratio 2 sum observed log(observed / expected) over strata, and its p-value; as chi_square."""
    return _contingency(codes, x, y, z, True)


def normal_p(statistic: float) -> float:
    """Two-sided p-value of a standard normal statistic, accurate far into the tail."""
    return math.erfc(abs(statistic) / math.sqrt(2.0))


def chi2_p(statistic: float, df: int) -> float:
    """Upper tail of the chi-square distribution with df degrees of freedom; 1 when df is 0."""
    return math.exp(log_chi2_sf(float(statistic), int(df)))


def _contingency(codes: ArrayLike, x: int, y: int, z: Sequence[int], g_test: bool) -> tuple[float, float]:
    table = np.asarray(codes)
    if table.ndim != 2 or not np.issubdtype(table.dtype, np.integer) or (table.size and table.min() < 0):
        raise DataError("codes must be an (n, d) array of non-negative integers; use Table.codes")
    index = _columns(x, y, z, table.shape[1])
    columns = np.array(table[:, index].T, dtype=np.int32, order="C")
    cards = (columns.max(axis=1) + 1).astype(np.int64)
    order, first = stratify(columns[2:], cards[2:])
    statistic, df = sparse_statistic(columns[0], columns[1], cards[0], cards[1], order, first, g_test)
    return statistic, chi2_p(statistic, df)


def _columns(x: int, y: int, z: Sequence[int], d: int) -> list[int]:
    index = [int(x), int(y), *(int(k) for k in z)]
    if len(set(index)) != len(index):
        raise DataError(f"x, y and z must be distinct columns, got x={x}, y={y}, z={tuple(z)}")
    if min(index) < 0 or max(index) >= d:
        raise DataError(f"columns run from 0 to {d - 1}, got x={x}, y={y}, z={tuple(z)}")
    return index


@njit(cache=True)
def log_chi2_sf(statistic: float, df: int) -> float:
    """log of the chi-square upper tail: the regularised incomplete gamma function Q(df / 2, statistic / 2).

    Series for P below the mean, Lentz's continued fraction for Q above it (Abramowitz and Stegun 6.5.29, 6.5.31).
    """
    if df <= 0 or statistic <= 0.0:
        return 0.0
    a, x = 0.5 * df, 0.5 * statistic
    front = a * math.log(x) - x - math.lgamma(a)
    if x < a + 1.0:
        term = 1.0 / a
        total = term
        k = a
        while term > total * 1e-17:
            k += 1.0
            term *= x / k
            total += term
        return math.log1p(-min(math.exp(front) * total, 1.0 - 1e-16))
    tiny = 1e-300
    b = x + 1.0 - a
    c = 1.0 / tiny
    e = 1.0 / b
    h = e
    for i in range(1, 1_000_000):
        an = -i * (i - a)
        b += 2.0
        e = an * e + b
        if abs(e) < tiny:
            e = tiny
        c = b + an / c
        if abs(c) < tiny:
            c = tiny
        e = 1.0 / e
        step = e * c
        h *= step
        if abs(step - 1.0) < 1e-15:
            break
    return front + math.log(h)


@njit(cache=True)
def stratify(columns: AnyArray, cards: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Rows grouped by their joint value: (order (n,), first (strata + 1,)), strata numbered as they appear.

    columns: (k, n) int32 codes with cards (k,) states; rows with a missing cell, -1, are in no stratum. Only joint
    values that occur get a number, so memory stays below n times the largest cardinality whatever their product.
    """
    k, n = columns.shape
    label = np.zeros(n, np.int64)
    strata = 1
    for c in range(k):
        seen = np.full(strata * cards[c], -1, np.int64)
        fresh = 0
        for r in range(n):
            if label[r] < 0 or columns[c, r] < 0:
                label[r] = -1
                continue
            key = label[r] * cards[c] + columns[c, r]
            if seen[key] < 0:
                seen[key] = fresh
                fresh += 1
            label[r] = seen[key]
        strata = fresh
    first = np.zeros(strata + 1, np.int64)
    for r in range(n):
        if label[r] >= 0:
            first[label[r] + 1] += 1
    for t in range(strata):
        first[t + 1] += first[t]
    fill, order = first.copy(), np.empty(first[strata], np.int64)
    for r in range(n):
        if label[r] >= 0:
            order[fill[label[r]]] = r
            fill[label[r]] += 1
    return order, first


@njit(cache=True)
def complete_rows(order: AnyArray, first: AnyArray, x: AnyArray, y: AnyArray) -> tuple[AnyArray, AnyArray]:
    """The strata of :func:`stratify` without the rows in which x or y (n,) is missing, -1."""
    kept, start, fill = np.empty(order.size, np.int64), np.zeros(first.size, np.int64), 0
    for t in range(first.size - 1):
        for k in range(first[t], first[t + 1]):
            if x[order[k]] >= 0 and y[order[k]] >= 0:
                kept[fill] = order[k]
                fill += 1
        start[t + 1] = fill
    return kept[:fill], start


@njit(cache=True)
def tabulate(
    x: AnyArray, y: AnyArray, card_y: int, members: AnyArray, cells: AnyArray, rows: AnyArray, cols: AnyArray
) -> tuple[int, int]:
    """Count one stratum, its rows of data ``members``, into tables that hold zeros: its (occupied rows, occupied columns)."""
    n_rows, n_cols = 0, 0
    for r in members:
        n_rows += rows[x[r]] == 0
        n_cols += cols[y[r]] == 0
        rows[x[r]] += 1
        cols[y[r]] += 1
        cells[x[r] * card_y + y[r]] += 1
    return n_rows, n_cols


@njit(cache=True)
def _sorted_statistic(
    x: AnyArray, y: AnyArray, own: AnyArray, card_y: int, rows: AnyArray, cols: AnyArray, g_test: bool
) -> tuple[float, int]:
    """The same of one stratum, the rows ``own``, whose cells are too many to be held: they are sorted. rows, cols: zeros."""
    m, n_rows, n_cols = own.size, 0, 0
    keys = np.empty(m, np.int64)
    for k in range(m):
        a, b = x[own[k]], y[own[k]]
        keys[k] = np.int64(a) * card_y + b
        n_rows += rows[a] == 0
        n_cols += cols[b] == 0
        rows[a] += 1
        cols[b] += 1
    part = 0.0
    if n_rows > 1 and n_cols > 1:
        place = sorted_places(keys)
        start = 0
        for k in range(1, m + 1):
            key = keys[place[start]]
            if k == m or keys[place[k]] != key:
                c = k - start
                ratio = c * (m / (float(rows[key // card_y]) * cols[key % card_y]))
                part += 2.0 * c * math.log(ratio) if g_test else c * ratio - c
                start = k
    for k in range(m):
        rows[x[own[k]]] = 0
        cols[y[own[k]]] = 0
    return part, (n_rows - 1) * (n_cols - 1)


@njit(cache=True)
def sparse_statistic(
    x: AnyArray, y: AnyArray, card_x: int, card_y: int, order: AnyArray, first: AnyArray, g_test: bool
) -> tuple[float, int]:
    """(statistic, degrees of freedom) over strata in time O(n), whatever the number of cells.

    x, y: (n,) int32 codes; order, first: from :func:`stratify`. With c the count of an occupied cell, r and s its
    margins and m the stratum's rows, Pearson's sum is sum c^2 m / (r s) - m, and G^2 is 2 sum c log(c m / (r s)).
    """
    large = card_x * card_y > MOST_CELLS
    cells = np.zeros(1 if large else card_x * card_y, np.int64)
    rows, cols = np.zeros(card_x, np.int64), np.zeros(card_y, np.int64)
    statistic, df = 0.0, 0
    for t in range(first.size - 1):
        lo, hi = first[t], first[t + 1]
        if large:
            part, free = _sorted_statistic(x, y, order[lo:hi], card_y, rows, cols, g_test)
            statistic += part
            df += free
            continue
        n_rows, n_cols = tabulate(x, y, card_y, order[lo:hi], cells, rows, cols)
        part = 0.0
        for k in range(lo, hi):
            r = order[k]
            c = cells[x[r] * card_y + y[r]]
            if c and n_rows > 1 and n_cols > 1:
                ratio = c * ((hi - lo) / (float(rows[x[r]]) * cols[y[r]]))
                part += 2.0 * c * math.log(ratio) if g_test else c * ratio - c
            cells[x[r] * card_y + y[r]] = 0
        for k in range(lo, hi):
            rows[x[order[k]]] = 0
            cols[y[order[k]]] = 0
        statistic += part
        df += (n_rows - 1) * (n_cols - 1)
    return max(statistic, 0.0), df
