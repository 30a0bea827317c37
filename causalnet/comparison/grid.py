"""Methods x data sets x seeds, into a folder that can be interrupted, resumed and extended.

Each cell runs in a worker process that is killed when ``max_seconds`` is over. Only this process writes; a cell is
one transaction, so that a finished cell is neither lost nor repeated, whatever happens to the run.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors
from ..base.arrays import AnyArray
from ..base.asked import asks
from ..base.progress import Estimate, Watcher, watcher
from ..datasets import Dataset
from ..discovery.provenance import describe, versions
from ..errors import DataError
from ..graph.metrics import DEFINITIONS
from .cells import Limits, hard_limit
from .engines import Job, Run, open_engine
from .functions import check_unchanged, digest, pack_function
from .plan import Method, Plan, make_plan
from .results import Results
from .store import FILE, Cell, Store

BAD = ("failed", "timeout")
USUAL = "runs/compare"


@asks("engine", "params", "retry_failed", "n_jobs")
def compare(
    datasets: str | Dataset | Sequence[str | Dataset] | Mapping[str, Any],
    backends: Method | Sequence[Method],
    seeds: int | Sequence[int] = 5,
    out: str | Path | None = None,
    n_jobs: int = 1,
    max_seconds: float | None = None,
    engine: str = "local",
    params: Mapping[str, Mapping[str, Any]] | None = None,
    progress: bool | Watcher | None = None,
    retry_failed: bool = False,
    load_seconds: float = 600.0,
) -> Results:
    """Run every method on every data set with every seed, and keep one row a cell in ``out``.

    datasets: names, Dataset objects of your own, or {name: frame or Dataset}. backends: names, ``"pc:alpha=0.05"`` or ``("pc", {...})``;
    ``params`` gives parameters by backend name. seeds: how many (0, 1, ...) or which. A seed draws the sample of a
    simulated data set; on fixed data seed 0 is the data itself and the others are bootstrap resamples.
    n_jobs: cells at once. engine: ``"local"`` or ``"dask:ADDRESS"``. progress: True for a bar, or a callback that
    gets a :class:`Progress`. load_seconds: bound on loading the data and compiling.

    out: the folder; None: runs/compare, or runs/compare-2, ... beside those that hold other data, or another version of a
    function, under the same names, which is warned of.

    max_seconds: bound on learning, in seconds of wall time. Methods that stop themselves return their best so far
    (``complete`` is False) and are killed 2 s + 10 % later at the latest; all others are killed at the limit.

    Running it again finishes what is missing; more methods, data sets or seeds extend the folder. Recorded failures
    stay unless ``retry_failed``; cells that ran out of time run again under a longer limit, and methods that were
    not installed once they are. Nothing runs if a name, a parameter or the data cannot be right.
    """
    plan = make_plan(
        datasets, backends, seeds, USUAL if out is None else out, n_jobs, max_seconds, engine, params, load_seconds
    )
    plan = _beside(plan) if out is None else plan
    with Store.create(plan.out, DEFINITIONS) as store:
        finished = _finished(store, plan)
        pending = [cell for cell in plan.cells if _to_run(cell, finished.get(cell), plan, retry_failed)]
        pending = [cell for cell in pending if not _note_missing(store, cell, plan)]
        if pending:
            with open_engine(plan.engine, plan.n_jobs) as (run, lanes), watcher(progress) as tell:
                _check_data(store, pending, plan, run)
                store.begin_run(plan.command, plan.settings)
                _run_all(store, pending, plan, run, _estimate(plan, pending, finished, lanes), tell)
        else:
            store.begin_run(plan.command, plan.settings)
    results = Results(plan.out)
    results.save()
    return results


def _finished(store: Store, plan: Plan) -> dict[Cell, dict[str, Any]]:
    """The cells that are recorded; DataError where they are of other data, or of another version of a function."""
    finished = store.finished()
    check_unchanged(plan.functions, {c.backend: json.loads(row["versions"]) for c, row in finished.items()}, plan.out)
    store.check_draws({(name, 0): describe(dataset) for name, dataset in plan.datasets.items() if dataset is not None})
    return finished


def _beside(plan: Plan) -> Plan:
    """The plan in the first folder, of the usual one and those beside it, that holds no other inputs under the same names."""
    for number in count(1):
        here = replace(plan, out=plan.out if number == 1 else plan.out.with_name(f"{plan.out.name}-{number}"))
        if (here.out / FILE).is_file():
            with Store.create(here.out, DEFINITIONS) as store:
                try:
                    _finished(store, here)
                except DataError:
                    continue
        if number > 1:
            told = (
                f"{plan.out} holds a comparison of other inputs under the same names, so this one is kept in {here.out}"
            )
            warnings.warn(f"{told}; out= names a folder of your own", UserWarning, stacklevel=4)
        return here
    raise AssertionError("count has no end")


def _to_run(cell: Cell, before: Mapping[str, Any] | None, plan: Plan, retry_failed: bool) -> bool:
    """Is the cell new, or is there a reason to run it again?"""
    if before is None:
        return True
    status = before["status"]
    if status == "not installed":
        return plan.method(cell.backend).installed
    if status == "timeout" or (status == "ok" and before["complete"] == 0):
        then, longest = before["max_seconds"], math.inf if plan.max_seconds is None else plan.max_seconds
        return (then is not None and longest > then) or (retry_failed and status == "timeout")
    return retry_failed and status == "failed"


def _note_missing(store: Store, cell: Cell, plan: Plan) -> bool:
    """Record a cell whose method is not installed here (a cluster's nodes are asked themselves)."""
    method = plan.method(cell.backend)
    if plan.engine != "local" or method.installed:
        return False
    outcome = {"status": "not installed", "reason": method.needs, "versions": versions(cell.backend)}
    store.write(cell, outcome, plan.max_seconds)
    return True


def _check_data(store: Store, pending: list[Cell], plan: Plan, run: Run) -> None:
    """Load each named data set once, so that a missing or changed one is refused before anything runs."""
    named = {cell.dataset: cell.seed for cell in reversed(pending) if plan.datasets[cell.dataset] is None}
    limits = Limits(load=plan.load_seconds)
    jobs: list[Job] = [({"dataset": name, "key": None, "seed": seed}, None, limits) for name, seed in named.items()]

    def keep(task: dict[str, Any], outcome: dict[str, Any]) -> None:
        if outcome["status"] != "ok":
            kind = getattr(errors, outcome.get("error", ""), DataError)
            raise kind(f"the data set {task['dataset']!r} cannot be used: {outcome['reason']}")
        store.check_draw(task["dataset"], task["seed"], outcome["draw"])

    for _ in run(jobs, keep):
        pass


def _run_all(store: Store, pending: list[Cell], plan: Plan, run: Run, estimate: Estimate, tell: Watcher) -> None:
    """Run the cells and record each as soon as it is there."""
    blobs = {name: None if d is None else _blob(d) for name, d in plan.datasets.items()}
    keys = {name: None if b is None else hashlib.sha256(b.tobytes()).hexdigest() for name, b in blobs.items()}
    sent = {name: {"function": pack_function(f), "digest": digest(f)} for name, f in plan.functions.items()}
    jobs: list[Job] = []
    for i, cell in enumerate(pending):
        task = {"id": i, **cell.__dict__, "params": json.loads(cell.params), "key": keys[cell.dataset]}
        task |= sent.get(cell.backend, {})
        hard = hard_limit(plan.max_seconds, plan.method(cell.backend).bounded)
        limits = Limits(plan.load_seconds, plan.max_seconds, hard)
        jobs.append(({**task, "max_seconds": plan.max_seconds}, blobs[cell.dataset], limits))

    def keep(task: dict[str, Any], outcome: dict[str, Any]) -> None:
        store.write(pending[task["id"]], outcome, plan.max_seconds)

    tell(estimate.now(""))
    for task, outcome in run(jobs, keep):
        cell = pending[task["id"]]
        estimate.finish(cell.method, outcome["elapsed"], outcome["status"] in BAD)
        tell(estimate.now(f"{cell.method} on {cell.dataset}, seed {cell.seed}: {outcome['status']}"))


def _estimate(plan: Plan, pending: list[Cell], finished: Mapping[Cell, Mapping[str, Any]], lanes: int) -> Estimate:
    kept = finished.keys() & set(plan.cells) - set(pending)
    bad = sum(finished[cell]["status"] in BAD for cell in kept)
    estimate = Estimate((cell.method for cell in pending), len(plan.cells) - len(pending), bad, lanes)
    for cell, row in finished.items():
        estimate.learn(cell.method, row["elapsed"])
    return estimate


def _blob(dataset: Dataset) -> AnyArray:
    """The data set as bytes for our own worker processes; nothing is ever read back from outside."""
    return np.frombuffer(pickle.dumps(dataset, protocol=5), dtype=np.uint8)
