"""``cn.doctor``: what in a table, or in a graph beside it, makes discovery say more, or less, than it seems to.

Every line is a test with a level: on tables without the fault it is silent in 99 of 100 cases, and a table is named sick
only by what was seen. Sortability: Reisach, Seiler and Weichwald (NeurIPS 2021, 2023); held-out independences: the local
Markov property, as Ankan and Textor test it. Many tests at once are corrected after Holm (1979).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..base.checks import instance
from ..data.series import Series
from ..data.tables import Table, as_table
from ..errors import CausalnetError, DataError
from ..graph.graph import Graph
from ..graph.meek import extension
from ..graph.order import topological_order
from ..stats.degenerate_gaussian import as_blocks, likelihood_ratio
from ..stats.dependence import exact_copies, exact_relations
from ..stats.gaussian_noise import gaussianity, standardised_rows
from ..stats.independence import chi2_p, normal_p
from ..stats.many_tests import holm
from ..stats.season import find_seasons

LEVEL = 0.01  # of each line
NEAR = 0.999  # share of a column's variance that others explain, from which on it is as good as determined
FEW = 10  # rows a variable below which estimates are rough
LEAST = 6  # directed edges from which on sortability can be judged
UNLIKE = 1.2  # ratio of the largest to the least deviation from which on scales can tell an order


@dataclass(frozen=True)
class Finding:
    """check: what was looked at. sick: was the fault seen? seen: what, with numbers. endangers: what it does to results.
    write: what to do about it; both empty where all is well."""

    check: str
    sick: bool
    seen: str
    endangers: str = ""
    write: str = ""


@dataclass(frozen=True)
class Checkup:
    """All findings, the sick ones first; printed, a line each."""

    findings: tuple[Finding, ...]

    @property
    def sick(self) -> tuple[Finding, ...]:
        """Those that something should be done about."""
        return tuple(f for f in self.findings if f.sick)

    def __str__(self) -> str:
        return "\n".join(
            f"{f.check}: {f.seen}; {f.endangers}: {f.write}" if f.sick else f"{f.check}: {f.seen}"
            for f in self.findings
        )

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"findings": [vars(f) for f in self.findings]}


def doctor(data: Any, graph: Graph | None = None) -> Checkup:
    """Look a table over: size, copies, missing cells, trends and order of its rows, Gaussianity, sortability; and whether a
    graph's independences hold in it (best in rows that it was not learned from).

    data: a Table, a Series, or what as_table takes. Sortability is judged along the edges of ``graph``, or of what ``order`` finds.
    """
    table = data if isinstance(data, Table) else as_table(data.frame() if isinstance(data, Series) else data)
    if graph is not None:
        graph = instance("graph", graph, Graph, "a Graph, or None")
        if set(graph.nodes) != set(table.columns):
            odd = sorted(set(graph.nodes) ^ set(table.columns))
            raise DataError(f"graph and table differ in {', '.join(map(repr, odd[:5]))}; give them the same variables")
        graph = graph.align(table.columns)
    found = [*_size(table), *_copies(table), *_missing(table), *_rows(table), *_season(table)]
    found += [*_gaussian(table), *_sortable(table, graph)]
    if graph is not None:
        found += [*_independences(table, graph)]
    return Checkup(tuple(sorted(found, key=lambda f: not f.sick)))


def _names(table: Table, at: Ints | Bools | list[int]) -> str:
    names = [table.columns[j] for j in (np.flatnonzero(at) if np.asarray(at).dtype == bool else at)]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _numbers(table: Table) -> tuple[Ints, Array]:
    """The columns of numbers, and their values in the rows where all of them are known."""
    at = np.flatnonzero(~table.discrete)
    values = table.values[:, at]
    return at, values[~np.isnan(values).any(axis=1)] if table.incomplete else values


def _size(table: Table) -> Iterator[Finding]:
    seen = f"{table.n} rows for {table.d} variables"
    if table.n < FEW * table.d:
        yield Finding(
            "size",
            True,
            seen,
            "missing edges, and edges by chance",
            "trust cn.edge_confidence(data) more than one graph",
        )
    else:
        yield Finding("size", False, seen)


def _copies(table: Table) -> Iterator[Finding]:
    at, values = _numbers(table)
    if len(at) < 2 or len(values) <= len(at):
        return
    corr: Array = np.asarray(np.corrcoef(values.T))
    exact = {int(at[j]) for j, _ in [*exact_copies(corr), *exact_relations(corr)]}
    explained = 1 - 1 / np.diag(np.linalg.pinv(corr, hermitian=True)) if not exact else np.zeros(len(at))
    near = sorted(exact | {int(j) for j in at[explained > NEAR]})
    if near:
        yield Finding(
            "copies",
            True,
            f"{_names(table, near)}: others tell all but {1 - NEAR:.1%} of the variance",
            "their edges, and those of what they copy, are arbitrary",
            f"leave them out: --drop {table.columns[near[-1]]}",
        )
    else:
        yield Finding("copies", False, f"no column is told by the others to more than {max(explained.max(), 0):.1%}")


def _missing(table: Table) -> Iterator[Finding]:
    """Does whether a cell is missing depend on what is seen in other columns? (What it depends on unseen cannot be told.)"""
    if not table.incomplete:
        return
    gone = table.missing
    holes = [j for j in range(table.d) if gone[:, j].any() and not gone[:, j].all()]
    pairs, p = [], []
    for j in holes:
        for k in range(table.d):
            both = ~gone[:, k]
            if k == j or min(gone[both, j].sum(), (~gone[both, j]).sum()) < 5:
                continue
            values = np.column_stack([gone[both, j], table.values[both, k]])
            blocks = as_blocks(values, np.array([True, bool(table.discrete[k])]), None)
            statistic, df, _ = likelihood_ratio(blocks, 0, 1, np.empty(0, np.int64))
            pairs.append((j, k))
            p.append(chi2_p(statistic, df))
    share = f"{gone.mean():.1%} of the cells are missing"
    bad = holm(np.array(p), LEVEL) if p else np.zeros(0, dtype=bool)
    if bad.any():
        j, k = pairs[int(np.argmin(p))]
        yield Finding(
            "missing",
            True,
            f"{share}, not at random: those of {table.columns[j]} depend on {table.columns[k]}",
            "dropping rows biases the rest",
            "let the method handle them (order, missing='auto'), do not fill in means",
        )
    else:
        yield Finding("missing", False, f"{share}; nothing seen tells which")


def _rows(table: Table) -> Iterator[Finding]:
    """Counters and clocks, trends along the rows, and rows that depend on those before them."""
    at, values = _numbers(table)
    n = len(values)
    if n < 20 or not len(at):
        return
    ranks = np.argsort(np.argsort(values, axis=0, kind="stable"), axis=0, kind="stable").astype(float)
    steps = np.sort(values, axis=0)
    gaps = np.diff(steps, axis=0)
    even = (gaps > 0).all(axis=0) & (
        np.ptp(gaps, axis=0) <= 1e-6 * np.abs(gaps).max(axis=0)
    )  # as a counter or a clock has
    inorder = (np.diff(values, axis=0) > 0).all(axis=0)
    if (even & ~inorder).any():
        yield Finding(
            "order of rows",
            True,
            f"{_names(table, at[even & ~inorder])} counts in even steps, and the rows are not in its order",
            "lags and trends are lost",
            f"sort by {table.columns[at[even & ~inorder][0]]}, and leave it out",
        )
    elif (even | inorder).any():
        yield Finding(
            "order of rows",
            True,
            f"{_names(table, at[even | inorder])} rises from row to row, as a counter or a clock does",
            "a clock is no variable, and everything with a trend hangs on it",
            f"leave it out: --drop {table.columns[at[even | inorder][0]]}",
        )
    free = ~(even | inorder)
    if not free.any():
        return
    centred = ranks[:, free] - (n - 1) / 2
    row = np.arange(n) - (n - 1) / 2
    size = (row @ row) or 1.0
    trend = np.array([normal_p(float(abs(c @ row) / size * np.sqrt(n - 1))) for c in centred.T])
    lagged = np.array([normal_p(float(abs(c[1:] @ c[:-1]) / size * np.sqrt(n))) for c in centred.T])
    drift, memory = holm(trend, LEVEL / 2), holm(lagged, LEVEL / 2)
    if drift.any():
        yield Finding(
            "trend",
            True,
            f"{_names(table, at[free][drift])} drifts along the rows",
            "what drifts together is joined without a cause",
            "take differences, or read a series without it: Series(frame, trend=True)",
        )
    else:
        yield Finding("trend", False, "no column drifts along the rows")
    if memory.any():
        yield Finding(
            "independence of rows",
            True,
            f"{_names(table, at[free][memory])}: a row resembles the one before",
            "p-values are too small, and lags are not seen",
            "treat it as a series: a lagged method, such as granger",
        )
    else:
        yield Finding("independence of rows", False, "rows do not resemble those before them")


def _season(table: Table) -> Iterator[Finding]:
    at, values = _numbers(table)
    if not len(at) or len(values) < 50:
        return
    p, period = find_seasons(values)
    found = holm(p, LEVEL)
    if found.any():
        most = period[found][int(p[found].argmin())]
        yield Finding(
            "season",
            True,
            f"{_names(table, at[found])} comes back every {most} rows",
            "what shares a season is joined without a cause",
            f"read a series without it: Series(frame, season={most})",
        )
    else:
        yield Finding("season", False, "no column comes back in a fixed number of rows")


def _gaussian(table: Table) -> Iterator[Finding]:
    at, values = _numbers(table)
    if not len(at) or len(values) < 50:
        return
    p = np.array([gaussianity(u) for u in standardised_rows(values)])
    odd = holm(p, LEVEL)
    if odd.any():
        yield Finding(
            "Gaussianity",
            True,
            f"{odd.sum()} of {len(at)} columns of numbers are not Gaussian: {_names(table, at[odd])}",
            "a Gaussian score leaves directions open that could be told",
            "try lingam, or take logarithms of skewed columns",
        )
    else:
        yield Finding("Gaussianity", False, "no column of numbers is told from a Gaussian")


def _sortable(table: Table, graph: Graph | None) -> Iterator[Finding]:
    """Do causes have smaller variances than their effects, or are they less well told by the rest?"""
    if table.kind != "continuous" or table.incomplete:
        return
    if graph is None:
        from .dispatch import discover

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                graph = discover(table, "order")
        except CausalnetError as error:
            yield Finding("sortability", False, f"not judged: {error}")
            return
    i, j = np.nonzero(graph.directed)
    if len(i) < LEAST:
        yield Finding("sortability", False, f"not judged: only {len(i)} directed edges")
        return
    deviation = table.values.std(axis=0)
    fit = 1 - 1 / np.diag(np.linalg.pinv(table.correlation, hermitian=True))
    for check, what, value, told, endangers, write in (
        (
            "variances",
            "deviation",
            deviation,
            deviation.max() > UNLIKE * deviation.min(),
            "methods that read scales (notears) look better than they are",
            "compare with standardize=True, and with the order of variances as a control",
        ),
        (
            "R2",
            "R2",
            fit,
            True,
            "sorting by how well the others tell a column finds much of such a graph",
            "set the order of R2 beside a method as a control",
        ),
    ):
        up, m = int((value[j] > value[i]).sum()), len(i)
        sick = told and normal_p(2 * abs(up - m / 2) / np.sqrt(m)) < LEVEL and abs(up - m / 2) > m / 4
        seen = f"{up} of {m} directed edges go to the larger {what}"
        yield Finding(check, True, seen, endangers, write) if sick else Finding(check, False, seen)


def _independences(table: Table, graph: Graph) -> Iterator[Finding]:
    """v against each variable before it, given its parents, along an order of one DAG of the class: all others follow from these."""
    dag = None if graph.marks is not None else extension(graph.adj)
    if dag is None:
        yield Finding("independences of the graph", False, "not tested: the graph stands for no DAG")
        return
    blocks = as_blocks(table.values, table.discrete, table.missing if table.incomplete else None)
    order, pairs, p = topological_order(dag) or [], [], []
    for place, v in enumerate(order):
        parents = np.flatnonzero(dag[:, v])
        for w in np.setdiff1d(order[:place], parents):
            statistic, df, _ = likelihood_ratio(blocks, int(v), int(w), parents.astype(np.int64))
            pairs.append((int(v), int(w)))
            p.append(chi2_p(statistic, df) if df > 0 else 1.0)
    if not p:
        yield Finding("independences of the graph", False, "it implies none")
        return
    bad = holm(np.array(p), LEVEL)
    if bad.any():
        v, w = pairs[int(np.argmin(p))]
        yield Finding(
            "independences of the graph",
            True,
            f"{bad.sum()} of {len(p)} do not hold, first {table.columns[v]} and {table.columns[w]} given the causes of {table.columns[v]}",
            "an edge, or a common cause, is missing",
            f"look at the edge with graph.explain({table.columns[v]!r}, {table.columns[w]!r})",
        )
    else:
        yield Finding("independences of the graph", False, f"all {len(p)} that it implies hold")
