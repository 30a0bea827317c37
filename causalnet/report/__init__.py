"""One-file HTML reports: no network, no server, no graph-drawing program."""

from __future__ import annotations

from .drawing import Drawing, draw
from .html import write_graph_report, write_report

__all__ = ["Drawing", "draw", "write_graph_report", "write_report"]
