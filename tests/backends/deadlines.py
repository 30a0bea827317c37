"""How well every native method keeps ``max_seconds`` on data made to hold it up.

``python -m tests.backends.deadlines [--seconds 5] [--only pc,thp] [--data levels]`` prints a row a method and data set:
whether it was kept, how long it took, and what came of it. Time is processor time here, for the methods' own clocks too: what
else this machine does is not theirs to answer for. Kernels are compiled before, as ``discover`` does it. Each run is a fork that
is killed after a minute, and gets no more memory than ``MEMORY``.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

import causalnet as cn
from causalnet.discovery.dispatch import compile_kernels
from causalnet.discovery.register import get

MORE = 2.0  # seconds beyond max_seconds that a method may take,
SHARE = 0.1  # and this share of it
PATIENCE = 60  # seconds of the processor, for a run
MEMORY = 10 << 30  # bytes beyond what the process that forks has
TABLES = ("order", "pc", "fci", "random", "empty")
NUMBERS = (*TABLES, "notears", "lingam", "pcmci", "granger")
SERIES = ("pcmci", "granger")
LOGS = ("thp", "granger", "random", "empty")


def hub(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """A cause of all others."""
    values = rng.standard_normal((n, d))
    values[:, 1:] += values[:, :1]
    return values


def levels(rng: np.random.Generator, size: float) -> Any:
    """Three columns of so many categories that a table of two has more cells than fit."""
    k = int(30_000 * size)
    codes = rng.integers(0, k, (4 * k, 3))
    codes[:, 2] = (codes[:, 0] + rng.integers(0, 3, 4 * k)) % k
    return cn.as_table(pd.DataFrame(codes, columns=list("abc")), discrete=True)


def mixed_levels(rng: np.random.Generator, size: float) -> Any:
    k = int(3_000 * size)
    codes = pd.DataFrame(rng.integers(0, k, (8 * k, 3)), columns=list("abc"))
    return cn.as_table(codes.assign(x=rng.standard_normal(8 * k) + codes.a / k), discrete=list("abc"))


def wide(rng: np.random.Generator, size: float) -> Any:
    return cn.as_table(rng.standard_normal((50, int(100_000 * size))))


def half_wide(rng: np.random.Generator, size: float) -> Any:
    return cn.as_table(hub(200, int(10_000 * size), rng))


def wide_words(rng: np.random.Generator, size: float) -> Any:
    return cn.as_table((hub(300, int(5_000 * size), rng) > 0).astype(float), discrete=True)


def long(rng: np.random.Generator, size: float) -> Any:
    values = rng.standard_normal((int(1_000_000 * size), 20))
    return cn.as_table(values + 0.5 * np.cumsum(values, axis=1))


def long_words(rng: np.random.Generator, size: float) -> Any:
    values = rng.standard_normal((int(1_000_000 * size), 20))
    return cn.as_table(np.digitize(values + np.cumsum(values, axis=1), [-2, -1, 0, 1, 2]), discrete=True)


def long_mixed(rng: np.random.Generator, size: float) -> Any:
    values = rng.standard_normal((int(1_000_000 * size), 20))
    values += np.cumsum(values, axis=1)
    values[:, ::2] = np.digitize(values[:, ::2], [-2, -1, 0, 1, 2])
    return cn.as_table(values)


def hub_numbers(rng: np.random.Generator, size: float) -> Any:
    return cn.as_table(hub(1000, max(5, int(500 * size)), rng))


def hub_words(rng: np.random.Generator, size: float) -> Any:
    values = np.digitize(hub(1000, max(5, int(500 * size)), rng), [-1, 0, 1])
    return cn.as_table(values, discrete=True)


def hub_mixed(rng: np.random.Generator, size: float) -> Any:
    values = hub(1000, max(5, int(500 * size)), rng)
    values[:, ::2] = np.digitize(values[:, ::2], [-1, 0, 1])
    return cn.as_table(values)


def factor(rng: np.random.Generator, size: float) -> Any:
    """Dense: two hidden causes of all columns."""
    d = max(6, int(300 * size))
    values = rng.standard_normal((2000, 2)) @ rng.standard_normal((2, d)) + 0.5 * rng.standard_normal((2000, d))
    return cn.as_table(values)


def alike(rng: np.random.Generator, size: float) -> Any:
    """Columns that are all the same up to the eighth digit."""
    d = max(6, int(200 * size))
    return cn.as_table(rng.standard_normal((500, 1)) + 1e-8 * rng.standard_normal((500, d)))


def gaps(rng: np.random.Generator, size: float) -> Any:
    values = hub(2000, max(6, int(200 * size)), rng)
    values[rng.random(values.shape) < 0.1] = np.nan
    return cn.as_table(values)


def gaps_words(rng: np.random.Generator, size: float) -> Any:
    values = np.digitize(hub(2000, max(6, int(100 * size)), rng), [-1, 0, 1]).astype(float)
    values[rng.random(values.shape) < 0.1] = np.nan
    return cn.as_table(values, discrete=True)


def gaps_mixed(rng: np.random.Generator, size: float) -> Any:
    values = hub(2000, max(6, int(100 * size)), rng)
    values[:, ::2] = np.digitize(values[:, ::2], [-1, 0, 1])
    values[rng.random(values.shape) < 0.1] = np.nan
    return cn.as_table(values)


def regimes(rng: np.random.Generator, size: float) -> Any:
    d = max(6, int(100 * size))
    frame = pd.DataFrame(hub(4000, d, rng), columns=[f"x{j}" for j in range(d)])
    return cn.as_table(frame.assign(r=np.arange(4000) % 20), regime="r")


def series(rng: np.random.Generator, size: float) -> Any:
    values = rng.standard_normal((6000, max(4, int(200 * size))))
    values[1:] += 0.5 * values[:-1, :1]
    return cn.Series(values)


def log(rng: np.random.Generator, n: int, types: int, devices: int, wired: bool) -> Any:
    """Chains of one event after another, over the links where there are any."""
    event, device = rng.integers(0, types, n), rng.integers(0, devices, n)
    time_ = np.sort(rng.uniform(0, n / 5, n))
    after = rng.random(n) < 0.5
    event[1:] = np.where(after[1:], (event[:-1] + 1) % types, event[1:])
    device[1:] = np.where(after[1:], device[:-1], device[1:])
    frame = pd.DataFrame({"event": event, "timestamp": time_.round(1), "device": device})
    return cn.Events(frame, nx.cycle_graph(devices) if wired else None)


def many_types(rng: np.random.Generator, size: float) -> Any:
    return log(rng, int(100_000 * size), max(5, int(500 * size)), 100, True)


def many_events(rng: np.random.Generator, size: float) -> Any:
    return log(rng, int(1_000_000 * size), max(5, int(100 * size)), 50, True)


def polled(rng: np.random.Generator, size: float) -> Any:
    """Told every five minutes, so that most causes are told with their effects."""
    events = log(rng, int(100_000 * size), max(5, int(300 * size)), 50, True)
    frame = events.frame().assign(timestamp=np.ceil(events.time / 300.0) * 300.0)
    return cn.Events(frame, events.topology)


def one_moment(rng: np.random.Generator, size: float) -> Any:
    """A storm: nearly all events at five moments."""
    n = int(100_000 * size)
    frame = pd.DataFrame({"event": rng.integers(0, 50, n), "timestamp": rng.integers(0, 5, n), "device": 0})
    return cn.Events(frame)


def repairs(rng: np.random.Generator, size: float) -> Any:
    """Actions on many variables of many units."""
    steps, units, d = max(50, int(3000 * size)), max(4, int(100 * size)), max(5, int(200 * size))
    seen = rng.poisson(0.02, (steps + 1, units, d))
    names = [f"v{k}" for k in range(d)]
    acted = {"unit": rng.integers(0, units, steps), "variable": rng.integers(0, d, steps)}
    return cn.Interactions(names, range(units), seen[:-1], seen[1:], **acted, topology=nx.cycle_graph(units))


CASES: dict[str, tuple[Callable[[np.random.Generator, float], Any], tuple[str, ...]]] = {
    "levels": (levels, TABLES),
    "mixed levels": (mixed_levels, TABLES),
    "100,000 columns": (wide, NUMBERS),
    "10,000 columns": (half_wide, NUMBERS),
    "5,000 categories": (wide_words, TABLES),
    "1,000,000 rows": (long, NUMBERS),
    "1,000,000 rows of categories": (long_words, TABLES),
    "1,000,000 mixed rows": (long_mixed, TABLES),
    "hub": (hub_numbers, NUMBERS),
    "hub of categories": (hub_words, TABLES),
    "mixed hub": (hub_mixed, TABLES),
    "two factors": (factor, NUMBERS),
    "columns all alike": (alike, NUMBERS),
    "gaps": (gaps, ("order", "pc", "fci", "pcmci", "random")),
    "gaps in categories": (gaps_words, TABLES),
    "gaps, mixed": (gaps_mixed, TABLES),
    "regimes": (regimes, ("order", "pc")),
    "200 series": (series, SERIES),
    "500 types": (many_types, LOGS),
    "1,000,000 events": (many_events, LOGS),
    "300 polled types": (polled, LOGS),
    "five moments": (one_moment, LOGS),
    "repairs": (repairs, ("att-bic",)),
}
SETTINGS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("200 series", "pcmci"): [{"lags": 20}, {"lags": 20, "contemporaneous": False}, {"lags": 3, "ci_test": "rcit"}],
    ("200 series", "granger"): [{"lags": 20}],
    ("hub", "pc"): [{}, {"ci_test": "rcit"}, {"max_cond": 8}],
    ("hub", "fci"): [{}, {"start": "order"}, {"start": "dag"}],
    ("two factors", "notears"): [{}, {"acyclicity": "expm"}, {"acyclicity": "log-det"}],
    ("1,000,000 events", "thp"): [{}, {"decay": 0.2}, {"decay": (0.02, 0.2)}],
    ("repairs", "att-bic"): [{}, {"mode": "paper"}],
}


def run(name: str, data: Any, seconds: float, settings: dict[str, Any]) -> tuple[str, float]:
    """(what came of it, seconds) of one method, here, with the processor's time for a clock."""
    time.monotonic = time.process_time
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = cn.discover(data, name, max_seconds=seconds, **settings)
        told = f"{int(graph.adj.sum())} edges" + ("" if graph.meta["complete"] else ", cut short")
    except cn.CausalnetError as error:
        told = f"refused: {str(error)[:90]}"
    return told, time.process_time() - began


def warm(name: str, data: Any) -> None:
    """Compile what a method needs for such data, here, so that no fork has to."""
    compile_kernels(get(name), data)


def verdict(name: str, data: Any, seconds: float, settings: dict[str, Any]) -> str:
    """Whether the limit was kept, and what came of it."""
    told, took = run(name, data, seconds, settings)
    return f"{'kept' if took <= seconds * (1 + SHARE) + MORE else 'MISSED':7}{took:7.2f} s   {told}"


def forked(work: Callable[[], str]) -> str:
    """What a fork says, or what killed it."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            own = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 5))
            said = work()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said[:4000].encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    return said or f"MISSED killed by signal {status} (after {PATIENCE} s, or for memory)"


def rows(seconds: float, methods: list[str], only: list[str], size: float) -> Iterator[str]:
    """A line for each method on each data set."""
    for case, (make, takers) in CASES.items():
        if only and case not in only:
            continue
        chosen = [name for name in takers if not methods or name in methods]
        if not chosen:
            continue
        data = make(np.random.default_rng(0), size)
        for name in chosen:
            warm(name, data)
            for settings in SETTINGS.get((case, name), [{}]):
                work = partial(verdict, name, data, seconds, settings)
                label = f"{name} {' '.join(f'{k}={v}' for k, v in settings.items())}"
                yield f"{case:30}{label:36}{forked(work)}"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=5.0)
    ask.add_argument("--only", default="", help="methods, comma-separated")
    ask.add_argument("--data", default="", help="data sets, semicolon-separated")
    ask.add_argument("--size", type=float, default=1.0, help="share of the full sizes")
    given = ask.parse_args()
    chosen = [list(filter(None, text.split(mark))) for text, mark in ((given.only, ","), (given.data, ";"))]
    for row in rows(given.seconds, chosen[0], chosen[1], given.size):
        print(row, flush=True)


if __name__ == "__main__":
    main()
