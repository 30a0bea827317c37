"""Killed with SIGKILL at file-system events chosen at random, and run again: nothing lost, repeated or different.

Each piece of work runs in a fork that counts its opens, renames, removals and syncs below its folder, and dies at one of
them. ``CAUSALNET_KILLS=200`` makes so many kills, comparisons with their workers among them; by default ten.
``CAUSALNET_KILLS_OF=compare,train`` kills those alone, so that a long run can be made in pieces.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

pytest.importorskip("torch")
if sys.platform != "linux":
    pytest.skip("forks, and looks at /proc", allow_module_level=True)

import causalnet as cn
import causalnet.envs
from causalnet.agents import ScalableActorCritic
from causalnet.backends import att_bic
from causalnet.envs import Line
from causalnet.report.html import write_graph_report
from causalnet.storage.checkpoint import read
from causalnet.storage.folder import alone_in
from causalnet.storage.rows import Table
from causalnet.training.by_doing import learn_by_doing
from causalnet.training.environment import Plan
from causalnet.training.session import train

KILLS = int(os.environ.get("CAUSALNET_KILLS", "10"))
CHOSEN = list(filter(None, os.environ.get("CAUSALNET_KILLS_OF", "").split(",")))
PATIENCE = 120.0 if KILLS < 100 and not CHOSEN else 600.0  # seconds for a piece of work
CLOCK = re.compile(r'"(cpu_)?seconds": [^,}]+')  # of a graph's meta
EVENTS = frozenset(
    ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree", "sqlite3.connect")
)
DATA = cn.Dataset(
    "d",
    cn.as_table(np.random.default_rng(0).normal(size=(40, 3)), ["a", "b", "c"]),
    cn.Graph.from_edges("abc", [("a", "b")]),
)


class Work(NamedTuple):
    """run: goes on in a folder until it is done. done: what is finished there, in an order that a kill may only cut short.

    result: what must be equal in the end."""

    run: Callable[[Path], Any]
    done: Callable[[Path], list[str]]
    result: Callable[[Path], Any]


def add_rows(folder: Path) -> None:
    table = Table(folder, ["value", "text"], ["text"])
    for k in range(6):
        if not table.has(f"cell {k}"):
            table.add(f"cell {k}", [{"value": k + j / 7, "text": "=1+1"} for j in range(2)])


def learn_in_doing(folder: Path) -> None:
    env = gymnasium.make("causalnet/FaultAlarm-v0", instance=3, n_devices=6)
    core: Any = env.unwrapped
    state = att_bic.init(core.variables, core.instance.devices, topology=core.instance.topology, rng=0)
    learn_by_doing(env, "dqn", discovery=state, episodes=5, checkpoint_every=2, folder=folder, random_steps=30)


def train_on(folder: Path) -> None:
    train(Plan("CartPole-v1", "dqn"), 4, folder, evaluate_episodes=0)


def learn_networked(folder: Path) -> None:
    path = folder / "agent.npz"
    agent = ScalableActorCritic.load(path, Line(4)) if path.exists() else ScalableActorCritic(Line(4))
    with alone_in(folder):
        while agent.updates < 4:
            agent.learn(1)
            agent.save(path)


def write_reports(folder: Path) -> None:
    graph = cn.Graph.from_edges("abc", [("a", "b"), ("b", "c")])
    folder.mkdir(exist_ok=True)
    for name in ("g.json", "g.graphml", "g.csv", "g.svg", "g.dot"):
        graph.save(folder / name)
    write_graph_report(graph, folder / "report.html")
    with alone_in(folder):  # sweeps what kills left half written
        pass


def compare_methods(folder: Path) -> None:
    cn.compare([DATA], ["empty", "random", "pc"], seeds=4, out=folder, n_jobs=2, progress=False)


def lines(name: str, without: int | None = None) -> Callable[[Path], list[str]]:
    """The rows of a CSV file, a column left out (how fast it went)."""

    def read_lines(folder: Path) -> list[str]:
        text = (folder / name).read_text() if (folder / name).exists() else ""
        rows = [row.rstrip(",") for row in text.splitlines()[1:]]  # columns that come later are empty at first
        cut = [row.split(",") for row in rows]
        return rows if without is None else [",".join(row[:without] + row[without + 1 :]) for row in cut]

    return read_lines


def digest(*names: str) -> Callable[[Path], Any]:
    return lambda folder: [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]


def weights(path: Path) -> dict[str, Any]:
    header, arrays = read(path)
    return {"updates": header.get("updates"), **{name: a.tobytes() for name, a in arrays.items() if name != "seconds"}}


def cells(folder: Path, columns: str = "dataset, backend, seed, status, seconds, finished") -> list[str]:
    import sqlite3

    if not (folder / "results.sqlite").exists():
        return []
    with contextlib.closing(sqlite3.connect(folder / "results.sqlite", timeout=10)) as db:
        try:
            return [repr(row) for row in db.execute(f"SELECT {columns} FROM cells ORDER BY rowid")]
        except sqlite3.OperationalError:  # the tables are not there yet
            return []


FILES = ("g.json", "g.graphml", "g.csv", "g.svg", "g.dot", "report.html")
WORKS = {
    "rows": Work(add_rows, lines("results.csv"), digest("results.csv")),
    "learn_by_doing": Work(learn_in_doing, lines("episodes.csv"), lines("episodes.csv")),
    "train": Work(
        train_on,
        lines("episodes.csv", 2),
        lambda folder: (lines("episodes.csv", 2)(folder), weights(folder / "agent.npz")),
    ),
    "networked": Work(learn_networked, lambda folder: [], lambda folder: weights(folder / "agent.npz")),
    "reports": Work(write_reports, lambda folder: [], digest(*FILES)),
}
LONG = {
    "compare": Work(
        compare_methods,
        cells,
        lambda folder: [
            CLOCK.sub("", row) for row in sorted(cells(folder, "dataset, backend, seed, status, metrics, graph"))
        ],
    )
}


def forked(work: Work, folder: Path, at: int | None, counter: Path, pids: set[int]) -> int:
    """The exit status of a fork, added to ``pids``, that does the work; it dies at file-system event ``at`` below the folder."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: nothing of theirs is used
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            met = watch(str(folder), at)
            work.run(folder)
            counter.write_text(str(met[0]))
            code = 0
        except BaseException:
            counter.write_text(traceback.format_exc())
        finally:
            os._exit(code)
    pids.add(pid)
    deadline = time.monotonic() + PATIENCE
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
        assert time.monotonic() < deadline, "the work does not end"
        time.sleep(0.005)
    return ended[1]


def watch(folder: str, at: int | None) -> list[int]:
    """Count the events below a folder, and die at one of them; syncs count twice, before and after."""
    met = [0]

    def event() -> None:
        met[0] += 1
        if met[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(name: str, given: tuple[Any, ...]) -> None:
        if name in EVENTS and any(
            isinstance(part, str | os.PathLike) and str(part).startswith(folder) for part in given
        ):
            event()

    sync = os.fsync

    def counted(descriptor: int) -> None:
        event()
        sync(descriptor)
        event()

    os.fsync = counted
    sys.addaudithook(audit)
    return met


def workers(of: set[int]) -> set[int]:
    """Processes that run cells for comparisons of the given processes."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if b"causalnet.comparison.worker" in words and int(words[-2]) in of:
                found.add(int(entry.name))
    return found


@pytest.mark.timeout(0)
def test_nothing_is_lost_repeated_or_different(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, told = np.random.default_rng(KILLS), {}
    works = {**WORKS, **(LONG if KILLS >= 100 or CHOSEN else {})}
    works = {name: work for name, work in works.items() if not CHOSEN or name in CHOSEN}
    first = next(iter(works))
    counter, pids = tmp_path / "counter", set[int]()
    for name, work in works.items():
        whole = tmp_path / f"{name} whole"
        work.run(whole)  # here, so that the forks find everything imported and compiled
        assert forked(work, tmp_path / f"{name} counted", None, counter, pids) == 0, counter.read_text()
        total, wanted = int(counter.read_text()), work.result(whole)
        share = KILLS // len(works) + (KILLS % len(works) if name == first else 0)
        kills = 0
        while kills < share:
            folder, seen = tmp_path / f"{name} {kills}", list[str]()
            for _ in range(int(rng.integers(1, 3))):
                status = forked(work, folder, int(rng.integers(1, total + 1)), counter, pids)
                kills += os.WIFSIGNALED(status)
                assert os.WIFSIGNALED(status) or status == 0, (name, counter.read_text())
                if folder.exists():
                    now = work.done(folder)
                    assert now[: len(seen)] == seen or set(seen) <= set(now), (name, seen, now)
                    seen = now
            assert forked(work, folder, None, counter, pids) == 0, (name, counter.read_text())
            assert work.result(folder) == wanted, name
            assert work.done(folder)[: len(seen)] == seen or set(seen) <= set(work.done(folder)), name
            assert not list(folder.rglob("*.part")), name
            deadline = time.monotonic() + 10
            while workers(pids):
                assert time.monotonic() < deadline, "a worker outlived its comparison"
                time.sleep(0.02)
        told[name] = kills
    with capsys.disabled():
        print(f"\n{sum(told.values())} kills at random file-system events, nothing lost: {json.dumps(told)}")
    assert sum(told.values()) >= KILLS
