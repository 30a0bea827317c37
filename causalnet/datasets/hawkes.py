"""Event logs drawn from a Hawkes process on a device topology, by its exact branching construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..base.arrays import Array, Bools, Ints
from ..base.checks import number
from ..data import Events
from ..errors import DataError
from ..graph import Graph

Marked = tuple[Array, Ints, Ints]  # time, type and device of each event
MAX_GENERATIONS = 10_000
MAX_STRETCHES = 200  # times that the horizon is stretched until it holds enough events


@dataclass(frozen=True)
class HawkesSettings:
    """What a topological Hawkes process over V types of event is drawn from."""

    density: float = 0.4  # expected share of the V (V - 1) / 2 pairs of types that are joined, in [0, 1]
    truth: ArrayLike | None = None  # (V, V) bool, acyclic; instead of a drawn graph
    types: Sequence[str] | None = None  # V names
    topology: nx.Graph | None = None  # of devices; when None and wired, a random tree with a few extra links
    wired: bool = True
    decay: float | tuple[float, float] = 0.02  # 1 / mean delay in 1/s, or a range, drawn evenly in its logarithm
    base_rate: tuple[float, float] = (5e-5, 1e-4)  # range of the background rates, events per second and device
    strength: tuple[float, float] = (0.15, 0.4)  # range of alpha, the children of an event
    neighbour_share: float = 0.4  # probability that an edge acts on neighbours instead of on the same device
    self_excitation: float = 0.0  # children of the own type per event, in [0, 1)
    device_spread: float = 0.0  # standard deviation of the log of the device's background rate
    repeats: float = 0.0  # mean number of chattering repeats per event; a repeat has no children
    repeat_gap: float = 60.0  # mean seconds between repeats
    resolution: float | None = None  # times are rounded down to multiples of it, which makes ties

    def __post_init__(self) -> None:
        number("density", self.density, 0.0, 1.0)
        if not 0.0 <= self.self_excitation < 1.0:
            raise DataError(f"self_excitation is a mean number of children in [0, 1), got {self.self_excitation!r}")


def simulate_hawkes(
    n_types: int = 12, n_devices: int = 30, n_events: int = 5000, *, rng: np.random.Generator, **settings: Any
) -> tuple[Events, Graph]:
    """Draw the first ``n_events`` of a topological Hawkes process, and the acyclic graph that drives it.

    Every event of type j at device m has Poisson(alpha[j, i]) children of type i, at m itself or spread evenly over
    the devices one link away, after exponential delays: the cluster form of the process (Hawkes, Oakes 1974).

    settings: the fields of :class:`HawkesSettings`.
    """
    given = HawkesSettings(**settings)
    graph = _graph(n_types, given, rng)
    v = len(graph.nodes)
    links = given.topology if given.topology is not None else _tree(n_devices, given.wired, rng)
    near = _neighbours(links)
    m = len(near)
    at_neighbour = (rng.random((v, v)) < given.neighbour_share) & any(len(n) for n in near)
    np.fill_diagonal(at_neighbour, False)
    alpha = np.where(graph.adj, rng.uniform(*given.strength, (v, v)), 0.0)
    np.fill_diagonal(alpha, given.self_excitation)
    low, high = np.min(given.decay), np.max(given.decay)
    delay = np.exp(-rng.uniform(np.log(low), np.log(high), (v, v)))  # (V, V) mean seconds from cause to effect
    spread = given.device_spread
    mu = rng.uniform(*given.base_rate, v)[:, None] * np.exp(spread * rng.standard_normal(m) - spread**2 / 2)

    def draw(horizon: float) -> Marked:
        drawn = _clusters(mu, alpha, delay, at_neighbour, near, horizon, rng)
        return _chatter(*drawn, given.repeats, given.repeat_gap, horizon, rng) if given.repeats > 0 else drawn

    offspring = np.linalg.inv(np.eye(v) - alpha)  # (V, V) long-run events of each type per immigrant of each type
    rate = float((mu.sum(axis=1) @ offspring).sum()) * (1.0 + given.repeats)
    time, kind, device = _enough(draw, n_events, 1.2 * n_events / rate)
    first = np.argsort(time, kind="stable")[:n_events]
    grid = given.resolution
    stamp = time[first] if grid is None else np.floor(time[first] / grid) * grid
    names = list(links.nodes)
    event, at = [graph.nodes[i] for i in kind[first]], [names[k] for k in device[first]]
    frame = pd.DataFrame({"event": event, "timestamp": stamp, "device": at})
    wired = given.wired or given.topology is not None
    events = Events(frame, links if wired else None, list(graph.nodes))
    return events, graph.replace(weight=np.where(graph.adj, alpha, 0.0))


def fault_alarm_log(truth: Graph, rng: np.random.Generator, n_events: int = 4000, n_devices: int = 50) -> Events:
    """Draw alarms on a known graph with the rates of the fault-alarm network: slow effects that hardly fade.

    Each live alarm of type j raises type i at a rate between 1e-4 and 1.3e-3 per second, at its own device or next to
    it; new faults start about 0.006 times per second in the whole network; times are whole seconds.
    """
    events, _ = simulate_hawkes(
        n_devices=n_devices,
        n_events=n_events,
        rng=rng,
        truth=truth.adj,
        types=truth.nodes,
        decay=5e-5,
        base_rate=(5e-6, 8e-6),
        strength=(1e-4 / 5e-5, 1.3e-3 / 5e-5),
        resolution=1.0,
    )
    return events


def _enough(draw: Callable[[float], Marked], n_events: int, horizon: float) -> Marked:
    """A draw over a horizon that holds at least ``n_events``, stretched until it does."""
    for _ in range(MAX_STRETCHES):
        drawn = draw(horizon)
        if len(drawn[0]) >= n_events:
            return drawn
        horizon *= 1.3
    raise DataError(f"no horizon held {n_events} events: are base_rate and n_events positive?")


def _graph(n_types: int, given: HawkesSettings, rng: np.random.Generator) -> Graph:
    if given.truth is None:
        order = rng.permutation(n_types)
        upper = np.triu(rng.random((n_types, n_types)) < given.density, 1)
        adj = np.zeros((n_types, n_types), dtype=bool)
        adj[np.ix_(order, order)] = upper
    else:
        adj = np.array(given.truth, dtype=bool)
    names = given.types if given.types is not None else [f"type{i}" for i in range(len(adj))]
    graph = Graph(tuple(names), adj)
    if not graph.is_dag:
        raise DataError("the true graph has a directed cycle; a simulated log needs an acyclic one")
    return graph


def _tree(n_devices: int, wired: bool, rng: np.random.Generator) -> nx.Graph:
    """A random tree with a tenth as many extra links; no links at all when not wired."""
    links: nx.Graph = nx.Graph()
    links.add_nodes_from(f"device{k}" for k in range(n_devices))
    if wired:
        for k in range(1, n_devices):
            links.add_edge(f"device{k}", f"device{rng.integers(k)}")
        for _ in range(n_devices // 10):
            a, b = rng.integers(n_devices, size=2)
            if a != b:
                links.add_edge(f"device{a}", f"device{b}")
    return links


def _neighbours(links: nx.Graph) -> list[Ints]:
    index = {name: k for k, name in enumerate(links.nodes)}
    return [np.array([index[n] for n in links.neighbors(name)], dtype=np.int64) for name in links.nodes]


def _clusters(
    mu: Array,
    alpha: Array,
    delay: Array,
    at_neighbour: Bools,
    near: list[Ints],
    horizon: float,
    rng: np.random.Generator,
) -> Marked:
    """Immigrants and all their descendants before ``horizon``: time, type and device of each event, unsorted."""
    v, m = mu.shape
    counts = rng.poisson(mu * horizon)
    kind, device = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices((v, m)))
    time = rng.uniform(0.0, horizon, len(kind))
    degree = np.array([len(n) for n in near])
    times, kinds, devices = [time], [kind], [device]
    for _ in range(MAX_GENERATIONS):
        new: list[Marked] = []
        for j, i in np.argwhere(alpha > 0):
            mine = np.flatnonzero(kind == j)
            if at_neighbour[j, i]:
                mine = mine[degree[device[mine]] > 0]
            within = -np.expm1(-(horizon - time[mine]) / delay[j, i])  # share of the delays that end in time
            child = np.repeat(mine, rng.poisson(alpha[j, i] * within))
            where = device[child]
            if at_neighbour[j, i] and len(child):
                pick = rng.integers(0, degree[where])
                where = np.array([near[d][p] for d, p in zip(where, pick, strict=True)], dtype=np.int64)
            share = rng.random(len(child)) * -np.expm1(-(horizon - time[child]) / delay[j, i])
            new.append((time[child] - delay[j, i] * np.log1p(-share), np.full(len(child), i), where))
        if not new:
            break
        time, kind, device = (np.concatenate(part) for part in zip(*new, strict=True))
        if len(time) == 0:
            break
        times.append(time)
        kinds.append(kind)
        devices.append(device)
    return np.concatenate(times), np.concatenate(kinds), np.concatenate(devices)


def _chatter(
    time: Array, kind: Ints, device: Ints, repeats: float, gap: float, horizon: float, rng: np.random.Generator
) -> Marked:
    """Adds to each event a geometric number of repeats, mean ``repeats``, with exponential gaps."""
    extra = rng.geometric(1.0 / (1.0 + repeats), len(time)) - 1
    source = np.repeat(np.arange(len(time)), extra)
    steps = rng.exponential(gap, len(source))
    total = np.cumsum(steps)
    start = np.repeat(np.concatenate([[0.0], total])[np.cumsum(extra) - extra], extra)  # sum before each event's first
    later = time[source] + total - start
    keep = later < horizon
    source, later = source[keep], later[keep]
    return np.concatenate([time, later]), np.concatenate([kind, kind[source]]), np.concatenate([device, device[source]])
