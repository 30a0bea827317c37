"""Do the effects of categories on numbers add up, or do categories change slopes and variances?

Of every number v with categories among its parents P in a graph, the marginal likelihoods of two laws are compared: a Gaussian of
its own in each configuration of the categories (:mod:`causalnet.stats.scores.conditional`), and one Gaussian of v given the
numbers and the indicators of the categories, with the same conjugate prior: one intercept a state, one slope a number, one
variance. The sum of the differences is the log Bayes factor of a table whose effects add up, which the degenerate Gaussian score
learns with fewer rows (Kass and Raftery, JASA 90, 1995).
"""

from __future__ import annotations

import numpy as np

from ...base.arrays import Array, Bools
from ...stats.coding import Coding
from ...stats.scores import Conditional, Counted


def additive_evidence(values: Array, coded: Coding, apart: Conditional, dag: Bools) -> float:
    """Twice the log Bayes factor for effects that add up; 0 where no number has a category for a parent.

    values: (n, d) the table, coded: in which blocks. apart: the conditional Gaussian score without a price. dag: (d, d) bool.
    """
    start, blocks = coded.start, coded.code(values)
    blocks -= blocks.mean(axis=0)
    blocks /= blocks.std(axis=0)
    codes = np.zeros(blocks.shape, np.int64)
    together = Conditional(Counted(codes, "fnml", 0.0), blocks, np.ones(blocks.shape[1], bool))
    total = 0.0
    for v in np.flatnonzero(apart.numeric):
        parents = np.flatnonzero(dag[:, v])
        if not apart.numeric[parents].all():
            columns = np.concatenate([np.arange(start[p], start[p + 1]) for p in parents])
            total += apart(int(v), parents) - together(int(start[v]), columns)
    return float(total)
