"""Drawings for notebooks: one frame, escaped, with the kinds of edges told apart."""

from __future__ import annotations

import causalnet as cn
from causalnet.report import draw


def test_a_drawing_is_a_self_contained_frame() -> None:
    truth = cn.Graph.from_edges(["<b>", "x", "y"], [("<b>", "x"), ("x", "y")])
    shown = draw(cn.Graph.from_edges(["x", "y", "<b>"], [("x", "<b>"), ("y", "x")]), truth)
    assert "reversed" in shown.html and "&lt;b&gt;" in shown.html and "<b>" not in shown.html.split("</style>")[1]
    frame = shown._repr_html_()
    assert frame.startswith("<iframe srcdoc=") and frame.count("<") == 2  # everything inside is escaped
    assert "reversed" not in draw(truth).html.split("</style>")[1]
