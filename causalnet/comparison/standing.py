"""Where the methods of a comparison stand: what ranks them, what chance does at their size, and who cannot be told apart.

What ranks is what every method of a data set claims: directed F1 where all claim directions; F1 of the classes (CPDAGs) where
one claims a class, since a class leaves open what such data cannot tell, and a DAG has a class too; F1 of the pairs where one
claims a PAG (of the arrowheads where all do), or where the truth has a cycle and therefore no class. A control is placed, never ranked.

On sampled data a seed draws a sample: values are means over seeds, and methods are compared seed by seed. On fixed data the
value is that of the data itself (seed 0); resamples tell how stable it is, and how large a difference must be to be one.

Chance over seeds: where each seed draws a truth of its own, answers without knowledge are lucky independently, and the mean of
n draws varies less than one draw. Samples of one and the same truth give a method the same luck again and again: a guess that
never changes is right or wrong n times. There the draws of all seeds are averaged rank by rank (the comonotonic coupling, whose
sums are the widest of all in convex order), so that the mean is set against what a single guess can reach.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from ..base.arrays import Array
from ..graph import Graph
from ..graph.chance import Chance
from ..report.leaderboard import CONTROLS
from ..stats.intervals import SHARE, student_interval
from ..stats.ranks import (
    BLOCKS,
    compare_ranks,
    critical_difference,
    find_groups,
    nested_interval,
    paired_interval,
    rank_each,
)

LEVEL = 0.05
RULES = {
    "f1": "F1 over directed edges: every method here claims directions",
    "cpdag_f1": "F1 of the classes (CPDAG F1): {} claim{} a class, so no method is asked for directions that such data cannot tell",
    "skeleton_f1": "F1 of the pairs (skeleton F1): {}",
    "arrowhead_f1": "F1 of the arrowheads: every method here claims a PAG, whose arrowheads say what is no cause",
}


class Compared(Protocol):
    """What is read of a comparison."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row a cell."""

    def data(self, dataset: str) -> dict[str, Any]:
        """What is known of a data set; ``sampled``: does a seed draw it?"""

    def truth(self, dataset: str, seed: int | None = None) -> Graph | None:
        """The true graph."""

    def chance(self, dataset: str, backend: str, seed: int) -> Chance | None:
        """What chance does at the size of the answer of a cell."""

    def claims(self, backend: str) -> str:
        """dag, digraph, cpdag or pag."""


@dataclass(frozen=True)
class Place:
    """One method on one data set; NaN for what is not known.

    value, low, high: of ``metric``; an interval over seeds on sampled data alone. chance, chance_low, chance_high: mean, 5 % and
    95 % of random graphs of the answer's size; orders_high: 95 % of complete random orders. p: P(random graphs of its size, and
    the answer with shuffled names, score as well), the larger one; p_skeleton, p_orientation: of its pairs, and of its directions
    given the pairs. better: p <= .05 and above orders_high, and no control. tied: not told apart from the best (None: unknown).
    resampled, kept: on fixed data, the mean value over resamples, and the share of its adjacencies that a resample finds again.
    """

    dataset: str
    backend: str
    metric: str
    claims: str
    control: bool
    rank: int | None
    value: float
    low: float
    high: float
    n: int
    chance: float
    chance_low: float
    chance_high: float
    orders_high: float
    p: float
    p_skeleton: float
    p_orientation: float
    better: bool
    tied: bool | None
    resampled: float
    kept: float


def is_control(backend: str) -> bool:
    """Is it one of the methods that look at no data?"""
    return backend.partition(":")[0] in CONTROLS


def choose_metric(results: Compared, dataset: str) -> tuple[str, str]:
    """(metric, why): what ranks the methods of a data set."""
    good = _good(results, dataset)
    claims = {b: results.claims(b) for b in dict.fromkeys(good["backend"]) if not is_control(b)}
    pags, classes = (
        list(dict.fromkeys(b.partition(":")[0] for b, claim in claims.items() if claim == word))
        for word in ("pag", "cpdag")
    )
    if pags and all(claim == "pag" for claim in claims.values()) and good["arrowhead_f1"].notna().any():
        return "arrowhead_f1", RULES["arrowhead_f1"]
    if pags:
        told = f"{', '.join(pags)} claim{'s' * (len(pags) == 1)} a PAG, which shares no more than its pairs with other graphs"
        return "skeleton_f1", RULES["skeleton_f1"].format(told)
    if classes and good["cpdag_f1"].notna().any():
        return "cpdag_f1", RULES["cpdag_f1"].format(", ".join(classes), "s" * (len(classes) == 1))
    if classes:
        return "skeleton_f1", RULES["skeleton_f1"].format("the truth has a directed cycle and therefore no class")
    return "f1", RULES["f1"]


def place_methods(results: Compared, dataset: str) -> list[Place]:
    """Every method that finished on a data set with truth, best first; controls stand among them without a rank."""
    if results.truth(dataset) is None:
        return []
    metric, _ = choose_metric(results, dataset)
    good, sampled = _good(results, dataset), results.data(dataset)["sampled"]
    values = {b: _by_seed(cells, metric) for b, cells in good.groupby("backend", sort=False)}
    values = {b: found for b, found in values.items() if found}
    found = [_place(results, dataset, str(b), metric, seeds, sampled) for b, seeds in values.items()]
    seconds = good.groupby("backend")["seconds"].mean()
    found.sort(key=lambda p: (-p.value, seconds[p.backend], p.backend))
    ranked = [p for p in found if not p.control]
    placed = []
    for place in found:
        changes: dict[str, Any] = {}
        if not place.control:
            best = ranked[0].backend
            tied = True if place.backend == best else _tie(values[best], values[place.backend], sampled)
            changes = {"rank": 1 + ranked.index(place), "tied": tied}
        placed.append(Place(**{**asdict(place), **changes}))
    return placed


def _good(results: Compared, dataset: str) -> pd.DataFrame:
    frame = results.frame
    return frame[(frame["dataset"] == dataset) & (frame["status"] == "ok")]


def _by_seed(cells: pd.DataFrame, metric: str) -> dict[int, float]:
    known = cells[cells[metric].notna()]
    return dict(zip(map(int, known["seed"]), map(float, known[metric]), strict=True))


def _place(
    results: Compared, dataset: str, backend: str, metric: str, seeds: Mapping[int, float], sampled: bool
) -> Place:
    """The method's value and its chance, as yet without rank."""
    nan = math.nan
    fixed = not sampled and 0 in seeds
    counted = [0] if fixed else sorted(seeds)
    mean, low, high = student_interval([seeds[s] for s in counted], bounds=SHARE)
    told = [results.chance(dataset, backend, s) for s in counted]
    known = [c for c in told if c is not None and metric in c.levels]
    told_apart = (sampled or fixed) and len(known) == len(
        counted
    )  # resamples alone say nothing of chance: they are not independent
    again = len({results.truth(dataset, s) for s in counted}) == 1
    band = _band(known, metric, mean, again) if told_apart else {}
    others = [v for s, v in seeds.items() if s]
    resampled = nan if sampled or not others else float(np.mean(others))
    control = is_control(backend)
    better = not control and bool(band) and band["p"] <= LEVEL and mean > band["orders_high"]
    numbers = {"value": mean, "low": low, "high": high, "resampled": resampled}
    return Place(
        dataset,
        backend,
        metric,
        claims=results.claims(backend),
        control=control,
        rank=None,
        n=len(counted),
        better=better,
        tied=None,
        kept=_kept(results, dataset, backend, list(seeds)) if fixed and others else nan,
        **{name: band.get(name, nan) for name in _BAND},
        **numbers,
    )


_BAND = ("chance", "chance_low", "chance_high", "orders_high", "p", "p_skeleton", "p_orientation")


def _band(told: Sequence[Chance], metric: str, mean: float, again: bool) -> dict[str, float]:
    """The draws' mean over the seeds and what they say of the method's mean; again: all seeds have one truth."""
    if len(told) == 1:
        one = told[0]
        size, orders = one.draws(metric, "size"), one.draws(metric, "orders")
        p = max(one.p_value(metric, "size"), one.p_value(metric, "names"))
        p_skeleton, direction = one.p_skeleton, one.p_orientation
    else:
        rng = np.random.default_rng(0)

        def average(drawn: Sequence[Array]) -> Array:
            least = min(map(len, drawn))
            found = np.array([rng.permutation(draws)[:least] for draws in drawn])
            return np.mean(np.sort(found, axis=1) if again else found, axis=0)

        def control(name: str, kind: str) -> Array:
            return average([c.draws(name, kind) for c in told])

        size, orders = control(metric, "size"), control(metric, "orders")
        p = max(_tail(size, mean), _tail(control(metric, "names"), mean))
        pairs = float(np.mean([c.levels["skeleton_f1"].f1(c.levels["skeleton_f1"].hits) for c in told]))
        p_skeleton = max(_tail(control("skeleton_f1", kind), pairs) for kind in ("size", "names"))
        judged = [c for c in told if c.judged]
        right = float(np.mean([c.right for c in judged])) if judged else 0.0
        direction = _tail(average([c.orders.hits.astype(float) for c in judged]), right) if judged else None
    low, high = np.quantile(size, [LEVEL, 1 - LEVEL])
    numbers = (size.mean(), low, high, np.quantile(orders, 1 - LEVEL), p, p_skeleton)
    return dict(zip(_BAND, (*map(float, numbers), math.nan if direction is None else direction), strict=True))


def _tail(draws: Array, value: float) -> float:
    return (1 + int((draws >= value - 1e-12).sum())) / (1 + len(draws))


def _kept(results: Any, dataset: str, backend: str, seeds: Sequence[int]) -> float:
    """Share of the adjacencies learned from the data itself that a resample finds again, over the resamples."""
    shares = edge_shares(results, dataset, backend, seeds)
    own = results.graph(dataset, backend, 0)
    return (
        float("nan") if shares is None or own is None or not own.skeleton.any() else float(shares[own.skeleton].mean())
    )


def edge_shares(results: Any, dataset: str, backend: str, seeds: Sequence[int]) -> Array | None:
    """(d, d) share of the resamples (seeds after 0) in which a pair is joined; None without any."""
    graphs = [results.graph(dataset, backend, s) for s in seeds if s]
    found = [g.skeleton for g in graphs if g is not None]
    return np.mean(found, axis=0) if found else None


def _tie(best: Mapping[int, float], other: Mapping[int, float], sampled: bool) -> bool | None:
    """Can the two not be told apart? None where there is too little to judge by."""
    both = sorted(best.keys() & other.keys())
    differences = np.array([best[s] - other[s] for s in both])
    if sampled:
        low = paired_interval(differences)[1] if len(both) > 1 else math.nan
        return None if math.isnan(low) else low <= 0
    again = differences[[s != 0 for s in both]]
    if len(again) < 3 or 0 not in both:
        return None
    from scipy.special import stdtrit

    return bool(abs(best[0] - other[0]) <= stdtrit(len(again) - 1, 0.975) * again.std(ddof=1))


# ---- over data sets ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranks:
    """Mean ranks over data sets, best first; why: said where there are too few of them, and then ``methods`` is empty.

    statistic, p: Friedman's, of all methods alike. apart: the critical difference of Nemenyi. groups: (first, last) positions of
    methods that are not told apart. leads: by how much the first leads each other one, mean with a 95 % interval by the paired
    bootstrap over data sets and seeds.
    """

    methods: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    blocks: int = 0
    statistic: float = math.nan
    p: float = math.nan
    apart: float = math.nan
    groups: tuple[tuple[int, int], ...] = ()
    leads: tuple[tuple[float, float, float], ...] = ()
    why: str = ""


def rank_over(results: Compared, places: Mapping[str, Sequence[Place]]) -> Ranks:
    """The methods over all data sets with truth, each ranked by its own rule; a method that lacks many of them is left out."""
    board = {name: {p.backend: p.value for p in found if not p.control} for name, found in places.items()}
    methods = list(dict.fromkeys(b for row in board.values() for b in row))
    blocks: list[str] = []
    while len(methods) > 1:
        blocks = [name for name, row in board.items() if row.keys() >= set(methods)]
        if len(blocks) >= BLOCKS:
            break
        methods.remove(min(methods, key=lambda b: sum(b in row for row in board.values())))
    if len(methods) < 2 or len(blocks) < BLOCKS:
        most = max((sum(b in row for row in board.values()) for row in board.values() for b in row), default=0)
        return Ranks(
            why=f"ranks are compared over {BLOCKS} data sets or more that all methods finished; here {most} at most"
        )
    ranks = rank_each([[board[name][b] for b in methods] for name in blocks])
    order = np.argsort(ranks.mean(axis=0), kind="stable")
    methods, ranks = [methods[k] for k in order], ranks[:, order]
    means = tuple(map(float, ranks.mean(axis=0)))
    statistic, p = compare_ranks(ranks)
    apart = critical_difference(len(methods), len(blocks))
    values = _values(results, places, blocks)
    leads = tuple(_lead(values, blocks, methods[0], b) for b in methods[1:])
    groups = tuple(find_groups(means, apart))
    return Ranks(tuple(methods), means, len(blocks), statistic, p, apart, groups, leads)


def _values(
    results: Compared, places: Mapping[str, Sequence[Place]], blocks: Sequence[str]
) -> dict[tuple[str, str], dict[int, float]]:
    """What ranks, by data set and method, of each seed that counts."""
    found = {}
    for name in blocks:
        metric, sampled = places[name][0].metric, results.data(name)["sampled"]
        for backend, cells in _good(results, name).groupby("backend", sort=False):
            found[name, str(backend)] = {s: v for s, v in _by_seed(cells, metric).items() if sampled or not s}
    return found


def _lead(
    values: Mapping[tuple[str, str], Mapping[int, float]], blocks: Sequence[str], first: str, other: str
) -> tuple[float, float, float]:
    pairs = [(values[name, first], values[name, other]) for name in blocks]
    groups = [[mine[s] - its[s] for s in sorted(mine.keys() & its.keys())] for mine, its in pairs]
    return nested_interval([g for g in groups if g])
