"""The pictures of one graph, alone or beside the truth: as boxes and arrows, and as a matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from ..graph import Graph
from .layout import Layout, break_cycles
from .plots import matrix, sample_line, sample_sign
from .svg import KINDS, Edge, compare_edges, draw, edges_of, place

ORDER = ("true", "unoriented", "reversed", "extra", "missing")
_SIDE_BY_SIDE = 40  # nodes up to which two drawings stand beside each other
_WIDE = 1150.0


@dataclass(frozen=True)
class View:
    """One way to look at a graph: figures (caption, svg) that belong together, and whether it is shown at once.

    The svg is safe to print: every name in it was escaped where it was drawn.
    """

    name: str
    figures: tuple[tuple[str, Markup], ...]
    first: bool


@dataclass(frozen=True)
class Picture:
    """A graph ready to print: its views, the legend, and a sentence that counts the kinds of edges."""

    views: tuple[View, ...]
    legend: tuple[tuple[Markup, Markup, str, str], ...]  # (line sample, matrix sample, name, meaning)
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
    of_truth, desc = edges_of(truth), f"{d} nodes; {counts}."
    said = f"What {name} learned, against the truth"
    about = f"{d} nodes, {len(of_truth)} edges."
    drawn = (
        ("The truth", _draw(truth, of_truth, layout, f"{uid}-t", "The true graph", about)),
        (said, _draw(truth, edges, layout, f"{uid}-l", said, desc)),
    )
    grids = (
        ("The truth", _matrix(truth, of_truth, f"{uid}-tm", "The true graph as a matrix", desc)),
        (said, _matrix(truth, edges, f"{uid}-lm", f"{said}, as a matrix", desc)),
    )
    return Picture(_views(drawn, grids, is_dense(d, max(len(edges), 1))), legend({e.kind for e in edges}), counts, wide)


def _alone(learned: Graph, uid: str, name: str) -> Picture:
    edges = edges_of(learned)
    layout = place(learned, 760.0 if learned.d <= _SIDE_BY_SIDE else _WIDE)
    desc = f"{learned.d} nodes, {len(learned.edges)} directed and {len(learned.undirected)} other edges."
    title = f"The graph that {name} learned"
    drawn = ((title, _draw(learned, edges, layout, f"{uid}-l", title, desc)),)
    grids = ((title, _matrix(learned, edges, f"{uid}-lm", f"{title}, as a matrix", desc)),)
    return Picture(_views(drawn, grids, is_dense(learned.d, len(edges))), (), desc, True)


def _views(
    drawn: tuple[tuple[str, Markup], ...], grids: tuple[tuple[str, Markup], ...], dense: bool
) -> tuple[View, View]:
    """Arrows and matrix, the better one first."""
    arrows = View("Drawing", drawn, not dense)
    cells = View("Matrix: row = cause, column = effect, causes first", grids, dense)
    return (cells, arrows) if dense else (arrows, cells)


def count(edges: Sequence[Edge]) -> str:
    """'12 found, 1 reversed, 3 extra, 5 missing'."""
    found = Counter(edge.kind for edge in edges)
    return ", ".join(f"{found[kind]} {KINDS[kind][1]}" for kind in ORDER if found[kind] or kind in ("true", "missing"))


def legend(kinds: set[str] | None = None) -> tuple[tuple[Markup, Markup, str, str], ...]:
    """(line sample, matrix sample, name, meaning) of each kind, in a fixed order."""
    wanted = [kind for kind in ORDER if kinds is None or kind in kinds]
    return tuple((Markup(sample_line(k)), Markup(sample_sign(k)), KINDS[k][1], KINDS[k][2]) for k in wanted)


def _draw(graph: Graph, edges: Sequence[Edge], layout: Layout, uid: str, title: str, desc: str) -> Markup:
    return Markup(draw(graph.nodes, edges, layout, uid=uid, title=title, desc=desc))


def _matrix(graph: Graph, edges: Sequence[Edge], uid: str, title: str, desc: str) -> Markup:
    """The edges as a matrix, causes of ``graph`` first."""
    order = break_cycles(graph.directed)
    where = {node: k for k, node in enumerate(order)}
    moved = [replace(e, i=where[e.i], j=where[e.j]) for e in edges]
    return Markup(matrix([graph.nodes[k] for k in order], moved, uid=uid, title=title, desc=desc))
