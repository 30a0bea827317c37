"""The process that runs comparison cells: reads tasks from a private pipe, answers in JSON, may be killed at any time.

One worker runs many cells, so that imports and compilation happen once. It is started by :mod:`causalnet.comparison.cells` as
``python -m causalnet.comparison.worker``, below a :mod:`causalnet.comparison.warden`, and leads its own process group. Whatever a method prints goes to stderr,
which the parent reads and keeps the end of; the answers travel through duplicates of the original descriptors.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import os
import pickle
import random
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..data import Data, Table
from ..datasets import Dataset, draw
from ..discovery import Backend, check_applicable, discover, get
from ..discovery.dispatch import compile_kernels
from ..discovery.provenance import describe, versions
from ..errors import CausalnetError, KnowledgeError, NotApplicable, NotInstalled, TimeLimit
from ..graph import Graph
from ..graph.chance import draw_chance
from ..graph.interventional import essential_graph, score_by_class, told_apart
from ..graph.metrics import score
from ..storage.files import write_all
from .functions import as_backend
from .meter import clock, peak_mb, reset_peak
from .warden import ADOPT, DIE_WITH_PARENT, control, end_children
from .wire import pack, read_frame

IDLE_SECONDS = 300.0  # a worker that nobody has asked anything for this long ends by itself
DRAWS_KEPT = 2
CLOSED = 71  # exit code where a method closed the pipe to the parent
EDGES_EXPLAINED = 300  # edges of a graph whose evidence is kept with it
LATE_IMPORTS = {  # parts of packages that take long to import and that the packages themselves do not import
    "castle": ("castle.algorithms",),
    "causallearn": tuple(
        f"causallearn.search.{folder}.{part}"
        for folder, parts in {
            "ConstraintBased": ("CDNOD", "FCI", "PC"),
            "FCMBased": ("ANM.ANM", "lingam"),
            "Granger": ("Granger",),
            "PermutationBased": ("BOSS", "GRaSP"),
            "ScoreBased": ("DGES", "ExactSearch", "GES"),
        }.items()
        for part in parts
    ),
    "pgmpy": ("pgmpy.causal_discovery", "pgmpy.ci_tests", "pgmpy.estimators", "pgmpy.structure_score"),
}
MEANS = {NotApplicable: "not applicable", NotInstalled: "not installed", TimeLimit: "timeout"}  # others: "failed"
Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve tasks until the pipe closes, the parent dies, or nothing has come for a while."""
    die_with(os.getppid())
    inbox, outbox = os.dup(0), os.dup(1)  # private: not inherited by programs that a method may start
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    import faulthandler

    faulthandler.enable()

    outlet = Outlet(outbox)
    desk = Desk(outlet.say)
    while select.select([inbox], [], [], IDLE_SECONDS)[0]:
        frame = read_frame(inbox)
        if frame is None:
            return
        outlet.frame = frame[0].pop("frame", "")
        answer = desk.answer(*frame)
        outlet.say({"phase": "done", **answer, "left": end_children()})


class Outlet:
    """The pipe to the parent. Every message carries the name of its task and the process that wrote it.

    A process that a method forked ends where it would write, and so does this one where a method put another file in the
    place of the pipe.
    """

    def __init__(self, pipe: int) -> None:
        self.pipe, self.owner, self.frame = pipe, os.getpid(), ""
        self._file = self._what()

    def _what(self) -> tuple[int, int]:
        found = os.fstat(self.pipe)
        return found.st_dev, found.st_ino

    def say(self, message: dict[str, Any]) -> None:
        """Write one message whole."""
        if os.getpid() != self.owner:
            os._exit(0)
        try:
            same = self._what() == self._file
        except OSError:
            same = False
        if not same:
            os._exit(CLOSED)
        write_all(self.pipe, pack({**message, "frame": self.frame, "writer": self.owner}))


def die_with(parent: int) -> None:
    """End when the parent does, even inside native code: the kernel's signal on Linux, and a watching thread."""
    control(DIE_WITH_PARENT, signal.SIGKILL)
    control(ADOPT, 1)  # what a method leaves behind stays in sight

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Desk:
    """What a worker keeps between tasks: data sets it was given, the last draws, and which methods are compiled."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.given: dict[str, Dataset] = {}
        self.draws: dict[tuple[str, str | None, int], tuple[Dataset, dict[str, Any]]] = {}

    def answer(self, task: dict[str, Any], blob: bytes) -> dict[str, Any]:
        """The outcome of a task as JSON-able fields; never raises."""
        outcome: dict[str, Any] = {"status": "ok", "reason": "", "versions": versions(task.get("backend"))}
        try:
            if blob:
                self.given[task["key"]] = pickle.loads(blob)  # our own parent's object, through a private pipe
            dataset, outcome["draw"] = self.draw(task["dataset"], task["key"], task["seed"])
            if "backend" in task:
                if "function" in task:
                    outcome["versions"][task["backend"]] = task["digest"]
                run_cell(task, dataset, self.prepare(task, dataset.data), outcome, self.say)
        except BaseException as error:  # a method may even call sys.exit
            outcome["status"] = next((word for kind, word in MEANS.items() if isinstance(error, kind)), "failed")
            outcome["reason"], outcome["error"] = sentence(error), type(error).__name__
            outcome.pop("children_cpu_seconds", None)
            outcome["log"] = "".join(traceback.format_exception(error, limit=-8))[-4000:]
        return outcome

    def draw(self, name: str, key: str | None, seed: int) -> tuple[Dataset, dict[str, Any]]:
        """The data of a cell, from the last few draws or anew."""
        place = (name, key, seed)
        if place not in self.draws:
            while len(self.draws) >= DRAWS_KEPT:
                self.draws.pop(next(iter(self.draws)))
            dataset = draw(self.given[key] if key else name, seed)
            self.draws[place] = (dataset, describe(dataset))
        return self.draws[place]

    def prepare(self, task: dict[str, Any], data: Data) -> Backend:
        """The method with its packages imported and its kernels compiled, before any clock starts."""
        backend = task["backend"]
        method = unpack_function(task["function"]) if "function" in task else get(backend)
        import_for(method)
        compile_kernels(method, data)  # discover() then knows that it is done
        return method


@cache
def unpack_function(text: str) -> Backend:
    """The method that our own parent sent as a function, through its private pipe."""
    return as_backend(pickle.loads(base64.b64decode(text)))


def import_for(method: Backend) -> None:
    """Import the packages that the method requires, with the parts of them that their adapters import late."""
    for package in method.requires:
        for name in (package, *LATE_IMPORTS.get(package, ())):
            with contextlib.suppress(ModuleNotFoundError):  # another version may lack a part: learning tells
                importlib.import_module(name)


def run_cell(task: dict[str, Any], dataset: Dataset, method: Backend, outcome: dict[str, Any], say: Say) -> None:
    """Learn one graph on the clock, then score it; fills ``outcome``."""
    if dataset.knowledge:
        dataset.knowledge.compile(dataset.data.columns)
    try:
        check_applicable(method, dataset.data, dataset.knowledge, task["params"])
    except KnowledgeError as error:
        raise NotApplicable(str(error)) from error
    params = {name: like(value, method.parameters.get(name)) for name, value in task["params"].items()}
    limit = {"max_seconds": task["max_seconds"]} if method.bounded and task["max_seconds"] else {}
    reset_global_seeds(task["seed"])
    rng = np.random.default_rng([task["seed"], 0xCE11])  # unrelated to the stream that drew the data
    reset_peak()
    say({"phase": "learning"})
    with warnings.catch_warnings(record=True) as caught, clock(outcome):
        warnings.simplefilter("default")
        graph = discover(dataset, method, seed=rng, **limit, **params)
    say({"phase": "scoring"})
    outcome["peak_mb"] = peak_mb()
    for field in ("seconds", "cpu_seconds"):  # the backend's own clock leaves out the checks around it
        inner = graph.meta.get(field)
        if isinstance(inner, int | float) and 0 <= inner < outcome[field]:
            outcome[field] = float(inner)
    outcome["cpu_seconds"] += outcome.pop("children_cpu_seconds")
    told = [w for w in caught if issubclass(w.category, UserWarning)]
    outcome["warnings"] = list(dict.fromkeys(one_line(str(w.message)) for w in told))[:5]
    outcome["complete"] = bool(graph.meta.get("complete", True))
    outcome["graph"] = graph.replace(
        evidence={} if task["seed"] else kept_evidence(graph), meta={"seed": task["seed"]}
    ).to_json()
    outcome["metrics"] = {} if dataset.truth is None else judge(dataset.truth, graph, dataset.data, task["seed"])


def kept_evidence(graph: Graph) -> dict[tuple[str, str], Any]:
    """What the joined pairs rest on, of a graph small enough to be read edge by edge."""
    pairs = [*graph.edges, *graph.undirected]
    if len(pairs) > EDGES_EXPLAINED:
        return {}
    both = [way for a, b in pairs for way in ((a, b), (b, a)) if way in graph.evidence]
    return {pair: graph.evidence[pair] for pair in both}


def judge(truth: Graph, graph: Graph, data: Data, seed: int) -> dict[str, Any]:
    """All metrics, and what chance does (``chance``); where regimes tell directions, classes are I-essential graphs."""
    regimes = data.regimes if isinstance(data, Table) else None
    rng = np.random.default_rng([seed, 0xC4A1CE])
    if regimes is None:
        found, classes = score(truth, graph), None
    else:
        apart, other = told_apart(regimes.acted_on(data.columns)), graph.align(truth.nodes)
        found, classes = score_by_class(truth, graph, apart), None
        if truth.is_dag and graph.marks is None:
            mine = essential_graph(other.adj, apart) if other.is_dag else other.adj
            classes = essential_graph(truth.adj, apart), mine
    chance = draw_chance(truth, graph, rng, classes=classes)
    return {**found, "chance": None if chance is None else chance.to_dict()}


def like(value: Any, default: Any) -> Any:
    """A list that came as JSON, as a tuple where the method's default is one."""
    return tuple(value) if isinstance(value, list) and isinstance(default, tuple) else value


def reset_global_seeds(seed: int) -> None:
    """Methods of other packages may use global generators; this process is theirs, so each cell starts them alike."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def sentence(error: BaseException) -> str:
    """One line: the exception's type and message; our own errors speak for themselves."""
    text = one_line(str(error))
    if isinstance(error, CausalnetError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(text: str) -> str:
    """Without line breaks and not longer than 500 characters."""
    text = " ".join(text.split())
    return text if len(text) <= 500 else text[:497] + "..."


if __name__ == "__main__":
    main()
