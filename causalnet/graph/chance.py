"""What a graph of the same size would score by chance: random graphs, shuffled names and random orders against one truth.

An answer with m adjacencies over d variables, N = d (d - 1) / 2 pairs, and a truth with t are set against

size    m pairs drawn uniformly, as many of them directed as in the answer, along a uniformly random order: a random DAG of the
        answer's size. The number of pairs shared with the truth is hypergeometric, P(s) = C(t, s) C(N - t, m - s) / C(N, m).
names   the answer itself with its variables' names shuffled: of the same size and shape. Exact whatever the two shapes are,
        where the first is too narrow if both graphs have hubs (Hubert and Schultz 1976, quadratic assignment).
orders  complete graphs along a uniformly random order, the control to beat on dense truths; and, given the answer's pairs and
        which of them it directs, their directions along a uniformly random order.

P-values are (1 + number of draws that score at least as well) / (1 + draws), or the exact tail where there is a closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit

from ..base.arrays import AnyArray, Array, Bools, Ints
from .graph import Graph
from .marks import ARROW, CIRCLE, TAIL
from .metrics import class_marks, end_marks
from .order import is_acyclic

DRAWS = 1000
METRICS = ("f1", "cpdag_f1", "skeleton_f1", "arrowhead_f1")
FEWER, MANY_EDGES = 50, 200_000  # draws where either graph has so many edges, which bounds the time
MOST_PAIRS = 10**9  # numpy draws hypergeometric numbers from urns below this size
FORWARD, BACKWARD, OTHER = 16, 32, 48  # of a pair: from the first to the second, back, joined in another way
_CLASS, _ENDS = 15, 64  # the marks of the class in bits 0 to 3, of the graph itself from bit 6 on


@dataclass(frozen=True)
class Tally:
    """How many of the draws had so many hits: ``counts[k]`` had ``first + k``."""

    first: int
    counts: tuple[int, ...]

    @classmethod
    def of(cls, hits: Ints) -> Tally:
        """The tally of (draws,) numbers of hits."""
        found = np.bincount(hits - hits.min())
        return cls(int(hits.min()), tuple(map(int, found)))

    @property
    def hits(self) -> Ints:
        """(draws,) the numbers of hits, in ascending order."""
        return np.repeat(np.arange(self.first, self.first + len(self.counts)), self.counts)

    def above(self, hits: int) -> tuple[int, int, int]:
        """Draws with more hits, with as many, and all."""
        all_hits = self.hits
        return int((all_hits > hits).sum()), int((all_hits == hits).sum()), len(all_hits)


@dataclass(frozen=True)
class Level:
    """One metric, F1 = 2 hits / (claimed + wanted), of an answer and of the draws."""

    hits: int
    claimed: int
    wanted: int
    size: Tally
    names: Tally
    orders: Tally  # of complete graphs: they claim all pairs

    def f1(self, hits: Any, claimed: int | None = None) -> Any:
        """F1 of so many hits; 1 where there is nothing to find and nothing is claimed."""
        total = (self.claimed if claimed is None else claimed) + self.wanted
        return 2.0 * np.asarray(hits, dtype=np.float64) / total if total else np.ones(np.shape(hits))


@dataclass(frozen=True)
class Chance:
    """What chance does against one truth, at the size of one answer."""

    pairs: int
    levels: Mapping[str, Level]
    right: int  # directions of the answer that the truth has, among the pairs that both direct
    judged: int
    orders: Tally  # how many random orders would get right

    def draws(self, metric: str, control: str) -> Array:
        """(draws,) F1 of the control: "size", "names" or "orders"."""
        level = self.levels[metric]
        found: Array = level.f1(getattr(level, control).hits, self.pairs if control == "orders" else None)
        return found

    def p_value(self, metric: str, control: str) -> float:
        """P(a draw scores at least as well); exact for the pairs of random graphs."""
        level = self.levels[metric]
        if metric == "skeleton_f1" and control == "size":
            return self.skeleton_tail(level.hits)
        more, same, draws = getattr(level, control).above(level.hits)
        return (1 + more + same) / (1 + draws)

    def skeleton_tail(self, hits: int) -> float:
        """P(a random graph of the answer's size shares at least so many pairs with the truth): hypergeometric."""
        from scipy.special import gammaln

        level = self.levels["skeleton_f1"]
        m, t, n = level.claimed, level.wanted, self.pairs
        s = np.arange(hits, min(m, t) + 1)
        s = s[n - t >= m - s]  # as many pairs without an edge as are drawn of them

        def log_choose(a: Any, b: Any) -> Any:
            return gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1)

        logs = log_choose(t, s) + log_choose(n - t, m - s) - log_choose(n, m)
        return min(1.0, float(np.exp(logs).sum()))

    @property
    def p_skeleton(self) -> float:
        """The larger one of the p-values against random graphs and against shuffled names."""
        return max(self.p_value("skeleton_f1", "size"), self.p_value("skeleton_f1", "names"))

    @property
    def p_orientation(self) -> float | None:
        """P(a random order directs at least as many pairs rightly), given the pairs; None where none can be judged."""
        if not self.judged:
            return None
        more, same, draws = self.orders.above(self.right)
        return (1 + more + same) / (1 + draws)

    def as_scored(self, metrics: Mapping[str, Any]) -> Chance:
        """Without the classes where they were compared as those of experiments, whose targets nobody holds here."""
        level, told = self.levels.get("cpdag_f1"), metrics.get("cpdag_f1")
        if level is None or (told is not None and abs(float(level.f1(level.hits)) - told) < 1e-9):
            return self
        return replace(self, levels={name: one for name, one in self.levels.items() if name != "cpdag_f1"})

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        levels = {
            name: [v.hits, v.claimed, v.wanted, *([t.first, *t.counts] for t in (v.size, v.names, v.orders))]
            for name, v in self.levels.items()
        }
        orders = [self.orders.first, *self.orders.counts]
        return {"pairs": self.pairs, "levels": levels, "directions": [self.right, self.judged, orders]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Chance:
        """What ``to_dict`` wrote."""

        def tally(numbers: list[int]) -> Tally:
            return Tally(int(numbers[0]), tuple(map(int, numbers[1:])))

        levels = {k: Level(int(v[0]), int(v[1]), int(v[2]), *map(tally, v[3:])) for k, v in told["levels"].items()}
        right, judged, orders = told["directions"]
        return cls(int(told["pairs"]), levels, int(right), int(judged), tally(orders))


def draw_chance(
    truth: Graph,
    learned: Graph,
    rng: np.random.Generator,
    draws: int = DRAWS,
    classes: tuple[Bools, Bools] | None = None,
) -> Chance | None:
    """What ``draws`` random graphs of the size of ``learned`` score against ``truth``; None below two or beyond 44,000 variables.

    Arrowheads are counted where a graph has end marks. 50 draws at most where a graph has more than 200,000 edges.

    classes: (d, d) the classes of the truth and of the answer where regimes tell directions, in the order of the truth's nodes.
    """
    d = truth.d
    pairs = d * (d - 1) // 2
    if not 0 < pairs < MOST_PAIRS:
        return None
    found = learned.align(truth.nodes)
    t_class, g_class = (class_marks(g) for g in (truth, found)) if classes is None else map(_as_marks, classes)
    has_class = is_acyclic(truth.directed) and not ((t_class == CIRCLE) | (g_class == CIRCLE)).any()
    marked = truth.marks is not None or found.marks is not None
    t_ends, g_ends = end_marks(truth), end_marks(found)
    matrix, own_matrix = _pack(truth, t_class, t_ends), _pack(found, g_class, g_ends)
    ends, own_ends = (_places(np.triu(g.skeleton)) for g in (truth, found))
    own_first = np.where(found.adj[own_ends[:, 0], own_ends[:, 1]][:, None], own_ends, own_ends[:, ::-1])
    draws = min(draws, FEWER) if max(len(ends), len(own_ends)) > MANY_EDGES else draws
    own = own_matrix[own_first[:, 0], own_first[:, 1]]  # from the cause on, where there is one
    shared = rng.hypergeometric(len(ends), pairs - len(ends), len(own), size=draws)
    sized, named = np.zeros((2, len(METRICS), draws), dtype=np.int64)
    _draw_sized(d, ends, matrix[ends[:, 0], ends[:, 1]], own, shared, rng, sized)
    _draw_named(d, own_first, own, matrix, rng, named)
    told = _places(truth.directed)
    both = truth.directed & (found.directed | found.directed.T)
    orders = _draw_orders(d, told, rng, draws)
    hits = _count(matrix, own_first, own)
    open_pairs = int(np.triu((t_class == TAIL) & (t_class.T == TAIL)).sum())
    heads = _places(t_ends == ARROW)
    known = {  # claimed, wanted, and what complete graphs get right
        "f1": (int(found.directed.sum()), len(told), Tally.of(orders)),
        "skeleton_f1": (len(own), len(ends), Tally(len(ends), (draws,))),
    }
    if has_class:
        known["cpdag_f1"] = (len(own), len(ends), Tally(open_pairs, (draws,)))
    if marked:
        known["arrowhead_f1"] = (int((g_ends == ARROW).sum()), len(heads), Tally.of(_draw_orders(d, heads, rng, draws)))
    levels = {}
    for k, name in enumerate(METRICS):
        if name in known:
            claimed, wanted, complete = known[name]
            levels[name] = Level(int(hits[k]), claimed, wanted, Tally.of(sized[k]), Tally.of(named[k]), complete)
    judged, right = int(both.sum()), int((both & found.directed).sum())
    return Chance(pairs, levels, right, judged, Tally.of(_draw_orders(d, _places(both), rng, draws)))


def _as_marks(adj: Bools) -> AnyArray:
    return np.where(adj & ~adj.T, ARROW, np.where(adj | adj.T, TAIL, 0)).astype(np.int8)


def _places(matrix: Bools) -> Ints:
    """(k, 2) where the matrix (d, d) is true, laid out row by row: for each layout numba compiles anew."""
    return np.ascontiguousarray(np.argwhere(matrix))


def _pack(graph: Graph, of_class: AnyArray, ends: AnyArray) -> AnyArray:
    """(d, d) of each ordered pair: how the graph joins it, and the marks of its class and its own at both ends."""
    way = np.where(graph.directed, FORWARD, np.where(graph.directed.T, BACKWARD, OTHER))
    packed = way + 4 * of_class.T.astype(np.int64) + of_class + _ENDS * (4 * ends.T.astype(np.int64) + ends)
    return np.where(graph.skeleton, packed, 0).astype(np.int16)


@njit(cache=True)
def _turn(code: int) -> int:
    """The code of a pair read from its other end."""
    way, marks, ends = code & 48, code & _CLASS, code >> 6
    if way == FORWARD:
        way = BACKWARD
    elif way == BACKWARD:
        way = FORWARD
    return way + 4 * (marks & 3) + (marks >> 2) + _ENDS * (4 * (ends & 3) + (ends >> 2))


@njit(cache=True)
def _compare(truth: int, own: int, hits: Ints) -> None:
    """Add what one drawn pair gets right, by metric; hits: (4,)."""
    if truth > 0 and own > 0:
        hits[0] += (truth & 48) == (own & 48) and (own & 48) != OTHER
        hits[1] += (truth & _CLASS) == (own & _CLASS)
        hits[2] += 1
        t, g = truth >> 6, own >> 6
        hits[3] += ((t & 3) == ARROW and (g & 3) == ARROW) + ((t >> 2) == ARROW and (g >> 2) == ARROW)


@njit(cache=True)
def _count(truth: AnyArray, ends: Ints, own: AnyArray) -> Ints:
    """(4,) what the answer itself gets right."""
    hits = np.zeros((4, 1), dtype=np.int64)
    for k in range(len(own)):
        _compare(truth[ends[k, 0], ends[k, 1]], int(own[k]), hits[:, 0])
    return hits[:, 0]


@njit(cache=True)
def _draw_sized(
    d: int, ends: Ints, truth: AnyArray, own: AnyArray, shared: Ints, rng: np.random.Generator, hits: Ints
) -> None:
    """Random graphs along random orders, of which only the pairs shared with the truth are drawn; hits: (4, draws)."""
    theirs, mine = np.arange(len(truth)), np.arange(len(own))
    place = np.empty(d)
    for b in range(len(shared)):
        for v in range(d):
            place[v] = rng.random()
        for k in range(shared[b]):
            x, y = k + int(rng.random() * (len(theirs) - k)), k + int(rng.random() * (len(mine) - k))
            theirs[k], theirs[x] = theirs[x], theirs[k]
            mine[k], mine[y] = mine[y], mine[k]
            i, j = ends[theirs[k]]
            code = int(own[mine[k]])
            _compare(truth[theirs[k]], code if place[i] < place[j] else _turn(code), hits[:, b])


@njit(cache=True)
def _draw_named(d: int, ends: Ints, own: AnyArray, truth: AnyArray, rng: np.random.Generator, hits: Ints) -> None:
    """The answer with shuffled names; hits: (4, draws)."""
    name = np.arange(d)
    for b in range(hits.shape[1]):
        for v in range(d - 1, 0, -1):
            w = int(rng.random() * (v + 1))
            name[v], name[w] = name[w], name[v]
        for k in range(len(own)):
            _compare(truth[name[ends[k, 0]], name[ends[k, 1]]], int(own[k]), hits[:, b])


@njit(cache=True)
def _draw_orders(d: int, arrows: Ints, rng: np.random.Generator, draws: int) -> Ints:
    """(draws,) how many of the arrows, (k, 2) from cause to effect, a random order agrees with."""
    place, hits = np.empty(d), np.zeros(draws, dtype=np.int64)
    for b in range(draws):
        for v in range(d):
            place[v] = rng.random()
        for k in range(len(arrows)):
            hits[b] += place[arrows[k, 0]] < place[arrows[k, 1]]
    return hits
