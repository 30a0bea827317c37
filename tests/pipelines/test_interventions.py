"""``pipelines.interventions`` in its quick form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.interventions import experiment, runs


def test_quick_leaves_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PERMUTATIONS", 19)
    experiment.main(["--quick", "--only", "unknown,cells,sachs", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "summary.json").read_text())
    sachs = "Sachs, 17 edges, LY294002 acts on PIP3: "
    assert found[f"{sachs}adjacencies"]["mean"] == 10 and found[f"{sachs}directions right"]["mean"] == 7
    assert found[f"{sachs}p of F1"]["mean"] <= 0.1
    assert any(name.startswith("targets not known") for name in found) and (tmp_path / "report.html").exists()
