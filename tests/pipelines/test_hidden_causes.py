"""``pipelines.hidden_causes`` in its quick form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.hidden_causes import experiment, runs


def test_quick_leaves_its_files(tmp_path: Path) -> None:
    pytest.importorskip("causallearn")
    experiment.main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "summary.json").read_text())
    told = [item for name, item in found.items() if "adjacency of" in name]
    assert len(told) == 2 * len(runs.METHODS) and all(item["n"] == 1 for item in told)
    assert (tmp_path / "report.html").exists()


def test_the_truth_is_over_the_observed_columns() -> None:
    data, truth = runs.draw(runs.Problem(6, 2, 2000), 0)
    assert data.columns == truth.nodes and truth.marks is not None
    strength = np.abs(np.corrcoef(data.values.T))
    assert strength[truth.skeleton].min() > 0.05
