"""The total effect of one variable on another, E[b | do(a)], from a graph and a table.

The graph says what to adjust for, or that no set would do; the table gives the number. In a class of DAGs in which the
effect is not identified every DAG has its own, which the parents of a in it decide (IDA: Maathuis, Kalisch and Bühlmann,
AoS 37, 2009; adjusted for the best set of each: Witte et al., JMLR 21, 2020): these are shown instead of one number. Sets: :mod:`causalnet.graph.adjustment_sets`;
estimates: :mod:`causalnet.stats.adjusted`. The interval is that of the estimate *given the graph*: a graph that was
learned from the same rows has errors of its own, which ``cn.edge_confidence`` shows.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..base.checks import instance, known, share
from ..data.moments import Moments
from ..data.tables import Table, as_table
from ..errors import DataError, NotApplicable
from ..graph.adjustment_sets import best_adjustment, class_of, directions_at, is_amenable, member, possible_descendants
from ..graph.graph import Graph
from ..stats.adjusted import Estimate, contrast, slope, slope_from_moments

MOST = 256  # ways to direct the edges at a cause that are gone through
FEW = 0.01  # a share of rows without their like in the other group, above which it is told


@dataclass(frozen=True)
class Possible:
    """The effect in some DAGs of a class: an estimate with its interval, and the parents of the cause that these DAGs have."""

    mean: float
    low: float
    high: float
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """The effect of ``cause`` on ``outcome``; printed, a sentence.

    mean, [low, high]: the estimate and its interval; where the effect is not identified mean is NaN, and the interval spans
    those of all that is ``possible``. unit: what the number counts. adjustment: the variables adjusted for. rows: used.
    why: what the graph says of the effect, and what of the data to beware of.
    """

    cause: str
    outcome: str
    mean: float
    low: float
    high: float
    level: float
    unit: str
    why: str
    identified: bool = True
    adjustment: tuple[str, ...] = ()
    rows: int = 0
    possible: tuple[Possible, ...] = ()

    def __str__(self) -> str:
        interval = f"[{self.low:.4g}, {self.high:.4g}]"
        if self.possible:
            values = ", ".join(f"{p.mean:.4g}" for p in self.possible)
            return f"effect of {self.cause} on {self.outcome}: not identified, {self.why}; possible: {values}, in {interval} ({self.unit})"
        by = f", adjusted for {', '.join(self.adjustment)}" if self.adjustment else ""
        return f"effect of {self.cause} on {self.outcome}: {self.mean:.4g} {interval} ({self.unit}{by}); {self.why}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, NaN as None."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "possible"}
        plain = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in own.items()}
        return plain | {"adjustment": list(self.adjustment), "possible": [vars(p) for p in self.possible]}


def effect(
    graph: Graph,
    a: str,
    b: str,
    data: Any,
    *,
    start: Any = None,
    end: Any = None,
    state: Any = None,
    level: float = 0.95,
) -> Effect:
    """E[b | do(a)]: by how much b changes, on average, when a is set, whatever else happens as it does.

    data: a Table, or what :func:`causalnet.as_table` takes, in any order of columns. Of a number a: the change for each
    unit of a (a linear model, errors of any size). Of a category a: the difference between ``end`` and ``start``, its two
    states where there are no others (doubly robust). Of a category b: the change of the probability of ``state``, the
    last one of two. level: of the interval. Of a table with regimes the rows are read in which nothing but a was acted
    on. A PAG, a graph over lags, a cyclic graph, unknown names and an adjustment that the table cannot
    make are refused in a sentence.
    """
    adj = class_of(graph)
    for name in (a, b):
        known(name, graph.nodes, f"the graph has no variable {name!r}")
    if a == b:
        raise DataError(f"the effect of {a!r} on itself is no question; name two variables")
    asked = _Question(graph, a, b, _table(data, a, b), start, end, state, share("level", level))
    x, y = graph.nodes.index(a), graph.nodes.index(b)
    if not is_amenable(adj, x, y):
        return asked.undecided(adj, x)
    if not possible_descendants(member(adj), x)[y]:  # and so in no other DAG of the class
        return asked.none(f"no directed path leads from {a} to {b}, so setting {a} does nothing to {b}")
    return asked.answer(asked.adjustment(adj))


def _table(data: Any, a: str, b: str) -> Table | Moments:
    """The table; of one with regimes the rows in which nothing but ``a`` was acted on."""
    if isinstance(data, Moments):
        return data
    table = data if isinstance(data, Table) else as_table(data)
    regimes = table.regimes
    if regimes is None:
        return table
    others = np.array([on is None or bool(set(on) - {a}) for on in regimes.targets])
    if others.all():
        raise NotApplicable(
            f"in every regime something else than {a} was acted on, or it is not known what was, so that no row tells how "
            f"the rest answers to {a}; name the targets (those found stand in graph.meta['targets']), or add rows left alone"
        )
    kept = table.take(np.flatnonzero(~others[regimes.code]))
    if np.nanmin(answer := kept.values[:, table.columns.index(b)]) == np.nanmax(answer):
        raise DataError(
            f"{b!r} never varies in the {kept.n} rows in which nothing but {a} was acted on, so that nothing moves it"
        )
    return kept


@dataclass(frozen=True)
class _Question:
    """What is asked, of which table."""

    graph: Graph
    a: str
    b: str
    data: Table | Moments
    start: Any
    end: Any
    state: Any
    level: float

    def __post_init__(self) -> None:
        instance("data", self.data, (Table, Moments), "a Table, or a frame that as_table can read")
        for name in (self.a, self.b):
            known(name, self.data.columns, f"the table has no column {name!r}")
        self.contrasts, self.outcome  # noqa: B018  refused before anything is estimated

    def adjustment(self, adj: Bools) -> tuple[str, ...]:
        """The columns to adjust for in a class that identifies the effect, or a sentence where no set of columns will do."""
        nodes = self.graph.nodes
        seen = np.array([name in self.data.columns for name in nodes])
        chosen = best_adjustment(adj, nodes.index(self.a), nodes.index(self.b), seen)
        if chosen is None:
            raise NotApplicable(
                f"the graph identifies the effect of {self.a} on {self.b} by no set of columns in this table; measure more of "
                f"{', '.join(n for n, s in zip(nodes, seen, strict=True) if not s)}"
            )
        return tuple(np.array(nodes)[chosen].tolist())

    def answer(self, adjustment: tuple[str, ...]) -> Effect:
        """The identified effect, adjusted for these."""
        found = self.estimate(adjustment)
        low, high = found.interval(self.level)
        why = "identified by the graph"
        if found.thin > FEW:
            why += f"; {found.thin:.0%} of the rows have no like in one of the two groups, there the answer leans on a linear model"
        if isinstance(self.data, Table) and self.data.regimes is not None:
            why += f"; from the rows in which nothing but {self.a} was acted on"
        elif "regimes" in self.graph.meta:
            why += "; the graph was learned from several experiments, and all rows are read as if they came from one"
        return self._told(found.mean, low, high, why, adjustment=adjustment, rows=found.rows)

    def none(self, why: str) -> Effect:
        """An effect that is zero in every DAG."""
        return self._told(0.0, 0.0, 0.0, why)

    def undecided(self, adj: Bools, x: int) -> Effect:
        """The effect in each DAG of the class, which the parents of the cause decide; each is adjusted for its own best set."""
        nodes, found, rows = self.graph.nodes, [], 0
        ways = list(islice(directions_at(adj, x), MOST + 1))
        if len(ways) > MOST:
            raise NotApplicable(
                f"{self.a} has more than {MOST} possible sets of parents in this class; direct some of its edges by knowledge"
            )
        for way in ways:
            parents = tuple(np.array(nodes)[way.parents].tolist())
            if not possible_descendants(way.dag, x)[nodes.index(self.b)]:
                found.append(Possible(0.0, 0.0, 0.0, parents))
                continue
            one = self.estimate(self.adjustment(way.dag))
            found.append(Possible(one.mean, *one.interval(self.level), parents))
            rows = one.rows
        found.sort(key=lambda p: p.mean)
        loose = [nodes[k] for k in np.flatnonzero(adj[x] & adj[:, x])]
        why = f"since the edges of {self.a} with {', '.join(loose)} have no direction in this class"
        low, high = min(p.low for p in found), max(p.high for p in found)
        return self._told(math.nan, low, high, why, identified=False, rows=rows, possible=tuple(found))

    def _told(self, mean: float, low: float, high: float, why: str, **more: Any) -> Effect:
        unit = self.outcome[0] + (f" per unit of {self.a}" if self.contrasts is None else f" at {self.contrasts[2]}")
        return Effect(self.a, self.b, mean, low, high, self.level, unit, why, **more)

    @cached_property
    def contrasts(self) -> tuple[int, int, str] | None:
        """The codes of start and end, and both in words; None where the cause is a number."""
        levels = self._levels(self.a)
        if levels is None:
            if self.start is not None or self.end is not None:
                told = f"{self.a} is a number, whose effect is told per unit"
                raise DataError(told, python="leave start and end out", shell="leave --from and --to out")
            return None
        if (self.start is None or self.end is None) and len(levels) != 2:
            raise DataError(
                f"{self.a} has {len(levels)} states",
                python=f"say which are compared, as in start={levels[0]!r}, end={levels[1]!r}",
                shell=f"say which are compared, as in --from {shlex.quote(str(levels[0]))} --to {shlex.quote(str(levels[1]))}",
            )
        one = self._code(self.a, "start", levels[0] if self.start is None else self.start)
        two = self._code(self.a, "end", levels[1] if self.end is None else self.end)
        if one == two:
            raise DataError(f"start and end are both {levels[one]!r}; give two states of {self.a}")
        return one, two, f"{self.a} = {levels[two]} against {levels[one]}"

    @cached_property
    def outcome(self) -> tuple[str, int | None]:
        """What is counted, in words, and the code of the state where it is a probability."""
        levels = self._levels(self.b)
        if levels is None:
            if self.state is not None:
                raise DataError(
                    f"{self.b} is a number, and has no state", python="leave state out", shell="leave --state out"
                )
            return f"change of {self.b}", None
        if self.state is None and len(levels) != 2:
            raise DataError(
                f"{self.b} has {len(levels)} states",
                python=f"say whose probability is meant, as in state={levels[-1]!r}",
                shell=f"say whose probability is meant, as in --state {shlex.quote(str(levels[-1]))}",
            )
        code = self._code(self.b, "state", levels[-1] if self.state is None else self.state)
        return f"change of P({self.b} = {levels[code]})", code

    def _levels(self, name: str) -> tuple[Any, ...] | None:
        return self.data.levels[self.data.columns.index(name)] if isinstance(self.data, Table) else None

    def _code(self, name: str, argument: str, label: Any) -> int:
        levels = [str(each) for each in self._levels(name) or ()]
        known(str(label), levels, f"{argument} is {label!r}, and {name!r} has no such state")
        return levels.index(str(label))

    def estimate(self, adjustment: tuple[str, ...]) -> Estimate:
        """The effect adjusted for these, or a sentence on what the table cannot tell."""
        at = [self.data.columns.index(name) for name in (self.b, self.a, *adjustment)]
        found = self._of_moments(at) if isinstance(self.data, Moments) else self._of_rows(self.data, at)
        if found is None:
            given = f" given {', '.join(adjustment)}" if adjustment else ""
            raise NotApplicable(
                f"this table says nothing about the effect of {self.a} on {self.b}: {self.a} does not vary{given}, or too few rows do"
            )
        return found

    def _of_moments(self, at: list[int]) -> Estimate | None:
        assert isinstance(self.data, Moments)
        return slope_from_moments(self.data.covariance[np.ix_(at, at)], self.data.n)

    def _of_rows(self, data: Table, at: list[int]) -> Estimate | None:
        values = data.values[:, at]
        values = values[~np.isnan(values).any(axis=1)]
        y, a, z = values[:, 0], values[:, 1], values[:, 2:]
        if self.outcome[1] is not None:
            y = (y == self.outcome[1]).astype(float)
        if self.contrasts is None:
            return slope(y, a, _coded(z, data.discrete[at[2:]]))
        codes: Ints = a.astype(np.int64)
        return contrast(y, codes, *self.contrasts[:2], z, data.discrete[at[2:]])


def _coded(z: Array, discrete: Bools) -> Array:
    """Columns to regress on: numbers as they are, a category by its states but one."""
    from ..stats.coding import code_blocks

    return z if not discrete.any() else code_blocks(z, discrete).values
