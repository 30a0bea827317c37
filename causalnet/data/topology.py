"""How devices are wired: links read from a file, checked against the names, and as a matrix."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Bools
from ..errors import DataError, nearest
from .numerals import to_numbers
from .reading import read_array, read_frame

# how the two ends of a link are called in lists with more columns
ENDS = (
    ("source", "target"), ("from", "to"), ("src", "dst"), ("u", "v"), ("node1", "node2"), ("device1", "device2"),
    ("device_a", "device_b"), ("node_a", "node_b"), ("a_end", "z_end"), ("left", "right"), ("local_device", "remote_device"),
    ("local", "remote"), ("quelle", "ziel"),
)  # fmt: skip
LABELS = ("name", "label", "device", "hostname", "id")  # attributes of a node that may hold the device's name


def as_topology(given: Any, devices: Iterable[Any] = ()) -> nx.Graph | None:
    """Links between devices as a graph: of networkx, pairs, {"a": ["b", "c"]}, a frame of links, a matrix, or a file.

    A matrix is a frame whose rows and columns are called as the devices, or an array over devices 0, 1, ... devices: those
    of the log, as for :func:`read_topology`. DataError for anything else, and for a device that has no name.
    """
    devices = () if given is None or isinstance(given, nx.Graph) else set(map(str, devices))
    if given is None or isinstance(given, nx.Graph):
        found = given
    elif isinstance(given, str | Path):
        return read_topology(given, devices)
    elif isinstance(given, pd.DataFrame):
        found = _of_frame(given, "the topology", devices)
    elif callable(dense := getattr(given, "toarray", None)):  # a sparse matrix
        found = _numbered(dense(), devices)
    elif isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] != 2:
        found = _numbered(given, devices)
    else:
        found = _of_pairs(given)
    if found is not None and any(pd.isna(node) for node in found.nodes if isinstance(node, float)):
        raise DataError("the topology names a device nan: a cell without a name; leave it out")
    return found


def _numbered(matrix: AnyArray, devices: Collection[str]) -> nx.Graph:
    """The graph of a matrix over devices 0, 1, ..."""
    if devices and not {str(k) for k in range(len(matrix))} & set(devices):
        raise DataError(
            "the matrix of the topology does not say which device a row is; write pandas.DataFrame(matrix, devices, devices)"
        )
    return _linked(matrix, "the topology")


def _of_pairs(given: Any) -> nx.Graph:
    """The graph of pairs (a, b), or of neighbours by device."""
    if isinstance(given, Mapping):
        near = {a: [b] if isinstance(b, str | int) else b for a, b in given.items()}
        loose = all(isinstance(b, Iterable) for b in near.values())
        pairs = [(a, b) for a, some in near.items() for b in some] if loose else None
    else:
        near = {}
        pairs = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else None
    if pairs is None or not all(
        isinstance(pair, Sequence | np.ndarray) and len(pair) == 2 and not isinstance(pair, str) for pair in pairs
    ):
        raise DataError(
            f"topology is of type {type(given).__name__}, and must hold the links between devices: a networkx.Graph, a list of pairs "
            "[('a', 'b')], a dict of neighbours {'a': ['b']}, or a frame with a link a row"
        )
    graph = nx.Graph()
    try:
        graph.add_nodes_from(near)
        graph.add_edges_from((a, b) for a, b in pairs)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"the topology holds what is no name of a device ({error}); write pairs of names [('a', 'b')]"
        ) from None
    return graph


def read_topology(path: str | Path, devices: Collection[str] = ()) -> nx.Graph:
    """Device links from a list (.csv, .tsv, ...), a .npy (symmetric 0/1 matrix, devices 0, 1, ...), .graphml or .json.

    A list has two columns, or among others two that name the ends (source and target, from and to, ...), a link a row;
    .json is networkx's node-link form. Links go both ways. devices: names from the log, to notice a file whose first
    line is a link and not a header, and to tell which attribute of a node is the device's name.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _of_matrix(path)
    if suffix in (".graphml", ".xml"):
        return _called(_of_graphml(path), devices)
    if suffix == ".json":
        return _called(_of_json(path, devices), devices)
    frame = read_frame(path, as_text=lambda name: True)
    if set(map(str, frame.columns)) <= set(devices):
        raise DataError(f"{path.name}: the first line is a link between devices of the log; write a header above it")
    if frame.shape[1] == 2 and set(map(str, frame.columns)) & set(frame.astype(str).to_numpy().ravel()):
        raise DataError(f"{path.name}: the first line names a device of the lines below; write a header above it")
    return _of_frame(frame, path.name, devices)


def _of_frame(frame: pd.DataFrame, name: str, devices: Collection[str]) -> nx.Graph:
    """The links of a frame: a row each, or a matrix whose rows and columns are called as the devices."""
    columns = [str(column) for column in frame.columns]
    labels = frame.index if len(frame) == len(columns) else frame.iloc[:, 0] if len(frame) == len(columns) - 1 else None
    if labels is not None and len(columns) > 2 and sorted(map(str, labels)) == sorted(columns[-len(frame) :]):
        square = frame.iloc[:, -len(frame) :].set_axis([str(label) for label in labels], axis=0)
        order = columns[-len(frame) :]
        matrix = (
            np.column_stack([to_numbers(square[column]) for column in square]) if square.columns.is_unique else None
        )
        if matrix is not None:
            rows = [list(square.index).index(label) for label in order]
            return nx.relabel_nodes(_linked(matrix[rows], name), dict(enumerate(order)))
    ends = np.array_split(plain_names(stripped(pd.concat(_two_ends(frame, name, devices)))).to_numpy(dtype=object), 2)
    graph = nx.Graph()
    for row, (u, v) in enumerate(zip(*ends, strict=True)):
        if pd.isna(u):
            raise DataError(f"{name}: row {row + 1} names no device")
        graph.add_node(u)
        if not pd.isna(v):  # a device alone on its row has no link
            graph.add_edge(u, v)
    return graph


def _two_ends(frame: pd.DataFrame, name: str, devices: Collection[str]) -> tuple[pd.Series, pd.Series]:
    if frame.shape[1] == 2:
        return frame.iloc[:, 0], frame.iloc[:, 1]
    lower = [str(column).strip().lower() for column in frame.columns]
    for u, v in ENDS:
        if u in lower and v in lower:
            if lower.count(u) + lower.count(v) > 2:
                raise DataError(f"{name} has several columns called {u} or {v}; keep one of each")
            return frame.iloc[:, lower.index(u)], frame.iloc[:, lower.index(v)]
    named = [j for j in range(frame.shape[1]) if devices and frame.iloc[:, j].astype(str).isin(devices).mean() > 0.5]
    if len(named) == 2:
        return frame.iloc[:, named[0]], frame.iloc[:, named[1]]
    raise DataError(
        f"{name} has {frame.shape[1]} columns; a topology has two of device names, a link a row, or names two of its "
        "columns source and target"
    )


def stripped(column: pd.Series) -> pd.Series:
    """Names without spaces around them, so that "d1 " and "d1" are one device."""
    if not (pd.api.types.is_object_dtype(column.dtype) or isinstance(column.dtype, pd.StringDtype)):
        return column
    return column.map(lambda value: value.strip() if isinstance(value, str) else value, na_action="ignore")


def plain_names(column: pd.Series) -> pd.Series:
    """Names that were read as texts, as the numbers that they would have been read as, unless two of them would be one."""
    texts = pd.Series(column.dropna().unique())
    worded = len(texts) > 0 and all(isinstance(value, str) for value in texts)
    if worded and texts.str.fullmatch(r"\s*-?(0|[1-9]\d{0,14})(\.\d{1,9})?\s*").all():
        numbers = to_numbers(column)
        if numbers.nunique() == len(texts):
            return numbers
    return column


def _of_graphml(path: Path) -> nx.Graph:
    try:
        found = nx.read_graphml(path)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, nx.NetworkXException) as error:
        raise DataError(f"{path.name} cannot be read as GraphML: {error}") from error
    return nx.Graph(found.to_undirected())


def _of_json(path: Path, devices: Collection[str]) -> nx.Graph:
    """networkx's node-link form: {"nodes": [{"id": "a"}], "links": [{"source": "a", "target": "b"}]}; or links, or neighbours."""
    example = 'write {"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]}'
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(raw, list) and raw and all(isinstance(link, dict) for link in raw):
            return _of_frame(pd.DataFrame(raw), path.name, devices)
        if isinstance(raw, list) or (
            isinstance(raw, dict)
            and raw
            and all(isinstance(near, list) for near in raw.values())
            and "nodes" not in raw
        ):
            return _of_pairs(raw)
        graph = nx.Graph()
        for node in raw["nodes"]:
            graph.add_node(node["id"], **{str(k): v for k, v in node.items() if k != "id"})
        for link in raw["links"] if "links" in raw else raw["edges"]:
            graph.add_edge(link["source"], link["target"])
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path.name} is no topology in node-link form ({error}); {example}") from error
    return graph


def _called(graph: nx.Graph, devices: Collection[str]) -> nx.Graph:
    """The graph with its nodes called as the devices are, where an attribute holds those names and the ids do not."""
    if not devices or any(str(node) in devices for node in graph.nodes):
        return graph
    for label in LABELS:
        names = {node: str(given[label]) for node, given in graph.nodes(data=True) if label in given}
        if len(set(names.values())) == len(graph) and set(names.values()) & set(devices):
            return nx.relabel_nodes(graph, names)
    return graph


def _of_matrix(path: Path) -> nx.Graph:
    """Links between devices 0, 1, ... from a symmetric 0/1 matrix in a .npy file."""
    return _linked(read_array(path), path.name)


def _linked(matrix: AnyArray, name: str) -> nx.Graph:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"{name}: a topology is a symmetric square matrix, got shape {matrix.shape}")
    for bad, what in ((~np.isin(matrix, (0, 1)), "is neither 0 nor 1"), (matrix != matrix.T, "breaks the symmetry")):
        if bad.any():
            i, j = np.argwhere(bad)[0]
            raise DataError(f"{name}: row {i}, column {j} {what} ({matrix[i, j]}); a link sets both to 1")
    graph = nx.Graph()
    graph.add_nodes_from(range(len(matrix)))
    graph.add_edges_from((int(i), int(j)) for i, j in np.argwhere(np.triu(matrix, 1)))
    return graph


def undirected(topology: nx.Graph, name: Callable[[Any], str] = str) -> nx.Graph:
    """A copy whose nodes are called by ``name``; DataError for directed links."""
    if topology.is_directed():
        raise DataError("the topology is directed; links go both ways: pass topology.to_undirected()")
    return nx.relabel_nodes(nx.Graph(topology), {node: name(node) for node in topology.nodes})


def checked_topology(topology: Any, units: Sequence[str]) -> nx.Graph | None:
    """A frozen undirected copy whose nodes are the units' names, or None; DataError when it names another unit."""
    topology = as_topology(topology, units)
    if topology is None:
        return None
    named = undirected(topology)
    extra = sorted(set(named.nodes) - set(units))
    if extra:
        raise DataError(f"the topology names {extra[0]!r}, which is not a unit.{nearest(extra[0], units)}")
    named.add_nodes_from(units)
    return nx.freeze(named)


def links(topology: nx.Graph | None, units: Sequence[str]) -> Bools:
    """(D, D) bool: which units are neighbours; all False without a topology."""
    index = {name: i for i, name in enumerate(units)}
    near = np.zeros((len(units), len(units)), dtype=bool)
    for u, v in [] if topology is None else topology.edges:
        near[index[u], index[v]] = near[index[v], index[u]] = u != v
    return near
