"""One simulated network a seed: its roots ranked, its stream watched, its repairs learned from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from causalnet import Graph, discover, root_causes, score
from causalnet.backends import thp
from causalnet.data import Interactions
from causalnet.datasets.incidents import AlarmSystem
from causalnet.envs.fault_alarm import FaultAlarm, generate_instance
from causalnet.graph.random_dags import sized_dag
from causalnet.incidents import EventModel
from pipelines.incidents import petshop

INCIDENTS = 50  # of each network
NOISE = 5  # alarms beside several roots
SECONDS, TYPES, DEVICES, EDGES = 50.0, 12, 12, 20  # of the networks that are repaired


@dataclass
class Outcome:
    """One figure of one network."""

    task: str = field(default="", kw_only=True)
    problem: str
    seed: int = field(default=0, kw_only=True)
    value: float


def cascades(roots: int, seed: int) -> Iterator[Outcome]:
    """Share of incidents whose true roots all come first, every device's clock up to 30 s off; learned and true graph."""
    rng = np.random.default_rng([seed, roots])
    system = AlarmSystem.draw(rng)
    log = system.log(30_000, rng)
    learned = thp.graph(thp.step(thp.init(log.types, topology=log.topology), log)).align(log.types)
    models = {"learned": EventModel.fit(log, learned), "true": EventModel.fit(log, system.graph)}
    hits: dict[str, list[bool]] = {name: [] for name in models}
    for _ in range(INCIDENTS):
        alarms, cells = system.incident(rng, roots=roots, noise=NOISE if roots > 1 else 0)
        for name, model in models.items():
            first = [(one.device, one.type) for one in root_causes(model, alarms)][:roots]
            hits[name].append(set(first) == set(cells))
    for name, found in hits.items():
        yield Outcome(f"{roots} roots, {name} graph", float(np.mean(found)))


def petshop_faults(part: str, _seed: int) -> Iterator[Outcome]:
    """Top-1 and top-3 of PetShop's faults by system, metric, graph and rule; nothing where its metrics are not on disk."""
    for system in petshop.systems():
        for graph in ("call graph", "learned graph"):
            table = petshop.ranks(part, learned=graph == "learned graph", system=system)
            for (metric, rule), rows in table.groupby(["metric", "rule"]):
                for k in (1, 3):
                    name = f"petshop {system}, {metric}, {graph}: {rule} top-{k}"
                    yield Outcome(name, float((rows["rank"] <= k).mean()))


def stream(n: int, seed: int) -> Iterator[Outcome]:
    """F1 of the graph of a stream that came in pieces, that of thp on all of it, and events a CPU second."""
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng)
    log = system.log(n, rng)
    frame, state = log.frame(), thp.init(log.types, topology=log.topology)
    started = time.process_time()
    for first in range(0, len(frame), 10_000):
        state = thp.step(state, frame.iloc[first : first + 10_000])
    seconds = time.process_time() - started
    graph = thp.graph(state)
    truth = system.graph.align(graph.nodes)
    yield Outcome(f"{n} events: F1 of the stream", float(score(truth, graph)["f1"]))
    yield Outcome(f"{n} events: F1 of thp", float(score(system.graph, discover(log, "thp"))["f1"]))
    yield Outcome(f"{n} events: thousand a CPU second", len(frame) / seconds / 1000)


def repairs(n: int, seed: int) -> Iterator[Outcome]:
    """F1 of att-bic from n repairs drawn uniformly over the present cells, by starts and ends, and by counts alone."""
    rng = np.random.default_rng(seed)
    names = [f"t{i:02d}" for i in range(TYPES)]
    core = FaultAlarm(
        generate_instance(seed, n_devices=DEVICES, graph=Graph(names, sized_dag(TYPES, EDGES, rng))), seed=seed
    )
    _, info = core.reset(seed=seed)
    rows: dict[str, list[Any]] = {name: [] for name in ("before", "after", "started", "cleared", "unit", "variable")}
    for _ in range(n):
        before = info["counts"][0]
        cells = np.flatnonzero(before)
        action = int(rng.choice(cells)) if len(cells) else 0
        _, _, ended, cut, info = core.step(np.array([action]))
        row = (before, info["counts"][0], info["started"][0], info["cleared"][0], *divmod(action, TYPES))
        for name, value in zip(rows, row, strict=True):
            rows[name].append(value)
        if ended[0] or cut[0]:
            _, info = core.reset()
    arrays = {name: np.array(values) for name, values in rows.items()}
    before, after = arrays.pop("before"), arrays.pop("after")
    for problem in ("starts and ends", "counts alone"):
        given = {k: a for k, a in arrays.items() if problem == "starts and ends" or k in ("unit", "variable")}
        told = {"seconds": SECONDS, "topology": core.instance.topology, **given}
        data = Interactions(core.variables, core.instance.devices, before, after, **told)
        found = score(core.instance.graph, discover(data, "att-bic"))
        yield Outcome(f"{n} repairs, {problem}", float(found["f1"]))
