"""``pipelines.time_series`` in its quick form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from causalnet.graph.order import ancestry
from pipelines.time_series import experiment, runs


def test_quick_leaves_its_files(tmp_path: Path) -> None:
    experiment.main(["--quick", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "summary.json").read_text())
    assert found["d=4, 150 rows: summary F1 of pcmci"]["mean"] > 0.5
    assert found["x -> y, 150 rows: share of resamples with the edge, granger"]["mean"] > 0.5
    assert found["d=4, 150 rows: granger - its best fixed lag"]["n"] == 2
    assert (tmp_path / "report.html").exists()


def test_the_truth_is_in_the_series() -> None:
    data, truth = runs.draw(runs.Problem(5, 4000), 3)
    past = np.corrcoef(np.column_stack([data.values[3:], *(data.values[3 - k : -k] for k in (1, 2, 3))]).T)
    for lag, i, j in np.argwhere(truth.links):
        assert abs(past[5 * lag + i, j]) > 0.1
    assert not ancestry(truth.adj).all()


def test_coefficients_are_found_at_their_lags() -> None:
    data, truth = runs.draw(runs.Problem(4, 3000), 1)
    told = runs.judged(truth, runs.coefficients(data.values))
    assert min(told[0], told[1] or 0.0) > 0.8
