"""Which actions may act on a root cause of the present state: the mask M_s(G) of arXiv 2402.04869, section 4.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arrays import Array, Bools
from ..base.checks import distinct, function, instance, one_of, whole
from ..data.sealed import freeze
from ..envs.masks import as_mask
from ..errors import DataError, UnknownNameError
from ..graph import Graph
from ..graph.order import ancestry, causal_order

Read = Callable[[Any], Any]
EMPTY = ("present", "all", "raise")
REMEMBERED = 1 << 16  # presence patterns whose kept variables are remembered


class RootCauseMask:
    """Keep the actions on the K earliest causes among the variables that are present (Def. 4.1, Eq. 4).

    M_s(G)_a = 1 iff the variable of action a is in TopK of the causal order of G without {S_i : s_i = 0},
    and the action's own cell is present where ``cells`` tells.

    graph: over the V ``variables`` (same names, any order), acyclic or not; None keeps every present variable.
    k: how many variables to keep; or "roots", every present variable without a present ancestor (those that have an
        equal claim to be the root). k >= V is the presence mask. More than one costs time when the graph is right.
    variables: V names. action_variables: (A,) ints, the variable that each action acts on; -1 for an action on none
        (such as doing nothing), which the graph never forbids.
    present: observation -> (V,) bool; None derives it: a variable is present iff a cell of one of its actions is.
    cells: observation -> (A,) bool, the actions that have something to act on; None allows every action of a variable.
    empty: the rule for a state in which nothing is allowed: "present" falls back to the present actions, and to all
        actions where none is present; "all" allows every action; "raise" is an error. ``n_empty`` counts such states.
    """

    def __init__(
        self,
        graph: Graph | None,
        k: int | Literal["roots"] = 1,
        *,
        variables: Sequence[str],
        action_variables: ArrayLike,
        present: Read | None = None,
        cells: Read | None = None,
        empty: Literal["present", "all", "raise"] = "present",
    ) -> None:
        for name, value in (("present", present), ("cells", cells)):
            function(name, value, "a function from an observation to bools, or None")
        self.variables = distinct("variables", variables)
        self.action_variables = _action_variables(action_variables, self.variables)
        self.k: Any = k if k == "roots" else whole('k counts the variables kept (or is "roots"): it', k, 1)
        if present is None and cells is None:
            raise DataError(
                "the mask cannot tell which variables are present: give present=, a function from an observation to "
                "(V,) bools, or cells=, one to (A,) bools"
            )
        self.empty = one_of("empty", empty, EMPTY)
        self.n_empty = 0
        self._present, self._cells = present, cells
        self.update(graph)

    # ---- the graph ----------------------------------------------------------------------------------------

    def update(self, graph: Graph | None) -> None:
        """Use another graph over the same variables from the next observation on."""
        self._memo: dict[bytes, Bools] = {}
        self.graph = None if graph is None else _aligned(graph, self.variables)
        if self.graph is not None:  # (V, V) size of each directed effect: |weight|, or 1 in a graph without weights
            size = 1.0 if self.graph.weight is None else np.abs(self.graph.weight)
            self._push: Array = np.where(self.graph.directed, size, 0.0)

    def order(self, present: ArrayLike) -> list[int]:
        """Indices of the present variables, causes first, as ``causal_order`` has it; ``present`` is (V,) bool.

        The graph is G without the absent variables (Def. 4.1). Undirected edges say nothing about order. The size of
        an effect is its |weight|, or 1 in a graph without weights.
        """
        return list(self._ordered(as_mask(np.asarray(present), len(self.variables), "present")))

    def kept(self, present: ArrayLike) -> Bools:
        """(V,) bool: the present variables whose actions are allowed; ``present`` is (V,) bool."""
        here = as_mask(np.asarray(present), len(self.variables), "present")
        if self.graph is None or (self.k != "roots" and self.k >= len(here)):
            return here.copy()
        if self.k == "roots":
            reach = ancestry(self.graph.directed & here & here[:, None])
            return here & ~(reach & ~reach.T).any(axis=0)  # those on a common cycle are not before each other
        return np.isin(np.arange(len(here)), list(islice(self._ordered(here), self.k)))

    def _ordered(self, here: Bools) -> Iterator[int]:
        index = np.flatnonzero(here)
        if self.graph is None:
            return iter(index.tolist())
        block = np.ix_(index, index)
        return (int(index[i]) for i in causal_order(self.graph.directed[block], self._push[block]))

    # ---- masks --------------------------------------------------------------------------------------------

    def __call__(self, obs: Any, info: Any = None, env: Any = None) -> Bools:
        """(A,) bool, never all False: the allowed actions in one observation; info and env are not used."""
        mask = self.allowed(obs)
        if mask.any():
            return mask
        self.n_empty += 1
        return instead(self.empty, self.presence(obs))

    def allowed(self, obs: Any) -> Bools:
        """(A,) bool: the allowed actions before the rule for empty masks, so possibly none."""
        here, cells = self._look(obs)
        mask = self._kept(here.tobytes())[self.action_variables]
        return mask if cells is None else mask & cells

    def presence(self, obs: Any) -> Bools:
        """(A,) bool: the actions that have something present to act on, whatever the graph says."""
        here, cells = self._look(obs)
        return np.append(here, True)[self.action_variables] if cells is None else cells.copy()

    def _kept(self, pattern: bytes) -> Bools:
        """(V + 1,) bool for a presence pattern; the last one stands for actions on no variable."""
        keep = self._memo.get(pattern)
        if keep is None:
            if len(self._memo) >= REMEMBERED:
                self._memo.clear()
            keep = self._memo[pattern] = np.append(self.kept(np.frombuffer(pattern, dtype=bool)), True)
        return keep

    # ---- reading observations -----------------------------------------------------------------------------

    def _look(self, obs: Any) -> tuple[Bools, Bools | None]:
        """(V,) presence of variables and (A,) presence of cells, or None where the latter is not told."""
        _refuse_nan(obs)
        cells = None if self._cells is None else as_mask(self._cells(obs), len(self.action_variables), "cells(obs)")
        if self._present is not None:
            return as_mask(self._present(obs), len(self.variables), "present(obs)"), cells
        here = np.zeros(len(self.variables) + 1, dtype=bool)
        here[self.action_variables[cells]] = True
        return here[:-1], cells


def instead(rule: str, presence: Bools) -> Bools:
    """What stands in for a mask that allows nothing: present actions, all actions, or an error."""
    if rule == "raise":
        raise DataError('the mask allows no action in this state; write empty="present" or empty="all" to allow some')
    if rule == "all" or not presence.any():
        return np.ones(len(presence), dtype=bool)
    return presence.copy()


def _aligned(graph: Graph, variables: tuple[str, ...]) -> Graph:
    instance("graph", graph, Graph, "a causalnet Graph, or None for presence alone")
    if graph.nodes == variables:
        return graph
    missing, extra = sorted(set(variables) - set(graph.nodes)), sorted(set(graph.nodes) - set(variables))
    if missing or extra:
        lacks, more = (", ".join([*names[:5], *["..."] * (len(names) > 5)]) or "none" for names in (missing, extra))
        raise UnknownNameError(
            f"the graph's nodes are not the environment's variables: it lacks {lacks}, and has {more} besides. "
            "Rename the nodes, or give a graph over exactly these variables"
        )
    return graph.align(variables)


def _action_variables(given: ArrayLike, variables: tuple[str, ...]) -> NDArray[np.intp]:
    array = np.asarray(given)
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise DataError(
            f"action_variables lists for every action the index of its variable, as (A,) ints; got {array.dtype} "
            f"of shape {array.shape}"
        )
    outside = np.flatnonzero((array < -1) | (array >= len(variables)))
    if outside.size:
        a = int(outside[0])
        raise DataError(
            f"action_variables[{a}] is {array[a]}, and the {len(variables)} variables are 0 to {len(variables) - 1} (-1 is none)"
        )
    return freeze(array.astype(np.intp))


def _refuse_nan(obs: Any) -> None:
    if isinstance(obs, np.ndarray) and obs.dtype.kind == "f" and obs.size and np.isnan(obs.min()):
        where = np.argwhere(np.isnan(obs))[0]
        raise DataError(f"the observation holds NaN at entry {', '.join(map(str, where))}; what is absent is 0")
