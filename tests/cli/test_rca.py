"""``causalnet rca`` from files: what it prints, its exit codes, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import causalnet as cn
from causalnet.cli.app import app

GRAPH = cn.Graph.from_edges(["a", "b", "c", "d"], [("a", "b"), ("b", "c")])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    GRAPH.save(tmp_path / "g.json")
    cn.EventModel.from_graph(GRAPH).save(tmp_path / "model.json")
    (tmp_path / "alarms.csv").write_text("alarm_id,start_time,node\na,100,x\nb,130,x\nc,150,y\nd,160,z\n")
    (tmp_path / "quiet.csv").write_text("event,timestamp,device\na,100,x\nd,150,z\n")
    (tmp_path / "links.csv").write_text("u,v\nx,y\ny,z\n")
    return tmp_path


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["rca", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("model", ["g.json", "model.json"])
def test_alarms_are_ranked(files: Path, model: str) -> None:
    code, out, _ = run(files / model, files / "alarms.csv", "--topology", files / "links.csv", "--json")
    first = json.loads(out)["ranked"][0]
    assert code == 0 and (first["device"], first["type"]) == ("x", "a") and first["explains"] > 2.5
    code, out, _ = run(files / model, files / "alarms.csv", "--topology", files / "links.csv")
    assert code == 0 and "P(root)" in out


def test_nothing_stands_out_has_its_own_exit_code(files: Path) -> None:
    code, out, _ = run(files / "g.json", files / "quiet.csv")
    assert code == 3 and "nothing stands out" in out
    assert "3 nothing stands out" in " ".join(CliRunner().invoke(app, ["rca", "--help"]).stdout.split())


def test_metrics_with_a_call_graph(files: Path) -> None:
    values = np.random.default_rng(0).standard_normal((60, 3))
    values[55:] += [30.0, 15.0, 20.0]
    pd.DataFrame(values, columns=["front", "cart", "db"]).to_csv(files / "metrics.csv", index_label="minute")
    (files / "calls.csv").write_text("caller,callee\nfront,cart\ncart,db\n")
    code, out, _ = run(files / "calls.csv", files / "metrics.csv", "--start", "55", "--json", "--compare")
    ranked = json.loads(out)["ranked"]
    assert code == 0 and ranked[0]["device"] == "db" and {one["rule"] for one in ranked} > {"graph", "max-z"}


def test_errors_are_sentences(files: Path) -> None:
    (files / "old.json").write_text('{"format": "causalnet.event-model/0"}')
    (files / "empty.csv").write_text("event,timestamp,device\n")
    for words, said in (
        ((files / "old.json", files / "alarms.csv"), "causalnet.event-model/1"),
        ((files / "absent.json", files / "alarms.csv"), "absent.json"),
        ((files / "g.json", files / "empty.csv"), "no rows"),
        ((files / "links.csv", files / "alarms.csv"), "links.csv is read as a call graph"),
    ):
        code, _, err = run(*words)
        assert code == 2 and err.startswith("error: ") and said in " ".join(err.split())
