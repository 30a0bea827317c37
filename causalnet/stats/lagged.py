"""Tests between a variable and the past of others: partial correlations compiled from one lagged covariance.

A window is the values of d variables at a time step and the ``depth`` steps before it; column ``lag * d + v`` of a window
is variable v, ``lag`` steps ago. Every test of a search reads the same covariance of these columns over the same windows.

The momentary conditional independence of i, tau steps ago, and j now is tested given a set S of variables of now, the
parents of j, and the parents of i moved back by tau (Runge et al., Science Advances 5, 2019; Runge, UAI 2020).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import stdtr

from ..base.arrays import AnyArray, Array, Ints
from .independence import DEGENERATE
from .rcit import Rcit

MADE, REDUNDANT, DETERMINED = 0, 1, 2  # a test; the cause, or the effect, is determined by what is given
UNTESTED = 3  # the time was over
CELLS, PRODUCTS = 1 << 22, 1e10  # of the windows multiplied at a time, at most, and products
PIECE = 1 << 14  # questions answered before the clock is looked at


class Questions(NamedTuple):
    """m questions: is variable ``cause``, ``lag`` steps ago, independent of ``effect`` now given its conditions?

    cause, lag, effect: (m,) int64. first: (m + 1,) int64, given: int64; question q is also given the columns
    given[first[q] : first[q + 1]]. start: (d + 1,) int64, parent: int64; the columns of the parents of variable v are
    parent[start[v] : start[v + 1]], strongest first; all of both ends' parents are given.
    """

    cause: Ints
    lag: Ints
    effect: Ints
    first: Ints
    given: Ints
    start: Ints
    parent: Ints


class Answers(NamedTuple):
    """r: (m,) the strength of each dependence. p: (m,) p-values. state: (m,) MADE, REDUNDANT, DETERMINED or UNTESTED."""

    r: Array
    p: Array
    state: AnyArray


def windows(values: Array, at: Ints, depth: int) -> Array:
    """(m, (depth + 1) * d): the values (n, d) at the rows ``at`` (m,) and at the ``depth`` rows before each, newest first."""
    return np.concatenate([values[at - lag] for lag in range(depth + 1)], axis=1)


def lagged_correlation(values: Array, at: Ints, depth: int, until: float = math.inf) -> tuple[Array, int]:
    """(k, k) Pearson correlation of the k = (depth + 1) * d columns of the windows, 0 beside a column that never varies; and
    of how many windows: the first ones, where the time (``until``: time.monotonic) is over before all were read."""
    d = values.shape[1]
    k = (depth + 1) * d
    centred = values - values[at].mean(axis=0)
    newest, total, n = np.zeros((d, k)), np.zeros(k), 0
    rows = max(64, int(min(CELLS / k, PRODUCTS / (d * k))))
    while n < len(at) and (n < 2 * rows or time.monotonic() < until):
        block = windows(centred, at[n : n + rows], depth)
        newest += block[:, :d].T @ block
        total += block.sum(axis=0)
        n += len(block)
    products = _products(newest, centred, at[:n])
    variance = np.diag(products) - total * total / n
    flat = variance <= 1e-14 * (variance + total**2 / n + np.finfo(float).tiny)
    scale = np.where(flat, 0.0, 1.0 / np.sqrt(np.where(flat, 1.0, variance)))
    for lo in range(0, k, rows):  # in place: the matrix may be most of the memory
        some = products[lo : lo + rows]
        some -= np.outer(total[lo : lo + rows], total / n)
        some *= scale * scale[lo : lo + rows, None]
        np.clip(some, -1.0, 1.0, out=some)
    np.fill_diagonal(products, np.where(flat, 0.0, 1.0))
    return products, n


def _products(newest: Array, values: Array, at: Ints) -> Array:
    """(k, k) sums of products of all columns of the windows, from those of lag 0 with all, ``newest`` (d, k).

    A step back moves each run of windows by one row: sum x(t - a - 1) x(t - b - 1)' = sum x(t - a) x(t - b)' less the
    product at the run's last row, and with that at the row before its first one.
    """
    d, k = newest.shape
    breaks = np.flatnonzero(np.diff(at) != 1)
    first, last = np.append(at[:1], at[breaks + 1]), np.append(at[breaks], at[-1:])
    joined, left = (windows(values, rows, k // d - 2) if k > d else newest[:0] for rows in (first - 1, last))
    out = np.zeros((k, k))
    out[:d] = newest
    for a in range(d, k, d):
        one, here = slice(a - d, a), slice(a, a + d)
        out[here, a:] = out[one, a - d : -d] + joined[:, one].T @ joined[:, a - d :] - left[:, one].T @ left[:, a - d :]
    for a in range(d, k, d):
        out[a:, a - d : a] = out[a - d : a, a:].T
    return out


class LaggedCorrelation:
    """Student's t of the partial correlation, n - 2 - |Z| degrees of freedom for n windows and conditions Z."""

    def __init__(self, rho: Array, n: int) -> None:
        self.rho, self.n = np.ascontiguousarray(rho), n

    def answer(self, questions: Questions, until: float = math.inf) -> Answers:
        """r is the partial correlation. A test without a degree of freedom left has p = 1. until: time.monotonic."""
        m = len(questions.cause)
        r, size, state = np.zeros(m), np.zeros(m, np.int64), np.full(m, UNTESTED, np.int8)
        for lo in range(0, m, PIECE):
            if lo and time.monotonic() > until:
                break
            here = slice(lo, lo + PIECE)
            r[here], size[here], state[here] = _partial_correlations(
                self.rho, *_part(questions, lo, min(lo + PIECE, m))
            )
        free = self.n - 2.0 - size
        t = np.abs(r) * np.sqrt(np.maximum(free, 0.0) / np.maximum(1.0 - r * r, 1e-300))
        p = np.where(free >= 1.0, 2.0 * stdtr(np.maximum(free, 1.0), -t), 1.0)
        return Answers(r, p, state)


def _part(questions: Questions, lo: int, hi: int) -> Questions:
    """Questions lo to hi."""
    cause, lag, effect, first, given, start, parent = questions
    ends = first[lo : hi + 1]
    return Questions(cause[lo:hi], lag[lo:hi], effect[lo:hi], ends - ends[0], given[ends[0] : ends[-1]], start, parent)


@njit(cache=True)
def collect(question: int, questions: Questions, d: int, place: AnyArray) -> int:
    """Write the distinct columns that a question is given into ``place``; their number.

    The set first, then the parents of the effect but for the cause itself, then those of the cause moved back.
    """
    cause, lag, effect, first, given, start, parent = questions
    i, tau, j = cause[question], lag[question], effect[question]
    size = 0
    for at in range(first[question], first[question + 1]):
        place[size] = given[at]
        size += 1
    for side in range(2):
        v, move = (j, 0) if side == 0 else (i, tau * d)
        for at in range(start[v], start[v + 1]):
            column = parent[at] + move
            known = column == tau * d + i
            for k in range(size):
                known |= place[k] == column
            if not known:
                place[size] = column
                size += 1
    return size


@njit(cache=True)
def _partial_correlations(
    rho: AnyArray,
    cause: AnyArray,
    lag: AnyArray,
    effect: AnyArray,
    first: AnyArray,
    given: AnyArray,
    start: AnyArray,
    parent: AnyArray,
) -> tuple[AnyArray, AnyArray, AnyArray]:
    """(m,) partial correlations, numbers of conditions, and states: Cholesky's factor row by row, conditions first."""
    questions = Questions(cause, lag, effect, first, given, start, parent)
    m, d = cause.size, start.size - 1
    r, sizes, state = np.zeros(m), np.zeros(m, np.int64), np.zeros(m, np.int8)
    widest = 2
    for v in range(d):
        widest = max(widest, start[v + 1] - start[v])
    most = 0
    for q in range(m):
        most = max(most, first[q + 1] - first[q])
    room = most + 2 * widest + 2
    place, factor = np.empty(room, np.int64), np.empty((room, room))
    for q in range(m):
        size = collect(q, questions, d, place)
        sizes[q] = size
        place[size], place[size + 1] = lag[q] * d + cause[q], effect[q]
        for a in range(size + 2):
            own = factor[a]
            rest = rho[place[a], place[a]]
            until = min(a, size)
            for b in range(until):
                other = factor[b]
                total = rho[place[a], place[b]]
                for k in range(b):
                    total -= own[k] * other[k]
                own[b] = total * other[b]  # the diagonal holds 1 / its entry, or 0 where the rest determines it
                rest -= own[b] * own[b]
            if a < size:
                own[a] = 1.0 / np.sqrt(rest) if rest > DEGENERATE else 0.0
            elif a == size:
                of_cause = rest
            else:
                joint = rho[place[size], place[size + 1]]
                for k in range(size):
                    joint -= own[k] * factor[size, k]
                if rest <= DEGENERATE:
                    state[q] = 2
                elif of_cause <= DEGENERATE:
                    state[q] = 1
                else:
                    r[q] = max(-1.0, min(1.0, joint / np.sqrt(of_cause * rest)))
    return r, sizes, state


def listed(lists: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    """(first, member) of some lists of columns: list q is member[first[q] : first[q + 1]]."""
    first = np.zeros(len(lists) + 1, np.int64)
    first[1:] = np.cumsum([len(one) for one in lists])
    return first, np.array([column for one in lists for column in one], np.int64)


class LaggedRcit:
    """The randomised test of nonlinear dependence (:mod:`.rcit`) between columns of windows; r is -log p."""

    def __init__(self, seen: Array, d: int, seed: int) -> None:
        self.d, self.known = d, dict[tuple[int, int, tuple[int, ...]], float]()
        values = (seen - seen.mean(axis=0)) / np.maximum(seen.std(axis=0), 1e-300)
        self.test = Rcit(values, range(values.shape[1] + 1), None, seed)

    def answer(self, questions: Questions, until: float = math.inf) -> Answers:
        """One test a question, each made once. until: time.monotonic."""
        m = len(questions.cause)
        state = np.full(m, UNTESTED, np.int8)
        p, place = np.ones(m), np.empty(len(questions.given) + 2 * len(questions.parent) + 2, np.int64)
        for q in range(m):
            if time.monotonic() > until:
                break
            state[q] = MADE
            size = collect(q, questions, self.d, place)
            key = (
                int(questions.lag[q] * self.d + questions.cause[q]),
                int(questions.effect[q]),
                tuple(sorted(place[:size].tolist())),
            )
            if key not in self.known:
                self.known[key] = self.test(*key)
            p[q] = self.known[key]
        return Answers(-np.log(np.maximum(p, 1e-300)), p, state)
