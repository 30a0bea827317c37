"""One log a seed: what thp, its online form and the controls make of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from causalnet import Events, Graph, discover, load_dataset, score
from causalnet.backends import thp
from causalnet.datasets.files import MissingFile
from causalnet.datasets.incidents import AlarmSystem
from causalnet.envs.fault_alarm import generate_instance, observational_log
from causalnet.graph.order import ancestry
from pipelines.alarms.families import FAMILIES, family_log, polled_log, swept_log
from pipelines.alarms.rivals import RIVALS, in_a_process
from pipelines.common import peak_memory

CONTROLS = 1000  # random graphs
CLOCKS = {"1 s": 1.0, "10 ms": 0.01, "1 ms": 1e-3, "1 us": 1e-6, "polled 5 min": 300.0}
PIECE = 100_000  # events of a step of a stream, and of a day
MARKS = (30_000, 100_000, 300_000)  # events at which its graph is judged, beside the end


@dataclass
class Outcome:
    """One figure of one log."""

    task: str = field(default="", kw_only=True)
    problem: str
    method: str
    what: str
    seed: int = field(default=0, kw_only=True)
    value: float | None
    note: str = ""


class Size(NamedTuple):
    """Of a simulated log."""

    events: int = 10_000
    types: int = 20
    devices: int = 50

    def __str__(self) -> str:
        return f"{self.events} events, {self.types} types, {self.devices} devices"


def drawn(size: Size, seed: int) -> tuple[Events, Graph, np.random.Generator]:
    """A log of cascades on a network: a random DAG of types, strengths in [.15, .45], delays of 60 s, over 30 days."""
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, size.types, size.devices)
    return system.log(size.events, rng), system.graph, rng


def judged(problem: str, method: str, truth: Graph, learned: Graph) -> Iterator[Outcome]:
    """F1, precision and recall of a graph."""
    found = score(truth, learned.align(truth.nodes))
    for name in ("f1", "precision", "recall"):
        value = found[name]
        yield Outcome(problem, method, name, None if value is None else float(value))


def simulated(size: Size, seed: int) -> Iterator[Outcome]:
    """thp, granger and random complete orders on one log."""
    log, truth, rng = drawn(size, seed)
    started = time.process_time()
    learned = discover(log, "thp")
    yield Outcome(str(size), "thp", "CPU seconds", time.process_time() - started)
    yield from judged(str(size), "thp", truth, learned)
    yield from controls(str(size), truth, log, rng)


def controls(problem: str, truth: Graph, log: Events, rng: np.random.Generator) -> Iterator[Outcome]:
    """Complete orders drawn at random, F1 and its deviation; granger in bins, where it can be fitted."""
    orders = np.array([float(score(truth, _order(truth, rng))["f1"] or 0.0) for _ in range(CONTROLS)])
    yield Outcome(problem, "random order", "f1", float(orders.mean()))
    yield Outcome(problem, "random order", "deviation", float(orders.std()))
    if truth.d <= 100:
        yield from judged(problem, "granger", truth, discover(log, "granger"))


def _order(truth: Graph, rng: np.random.Generator) -> Graph:
    place = rng.permutation(truth.d)
    return Graph(truth.nodes, place[:, None] < place)


def ends(size: Size, seed: int) -> Iterator[Outcome]:
    """Alarms that act while they stand, a minute to an hour by the mean of their type: with their ends, and without."""
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, size.types, size.devices, stands=(60.0, 3600.0))
    log = system.log(size.events, rng)
    yield from judged(f"{size}, ends told", "thp", system.graph, discover(log, "thp"))
    blind = Events(log.frame().drop(columns="duration"), log.topology, log.types)
    yield from judged(f"{size}, ends not told", "thp", system.graph, discover(blind, "thp"))


def swept(problem: str | Size, seed: int) -> Iterator[Outcome]:
    """A log as it is, and swept: what comes on many devices at once left out, and kept."""
    if isinstance(problem, Size):
        log, truth, _ = drawn(problem, seed)
    else:
        log, truth = family_log(FAMILIES[problem], seed)
    more = swept_log(log, seed)
    for name, events, keep in (("as it is", log, False), ("swept", more, False), ("swept, crowds kept", more, True)):
        yield from judged(f"{problem}, {name}", "thp", truth, discover(events, "thp", keep_crowds=keep))


def clock(size: Size, seed: int) -> Iterator[Outcome]:
    """One log by clocks of several resolutions; where it is polled, an event carries the time of the next poll."""
    log, truth, rng = drawn(size, seed)
    exact = log.time + rng.uniform(0.0, 1.0, log.n)  # the simulator rounds to whole seconds
    for name, tick in CLOCKS.items():
        frame = log.frame()
        frame["timestamp"] = (np.ceil if tick > 1.0 else np.floor)(exact / tick) * tick
        frame = frame.sample(frac=1.0, random_state=seed).sort_values("timestamp", kind="stable")
        yield from beside(name, truth, Events(frame, log.topology, log.types))


def polled(how: tuple[str, float], seed: int) -> Iterator[Outcome]:
    """A log that is told by polls, whole and as a stream. how: its shape, and seconds between polls."""
    log, truth = polled_log(*how, seed)
    yield from beside(f"{how[0]}, every {how[1]:g} s", truth, log)


def beside(problem: str, truth: Graph, log: Events) -> Iterator[Outcome]:
    """thp and its online form on one log."""
    yield from judged(problem, "thp", truth, discover(log, "thp"))
    state = thp.step(thp.init(log.types, topology=log.topology), log)
    yield from judged(problem, "thp online", truth, thp.graph(state))


def noise(shape: tuple[int, int], seed: int) -> Iterator[Outcome]:
    """Edges in a log without any: labels permuted, times and devices kept. shape: types, events of each."""
    types, each = shape
    rng = np.random.default_rng([seed, *shape])
    source, _, _ = drawn(Size(2 * types * each + 200, types), seed)
    n = types * each
    frame = source.frame().head(n)
    names = np.array([f"type{k}" for k in range(types)])
    frame["event"] = rng.permutation(np.repeat(names, each))[: len(frame)]
    learned = discover(Events(frame, source.topology, names.tolist()), "thp")
    yield Outcome(f"{types} types x {each} events", "thp", "edges in noise", float(learned.adj.sum()))


def fault_alarms(n: int, seed: int) -> Iterator[Outcome]:
    """A fault-alarm network that is left alone: alarms that stay are causes as long as they last."""
    rng = np.random.default_rng(seed)
    instance = generate_instance(seed)
    log, truth = observational_log(instance, n, seed=seed), instance.graph
    yield from judged(f"{n} fault alarms", "thp", truth, discover(log, "thp"))
    yield from controls(f"{n} fault alarms", truth, log, rng)


def family(name: str, seed: int) -> Iterator[Outcome]:
    """A log unlike what thp assumes, told of as a real one is."""
    yield from scored(name, *family_log(FAMILIES[name], seed), np.random.default_rng(seed))


def flagged(of: str | Size, seed: int) -> Iterator[Outcome]:
    """How many edges of thp skip a generation, which of its edges ``explain`` calls ancestors, and F1 without those."""
    log, truth = family_log(FAMILIES[of], seed) if isinstance(of, str) else drawn(of, seed)[:2]
    learned = discover(log, "thp").align(truth.nodes)
    adj, told = learned.adj, np.zeros_like(learned.adj)
    for j, i in np.argwhere(adj):
        told[j, i] = learned.explain(truth.nodes[j], truth.nodes[i]).get("ancestor", False)
    skips = adj & ~truth.adj & ancestry(truth.adj)
    counts = {"true edges": adj & truth.adj, "false edges": adj & ~truth.adj, "false edges from ancestors": skips}
    for what, these in counts.items():
        yield Outcome(str(of), "thp", what, float(these.sum()))
        yield Outcome(str(of), "thp", f"{what} that are flagged", float((these & told).sum()))
    yield from judged(str(of), "thp", truth, learned)
    yield from judged(str(of), "thp without flagged edges", truth, Graph(truth.nodes, adj & ~told))


def cost(size: Size, seed: int) -> Iterator[Outcome]:
    """CPU seconds, and peak memory of the process so far in GiB: run it alone (--only cost) for a peak of its own."""
    log, truth, _ = drawn(size, seed)
    started = time.process_time()
    learned = discover(log, "thp")
    yield Outcome(str(size), "thp", "CPU seconds", time.process_time() - started)
    yield Outcome(str(size), "thp", "GiB", peak_memory())
    yield from judged(str(size), "thp", truth, learned)


def stream(size: Size, seed: int) -> Iterator[Outcome]:
    """The online form on a log that comes in pieces: a system's events, drawn a piece at a time, and its graph at MARKS."""
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, size.types, size.devices)
    state = thp.init(system.graph.nodes, topology=system.topology)
    seconds, begun, done = 0.0, 0.0, 0
    for mark in [*(n for n in MARKS if n < size.events), size.events]:
        while done < mark:
            n = min(PIECE, mark - done)
            frame = system.log(n, rng, seconds=86_400.0 * n / PIECE).frame()
            frame["timestamp"] += begun
            begun, done = float(frame["timestamp"].iloc[-1]) + 1.0, done + len(frame)
            started = time.process_time()
            state = thp.step(state, frame)
            seconds += time.process_time() - started
        started = time.process_time()
        learned = thp.graph(state)
        last = time.process_time() - started
        yield from judged(str(size._replace(events=mark)), "thp online", system.graph, learned)
    yield Outcome(str(size), "thp online", "CPU seconds", seconds + last)
    yield Outcome(str(size), "thp online", "thousand events a CPU second", done / seconds / 1000.0)
    yield Outcome(str(size), "thp online", "GiB", peak_memory())


def peers(size: Size, seed: int) -> Iterator[Outcome]:
    """thp beside the packages that are installed, each in a process of its own with a limit on its seconds."""
    log, truth, _ = drawn(size, seed)
    started = time.process_time()
    yield from judged(str(size), "thp", truth, discover(log, "thp"))
    yield Outcome(str(size), "thp", "CPU seconds", time.process_time() - started)
    for name in RIVALS:
        adj, seconds, why = in_a_process(name, log)
        if adj is None:
            yield Outcome(str(size), name, "f1", None, why)
            continue
        yield from judged(str(size), name, truth, Graph(log.types, adj))
        yield Outcome(str(size), name, "CPU seconds", seconds)


def real(name: str, seed: int) -> Iterator[Outcome]:
    """A log with a known truth from its files, once, beside random orders and granger; a note where it is absent."""
    try:
        told = load_dataset(name, seed)
    except MissingFile as error:
        yield Outcome(name, "thp", "f1", None, str(error)[:300])
        return
    if name == "fault-alarm" and told.card.get("used") != "official sample":
        yield Outcome(name, "thp", "f1", None, "the official sample is not on disk")
        return
    yield from scored(name, told.data, told.truth, np.random.default_rng(seed))


def scored(name: str, log: Events, truth: Graph, rng: np.random.Generator) -> Iterator[Outcome]:
    """What is told of a real log: scores, controls, and directions of right adjacencies against coin flips."""
    learned = discover(log, "thp").align(truth.nodes)
    yield from judged(name, "thp", truth, learned)
    yield from controls(name, truth, log, rng)
    joined = learned.adj & (truth.adj | truth.adj.T)
    right, both = int((learned.adj & truth.adj).sum()), int(joined.sum())
    yield Outcome(name, "thp", "directions right", right / both if both else None, f"{right} of {both}")
    chance = float(binomtest(right, both, alternative="greater").pvalue) if both else None
    yield Outcome(name, "thp", "directions: p by coin flips", chance)
