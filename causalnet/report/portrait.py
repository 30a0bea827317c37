"""A graph by itself as one small drawing: what a notebook shows of it, and what its .svg file holds."""

from __future__ import annotations

import zlib
from dataclasses import replace

from ..errors import DataError
from ..graph import Graph, LaggedGraph
from .embedding import tell
from .figures import MOST_EDGES
from .figures import MOST_NODES as MOST_DRAWN
from .lags import draw_lags
from .svg import draw, edges_of, place

MOST_NODES = 60  # beyond, a notebook shows the graph's line of text; causalnet.report.draw has the matrix
_STYLE = (  # colours of the page around it, light or dark
    "<style>svg.graph text{font:11.5px system-ui,sans-serif;text-anchor:middle;fill:currentColor}"
    "svg.graph .n rect{fill:none;stroke:currentColor;stroke-opacity:.55}"
    "svg.graph .e .l{fill:none;stroke:currentColor;stroke-width:1.3}"
    "svg.graph .e .a{fill:currentColor}svg.graph .e .o{fill:none;stroke:currentColor}</style>"
)


def to_svg(graph: Graph) -> str:
    """Boxes and arrows, causes above effects, as an SVG element that is a file by itself as well; of lags a column each."""
    n_edges = int(graph.skeleton.sum()) // 2
    if graph.d > MOST_DRAWN or n_edges > MOST_EDGES:
        raise DataError(
            f"a drawing of {graph.d:,} nodes and {n_edges:,} edges would show nothing; write .json or .graphml, or draw a part of it"
        )
    nodes = ["".join(c if c.isprintable() else "\ufffd" for c in name) for name in graph.nodes]
    uid = f"graph-{zlib.crc32(repr(graph.nodes).encode() + graph.adj.tobytes()):08x}"
    if isinstance(graph, LaggedGraph):
        told = "A row a variable, a column a time step; every link leads to now."
        drawn = draw_lags(replace(graph, nodes=tuple(nodes)), uid=uid, title=repr(graph), desc=told)
        return drawn.replace("<title", f"{_STYLE}<title", 1)
    drawn = draw(
        nodes,
        [tell(graph, edge) for edge in edges_of(graph)],
        place(graph),
        uid=uid,
        title=repr(graph),
        desc="Causes stand above effects.",
    )
    return drawn.replace("<title", f"{_STYLE}<title", 1)


def to_html(graph: Graph) -> str | None:
    """The drawing for a notebook; None, so that it prints the text, for a graph too large for one."""
    return to_svg(graph) if graph.d <= MOST_NODES else None
