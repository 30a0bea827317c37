"""The pictures of one graph, alone or beside the truth: as boxes and arrows, and as a matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from ..graph import Graph, LaggedGraph
from .embedding import tell
from .lags import draw_lags
from .layout import break_cycles
from .plots import matrix, sample_line, sample_sign
from .svg import KINDS, Edge, compare_edges, draw, edges_of, place

ORDER = ("true", "unoriented", "reversed", "extra", "missing")
MOST_NODES, MOST_EDGES = 1500, 4000  # that are drawn
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
    """``learned`` drawn beside ``truth`` (with the kinds of edges told apart), or alone when there is no truth.

    An edge tells what it rests on where the pointer rests on it, and is pale where its confidence is small. More than 4,000 edges are counted, not drawn.
    """
    joined = learned.skeleton if truth is None else learned.align(truth.nodes).skeleton | truth.skeleton
    if learned.d > MOST_NODES or int(joined.sum()) > 2 * MOST_EDGES:
        told = f"{learned.d:,} nodes, {int(joined.sum()) // 2:,} edges: too many to draw; the tables and the graph's file hold them."
        return Picture((), (), told, True)
    whole, wide = learned if truth is None else truth, truth is None or truth.d > _SIDE_BY_SIDE
    of_truth, edges = ([], edges_of(learned)) if truth is None else (edges_of(truth), compare_edges(truth, learned))
    own = learned if truth is None else learned.align(truth.nodes)
    edges = [tell(own, e) for e in edges]
    counts = f"{learned.d} nodes, {len(learned.edges)} directed and {len(learned.undirected)} other edges."
    title, about = f"The graph that {name} learned", counts
    if truth is not None:
        counts = count(edges)
        title, about = f"What {name} learned, against the truth", f"{truth.d} nodes; {counts}."
    panels = [(title, title, edges, f"{uid}-l", about)]
    if truth is not None:
        about = f"{truth.d} nodes, {len(of_truth)} edges."
        panels.insert(0, ("The truth", "The true graph", of_truth, f"{uid}-t", about))
    layout = place(whole, _WIDE if whole.d > _SIDE_BY_SIDE else 760.0 if truth is None else 560.0)
    drawn = tuple(
        (caption, Markup(draw(whole.nodes, shown, layout, uid=ids, title=title, desc=desc)))
        for caption, title, shown, ids, desc in panels
    )
    grids = tuple(
        (caption, _matrix(whole, shown, f"{ids}m", f"{title}, as a matrix", desc))
        for caption, title, shown, ids, desc in panels
    )
    dense = is_dense(whole.d, len(edges))
    arrows = View("Drawing", drawn, not dense)
    cells = View("Matrix: row = cause, column = effect, causes first", grids, dense)
    kinds = () if truth is None else legend({e.kind for e in edges})
    views = (cells, arrows) if dense else (arrows, cells)
    return Picture((*_by_lag(truth, learned, uid), *views), kinds, counts, wide)


def _by_lag(truth: Graph | None, learned: Graph, uid: str) -> list[View]:
    """The links of graphs over lags, a column a time step."""
    told = "A row a variable, a column a time step; every link leads to now."
    graphs = [("The truth", truth), ("The links", learned)]
    drawn = tuple(
        (name, Markup(draw_lags(graph, uid=f"{uid}-lag{k}", title=name, desc=told)))
        for k, (name, graph) in enumerate(graphs)
        if isinstance(graph, LaggedGraph)
    )
    return [View("By lag", drawn, True)] if drawn else []


def count(edges: Sequence[Edge]) -> str:
    """'12 found, 1 reversed, 3 extra, 5 missing'."""
    found = Counter(edge.kind for edge in edges)
    return ", ".join(f"{found[kind]} {KINDS[kind][1]}" for kind in ORDER if found[kind] or kind in ("true", "missing"))


def legend(kinds: set[str] | None = None) -> tuple[tuple[Markup, Markup, str, str], ...]:
    """(line sample, matrix sample, name, meaning) of each kind, in a fixed order."""
    wanted = [kind for kind in ORDER if kinds is None or kind in kinds]
    return tuple((Markup(sample_line(k)), Markup(sample_sign(k)), KINDS[k][1], KINDS[k][2]) for k in wanted)


def _matrix(graph: Graph, edges: Sequence[Edge], uid: str, title: str, desc: str) -> Markup:
    """The edges as a matrix, causes of ``graph`` first."""
    order = break_cycles(graph.directed)
    where = {node: k for k, node in enumerate(order)}
    moved = [replace(e, i=where[e.i], j=where[e.j]) for e in edges]
    return Markup(matrix([graph.nodes[k] for k in order], moved, uid=uid, title=title, desc=desc))
