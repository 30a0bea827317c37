"""What the reader of pc's graph has to know, a sentence each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...base.arrays import Ints
from ...data import Counts, Moments, Table
from ...search.orientation import Orientation
from ...search.partial_correlation import PartialCorrelation
from ...search.skeleton import Skeleton, Weakest
from ...stats.independence import determined
from .choice import Chosen

MOST_NAMED = 5  # columns named in a warning
MOST_FACTORED = 500  # columns up to which determined ones are looked for


class Partial(NamedTuple):
    """pairs: (k, 2) that were not tested given all sets, for there were more than max_sets of one size."""

    pairs: Ints
    max_sets: int | None


def partial_pairs(*records: Weakest) -> Ints:
    """(k, 2) the pairs of which the records say that some sets were left out."""
    if not any(record.partial.any() for record in records):
        return np.zeros((0, 2), np.int64)
    return np.unique(np.concatenate([np.stack([r.i, r.j], 1)[r.partial] for r in records]), axis=0)


def tell(
    table: Table | Moments | Counts, chosen: Chosen, skeleton: Skeleton, oriented: Orientation, partial: Partial
) -> list[str]:
    """Edges left out for the knowledge, sets left out for the budget or for want of rows, determined columns."""
    columns, told = table.columns, []
    if len(oriented.dropped):
        pairs = ", ".join(f"{columns[a]} -> {columns[b]}" for a, b in oriented.dropped)
        told.append(
            "the data join these pairs, but the knowledge leaves them only a direction that closes a cycle, so they are "
            f"left out: {pairs}; relax the forbidden edges around them"
        )
    if len(partial.pairs):
        ends = np.bincount(partial.pairs.ravel(), minlength=table.d)
        most = ", ".join(repr(columns[v]) for v in np.argsort(-ends, kind="stable")[:MOST_NAMED] if ends[v])
        told.append(
            f"{len(partial.pairs)} pairs were not tested given every set of their neighbours, most of them those of {most}: "
            f"sizes of which the neighbours of a variable form more than {partial.max_sets} sets are left out around it; "
            "raise max_sets to try more, or bound the size of all sets with max_cond"
        )
    if table.n < table.d:
        told.append(
            f"the table has fewer rows ({table.n}) than columns ({table.d}): tests given more than a few columns can "
            "hardly find a dependence, so edges are missed; add rows, or select fewer columns"
        )
    if skeleton.bounded:
        told.append(
            f"sets of more than {skeleton.depth} columns were not tried: {table.n} rows are too few for such tests"
        )
    if isinstance(chosen.tests, PartialCorrelation) and table.d < min(table.n, MOST_FACTORED + 1):
        for v, others in determined(chosen.tests.rho):
            names = ", ".join(repr(columns[k]) for k in others)
            told.append(
                f"column {columns[v]!r} is a linear function of {names}: given those no test of it can be made, so edges "
                "among them mean little; drop one of them"
            )
    return told
