"""Draw a graph as inline SVG, alone or against the truth: kinds of edges differ in line, badge and colour.

No drawing library and no script: text of plain shapes whose classes the report's style sheet colours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise

import numpy as np

from ..base.arrays import Array
from ..graph import ARROW, CIRCLE, TAIL, Graph
from .layout import Layout, Point, layered

# kind: (badge, short name, what it means)
KINDS: Mapping[str, tuple[str, str, str]] = {
    "true": ("", "found", "in both graphs, same direction"),
    "unoriented": ("?", "direction open", "the right pair, but its direction is left open or given other end marks"),
    "reversed": ("R", "reversed", "the right pair, pointing the wrong way"),
    "extra": ("+", "extra", "learned, but not in the truth"),
    "missing": ("−", "missing", "in the truth, but not learned"),
    "plain": ("", "edge", "an edge"),
}
_BOW = (0.0, 0.1, -0.1, 0.2, -0.2, 0.32, -0.32, 0.46, -0.46, 0.62, -0.62, 0.85, -0.85)
_SAMPLES = np.linspace(0.0, 1.0, 25)
_CHAR = 6.7  # mean width of a character of the node labels
Cubic = Array  # (4, 2) control points


@dataclass(frozen=True)
class Edge:
    """One joined pair to draw from node i to node j: its kind and the marks at its two ends (0: none).

    note: what it rests on. sure: how sure it is, from 0 to 1, drawn as the strength of its colour; None where nobody asked.
    """

    i: int
    j: int
    kind: str
    at_i: int
    at_j: int
    weight: float | None = None
    note: str = ""
    sure: float | None = None


def edges_of(graph: Graph, kind: str = "plain", most: int | None = None) -> list[Edge]:
    """Every edge of ``graph``, once, from cause to effect, in node order; the first ``most`` of them where that is given."""
    return [_edge(graph, i, j, kind) for i, j in np.argwhere(np.triu(graph.skeleton))[:most].tolist()]


def compare_edges(truth: Graph, learned: Graph) -> list[Edge]:
    """Every pair joined in either graph with its kind: true, unoriented, reversed, extra or missing.

    ``learned`` is aligned to the order of ``truth``. A missing edge is drawn as the truth has it, any other as learned.
    """
    learned = learned.align(truth.nodes)
    pairs = np.argwhere(np.triu(truth.skeleton | learned.skeleton)).tolist()
    found = [_edge(learned if learned.skeleton[i, j] else truth, i, j, "") for i, j in pairs]
    return [replace(e, kind=_kind(truth, learned, e.i, e.j)) for e in found]


def _kind(truth: Graph, learned: Graph, a: int, b: int) -> str:
    if not learned.skeleton[a, b]:
        return "missing"
    if not truth.skeleton[a, b]:
        return "extra"
    if learned.directed[a, b] and truth.directed[b, a]:
        return "reversed"
    mine, its = _edge(learned, a, b, ""), _edge(truth, a, b, "")
    if mine == replace(its, weight=mine.weight):
        return "true"
    return "unoriented"


def _edge(graph: Graph, i: int, j: int, kind: str) -> Edge:
    """What joins i and j in ``graph``, from cause to effect."""
    a, b = (i, j) if graph.adj[i, j] else (j, i)
    ends = (TAIL, TAIL if graph.adj[b, a] else ARROW)
    if graph.marks is not None:
        ends = (int(graph.marks[b, a]), int(graph.marks[a, b]))
    return Edge(a, b, kind, *ends, None if graph.weight is None else float(graph.weight[a, b]))


def arrow_text(edge: Edge) -> str:
    """The edge's marks as text, read from i to j: '→', '—', 'o→', '↔', ..."""
    left = {TAIL: "", ARROW: "←", CIRCLE: "o"}[edge.at_i]
    right = {TAIL: "", ARROW: "→", CIRCLE: "o"}[edge.at_j]
    if (left, right) == ("←", "→"):
        return "↔"
    if (left, right) == ("", ""):
        return "—"
    return f"{left}—{right}" if "o" in right or (left == "←") else f"{left}{right}"


def shorten(name: str, longest: int = 14) -> str:
    """The name for a label: cut in the middle with an ellipsis, control characters made visible."""
    clean = "".join(c if c.isprintable() else "�" for c in name)
    return clean if len(clean) <= longest else f"{clean[: longest - 6]}…{clean[-5:]}"


def box_widths(nodes: Sequence[str]) -> list[float]:
    """Widths of the node boxes for the shortened labels (wide characters count double)."""
    wide = [sum(1.75 if ord(c) > 0x2E7F else 1.0 for c in shorten(name)) for name in nodes]
    return [max(30.0, 14.0 + _CHAR * w) for w in wide]


def place(graph: Graph, max_width: float = 560.0) -> Layout:
    """The layered layout of a graph with boxes that fit its labels."""
    return layered(graph.adj, box_widths(graph.nodes), max_width=max_width)


def draw(nodes: Sequence[str], edges: Sequence[Edge], layout: Layout, *, uid: str, title: str, desc: str) -> str:
    """One SVG element: boxes at ``layout``, every edge with its ends, badge and tooltip. ``uid`` makes its ids unique."""
    boxes = np.column_stack([layout.x, layout.y, layout.width / 2, np.full(len(nodes), layout.height / 2)])
    lines: list[str] = []
    badges: list[str] = []
    taken: list[Point] = []
    strongest = max((abs(e.weight) for e in edges if e.weight is not None), default=0.0)
    tracks = [route(e.i, e.j, layout, boxes) for e in edges]
    for edge, track in sorted(zip(edges, tracks, strict=True), key=lambda pair: pair[0].kind != "missing"):
        lines.append(draw_line(nodes, edge, track, boxes, strongest))
        if KINDS[edge.kind][0]:
            taken.append(_free_spot(track, boxes, taken))
            badges.append(badge(edge.kind, *taken[-1]))
    everything = np.concatenate([[[0.0, 0.0], layout.size], *map(_sample, tracks)])
    low, high = np.floor(everything.min(axis=0) - 8.0), np.ceil(everything.max(axis=0) + 8.0)
    return element("graph", (*low, *(high - low)), uid, title, desc, [*lines, *badges, *node_boxes(nodes, layout)])


def element(kind: str, box: Sequence[float], uid: str, title: str, desc: str, parts: Iterable[str]) -> str:
    """An SVG element that says what it shows; box: left, top, width and height of its coordinates."""
    left, top, width, height = box
    return (
        f'<svg class="{kind}" role="img" aria-labelledby="{uid}-t {uid}-d" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}" style="max-width:{width:.0f}px">'
        f'<title id="{uid}-t">{escape(title)}</title><desc id="{uid}-d">{escape(desc)}</desc>{"".join(parts)}</svg>'
    )


def badge(kind: str, x: float, y: float) -> str:
    """The sign of a kind of edges in a circle; nothing for a kind without one."""
    sign = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/><text x="{x:.1f}" y="{y + 3.4:.1f}">{KINDS[kind][0]}</text>'
    return f'<g class="b {kind}">{sign}</g>' if KINDS[kind][0] else ""


def node_boxes(nodes: Sequence[str], layout: Layout, tips: Sequence[str] = ()) -> Iterable[str]:
    """A box with its label for each node; tips: what is told of each where that is not its name."""
    h = layout.height
    for k, name in enumerate(nodes):
        x, y, w = layout.x[k], layout.y[k], layout.width[k]
        yield (
            f'<g class="n"><title>{escape(tips[k] if tips else name)}</title>'
            f'<rect x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w:.1f}" height="{h:.1f}" rx="6"/>'
            f'<text x="{x:.1f}" y="{y + 4:.1f}">{escape(shorten(name))}</text></g>'
        )


# ---- routes ------------------------------------------------------------------------------------------------


def route(i: int, j: int, layout: Layout, boxes: Array) -> list[Cubic]:
    """The cubic curves from node i to node j that cross the fewest other boxes and bend the least.

    boxes: (d, 4) centre and half sizes. Candidates: the layout's own bends, and bows of growing height.
    """
    start = np.array([layout.x[i], layout.y[i]])
    end = np.array([layout.x[j], layout.y[j]])
    candidates = [_bow(start, end, bow) for bow in _BOW]
    if layout.bends.get((i, j)):
        candidates.append(_smooth([start, *map(np.asarray, layout.bends[(i, j)]), end]))
    others = np.delete(boxes, [i, j], axis=0)

    def cost(track: list[Cubic]) -> float:
        points = _sample(track)
        close = np.abs(points[:, None, :] - others[None, :, :2]) < others[None, :, 2:] + 4.0
        hit = int(close.all(axis=2).any(axis=0).sum())
        length = float(np.hypot(*np.diff(points, axis=0).T).sum())
        outside = float(np.clip(-points, 0, None).sum() + np.clip(points - layout.size, 0, None).sum())
        return round(400.0 * hit + length + outside, 6)  # of equals the first, whatever the rounding

    return min(candidates, key=cost)


def _bow(start: Array, end: Array, bow: float) -> list[Cubic]:
    along = end - start
    side = np.array([-along[1], along[0]]) * bow * 1.33
    return [np.array([start, start + along / 3 + side, end - along / 3 + side, end])]


def _smooth(points: Sequence[Array]) -> list[Cubic]:
    """A curve through all points: vertical tangents at the bends, so that lines run straight through the rows."""
    pieces = []
    for k, (p, q) in enumerate(pairwise(points)):
        lift = np.array([0.0, (q[1] - p[1]) * 0.35])
        first = p + lift if k > 0 else p + (q - p) / 3
        last = q - lift if k < len(points) - 2 else q - (q - p) / 3
        pieces.append(np.array([p, first, last, q]))
    return pieces


def _at(curve: Cubic, t: Array) -> Array:
    """(len(t), 2) points of a cubic Bezier curve."""
    s = 1.0 - t
    basis = np.stack([s**3, 3 * s**2 * t, 3 * s * t**2, t**3], axis=1)
    return basis @ curve


def _sample(track: Sequence[Cubic]) -> Array:
    return np.concatenate([_at(curve, _SAMPLES) for curve in track])


def _split(curve: Cubic, t: float) -> tuple[Cubic, Cubic]:
    """The two halves of a cubic at t (de Casteljau)."""
    a, b, c, d = curve
    ab, bc, cd = a + (b - a) * t, b + (c - b) * t, c + (d - c) * t
    abc, bcd = ab + (bc - ab) * t, bc + (cd - bc) * t
    m = abc + (bcd - abc) * t
    return np.array([a, ab, abc, m]), np.array([m, bcd, cd, d])


def _leave(track: list[Cubic], box: Array, pad: float) -> list[Cubic]:
    """The track from where it leaves ``box`` (4,) grown by ``pad``."""
    for k, curve in enumerate(track):
        t = np.linspace(0.0, 1.0, 200)
        outside = (np.abs(_at(curve, t) - box[:2]) > box[2:] + pad).any(axis=1)
        if outside.any():
            first = float(t[int(np.argmax(outside))])
            return [_split(curve, first)[1] if first > 0 else curve, *track[k + 1 :]]
    return track[-1:]


def _turned(track: list[Cubic]) -> list[Cubic]:
    return [curve[::-1] for curve in track[::-1]]


def _free_spot(track: list[Cubic], boxes: Array, taken: Sequence[Point]) -> Point:
    """Where a badge covers neither a box nor another badge, as near the middle as possible."""
    points = _sample(track)
    spots = [points[round(t * (len(points) - 1))] for t in (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73, 0.2, 0.8)]

    def free(spot: Array) -> bool:
        covers = (np.abs(boxes[:, :2] - spot) < boxes[:, 2:] + 7).all(axis=1).any()
        return not covers and all(math.dist(spot, other) > 13 for other in taken)

    x, y = next(filter(free, spots), spots[0])
    return float(x), float(y)


# ---- lines and end marks -----------------------------------------------------------------------------------


def draw_line(nodes: Sequence[str], edge: Edge, track: list[Cubic], boxes: Array, strongest: float) -> str:
    """An edge along its track, with end marks at the boxes; plain ones are as wide as their weight beside the strongest, and
    as pale as they are doubtful."""
    room = {ARROW: 9.0, CIRCLE: 8.5}  # for a mark between the line's end and the box

    def between(at_i: float, at_j: float) -> list[Cubic]:
        return _turned(_leave(_turned(_leave(track, boxes[edge.i], at_i)), boxes[edge.j], at_j))

    bare, body = between(1.5, 1.5), between(room.get(edge.at_i, 1.5), room.get(edge.at_j, 1.5))
    path = f"M{_xy(body[0][0])}" + "".join(f"C{_xy(c[1])} {_xy(c[2])} {_xy(c[3])}" for c in body)
    style = []
    if edge.kind == "plain" and edge.weight is not None and strongest > 0:
        style.append(f"stroke-width:{1.0 + 2.4 * abs(edge.weight) / strongest:.2f}")
    if edge.sure is not None:
        style.append(f"stroke-opacity:{0.2 + 0.8 * edge.sure:.2f}")
    width = f' style="{";".join(style)}"' if style else ""
    ends = _mark(edge.at_j, bare[-1][3], body[-1][3]) + _mark(edge.at_i, bare[0][0], body[0][0])
    weight = "" if edge.weight is None else f", weight {edge.weight:.3g}"
    what = "" if edge.kind == "plain" else f": {KINDS[edge.kind][1]}"
    note = f"\n{edge.note}" if edge.note else ""
    tip = escape(f"{nodes[edge.i]} {arrow_text(edge)} {nodes[edge.j]}{what}{weight}{note}")
    return f'<g class="e {edge.kind}"><title>{tip}</title><path class="l" d="{path}"{width}/>{ends}</g>'


def _mark(mark: int, tip: Array, base: Array) -> str:
    """The end mark between ``base`` (where the line stops) and ``tip`` (at the box)."""
    if mark == CIRCLE:
        x, y = (tip + base) / 2
        return f'<circle class="o" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>'
    if mark != ARROW:
        return ""
    along = tip - base
    norm = float(np.hypot(*along))
    along = along / norm if norm > 1e-6 else np.array([0.0, 1.0])
    side = np.array([-along[1], along[0]]) * 4.2
    back = tip - along * 8.5
    return f'<path class="a" d="M{_xy(tip)}L{_xy(back + side)}L{_xy(back - side)}Z"/>'


def _xy(point: Array) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
