"""Minimise edge crossings of a layered drawing: causes above effects (Sugiyama, Tagawa and Toda 1981).

Cycles are broken by the greedy order of Eades, Lin and Smyth (1993), undirected edges follow that order, rows are
filled from the longest path under a width limit (Coffman and Graham 1972), rows are ordered by barycentres, and
the horizontal positions are the least-squares ones that keep every gap (isotonic regression). Nothing is random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array, Bools, Ints
from ..graph import topological_order

Point = tuple[float, float]
Pair = tuple[int, int]
_SWEEPS = 10
_HEIGHT, _GAP = 24.0, 16.0  # of a box, and between boxes side by side
_ROW = _HEIGHT + 40.0  # from a row to the next
_MARGIN = 14.0
_BEND_WIDTH = 6.0  # room that a passing edge takes in a row
_BEND_GAP = 4.0
_STRETCH = 1.9


@dataclass(frozen=True)
class Layout:
    """Where the nodes of a drawing stand.

    x, y: (d,) centres. width: (d,) box widths; every box is ``height`` high. size: (width, height) of the drawing.
    bends: for a joined pair (i, j) that spans several rows, the points that its line passes from i to j.
    """

    x: Array
    y: Array
    width: Array
    height: float
    size: tuple[float, float]
    bends: dict[tuple[int, int], list[Point]] = field(default_factory=dict)


def layered(adj: ArrayLike, width: Sequence[float], *, max_width: float = 560.0) -> Layout:
    """Lay out ``adj`` (d, d) bool (both bits: undirected) with boxes of the given widths; no two boxes overlap.

    max_width: rows are wrapped to stay within it where they can. Nodes without edges stand in rows of their own below.
    """
    a = np.asarray(adj, dtype=bool)
    box, d = np.asarray(width, dtype=np.float64), len(a)
    if not d:
        return Layout(box, box, box, _HEIGHT, (2 * _MARGIN, 2 * _MARGIN))
    joined, down = (a | a.T).any(axis=1), _downward(a)
    rows, bent, links = _with_bends(down, _rows(down, box + _GAP, joined, max_width))
    rows = _uncross(rows, links)
    span = np.concatenate([box, np.full(len(bent), _BEND_WIDTH)])
    if any(_offsets(members, span, d)[-1] > max_width for members in rows):  # too crowded to bend round
        rows = [[c for c in members if c < d] for members in rows]
        bent, links, span = [], _pairs(down), box
    xs, ys = _positions(rows, links, span, d, max_width), np.zeros(len(span))
    for k, members in enumerate(rows):
        ys[members] = k * _ROW
    _place_isolated(np.flatnonzero(~joined), box, xs, ys, len(rows) * _ROW, max_width)
    reach = float((xs + span / 2).max() - (xs - span / 2).min())
    xs = xs * min(_STRETCH, max(1.0, max_width / max(reach, 1.0)))  # use the room: lines are easier to tell apart
    xs = xs - float((xs - span / 2).min()) + _MARGIN
    ys = ys + _HEIGHT / 2 + _MARGIN
    size = (float((xs + span / 2).max() + _MARGIN), float(ys.max() + _HEIGHT / 2 + _MARGIN))
    bends: dict[tuple[int, int], list[Point]] = {}
    for edge, x, y in zip(bent, xs[d:].tolist(), ys[d:].tolist(), strict=True):
        bends.setdefault(edge, []).append((x, y))
    bends |= {(j, i): points[::-1] for (i, j), points in bends.items()}
    return Layout(xs[:d].copy(), ys[:d].copy(), box, _HEIGHT, size, bends)


def break_cycles(adj: ArrayLike) -> list[int]:
    """An order of the nodes with few edges against it; the topological order when there is no cycle.

    Greedy (Eades, Lin and Smyth 1993): sinks go last, sources first, then the largest out- minus in-degree; ties by index.
    """
    a = np.asarray(adj, dtype=bool)
    order = topological_order(a)
    if order is not None:
        return order
    left = np.ones(len(a), dtype=bool)
    head: list[int] = []
    tail: list[int] = []
    while left.any():
        live = a & left[:, None] & left[None, :]
        out, into = live.sum(axis=1), live.sum(axis=0)
        sinks, sources = left & (out == 0), left & (into == 0)
        if sinks.any():
            node = int(np.argmax(sinks))
            tail.append(node)
        else:
            node = int(np.argmax(sources if sources.any() else np.where(left, out - into, -len(a) - 1)))
            head.append(node)
        left[node] = False
    return head + tail[::-1]


def _downward(a: Bools) -> Bools:
    """(d, d) acyclic: every joined pair once, along the order that breaks the cycles."""
    order = break_cycles(a & ~a.T)
    rank = np.empty(len(a), dtype=int)
    rank[order] = np.arange(len(a))
    result: Bools = (a | a.T) & (rank[:, None] < rank[None, :])
    return result


def _rows(down: Bools, span: Array, joined: Bools, max_width: float) -> dict[int, int]:
    """Row of each joined node: below all its causes, rows no wider than ``max_width``, causes pulled towards their effects."""
    order = [i for i in topological_order(down) or [] if joined[i]]
    used: dict[int, float] = {}
    row: dict[int, int] = {}

    def fits(k: int, i: int) -> bool:
        return k not in used or used[k] + span[i] <= max_width

    for i in order:
        k = max((row[int(p)] + 1 for p in np.flatnonzero(down[:, i])), default=0)
        while not fits(k, i):
            k += 1
        row[i] = k
        used[k] = used.get(k, 0.0) + span[i]
    for i in reversed(order):
        below = [row[int(c)] for c in np.flatnonzero(down[i])]
        if not below or down[:, i].sum() > len(below):
            continue
        for k in range(min(below) - 1, row[i], -1):
            if fits(k, i):
                used[row[i]] -= span[i]
                row[i] = k
                used[k] = used.get(k, 0.0) + span[i]
                break
    names = {k: n for n, k in enumerate(sorted(set(row.values())))}
    return {i: names[k] for i, k in row.items()}


def _with_bends(down: Bools, row: dict[int, int]) -> tuple[list[list[int]], list[Pair], list[Pair]]:
    """(rows, bent, links): long edges are cut at every row by a bend; cell d + k of a row is a bend of the edge bent[k]."""
    rows = [[i for i in sorted(row) if row[i] == k] for k in range(max(row.values(), default=-1) + 1)]
    bent: list[Pair] = []
    links: list[Pair] = []
    for i, j in _pairs(down):
        first = len(down) + len(bent)
        bends = [*range(first, first + row[j] - row[i] - 1)]
        bent += [(i, j)] * len(bends)
        for k, cell in enumerate(bends, row[i] + 1):
            rows[k].append(cell)
        links += pairwise([i, *bends, j])
    return rows, bent, links


def _pairs(down: Bools) -> list[Pair]:
    return [(i, j) for i, j in np.argwhere(down).tolist()]


def crossings(rows: Sequence[Sequence[int]], links: Sequence[Pair]) -> int:
    """How many pairs of links between neighbouring rows cross."""
    place = {c: (k, n) for k, members in enumerate(rows) for n, c in enumerate(members)}
    total = 0
    for k in range(len(rows) - 1):
        ends = np.array([(place[u][1], place[v][1]) for u, v in links if place[u][0] == k], dtype=int).reshape(-1, 2)
        du = ends[:, 0][:, None] - ends[:, 0][None, :]
        dv = ends[:, 1][:, None] - ends[:, 1][None, :]
        total += int((du * dv < 0).sum()) // 2
    return total


def _uncross(rows: list[list[int]], links: list[Pair]) -> list[list[int]]:
    """Barycentre sweeps down and up; the order with the fewest crossings stays."""
    near, best, fewest = nx.DiGraph(links), [list(r) for r in rows], crossings(rows, links)
    current = [list(r) for r in rows]
    for sweep in range(2 * _SWEEPS):
        if fewest == 0:
            break
        ahead, ranks = (near.pred, range(1, len(rows))) if sweep % 2 == 0 else (near.succ, range(len(rows) - 2, -1, -1))
        place = {c: n / max(len(r) - 1, 1) for r in current for n, c in enumerate(r)}
        for k in ranks:
            want = {c: _mean([place[v] for v in ahead.get(c, ())], place[c]) for c in current[k]}
            current[k].sort(key=lambda c: (want[c], place[c], c))
            place.update({c: n / max(len(current[k]) - 1, 1) for n, c in enumerate(current[k])})
        now = crossings(current, links)
        if now < fewest:
            best, fewest = [list(r) for r in current], now
    return best


def _offsets(members: Sequence[int], span: Array, d: int) -> Array:
    """(len(members),) closest centres that the boxes of a row allow, the first at 0; bends (>= d) may stand closer."""
    steps = [(span[u] + span[v]) / 2 + (_BEND_GAP if max(u, v) >= d else _GAP) for u, v in pairwise(members)]
    return np.cumsum([0.0, *steps])


def _positions(rows: list[list[int]], links: list[Pair], span: Array, d: int, max_width: float) -> Array:
    """(cells,) horizontal centres: each near its neighbours' mean, in row order, no closer than the boxes allow."""
    from scipy.optimize import isotonic_regression  # late: it is heavy, and every process imports reports

    near = nx.Graph(links)
    offsets = [_offsets(members, span, d) for members in rows]
    xs = np.zeros(len(span))
    for members, at in zip(rows, offsets, strict=True):
        xs[members] = at - at[-1] / 2
    for sweep in range(8):
        for k in range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1):
            members, at = rows[k], offsets[k]
            want = np.array([_mean([xs[v] for v in near.adj.get(c, ())], xs[c]) for c in members])
            free = isotonic_regression(want - at).x
            low, high = -max_width / 2 + span[members[0]] / 2, max_width / 2 - span[members[-1]] / 2 - at[-1]
            xs[members] = (np.clip(free, low, high) if low <= high else free) + at
    return xs


def _place_isolated(isolated: Ints, box: Array, xs: Array, ys: Array, top: float, max_width: float) -> None:
    """Rows of the nodes without edges, from ``top`` downwards, centred."""
    lines: list[list[int]] = []
    for i in isolated.tolist():
        if not lines or float(box[[*lines[-1], i]].sum()) + _GAP * len(lines[-1]) > max_width:
            lines.append([])
        lines[-1].append(i)
    for k, members in enumerate(lines):
        at = _offsets(members, box, len(box))
        xs[members] = at - at[-1] / 2
        ys[members] = top + k * (_HEIGHT + _GAP)


def _mean(values: Sequence[float], default: float) -> float:
    return float(sum(values) / len(values)) if values else float(default)
