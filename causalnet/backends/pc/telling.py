"""What the reader of a graph found by tests has to know, a sentence each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...base.arrays import Bools, Ints
from ...data import Counts, Moments, Table
from ...search.one_by_one import LikelihoodRatio
from ...search.partial_correlation import PartialCorrelation
from ...search.skeleton import Skeleton, Weakest
from ...stats.coding import MOST, RARE
from ...stats.dependence import exact_relations
from ...stats.independence import DEGENERATE
from .choice import Chosen

MOST_NAMED = 5  # columns named in a warning
MOST_FACTORED = 500  # columns up to which determined ones are looked for


class Partial(NamedTuple):
    """pairs: (k, 2) that were not tested given all sets, for there were more than max_sets of one size."""

    pairs: Ints
    max_sets: int | None


def partial_pairs(*records: Weakest) -> Ints:
    """(k, 2) the pairs of which the records say that some sets were left out."""
    records = tuple(record for record in records if record.partial.any())
    if not records:
        return np.zeros((0, 2), np.int64)
    wide = 1 + max(int(r.j.max(initial=0)) for r in records)
    keys = np.unique(np.concatenate([(r.i * wide + r.j)[r.partial] for r in records]))
    return np.stack(np.divmod(keys, wide), axis=1)


def untested_pairs(skeleton: Skeleton, fixed: Bools) -> Ints:
    """(k, 2) the pairs that stay joined because no test of them could be made; none where the deadline came first."""
    record = skeleton.weakest
    if not skeleton.complete or record.weakness.min(initial=0.0) > -np.inf:
        return np.zeros((0, 2), np.int64)
    bare = record.weakness == -np.inf
    i, j = record.i[bare], record.j[bare]
    return np.stack([i, j], 1)[skeleton.adj[i, j] & ~fixed[i, j]]


def tell(
    table: Table | Moments | Counts,
    chosen: Chosen,
    skeleton: Skeleton,
    dropped: Ints,
    partial: Partial,
    untested: Ints,
) -> list[str]:
    """Edges left out for the knowledge (dropped: (k, 2) their ends), sets left out for the budget or for want of rows, determined columns."""
    columns, told = table.columns, []
    if len(dropped):
        pairs = ", ".join(f"{columns[a]} -> {columns[b]}" for a, b in dropped)
        told.append(
            "the data join these pairs, but the knowledge leaves them only a direction that closes a cycle, so they are "
            f"left out: {pairs}; relax the forbidden edges around them"
        )
    told += _tell_untested(columns, untested) + _tell_lumped(table, chosen)
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
        for v, others in sorted(exact_relations(chosen.tests.rho, DEGENERATE), key=lambda found: found[0]):
            names = ", ".join(repr(columns[k]) for k in others)
            told.append(
                f"column {columns[v]!r} is a linear function of {names}: given those no test of it can be made, so edges "
                "among them mean little; drop one of them"
            )
    return told


def _tell_untested(columns: tuple[str, ...], pairs: Ints) -> list[str]:
    if not len(pairs):
        return []
    named = ", ".join(f"{columns[a]!r} and {columns[b]!r}" for a, b in pairs[:MOST_NAMED])
    more = f", and {len(pairs) - MOST_NAMED} more pairs" if len(pairs) > MOST_NAMED else ""
    return [
        f"no test could be made of {named}{more}: too few rows have both, or one determines the other; they stay joined, "
        "which says nothing: drop one of each, or forbid the edge both ways"
    ]


def _tell_lumped(table: Table | Moments | Counts, chosen: Chosen) -> list[str]:
    """The columns whose states are so many, or so rare, that hardly any are told apart."""
    if not isinstance(table, Table) or not isinstance(chosen.tests, LikelihoodRatio):
        return []
    kept, states = np.diff(chosen.tests.blocks.first) + 1, table.cardinality
    lumped = np.flatnonzero(table.discrete & (kept < states) & ((states > MOST) | (kept == 1)))
    if not len(lumped):
        return []
    named = ", ".join(f"{table.columns[j]!r} ({states[j]} states, {kept[j]} kept)" for j in lumped[:MOST_NAMED])
    more = f" and {len(lumped) - MOST_NAMED} more columns" if len(lumped) > MOST_NAMED else ""
    return [
        f"states of fewer than {RARE} rows, and those beyond the {MOST} commonest, count as one state in {named}{more}; a "
        "column with one state kept gets no edge: group its states, or give it as a number"
    ]
