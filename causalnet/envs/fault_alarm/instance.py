"""One network of the fault-alarm problem: devices and their links, alarm types and what causes what, at which rates.

An instance is generated from a seed (``generate.py``), or read from a folder (``files.py``).
D devices, V types.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp

from ...base.arrays import AnyArray, Array, Bools, Codes, Ints
from ...base.asked import asks
from ...base.checks import flag, number, numbers, whole
from ...errors import DataError
from ...graph import Graph, find_cycle, topological_order
from .state import Rules, Tables

MOST_ALARMS = 30_000  # counts are 16-bit


@asks()
@dataclass(frozen=True, eq=False)
class Instance:
    """A fault-alarm network, validated and frozen.

    types (V,), devices (D,) names; graph: the true graph over the types, acyclic; topology: links between devices.
    alpha (K, V, V) 1/s: an alarm of type i starts one of type j at hop k with the rate alpha[k, i, j] * A_k[v, m];
    hop_weights: the K sparse (D, D) matrices A_k, receiving device v first; mu (V,) 1/s weights of faults.
    transient (D, V) bool: cells whose alarms end by themselves. order (V,): types, causes first.
    root_cells (Q,): cells device * V + type where faults start; noise_devices (N,), noise_types (U,) indices.
    rules: the constants. name: what a result calls it.
    """

    types: tuple[str, ...]
    devices: tuple[str, ...]
    graph: Graph
    topology: nx.Graph
    alpha: Array
    hop_weights: tuple[Any, ...]
    mu: Array
    transient: Bools
    order: Ints
    root_cells: Codes
    noise_devices: Codes
    noise_types: Codes
    rules: Rules = field(default_factory=Rules)
    name: str = "fault-alarm"

    def __post_init__(self) -> None:
        d, v, k = len(self.devices), len(self.types), len(self.hop_weights)
        arrays: dict[str, Any] = {
            "alpha": (np.float64, (k, v, v)),
            "mu": (np.float64, (v,)),
            "transient": (np.bool_, (d, v)),
            "order": (np.int64, (v,), v),
            "root_cells": (np.int32, (-1,), d * v),
            "noise_devices": (np.int32, (-1,), d),
            "noise_types": (np.int32, (-1,), v),
        }
        found: dict[str, Any] = {name: frozen_array(name, getattr(self, name), *form) for name, form in arrays.items()}
        found["hop_weights"] = tuple(_weights(w, slot, d) for slot, w in enumerate(self.hop_weights))
        found["topology"] = nx.freeze(nx.Graph(self.topology))
        found["rules"] = checked(self.rules)
        for name, value in found.items():
            object.__setattr__(self, name, value)
        if len(self.root_cells) == 0:
            raise DataError("root_cells is empty: an instance needs at least one cell where a fault can start")
        _check_graph(self)

    @property
    def n_devices(self) -> int:
        """D."""
        return len(self.devices)

    @property
    def n_types(self) -> int:
        """V."""
        return len(self.types)

    @property
    def n_cells(self) -> int:
        """C = D * V: as many actions."""
        return len(self.devices) * len(self.types)

    @property
    def hard(self) -> bool:
        """Whether an alarm's start is seen at polling times only."""
        return self.rules.polled

    def harden(self, **rules: Any) -> Instance:
        """The same network where age gives nothing away.

        Any type can start a fault on any device, starts are seen at polling times only, and more faults are present
        at reset. ``rules``: other constants to change, by their names in ``Rules``.
        """
        changed = {"polled": True, "initial_roots": 6, "initial_alarms": 40, **rules}
        return replace(
            self,
            root_cells=np.arange(self.n_cells, dtype=np.int32),
            noise_devices=np.arange(self.n_devices, dtype=np.int32),
            noise_types=np.arange(self.n_types, dtype=np.int32),
            rules=self.rules._replace(**changed),
            name=f"{self.name}, hard",
        )

    @cached_property
    def tables(self) -> Tables:
        """The same network as the kernel reads it."""
        return _tables(self)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything but the name. Numbers count to single precision: machines differ in the last bits."""
        links = sorted(sorted(link) for link in self.topology.edges)
        digest = hashlib.sha256(repr((self.types, self.devices, links)).encode())
        hops = [part for weights in self.hop_weights for part in (weights.indptr, weights.indices, weights.data)]
        cells = (self.transient, self.order, self.root_cells, self.noise_devices, self.noise_types)
        for array in (self.alpha, *hops, self.mu, *cells, self.rules):
            digest.update(np.asarray(array, np.float32).tobytes())
        return digest.hexdigest()[:32]

    def __repr__(self) -> str:
        return f"Instance({self.name!r}, {self.n_devices} devices, {self.n_types} types, {len(self.graph.edges)} edges)"


def hop_weights(topology: nx.Graph, hops: int) -> tuple[Any, ...]:
    """A_k = (D^-1 A D^-1)^k for k = 0..hops-1, as the published code has it (the paper writes D^-1/2 A D^-1/2)."""
    links = nx.to_scipy_sparse_array(topology, dtype=np.float64, weight=None, format="csr")
    degree = np.asarray(links.sum(axis=1)).ravel()
    scale = sp.diags_array(np.where(degree > 0, 1.0 / np.maximum(degree, 1.0), 0.0))
    step = sp.csr_array(scale @ links @ scale)
    powers = [sp.eye_array(topology.number_of_nodes(), format="csr")]
    for _ in range(1, hops):
        powers.append(sp.csr_array(powers[-1] @ step))
    return tuple(powers)


def frozen_array(name: str, value: Any, dtype: Any, shape: Sequence[int], below: int | None = None) -> AnyArray:
    """A read-only copy with the dtype; DataError if the shape differs (-1: any length) or a value is not finite.

    below: the entries are numbers from 0 to below - 1 (None: any).
    """
    try:
        array = np.array(value)
    except ValueError:
        raise DataError(f"{name} of an instance has rows of different lengths") from None
    want = tuple(array.shape[0] if n < 0 and array.ndim == len(shape) else n for n in shape)
    if array.shape != want:
        text = ", ".join("any" if n < 0 else str(n) for n in shape)
        raise DataError(f"{name} of an instance has the shape {array.shape}; expected ({text})")
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise DataError(f"{name} of an instance holds something that is not a finite number")
    if dtype is not np.float64 and not (array == np.floor(array)).all():
        raise DataError(f"{name} of an instance holds whole numbers; it has a fraction")
    if below is not None and array.size and not (array.min() >= 0 and array.max() < below):
        raise DataError(f"{name} must lie between 0 and {below - 1}; found {array.min()} to {array.max()}")
    array = array.astype(dtype)
    array.setflags(write=False)
    return array


def checked(rules: Rules) -> Rules:
    """The constants as plain numbers; DataError, naming the constant, for one that no simulation can follow."""
    least = {"noise_draws": 0, "initial_roots": 1, "initial_alarms": 1, "max_alarms": 1, "cell_limit": 0}
    found: dict[str, Any] = {}
    for name, value in rules._asdict().items():
        what = f"rules: {name}"
        if name in least:
            found[name] = whole(what, value, least[name], MOST_ALARMS)
        elif name == "polled":
            found[name] = flag(what, value)
        elif name.endswith("probability"):
            found[name] = number(what, value, 0.0, 1.0)
        elif name in ("warmup", "shortest"):
            found[name] = number(what, value, 0.0)
        else:
            found[name] = number(what, value, above=0.0)
    if max(rules.initial_alarms, rules.initial_roots) > rules.max_alarms:
        raise DataError(f"rules: a reset to {rules.initial_alarms} alarms is above max_alarms {rules.max_alarms}")
    return Rules(**found)


def _weights(matrix: Any, slot: int, d: int) -> Any:
    """The hop's weights as a canonical sparse (D, D) matrix."""
    given = matrix if sp.issparse(matrix) else numbers(f"hop_weights {slot}", matrix)
    weights = sp.csr_array(given, dtype=np.float64, copy=True)
    if weights.shape != (d, d):
        raise DataError(f"hop_weights {slot} has the shape {weights.shape}; there are {d} devices: ({d}, {d})")
    if not np.isfinite(weights.data).all() or (weights.data < 0).any():
        raise DataError(f"hop_weights {slot} holds a negative weight, or one that is not a finite number")
    weights.sum_duplicates()
    weights.eliminate_zeros()
    return weights


def _check_graph(instance: Instance) -> None:
    """Names, graph, order and rates agree."""
    types = instance.types
    if instance.graph.nodes != types:
        odd = sorted(set(types) ^ set(instance.graph.nodes))
        raise DataError(f"the graph's nodes are not the alarm types in their order (differing: {', '.join(odd)})")
    if list(instance.topology.nodes) != list(instance.devices):
        raise DataError("the topology's nodes are not the devices in their order")
    adj = instance.graph.adj
    if topological_order(adj) is None:
        cycle = find_cycle(adj) or []
        raise DataError(
            f"the true graph has the cycle {' -> '.join(types[i] for i in [*cycle, *cycle[:1]])}; remove it"
        )
    if (instance.alpha < 0).any() or not (instance.mu > 0).all():
        raise DataError("rates are positive: alpha from 0 on, mu above 0")
    odd_pair = np.argwhere((instance.alpha > 0).any(axis=0) != adj)
    if len(odd_pair):
        i, j = odd_pair[0]
        has = "an edge but no rate" if adj[i, j] else "a rate but no edge"
        raise DataError(f"alpha and the graph differ: {types[i]} -> {types[j]} has {has}")
    if len(set(instance.order.tolist())) < len(types):
        raise DataError("order must name each alarm type once")
    place = np.argsort(instance.order)
    late = np.argwhere(adj & (place[:, None] > place))
    if len(late):
        raise DataError(f"order puts the effect {types[late[0][1]]} before its cause {types[late[0][0]]}")


def _tables(instance: Instance) -> Tables:
    """For each cell (m, i) its pairs: A_k[v, m] * alpha[k, i, j] > 0, cumulated."""
    v, pairs = instance.n_types, []
    for k, weights in enumerate(instance.hop_weights):
        reach = weights.tocoo()
        to, at = (place[:, None] * v for place in reach.coords)
        i, j = np.nonzero(instance.alpha[k])
        rate = reach.data[:, None] * instance.alpha[k][i, j]
        pairs.append([part.ravel() for part in np.broadcast_arrays(at + i, to + j, k, rate)])
    parents, child, hop, rates = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    order = np.argsort(parents, kind="stable")
    first = np.searchsorted(parents[order], np.arange(instance.n_cells + 1))
    total = np.concatenate([[0.0], np.cumsum(rates[order])])
    cumulative = total[1:] - np.repeat(total[first[:-1]], np.diff(first))
    summed = total[first[1:]] - total[first[:-1]]
    return Tables(
        first.astype(np.int64),
        child[order].astype(np.int32),
        hop[order].astype(np.int8),
        cumulative,
        np.exp(-summed * instance.rules.window),
        instance.transient.flatten(),
        *(np.array(getattr(instance, name)) for name in Tables._fields[6:]),
    )
