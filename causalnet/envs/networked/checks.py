"""Checks of networks that several modules share: graphs, adjacencies, agents by number, codes, sizes, environments."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse

from ...base.arrays import Array, Ints
from ...base.checks import entries, instance, numbers, whole
from ...errors import DataError
from .protocols import AgentNetwork, CodedEnv, lacking

MOST_AGENTS = 10**7
MOST_COPIES = 10**8  # agents times environments: a few gigabytes


def networked(env: Any, kind: type = CodedEnv, what: str = "a networked environment", name: str = "env") -> Any:
    """``env`` as it is; DataError where it is not of the kind: a class of this package, or a Protocol, whose missing parts are named."""
    if isinstance(env, kind):
        return env
    told, absent = "", lacking(env, kind)
    if absent and len(absent) < len(lacking(object(), kind)):
        told = f": it lacks {', '.join(absent)}"
        if absent == ["n_states"]:
            told += " (states in codes); take NetworkedPPO for observations that are vectors, or encode them"
    raise DataError(f"{name} is {type(env).__name__}, and must be {what}, such as gsac_grid(3){told}")


def check_sizes(env: AgentNetwork, name: str = "env") -> Any:
    """``env`` as it is; DataError where its numbers do not fit: agents, actions, states, copies, and the adjacency of the agents."""
    n = whole(f"n_agents of {name}", env.n_agents, 1)
    for size in ("n_envs", "horizon"):
        if getattr(env, size) is not None:
            whole(f"{size} of {name}", getattr(env, size), 1)
    for kind in ("n_actions", "n_states"):
        if getattr(env, kind, lacking) is not lacking:
            count_each(f"{kind} of {name}", getattr(env, kind), n)
    rows = np.shape(env.adjacency)
    if rows != (n, n):
        raise DataError(
            f"the adjacency of {name} is {rows}, and there are {n} agents: give ({n}, {n}), a row and a column each"
        )
    return env


def count_each(what: str, given: Any, n: int) -> Ints:
    """(n,) int64: whole numbers from 1, one an agent."""
    try:
        counts = np.asarray(given)
    except ValueError:
        counts = np.empty(0)
    if counts.dtype.kind not in "iu" or counts.shape != (n,) or counts.min(initial=1) < 1:
        raise DataError(f"{what} is {given!r:.60}, and must be {n} whole numbers from 1 up, one an agent")
    return counts.astype(np.int64)


def count_agents(n_agents: int, n_envs: int | None = None) -> int:
    """The number of agents, or a sentence where memory would not hold them, or so many environments of them."""
    if n_agents > MOST_AGENTS:
        raise DataError(f"a network of {n_agents:,} agents is too large; it may have {MOST_AGENTS:,} at most")
    if n_agents * (n_envs or 1) > MOST_COPIES:
        raise DataError(
            f"n_envs is {n_envs:,}, and {n_agents:,} agents fit at most {MOST_COPIES // n_agents:,} times into a batch"
        )
    return n_agents


def check_topology(graph: nx.Graph, *, directed: bool | None = False, what: str = "network") -> list[Hashable]:
    """The nodes of ``graph`` in its own order, or a sentence about what the environment could not honour.

    Accepted: disconnected graphs (the parts never meet) and isolated nodes (agents on their own). Refused: no nodes, the
    wrong direction (directed None: either will do), parallel edges, self-loops, and edge weights other than 1.
    """
    instance(f"the {what}", graph, nx.Graph, "a networkx graph")
    if graph.number_of_nodes() == 0:
        raise DataError(f"the {what} has no nodes; there must be at least one agent")
    if graph.is_multigraph():
        raise DataError(f"the {what} may have parallel edges; pass nx.Graph(graph) (or nx.DiGraph(graph)) instead")
    if graph.is_directed() and directed is False:
        raise DataError(f"the {what} is directed, but influence runs both ways here; pass graph.to_undirected()")
    if directed and not graph.is_directed():
        raise DataError(f"the {what} must be directed (an nx.DiGraph whose edge i -> j leads from i to j)")
    loop = next(nx.selfloop_edges(graph), None)
    if loop is not None:
        raise DataError(f"node {loop[0]!r} of the {what} has an edge to itself; remove it")
    for u, v, weight in graph.edges(data="weight"):
        if weight is not None and weight != 1:
            raise DataError(
                f"edge {u!r} - {v!r} of the {what} has weight {weight!r}, which this environment would not use; "
                "remove the weights, or pass what they mean as a parameter of the environment"
            )
    return list(graph.nodes)


def check_adjacency(adjacency: Any, *, symmetric: bool = False) -> sparse.csr_matrix:
    """An adjacency of 0 and 1 as a canonical CSR matrix of bools, or a sentence: square, no diagonal, symmetric where asked."""
    try:
        given = sparse.csr_matrix(adjacency)
    except (TypeError, ValueError):
        raise DataError(f"an adjacency is a matrix of 0 and 1, sparse or not, and this is {adjacency!r:.60}") from None
    odd = np.flatnonzero((given.data != 0) & (given.data != 1))
    if odd.size:
        row, column = np.searchsorted(given.indptr, odd[0], side="right") - 1, given.indices[odd[0]]
        raise DataError(
            f"entry ({row}, {column}) of the adjacency is {given.data[odd[0]]}; weights mean nothing here: pass A != 0, and "
            "what they mean as a parameter of the environment"
        )
    matrix = sparse.csr_matrix(given, dtype=bool, copy=True)  # what follows works in place
    if matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"an adjacency is square, an agent a row and a column; this one is {matrix.shape}")
    matrix.eliminate_zeros()
    matrix.sum_duplicates()
    if matrix.diagonal().any():
        raise DataError(f"agent {int(np.flatnonzero(matrix.diagonal())[0])} is its own neighbour; clear the diagonal")
    different = (matrix != matrix.T).tocoo() if symmetric else None
    if different is not None and different.nnz:
        raise DataError(
            f"agents {different.row[0]} and {different.col[0]} are neighbours in one direction only; "
            "make the adjacency symmetric, for instance (A + A.T) > 0"
        )
    return matrix


def agent_rows(name: str, given: Any, n: int, most: int | None = None) -> tuple[tuple[int, ...], ...]:
    """A row of distinct agents, numbered from 0 (to ``most``), for each of ``n`` agents."""
    rows = [entries(f"{name}[{i}]", row, "agents") for i, row in enumerate(entries(name, given, "rows", n))]
    found = []
    for i, row in enumerate(rows):
        what = f"an agent in {name}[{i}]"
        found.append(tuple(whole(what, j, 0, most) for j in row))
        if len(set(found[i])) < len(row):
            raise DataError(f"{name}[{i}] names an agent twice: {found[i]}")
    return tuple(found)


def frozen(name: str, table: Any) -> Array:
    """A read-only float64 copy of a table of finite numbers."""
    array = numbers(name, table)
    array.setflags(write=False)
    return array


def check_codes(
    what: str, codes: Any, limits: Ints, shape: tuple[int, ...] | None = None, names: Sequence[str] = ()
) -> Ints:
    """Codes below their limits as int64: of the shape, or (..., *limits.shape) where none is given.

    limits (n,): of state or action codes, one an agent; (n, c): of the components called ``names``, where bits may be bools.
    """
    try:
        codes = np.asarray(codes)
    except ValueError:
        raise DataError(f"{what}s are an array; these rows have different lengths") from None
    fits = codes.shape[-limits.ndim :] == limits.shape if shape is None else codes.shape == shape
    if codes.dtype.kind not in ("iub" if names else "iu") or not fits:
        want = shape or f"(..., {', '.join(map(str, limits.shape))})"
        raise DataError(
            f"{what}s are whole numbers of shape {want}, {', '.join(names) or 'one'} an agent; "
            f"this array is {codes.dtype} of shape {codes.shape}"
        )
    codes = np.ascontiguousarray(codes, np.int64)
    if (codes < 0).any() or (codes >= limits).any():
        at = tuple(np.argwhere((codes < 0) | (codes >= limits))[0])
        agent, *part = at[-limits.ndim :]
        name, most = f"{what} {names[part[0]]!r}" if part else what, limits[(agent, *part)]
        raise DataError(f"{name} of agent {agent} is {codes[at]}, and it has {most}: 0 to {most - 1}")
    return codes
