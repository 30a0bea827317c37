"""A graph over variables and lags as one piece of SVG: a row a variable, a column a time step, now on the right."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..base.arrays import Array, Ints
from ..graph import ARROW, TAIL, LaggedGraph
from .layout import Layout, break_cycles
from .svg import Edge, box_widths, draw_line, element, node_boxes

STEP, ROW, HEIGHT, MARGIN = 118.0, 46.0, 24.0, 18.0
DOT = 13.0  # half width of the box of a past value


def draw_lags(graph: LaggedGraph, *, uid: str, title: str, desc: str) -> str:
    """Every link into now, drawn once, from the variable so many steps ago; variables in an order with few links upwards.

    Only lags up to the largest that has a link are drawn.
    """
    found = np.flatnonzero(graph.links.any(axis=(1, 2)))
    lags = int(found.max(initial=0))
    order = break_cycles(graph.directed)
    place = np.argsort(order)
    widths = np.array(box_widths(graph.nodes), np.float64) if graph.d else np.zeros(0)
    right = MARGIN + DOT + STEP * lags + float(widths.max(initial=0.0)) / 2
    boxes = _boxes(graph, place, lags, right, widths)
    strongest = (
        0.0 if graph.strength is None else float(np.abs(np.where(graph.links, graph.strength, 0.0)).max(initial=0))
    )
    names = [name if lag == 0 else f"{name}, {lag} ago" for lag in range(lags + 1) for name in graph.nodes]
    lines = [draw_line(names, edge, _track(edge, boxes, graph.d), boxes, strongest) for edge in _edges(graph)]
    layout = Layout(boxes[:, 0], boxes[:, 1], 2 * boxes[:, 2], HEIGHT, (0.0, 0.0))
    labels = [name if k < graph.d else "" for k, name in enumerate([*graph.nodes, *[""] * (graph.d * lags)])]
    heads = [
        f'<text x="{right if lag == 0 else boxes[lag * graph.d, 0]:.1f}" y="{MARGIN:.1f}">{"now" if lag == 0 else f"t − {lag}"}</text>'
        for lag in range(lags + 1 if graph.d else 0)
    ]
    width = right + float(widths.max(initial=0.0)) / 2 + 46
    height = MARGIN + ROW * (graph.d + 0.4)
    parts = [*heads, *lines, *node_boxes(labels, layout, names)]
    return element("graph", (0.0, 0.0, width, height), uid, title, desc, parts)


def _boxes(graph: LaggedGraph, place: Ints, lags: int, right: float, widths: Array) -> Array:
    """((lags + 1) * d, 4) centre and half sizes of node ``lag * d + v``."""
    boxes = np.zeros(((lags + 1) * graph.d, 4))
    for lag in range(lags + 1):
        rows = slice(lag * graph.d, (lag + 1) * graph.d)
        boxes[rows, 0] = right if lag == 0 else MARGIN + DOT + STEP * (lags - lag)
        boxes[rows, 1] = MARGIN + ROW * (place + 0.7)
        boxes[rows, 2] = widths / 2 if lag == 0 else DOT
        boxes[rows, 3] = HEIGHT / 2 if lag == 0 else HEIGHT / 3
    return boxes


def _edges(graph: LaggedGraph) -> Iterable[Edge]:
    """The links as edges between places ``lag * d + v``."""
    for lag, i, j in np.argwhere(graph.links):
        loose = lag == 0 and bool(graph.links[0, j, i])
        if loose and j < i:
            continue
        strength = None if graph.strength is None else float(graph.strength[lag, i, j])
        yield Edge(int(lag) * graph.d + int(i), int(j), "plain", TAIL, TAIL if loose else ARROW, strength)


def _track(edge: Edge, boxes: Array, d: int) -> list[Array]:
    """One cubic: level at both ends from the past to now; round the right side between two variables of now."""
    (x, y), (u, v) = boxes[edge.i, :2], boxes[edge.j, :2]
    if edge.i < d:
        out = max(boxes[edge.i, 2], boxes[edge.j, 2]) + 14.0 + 0.16 * abs(v - y)
        return [np.array([[x, y], [x + out, y], [u + out, v], [u, v]])]
    bend = 0.45 * (u - x)
    lift = -0.55 * ROW if y == v and u - x > 1.5 * STEP else 0.0  # over the values of its own past in between
    return [np.array([[x, y], [x + bend, y + lift], [u - bend, v + lift], [u, v]])]
