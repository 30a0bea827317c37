"""Regimes as a variable: PC on all rows together with the column that tells their regime, which nothing causes.

Joint causal inference (Mooij, Magliacane and Claassen, JMLR 21, 2020): what a regime acts on is a child of the context.
Where targets are known, it is known to cause those; the others are tested, since a pair that was never tested would orient
nothing. Its categories enter the tests as any others do, so that a
regime's shifts of the mean (numbers) or changes of the law (categories) are seen, changes of a variance or of a slope not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...data import Table
from ...data.sealed import freeze
from ...graph import Graph, Knowledge, PairEvidence


@dataclass(frozen=True)
class Shown:
    """The evidence of a graph with the context, read by the places of the other columns."""

    columns: tuple[str, ...]
    kept: Mapping[tuple[str, str], Mapping[str, Any]]

    def __call__(self, i: int, j: int) -> Mapping[str, Any]:
        return self.kept[self.columns[i], self.columns[j]]


def with_context(table: Table) -> Table:
    """The table with its regimes as the last column, a category."""
    assert table.regimes is not None
    code = table.regimes.code[:, None].astype(float)
    return Table(
        (*table.columns, table.regimes.column),
        freeze(np.hstack([table.values, code])),
        freeze(np.append(table.discrete, True)),
        (*table.levels, table.regimes.labels),
    )


def context_knowledge(table: Table, knowledge: Knowledge | None) -> Knowledge:
    """What is known, and that nothing causes the context, and it what some regime is known to act on."""
    assert table.regimes is not None
    known, context = (knowledge or Knowledge()).over(table.columns), table.regimes.column
    acted = table.regimes.acted_on(table.columns).any(axis=0)
    acts = tuple((context, table.columns[j]) for j in np.flatnonzero(acted))
    never = tuple((name, root) for root in known.roots for name in table.columns if name != root)  # but the context may
    return replace(known, roots=(context,), forbidden=(*known.forbidden, *never), required=(*known.required, *acts))


def without_context(graph: Graph, table: Table) -> Graph:
    """The graph over the variables alone; meta["targets_found"]: those that the context is joined to."""
    assert table.regimes is not None
    d = table.d
    regimes = {k: int(n) for k, n in zip(table.regimes.labels, table.regimes.sizes, strict=True)}
    found = {
        "context": table.regimes.column,
        "targets_found": [table.columns[j] for j in np.flatnonzero(graph.adj[d, :d])],
        "regimes": regimes,
    }
    evidence = PairEvidence(table.columns, np.triu(np.ones((d, d), bool), 1), Shown(table.columns, graph.evidence))
    return Graph(table.columns, graph.adj[:d, :d], evidence=evidence, meta={**graph.meta, **found})
