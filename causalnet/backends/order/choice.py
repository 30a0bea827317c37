"""The local score for a table: by its kind, its missing cells, and how many rows it has for its columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.special import chdtrc

from ...base.arrays import Array, Bools, Ints
from ...base.clock import now
from ...data import Counts, Moments, Table
from ...data.flaws import refuse_constants
from ...errors import DataError, NotApplicable
from ...search.orders import canonical_order, reorder, search_orders
from ...stats.coding import Coding, choose_states
from ...stats.correlation import correlate_coded, correlate_until
from ...stats.dependence import list_some, tell_relations
from ...stats.missing import pair_counts, sort_gaps
from ...stats.scores import (
    BlockLocal,
    Conditional,
    Counted,
    Slots,
    block_score,
    closeness,
    dependent,
    discrete_score,
    gaussian_score,
    mutual_information,
    scale_numbers,
    whiten,
)
from .additive import additive_evidence
from .filling import fill_categories, fill_covariance, separate_missing
from .sampling import in_time
from .telling import tell_flat, tell_lumped, tell_missing, tell_scattered, tell_strangers

LEAST = 4  # rows below which nothing is learnt
COSTLY = 2e7  # rows times squared columns beyond which a mixed table gets the score that needs no rows
SHARE = 3  # so many rows for each parent of a variable, at least
NEVER = 1e12  # the price of an edge between columns that are never observed together
MANY = 1000  # columns beyond which the correlations themselves may take longer than there is time
UNRELATED = 0.05  # of many columns, pairs whose likelihood ratio has a larger p-value are looked at last


class Settings(NamedTuple):
    """What the caller asked for. most: parents of a variable, None for no limit but the rows. deadline: by base.clock."""

    score: str
    penalty: float | None
    ess: float
    most: int | None
    missing: str
    seed: int
    deadline: float


@dataclass(frozen=True)
class Choice:
    """A local score chosen for a table. near: (d, d) correlations, or what stands for them. compiled: the score and its
    slots, with the columns in the order given. exact: f(v | parents). most: parents of a variable. told: its name and
    settings. warnings: sentences. apart: (d, d) pairs that a regime tells apart, None without regimes. rival: of the best DAG
    (d, d), the score that explains the table better, or None."""

    near: Array
    compiled: Callable[[Ints], tuple[Any, Slots]]
    exact: Callable[[int, Ints], float]
    most: int
    told: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    apart: Bools | None = None
    rival: Callable[[Bools], Choice | None] = lambda dag: None


def choose_score(data: Table | Moments | Counts, asked: Settings) -> Choice:
    """The local score for a table, or for what is known of one."""
    if data.n < LEAST:
        raise DataError(f"a score needs at least {LEAST} rows to compare graphs by, got {data.n}; add rows")
    if isinstance(data, Table):
        _refuse_flat(data)
        if data.incomplete and asked.missing == "refuse":
            raise DataError(f"{data.demands['missing']}, and missing='refuse' takes none; write missing='auto'")
    discrete, mixed = data.kind == "discrete", data.kind == "mixed"
    if asked.missing == "category" and not (discrete or mixed):
        raise NotApplicable("missing='category' is for categories, and this table is continuous; write missing='em'")
    if asked.score in ("fnml", "qnml", "bdeu") and not discrete:
        raise NotApplicable(
            f"score={asked.score!r} is for categories, and this table is {data.kind}; "
            f"write score={'mixed' if mixed else 'bic'!r}"
        )
    if isinstance(data, Counts) and asked.score == "mixed":
        raise NotApplicable("score='mixed' needs the rows, and of this table only counts are known; write score='auto'")
    if asked.score == "conditional" and not (isinstance(data, Table) and mixed and not data.incomplete):
        raise NotApplicable("score='conditional' is for mixed tables without missing cells; write score='auto'")
    if asked.score == "bic" and mixed:
        raise NotApplicable("score='bic' is for columns of one kind, and this table is mixed; write score='mixed'")
    if isinstance(data, Moments) or (isinstance(data, Table) and (not discrete or asked.score == "mixed")):
        return choose_gaussian(data, asked)
    return choose_counted(data, asked)


def _refuse_flat(data: Table) -> None:
    """A sample of a table can have columns that are constant or empty where the table has none."""
    empty = [repr(data.columns[j]) for j in np.flatnonzero(data.missing.all(axis=0))]
    if empty:
        raise DataError(
            f"no row of this sample has a value of {list_some(empty)}; leave that out, or draw a larger sample"
        )
    if data.kind != "discrete":  # a category that is always the same is joined to none
        there = np.where(data.missing, np.nanmin(data.values, axis=0), data.values) if data.incomplete else data.values
        refuse_constants(there, data.columns, data.levels)


def edge_price(n: float, d: int, free: Array | float, penalty: float | None) -> Array:
    """What an edge of ``free`` parameters costs: penalty free ln n, or where penalty is None the extended BIC,

        free ln n + max(ln n, 2 ln d),

    twice BIC for one parameter, and 4 g ln d beyond BIC with g = 1/2 where columns are more than the root of the rows
    (Foygel and Drton 2010): of many pairs that have no edge, some look as if they had one. Its likelihood is taken with
    n - 3 for n, which with few rows is nearer to the law of a correlation (Fisher). All settled on simulated tables, where
    to shrink the correlations (Ledoit and Wolf 2004) made every answer worse.
    """
    rate = math.log(n)
    return np.asarray(free * rate + max(rate, 2.0 * math.log(d)) if penalty is None else penalty * free * rate, float)


def choose_counted(data: Table | Counts, asked: Settings, acted: Bools | None = None) -> Choice:
    """fNML, qNML, BIC or BDeu of counts. Missing categories are drawn by stochastic EM, or a category of their own.

    acted: (r, d), the variables that a regime acts on: its rows do not count for them. None: all rows count.
    """
    name = "fnml" if asked.score == "auto" else asked.score
    price = 1.0 if asked.penalty is None else asked.penalty
    most = data.d - 1 if asked.most is None else min(asked.most, data.d - 1)
    sampled: list[str] = []
    alone: Bools | None = None
    if isinstance(data, Table):
        data, sampled = in_time(data, asked.deadline - now(), asked.seed)
        alone = None if acted is None or data.regimes is None else ~acted[data.regimes.code]
    codes, treated = data.codes, {}
    if isinstance(data, Table) and data.incomplete and asked.missing == "category":
        codes, treated = separate_missing(codes), tell_missing(data, "a category of its own")
    elif isinstance(data, Table) and data.incomplete:

        def score_of(filled: Any) -> tuple[Any, Slots]:
            return discrete_score(filled, max(1, most), name=name, penalty=price, ess=asked.ess)

        codes = fill_categories(codes, score_of, asked.seed, asked.deadline)
        treated = tell_missing(data, "network by EM, cells drawn given the rest of their rows")

    mutual = mutual_information(codes, asked.deadline)
    related = dependent(codes, mutual)

    def counted(place: Ints) -> tuple[Any, Slots]:
        own = None if alone is None else alone[:, place]
        near = reorder(related, place)
        return discrete_score(
            codes[:, place], max(1, most), name=name, penalty=price, ess=asked.ess, alone=own, asked=near
        )

    small = codes.astype(np.min_scalar_type(int(codes.max())))
    settings = {"bdeu": {"ess": asked.ess}, "qnml": {}}.get(name, {"penalty": price})
    told = {"score_name": name, **settings, **treated, **({"rows_used": data.n} if sampled else {})}
    exact = Counted(small, name, price, asked.ess, alone)
    warnings = sampled + tell_flat(data, codes) + tell_scattered(data, codes)
    if np.isnan(mutual[-1, -1]):
        warnings.append(
            "max_seconds was over before all pairs of columns were counted, and those left got no edge; allow more seconds, or "
            "select fewer columns"
        )
    return Choice(closeness(codes, mutual), counted, exact, most, told, warnings)


class Blocks(NamedTuple):
    """How to score blocks of columns as Gaussian. start: (d + 1,). n: the factor of the likelihood. price: (d, d) of an edge. plain: is every
    block one column and every price the same? most, room: parents of one variable, and their columns, at most."""

    start: Ints
    n: float
    price: Array
    plain: bool
    most: int
    room: int

    def compile(self, corr: Array, place: Ints) -> tuple[Any, Slots]:
        """The compiled score for a covariance (m, m) whose blocks are white, variables in the order ``place`` (d,)."""
        if self.plain:
            n = round(self.n)
            penalty = float(self.price[0, 0]) / math.log(n)
            return gaussian_score(reorder(corr, place), n, penalty, self.most)
        columns = np.concatenate([np.arange(self.start[v], self.start[v + 1]) for v in place])
        start = np.concatenate([[0], np.cumsum(np.diff(self.start)[place])])
        price = self.price[np.ix_(place, place)]
        return block_score(corr[np.ix_(columns, columns)], start, self.n, price, self.most, self.room)


def choose_gaussian(data: Table | Moments, asked: Settings) -> Choice:
    """The linear Gaussian score, or the degenerate Gaussian one where categories are coded as blocks of indicators.

    With missing cells the covariance is that of EM, and n the mean number of rows in which two columns are observed: with
    all rows an edge would look better founded than it is.
    """
    if not isinstance(data, Table) or not (data.incomplete or data.discrete.any()):
        corr, n = _correlation(data, asked.deadline), float(data.n)
        blocks = _lay_blocks(np.arange(data.d + 1), n, asked, None)
        return _finish(data, corr, blocks, asked, {}, tell_relations(data.columns, corr, data.n, blocks.start))
    values = data.values
    if asked.missing == "category":
        values = np.where(data.discrete, separate_missing(values), values)
    coded = choose_states(values, data.discrete)
    fewer = {data.columns[j]: int(coded.kept[j]) for j in np.flatnonzero(coded.kept < coded.states)}
    told: dict[str, Any] = {"states_kept": fewer} if fewer else {}
    warnings = tell_lumped(data, coded)
    gone = np.isnan(values) if data.incomplete else np.zeros((1, 1), bool)
    pairs = pair_counts(gone) if gone.any() else None
    n = float(data.n) if pairs is None else max(float(LEAST), float(pairs[~np.eye(data.d, dtype=bool)].mean()))
    if data.incomplete:
        how = "network and covariance by EM" if gone.any() else ""
        own = "a category of its own" if asked.missing == "category" else ""
        told |= tell_missing(data, ", ".join(filter(None, (own, how))), rows=n)
    if pairs is not None:
        warnings += tell_strangers(data, pairs)
    blocks = _lay_blocks(coded.start, n, asked, pairs)

    def learn(corr: Array) -> Bools:
        return _sketch(corr, blocks, asked)

    if asked.score == "conditional" or (
        asked.score == "auto" and data.kind == "mixed" and not data.incomplete and data.n * data.d**2 <= COSTLY
    ):
        return choose_conditional(data, coded, asked, told, warnings)

    if pairs is None:
        corr, rows = correlate_coded(values, coded, (now() + asked.deadline) / 2.0)
        if rows < data.n:
            blocks = _lay_blocks(coded.start, rows, asked, None)
            warnings.append(
                f"max_seconds left time to read {rows:,} of {data.n:,} rows, drawn at random, and the answer is that of those"
            )
    else:
        corr = fill_covariance(sort_gaps(coded.code(values)), coded.start, learn, asked.deadline)
    corr = whiten(corr, coded.start)
    return _finish(data, corr, blocks, asked, told, warnings + tell_relations(data.columns, corr, data.n, coded.start))


def _correlation(data: Table | Moments, deadline: float) -> Array:
    """(d, d), of many columns as far as the time goes."""
    if isinstance(data, Table) and deadline < math.inf and data.d > MANY:
        return correlate_until(data.values, data.columns, deadline)
    return data.correlation


def choose_conditional(
    data: Table, coded: Coding, asked: Settings, told: dict[str, Any], warnings: list[str]
) -> Choice:
    """The conditional Gaussian score of a complete mixed table; states that are coded as one count as one."""
    start, numeric, price = coded.start, ~data.discrete, 2.0 if asked.penalty is None else asked.penalty
    values = coded.code(data.values)
    corr = whiten(np.asarray(np.corrcoef(values.T)), start)
    near = block_closeness(corr, start)
    codes = np.zeros(data.values.shape, np.int32)
    for v in np.flatnonzero(data.discrete):
        block = values[:, start[v] : start[v + 1]] > 0.0
        codes[:, v] = np.where(block.any(axis=1), block.argmax(axis=1) if block.size else 0, block.shape[1])
    most = max(1, min(data.d - 1, data.n // SHARE, asked.most or data.d))
    free = np.maximum(np.outer(np.diff(start), np.diff(start)), 1)
    related = chdtrc(free, data.n * near**2) <= UNRELATED

    def compiled(place: Ints) -> tuple[Any, Slots]:
        grid = np.ix_(place, place)
        numbers = scale_numbers(data.values[:, place], data.discrete[place], most)
        return discrete_score(codes[:, place], most, name="fnml", penalty=price, numbers=numbers, asked=related[grid])

    numbers = scale_numbers(data.values, data.discrete, most).values.T
    exact = Conditional(Counted(codes, "fnml", price), numbers, numeric)
    unpriced = Conditional(Counted(codes, "fnml", 0.0), numbers, numeric)
    settings = {"score_name": "conditional", "penalty": price, **told}
    warnings = warnings + tell_relations(data.columns, corr, data.n, start)
    chosen = Choice(near, compiled, exact, most, settings, warnings)
    if asked.score != "auto":
        return chosen
    return replace(chosen, rival=partial(_additive, data, asked, coded, unpriced))


def _additive(data: Table, asked: Settings, coded: Coding, apart: Conditional, dag: Bools) -> Choice | None:
    """The degenerate Gaussian score, where the graph found says that effects on numbers add up."""
    favoured = additive_evidence(data.values, coded, apart, dag)
    if favoured <= 0.0:
        return None
    other = choose_gaussian(data, asked._replace(score="mixed"))
    return replace(other, told={**other.told, "additive": favoured})


def _lay_blocks(start: Ints, n: float, asked: Settings, pairs: Array | None) -> Blocks:
    """Prices and limits. pairs: (d, d) rows that have both, None where all have all."""
    size = np.diff(start)
    d = len(size)
    room = max(1, int(n) // SHARE)
    price = edge_price(n, d, np.outer(size, size), asked.penalty)
    plain = bool((size == 1).all()) and asked.score != "mixed"
    if pairs is not None and not pairs.all():
        plain, price = False, np.where(pairs > 0, price, NEVER)
    weight = n if asked.penalty is not None else max(2.0, n - 3.0)
    return Blocks(start, weight, price, plain, max(1, min(d - 1, room, asked.most or d)), room)


def _sketch(corr: Array, blocks: Blocks, asked: Settings) -> Bools:
    """(d, d) bool: a DAG of low score, without restarts."""
    near = block_closeness(corr, blocks.start)
    d = len(near)
    place = canonical_order(near)
    grid = np.ix_(place, place)
    free, none = ~np.eye(d, dtype=bool), np.zeros((d, d), bool)
    score, slots = blocks.compile(corr, place)
    left = max(0.0, asked.deadline - now())
    near = np.ascontiguousarray(near[grid])
    found = search_orders(score, slots, near, free, none, restarts=0, seed=asked.seed, max_seconds=left)
    dag = np.zeros((d, d), bool)
    dag[grid] = found.dag
    return dag


def _finish(
    data: Table | Moments, corr: Array, blocks: Blocks, asked: Settings, told: dict[str, Any], warnings: list[str]
) -> Choice:
    name = "bic" if data.kind != "mixed" and asked.score != "mixed" else "mixed"
    settings = {"score_name": name, "penalty": "extended BIC" if asked.penalty is None else asked.penalty, **told}
    exact = BlockLocal(corr, blocks.start, blocks.n, blocks.price)
    near = block_closeness(corr, blocks.start)
    return Choice(near, partial(blocks.compile, corr), exact, blocks.most, settings, warnings)


def block_closeness(corr: Array, start: Ints) -> Array:
    """(d, d) in place of a correlation: that itself between single columns, else the root of the sum of the squares."""
    size = np.diff(start)
    if (size == 1).all():
        return corr
    member = np.repeat(np.eye(len(size)), size, axis=1)
    near = np.sqrt(np.minimum(member @ corr**2 @ member.T, 1.0))
    one = np.flatnonzero(size == 1)
    near[np.ix_(one, one)] = corr[np.ix_(start[one], start[one])]
    np.fill_diagonal(near, 1.0)
    return near
