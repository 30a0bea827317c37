"""Columns of any kind as blocks of numbers: a category as indicators of its states but one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.arrays import Array, Bools, Ints

RARE = 5  # a state of fewer rows is too rare to say anything by itself (of fewer than a tenth, where rows are few)
MOST = 20  # and no more states than this are kept apart


@dataclass(frozen=True)
class Coding:
    """How columns become blocks. own: the states that have an indicator, None where continuous. start: (d + 1,), the columns of
    v are start[v] .. start[v + 1] - 1. states: (d,) how many each has, 0 where continuous. kept: (d,) how many of them are told apart."""

    own: list[Ints | None]
    start: Ints
    states: Ints
    kept: Ints

    def code(self, values: Array) -> Array:
        """(n, m) of rows (n, d), NaN where missing."""
        coded = np.empty((len(values), int(self.start[-1])))
        for j, own in enumerate(self.own):
            column, block = values[:, j], coded[:, self.start[j] : self.start[j + 1]]
            block[:] = column[:, None] if own is None else column[:, None] == own
            if own is not None:
                block[np.isnan(column)] = np.nan
        return coded


@dataclass(frozen=True)
class Coded(Coding):
    """The same with all rows coded. values: (n, m), NaN where missing."""

    values: Array


def code_blocks(values: Array, discrete: Bools) -> Coded:
    """(n, d) values, NaN where missing, as blocks: numbers as they are, a category as indicators of its states but one."""
    coding = choose_states(values, discrete)
    return Coded(coding.own, coding.start, coding.states, coding.kept, coding.code(values))


def choose_states(values: Array, discrete: Bools) -> Coding:
    """Which states of (n, d) values, NaN where missing, are told apart.

    States of fewer rows than RARE, and those beyond the MOST commonest, count as one state. So a column whose states
    are all rare has no columns left, and says nothing.
    """
    n, d = values.shape
    rare = min(RARE, max(2, n // 10))
    chosen: list[Ints | None] = []
    states, kept = np.zeros(d, np.int64), np.zeros(d, np.int64)
    for j in range(d):
        if not discrete[j]:
            chosen.append(None)
            continue
        column = values[:, j]
        there = ~np.isnan(column)
        count = np.bincount(column[there].astype(np.int64))
        states[j] = (count > 0).sum()
        order = np.argsort(-count, kind="stable")
        own = order[: MOST if states[j] <= MOST else MOST - 1]
        own = own[count[own] >= rare]
        if there.sum() - count[own].sum() < rare:  # what is left joins the rarest
            own = own[:-1]
        kept[j] = len(own) + 1
        chosen.append(own)
    start = np.concatenate([[0], np.cumsum([1 if own is None else len(own) for own in chosen])])
    return Coding(chosen, start.astype(np.int64), states, kept)
