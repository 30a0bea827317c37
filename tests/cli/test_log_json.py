"""``--log-json``: what commands tell on stderr, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from causalnet.agents.logging import bar
from causalnet.base import log_lines
from causalnet.cli.app import app


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    a = rng.normal(size=60)
    pd.DataFrame({"a": a, "b": a + rng.normal(size=60)}).to_csv("t.csv", index=False)
    return tmp_path


def run(*words: object) -> tuple[int, str, list[dict[str, Any]]]:
    done = CliRunner().invoke(app, [*map(str, words), "--log-json"])
    return done.exit_code, done.stdout, [json.loads(line) for line in done.stderr.splitlines()]


def test_a_graph_and_its_resamples_are_told_in_lines(table: Path) -> None:
    code, out, lines = run("discover", "t.csv", "-b", "empty", "--confidence", 3, "--json")
    assert code == 0 and json.loads(out)["nodes"] == ["a", "b"], "stdout is as without"
    assert [one["done"] for one in lines if one["message"] == "resampling"] == [0, 1, 2, 3, 4]
    assert all(one["level"] == "info" and one["time"] > 1.7e9 for one in lines)


def test_errors_are_lines_too_and_words_come_back(table: Path) -> None:
    code, _, lines = run("discover", "nowhere.csv")
    assert code == 2 and lines[-1]["level"] == "error" and "no such file" in lines[-1]["message"]
    assert CliRunner().invoke(app, ["discover", "nowhere.csv"]).stderr.startswith("error: ")


def test_learning_tells_how_far_it_is_in_lines_a_second_apart(capsys: pytest.CaptureFixture[str]) -> None:
    log_lines.ask(True)
    with bar(True, 3, None) as told:
        for done in (1, 2, 3):
            told.episodes(done, -1.0)
    log_lines.ask(False)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["message"], one["completed"], one["total"]) for one in lines] == [("learning", 1, 3)]
