"""The fault-alarm pipeline in its quick form: its files, its columns, and nothing played twice."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from pipelines.fault_alarm import experiment

ASKED = {"learner", "mask", "init", "mode", "seed", "episode", "return", "interventions", "mean_alarms", "cleared"}


def test_quick_run_leaves_its_files_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["--quick", "--instance", "2", "--mask", "causal,none,true", "--seeds", "2", "--episodes", "4"]
    wanted += ["--evaluation", "3", "--no-speed", "--out", str(tmp_path)]
    figures = experiment.main(wanted)
    with (tmp_path / "episodes.csv").open() as file:
        episodes = list(csv.DictReader(file))
    assert ASKED | {"f1", "precision", "recall"} <= set(episodes[0])
    assert {(r["learner"], r["mask"]) for r in episodes} == {("ppo", "causal"), ("ppo", "none"), ("ppo", "true")}
    assert len(episodes) == 3 * 2 * 4
    assert all(0 <= float(r["f1"]) <= 1 for r in episodes if r["mask"] == "causal")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {k: v["mean"] for k, v in summary.items()} == {k: v["mean"] for k, v in figures.items()}
    assert not any(item["goal"] for item in summary.values())  # a quick run claims nothing
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in summary.values())
    assert summary["2: ppo true: return"]["n"] == 2
    report = (tmp_path / "report.html").read_text()
    assert report.count("<svg") >= 3 and "F1 of the graph" in report
    before = (tmp_path / "results.csv").read_text()
    experiment.main(wanted)
    assert (tmp_path / "results.csv").read_text() == before
    assert "report.html" in capsys.readouterr().out


def test_unknown_choices_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        experiment.main(["--learner", "pppo", "--out", str(tmp_path)])
    assert "there is no 'pppo'; choose of ppo, dqn, d3qn" in capsys.readouterr().err
