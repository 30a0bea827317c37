"""The same comparison on a real Dask cluster: a scheduler and two worker processes on the loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from compare_plugin import environment, write_package

import causalnet as cn

pytest.importorskip("distributed", reason="needs distributed: pip install 'causalnet[dask]'")

SCRIPT = """
import json, sys
sys.path.insert(0, {tests!r})
from compare_plugin import chain
import causalnet as cn
seen = []
result = cn.compare(
    [chain(), *{data!r}],
    [("bad/log", {{"file": {log!r}, "pid": {pids!r}, "seconds": 0.05}}), *{methods!r}],
    seeds=3, out={out!r}, engine={engine!r}, max_seconds=1.0,
    progress=lambda state: seen.append(state.elapsed),
)
frame = result.frame
print(json.dumps({{
    "rows": frame[["dataset", "backend", "seed", "status", "reason", "f1"]].values.tolist(),
    "command": result.settings["engine"], "versions": result.settings["versions"], "elapsed": seen,
    "learned": [result.graph("chain", "random", s).to_json() for s in range(3)] if "random" in {methods!r} else [],
}}))
"""


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert process.poll() is None, f"a process of the cluster ended: {process.returncode}"
        assert time.monotonic() < deadline, "the cluster did not start"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, plugin: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("cluster")
    env = {**environment(plugin), "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "200ms"}
    where = folder / "scheduler.json"
    processes = []

    def start(*words: str) -> subprocess.Popen[bytes]:
        log = (folder / f"log{len(processes)}").open("wb")
        with log:
            process = subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=log, stderr=log, cwd=folder)
        processes.append(process)
        return process

    try:
        scheduler = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where)]
        wait_for(where, start("distributed.cli.dask_scheduler", *scheduler))
        for i in range(2):
            worker = ["--scheduler-file", str(where), "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"]
            local = ["--local-directory", str(folder), "--name", f"node{i}"]
            start("distributed.cli.dask_worker", *worker, *local)
        yield json.loads(where.read_text())["address"]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def compare(plugin: Path, folder: Path, engine: str, methods: list[str], data: list[str], name: str) -> dict:
    names = {"tests": str(Path(__file__).parents[1]), "log": str(folder / "log"), "pids": str(folder / "pids")}
    script = SCRIPT.format(**names, out=str(folder / name), engine=engine, methods=methods, data=data)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(plugin), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_the_cluster_gives_what_the_local_engine_gives(cluster: str, plugin: Path, tmp_path: Path) -> None:
    methods = ["random", "empty", "bad/fail", "bad/absent"]
    data = ["linear-gaussian:d=6:n=80"]
    here = compare(plugin, tmp_path, "local", methods, data, "here")
    log = tmp_path / "log"
    assert len(log.read_text().split()) == 6
    there = compare(plugin, tmp_path, f"dask:{cluster}", methods, data, "there")
    assert len(log.read_text().split()) == 12

    def key(found: dict) -> list:
        return [[value if value == value else None for value in row] for row in found["rows"]]

    assert key(there) == key(here)
    graphs = [[{**json.loads(g), "meta": None} for g in found["learned"]] for found in (here, there)]
    assert graphs[0] == graphs[1]
    assert there["versions"] == here["versions"]
    assert len(there["elapsed"]) == 31  # told at the start and after each cell
    assert there["elapsed"][5] < there["elapsed"][-1] - 0.05  # results are written as they arrive
    again = compare(plugin, tmp_path, f"dask:{cluster}", methods, data, "there")
    assert key(again) == key(there)
    assert len(log.read_text().split()) == 12  # nothing ran twice


def test_native_code_is_bounded_on_the_cluster_and_both_nodes_work(cluster: str, plugin: Path, tmp_path: Path) -> None:
    found = compare(plugin, tmp_path, f"dask:{cluster}", ["bad/native-loop", "bad/segfault"], [], "run")
    states = {row[1].partition(":")[0]: row[3] for row in found["rows"]}
    assert states == {"bad/log": "ok", "bad/native-loop": "timeout", "bad/segfault": "failed"}
    pids = {int(pid) for pid in (tmp_path / "pids").read_text().split()}
    assert len(pids) >= 2
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() and _is_worker(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker outlived the comparison"
        time.sleep(0.05)


def test_resamples_on_the_cluster_are_those_of_here(cluster: str, tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(60, 4)).cumsum(axis=1)
    here, there = (
        cn.edge_confidence(data, "pc", n=6, engine=engine, alpha=0.2, out=tmp_path / str(k))
        for k, engine in enumerate(("local", f"dask:{cluster}"))
    )
    np.testing.assert_array_equal(here.directed, there.directed)
    np.testing.assert_array_equal(here.joined, there.joined)
    assert here.joined.sum() > 0


def _is_worker(pid: int) -> bool:
    try:
        return b"causalnet.comparison.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def test_no_scheduler_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from causalnet.base import clusters

    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1.0)
    with pytest.raises(cn.CausalnetError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        cn.compare("linear-gaussian:d=6:n=80", "empty", seeds=1, out=tmp_path, engine="dask:tcp://127.0.0.1:9")
