"""The pipelines run in their quick form, leave their files, and do not repeat what is done."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import pytest

from pipelines import _run, compare_discovery

needs_peers = pytest.mark.skipif(
    any(importlib.util.find_spec(p) is None for p in ("castle", "causallearn", "dagma", "pgmpy")),
    reason="needs the peers (extra: dev)",
)


def test_compare_discovery_quick_and_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("pgmpy") is None:
        pytest.skip("asia is sampled from a network inside pgmpy")
    first = compare_discovery.main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    assert {"results.csv", "summary.json", "report.html"} <= {p.name for p in tmp_path.iterdir()}
    frame = first.frame
    applicable = frame[frame["status"] != "not applicable"]
    assert len(frame) == 20 and set(applicable["status"]) == {"ok"}
    assert set(frame.loc[frame["status"] == "not applicable", "backend"]) == {"pc", "notears", "thp"}
    again = compare_discovery.main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    assert again.frame["seconds"].equals(frame["seconds"])
    assert "sachs" in capsys.readouterr().out


@needs_peers
def test_speed_quick_compares_answers_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines import speed

    wanted = ["--quick", "--only", "pc-skeletons,pc-gaussian,thp-ttpm,notears", "--out", str(tmp_path)]
    speed.main(wanted)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {r["task"] for r in rows} == {"pc-skeletons", "pc-gaussian", "thp-ttpm", "notears"}
    assert all(r["same_answer"] == "True" for r in rows if r["task"] != "notears")
    assert all(float(r["ratio"]) > 1 for r in rows)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in summary.values())
    speed.main(wanted)
    with (tmp_path / "results.csv").open() as file:
        assert list(csv.DictReader(file)) == rows
    assert "reached" not in capsys.readouterr().out  # a quick run claims nothing


def test_a_cell_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    table = _run.Table(tmp_path, ["a", "b"])
    table.add("one", [{"a": 1, "b": 2}, {"a": 1, "b": 4}])
    (tmp_path / "results.new").write_text("cell,a,b\none,1,2\none,1,4\ntwo,7")  # killed while writing the second cell
    again = _run.Table(tmp_path, ["a", "b"])
    assert again.has("one") and not again.has("two") and again.numbers("b", a=1) == [2.0, 4.0]
    with pytest.raises(SystemExit, match="other columns"):
        _run.Table(tmp_path, ["a"])


def test_figures_and_goals() -> None:
    item = _run.figure([1.0, 2.0, 3.0], ">= 1.5", published=1.0)
    assert item["mean"] == 2 and item["low"] == pytest.approx(2 - 4.302652729911275 / 3**0.5) and item["n"] == 3
    assert _run.met(item) is True and _run.met({**item, "goal": "<= 1"}) is False
    assert _run.figure([1.0, 100.0], ratio=True)["mean"] == pytest.approx(10)
    assert _run.met(_run.figure([])) is None and _run.figure([5.0])["low"] is None
