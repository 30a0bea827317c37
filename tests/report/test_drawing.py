"""Drawings for notebooks: graphs in a frame, escaped, with the kinds of edges told apart; networks with what an agent keeps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import causalnet as cn
from causalnet.envs.networked.wireless import gsac_grid, true_masks
from causalnet.graph.causal_masks import CausalMasks
from causalnet.report import draw
from causalnet.report.networks import draw_network
from causalnet.representation.acr import value_acr


def test_a_drawing_is_a_self_contained_frame() -> None:
    truth = cn.Graph.from_edges(["<b>", "x", "y"], [("<b>", "x"), ("x", "y")])
    shown = draw(cn.Graph.from_edges(["x", "y", "<b>"], [("x", "<b>"), ("y", "x")]), truth)
    assert "reversed" in shown.html and "&lt;b&gt;" in shown.html and "<b>" not in shown.html.split("</style>")[1]
    frame = shown._repr_html_()
    assert frame.startswith("<iframe srcdoc=") and frame.count("<") == 2  # everything inside is escaped
    assert "reversed" not in draw(truth).html.split("</style>")[1]


@pytest.mark.parametrize("link", [(0, 1), (1, 0)])
def test_links_of_one_direction_are_drawn(link: tuple[int, int]) -> None:
    reach = sparse.csr_matrix(([True], ([link[0]], [link[1]])), shape=(2, 2))
    masks = CausalMasks(np.ones((2, 2, 2)), np.ones((1, 2, 2)), np.ones((2, 2)), reach, ("x",))
    assert draw_network(masks, value_acr(masks, 1), 0, [[0, 0], [0, 1]]).svg.count('opacity=".75"') == 1


@pytest.mark.parametrize(
    ("kappa", "words"),
    [(1, "8 of the 16 components of its neighbourhood"), (3, "32 of the 64 components of the network")],
)
def test_the_title_counts_what_is_kept(kappa: int, words: str) -> None:
    masks = true_masks(gsac_grid(4, distractors=True))
    positions = np.stack(np.divmod(np.arange(16), 4), axis=1)
    assert f"Agent 0 keeps {words}" in draw_network(masks, value_acr(masks, kappa), 0, positions).svg


def test_a_graph_over_lags_is_drawn_a_column_a_lag() -> None:
    links = np.zeros((5, 3, 3), bool)
    links[1, 0, 0] = links[3, 0, 1] = links[0, 1, 2] = links[0, 0, 2] = links[0, 2, 0] = True
    graph = cn.LaggedGraph.from_links(["<x>", "y", "z"], links, np.where(links, 0.5, 0.0))
    drawn = graph.to_svg()
    for words in (
        "&lt;x&gt;, 3 ago → y, weight 0.5",
        "&lt;x&gt;, 1 ago → &lt;x&gt;",
        "y → z",
        "&lt;x&gt; — z",
        "t − 3",
    ):
        assert words in drawn
    assert "t − 4" not in drawn and drawn.count('class="e plain"') == 4 and drawn.count('class="n"') == 12
    assert "By lag" in draw(graph).html and "By lag" not in draw(graph.summary).html
    assert cn.LaggedGraph.from_links([], np.zeros((1, 0, 0))).to_svg().startswith("<svg")
