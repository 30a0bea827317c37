"""Small inline SVG pieces of the reports: intervals, legend lines and the adjacency matrix of dense graphs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .svg import KINDS, Edge, arrow_text, badge, element, shorten

_WHISKER_WIDTH = 170.0


def whisker(
    mean: float,
    low: float,
    high: float,
    label: str,
    band: tuple[float, float] = (math.nan, math.nan),
    level: float = math.nan,
) -> str:
    """A dot with its interval on the axis from 0 to 1; no line when the interval is not a number.

    band: low and high of what chance does, shaded; level: of another control, dashed.
    """
    if not math.isfinite(mean):
        return ""
    line = ""
    if math.isfinite(low) and math.isfinite(high):
        a, b = _axis(low), _axis(high)
        line = f'<path class="w" d="M{a:.1f},9H{b:.1f}M{a:.1f},5V13M{b:.1f},5V13"/>'
    grid = f'<path class="g" d="{"".join(f"M{_axis(v):.0f},0V18" for v in (0.0, 0.25, 0.5, 0.75, 1.0))}"/>'
    if math.isfinite(band[0]) and math.isfinite(band[1]):
        a, b = _axis(band[0]), _axis(band[1])
        grid += f'<rect class="c" x="{a:.1f}" y="2" width="{max(b - a, 1.0):.1f}" height="14"/>'
    if math.isfinite(level):
        grid += f'<path class="k" d="M{_axis(level):.1f},0V18"/>'
    return (
        f'<svg class="whisker" role="img" viewBox="0 0 {_WHISKER_WIDTH:.0f} 18" width="{_WHISKER_WIDTH:.0f}" height="18" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>{grid}{line}'
        f'<circle class="d" cx="{_axis(mean):.1f}" cy="9" r="4.5"/></svg>'
    )


def whisker_axis() -> str:
    """The axis that stands above a column of whiskers."""
    ticks = "".join(f'<text x="{_axis(v):.1f}" y="11" text-anchor="middle">{v:g}</text>' for v in (0.0, 0.5, 1.0))
    return (
        f'<svg class="whisker axis" aria-hidden="true" viewBox="0 0 {_WHISKER_WIDTH:.0f} 14" '
        f'width="{_WHISKER_WIDTH:.0f}" height="14">{ticks}</svg>'
    )


def _axis(value: float) -> float:
    return 8.0 + (_WHISKER_WIDTH - 16.0) * min(max(value, 0.0), 1.0)


def sample_line(kind: str) -> str:
    """A short piece of line as the drawings have it, for the legend."""
    head = "" if kind == "unoriented" else '<path class="a" d="M50,9L41.5,4.8L41.5,13.2Z"/>'
    return (
        f'<svg class="sample" aria-hidden="true" viewBox="0 0 52 18" width="52" height="18"><g class="e {kind}">'
        f'<path class="l" d="M2,9H43"/>{head}</g>{badge(kind, 22, 9)}</svg>'
    )


def matrix(nodes: Sequence[str], edges: Sequence[Edge], *, uid: str, title: str, desc: str) -> str:
    """The graph as a grid: row = cause, column = effect; each kind of edge has its own sign as well as its colour."""
    d = len(nodes)
    cell = 18.0 if d <= 26 else max(11.0, 620.0 / d)
    size = min(11.0, cell * 0.82)
    longest = max((len(shorten(name)) for name in nodes), default=1)
    pad = 12.0 + size * 0.62 * longest
    side = pad + cell * d + 4.0
    parts = []
    for k, name in enumerate(nodes):
        at = pad + cell * (k + 0.5)
        text = escape(shorten(name))
        parts.append(
            f'<text class="r" x="{pad - 6:.1f}" y="{at + size * 0.35:.1f}" font-size="{size:.1f}">{text}<title>{escape(name)}</title></text>'
            f'<text class="c" transform="translate({at + size * 0.35:.1f},{pad - 6:.1f}) rotate(-90)" font-size="{size:.1f}">{text}<title>{escape(name)}</title></text>'
        )
    ticks = [pad + cell * k for k in range(d + 1)]
    grid = "".join(f"M{pad:.1f},{at:.1f}h{cell * d:.1f}M{at:.1f},{pad:.1f}v{cell * d:.1f}" for at in ticks)
    diagonal = "".join(f"M{at:.1f},{at:.1f}h{cell:.1f}v{cell:.1f}h-{cell:.1f}z" for at in ticks[:-1])
    signs = "".join(_signs(nodes, edge, pad, cell) for edge in edges)
    lines = f'<path class="diag" d="{diagonal}"/><path class="grid" d="{grid}"/>'
    return element("matrix", (0, 0, side, side), uid, title, desc, [lines, *parts, signs])


def _signs(nodes: Sequence[str], edge: Edge, pad: float, cell: float) -> str:
    """The sign of one edge; an edge without a direction stands in both of its cells."""
    places = [(edge.i, edge.j)]
    if arrow_text(edge) not in ("→", "←"):
        places.append((edge.j, edge.i))
    what = "" if edge.kind == "plain" else f": {KINDS[edge.kind][1]}"
    tip = escape(f"{nodes[edge.i]} {arrow_text(edge)} {nodes[edge.j]}{what}")
    half = cell * 0.34
    parts = []
    for row, column in places:
        x, y = pad + cell * (column + 0.5), pad + cell * (row + 0.5)
        box = f'x="{x - cell / 2 + 1:.1f}" y="{y - cell / 2 + 1:.1f}" width="{cell - 2:.1f}" height="{cell - 2:.1f}"'
        shapes = {
            "extra": f'<path d="M{x - half:.1f},{y:.1f}H{x + half:.1f}M{x:.1f},{y - half:.1f}V{y + half:.1f}"/>',
            "reversed": f'<path d="M{x - half:.1f},{y + half:.1f}H{x + half:.1f}L{x:.1f},{y - half:.1f}Z"/>',
            "unoriented": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{half:.1f}"/>',
        }
        parts.append(shapes.get(edge.kind, f'<rect {box} rx="2"/>'))
    return f'<g class="m {edge.kind}"><title>{tip}</title>{"".join(parts)}</g>'


def sample_sign(kind: str) -> str:
    """One cell of the matrix, for the legend."""
    edge = Edge(0, 0, kind, 1, 2)
    return f'<svg class="sample" aria-hidden="true" viewBox="0 0 18 18" width="18" height="18">{_signs(["", ""], edge, 0.0, 18.0)}</svg>'
