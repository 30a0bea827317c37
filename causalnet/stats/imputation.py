"""Missing categories drawn from a network: one sweep of Gibbs sampling over the cells without a value."""

from __future__ import annotations

import numpy as np

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints

PRIOR = 0.5  # rows added to every count
WIDE = 2**62


def draw_marginal(codes: Codes, gone: Bools, rng: np.random.Generator) -> Codes:
    """(n, d) codes with every missing cell drawn from what its column holds elsewhere."""
    filled = codes.copy()
    for j in np.flatnonzero(gone.any(axis=0)):
        there = codes[~gone[:, j], j]
        filled[gone[:, j], j] = np.sort(there)[rng.integers(0, len(there), int(gone[:, j].sum()))]
    return filled


def draw_given_rest(filled: Codes, gone: Bools, cards: Ints, dag: Bools, rng: np.random.Generator) -> Codes:
    """(n, d) codes with every missing cell drawn anew given all others of its row.

    P(x_v | rest) is proportional to P(x_v | x_parents) times P(x_c | x_parents of c) over the children c of v, each
    estimated from ``filled`` with PRIOR rows more in every state. dag: (d, d) bool. cards: (d,).
    """
    filled = filled.copy()
    for v in np.flatnonzero(gone.any(axis=0)):
        rows = np.flatnonzero(gone[:, v])
        some = filled[rows]
        chance = np.zeros((len(rows), cards[v]))
        laws = [(int(c), np.flatnonzero(dag[:, c])) for c in (v, *np.flatnonzero(dag[v]))]
        tables = [_count(filled, c, parents, cards) for c, parents in laws]
        for k in range(cards[v]):
            some[:, v] = k
            for (c, parents), table in zip(laws, tables, strict=True):
                chance[:, k] += _log_chance(some, c, parents, cards, table)
        chance = np.exp(chance - chance.max(axis=1, keepdims=True))
        below = np.cumsum(chance, axis=1)
        filled[rows, v] = (below < rng.random((len(rows), 1)) * below[:, -1:]).sum(axis=1)
    return filled


def _configuration(codes: AnyArray, parents: Ints, cards: Ints) -> Ints:
    """(n,) one number for each configuration of the parents."""
    found = np.zeros(len(codes), np.int64)
    for p in parents:
        found = (found * int(cards[p]) + codes[:, p]) % WIDE
    return found


def _count(codes: AnyArray, v: int, parents: Ints, cards: Ints) -> tuple[Ints, Array]:
    """The configurations that occur, sorted, and (configurations + 1, r) rows in each state of v, the last one of none."""
    kinds, which = np.unique(_configuration(codes, parents, cards), return_inverse=True)
    table = np.zeros((len(kinds) + 1, int(cards[v])))
    np.add.at(table, (which.ravel(), codes[:, v]), 1.0)
    return kinds, table


def _log_chance(codes: AnyArray, v: int, parents: Ints, cards: Ints, table: tuple[Ints, Array]) -> Array:
    """(n,) ln P(x_v | parents)."""
    kinds, count = table
    wanted = _configuration(codes, parents, cards)
    at = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
    at = np.where(kinds[at] == wanted, at, len(kinds))
    law = np.log((count + PRIOR) / (count + PRIOR).sum(axis=1, keepdims=True))
    return np.asarray(law[at, codes[:, v]])
