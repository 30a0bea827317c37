"""How devices are wired: links read from a file, checked against the names, and as a matrix."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import Bools
from ..errors import DataError, nearest
from .reading import read_array, read_frame, to_numbers

# how the two ends of a link are called in lists with more columns
ENDS = (
    ("source", "target"), ("from", "to"), ("src", "dst"), ("u", "v"), ("node1", "node2"), ("device1", "device2"),
    ("device_a", "device_b"), ("node_a", "node_b"), ("a_end", "z_end"), ("left", "right"),
)  # fmt: skip
LABELS = ("name", "label", "device", "hostname", "id")  # attributes of a node that may hold the device's name


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
        return _called(_of_node_link(path), devices)
    frame = read_frame(path, as_text=lambda name: True)
    if set(map(str, frame.columns)) <= set(devices):
        raise DataError(f"{path.name}: the first line is a link between devices of the log; write a header above it")
    ends = np.array_split(plain_names(stripped(pd.concat(_two_ends(frame, path.name)))).to_numpy(dtype=object), 2)
    graph = nx.Graph()
    for row, (u, v) in enumerate(zip(*ends, strict=True)):
        if pd.isna(u):
            raise DataError(f"{path.name}: row {row + 1} names no device")
        graph.add_node(u)
        if not pd.isna(v):  # a device alone on its row has no link
            graph.add_edge(u, v)
    return graph


def _two_ends(frame: pd.DataFrame, name: str) -> tuple[pd.Series, pd.Series]:
    if frame.shape[1] == 2:
        return frame.iloc[:, 0], frame.iloc[:, 1]
    lower = [str(column).strip().lower() for column in frame.columns]
    for u, v in ENDS:
        if u in lower and v in lower:
            if lower.count(u) + lower.count(v) > 2:
                raise DataError(f"{name} has several columns called {u} or {v}; keep one of each")
            return frame.iloc[:, lower.index(u)], frame.iloc[:, lower.index(v)]
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


def _of_node_link(path: Path) -> nx.Graph:
    """networkx's node-link form: {"nodes": [{"id": "a"}], "links": [{"source": "a", "target": "b"}]}."""
    example = 'write {"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]}'
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
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
    matrix = read_array(path)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"{path.name}: a topology is a symmetric square matrix, got shape {matrix.shape}")
    for bad, what in ((~np.isin(matrix, (0, 1)), "is neither 0 nor 1"), (matrix != matrix.T, "breaks the symmetry")):
        if bad.any():
            i, j = np.argwhere(bad)[0]
            raise DataError(f"{path.name}: row {i}, column {j} {what} ({matrix[i, j]}); a link sets both to 1")
    graph = nx.Graph()
    graph.add_nodes_from(range(len(matrix)))
    graph.add_edges_from((int(i), int(j)) for i, j in np.argwhere(np.triu(matrix, 1)))
    return graph


def undirected(topology: nx.Graph, name: Callable[[Any], str] = str) -> nx.Graph:
    """A copy whose nodes are called by ``name``; DataError for directed links."""
    if topology.is_directed():
        raise DataError("the topology is directed; links go both ways: pass topology.to_undirected()")
    return nx.relabel_nodes(nx.Graph(topology), {node: name(node) for node in topology.nodes})


def checked_topology(topology: nx.Graph | None, units: Sequence[str]) -> nx.Graph | None:
    """A frozen undirected copy whose nodes are the units' names, or None; DataError when it names another unit."""
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
