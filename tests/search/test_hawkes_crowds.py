"""Events that come on many devices at once: which they are, and what graphs are learned beside them."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import causalnet as cn
from causalnet import discover
from causalnet.datasets.incidents import AlarmSystem
from causalnet.stats.crowds import crowded
from causalnet.stats.hawkes_paths import Log, Paths, hop_matrices, paths_to


def swept(seed: int, sweeps: int = 20) -> tuple[cn.Events, cn.Graph, int]:
    """Cascades on 60 devices; and sweeps, each of which raises two to four types at once on some of the devices."""
    rng = np.random.default_rng(seed)
    system = AlarmSystem.draw(rng, 15, 60)
    log = system.log(3000, rng)
    frame, rows = log.frame(), []
    groups = [rng.choice(log.types, rng.integers(2, 5), replace=False) for _ in range(4)]
    for _ in range(sweeps):
        at, group = rng.uniform(0, log.time[-1]), groups[rng.integers(4)]
        for device in np.array(log.devices)[rng.random(60) < rng.uniform(0.1, 0.5)]:
            when = at + rng.uniform(0, 10)
            rows += [(kind, float(np.floor(when + rng.uniform(0, 1.5))), device) for kind in group]
    more = pd.DataFrame(rows, columns=frame.columns)
    whole = pd.concat([frame, more]).sort_values("timestamp", kind="stable")
    return cn.Events(whole, log.topology, log.types), system.graph, len(more)


def within_one(links: sp.csr_array) -> Paths:
    """Events are felt where they are, and one link away."""
    return paths_to(hop_matrices(links, (0, 1), "degree"))


def test_sweeps_are_no_causes() -> None:
    told = []
    for seed in range(3):
        log, truth, n = swept(seed)
        learned, kept = discover(log, "thp"), discover(log, "thp", keep_crowds=True)
        assert 0.7 * n < learned.meta["events_in_crowds"] <= 1.1 * n and kept.meta["events_in_crowds"] == 0
        assert any("came on many devices at once" in text for text in learned.meta["warnings"])
        told.append([cn.score(truth, g)["f1"] for g in (learned, kept)])
    without, with_them = np.mean(told, axis=0)
    assert without > 0.88 and without > with_them + 0.15


def test_logs_without_sweeps_are_read_whole() -> None:
    log, _, _ = swept(4, sweeps=0)
    learned = discover(log, "thp")
    assert learned.meta["events_in_crowds"] == 0
    assert (learned.adj == discover(log, "thp", keep_crowds=True).adj).all()


def test_what_a_hub_brings_to_all_its_neighbours_is_taken_back() -> None:
    """A star of 30: "down" at its hub brings "lost" to most others, whom only the hub reaches."""
    rng = np.random.default_rng(0)
    star = nx.relabel_nodes(nx.star_graph(30), lambda k: f"d{k}")
    rows = [(t, "down", "d0") for t in rng.uniform(0, 1e6, 60)]
    rows += [(t + rng.exponential(20.0), "lost", f"d{k}") for t, *_ in rows for k in range(1, 31) if rng.random() < 0.8]
    rows += [(t, kind, f"d{rng.integers(31)}") for kind in ("lost", "other") for t in rng.uniform(0, 1e6, 300)]
    rows += [(t + rng.exponential(20.0), "lost", d) for t, kind, d in rows if kind == "other" and rng.random() < 0.5]
    frame = pd.DataFrame(rows, columns=["timestamp", "event", "device"]).sort_values("timestamp", kind="stable")
    log = cn.Events(frame, star)
    learned = discover(log, "thp")
    assert set(learned.edges) == {("down", "lost"), ("other", "lost")}
    assert learned.meta["events_in_crowds"] < 0.3 * (frame["event"] == "lost").sum()


def test_what_a_sweep_brings_by_chance_is_not_taken_back() -> None:
    """Causes of one type are so many that they explain some of its sweeps, and other types are swept with it."""
    wrong = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        rows = [(t, "a", int(rng.integers(60))) for t in rng.uniform(0, 3000, 900)]
        rows += [(t + rng.exponential(5.0), "b", d) for t, _, d in rows if rng.random() < 0.6]
        rows += [(t, kind, int(rng.integers(60))) for kind in "cd" for t in rng.uniform(0, 3000, 200)]
        for at in rng.uniform(0, 3000, 40):
            hit = np.flatnonzero(rng.random(60) < 0.5)
            rows += [(at + rng.uniform(0, 1), kind, int(d)) for d in hit for kind in "bcd"]
        frame = pd.DataFrame(rows, columns=["timestamp", "event", "device"]).sort_values("timestamp", kind="stable")
        log = cn.Events(frame.assign(device=[f"d{d}" for d in frame["device"]]))
        learned, kept = discover(log, "thp"), discover(log, "thp", keep_crowds=True)
        assert ("a", "b") in learned.edges
        wrong.append([len(g.edges) - (("a", "b") in g.edges) for g in (learned, kept)])
    without, with_them = np.sum(wrong, axis=0)
    assert without <= 1 and with_them >= 6


@pytest.mark.parametrize("unit", [1.0, 1e-3, 3600.0])
def test_a_crowd_is_out_of_reach_and_unlikely(unit: float) -> None:
    rng = np.random.default_rng(1)
    time = np.sort(np.append(rng.uniform(0, 1e5, 500), 5e4 + rng.uniform(0, 5, 12)))
    among = (time >= 5e4) & (time <= 5e4 + 5)
    device = rng.integers(0, 40, 512)
    device[among] = np.arange(among.sum())
    kind = np.where(among, 0, rng.integers(0, 5, 512))
    apart, joined = sp.csr_array((40, 40)), sp.csr_array(np.ones((40, 40)) - np.eye(40))

    def found_in(kind: np.ndarray, device: np.ndarray, links: sp.csr_array = apart) -> np.ndarray:
        return crowded(Log(time * unit, device, within_one(links)), kind, unit)

    found = found_in(kind, device)
    assert found[among].all() and found[~among].sum() <= 3, "beside it, those of its type that come about then"
    assert not found_in(kind, device, joined).any(), "all within reach of each other"
    assert not found_in(kind, np.where(among, 3, device)).any(), "all on one device"
    mixed = np.where(among, np.arange(512) % 5, kind)
    assert not found_in(mixed, device).any(), "three of a type at most"
    other = rng.permutation(40)
    assert (found_in(4 - kind, other[device]) == found).all()


def test_chance_makes_no_crowds() -> None:
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.choice([50, 1000, 20_000]))
        time = np.sort(rng.integers(0, 10**6, n).astype(float))
        kind, device = rng.integers(0, 20, n), rng.integers(0, 100, n)
        found.append(crowded(Log(time, device, within_one(sp.csr_array((100, 100)))), kind, 1.0).sum())
    assert sum(found) <= 3
    alike = Log(np.zeros(30), np.arange(30) % 2, within_one(sp.csr_array((2, 2))))
    assert not crowded(alike, np.zeros(30, int), 1.0).any()
