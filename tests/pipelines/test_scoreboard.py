"""The scoreboard: every kind of data in one run, chance beside each value, and its table again from the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from causalnet.datasets import load_dataset, names
from pipelines import scoreboard


def test_every_kind_of_data_is_on_the_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = scoreboard.main(["--quick", "--out", str(tmp_path)])
    board = (tmp_path / "scoreboard.md").read_text(encoding="utf-8")
    assert board in capsys.readouterr().out and (tmp_path / "report.html").exists()
    rows = [line.strip("| ").split(" | ") for line in board.splitlines()[2:]]
    assert [row[0].strip("`") for row in rows] == scoreboard.QUICK
    best = {row[0].strip("`").partition(":")[0]: row[2].strip("`") for row in rows}
    assert best["lagged-series"] == "pcmci" and best["hawkes"] == "thp"
    assert not any("random" in line for line in rows) and all("," in row[4] for row in rows)
    assert not (results.frame["status"] == "failed").any()
    scoreboard.main(["--readme", "--out", str(tmp_path)])
    assert board in capsys.readouterr().out


def test_its_data_sets_and_methods_are_known() -> None:
    assert {name.partition(":")[0] for name in scoreboard.DATA} <= set(names())
    assert load_dataset("lagged-series:n=50:d=3").truth is not None
    assert "random" in scoreboard.methods(quick=False) and "order" in scoreboard.methods(quick=False)
