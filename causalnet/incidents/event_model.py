"""A graph over types of events with the rates that attribution needs; fitted to a log, or sensible without one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from ..base.arrays import Array, Codes, Ints
from ..base.asked import asks
from ..base.checks import array_of, distinct, entries, instance, names, number, numbers, shown, whole
from ..data import Events
from ..data.sealed import freeze
from ..data.topology import checked_topology
from ..errors import DataError
from ..graph import Graph
from ..storage.files import write_atomic
from .declustering import attribute, candidates, spreads

SCHEMA = "causalnet.event-model/1"
HOPS = (0, 1)
CHILDREN = 0.5  # expected effects of an event along an edge, where no log tells
DELAY = 60.0  # seconds, where neither a log nor the graph tells
BACKGROUND = 1e-5  # alarms a second of a type on a device that have no cause: about one a day
SCALES = (1.0, 10.0, 100.0, 1e3, 1e4)  # mean delays in seconds that a fit without one starts from
TRIAL = 3000  # newest events on which the start is chosen
PRIOR = 5.0  # effects (of an edge) or events (of a device) that the pooled value is worth
STEPS = 60  # of EM


@dataclass(frozen=True, eq=False)
class EventModel:
    """lambda_v(n, t) = mu_v b_n + sum over parents j, hops k: alpha W_k g(t - t'), as :mod:`declustering` has it.

    types (V,); edges (E, 2) rows of cause and effect; alpha (E, K) expected effects of one cause at each of ``hops``;
    delay (E,) mean seconds; background (V,) events a second on a device; devices (M,) with share (M,), mean 1, by
    which their backgrounds differ; topology over the devices, or None. ``fit`` and ``from_graph`` build one.
    """

    types: tuple[str, ...]
    edges: Ints
    alpha: Array
    delay: Array
    background: Array
    devices: tuple[str, ...] = ()
    share: Array = field(default_factory=lambda: np.zeros(0))
    topology: nx.Graph | None = None
    hops: tuple[int, ...] = HOPS

    def __post_init__(self) -> None:
        v, given = len(distinct("types", self.types)), array_of("edges", self.edges)
        if given.size and (given.dtype.kind not in "iu" or given.ndim != 2 or given.shape[1] != 2):
            raise DataError(
                f"edges is {shown(self.edges)}, and must hold pairs (cause, effect) of the numbers of types"
            )
        edges = given.astype(np.int64).reshape(-1, 2)
        e = len(edges)
        if names("devices", self.devices):
            distinct("devices", self.devices)
        if e and not ((edges >= 0) & (edges < v)).all():
            raise DataError(f"edges name types by number from 0 to {v - 1}")
        object.__setattr__(self, "edges", freeze(edges))
        hops = tuple(whole("one of hops", k, 0) for k in entries("hops", self.hops, "numbers of hops"))
        object.__setattr__(self, "hops", hops)
        shapes = {"alpha": (e, len(self.hops)), "delay": (e,), "background": (v,), "share": (len(self.devices),)}
        for name, shape in shapes.items():
            array = numbers(name, getattr(self, name), shape, 0.0)
            if name in ("delay", "background") and (array <= 0).any():
                raise DataError(f"{name} holds a number that is not above 0")
            object.__setattr__(self, name, freeze(array))
        object.__setattr__(self, "topology", checked_topology(self.topology, self.devices))

    @classmethod
    def from_graph(
        cls, graph: Graph, *, children: float = CHILDREN, delay: float | None = None, background: float = BACKGROUND
    ) -> EventModel:
        """Rates for a graph alone: ``children`` effects a cause along each edge, spread evenly over device and neighbours.

        delay: mean seconds from cause to effect; None takes 1 / decay where the graph's ``meta`` tells it, else 60 s.
        background: events a second of a type on a device that have no cause. An undirected edge counts both ways.
        """
        instance("graph", graph, Graph, "a Graph over the types of events")
        edges = np.argwhere(graph.adj)
        seconds = _told_delay(graph) if delay is None else number("delay", delay, above=0.0)
        alpha = np.full((len(edges), len(HOPS)), number("children", children, above=0.0) / len(HOPS))
        mu = np.full(graph.d, number("background", background, above=0.0))
        return cls(graph.nodes, edges, alpha, np.full(len(edges), seconds), mu)

    @classmethod
    def fit(cls, events: Events, graph: Graph, *, delay: float | None = None, skew: float = 0.0) -> EventModel:
        """Maximise the likelihood of the log over alpha, delay, background and share, the graph's parents fixed, by EM.

        delay: mean seconds to start from; None takes the graph's own, or tries 1 s to 10,000 s. skew: deviation in
        seconds of the difference of two devices' clocks. Effects that fall after the log's end are not corrected for.
        """
        instance("events", events, Events, "an event log: cn.Events or cn.read_events")
        instance("graph", graph, Graph, "a Graph over the types of events")
        number("skew", skew, 0.0)
        if absent := sorted({events.types[i] for i in np.unique(events.type_index)} - set(graph.nodes)):
            raise DataError(
                f"the log has types that the graph lacks: {', '.join(absent)}; learn the graph from this log"
            )
        blank = cls.from_graph(graph, delay=delay)
        blank = replace(blank, devices=events.devices, share=np.ones(len(events.devices)), topology=events.topology)
        if delay is None and "decay" not in graph.meta and len(blank.edges):
            last = max(0, events.n - TRIAL)
            starts = [replace(blank, delay=np.full(len(blank.edges), scale)) for scale in SCALES]
            blank = max(starts, key=lambda start: _em(start, events, skew, 10, last)[1])
        return _em(blank, events, skew, STEPS)[0]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-able form."""
        named = [[self.types[j], self.types[v]] for j, v in self.edges]
        arrays = {name: getattr(self, name).tolist() for name in ("alpha", "delay", "background", "share")}
        links = None if self.topology is None else sorted(sorted(link) for link in self.topology.edges)
        plain = {"types": list(self.types), "devices": list(self.devices), "hops": list(self.hops)}
        return {"format": SCHEMA, **plain, "edges": named, **arrays, "links": links}

    @asks()
    def save(self, path: str | Path) -> Path:
        """Write the model to a .json file, which ``load`` reads back."""
        return write_atomic(path, json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    @asks()
    def load(cls, path: str | Path) -> EventModel:
        """Read what ``save`` wrote; DataError, naming the file, for anything else."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8-sig")))
        except OSError as error:
            raise DataError(f"{path} cannot be read as an event model: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} cannot be read as an event model: {error}") from error

    @classmethod
    def from_dict(cls, raw: Any) -> EventModel:
        """The model that ``to_dict`` told; DataError for another schema, or what is missing."""
        told = raw.get("format") if isinstance(raw, Mapping) else None
        if told != SCHEMA:
            raise DataError(f'expected an object with "format": "{SCHEMA}", and found {told!r}; fit the model again')
        try:
            at = {name: i for i, name in enumerate(raw["types"])}
            edges = np.array([[at[j], at[v]] for j, v in raw["edges"]], dtype=np.int64).reshape(-1, 2)
            links = None if raw["links"] is None else nx.Graph([tuple(link) for link in raw["links"]])
            arrays: dict[str, Any] = {
                name: np.asarray(raw[name], np.float64) for name in ("delay", "background", "share")
            }
            alpha = np.asarray(raw["alpha"], dtype=np.float64).reshape(len(edges), len(raw["hops"]))
            plain: dict[str, Any] = {name: tuple(raw[name]) for name in ("devices", "hops")}
            return cls(tuple(raw["types"]), edges, alpha, **arrays, **plain, topology=links)
        except KeyError as error:
            raise DataError(f"the event model lacks {error}") from error
        except (TypeError, ValueError, nx.NetworkXError) as error:
            raise DataError(f"the event model is damaged: {error}") from error

    def __repr__(self) -> str:
        return f"EventModel({len(self.types)} types, {len(self.edges)} edges, {len(self.devices)} devices)"


def _told_delay(graph: Graph) -> float:
    """Mean seconds from cause to effect of a learned graph, or 1 / decay; the geometric mean where there are several."""
    told = graph.meta.get("delay_seconds", 1.0 / np.asarray(graph.meta.get("decay", 1.0 / DELAY), dtype=np.float64))
    delay = np.atleast_1d(np.asarray(told, dtype=np.float64))
    return float(np.exp(np.log(delay).mean())) if len(delay) and (delay > 0).all() else DELAY


def _em(model: EventModel, events: Events, skew: float, steps: int, first: int = 0) -> tuple[EventModel, float]:
    """EM from ``model`` on the events from number ``first`` on, and the log-likelihood before its last step.

    E: P by :func:`attribute`. M, with n_j the causes of type j that reach anybody: alpha = sum P / n_j; delay =
    (sum P lag + PRIOR d) / (sum P + PRIOR) with d the mean lag of all; mu_v = sum P(root) / (T sum b); b_n from the
    roots on n.
    """
    time, device = events.time[first:], events.device_index[first:]
    kind = _coded(events.types, model.types)[events.type_index[first:]]
    reach = spreads(model.topology, model.devices, model.hops)
    pairs = candidates(time, kind, device, model.edges, model.delay, reach, skew)
    shape, m = model.alpha.shape, len(model.devices)
    slot = pairs.edge * shape[1] + pairs.hop
    of_type = [np.bincount(kind, np.asarray(w.sum(axis=1)).ravel()[device], len(model.types)) for w in reach]
    size = np.maximum(np.stack(of_type, axis=1)[model.edges[:, 0]], 1e-12)  # (E, K) n_j
    span = max(float(time[-1] - time[0]), 1.0)
    alpha, delay, share = model.alpha, model.delay, model.share
    mu = np.maximum(np.bincount(kind, minlength=len(model.types)), 0.5) / (span * m)
    value = -np.inf
    for _ in range(steps):
        p, root, rate = attribute(pairs, device, mu[kind] * share[device], alpha, delay, skew)
        value = float(np.log(rate).sum() - (alpha * size).sum() - mu.sum() * span * share.sum())
        alpha = np.bincount(slot, p, alpha.size).reshape(shape) / size
        pooled = max(float(p @ pairs.lag) / max(float(p.sum()), 1e-12), 1e-6) if len(p) else DELAY
        lag, weight = (np.bincount(pairs.edge, w, shape[0]) for w in (p * pairs.lag, p))
        delay = np.maximum((lag + PRIOR * pooled) / (weight + PRIOR), 1e-6)
        mu = np.maximum(np.bincount(kind, root, len(mu)), 0.5) / (span * m)
        credit = np.bincount(device, root, m) + PRIOR
        share = np.asarray(credit / credit.mean(), dtype=np.float64)
    return replace(model, alpha=alpha, delay=delay, background=mu, share=share), value


def _coded(names: Sequence[str], types: Sequence[str]) -> Codes:
    """(V',) the number among ``types`` of each name; -1 for a stranger."""
    at = {name: i for i, name in enumerate(types)}
    return np.array([at.get(name, -1) for name in names], dtype=np.int32)
