"""The interventional BIC of a table with regimes, and the targets that are not known."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...base.arrays import Bools, Ints
from ...base.clock import now
from ...data import Table
from ...data.findings import Findings
from ...data.regimes import refuse_targets
from ...errors import DataError, NotApplicable
from ...graph.interventional import told_apart
from ...search.orders import canonical_order, search_orders
from ...search.targets import find_targets, shifted_graph
from ...stats.dependence import exact_relations, tell_determined
from ...stats.regimes import Pooled, RegimeLocal, pool, sum_regimes
from ...stats.scores import Slots
from ...stats.scores.gaussian import grouped_score
from .choice import LEAST, SHARE, Choice, Settings, edge_price


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
    """f_v = n_v ln s2_v + price |P| of a continuous table, from the rows in which v was left alone, centred within each regime."""
    regimes = data.regimes
    assert regimes is not None
    if data.n < LEAST:
        raise DataError(f"a score needs at least {LEAST} rows to compare graphs by, got {data.n}; add rows")
    if asked.score not in ("auto", "bic"):
        raise NotApplicable(f"score={asked.score!r} knows no regimes; write score='auto'")
    found = Findings()
    refuse_targets(regimes, data.columns, data.values, found)
    found.refuse()
    moments = sum_regimes(data.values, regimes.rows())
    acted = regimes.acted_on(data.columns)
    unknown = np.array([on is None for on in regimes.targets])
    weigh = partial(_weigh, asked=asked)
    told: dict[str, Any] = {}
    if unknown.any():
        price = float(edge_price(data.n, data.d, 1.0, asked.penalty))
        left = max(0.0, asked.deadline - now())
        first = shifted_graph(moments, acted, unknown, allowed, required, price / math.log(data.n), asked.seed, left)
        acted, turns = find_targets(
            moments,
            acted,
            unknown,
            price,
            first,
            lambda targets: weigh(pool(moments, targets), data.n).search(allowed, required, asked, 5),
        )
        told["targets_found"] = {"regimes": list(regimes.unknown), "turns": turns}
    weighed = weigh(pool(moments, acted), data.n)
    on = {
        label: [data.columns[j] for j in np.flatnonzero(row)] for label, row in zip(regimes.labels, acted, strict=True)
    }
    told |= {"score_name": "interventional bic", "penalty": "extended BIC" if asked.penalty is None else asked.penalty}
    told |= {"regimes": {label: int(k) for label, k in zip(regimes.labels, regimes.sizes, strict=True)}, "targets": on}
    return Choice(
        weighed.pooled.near,
        weighed.compile,
        weighed.local.__call__,
        weighed.most,
        told,
        tell_determined(data.columns, exact_relations(weighed.pooled.near)),
        told_apart(acted),
    )


def _weigh(pooled: Pooled, total: int, asked: Settings) -> Weighed:
    """n_v as it is where the penalty is given; else less its intercepts and two, as n - 3 for a table of one regime."""
    d = len(pooled.group)
    price = float(edge_price(total, d, 1.0, asked.penalty))
    n = pooled.n if asked.penalty is not None else np.maximum(2.0, pooled.n - pooled.regimes - 2.0)
    room = max(1, int(pooled.n.min()) // SHARE)
    return Weighed(pooled, RegimeLocal(pooled.corr, pooled.group, n, price), max(1, min(d - 1, room, asked.most or d)))
