"""Incidents with known roots: cascades of alarms on a network of devices whose clocks disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import Array
from ..base.checks import number, whole
from ..data import Events
from ..errors import DataError
from ..graph import Graph

Cell = tuple[str, str]  # device, type
Alarm = tuple[
    float, int, int, float
]  # seconds, type, device, and for how many seconds it stands, nan where that plays no part
DRAWS = 10_000  # cascades drawn until one is large enough


@dataclass(frozen=True)
class AlarmSystem:
    """V types on M devices: an event of type j has Poisson(strength[j, v]) effects of type v, after exponential delays.

    graph: over the types. strength (V, V); delay: mean seconds; near: the share of effects that fall on a random
    neighbour. base (V,): share of each type among the events without a cause. stands (V,): where given, alarms are states: one
    of type j stands for a lognormal time of mean stands[j], and has effects while it does, evenly, the more the longer.
    """

    graph: Graph
    topology: nx.Graph
    strength: Array
    base: Array
    delay: float = 60.0
    near: float = 0.4
    stands: Array | None = None

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        n_types: int = 20,
        n_devices: int = 50,
        parents: float = 1.2,
        strength: tuple[float, float] = (0.15, 0.45),
        stands: tuple[float, float] | None = None,
    ) -> AlarmSystem:
        """A random DAG with Poisson(parents) parents a type, gamma(.7) base rates, and a tree of Barabasi and Albert.

        stands: from what to what mean seconds alarms stand, evenly in the logarithm; None: they are events.
        """
        order = rng.permutation(n_types)
        alpha = np.zeros((n_types, n_types))
        for at, v in enumerate(order):
            for j in rng.choice(order[:at], min(at, rng.poisson(parents)), replace=False) if at else ():
                alpha[j, v] = rng.uniform(*strength)
        base = rng.gamma(0.7, size=n_types) * np.where(alpha.any(axis=0), 0.3, 1.0)
        links = nx.barabasi_albert_graph(n_devices, 1, seed=int(rng.integers(1 << 31)))
        names = tuple(f"type{i}" for i in range(n_types))
        wired = nx.relabel_nodes(links, {m: f"device{m}" for m in links})
        means = None if stands is None else np.exp(rng.uniform(math.log(stands[0]), math.log(stands[1]), n_types))
        return cls(Graph(names, alpha > 0, weight=alpha), wired, alpha, base / base.sum(), stands=means)

    @cached_property
    def _around(self) -> list[list[int]]:
        """The neighbours of every device, by position."""
        at = {name: m for m, name in enumerate(self.topology.nodes)}
        return [[at[other] for other in self.topology.neighbors(name)] for name in at]

    def cascade(self, root: Alarm, rng: np.random.Generator) -> list[Alarm]:
        """The root and all its descendants, as they happen."""
        found = [root]
        for time, kind, device, stood in found:  # grows on the way
            around = self._around[device]
            part = 1.0 if self.stands is None else stood / self.stands[kind]
            for v in np.flatnonzero(self.strength[kind]):
                for _ in range(rng.poisson(part * self.strength[kind, v])):
                    there = int(rng.choice(around)) if around and rng.random() < self.near else device
                    lag = rng.exponential(self.delay) if self.stands is None else rng.uniform(0.0, stood)
                    found.append((time + lag, int(v), there, self._standing(int(v), rng)))
        return found

    def _standing(self, kind: int, rng: np.random.Generator) -> float:
        return math.nan if self.stands is None else float(self.stands[kind] * rng.lognormal(-0.5, 1.0))

    def log(self, n_events: int, rng: np.random.Generator, seconds: float = 30 * 86400.0) -> Events:
        """About ``n_events`` events over so many seconds: what a model is learned from. Times are whole seconds."""
        offspring = np.linalg.inv(np.eye(len(self.base)) - self.strength).sum(axis=1)
        roots = round(whole("n_events", n_events, 1) / float(self.base @ offspring))
        kinds = rng.choice(len(self.base), roots, p=self.base)
        places = [(float(rng.uniform(0, seconds)), int(v), int(rng.integers(len(self.topology)))) for v in kinds]
        drawn = [(*place, self._standing(place[1], rng)) for place in places]
        return self._events([one for root in drawn for one in self.cascade(root, rng)], np.zeros(len(self.topology)))

    def incident(
        self, rng: np.random.Generator, *, roots: int = 1, noise: int = 0, skew: float = 30.0, least: int = 5
    ) -> tuple[Events, list[Cell]]:
        """Alarms of ``roots`` cascades within a minute on distinct devices, ``noise`` unrelated alarms, and the true roots.

        A cascade has at least ``least`` alarms. Every device's clock is off by a uniform law on [-skew, skew] seconds.
        """
        number("skew", skew, 0.0)
        causes = np.flatnonzero(self.strength.any(axis=1))
        if not len(causes):
            raise DataError("no type of this system causes another, so there are no cascades; draw another")
        places = rng.choice(len(self.topology), roots, replace=False)
        alarms: list[Alarm] = []
        cells = []
        for device in places:
            for _ in range(DRAWS):
                kind = int(rng.choice(causes))
                found = self.cascade((float(rng.uniform(0, 60)), kind, int(device), self._standing(kind, rng)), rng)
                if len(found) >= least:
                    break
            else:
                raise DataError(f"no cascade of {least} alarms in {DRAWS} draws; lower least, or raise the strength")
            alarms += found
            cells.append((list(self.topology.nodes)[device], self.graph.nodes[kind]))
        end = max(time for time, *_ in alarms)
        for _ in range(noise):
            where = int(rng.integers(len(self.topology)))
            time, kind = float(rng.uniform(0, end)), int(rng.choice(len(self.base), p=self.base))
            alarms.append((time, kind, where, self._standing(kind, rng)))
        return self._events(alarms, rng.uniform(-skew, skew, len(self.topology)) + 1000.0), cells

    def _events(self, alarms: list[Alarm], clocks: Array) -> Events:
        """An event log of the alarms by the devices' clocks, (M,) seconds ahead, rounded to whole seconds."""
        names = list(self.topology.nodes)
        rows = [(self.graph.nodes[v], float(round(t + clocks[m])), names[m], s) for t, v, m, s in alarms]
        frame = pd.DataFrame(rows, columns=["event", "timestamp", "device", "duration"])
        frame = (frame.drop(columns="duration") if self.stands is None else frame).sort_values(
            "timestamp", kind="stable"
        )
        return Events(frame.reset_index(drop=True), self.topology, self.graph.nodes)
