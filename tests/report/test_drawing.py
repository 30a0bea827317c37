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
