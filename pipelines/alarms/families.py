"""Logs like those of real networks, which share with what thp assumes that causes come first and little else; dense truths.

Alarms without a cause fall on devices by class, at rates that differ widely by type, device and cell, change by hour and day,
and crowd into bad hours; outages that nobody records raise some types together, on a device and its neighbours. A fault may
come and go, thousands of times, and its alarm with it. Every alarm may bring others, at its device or one or two links away,
few of them almost surely and soon, most hardly ever, after delays of each pair's own. Each type is told late by a time of its
own, in whole seconds. Numbers of types and devices, skews, gaps and ties are like those of two public logs; their truths
played no part.
"""

from __future__ import annotations

from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from causalnet import Events, Graph
from causalnet.base.arrays import Array, Bools, Ints
from causalnet.datasets.hawkes import simulate_hawkes
from causalnet.datasets.incidents import AlarmSystem

DAY, HOUR = 86_400.0, 3600.0
CLASSES = 4  # of devices
CAUSES = 3  # of outages
Alarms = tuple[Array, Ints, Ints]  # seconds, types and devices (N,)


class Family(NamedTuple):
    """What a log of a real network is drawn from. A pair of times: drawn evenly between in its logarithm."""

    types: int
    devices: int
    days: float
    events: int  # about so many
    density: float  # share of the pairs of types that are joined
    linked: bool  # whether the log tells the links of its devices
    delay: tuple[float, float]  # seconds from cause to effect, by pair of types
    returns: float  # deviation of the logarithm of how often a fault comes back
    period: tuple[float, float]  # seconds until it does, by type
    jitter: float  # of a period: 1 for exponential gaps
    late: float  # mean seconds by which a type is told late
    outages: float  # share of the alarms without a cause that outages raise
    sure: float  # share of the edges along which effects are almost sure


FAMILIES = {
    "radio": Family(18, 55, 240.0, 15_000, 0.45, False, (2.0, 600.0), 2.5, (30.0, 3000.0), 1.0, 60.0, 0.3, 0.1),
    "links": Family(24, 400, 6.0, 40_000, 0.5, True, (0.3, 30.0), 3.0, (20.0, 330.0), 0.1, 10.0, 0.5, 0.08),
    "chains": Family(24, 400, 6.0, 20_000, 0.5, True, (0.1, 300.0), 2.5, (20.0, 330.0), 0.1, 0.5, 0.2, 0.15),
    "outages": Family(22, 150, 30.0, 15_000, 0.35, True, (5.0, 300.0), 2.5, (60.0, 600.0), 1.0, 30.0, 0.6, 0.1),
}


def family_log(given: Family, seed: int) -> tuple[Events, Graph]:
    """A log of a family and the graph of its types."""
    rng = np.random.default_rng(seed)
    v, m = given.types, given.devices
    order, adj = rng.permutation(v), np.zeros((v, v), dtype=bool)
    adj[np.ix_(order, order)] = np.triu(rng.random((v, v)) < given.density, 1)
    chance = np.where(rng.random((v, v)) < given.sure, rng.uniform(0.4, 1.0, (v, v)), rng.lognormal(-3.5, 1.0, (v, v)))
    chance = np.where(adj, np.minimum(chance, 1.0), 0.0)
    delay = np.where(chance > 0.4, given.delay[0] * 10 ** rng.uniform(0, 1.5, (v, v)), _between(given.delay, v, rng))
    far = rng.choice(3, (v, v), p=(0.6, 0.3, 0.1))
    links = _forest(m, rng)
    carried = rng.random((v, CLASSES)) < 0.5
    carried[np.arange(v), rng.integers(CLASSES, size=v)] = True
    can = carried[:, rng.integers(CLASSES, size=m)]  # (V, M)
    causes = np.linalg.inv(np.eye(v) - chance).sum(axis=1).mean() * np.exp(given.returns**2 / 2)
    some = _returned(given, _faults(given, int(given.events / causes) + 1, can, links, rng), rng)
    found = [some]
    while len(some[0]):
        some = _effects(some, chance, delay, far, can, links, rng)
        found.append(some)
    time, kind, device = (np.concatenate(part) for part in zip(*found, strict=True))
    late = rng.exponential(given.late, v)
    told = np.floor(time + late[kind] * rng.uniform(0.5, 1.5, len(time)))
    names = tuple(f"type{i}" for i in range(v))
    frame = pd.DataFrame({"event": np.array(names)[kind], "timestamp": told, "device": device.astype(str)})
    frame = frame[told < given.days * DAY].drop_duplicates().sort_values("timestamp", kind="stable")
    wired = nx.relabel_nodes(links, {k: str(k) for k in links}) if given.linked else None
    return Events(frame.reset_index(drop=True), wired, names), Graph(names, adj)


def _between(ends: tuple[float, float], v: int, rng: np.random.Generator) -> Array:
    """(V, V) times, even between the ends in their logarithm."""
    return np.exp(rng.uniform(np.log(ends[0]), np.log(ends[1]), (v, v)))


def _forest(m: int, rng: np.random.Generator) -> nx.Graph:
    """Trees of devices, of few tens each."""
    links = nx.empty_graph(m)
    links.add_edges_from((k, int(rng.integers(max(0, k - 20), k))) for k in range(1, m) if rng.random() < 0.9)
    return links


def _faults(given: Family, n: int, can: Bools, links: nx.Graph, rng: np.random.Generator) -> Alarms:
    """About n alarms without a cause."""
    v, m = can.shape
    alone, span, hours = int(n * (1.0 - given.outages)), given.days * DAY, round(given.days) * 24
    rate = can * rng.lognormal(0, 1.2, (v, 1)) * rng.lognormal(0, 1.2, (1, m)) * rng.lognormal(0, 0.7, (v, m))
    kind, device = np.divmod(rng.choice(v * m, alone, p=(rate / rate.sum()).ravel()), m)
    busy = np.repeat(np.exp(rng.normal(0, 0.6, hours // 24)), 24) * (1.0 + 0.5 * np.sin(np.pi * np.arange(hours) / 12))
    time = (rng.choice(hours, alone, p=busy / busy.sum()) + rng.random(alone)) * HOUR
    bad = rng.uniform(0, span, (m, 3))[device, rng.integers(3, size=alone)] + rng.normal(0, HOUR, alone)
    time = np.where(rng.random(alone) < 0.33, np.clip(bad, 0.0, span), time)
    raised, wait = rng.random((CAUSES, v)) < 0.3, rng.exponential(60.0, (CAUSES, v))
    rows: list[tuple[float, int, int]] = []
    while len(rows) < n - alone:
        cause, where, at = int(rng.integers(CAUSES)), int(rng.integers(m)), rng.uniform(0, span)
        for there in [where, *links.neighbors(where)]:
            hit = np.flatnonzero(raised[cause] & can[:, there] & (rng.random(v) < 0.6))
            rows += [(at + rng.exponential(wait[cause, i]), int(i), there) for i in hit]
    more = np.array(rows).reshape(-1, 3)
    return (
        np.append(time, more[:, 0]),
        np.append(kind, more[:, 1].astype(int)),
        np.append(device, more[:, 2].astype(int)),
    )


def _returned(given: Family, faults: Alarms, rng: np.random.Generator) -> Alarms:
    """The same, each as often as its fault comes back."""
    time, kind, device = faults
    period = _between(given.period, given.types, rng)[0]
    often = rng.lognormal(0.0, given.returns, len(time)) * rng.lognormal(0.0, 0.5, given.types)[kind]
    source = np.repeat(np.arange(len(time)), 1 + often.astype(np.int64))
    first = np.diff(source, prepend=-1) > 0
    gap = rng.exponential(1.0, len(source)) if given.jitter >= 1.0 else rng.normal(1.0, given.jitter, len(source))
    passed = np.cumsum(np.where(first, 0.0, gap * period[kind[source]]))
    return time[source] + passed - passed[first][source], kind[source], device[source]


def _effects(
    some: Alarms, chance: Array, delay: Array, far: Ints, can: Bools, links: nx.Graph, rng: np.random.Generator
) -> Alarms:
    """What some alarms bring themselves."""
    near = [np.array([k, *links.neighbors(k)][1:] or [k]) for k in range(can.shape[1])]
    found = [(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))]
    for j, i in np.argwhere(chance > 0):
        mine = np.flatnonzero((some[1] == j) & (rng.random(len(some[0])) < chance[j, i]))
        where = some[2][mine]
        for _ in range(far[j, i]):
            where = np.array([rng.choice(near[k]) for k in where], dtype=np.int64)
        time = some[0][mine] + delay[j, i] * rng.lognormal(0.0, 0.8, len(mine))
        kept = can[i, where]
        found.append((time[kept], np.full(int(kept.sum()), i), where[kept]))
    time, kind, device = (np.concatenate(part) for part in zip(*found, strict=True))
    return time, kind, device


POLLED = ("dense", "wide", "bursty", "storms")
STORMS, IN_STORM = 60, 0.5


def polled_log(shape: str, poll: float, seed: int) -> tuple[Events, Graph]:
    """Cascades with delays of a minute, told every ``poll`` seconds: with many causes a type, with many types and devices,
    with events that raise their own type, and with storms, in which half the types come at once on a device and around it.
    """
    rng = np.random.default_rng(seed)
    if shape == "bursty":
        log, truth = simulate_hawkes(
            20, 50, 10_000, rng=rng, density=0.1, decay=1 / 60, base_rate=(1e-6, 5e-6), self_excitation=0.5
        )
    else:
        types, devices, parents = {"dense": (20, 50, 3.0), "wide": (60, 200, 1.2), "storms": (20, 50, 1.2)}[shape]
        strength = (0.05, 0.2) if shape == "dense" else (0.15, 0.45)
        system = AlarmSystem.draw(rng, types, devices, parents, strength)
        log, truth = system.log(10_000, rng), system.graph
    frame = log.frame()
    if shape == "storms" and log.topology is not None:
        rows = [
            (name, at + rng.uniform(0, 60), there)
            for at in rng.uniform(0, frame["timestamp"].max(), STORMS)
            for where in [str(rng.choice(log.devices))]
            for there in [where, *log.topology.neighbors(where)]
            for name in rng.permutation(log.types)[: round(IN_STORM * log.d)]
        ]
        frame = pd.concat([frame, pd.DataFrame(rows, columns=["event", "timestamp", "device"])])
    frame["timestamp"] = np.ceil(frame["timestamp"] / poll) * poll
    frame = frame.sample(frac=1.0, random_state=seed).sort_values("timestamp", kind="stable")
    return Events(frame.reset_index(drop=True), log.topology, log.types), truth


SWEEPS, GROUPS = 30, 6


def swept_log(log: Events, seed: int) -> Events:
    """The same log with SWEEPS moments at which two to four types come at once on some of all devices, within ten seconds."""
    rng = np.random.default_rng([seed, SWEEPS])
    frame, rows, devices = log.frame()[["event", "timestamp", "device"]], [], np.array(log.devices)
    groups = [rng.choice(log.types, rng.integers(2, 5), replace=False) for _ in range(GROUPS)]
    for at in rng.uniform(0.0, log.time[-1], SWEEPS):
        group = groups[rng.integers(GROUPS)]
        for device in devices[rng.random(len(devices)) < rng.uniform(0.0, 0.4)]:
            when = at + rng.uniform(0.0, 10.0)
            rows += [(kind, float(np.floor(when + rng.uniform(0.0, 1.5))), device) for kind in group]
    whole = pd.concat([frame, pd.DataFrame(rows, columns=frame.columns)])
    return Events(whole.sort_values("timestamp", kind="stable").reset_index(drop=True), log.topology, log.types)
