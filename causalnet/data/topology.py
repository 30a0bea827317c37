"""How devices are wired: links read from a file, checked against the names, and as a matrix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import Bools
from ..errors import DataError, nearest
from .reading import read_array, read_frame


def read_topology(path: str | Path, devices: Collection[str] = ()) -> nx.Graph:
    """Device links from a .csv (two columns: one link a row) or a .npy (symmetric 0/1 matrix, devices 0, 1, ...).

    devices: names from the log, to notice a file whose first line is a link and not a header.
    """
    path = Path(path)
    if path.suffix == ".npy":
        return _of_matrix(path)
    frame = read_frame(path)
    if frame.shape[1] != 2:
        raise DataError(f"{path.name} has {frame.shape[1]} columns; a topology has two of device names, a link a row")
    if set(map(str, frame.columns)) <= set(devices):
        raise DataError(f"{path.name}: the first line is a link between devices of the log; write a header above it")
    graph = nx.Graph()
    for row, (u, v) in enumerate(zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True)):
        if pd.isna(u):
            raise DataError(f"{path.name}: row {row + 1} names no device")
        graph.add_node(u)
        if not pd.isna(v):  # a device alone on its row has no link
            graph.add_edge(u, v)
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
