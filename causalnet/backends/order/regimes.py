"""The interventional scores of a table with regimes, and the targets that are not known."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...base.arrays import Array, Bools, Ints
from ...base.clock import now
from ...data import Table
from ...data.findings import Findings
from ...data.regimes import refuse_targets
from ...errors import DataError, NotApplicable
from ...graph.interventional import told_apart
from ...search.orders import canonical_order, search_orders
from ...search.targets import find_targets, shifted_graph
from ...stats.coding import code_blocks
from ...stats.dependence import exact_relations, tell_determined
from ...stats.regimes import Pooled, RegimeLocal, pool, sum_regimes
from ...stats.scores import BlockLocal, Slots, grouped_blocks, whiten
from ...stats.scores.gaussian import grouped_score
from .choice import (
    LEAST,
    SHARE,
    Choice,
    Settings,
    block_closeness,
    choose_counted,
    edge_price,
)
from .telling import tell_lumped

SCORES = {  # that know regimes, by the kind of a table
    "continuous": ("auto", "bic"),
    "discrete": ("auto", "bic", "fnml", "qnml", "bdeu"),
    "mixed": ("auto", "mixed"),
}


class Weighed(NamedTuple):
    """Pooled moments with their prices. local: f(v | P). most: parents of a variable."""

    pooled: Pooled
    local: RegimeLocal
    most: int

    def compile(self, place: Ints) -> tuple[Any, Slots]:
        """The compiled score, variables in the order ``place`` (d,)."""
        corr, group, n, price = self.local
        return grouped_score(corr[:, place[:, None], place], group[place], n[place], price, self.most)

    def search(self, allowed: Bools, required: Bools, asked: Settings, restarts: int) -> Bools:
        """(d, d) bool: the best DAG met."""
        place = canonical_order(self.pooled.near)
        grid = np.ix_(place, place)
        left = max(0.0, asked.deadline - now())
        near = np.ascontiguousarray(self.pooled.near[grid])
        rules = allowed[grid], required[grid]
        found = search_orders(*self.compile(place), near, *rules, restarts=restarts, seed=asked.seed, max_seconds=left)
        dag = np.zeros_like(allowed)
        dag[grid] = found.dag
        return dag


def choose_by_regime(data: Table, asked: Settings, allowed: Bools, required: Bools) -> Choice:
    """The score of each variable on the rows in which it was left alone: counts, the degenerate Gaussian one, or numbers."""
    regimes = data.regimes
    assert regimes is not None
    if data.n < LEAST:
        raise DataError(f"a score needs at least {LEAST} rows to compare graphs by, got {data.n}; add rows")
    if asked.score not in SCORES[data.kind]:
        raise NotApplicable(f"score={asked.score!r} knows no regimes of {data.kind} tables; write score='auto'")
    if data.kind != "continuous" and regimes.unknown:
        raise NotApplicable(
            "targets that are not known are found among numbers alone; name them with targets=, or use pc"
        )
    found = Findings()
    refuse_targets(regimes, data.columns, data.values, found)
    found.refuse()
    acted = regimes.acted_on(data.columns)
    if data.kind == "continuous":
        return _of_numbers(data, asked, acted, (allowed, required))
    if data.kind == "discrete":
        chosen = choose_counted(data, asked, acted)
    else:
        chosen = _of_blocks(data, asked, acted)
    told = chosen.told | {"score_name": f"interventional {chosen.told['score_name']}"} | _tell(data, acted)
    return replace(chosen, told=told, apart=told_apart(acted))


def _tell(data: Table, acted: Bools) -> dict[str, Any]:
    """The rows of each regime, and its targets."""
    regimes = data.regimes
    assert regimes is not None
    on = {
        label: [data.columns[j] for j in np.flatnonzero(row)] for label, row in zip(regimes.labels, acted, strict=True)
    }
    rows = {label: int(k) for label, k in zip(regimes.labels, regimes.sizes, strict=True)}
    return {"regimes": rows, "targets": on}


def _of_numbers(data: Table, asked: Settings, acted: Bools, rules: tuple[Bools, Bools]) -> Choice:
    """f_v = n_v ln s2_v + price |P| of a continuous table, centred within each regime. rules: allowed, required."""
    regimes = data.regimes
    assert regimes is not None
    moments = sum_regimes(data.values, regimes.rows())
    unknown = np.array([on is None for on in regimes.targets])
    weigh = partial(_weigh, asked=asked)
    told: dict[str, Any] = {}
    if unknown.any():
        price = float(edge_price(data.n, data.d, 1.0, asked.penalty))
        left = max(0.0, asked.deadline - now())
        first = shifted_graph(moments, acted, unknown, *rules, price / math.log(data.n), asked.seed, left)
        acted, turns = find_targets(
            moments,
            acted,
            unknown,
            price,
            first,
            lambda targets: weigh(pool(moments, targets), data.n).search(*rules, asked, 5),
        )
        told["targets_found"] = {"regimes": list(regimes.unknown), "turns": turns}
    weighed = weigh(pool(moments, acted), data.n)
    told |= {"score_name": "interventional bic", "penalty": "extended BIC" if asked.penalty is None else asked.penalty}
    return Choice(
        weighed.pooled.near,
        weighed.compile,
        weighed.local.__call__,
        weighed.most,
        told | _tell(data, acted),
        tell_determined(data.columns, exact_relations(weighed.pooled.near)),
        told_apart(acted),
    )


class Blocks(NamedTuple):
    """Whitened covariances (g, m, m) of blocks of columns in g sets of rows. group, n: (d,) the set of each variable, and
    the factor of its likelihood. price: (d, d). most, room: parents of a variable, and their columns, at most."""

    cov: Array
    start: Ints
    group: Ints
    n: Array
    price: Array
    most: int
    room: int

    def compile(self, place: Ints) -> tuple[Any, Slots]:
        """The compiled score, variables in the order ``place`` (d,)."""
        columns = np.concatenate([np.arange(self.start[v], self.start[v + 1]) for v in place])
        start = np.concatenate([[0], np.cumsum(np.diff(self.start)[place])])
        cov, price = self.cov[:, columns[:, None], columns], self.price[np.ix_(place, place)]
        return grouped_blocks(cov, start, self.group[place], self.n[place], price, self.most, self.room)

    def local(self, v: int, parents: Ints) -> float:
        """f(v | parents)."""
        return BlockLocal(self.cov[self.group[v]], self.start, float(self.n[v]), self.price)(v, parents)


def _of_blocks(data: Table, asked: Settings, acted: Bools) -> Choice:
    """The degenerate Gaussian score of a mixed table, centred within each regime."""
    assert data.regimes is not None
    coded = code_blocks(data.values, data.discrete)
    start, size = coded.start, np.diff(coded.start)
    pooled = pool(sum_regimes(coded.values, data.regimes.rows()), acted)
    cov, near = np.array([whiten(corr, start) for corr in pooled.corr]), whiten(pooled.near, start)
    room = max(1, int(pooled.n.min()) // SHARE)
    blocks = Blocks(
        cov,
        start,
        pooled.group,
        _factors(pooled, asked),
        edge_price(data.n, data.d, np.outer(size, size), asked.penalty),
        max(1, min(data.d - 1, room, asked.most or data.d)),
        room,
    )
    told = {"score_name": "mixed", "penalty": "extended BIC" if asked.penalty is None else asked.penalty}
    return Choice(
        block_closeness(near, start), blocks.compile, blocks.local, blocks.most, told, tell_lumped(data, coded)
    )


def _factors(pooled: Pooled, asked: Settings) -> Array:
    """n_v as it is where the penalty is given; else less its intercepts and two, as n - 3 for a table of one regime."""
    return pooled.n if asked.penalty is not None else np.maximum(2.0, pooled.n - pooled.regimes - 2.0)


def _weigh(pooled: Pooled, total: int, asked: Settings) -> Weighed:
    d = len(pooled.group)
    price = float(edge_price(total, d, 1.0, asked.penalty))
    room = max(1, int(pooled.n.min()) // SHARE)
    return Weighed(
        pooled,
        RegimeLocal(pooled.corr, pooled.group, _factors(pooled, asked), price),
        max(1, min(d - 1, room, asked.most or d)),
    )
