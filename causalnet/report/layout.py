"""Minimise edge crossings of a layered drawing: causes above effects (Sugiyama, Tagawa and Toda 1981).

Cycles are broken by the greedy order of Eades, Lin and Smyth (1993), undirected edges follow that order, rows are
filled from the longest path under a width limit (Coffman and Graham 1972), rows are ordered by barycentres, and
the horizontal positions are the least-squares ones that keep every gap (isotonic regression). Nothing is random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ..base.arrays import Array, Bools, Ints
from ..graph import topological_order

Point = tuple[float, float]
_SWEEPS = 10
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
    bends: dict[tuple[int, int], tuple[Point, ...]] = field(default_factory=dict)


def layered(
    adj: ArrayLike,
    width: Sequence[float],
    *,
    max_width: float = 560.0,
    height: float = 24.0,
    row_gap: float = 40.0,
    gap: float = 16.0,
    margin: float = 14.0,
) -> Layout:
    """Lay out ``adj`` (d, d) bool (both bits: undirected) with boxes of the given widths; no two boxes overlap.

    max_width: rows are wrapped to stay within it where they can. Nodes without edges stand in rows of their own below.
    """
    a = np.asarray(adj, dtype=bool)
    box = np.asarray(width, dtype=np.float64)
    joined = a | a.T
    isolated = np.flatnonzero(~joined.any(axis=1))
    down = _downward(a)
    row = _rows(down, box + gap, np.flatnonzero(joined.any(axis=1)), max_width)
    rows, cells, links = _with_bends(down, row, len(a))
    rows = _uncross(rows, links)
    span = np.concatenate([box, np.full(len(cells) - len(a), _BEND_WIDTH)])
    if any(_offsets(members, span, len(a), gap)[-1] > max_width for members in rows):  # too crowded to bend round
        cells, links = cells[: len(a)], [(int(i), int(j)) for i, j in np.argwhere(down)]
        rows, span = [[c for c in members if c < len(a)] for members in rows], box
    xs = _positions(rows, links, span, len(a), gap, max_width)
    ys = np.zeros(len(cells))
    for k, members in enumerate(rows):
        ys[members] = k * (height + row_gap)
    _place_isolated(isolated, box, xs, ys, len(rows) * (height + row_gap), max_width, height, gap)
    reach = float((xs + span / 2).max() - (xs - span / 2).min()) if len(cells) else 0.0
    xs = xs * min(_STRETCH, max(1.0, max_width / max(reach, 1.0)))  # use the room: lines are easier to tell apart
    left = float((xs - span / 2).min()) if len(cells) else 0.0
    xs = xs - left + margin
    ys = ys + height / 2 + margin
    size = (
        float((xs + span / 2).max() + margin) if len(cells) else 2 * margin,
        float(ys.max() + height / 2 + margin) if len(cells) else 2 * margin,
    )
    d = len(a)
    bends: dict[tuple[int, int], tuple[Point, ...]] = {}
    for (i, j), through in _chains(cells, d).items():
        points = tuple((float(xs[c]), float(ys[c])) for c in through)
        bends[(i, j)] = points
        bends[(j, i)] = points[::-1]
    return Layout(xs[:d].copy(), ys[:d].copy(), box, height, size, bends)


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
        sinks = np.flatnonzero(left & (out == 0))
        sources = np.flatnonzero(left & (into == 0))
        if len(sinks):
            node = int(sinks[0])
            tail.append(node)
        else:
            score = np.where(left, out - into, -len(a) - 1)
            node = int(sources[0]) if len(sources) else int(np.argmax(score))
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


def _rows(down: Bools, span: Array, members: Ints, max_width: float) -> dict[int, int]:
    """Row of each node: below all its causes, rows no wider than ``max_width``, causes pulled towards their effects."""
    order = [i for i in topological_order(down) or [] if i in set(members.tolist())]
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


def _with_bends(
    down: Bools, row: dict[int, int], d: int
) -> tuple[list[list[int]], list[tuple[int, int] | None], list[tuple[int, int]]]:
    """(rows, cells, links): long edges are cut at every row by a bend; cells >= d are bends and name their edge."""
    rows: list[list[int]] = [[] for _ in range(max(row.values(), default=-1) + 1)]
    for i in sorted(row):
        rows[row[i]].append(i)
    cells: list[tuple[int, int] | None] = [None] * d
    links: list[tuple[int, int]] = []
    for i, j in np.argwhere(down):
        before = int(i)
        for k in range(row[int(i)] + 1, row[int(j)]):
            cells.append((int(i), int(j)))
            rows[k].append(len(cells) - 1)
            links.append((before, len(cells) - 1))
            before = len(cells) - 1
        links.append((before, int(j)))
    return rows, cells, links


def _chains(cells: Sequence[tuple[int, int] | None], d: int) -> dict[tuple[int, int], list[int]]:
    chains: dict[tuple[int, int], list[int]] = {}
    for c in range(d, len(cells)):
        edge = cells[c]
        if edge is not None:
            chains.setdefault(edge, []).append(c)
    return chains


def _neighbours(links: Sequence[tuple[int, int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for u, v in links:
        above.setdefault(v, []).append(u)
        below.setdefault(u, []).append(v)
    return above, below


def crossings(rows: Sequence[Sequence[int]], links: Sequence[tuple[int, int]]) -> int:
    """How many pairs of links between neighbouring rows cross."""
    place = {c: (k, n) for k, members in enumerate(rows) for n, c in enumerate(members)}
    total = 0
    for k in range(len(rows) - 1):
        ends = np.array([(place[u][1], place[v][1]) for u, v in links if place[u][0] == k], dtype=int).reshape(-1, 2)
        du = ends[:, 0][:, None] - ends[:, 0][None, :]
        dv = ends[:, 1][:, None] - ends[:, 1][None, :]
        total += int((du * dv < 0).sum()) // 2
    return total


def _uncross(rows: list[list[int]], links: list[tuple[int, int]]) -> list[list[int]]:
    """Barycentre sweeps down and up; the order with the fewest crossings stays."""
    above, below = _neighbours(links)
    best, fewest = [list(r) for r in rows], crossings(rows, links)
    current = [list(r) for r in rows]
    for sweep in range(2 * _SWEEPS):
        if fewest == 0:
            break
        near, ranks = (above, range(1, len(rows))) if sweep % 2 == 0 else (below, range(len(rows) - 2, -1, -1))
        place = {c: n / max(len(r) - 1, 1) for r in current for n, c in enumerate(r)}
        for k in ranks:
            want = {c: _mean([place[v] for v in near.get(c, ())], place[c]) for c in current[k]}
            current[k].sort(key=lambda c: (want[c], place[c], c))
            place.update({c: n / max(len(current[k]) - 1, 1) for n, c in enumerate(current[k])})
        now = crossings(current, links)
        if now < fewest:
            best, fewest = [list(r) for r in current], now
    return best


def _offsets(members: Sequence[int], span: Array, d: int, gap: float) -> Array:
    """(len(members),) closest centres that the boxes of a row allow, the first at 0; bends (>= d) may stand closer."""
    steps = [(span[u] + span[v]) / 2 + (_BEND_GAP if max(u, v) >= d else gap) for u, v in pairwise(members)]
    return np.cumsum([0.0, *steps])


def _positions(
    rows: list[list[int]],
    links: list[tuple[int, int]],
    span: Array,
    d: int,
    gap: float,
    max_width: float,
) -> Array:
    """(cells,) horizontal centres: each near its neighbours' mean, in row order, no closer than the boxes allow."""
    above, below = _neighbours(links)
    offsets = [_offsets(members, span, d, gap) for members in rows]
    xs = np.zeros(len(span))
    for members, at in zip(rows, offsets, strict=True):
        xs[members] = at - at[-1] / 2
    for sweep in range(8):
        for k in range(len(rows)) if sweep % 2 == 0 else range(len(rows) - 1, -1, -1):
            members, at = rows[k], offsets[k]
            want = np.array([_mean([xs[v] for v in (*above.get(c, ()), *below.get(c, ()))], xs[c]) for c in members])
            free = _isotonic(want - at)
            low, high = -max_width / 2 + span[members[0]] / 2, max_width / 2 - span[members[-1]] / 2 - at[-1]
            xs[members] = (np.clip(free, low, high) if low <= high else free) + at
    return xs


def _isotonic(values: Array) -> Array:
    """The non-decreasing sequence nearest to ``values`` in least squares (pool adjacent violators)."""
    blocks: list[list[float]] = []  # [mean, size]
    for value in values:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            total = blocks[-1][1] + size
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * size) / total, total]
    return np.concatenate([np.full(int(size), mean) for mean, size in blocks]) if blocks else values


def _place_isolated(
    isolated: Ints,
    box: Array,
    xs: Array,
    ys: Array,
    top: float,
    max_width: float,
    height: float,
    gap: float,
) -> None:
    """Rows of the nodes without edges, from ``top`` downwards, centred."""
    line: list[int] = []
    lines = [line]
    for i in (int(i) for i in isolated):
        if line and float(box[[*line, i]].sum()) + gap * len(line) > max_width:
            line = []
            lines.append(line)
        line.append(i)
    for k, members in enumerate(lines):
        at = np.cumsum([0.0, *((box[u] + box[v]) / 2 + gap for u, v in pairwise(members))])
        for n, i in enumerate(members):
            xs[i] = at[n] - (at[0] + at[len(members) - 1]) / 2
            ys[i] = top + k * (height + gap)


def _mean(values: Sequence[float], default: float) -> float:
    return float(sum(values) / len(values)) if values else float(default)
