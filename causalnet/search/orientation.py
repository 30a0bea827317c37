"""Arrows that every DAG with this skeleton, these tests and this knowledge shares.

Knowledge first, then unshielded colliders, then Meek's rules (Spirtes, Glymour and Scheines 2000; Meek 1995). On
samples the three can contradict one another. What happens then:

* Knowledge always wins. If one-sided prohibitions leave no acyclic way to orient the joined pairs, the pair with the
  weakest evidence on the cycle being closed is taken out, and reported.
* x - z - y with x and y apart is a collider iff, of all tests of x and y given neighbours of either in the final
  skeleton, that with the **largest p-value** leaves z out (Ramsey, arXiv 1610.00378: PC-Max; tables without degrees of
  freedom say nothing and do not count). Colliders are drawn by how clear that is, p(best set without z) - p(best set
  with z), largest first. One that contradicts an arrow already there, or would close a directed cycle, is not drawn.
* Colliders that are equally clear (to nine decimals) are drawn together: an edge that they would direct both ways, or
  around a cycle, stays undirected, and Meek's rules leave it so.
* Meek's rules draw the edge with the strongest evidence first, and leave undirected what two of them would direct both
  ways in one round; see :mod:`causalnet.graph.meek`.

So the result has no directed cycle and does not depend on the column order. A pair that was never tested counts as
neither adjacent nor separated: no collider, and no rule that argues from "not adjacent", is drawn across it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..base.arrays import AnyArray, Array, Bools, Ints
from ..base.clock import now
from ..base.sorting import sorted_places
from ..graph.meek import add_arrow, close, has, put_below
from .sets import Lists, Question, Tests, either_way, size_limits
from .skeleton import Search, Skeleton, Weakest, no_tests

KNOWN, COLLIDER = 5, 6  # beside R1..R4


@dataclass(frozen=True)
class Orientation:
    """adj: (d, d) bool. rule: (d, d) int8, what drew i -> j: R1..R4, KNOWN, COLLIDER, or 0. partner: (arrows of colliders,
    3), i, j and k of i -> j <- k. dropped: (k, 2) int64, pairs that knowledge left no room for. conflicts: colliders
    and rule applications given up because they contradicted stronger ones."""

    adj: Bools
    rule: NDArray[np.int8]
    partner: Ints
    dropped: Ints
    conflicts: int


class Triples(NamedTuple):
    """Unshielded x - z - y, (t,) each with x < y. clear: (t,) p of the best set without z less p of the best with it.
    edge: (t,) weakness of the weaker of the two edges."""

    x: Ints
    z: Ints
    y: Ints
    clear: Array
    edge: Array


class Retested(NamedTuple):
    """The pairs of the unshielded triples given all sets of the final skeleton. weakest: their tests with the largest
    p-value. tests: how many were made. complete: False when the deadline stopped them."""

    triples: Triples
    weakest: Weakest
    tests: int
    complete: bool


def retest(tests: Tests, skeleton: Skeleton, search: Search) -> Retested:
    """Test the ends of every unshielded triple given all sets of neighbours of either, up to the largest size used.

    None are sought where the time was over before the skeleton was done.
    """
    d, weakest = len(skeleton.adj), skeleton.weakest
    if not skeleton.complete:
        none = np.zeros(0, np.int64)
        return Retested(Triples(none, none, none, np.zeros(0), np.zeros(0)), no_tests(none, none), 0, False)
    most = min(max(skeleton.depth, 1), tests.most, d - 2 if search.max_size is None else search.max_size)
    max_sets = np.inf if search.max_sets is None else float(search.max_sets)
    lines = weakest.i, weakest.j, weakest.weakness
    i, j, parts, limit, over, key, strength, whole = _ask(
        skeleton.adj, lines, ~search.adj, most, max_sets, search.deadline
    )
    near, middle, record = Lists(*parts[:2]), Lists(*parts[2:]), no_tests(i, j)
    found = tests.answer(Question(0, max(most, 0), i, j, near, limit, middle, record.weakness), search.deadline)
    record.enter(np.arange(len(i)), found, over)
    outside, inside = tests.p_values(np.stack((found.outside, found.inside)))
    triples = Triples(*_triples(i, j, middle, outside - inside, key, strength, search.fixed))
    return Retested(triples, record, found.tests, whole and not found.stopped)


@njit(cache=True)
def _ask(
    adj: Bools, lines: tuple[Ints, Ints, Array], untested: Bools, most: int, max_sets: float, deadline: float
) -> tuple[Ints, Ints, tuple[Ints, Ints, Ints, Ints], Ints, Bools, Ints, Array, bool]:
    """What is to be tested again: the ends i, j of unshielded triples, the parts of their neighbours and middles, the largest
    sets, is a pair's budget short?, key and strength of the joined pairs (see :func:`_triples`), was there time for all?"""
    a, b, weakness = lines
    kept, m, d = np.empty(a.size, np.int64), 0, adj.shape[0]
    for k in range(a.size):
        if adj[a[k], b[k]]:
            kept[m] = k
            m += 1
    kept = kept[:m]
    near = either_way(a[kept], b[kept], d)
    i, j, middle, whole = _unshielded(near, untested, deadline)
    limit, over = size_limits(near.first, most, max_sets), np.zeros(i.size, np.bool_)
    for k in range(i.size):
        for v in (i[k], j[k]):
            over[k] |= limit[v] < min(near.first[v + 1] - near.first[v], most)
    parts = near.first, near.member, middle.first, middle.member
    return i, j, parts, limit, over, a[kept] * d + b[kept], weakness[kept], whole


@njit(cache=True)
def _triples(
    i: Ints, j: Ints, middle: Lists, clear: Array, key: Ints, strength: Array, fixed: Bools
) -> tuple[Ints, Ints, Ints, Array, Array]:
    """The parts of :class:`Triples`; an edge of which no test could be made draws no collider. key: d a + b of the joined pairs
    a < b, ascending; strength: their weakness."""
    t, d = middle.member.size, fixed.shape[0]
    x, y, edge = np.empty(t, np.int64), np.empty(t, np.int64), np.full(t, -np.inf)
    for row in range(i.size):
        for k in range(middle.first[row], middle.first[row + 1]):
            z = middle.member[k]
            x[k], y[k] = i[row], j[row]
            for e in (x[k], y[k]):
                weakness = strength[np.searchsorted(key, min(e, z) * d + max(e, z))]
                edge[k] = max(edge[k], weakness)
                if weakness == -np.inf and not fixed[e, z]:
                    clear[k] = 0.0
    return x, middle.member, y, clear, edge


def orient(skeleton: Skeleton, triples: Triples, untested: Bools, allowed: Bools, required: Bools) -> Orientation:
    """Orient a skeleton under knowledge. untested: (d, d) pairs of which nothing is known; allowed, required: (d, d)
    bool as Knowledge.compile gives them. Of an incomplete skeleton only what knowledge says is drawn."""
    d, weakest = len(allowed), skeleton.weakest
    adj = skeleton.adj.copy()
    rule = np.zeros((d, d), np.int8)
    below = np.zeros((d, (d + 63) // 64), np.uint64)
    shield = adj | untested
    lines = np.flatnonzero(adj[weakest.i, weakest.j])
    i, j, strength = weakest.i[lines], weakest.j[lines], -weakest.weakness[lines]
    dropped = np.zeros((0, 2), np.int64)
    if allowed.sum() != d * (d - 1):
        dropped = _draw_known(adj, allowed, required, i, j, strength, rule, below)
    if not skeleton.complete:  # of pairs that were not come to there is no record
        rest = np.triu(adj & adj.T & (allowed != allowed.T))
        a, b = np.nonzero(rest)
        _draw_known(adj, allowed, required, a, b, np.zeros(len(a)), rule, below)
    chosen = np.flatnonzero(triples.clear > 0.0)
    clear = np.round(triples.clear[chosen], 9)
    drawn = np.lexsort((triples.edge[chosen], -clear))
    chosen, clear = chosen[drawn], clear[drawn]
    open_ends = np.zeros((d, d) if len(chosen) else (0, 0), np.bool_)
    given_up, tail, head, other = _draw_colliders(
        adj, triples.x[chosen], triples.z[chosen], triples.y[chosen], clear, rule, open_ends, below
    )
    stuck = open_ends[i, j] if len(chosen) else np.zeros(len(i), bool)
    if skeleton.complete:
        given_up += close(adj, shield, i, j, strength, stuck, rule, below)
    return Orientation(adj, rule, np.stack((tail, head, other), axis=1), dropped, given_up)


def _draw_known(
    adj: Bools,
    allowed: Bools,
    required: Bools,
    i: Ints,
    j: Ints,
    strength: Array,
    rule: NDArray[np.int8],
    below: NDArray[np.uint64],
) -> Ints:
    """Draw, in place, the pairs whose direction is known: required ones, then the strongest. Returns (k, 2) dropped."""
    one_way = np.flatnonzero(allowed[i, j] != allowed[j, i])
    forward = allowed[i, j][one_way]
    tail = np.where(forward, i[one_way], j[one_way])
    head = np.where(forward, j[one_way], i[one_way])
    dropped = []
    for k in np.lexsort((-strength[one_way], ~required[tail, head])):
        a, b = tail[k], head[k]
        if has(below[b], a):
            adj[a, b] = adj[b, a] = False
            dropped.append((a, b))
        else:
            add_arrow(a, b, adj, below)
            rule[a, b] = KNOWN
    return np.array(dropped, np.int64).reshape(-1, 2)


@njit(cache=True)
def _unshielded(near: Lists, untested: AnyArray, deadline: float) -> tuple[AnyArray, AnyArray, Lists, bool]:
    """Ends x < y of x - z - y that are not joined, (m,) each and sorted, with the middles z of each pair. near: the
    neighbours of every variable, ascending; untested: (d, d), pairs that count as neither joined nor apart. The last: was
    there time for all x?"""
    d, whole = near.first.size - 1, True
    xs, ys, zs, count = [0][:0], [0][:0], [0][:0], [0]
    apart = np.empty(d, np.bool_)
    for x in range(d):
        if deadline < np.inf and now() > deadline:
            whole = False
            break
        own = near.member[near.first[x] : near.first[x + 1]]
        apart[:] = True
        apart[own] = False
        seen, ways = [0][:0], 0
        for z in own:
            ways += near.first[z + 1] - near.first[z]
        if (d - 1 - own.size) * d < ways:  # few are apart: whom each of them shares with x
            for y in range(x + 1, d):
                if apart[y] and not untested[x, y]:
                    for z in near.member[near.first[y] : near.first[y + 1]]:
                        if not apart[z]:
                            seen.append(y * d + z)
        else:
            for z in own:
                for y in near.member[near.first[z] : near.first[z + 1]]:
                    if y > x and apart[y] and not untested[x, y]:
                        seen.append(y * d + z)
        for k in sorted_places(np.array(seen, np.int64)):
            y, z = seen[k] // d, seen[k] % d
            if len(ys) == 0 or ys[-1] != y or xs[-1] != x:
                xs.append(x)
                ys.append(y)
                count.append(0)
            count[-1] += 1
            zs.append(z)
    first = np.cumsum(np.array(count, np.int64))
    return np.array(xs, np.int64), np.array(ys, np.int64), Lists(first, np.array(zs, np.int64)), whole


@njit(cache=True)
def _draw_colliders(
    adj: AnyArray,
    xs: AnyArray,
    zs: AnyArray,
    ys: AnyArray,
    clear: AnyArray,
    rule: AnyArray,
    stuck: AnyArray,
    below: AnyArray,
) -> tuple[int, AnyArray, AnyArray, AnyArray]:
    """Draw x -> z <- y in the given order, equally clear ones together, in place: (how many were given up, tail, head
    and partner of the arrows drawn). stuck: (d, d) bool, filled with the edges that stay undirected."""
    tail, head, other = [0][:0], [0][:0], [0][:0]
    given_up, lo = 0, 0
    while lo < xs.size:
        hi = lo + 1
        while hi < xs.size and clear[hi] == clear[lo]:
            hi += 1
        fits = np.zeros(hi - lo, np.bool_)
        for k in range(lo, hi):  # against what is drawn already
            x, z, y = xs[k], zs[k], ys[k]
            fits[k - lo] = adj[x, z] and adj[y, z] and not (stuck[x, z] or stuck[y, z])
            fits[k - lo] &= not (has(below[z], x) or has(below[z], y))
        if hi > lo + 1:  # against one another
            trial = below.copy()
            for k in range(lo, hi):
                if fits[k - lo]:
                    put_below(xs[k], zs[k], trial)
                    put_below(ys[k], zs[k], trial)
            for k in range(lo, hi):
                if fits[k - lo]:
                    for a in (xs[k], ys[k]):
                        if has(trial[zs[k]], a):
                            stuck[a, zs[k]] = stuck[zs[k], a] = adj[zs[k], a]
                            fits[k - lo] = False
        for k in range(lo, hi):
            if not fits[k - lo]:
                given_up += 1
                continue
            for a, b in ((xs[k], ys[k]), (ys[k], xs[k])):
                if adj[zs[k], a] and not stuck[zs[k], a]:
                    add_arrow(a, zs[k], adj, below)
                    rule[a, zs[k]] = COLLIDER
                    tail.append(a)
                    head.append(zs[k])
                    other.append(b)
        lo = hi
    return given_up, np.array(tail, np.int64), np.array(head, np.int64), np.array(other, np.int64)
