"""A graph as a picture in a notebook, beside the truth if there is one."""

from __future__ import annotations

import html
from dataclasses import dataclass

from ..base.asked import asks
from ..graph import Graph
from .figures import picture
from .page import render


@dataclass(frozen=True, repr=False)
class Drawing:
    """A drawn graph; notebooks show it, ``.html`` is the page."""

    html: str
    height: int

    def __repr__(self) -> str:
        return "Drawing(shown in notebooks; .html holds the page)"

    def _repr_html_(self) -> str:
        page = html.escape(self.html, quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:{self.height}px;border:0"></iframe>'


@asks()
def draw(graph: Graph, truth: Graph | None = None, title: str = "Learned graph") -> Drawing:
    """Draw ``graph``, with true, missing, extra and reversed edges told apart when ``truth`` is given."""
    name = str(graph.meta.get("backend", "the method"))
    shown = picture(None if truth is None else truth.align(graph.nodes), graph, "d", name)
    return Drawing(render("drawing.html.j2", title=title, picture=shown), 720 if graph.d <= 30 else 1000)
