"""Topology of a networked system: who is within kappa hops of whom, who shares a place, sparse neighbourhoods.

Influence may run one way: [i, j] of an adjacency says that agent i influences agent j within one step. N_i^kappa holds those who
influence agent i within kappa steps, what its critic and policy look at; those whom it influences are the other way round.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numba import njit
from scipy import sparse

from ...base.arrays import Codes, Ints
from ...base.checks import whole
from ...errors import DataError
from .checks import check_adjacency, check_topology


class Rows(NamedTuple):
    """Agents by rows, as compiled loops read them: row i holds indices[indptr[i] : indptr[i + 1]], sorted."""

    indptr: Ints
    indices: Codes


class Neighbourhoods(NamedTuple):
    """near: row i is N_i^kappa, those who influence agent i within kappa steps. reached: row i holds those j with i in N_j^kappa.

    Where influence runs both ways the two are one.
    """

    near: Rows
    reached: Rows


def closed_neighbourhoods(graph: nx.Graph) -> list[list[int]]:
    """N_i of each agent, sorted: itself and those joined to it (directed: with an edge to it), numbered in the order of the nodes."""
    index = {node: i for i, node in enumerate(check_topology(graph, directed=None))}
    before = graph.pred if graph.is_directed() else graph.adj
    return [sorted({i, *(index[v] for v in before[u])}) for i, u in enumerate(graph)]


def adjacency_of(graph: nx.Graph, *, directed: bool | None = None) -> sparse.csr_matrix:
    """Adjacency (n, n) bool of a graph, rows in the order of its nodes; an edge i -> j of a directed one is [i, j]."""
    check_topology(graph, directed=directed)
    return check_adjacency(nx.to_scipy_sparse_array(graph, dtype=bool, weight=None, format="csr"))


def graph_of(adjacency: sparse.csr_matrix) -> nx.Graph:
    """Agents 0 .. n - 1, joined where one influences the other; a DiGraph where influence runs one way anywhere."""
    one_way = (adjacency != adjacency.T).nnz > 0
    graph = nx.empty_graph(adjacency.shape[0], create_using=nx.DiGraph if one_way else nx.Graph)
    graph.add_edges_from(np.column_stack(adjacency.nonzero()).tolist())
    return graph


def influencers(adjacency: Any) -> sparse.csr_matrix:
    """(n, n) bool CSR: row i holds those who influence agent i within one step, without itself, sorted."""
    turned = sparse.csr_matrix(sparse.csr_matrix(adjacency, dtype=bool).T)
    turned.sort_indices()
    return turned


def sharing(members: Codes, n_places: int) -> sparse.csr_matrix:
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
def _balls(indptr: Codes, indices: Codes, hops: int, out: Codes, fill: bool) -> Ints:
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

    Row i holds agent i and those with a path of at most kappa steps to it. A kappa beyond the diameter gives each agent all who
    can ever matter to it: nothing is truncated then.
    """
    matrix = influencers(check_adjacency(adjacency))
    n = matrix.shape[0]
    hops = min(whole("kappa", kappa, 0), n)
    pointer = _balls(matrix.indptr, matrix.indices, hops, np.empty(0, np.int32), False)
    members = np.empty(pointer[-1], np.int32)
    _balls(matrix.indptr, matrix.indices, hops, members, True)
    return sparse.csr_matrix((np.ones(members.size, bool), members, pointer), shape=(n, n))


def rows_of(matrix: sparse.csr_matrix) -> Rows:
    """The rows of a bool CSR matrix with sorted indices."""
    return Rows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))


def surround(adjacency: Any, kappa: int) -> Neighbourhoods:
    """Whom each agent looks at, and who looks at it, within kappa hops: memory in proportion to the pairs, hubs or not."""
    balls = hop_neighbourhoods(adjacency, kappa)
    turned = influencers(balls)
    near = rows_of(balls)
    alike = np.array_equal(balls.indptr, turned.indptr) and np.array_equal(balls.indices, turned.indices)
    return Neighbourhoods(near, near if alike else rows_of(turned))


def padded(neighbourhoods: sparse.csr_matrix) -> Codes:
    """Neighbour table (n, widest) int32 of CSR rows; places beyond an agent's own count hold n (a dummy row)."""
    sizes = np.diff(neighbourhoods.indptr)
    n = sizes.size
    table = np.full((n, int(sizes.max(initial=0))), n, np.int32)
    table[np.arange(table.shape[1]) < sizes[:, None]] = neighbourhoods.indices
    return table


def bipartite_table(
    graph: nx.Graph, users: Sequence[Hashable] | None = None
) -> tuple[list[Hashable], list[Hashable], Codes]:
    """Users, places and the places of each user (n, widest; padded with the number of places) of a bipartite graph.

    Users are the nodes given, or those with node attribute ``bipartite=0`` (the convention of networkx).
    """
    nodes = check_topology(graph, what="user-access point graph")
    if users is None:
        for v in nodes:
            if graph.nodes[v].get("bipartite") not in (0, 1):
                raise DataError(
                    f"node {v!r} says neither bipartite=0 (a user) nor bipartite=1 (an access point); "
                    "set the attribute on every node, or pass users=[...]"
                )
        users = [v for v in nodes if graph.nodes[v]["bipartite"] == 0]
    users = list(users)
    if not all(isinstance(u, Hashable) for u in users):
        raise DataError("users is a list of nodes of the graph")
    chosen = set(users)
    for u in users:
        if u not in graph:
            raise DataError(f"user {u!r} is not a node of the graph")
    if not users or len(chosen) != len(users):
        raise DataError("there must be at least one user, and each may be named once only")
    for u, v in graph.edges:
        if (u in chosen) == (v in chosen):
            raise DataError(f"edge {u!r} - {v!r} does not join a user to an access point")
    places = [v for v in nodes if v not in chosen]
    number = {v: k for k, v in enumerate(places)}
    table = np.full((len(users), max(len(graph[u]) for u in users)), len(places), np.int32)
    for i, u in enumerate(users):
        if not graph[u]:
            raise DataError(f"user {u!r} reaches no access point and could only stay idle; remove it or connect it")
        table[i, : len(graph[u])] = sorted(number[v] for v in graph[u])
    return list(users), places, table
