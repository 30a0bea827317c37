"""Instances of the fault-alarm network on disk: ``model.json`` and ``model.npz`` in one folder, nothing pickled.

The layout is that of the published instance converted to plain files: ``alpha`` (K, V, V), ``mu`` (V,),
``causal_graph`` (V, V), ``topology`` (D, D), ``hop_weights`` (K, D, D) and ``transient_cells`` (D, V) as arrays,
constants, names and orders in the JSON. Saved folders hold links instead of (D, D) arrays, so that 5,000 devices fit.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp

from ...base.arrays import AnyArray, Ints
from ...base.asked import asks
from ...base.checks import whole
from ...base.npz import DAMAGE, read_members
from ...errors import DataError
from ...graph import Graph
from ...storage.files import whole_file, write_atomic
from .instance import Instance, frozen_array, hop_weights
from .state import Rules

FORMAT = "causalnet.fault-alarm/1"
# names of the published constants, where they differ from ours
PUBLISHED = {
    "window": "time_range",
    "initial_roots": "init_rc_num",
    "initial_alarms": "init_alarm_num",
    "max_alarms": "max_alarms",
    "cell_limit": "limit_same_alarms",
}


@asks()
def load_instance(folder: str | Path) -> Instance:
    """Read an instance from a folder; DataError, naming the file and the field, for anything missing or odd.

    A network of your own: V alarm types, D devices, K hops (0 is the device itself, 1 its neighbours).

    model.json needs "alarm_types" (V names), "node_num" (D), "causal_order" (type numbers, causes first) and
        "possible_root_alarms" (pairs [device number, type number] where faults start). It may give "devices" (D names),
        "noise_devices" and "noise_types" (numbers; by default what is no root), "name", and the constants of ``Rules``,
        some by their published names (``PUBLISHED``).
    model.npz needs causal_graph (V, V) of 0 and 1, [i, j] for i -> j; alpha (K, V, V), the rate in 1/s at which an
        alarm of type i starts one of type j k hops away, above 0 for some k exactly where there is an edge; mu (V,) > 0,
        the rate in 1/s of a type on its own; transient_cells (D, V), 1 where alarms end by themselves; and the links
        between devices, as links (L, 2) of numbers or topology (D, D). How strongly k hops connect two devices may be
        given as hop_weights (K, D, D), or hop_slot (n,), hop_pair (n, 2) and hop_value (n,); by default it is
        (D^-1 A D^-1)^k of the topology.
    ``save_instance(generate_instance(0, n_devices=3), folder)`` writes an example.
    """
    folder = Path(folder)
    raw = _read_json(folder / "model.json")
    arrays = _read_arrays(folder / "model.npz")
    types = _names("alarm_types", _get("model.json", raw, "alarm_types"))
    v, d = len(types), whole("model.json: node_num", _get("model.json", raw, "node_num"), 1)
    devices = _names("devices", raw.get("devices", [str(i) for i in range(d)]))
    if len(devices) != d:
        raise DataError(f"model.json: devices has {len(devices)} names, and node_num is {d}; they must agree")
    alpha = frozen_array("alpha", _get("model.npz", arrays, "alpha"), np.float64, (-1, v, v))
    adj = frozen_array("causal_graph", _get("model.npz", arrays, "causal_graph"), np.bool_, (v, v))
    topology: nx.Graph = nx.Graph()
    topology.add_nodes_from(devices)
    topology.add_edges_from((devices[i], devices[j]) for i, j in _links(arrays, d))
    order = frozen_array("causal_order", _get("model.json", raw, "causal_order"), np.int64, (v,), v)
    root_types = order[: whole("model.json: root_events_num", raw.get("root_events_num", v), 0, v)]
    roots = _get("model.json", raw, "possible_root_alarms")
    roots = frozen_array("possible_root_alarms", roots, np.int64, (-1, 2))
    frozen_array("the type in possible_root_alarms", roots[:, 1], np.int64, (-1,), v)
    root_cells = np.sort(roots[:, 0] * v + roots[:, 1])
    return Instance(
        types=types,
        devices=devices,
        graph=Graph(types, adj),
        topology=topology,
        alpha=alpha,
        hop_weights=_hops(arrays, topology, len(alpha), d),
        mu=_get("model.npz", arrays, "mu"),
        transient=_get("model.npz", arrays, "transient_cells"),
        order=order,
        root_cells=root_cells,
        noise_devices=raw.get("noise_devices", np.setdiff1d(np.arange(d), root_cells // v)),
        noise_types=raw.get("noise_types", np.setdiff1d(np.arange(v), root_types)),
        rules=Rules(**{key: raw.get(PUBLISHED.get(key, key), default) for key, default in Rules()._asdict().items()}),
        name=raw.get("name", folder.resolve().name),
    )


@asks()
def save_instance(instance: Instance, folder: str | Path) -> Path:
    """Write ``model.npz`` and ``model.json`` into ``folder``, made if need be; ``load_instance`` gives it back.

    What they hold is told at ``load_instance``; the hops are written as hop_slot, hop_pair and hop_value.
    """
    folder = Path(folder)
    index = {name: i for i, name in enumerate(instance.devices)}
    entries = [weights.tocoo() for weights in instance.hop_weights]
    with whole_file(folder / "model.npz") as file:
        np.savez_compressed(
            file,
            alpha=instance.alpha,
            mu=instance.mu,
            causal_graph=instance.graph.adj.astype(np.int8),
            transient_cells=instance.transient.astype(np.int8),
            links=np.array([[index[a], index[b]] for a, b in instance.topology.edges]).reshape(-1, 2),
            hop_slot=np.concatenate([np.full(e.nnz, k) for k, e in enumerate(entries)]),
            hop_pair=np.concatenate([np.stack(e.coords, axis=1) for e in entries]),
            hop_value=np.concatenate([e.data for e in entries]),
        )
    v = instance.n_types
    header = {
        "format": FORMAT,
        "name": instance.name,
        "node_num": instance.n_devices,
        "event_num": v,
        "devices": list(instance.devices),
        "alarm_types": list(instance.types),
        "causal_order": instance.order.tolist(),
        "possible_root_alarms": [[int(c) // v, int(c) % v] for c in instance.root_cells],
        "noise_devices": instance.noise_devices.tolist(),
        "noise_types": instance.noise_types.tolist(),
        **{PUBLISHED.get(key, key): value for key, value in instance.rules._asdict().items()},
    }
    write_atomic(folder / "model.json", json.dumps(header, indent=1))
    return folder


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"an instance is a folder with model.json and model.npz; {path} cannot be read: {error.strerror}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise DataError(f"{path} must hold one JSON object with the fields of an instance")
    return raw


def _read_arrays(path: Path) -> Mapping[str, AnyArray]:
    try:
        with zipfile.ZipFile(path) as archive:
            return read_members(archive, path)
    except DataError:
        raise
    except (*DAMAGE, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read as plain numpy arrays: {error}") from error


def _get(file: str, held: Mapping[str, Any], name: str) -> Any:
    if name not in held:
        raise DataError(f"{file} lacks {name!r}; it has: {', '.join(sorted(held)) or 'nothing'}")
    return held[name]


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(x, str) for x in value):
        raise DataError(f"model.json: {name} is a list of names")
    if len(set(value)) != len(value):
        twice = sorted({x for x in value if value.count(x) > 1})
        raise DataError(f"model.json: {name} repeats {', '.join(twice)}")
    return tuple(value)


def _links(arrays: Mapping[str, AnyArray], d: int) -> Ints:
    """(L, 2) pairs of devices."""
    if "links" in arrays:
        return frozen_array("links", arrays["links"], np.int64, (-1, 2), d)
    matrix = frozen_array("topology", _get("model.npz", arrays, "topology"), np.bool_, (d, d))
    if not np.array_equal(matrix, matrix.T):
        raise DataError("the topology is not symmetric: device links go both ways")
    return np.argwhere(np.triu(matrix, 1))


def _hops(arrays: Mapping[str, AnyArray], topology: nx.Graph, k: int, d: int) -> tuple[Any, ...]:
    """The A_k as stored, else (D^-1 A D^-1)^k of the topology."""
    if "hop_weights" in arrays:
        dense = frozen_array("hop_weights", arrays["hop_weights"], np.float64, (k, d, d))
        return tuple(sp.csr_array(matrix) for matrix in dense)
    if "hop_value" not in arrays:
        return hop_weights(topology, k)
    value = frozen_array("hop_value", arrays["hop_value"], np.float64, (-1,))
    slot = frozen_array("hop_slot", _get("model.npz", arrays, "hop_slot"), np.int64, (len(value),), k)
    pair = frozen_array("hop_pair", _get("model.npz", arrays, "hop_pair"), np.int64, (len(value), 2), d)
    return tuple(sp.csr_array((value[slot == hop], pair[slot == hop].T), shape=(d, d)) for hop in range(k))
