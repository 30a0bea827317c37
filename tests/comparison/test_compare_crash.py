"""A comparison killed with SIGKILL half-way: nothing lost, nothing run twice, no worker left, and the rest finished."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from compare_plugin import environment, write_package

SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from compare_plugin import chain
import causalnet as cn
method = ("bad/log", {{"file": {log!r}, "pid": {pids!r}, "seconds": 0.04}})
cn.compare([chain(), chain(name="other")], [method, "empty", "bad/fail"], seeds=8, out={out!r}, n_jobs={jobs})
"""
CELLS = 2 * 3 * 8


def rows(out: Path, columns: str) -> list[tuple[object, ...]]:
    """What the store holds, read like any other program would; [] before it is there."""
    if not (out / "results.sqlite").exists():
        return []
    db = sqlite3.connect(out / "results.sqlite", timeout=10)
    try:
        return db.execute(f"SELECT {columns} FROM cells ORDER BY dataset, backend, seed").fetchall()
    except sqlite3.OperationalError:  # not even the tables are there yet
        return []
    finally:
        db.close()


def running(pids: Path) -> list[int]:
    """The workers of the log that are alive (a zombie that nobody has reaped is dead)."""
    alive = []
    if not pids.exists():  # killed before the log's first worker began
        return alive
    for pid in set(pids.read_text().split()):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        if state != "Z":
            alive.append(int(pid))
    return alive


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_any_moment_and_run_again(jobs: int, tmp_path: Path) -> None:
    out, log, pids = tmp_path / "run", tmp_path / "log", tmp_path / "pids"
    names = {"tests": str(Path(__file__).parents[1]), "log": str(log), "pids": str(pids), "out": str(out), "jobs": jobs}
    plugin = tmp_path / "plugin"
    plugin.mkdir()
    command = [sys.executable, "-c", SCRIPT.format(**names)]
    env = environment(write_package(plugin))
    kept: list[tuple[object, ...]] = []
    kills = (4, 20)
    for wanted in kills:
        process = subprocess.Popen(command, env=env, start_new_session=True, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while len(rows(out, "seed")) < wanted:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)  # the process alone: its workers must go by themselves
        process.communicate()
        deadline = time.monotonic() + 30
        while running(pids):
            assert time.monotonic() < deadline, "a worker outlived its parent"
            time.sleep(0.02)
        after = rows(out, "dataset, backend, params, seed, status, seconds, finished")
        assert wanted <= len(after) < CELLS
        assert set(kept) <= set(after)  # nothing lost, nothing written again
        kept = after
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    final = rows(out, "dataset, backend, params, seed, status, seconds, finished")
    assert len(final) == CELLS
    assert set(kept) <= set(final)
    assert len({row[:4] for row in final}) == CELLS
    assert {row[1]: row[4] for row in final} == {"bad/log": "ok", "empty": "ok", "bad/fail": "failed"}
    starts = log.read_text().split()
    # each logged cell started once, but for those that were running (or on their way into the store) at a kill
    assert 16 <= len(starts) <= 16 + len(kills) * 2 * jobs
    assert not running(pids)
    assert not (out / "results.sqlite-journal").exists()
    assert (out / "summary.json").exists()


SCATTERED = """
import sys
sys.path.insert(0, {tests!r})
from compare_plugin import chain
import causalnet as cn
methods = [("bad/scatters", {{"pids": {pids!r} + then, "then": then}}) for then in {then!r}]
cn.compare([chain()], methods, seeds=1, out={out!r}, n_jobs=2, max_seconds={seconds})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize("how", ["kill", "limit"])
def test_nothing_that_a_method_started_outlives_its_cell(how: str, tmp_path: Path) -> None:
    then = ["sleep"] if how == "kill" else ["sleep", "exit"]  # killed with its comparison; at its limit, and by itself
    names = {"tests": str(Path(__file__).parents[1]), "pids": str(tmp_path / "pids "), "out": str(tmp_path / "run")}
    code = SCATTERED.format(**names, then=then, seconds=600 if how == "kill" else 1.0)
    (tmp_path / "plugin").mkdir()
    env = environment(write_package(tmp_path / "plugin"))
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stderr=subprocess.PIPE)
    if how == "kill":
        until(lambda: (tmp_path / "pids sleep").exists() and len((tmp_path / "pids sleep").read_text().split()) == 5)
        process.kill()
    assert process.communicate(timeout=120)[1] == b""
    for word in then:
        pids = tmp_path / f"pids {word}"
        assert len(pids.read_text().split()) >= 5
        until(lambda pids=pids: not running(pids))


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for it."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
