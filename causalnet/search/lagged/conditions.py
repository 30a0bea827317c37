"""The lagged conditions of every variable: a superset of its lagged parents, by the quick variant of PC called PC1.

Each candidate is tested given the p strongest others, one test a candidate for p = 0, 1, 2, ..., and leaves at the first
p-value above alpha (Runge et al., Science Advances 5, 2019, algorithm S1 with q_max = 1). Nothing depends on the order
of the columns: strength is the least absolute partial correlation so far, and candidates leave at the end of a level.
"""

from __future__ import annotations

import time
from typing import NamedTuple, Protocol

import numpy as np

from ...base.arrays import Array, Bools, Ints
from ...stats.lagged import DETERMINED, MADE, UNTESTED, Answers, Questions


class LaggedTests(Protocol):
    """A family of tests between columns of windows."""

    def answer(self, questions: Questions, until: float) -> Answers:
        """One test a question, as far as they are made until then (time.monotonic)."""


class Conditions(NamedTuple):
    """start: (d + 1,), parent: columns (lag * d + v); the conditions of v are parent[start[v] : start[v + 1]], strongest first.

    p: (lags + 1, d, d) largest p-value of each candidate, 1 where none was tested, [lag, cause, effect]; r: that of the
    test with it. tests: how many were made. complete: False where the deadline came first; a candidate that was not
    tested until then is none.
    """

    start: Ints
    parent: Ints
    p: Array
    r: Array
    tests: int
    complete: bool


def find_conditions(tests: LaggedTests, allowed: Bools, alpha: float, deadline: float = np.inf) -> Conditions:
    """The lagged conditions of every variable. allowed: (lags + 1, d, d) bool, the candidates [lag, cause, effect].

    A candidate that the others determine stays: nothing was tested. An effect that its past determines loses those that
    are not of it. deadline: time.monotonic.
    """
    d = allowed.shape[1]
    effect, cause, lag = np.nonzero(allowed[1:].transpose(2, 1, 0))
    lag = lag + 1
    p_most, r_most = np.ones(allowed.shape), np.zeros(allowed.shape)
    p_most[lag, cause, effect] = 0.0
    strength = np.full(len(effect), np.inf)
    made, size = 0, 0
    nobody = np.zeros(d + 1, np.int64), np.zeros(0, np.int64)
    while len(effect):
        count = np.bincount(effect, minlength=d)
        turn = count[effect] - 1 >= size
        if not turn.any() or time.monotonic() > deadline:
            break
        begin = np.concatenate([[0], np.cumsum(count)])[effect]
        rank = (np.arange(len(effect)) - begin)[turn]
        others = np.arange(size)[None, :]
        others = begin[turn][:, None] + others + (others >= rank[:, None])
        given = (lag * d + cause)[others].ravel()
        m = int(turn.sum())
        asked = Questions(cause[turn], lag[turn], effect[turn], np.arange(m + 1) * size, given, *nobody)
        found = tests.answer(asked, deadline)
        late = found.state == UNTESTED
        made += m - int(late.sum())
        at = lag[turn], cause[turn], effect[turn]
        p = np.where(found.state == MADE, found.p, np.where(found.state == DETERMINED, 1.0, 0.0))
        p = np.where(late & (size == 0), 1.0, p)
        r_most[at] = np.where(p >= p_most[at], found.r, r_most[at])
        p_most[at] = np.maximum(p, p_most[at])
        tested = np.where(found.state == MADE, np.abs(found.r), np.inf)
        strength[turn] = np.minimum(strength[turn], tested)
        stay = np.ones(len(effect), bool)
        stay[turn] = p <= alpha
        effect, cause, lag, strength = effect[stay], cause[stay], lag[stay], strength[stay]
        order = np.lexsort((-strength, effect))  # stable: ties stay as they were
        effect, cause, lag, strength = effect[order], cause[order], lag[order], strength[order]
        size += 1
    start = np.concatenate([[0], np.cumsum(np.bincount(effect, minlength=d))]).astype(np.int64)
    complete = time.monotonic() <= deadline
    return Conditions(start, (lag * d + cause).astype(np.int64), p_most, r_most, made, complete)
