"""The pipelines run in their quick form, leave their files, and do not repeat what is done."""

from __future__ import annotations

import csv
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from causalnet.report.summary import band, figure, met, share
from pipelines import common, compare_discovery

needs_peers = pytest.mark.skipif(
    any(importlib.util.find_spec(p) is None for p in ("castle", "causallearn", "dagma", "pgmpy")),
    reason="needs the peers (extra: dev)",
)


@dataclass
class One:
    """A row of one column."""

    a: int


@dataclass
class Two(One):
    """A row of two."""

    b: int


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
    from pipelines.speed import experiment

    wanted = ["--quick", "--only", "pc-skeletons,pc-gaussian,thp-ttpm,notears", "--out", str(tmp_path)]
    experiment.main(wanted)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {r["task"] for r in rows} == {"pc-skeletons", "pc-gaussian", "thp-ttpm", "notears"}
    assert all(r["same_answer"] == "True" for r in rows if r["task"] != "notears")
    assert all(float(r["ratio"]) > 1 for r in rows)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert all(set(item) == {"mean", "low", "high", "n", "published", "goal"} for item in summary.values())
    experiment.main(wanted)
    with (tmp_path / "results.csv").open() as file:
        assert list(csv.DictReader(file)) == rows
    assert "reached" not in capsys.readouterr().out  # a quick run claims nothing


def test_a_cell_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    table = common.open_table(tmp_path, Two)
    table.add("one", [{"a": 1, "b": 2}, {"a": 1, "b": 4}])
    (tmp_path / ".results.csv.1.part").write_text("cell,a,b\none,1,2\none,1,4\ntwo,7")  # killed while writing a cell
    again = common.open_table(tmp_path, Two)
    assert again.has("one") and not again.has("two") and again.numbers("b", a=1) == [2.0, 4.0]
    with pytest.raises(SystemExit, match="other columns"):
        common.open_table(tmp_path, One)


def test_figures_and_goals() -> None:
    item = figure([1.0, 2.0, 3.0], ">= 1.5", published=1.0)
    assert item["mean"] == 2 and item["low"] == pytest.approx(2 - 4.302652729911275 / 3**0.5) and item["n"] == 3
    assert met(item) is True and met({**item, "goal": "<= 1"}) is False
    assert figure([1.0, 100.0], ratio=True)["mean"] == pytest.approx(10)
    assert met(figure([])) is None and figure([5.0])["low"] is None
    assert figure([0.0, 1.0], bounds=(0.0, 1.0))["low"] == 0.0
    item = share([True, None, True], "== 1")  # None is no trial, and few successes are not sure
    assert (item["mean"], item["n"], item["high"]) == (1.0, 2, 1.0) and item["low"] == pytest.approx(0.3424, abs=1e-4)


@pytest.mark.parametrize("text", ["{", "[]", "{}", "3"])
def test_a_damaged_plan_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(SystemExit, match=r"plan.json (cannot be read|is no record)"):
        common.open_table(tmp_path, One, quick=True)
    assert (tmp_path / "plan.json").read_text() == text


def test_a_report_has_no_empty_columns_nor_rows_without_a_value(tmp_path: Path) -> None:
    rows = [{"cell": "x", "kind": k, "value": v, "spent": None} for k, v in (("one", 1.5), ("two", float("nan")))]
    common.open_table(tmp_path, One, quick=True)
    common.finish(tmp_path, "title", {"here": figure([1.0], ">= 1"), "absent": figure([])}, [], rows)
    page = (tmp_path / "report.html").read_text()
    assert "<h3>one</h3>" in page and '<th scope="col">value</th>' in page and "<td>1.5</td>" in page
    page = page.partition("</style>")[2]
    assert not any(word in page for word in ("nan", "spent", "cell<", "goal", "published", "absent"))
    assert "absent" in json.loads((tmp_path / "summary.json").read_text())


def test_bands_need_three_runs() -> None:
    values = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 2.0]])
    assert band([0, 1], values[:2]).low is None
    drawn = band([0, 1], values, (0.0, np.inf))
    assert np.array_equal(drawn.y, [2.0, 3.0]) and np.asarray(drawn.low).min() == 0 and drawn.high is not None


def test_memory_is_in_gib() -> None:
    assert 0.03 < common.peak_memory() < 64


def test_a_refused_folder_ends_the_benchmark_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(SystemExit, match="out"):
        compare_discovery.main(["--quick", "--seeds", "1", "--out", str(tmp_path / "out")])


def test_a_finished_bar_names_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(common.steps(["first", "last one"], "runs")) == ["first", "last one"]
    shown = capsys.readouterr().err
    assert "runs" in shown.splitlines()[-1] and "last one" not in shown.splitlines()[-1]
