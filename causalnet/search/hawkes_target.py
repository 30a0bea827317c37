"""One type of a stream as a target: the columns of its fit, and what further causes would explain, by the stream's sums."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..stats.hawkes_sums import Moments
from .score_tests import Counted, Tested, counted, fit_columns, scores


class Target(NamedTuple):
    """Type ``own`` of V: G and b of C = (V + 1) * K columns, effects of every type hop by hop, then those of all types together.

    The target's own effects and those of all types together are in every fit.
    """

    own: int
    gram: Array  # (C, C)
    b: Array  # (C,)
    test: Tested
    hops: int

    @property
    def owner(self) -> Ints:
        """(C,) the type of each column, V of those of all types."""
        return np.repeat(np.arange(len(self.b) // self.hops), self.hops)

    def fit(self, kinds: Bools) -> tuple[Ints, Array]:
        """The columns in use where the types ``kinds`` (V,) are causes, and their theta."""
        held = np.append(kinds | (np.arange(len(kinds)) == self.own), True)
        return fit_columns(self.gram, self.b, np.flatnonzero(held[self.owner] & (np.diag(self.gram) > 0)))

    def counts(self, use: Ints, theta: Array) -> Counted:
        """What each column has seen beside a fit, as counts."""
        return counted(self.gram, self.b, self.test, use, theta, self.hops)

    def z(self, use: Ints, theta: Array) -> Array:
        """(V,) z of each type on top of a fit."""
        return scores(self.gram, self.b, self.test, use, theta, self.hops)[:-1]


def target_of(moments: Moments, i: int, hops: int) -> Target:
    """Type i as a target."""
    gram, b = moments.gram_of(i, hops), moments.at[i]
    wide = np.column_stack([gram, gram.reshape(len(gram), -1, hops).sum(axis=1)])
    common = wide.reshape(-1, hops, wide.shape[1]).sum(axis=0)
    none, untested = np.ones(hops), np.full(hops, np.inf)
    test = Tested(
        np.append(moments.whole[i], none),
        np.append(moments.heard[i], none),
        np.append(moments.square[i], untested),
        np.append(moments.ground[i], none),
    )
    return Target(i, np.vstack([wide, common]), np.append(b, b.reshape(-1, hops).sum(axis=0)), test, hops)
