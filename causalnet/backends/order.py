"""The equivalence class of the DAG that minimises a local score, searched over causal orders.

Linear Gaussian: sum_v n ln s2(v | parents) + penalty |parents| ln n, s2 the residual variance; penalty 1 is BIC, 2 the
usual choice for structure. Blind to units: only the correlations enter. Categories: BIC, qNML or BDeu of the counts
(:mod:`causalnet.stats.scores.discrete`). Method: :mod:`causalnet.search.orders`. Cost: for each round of the search
some hundred refits of one variable; the covariance once, then free of the number of rows, or a count of the rows for
every set of parents that is new.

References: Teyssier and Koller, UAI 2005; Schwarz, Annals of Statistics 6, 1978; Heckerman, Geiger and Chickering,
Machine Learning 20, 1995; Andrews et al., NeurIPS 2023 (BOSS); Wienöbst, Henckel and Weichwald, arXiv 2510.04970 (FLOP).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..base.arrays import Array, Bools, Ints
from ..base.checks import number, one_of, whole
from ..data import Counts, Moments, Table, as_table
from ..data.tables import refuse_constants
from ..errors import DataError, NotApplicable
from ..graph import Graph, Knowledge, PairEvidence
from ..graph.meek import cpdag, orient
from ..search.orders import search_orders
from ..stats.scores import Counted, Slots, closeness, discrete_score, gaussian_score, local_score

TAKES = frozenset({"continuous", "discrete"})
GIVES = "cpdag"
HANDLES = frozenset({"streamed"})
KNOWLEDGE = frozenset({"forbidden", "required"})
REQUIRES = ()
ASSUMES = (
    "sufficiency",
    "faithfulness",
    "acyclicity",
    "linearity (continuous tables)",
    "Gaussian noise (continuous tables)",
)
CAVEAT = "The score says nothing about directions within an equivalence class."
SCORES = ("auto", "bic", "qnml", "bdeu")
DISCRETE = "qnml"  # what "auto" is on discrete tables
NEAR = 2.0  # units of score: two graphs that close are a tie
UNCOUNTED = 1e29  # a score from here up has a variable whose required causes have too many configurations


class Choice(NamedTuple):
    """A local score chosen for a table. near: (d, d) correlations, or what stands for them. compiled: the score and its
    slots, with the columns in the order given. exact: f(v | parents). told: its name and settings."""

    near: Array
    compiled: Callable[[Ints], tuple[Any, Slots]]
    exact: Callable[[int, Ints], float]
    told: dict[str, Any]


def learn(
    data: Table | Moments | Counts,
    *,
    knowledge: Knowledge | None = None,
    rng: np.random.Generator,
    score: str = "auto",
    penalty: float | None = None,
    ess: float = 1.0,
    restarts: int = 20,
    max_parents: int | None = None,
    max_seconds: float | None = None,
) -> Graph:
    """The CPDAG of the DAG of least score that was met, with the knowledge's orientations.

    score: "auto" is "bic" on continuous tables, the linear Gaussian one, and "qnml" on discrete ones. penalty: of one
    free number, in units of ln n (BIC); None for 2 on continuous and 1 on discrete tables. ess: equivalent sample size
    (BDeu). restarts: how often the best order is perturbed, in rounds for every 24 variables. max_parents: None for no
    limit but the rows. max_seconds: stop then, with the best so far and meta["complete"] False. rng: one seed is drawn
    from it.

    ``graph.explain(a, b)`` tells by how much the score would rise without the edge, or with it, and if it were
    reversed. meta: "score", "rounds", "refits", and "near_ties": edges that could be dropped for NEAR units.
    """
    restarts = whole("restarts", restarts, 0)
    most = data.d - 1 if data.kind == "discrete" else min(data.d - 1, data.n - 3)
    if max_parents is not None:
        most = min(most, whole("max_parents", max_parents, 1))
    chosen = _choose(data, one_of("score", score, SCORES), penalty, number("ess", ess, above=0.0), max(1, most))
    allowed, required = (knowledge or Knowledge()).compile(data.columns)
    wanted = required.sum(axis=0).max(initial=0)
    if wanted > max(1, most):
        raise DataError(f"the knowledge requires {wanted} causes of one variable, and at most {max(1, most)} fit here")
    place = canonical_order(chosen.near)
    grid = np.ix_(place, place)
    found = search_orders(
        *chosen.compiled(place),
        np.ascontiguousarray(chosen.near[grid]),
        allowed[grid],
        required[grid],
        restarts=restarts,
        seed=int(rng.integers(2**63)),
        max_seconds=max_seconds,
    )
    if found.score > UNCOUNTED:
        raise DataError("the required causes of a variable have more configurations than can be counted; require fewer")
    dag = np.zeros_like(allowed)
    dag[grid] = found.dag
    why = Why(data.columns, chosen.exact, dag, allowed, required)
    meta = chosen.told | {
        "score": found.score,
        "rounds": found.rounds,
        "refits": found.refits,
        "near_ties": [[data.columns[i], data.columns[j]] for i, j in near_ties(why)],
        "complete": found.complete,
    }
    every = np.triu(np.ones_like(allowed), 1)
    evidence = PairEvidence(data.columns, every, partial(Why.__call__, why))
    return Graph(data.columns, known_class(dag, allowed), evidence=evidence, meta=meta)


def warm_up() -> None:
    """Compile (or load) the kernels on a table of four variables of each kind."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((50, 4)) @ np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    for discrete in (False, True):
        table = as_table((values > 0).astype(float) if discrete else values, discrete=discrete)
        learn(table, rng=rng, knowledge=Knowledge(required=(("x0", "x1"),)), max_seconds=60.0)


def _choose(data: Table | Moments | Counts, score: str, penalty: float | None, ess: float, most: int) -> Choice:
    """The local score for a table, with at most ``most`` parents."""
    discrete = data.kind == "discrete"
    price = (1.0 if discrete else 2.0) if penalty is None else number("penalty", penalty, above=0.0)
    if isinstance(data, Moments) or (isinstance(data, Table) and not discrete):
        if score not in ("auto", "bic"):
            raise NotApplicable(f"score={score!r} is for categories, and this table is continuous; write score='bic'")
        if data.n < 4:
            raise DataError(f"the linear Gaussian score needs at least 4 rows, got {data.n}")
        if isinstance(data, Table):
            refuse_constants(data.values, data.columns)
        corr, n = data.correlation, data.n

        def gaussian(place: Ints) -> tuple[Any, Slots]:
            return gaussian_score(np.ascontiguousarray(corr[np.ix_(place, place)]), n, price, most)

        return Choice(corr, gaussian, partial(local_score, corr, n, price), {"score_name": "bic", "penalty": price})
    name = DISCRETE if score == "auto" else score
    codes = data.codes

    def counted(place: Ints) -> tuple[Any, Slots]:
        return discrete_score(codes[:, place], most, name=name, penalty=price, ess=ess)

    small = codes.astype(np.min_scalar_type(int(codes.max())))
    settings = {"bic": {"penalty": price}, "bdeu": {"ess": ess}}.get(name, {})
    return Choice(closeness(codes), counted, Counted(small, name, price, ess), {"score_name": name, **settings})


def canonical_order(corr: Array) -> Ints:
    """(d,) the columns in an order that depends on what they hold, not on where they stand: by their correlations."""
    squares = corr**2
    keys = [np.round((squares**power).sum(axis=1), 9) for power in (2, 1)]
    return np.lexsort(keys).astype(np.int64)


def known_class(dag: Bools, allowed: Bools) -> Bools:
    """(d, d) bool: the CPDAG of ``dag``, its undirected edges turned where knowledge allows one direction only."""
    found = cpdag(dag)
    turned = found & found.T & ~allowed
    if not turned.any():
        return found
    return orient(found & ~turned)


@dataclass(frozen=True)
class Why:
    """What the score says of one pair, worked out when asked.

    local: f(v | parents). dag: (d, d) bool, the best DAG found.
    """

    columns: tuple[str, ...]
    local: Callable[[int, Ints], float]
    dag: Bools
    allowed: Bools
    required: Bools

    def __call__(self, i: int, j: int) -> dict[str, Any]:
        a, b = (j, i) if self.dag[j, i] else (i, j)
        if not self.dag[a, b]:
            adds = {self._arrow(x, y): self.toggled(x, y) for x, y in ((i, j), (j, i)) if self._fits(x, y)}
            item: dict[str, Any] = {"joined": False, "score_if_added": adds}
            if not adds:
                item["note"] = "ruled out by the knowledge"
            return item
        item = {"joined": True, "in_best_dag": self._arrow(a, b)}
        if self.required[a, b]:
            item["note"] = "required by the knowledge"
        item["score_if_dropped"] = self.toggled(a, b)
        turned = self.reversed(a, b)
        if turned is not None:
            item["score_if_reversed"] = turned
        return item

    def toggled(self, a: int, b: int) -> float:
        """How the score changes when a -> b is dropped or added, all else as it is."""
        with_a = self.dag[:, b].copy()
        with_a[a] = ~with_a[a]
        return self._local(b, with_a) - self._local(b, self.dag[:, b])

    def reversed(self, a: int, b: int) -> float | None:
        """How the score changes when a -> b becomes b -> a; None where that closes a cycle or knowledge forbids it."""
        if not self.allowed[b, a] or self.required[a, b] or self._path(a, b, self.dag):
            return None
        into_a = self.dag[:, a].copy()
        into_a[b] = True
        return self.toggled(a, b) + self._local(a, into_a) - self._local(a, self.dag[:, a])

    def _fits(self, a: int, b: int) -> bool:
        return bool(self.allowed[a, b]) and not self._path(b, a, self.dag)

    def _path(self, a: int, b: int, dag: Bools) -> bool:
        """Is there a directed path from a to b, the edge a -> b apart?"""
        seen = np.zeros(len(dag), dtype=bool)
        front = dag[a].copy()
        front[b] = False
        while front.any():
            seen |= front
            front = dag[front].any(axis=0) & ~seen
            if front[b]:
                return True
        return False

    def _local(self, v: int, parents: Bools) -> float:
        return self.local(v, np.flatnonzero(parents))

    def _arrow(self, a: int, b: int) -> str:
        return f"{self.columns[a]} -> {self.columns[b]}"


def near_ties(why: Why) -> list[tuple[int, int]]:
    """Edges (cause, effect) of the best DAG that could be dropped for at most NEAR units of score."""
    return [(int(i), int(j)) for i, j in np.argwhere(why.dag & ~why.required) if why.toggled(i, j) <= NEAR]
