"""The pipeline of Scalable Actor-Critic in its quick form."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pipelines.scalable_actor_critic import experiment
from pipelines.scalable_actor_critic.machines import HUB


def test_quick_run_leaves_its_files_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--quick", "--seeds", "1", "--out", str(tmp_path)]
    experiment.main(wanted)
    rows = (tmp_path / "results.csv").read_text()
    assert {"results.csv", "episodes.csv", "summary.json", "report.html"} <= {p.name for p in tmp_path.iterdir()}
    with (tmp_path / "episodes.csv").open() as file:
        points = list(csv.DictReader(file))
    assert {p["variant"] for p in points} >= {
        "kappa = 0 (independent)",
        "kappa = 1",
        "kappa = 2",
        "Algorithm 1, eta = 1",
    }
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in summary.values())
    assert summary["localised ALOHA, best rate"]["mean"] == pytest.approx(0.179, abs=0.015)
    assert summary["small networks: error of the Q, worst"]["mean"] < 0.02
    reboot_all, hub = (summary[f"SysAdmin, 6 machines: return, {rule}"]["mean"] for rule in ("all that failed", HUB))
    assert reboot_all > hub > 0 and summary["SysAdmin, 6 machines: NetworkedPPO over Scalable Actor-Critic"]["mean"] > 0
    assert not summary["kappa = 1: episodes until 0.2414"]["mean"]  # 500 are too few, and no mean is made up for that
    assert not [name for name in summary if "share of runs" in name or "dearest" in name]  # too short, and one size
    assert (tmp_path / "report.html").read_text().count("<svg") == 4
    experiment.main(wanted)
    assert (tmp_path / "results.csv").read_text() == rows
    assert "reached" not in capsys.readouterr().out  # a quick run claims nothing
