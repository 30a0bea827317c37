"""What a tabular network must satisfy: tables of the right shapes, parents within reach, rows that are laws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..base.arrays import Array
from ..base.checks import entries
from ..errors import DataError, NotApplicable
from ._network import check_topology

if TYPE_CHECKING:
    from .tabular import TabularNetwork

Parents = Sequence[Sequence[int]]
_LARGEST = 1 << 27  # numbers in one table of a random network: a gigabyte
_ROW = 1e-9  # how far a row of probabilities may sum from one


def closed_neighbourhoods(graph: nx.Graph) -> list[list[int]]:
    """N_i of each agent, sorted: itself and the agents it is joined to, numbered in the order of the nodes."""
    index = {node: i for i, node in enumerate(check_topology(graph))}
    return [sorted({i, *(index[v] for v in graph[u])}) for i, u in enumerate(graph)]


def parents(name: str, given: Any, near: Parents) -> tuple[tuple[int, ...], ...]:
    """The parents of each agent, distinct and within its closed neighbourhood ``near[i]``."""
    rows = [entries(f"{name}[{i}]", row, "agents") for i, row in enumerate(entries(name, given, "rows", len(near)))]
    for i, row in enumerate(rows):
        far = [j for j in row if j not in near[i]]
        if far:
            raise DataError(
                f"{name}[{i}] holds agent {far[0]}, which is not {i} or joined to it; add the edge or drop it"
            )
        if len(set(row)) != len(row):
            raise DataError(f"{name}[{i}] names an agent twice: {tuple(row)}")
    return tuple(tuple(int(j) for j in row) for row in rows)


def frozen(name: str, i: int, table: Any) -> Array:
    """A read-only float64 copy of a table of finite numbers."""
    try:
        table = np.array(table, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise DataError(f"{name}[{i}] is no array of numbers") from None
    if not np.isfinite(table).all():
        raise DataError(f"{name}[{i}] holds a value that is not a finite number")
    table.setflags(write=False)
    return table


def count_actions(model: TabularNetwork, n: int) -> NDArray[np.int64]:
    """(n,): what the caller says, or the longest axis that any table gives the actions of an agent."""
    if model.n_actions is not None:
        given = np.asarray(model.n_actions)
        if given.dtype.kind not in "iu" or given.shape not in {(), (n,)} or given.min() < 1:
            raise DataError(
                f"n_actions takes a whole number from 1 up, or one for each of {n} agents; got {model.n_actions!r}"
            )
        return np.broadcast_to(given, (n,))
    count = np.ones(n, dtype=np.int64)
    for i in range(n):
        for _, table, states, actions in model.local_tables(i):
            for axis, j in enumerate(actions, start=len(states)):
                if axis < table.ndim:
                    count[j] = max(count[j], table.shape[axis])
    return count


def check_tables(model: TabularNetwork) -> None:
    """Refuse tables whose axes do not fit the parents, and kernels with a row that is no law."""
    for i in range(model.n_agents):
        for name, table, states, actions in model.local_tables(i):
            last = [i] * (name == "kernels")
            want = tuple(model.n_states[[*states]].tolist() + model.n_actions[[*actions]].tolist())
            want += tuple(model.n_states[last].tolist())
            if table.shape != want:
                raise DataError(
                    f"{name}[{i}] has shape {table.shape}, and should have {want}: states of {states}, "
                    f"actions of {actions}" + f", then the next state of {i}" * len(last)
                )
        kernel = model.kernels[i]
        off = np.argwhere((kernel.min(-1) < 0) | (np.abs(kernel.sum(-1) - 1) > _ROW))
        if len(off):
            row = tuple(int(k) for k in off[0])
            raise DataError(
                f"kernels[{i}]{list(row)} sums to {kernel[row].sum():.6g} (least entry {kernel[row].min():.3g}); every row is a "
                f"law of the next state: no entry below 0, sum 1"
            )


def law(i: int, p: Any, size: int) -> Array:
    """initial[i], a law over ``size`` states."""
    p = frozen("initial", i, p)
    if p.shape != (size,) or p.min() < 0 or abs(p.sum() - 1) > _ROW:
        raise DataError(f"initial[{i}] must be {size} probabilities that sum to 1, and is {p.tolist()}")
    return p


def refuse_large(near: Parents, wide: Parents, n_states: int, n_actions: int) -> None:
    """Refuse a random network whose largest table no memory holds, before any is made."""
    i = max(range(len(near)), key=lambda k: len(near[k]))
    size = n_states ** (len(near[i]) + 1) * n_actions ** len(wide[i])
    if size > _LARGEST:
        raise NotApplicable(
            f"the kernel of agent {i}, which has {len(near[i]) - 1} neighbours, would hold about 10^{math.log10(size):.0f} numbers, more "
            f"than {_LARGEST:,}; take a graph of smaller degree, or fewer states" + " or actions" * (len(wide[i]) > 1)
        )
