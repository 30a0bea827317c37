"""Columns of any kind as blocks of numbers: a category as indicators of its states but one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.arrays import Array, Bools, Ints

RARE = 5  # a state of fewer rows is too rare to say anything by itself (of fewer than a tenth, where rows are few)
MOST = 20  # and no more states than this are kept apart


@dataclass(frozen=True)
class Coded:
    """values: (n, m), NaN where missing. start: (d + 1,), the columns of v are start[v] .. start[v + 1] - 1.
    states: (d,) how many each has, 0 where continuous. kept: (d,) how many of them are told apart."""

    values: Array
    start: Ints
    states: Ints
    kept: Ints


def code_blocks(values: Array, discrete: Bools) -> Coded:
    """(n, d) values, NaN where missing, as blocks: numbers as they are, a category as indicators of its states but one.

    States of fewer rows than RARE, and those beyond the MOST commonest, count as one state. So a column whose states
    are all rare has no columns left, and says nothing.
    """
    n, d = values.shape
    rare = min(RARE, max(2, n // 10))
    blocks, states, kept = [], np.zeros(d, np.int64), np.zeros(d, np.int64)
    for j in range(d):
        column = values[:, j]
        if not discrete[j]:
            blocks.append(column[:, None])
            continue
        there = ~np.isnan(column)
        count = np.bincount(column[there].astype(np.int64))
        states[j] = (count > 0).sum()
        order = np.argsort(-count, kind="stable")
        own = order[: MOST if states[j] <= MOST else MOST - 1]
        own = own[count[own] >= rare]
        if there.sum() - count[own].sum() < rare:  # what is left joins the rarest
            own = own[:-1]
        kept[j] = len(own) + 1
        coded = (column[:, None] == own).astype(float)
        coded[~there] = np.nan
        blocks.append(coded)
    start = np.concatenate([[0], np.cumsum([block.shape[1] for block in blocks])])
    return Coded(np.column_stack(blocks) if blocks else np.empty((n, 0)), start.astype(np.int64), states, kept)
