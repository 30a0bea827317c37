"""Other packages on an event log, each in a process of its own that is ended when its seconds are over.

Niagara (Cornanguer, Cueppers, Vreeken, AAAI 2026) learns from intervals: an event without an end is one of no length.
It knows no links between devices, so devices are sequences of their own. tick 0.8 is left out: its learners do not
start under Python 3.11 ("'History' object has no settable attribute").
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
from typing import Any

import numpy as np
import pandas as pd

from causalnet import Events
from causalnet.base.arrays import Bools

LIMIT = 120.0  # seconds


def niagara(log: Events) -> Bools:
    """Niagara with its defaults."""
    from niagara import fit

    frame = log.frame()
    start = frame["timestamp"] - frame["timestamp"].min()
    told = pd.DataFrame({"event": frame["event"], "start": start, "end": start, "sequence": frame["device"]})
    found = fit(told, horizon=float(start.max()) + 1.0)
    adj = np.zeros((log.d, log.d), dtype=bool)
    for a, b in found.edges:
        adj[log.types.index(str(a)), log.types.index(str(b))] = a != b
    return adj


RIVALS = {"niagara-cd": ("niagara", niagara)}


def in_a_process(name: str, log: Events) -> tuple[Bools | None, float, str]:
    """The peer's graph (V, V) bool, its CPU seconds, or why there is none."""
    module, _ = RIVALS[name]
    if importlib.util.find_spec(module) is None:
        return None, 0.0, f"{name} is not installed"
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    process = context.Process(target=_work, args=(name, log, answers), daemon=True)
    process.start()
    try:
        found = answers.get(timeout=LIMIT)
    except Exception:
        return None, LIMIT, f"no answer in {LIMIT:g} s"
    finally:
        process.kill()
        process.join()
    return found


def _work(name: str, log: Events, answers: Any) -> None:
    try:
        started = time.process_time()
        adj = RIVALS[name][1](log)
        answers.put((adj, time.process_time() - started, ""))
    except Exception as error:
        answers.put((None, 0.0, f"{type(error).__name__}: {error}"[:300]))
