"""The pictures of one graph, alone or beside the truth: as boxes and arrows, and as a matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import Graph
from .layout import Layout, break_cycles
from .plots import matrix, sample_line, sample_sign
from .svg import KINDS, Edge, compare_edges, draw, edges_of, place

ORDER = ("true", "unoriented", "reversed", "extra", "missing")
_SIDE_BY_SIDE = 40  # nodes up to which two drawings stand beside each other
_WIDE = 1150.0


@dataclass(frozen=True)
class View:
    """One way to look at a graph: figures (caption, svg) that belong together, and whether it is shown at once."""

    name: str
    figures: tuple[tuple[str, str], ...]
    first: bool


@dataclass(frozen=True)
class Picture:
    """A graph ready to print: its views, the legend, and a sentence that counts the kinds of edges."""

    views: tuple[View, ...]
    legend: tuple[tuple[str, str, str, str], ...]  # (line sample, matrix sample, name, meaning)
    counts: str
    wide: bool


def is_dense(d: int, n_edges: int) -> bool:
    """True when arrows would hide each other, so that the matrix comes first."""
    return n_edges > 2.6 * d + 15


def picture(truth: Graph | None, learned: Graph, uid: str, name: str) -> Picture:
    """``learned`` drawn beside ``truth`` (with the kinds of edges told apart), or alone when there is no truth."""
    if truth is None:
        return _alone(learned, uid, name)
    edges = compare_edges(truth, learned)
    counts = count(edges)
    d = truth.d
    wide = d > _SIDE_BY_SIDE
    layout = place(truth, _WIDE if wide else 560.0)
    dense = is_dense(d, max(len(edges), 1))
    of_truth, desc = edges_of(truth), f"{d} nodes; {counts}."
    said = f"What {name} learned, against the truth"
    drawing = (
        (
            "The truth",
            _draw(truth, of_truth, layout, f"{uid}-t", "The true graph", f"{d} nodes, {len(of_truth)} edges."),
        ),
        (said, _draw(truth, edges, layout, f"{uid}-l", said, desc)),
    )
    order = break_cycles(truth.directed)
    nodes, shifted = _reorder(truth.nodes, edges, order)
    _, true_shifted = _reorder(truth.nodes, of_truth, order)
    grids = (
        ("The truth", matrix(nodes, true_shifted, uid=f"{uid}-tm", title="The true graph as a matrix", desc=desc)),
        (said, matrix(nodes, shifted, uid=f"{uid}-lm", title=f"{said}, as a matrix", desc=desc)),
    )
    views = (
        View("Drawing", drawing, not dense),
        View("Matrix: row = cause, column = effect, causes first", grids, dense),
    )
    return Picture(views[::-1] if dense else views, legend({e.kind for e in edges}), counts, wide)


def _alone(learned: Graph, uid: str, name: str) -> Picture:
    edges = edges_of(learned)
    layout = place(learned, 760.0 if learned.d <= _SIDE_BY_SIDE else _WIDE)
    desc = f"{learned.d} nodes, {len(learned.edges)} directed and {len(learned.undirected)} other edges."
    title = f"The graph that {name} learned"
    order = break_cycles(learned.directed)
    nodes, shifted = _reorder(learned.nodes, edges, order)
    dense = is_dense(learned.d, len(edges))
    drawing = View("Drawing", ((title, _draw(learned, edges, layout, f"{uid}-l", title, desc)),), not dense)
    grid = matrix(nodes, shifted, uid=f"{uid}-lm", title=f"{title}, as a matrix", desc=desc)
    grids = View("Matrix: row = cause, column = effect, causes first", ((title, grid),), dense)
    views = (grids, drawing) if dense else (drawing, grids)
    return Picture(views, (), desc, True)


def count(edges: Sequence[Edge]) -> str:
    """'12 found, 1 reversed, 3 extra, 5 missing'."""
    found = Counter(edge.kind for edge in edges)
    return ", ".join(f"{found[kind]} {KINDS[kind][1]}" for kind in ORDER if found[kind] or kind in ("true", "missing"))


def legend(kinds: set[str] | None = None) -> tuple[tuple[str, str, str, str], ...]:
    """(line sample, matrix sample, name, meaning) of each kind, in a fixed order."""
    wanted = [kind for kind in ORDER if kinds is None or kind in kinds]
    return tuple((sample_line(k), sample_sign(k), KINDS[k][1], KINDS[k][2]) for k in wanted)


def _draw(graph: Graph, edges: Sequence[Edge], layout: Layout, uid: str, title: str, desc: str) -> str:
    return draw(graph.nodes, edges, layout, uid=uid, title=title, desc=desc)


def _reorder(nodes: Sequence[str], edges: Sequence[Edge], order: Sequence[int]) -> tuple[list[str], list[Edge]]:
    where = {node: k for k, node in enumerate(order)}
    moved = [Edge(where[e.i], where[e.j], e.kind, e.at_i, e.at_j, e.weight) for e in edges]
    return [nodes[k] for k in order], moved
