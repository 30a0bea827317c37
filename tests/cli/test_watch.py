"""``causalnet watch`` on files and pipes: what it learns, keeps, reports and refuses, and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import causalnet as cn
from causalnet.backends import thp
from causalnet.cli.app import app
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.incidents.stream_source import Lines


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    events, _ = simulate_hawkes(
        8, 10, 4000, rng=np.random.default_rng(0), density=0.3, decay=1 / 60, base_rate=(1e-5, 3e-5), resolution=1.0
    )
    events.frame().to_csv("log.csv", index=False)
    links = "\n".join(f"{a},{b}" for a, b in events.topology.edges)
    Path("links.csv").write_text(f"u,v\n{links}\n")
    return tmp_path


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["watch", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_a_log_is_watched_and_gone_on_with(files: Path) -> None:
    whole = (files / "log.csv").read_text()
    half = whole[: len(whole) // 2]
    (files / "log.csv").write_text(half)  # its last line is not whole yet
    words = ("log.csv", "--topology", "links.csv", "--out", "g.json", "--log-json")
    command = [sys.executable, "-m", "causalnet.cli", "watch", *words, "--follow", "--state", "s.npz", "--every", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as done:
        assert done.stdout is not None and json.loads(done.stdout.readline())["message"] == "progress"
        done.send_signal(signal.SIGTERM)
        out, _ = done.communicate(timeout=30)
    assert done.returncode == 0 and json.loads(out.splitlines()[-1])["message"] == "stopped by SIGTERM"
    (files / "log.csv").write_text(whole)
    code, out, _ = run(*words, "--state", "s.npz")
    assert code == 0 and json.loads(out)["events"] + json.loads(out)["waiting"] + json.loads(out)["duplicates"] == 4000
    once, again = cn.Graph.load("g.json"), run(*words, "--state", "once.npz")
    assert again[0] == 0 and cn.Graph.load("g.json") == once and once.edges
    code, out, _ = run(*words, "--state", "s.npz")
    assert code == 0 and json.loads(out)["duplicates"] == json.loads(again[1])["duplicates"], "nothing is read twice"


def test_what_is_wrong_is_told(files: Path) -> None:
    assert run("log.csv", "--state", "s.npz", "--topology", "links.csv")[0] == 0
    (files / "other.csv").write_text("u,v\ndevice0,device9\n")
    code, _, err = run("log.csv", "--state", "s.npz", "--topology", "other.csv")
    assert code == 2 and "the topology is not that of s.npz" in " ".join(err.split())
    code, _, err = run("log.csv", "--state", "s.npz", "--half-life", 5)
    assert code == 2 and "was begun with" in err
    (files / "spoilt.csv").write_text("event,timestamp,device\n" + "A,in a while,d1\n" * 5)
    code, _, err = run("spoilt.csv", "--state", "new.npz")
    assert code == 2 and "all 5 are spoilt" in " ".join(err.split())
    (files / "twin.npz").write_bytes((files / "s.npz").read_bytes())
    assert "goes on from twin.npz, which has read log.csv" in " ".join(
        run("spoilt.csv", "--state", "twin.npz")[2].split()
    )
    (files / "log.csv").write_text("event,timestamp,device\n")
    code, _, err = run("log.csv", "--state", "s.npz")
    assert code == 2 and "is shorter than what was read of it before" in " ".join(err.split())
    whole = (files / "s.npz").read_bytes()
    (files / "s.npz").write_bytes(whole[:500])
    code, _, err = run("log.csv", "--state", "s.npz")
    assert code == 2 and "cut short" in err
    code, out, _ = run("log.csv", "--state", "new.npz", "--follow", "--stall", 0.3, "--log-json")
    assert code == 4 and "nothing came for 0.3 s" in out, "a stream that stalls"


def test_lines_that_cannot_be_read_are_counted(files: Path) -> None:
    lines = Lines("pipe", {})
    frame = lines.read(b"alarm_id,start_time,node\na,1,x\nb,oops,x\n,2,x\nc,3\na,4,x,y,z\nd,5,y\n")
    assert frame.to_dict("list") == {"event": ["a", "a", "d"], "timestamp": [1, 4, 5], "device": ["x", "x", "y"]}
    assert lines.spoilt == 3, "cells beyond the header are left out, rows that lack one are counted"
    dates = Lines("pipe", {}).read(b"event,timestamp,device\na,2024-01-01T00:00:01Z,x\n")
    assert dates["timestamp"].tolist() == [1704067201.0]
    with pytest.raises(cn.DataError, match="too large for seconds"):
        Lines("pipe", {}).read(b"event,timestamp,device\na,1704067201000,x\n")
    assert Lines("pipe", {}, "ms").read(b"event,timestamp,device\na,1500,x\n")["timestamp"].tolist() == [1.5]
    with pytest.raises(cn.DataError, match="no event yet"):
        thp.graph(thp.init())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("lgo.csv",), "no such file: lgo.csv. Did you mean 'log.csv'?"),
        ((".",), "is no file"),
        (("log.csv", "--out", "g.txt"), "does not end in .json"),
        (("log.csv", "--every", -1), "every is -1.0"),
        (("log.csv", "--stall", 0), "stall is 0.0"),
    ],
)
def test_nothing_is_begun_when_an_option_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text("event,timestamp,device\na,1,x\n")
    code, _, err = run(*words, "--state", "s.npz")
    assert code == 2 and told in " ".join(err.split()) and not Path("s.npz").exists()
