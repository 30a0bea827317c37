"""``pipelines.hidden_causes``: its truth belongs to the columns that are observed, and its cells give a row a method."""

from __future__ import annotations

import numpy as np
import pytest

from causalnet.graph.separation import Separation
from pipelines.hidden_causes import mended, oracle, runs
from pipelines.hidden_causes.classes import enumerate_classes


def test_the_truth_is_over_the_observed_columns() -> None:
    data, truth = runs.draw(runs.Problem(6, 2, 2000), 0)
    assert data.columns == truth.nodes and truth.marks is not None
    strength = np.abs(np.corrcoef(data.values.T))
    assert strength[truth.skeleton].min() > 0.05


def test_a_cell_scores_each_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "METHODS", {"fci": ("fci", {})} | {runs.PEER: ("fci", {})})  # no peer is needed
    ours, same = runs.contest(runs.Problem(6, 1, 300), 0)
    assert ours.adjacency is not None and ours.pag_shd is not None and not ours.note
    assert ours.differ == same.differ == 0 and ours.pag_shd == same.pag_shd


def test_classes_of_five_variables_get_the_ends_that_their_members_share() -> None:
    """Those of at most three edges; ``python -m pipelines.hidden_causes --only classes`` has all."""
    classes = enumerate_classes(5, edges=3)
    assert sum(shape.members for shape in enumerate_classes(3)) == 32  # 1, 3, 9 less what is not ancestral, 19
    assert len(classes) == 14  # none; one edge; two apart, or a path that collides or not; of three edges nine
    for shape in classes:
        found = oracle.by_fci(Separation(shape.member), list(range(5)))
        np.testing.assert_array_equal(found, shape.shared)


def test_told_the_truth_both_methods_are_judged() -> None:
    rows = list(oracle.told_all("random graphs", 4))
    assert rows[0].exact == rows[0].sound == 1
    wrong = np.array([[0, 2, 2], [1, 0, 0], [1, 0, 0]], np.int8)  # 1 <- 0 -> 2
    right = np.array([[0, 3, 3], [3, 0, 0], [3, 0, 0]], np.int8)
    truth = np.array([[0, 1, 2], [2, 0, 0], [1, 0, 0]], np.int8)  # 1 -> 0 -> 2
    assert oracle.judged(wrong, truth, right) == {"exact": 0.0, "sound": 0.0}
    assert oracle.judged(right, truth, right) == {"exact": 1.0, "sound": 1.0}
    if len(rows) > 1:
        assert rows[1].differ is not None


def test_the_peer_with_published_sets_makes_its_tests() -> None:
    pytest.importorskip("causallearn")
    own, peer = mended.contest(runs.Problem(6, 1, 300), 0)
    assert own.cpu and peer.cpu and not peer.note and peer.differ is not None and peer.differ <= 2
