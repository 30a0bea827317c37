"""A third-party package of misbehaving backends, written into a folder as it would be installed, and a small data set: no
test itself, so that the processes that tests start import little."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

import causalnet as cn
from causalnet.datasets import Dataset
from causalnet.discovery.register import registry

SOURCE = '''"""Backends that misbehave in every way a comparison must survive."""

import ctypes, os, sys, time
import numpy as np
from numba import njit
from causalnet import CausalnetError, Graph
from causalnet.backends import Backend
from causalnet.errors import NotApplicable, TimeLimit

@njit
def _spin(n):
    x = 0.0
    while x < n:
        x += 0.0
    return x

def _graph(data, edge=False, **meta):
    adj = np.zeros((len(data.columns), len(data.columns)), bool)
    adj[0, 1] = edge
    return Graph(data.columns, adj, meta=meta)

def native_loop(data, *, knowledge, rng):
    _spin(1.0)

def segfault(data, *, knowledge, rng):
    print("on the way to address 0")
    ctypes.string_at(0)

def leave(data, *, knowledge, rng):
    os._exit(3)

def stop(data, *, knowledge, rng):
    sys.exit("enough")

def fail(data, *, knowledge, rng, unless=""):
    if not (unless and os.path.exists(unless)):
        raise ValueError("no\\nluck")
    return _graph(data)

def chatty(data, *, knowledge, rng):
    for _ in range(2000):
        print("x" * 1000)
    os.write(1, b"raw bytes on descriptor 1")
    os.system("echo from a child; cat")  # cat ends at once: there is nothing to read
    return _graph(data)

def polite(data, *, knowledge, rng, max_seconds=None):
    time.sleep(0.2)
    return _graph(data, complete=max_seconds is None or max_seconds > 5)

def log(data, *, knowledge, rng, file, seconds=0.0, pid=""):
    """Appends a line for each start, so that repeated cells show."""
    if pid:
        open(pid, "a").write(f"{os.getpid()}\\\\n")
    with open(file, "a") as out:
        out.write(f"{rng.integers(1 << 40)}\\\\n")
    time.sleep(seconds)
    return _graph(data, edge=True)

def picky(data, *, knowledge, rng):
    raise NotApplicable("picky wants other data")

def late(data, *, knowledge, rng):
    raise TimeLimit("late found nothing in time")

def rude(data, *, knowledge, rng):
    return Graph(tuple(reversed(data.columns)), np.zeros((len(data.columns),) * 2, bool))

def globally_random(data, *, knowledge, rng):
    return _graph(data, draw=float(np.random.random()))

def pair(data, *, knowledge, rng, both=(0, 1)):
    return _graph(data, got=type(both).__name__)

def compiled(data, *, knowledge, rng):
    import slow_to_import
    return _graph(data, warm=WARM)

def forks(data, *, knowledge, rng, way="return"):
    """Leaves a process behind that returns as well, or exits, or stays; way "deep": a child of it stays."""
    pid = os.fork()
    if pid == 0:
        if way == "exit":
            sys.exit(3)
        if way in ("stay", "deep"):
            if way == "deep" and os.fork():
                os._exit(0)
            time.sleep(600)
        return _graph(data)
    if way == "deep":
        os.waitpid(pid, 0)
    return _graph(data, edge=True)

def scatters(data, *, knowledge, rng, pids, then="sleep"):
    """Leaves a child, one in a session of its own and an orphan of it, then sleeps, or exits."""
    def note():
        with open(pids, "a") as file:
            file.write(f"{os.getpid()}\\n")
    for away in (False, True):
        if os.fork() == 0:
            if away:
                os.setsid()
                if os.fork():
                    note()
            note()
            time.sleep(600)
            os._exit(0)
    while not os.path.exists(pids) or len(open(pids).readlines()) < 4:
        time.sleep(0.01)
    note()
    if then == "exit":
        os._exit(3)
    time.sleep(600)

def forges(data, *, knowledge, rng, what="frame"):
    """Writes an answer of its own, or what is none, into every pipe that it finds; or closes them all."""
    import json, stat, struct
    text = json.dumps({"phase": "done", "status": "ok", "reason": "forged", "metrics": {"f1": 1.0}}).encode()
    for descriptor in range(3, 64):
        try:
            piped = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        except OSError:
            continue
        if what == "close":
            os.close(descriptor)
        elif piped:
            try:
                os.write(descriptor, struct.pack(">QQ", len(text), 0) + text if what == "frame" else b"x" * 64)
            except OSError:
                continue
    return _graph(data, edge=True)

def shouts(data, *, knowledge, rng, mib=30):
    for _ in range(mib):
        sys.stdout.write("y" * (1 << 20))
        sys.stderr.write("z\\n")
    return _graph(data, edge=True)

WARM = []

def slow_start(kind):
    time.sleep(1.5)
    WARM.append(1)

KINDS = frozenset({"continuous", "discrete", "mixed", "events"})
FUNCTIONS = [forks, scatters, forges, shouts, native_loop, segfault, leave, stop, fail, chatty, polite, log, picky, late, rude, globally_random, pair]
ALGORITHMS = {f.__name__: Backend("bad/" + f.__name__.replace("_", "-"), f, KINDS, "dag", "bad") for f in FUNCTIONS}
ALGORITHMS["compiled"] = Backend(
    "bad/compiled", compiled, KINDS, "dag", "bad", requires=("slow_to_import",), warm_up=slow_start
)
ALGORITHMS["absent"] = Backend("bad/absent", fail, KINDS, "dag", "bad", requires=("no_such_package",))
ALGORITHMS["tables"] = Backend("bad/tables", pair, frozenset({"discrete"}), "dag", "bad")
'''


def chain(n: int = 60, seed: int = 1, name: str = "chain") -> Dataset:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = a + rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "b": b, "c": b + rng.normal(size=n)})
    return Dataset(name, cn.as_table(frame), cn.Graph.from_edges("abc", [("a", "b"), ("b", "c")]))


def write_package(folder: Path) -> Path:
    """Lay the package and its entry points into ``folder``, as pip would."""
    (folder / "bad_backends.py").write_text(SOURCE.replace("\\\\n", "\\n"))
    (folder / "slow_to_import.py").write_text("import time\ntime.sleep(1.5)\n")
    info = folder / "bad_backends-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-backends\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[causalnet.backends]\nbad = bad_backends\n")
    (info / "top_level.txt").write_text("bad_backends\n")
    (info / "RECORD").write_text("bad_backends.py,,\n")
    return folder


@contextmanager
def installed(folder: Path) -> Iterator[Path]:
    """The package importable in this process, and so in its workers."""
    sys.path.insert(0, str(write_package(folder)))
    importlib.invalidate_caches()
    registry.cache_clear()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("bad_backends", None)
        registry.cache_clear()


def environment(folder: Path) -> dict[str, str]:
    """The environment of a fresh Python process that has causalnet and the package in ``folder``."""
    path = os.pathsep.join([str(folder), *(p or os.getcwd() for p in sys.path)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
