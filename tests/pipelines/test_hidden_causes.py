"""``pipelines.hidden_causes``: its truth belongs to the columns that are observed, and its cells give a row a method."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.hidden_causes import runs


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
