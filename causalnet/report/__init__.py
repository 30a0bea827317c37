"""One-file HTML reports and charts: no network, no server, no drawing program."""

from __future__ import annotations

from .curves import Chart, Curve, chart
from .drawing import Drawing, draw
from .html import write_graph_report, write_report, write_run_report
from .networks import draw_masks, draw_network
