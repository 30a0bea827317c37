"""Which actions may act on a root cause of the present state: the mask M_s(G) of arXiv 2402.04869, section 4.1."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arrays import Array, Bools
from ..base.checks import array_of, distinct, function, number, one_of, whole
from ..data.sealed import freeze
from ..envs.masks import as_mask
from ..errors import DataError
from ..graph import Graph
from ..graph.confidence import Confidence
from ..graph.order import causal_order
from ..graph.posterior import GraphPosterior, as_posterior

Read = Callable[[Any], Any]
Doubtful = Graph | Confidence | GraphPosterior | Sequence[Graph] | None
COST = 2.0  # of leaving the right action out: see RootCauseMask
EMPTY = ("present", "all", "raise")
REMEMBERED = 1 << 16  # presence patterns whose kept variables are remembered


class RootCauseMask:
    """Keep the actions on the K earliest causes among the variables that are present (Def. 4.1, Eq. 4).

    M_s(G)_a = 1 iff the variable of action a is in TopK of the causal order of G without {S_i : s_i = 0},
    and the action's own cell is present where ``cells`` tells.

    graph: over the V ``variables`` (same names, any order), acyclic or not; None keeps every present variable. A
        Confidence, a GraphPosterior or a list of graphs is a graph with its doubt (:func:`causalnet.graph.posterior.as_posterior`).
    k: "roots" keeps what may be a root: of the present variables S every i with P_root(i | S) >= 1 / (1 + cost), and
        the most probable one always. P_root is the share of the graphs in which no other member of S is an ancestor of
        i; a graph that is given as certain keeps those without a present ancestor. A number keeps so many, earliest
        first, which needs the whole order to be right: a missing edge is enough to forbid the root.
    cost: of leaving the right action out, in units of what a wrong action costs: i stays iff P_root * cost >= 1 - P_root.
        0 keeps the most probable alone; the greater, the nearer to presence. Under uniform play on services (12, 24, a tree, denser
        ones) 2 gained more than 4 from 250 to 2,000 interactions, by 3 to 13 % of the return at 500, and lost no more at 100.
    variables: V names. action_variables: (A,) ints, the variable that each action acts on; -1 for an action on none
        (such as doing nothing), which the graph never forbids.
    present: observation -> (V,) bool; None derives it: a variable is present iff a cell of one of its actions is.
    cells: observation -> (A,) bool, the actions that have something to act on; None allows every action of a variable.
    empty: the rule for a state in which nothing is allowed: "present" falls back to the present actions, and to all
        actions where none is present; "all" allows every action; "raise" is an error. ``n_empty`` counts such states.
    """

    def __init__(
        self,
        graph: Doubtful,
        k: int | Literal["roots"] = "roots",
        *,
        variables: Sequence[str],
        action_variables: ArrayLike,
        present: Read | None = None,
        cells: Read | None = None,
        empty: Literal["present", "all", "raise"] = "present",
        cost: float = COST,
    ) -> None:
        self.cost = number("cost", cost, 0.0)
        for name, value in (("present", present), ("cells", cells)):
            function(name, value, "observation", "bools")
        self.variables = distinct("variables", variables)
        self.action_variables = _action_variables(action_variables, self.variables)
        self.k: Any = (
            k if isinstance(k, str) and k == "roots" else whole('k counts the variables kept (or is "roots"): it', k, 1)
        )
        if present is None and cells is None:
            raise DataError(
                "the mask cannot tell which variables are present: give present=, a function from an observation to "
                "(V,) bools, or cells=, one to (A,) bools"
            )
        self.empty = one_of("empty", empty, EMPTY)
        self.n_empty = 0
        self.cycle: tuple[str, ...] | None = None
        self._present, self._cells = present, cells
        self.update(graph)

    # ---- the graph ----------------------------------------------------------------------------------------

    def update(self, graph: Doubtful) -> None:
        """Use another graph, or other doubt, over the same variables from the next observation on.

        Of a cycle of edges that are more probable than not a warning tells: its present members are not set before
        each other, so all of them stay.
        """
        self._memo: dict[bytes, Bools] = {}
        self.posterior = None if graph is None else as_posterior(graph).align(self.variables)
        self.graph: Graph | None = None
        if graph is None or self.posterior is None:
            return
        self.graph = graph.align(self.variables) if isinstance(graph, Graph) else self.posterior.graph()
        # (V, V) size of each directed effect: |weight|, or 1 in a graph without weights
        size = 1.0 if self.graph.weight is None else np.abs(self.graph.weight)
        self._push: Array = np.where(self.graph.directed, size, 0.0)
        cycle = self.posterior.cycle if self.k == "roots" else None
        if cycle is not None and cycle != self.cycle:
            warnings.warn(
                f"the graph has the cycle {' -> '.join((*cycle, cycle[0]))}: where all of it is present, none of its "
                "members is set before the others, and the mask keeps them all",
                UserWarning,
                stacklevel=2,
            )
        self.cycle = cycle

    def order(self, present: ArrayLike) -> list[int]:
        """Indices of the present variables, causes first, as ``causal_order`` has it; ``present`` is (V,) bool.

        The graph is G without the absent variables (Def. 4.1). Undirected edges say nothing about order. The size of
        an effect is its |weight|, or 1 in a graph without weights.
        """
        return list(self._ordered(as_mask(array_of("present", present), len(self.variables), "present")))

    def kept(self, present: ArrayLike) -> Bools:
        """(V,) bool: the present variables whose actions are allowed; ``present`` is (V,) bool."""
        here = as_mask(array_of("present", present), len(self.variables), "present")
        return self._kept(here.tobytes())[:-1].copy()

    def _chosen(self, here: Bools) -> Bools:
        if self.graph is None or (self.k != "roots" and self.k >= len(here)):
            return here.copy()
        if self.k == "roots":
            assert self.posterior is not None
            p = self.posterior.root_probability(here)
            return here & ((p >= 1.0 / (1.0 + self.cost)) | (p == p.max()))
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

    def present(self, obs: Any) -> Bools:
        """(V,) bool: the variables that are present in one observation."""
        return self._look(obs)[0].copy()

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
            keep = self._memo[pattern] = np.append(self._chosen(np.frombuffer(pattern, dtype=bool)), True)
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


def _action_variables(given: ArrayLike, variables: tuple[str, ...]) -> NDArray[np.intp]:
    array = array_of("action_variables", given)
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
