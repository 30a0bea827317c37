"""Topology of a networked system: what graphs are accepted, who is within kappa hops of whom, padded neighbour tables."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from ...base.checks import whole
from ...errors import DataError


def check_topology(graph: nx.Graph, *, directed: bool = False, what: str = "network") -> list[Hashable]:
    """The nodes of ``graph`` in its own order, or a sentence about what the environment could not honour.

    Accepted: disconnected graphs (the parts never meet) and isolated nodes (agents on their own). Refused: no nodes, the
    wrong direction, parallel edges, self-loops, and edge weights other than 1.
    """
    if not isinstance(graph, nx.Graph):
        raise DataError(f"The {what} must be a networkx graph, not {type(graph).__name__}.")
    if graph.number_of_nodes() == 0:
        raise DataError(f"The {what} has no nodes; there must be at least one agent.")
    if graph.is_multigraph():
        raise DataError(f"The {what} may have parallel edges; pass nx.Graph(graph) (or nx.DiGraph(graph)) instead.")
    if graph.is_directed() and not directed:
        raise DataError(f"The {what} is directed, but influence runs both ways here; pass graph.to_undirected().")
    if directed and not graph.is_directed():
        raise DataError(f"The {what} must be directed (an nx.DiGraph whose edge i -> j leads from i to j).")
    loop = next(nx.selfloop_edges(graph), None)
    if loop is not None:
        raise DataError(f"Node {loop[0]!r} of the {what} has an edge to itself; remove it.")
    for u, v, weight in graph.edges(data="weight"):
        if weight is not None and weight != 1:
            raise DataError(
                f"Edge {u!r} - {v!r} of the {what} has weight {weight!r}, which this environment would not use; "
                "remove the weights, or pass what they mean as a parameter of the environment."
            )
    return list(graph.nodes)


def check_adjacency(adjacency: sparse.csr_matrix) -> sparse.csr_matrix:
    """A square sparse adjacency of 0 and 1 as a canonical CSR matrix of bools, symmetric and without a diagonal, or a
    sentence."""
    given = sparse.csr_matrix(adjacency)
    odd = np.flatnonzero((given.data != 0) & (given.data != 1))
    if odd.size:
        row, column = np.searchsorted(given.indptr, odd[0], side="right") - 1, given.indices[odd[0]]
        raise DataError(
            f"Entry ({row}, {column}) of the adjacency is {given.data[odd[0]]}; weights mean nothing here: pass A != 0, and "
            "what they mean as a parameter of the environment."
        )
    matrix = sparse.csr_matrix(given, dtype=bool, copy=True)  # what follows works in place
    if matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"An adjacency is square, an agent a row and a column; this one is {matrix.shape}.")
    matrix.eliminate_zeros()
    matrix.sum_duplicates()
    if matrix.diagonal().any():
        raise DataError(f"Agent {int(np.flatnonzero(matrix.diagonal())[0])} is its own neighbour; clear the diagonal.")
    different = (matrix != matrix.T).tocoo()
    if different.nnz:
        raise DataError(
            f"Agents {different.row[0]} and {different.col[0]} are neighbours in one direction only; "
            "make the adjacency symmetric, for instance (A + A.T) > 0."
        )
    return matrix


def generator(seed: Any) -> np.random.Generator:
    """``np.random.default_rng(seed)``, or a sentence."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise DataError(f"the seed must be a whole number from 0 up, a numpy Generator or None, not {seed!r}") from None


def adjacency_of(graph: nx.Graph) -> sparse.csr_matrix:
    """Adjacency (n, n) bool of an undirected graph, rows in the order of its nodes."""
    check_topology(graph)
    return check_adjacency(nx.to_scipy_sparse_array(graph, dtype=bool, weight=None, format="csr"))


def sharing(members: NDArray[np.int32], n_places: int) -> sparse.csr_matrix:
    """Who shares a place: adjacency (n, n) bool from ``members`` (n, m), the places of each agent (n_places = none)."""
    n, width = members.shape
    real = members.ravel() < n_places
    row = np.repeat(np.arange(n), width)[real]
    incidence = sparse.csr_matrix(
        (np.ones(row.size, np.int32), (row, members.ravel()[real])), shape=(n, n_places), dtype=np.int32
    )
    joint = (incidence @ incidence.T).tocsr()
    joint.setdiag(0)
    joint.eliminate_zeros()
    joint.sort_indices()
    return joint.astype(bool)


@njit(cache=True)
def _balls(
    indptr: NDArray[np.int32], indices: NDArray[np.int32], hops: int, out: NDArray[np.int32], fill: bool
) -> NDArray[np.int64]:
    """Breadth-first search from every node; the balls' row pointers, and (``fill``) their sorted members in ``out``."""
    n = indptr.size - 1
    seen = np.full(n, -1, np.int64)
    queue = np.empty(n, np.int32)
    pointer = np.zeros(n + 1, np.int64)
    for i in range(n):
        queue[0] = i
        seen[i] = i
        begin, end = 0, 1
        for _ in range(hops):
            last = end
            for k in range(begin, last):
                for e in range(indptr[queue[k]], indptr[queue[k] + 1]):
                    j = indices[e]
                    if seen[j] != i:
                        seen[j] = i
                        queue[end] = j
                        end += 1
            begin = last
            if end == last:  # the whole component has been reached
                break
        pointer[i + 1] = pointer[i] + end
        if fill:
            out[pointer[i] : pointer[i + 1]] = np.sort(queue[:end])
    return pointer


def hop_neighbourhoods(adjacency: sparse.csr_matrix, kappa: int) -> sparse.csr_matrix:
    """Closed balls N_i^kappa (arXiv 1912.02906, section 2.1) as the rows of a bool CSR matrix (n, n), indices sorted.

    A kappa beyond the diameter gives each agent its whole connected component: nothing is truncated then.
    """
    matrix = check_adjacency(adjacency)
    n = matrix.shape[0]
    hops = min(whole("kappa", kappa, 0), n)
    pointer = _balls(matrix.indptr, matrix.indices, hops, np.empty(0, np.int32), False)
    members = np.empty(pointer[-1], np.int32)
    _balls(matrix.indptr, matrix.indices, hops, members, True)
    return sparse.csr_matrix((np.ones(members.size, bool), members, pointer), shape=(n, n))


def padded(neighbourhoods: sparse.csr_matrix) -> NDArray[np.int32]:
    """Neighbour table (n, widest) int32 of CSR rows; places beyond an agent's own count hold n (a dummy row)."""
    sizes = np.diff(neighbourhoods.indptr)
    n = sizes.size
    table = np.full((n, int(sizes.max(initial=0))), n, np.int32)
    table[np.arange(table.shape[1]) < sizes[:, None]] = neighbourhoods.indices
    return table


def bipartite_table(
    graph: nx.Graph, users: Sequence[Hashable] | None = None
) -> tuple[list[Hashable], list[Hashable], NDArray[np.int32]]:
    """Users, places and the places of each user (n, widest; padded with the number of places) of a bipartite graph.

    Users are the nodes given, or those with node attribute ``bipartite=0`` (the convention of networkx).
    """
    nodes = check_topology(graph, what="user-access point graph")
    if users is None:
        unmarked = next((v for v in nodes if graph.nodes[v].get("bipartite") not in (0, 1)), None)
        if unmarked is not None:
            raise DataError(
                f"Node {unmarked!r} says neither bipartite=0 (a user) nor bipartite=1 (an access point); "
                "set the attribute on every node, or pass users=[...]."
            )
        users = [v for v in nodes if graph.nodes[v]["bipartite"] == 0]
    chosen = set(users)
    missing = next((u for u in users if u not in graph), None)
    if missing is not None:
        raise DataError(f"User {missing!r} is not a node of the graph.")
    if not users or len(chosen) != len(users):
        raise DataError("There must be at least one user, and each may be named once only.")
    places = [v for v in nodes if v not in chosen]
    wrong = next(((u, v) for u, v in graph.edges if (u in chosen) == (v in chosen)), None)
    if wrong is not None:
        raise DataError(f"Edge {wrong[0]!r} - {wrong[1]!r} does not join a user to an access point.")
    number = {v: k for k, v in enumerate(places)}
    rows = [sorted(number[v] for v in graph[u]) for u in users]
    alone = next((u for u, row in zip(users, rows, strict=True) if not row), None)
    if alone is not None:
        raise DataError(f"User {alone!r} reaches no access point and could only stay idle; remove it or connect it.")
    table = np.full((len(rows), max(map(len, rows))), len(places), np.int32)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return list(users), places, table
