"""A graph with numbers: every variable's mechanism fitted to rows, so that the model samples, answers do(), and is planned in.

P(x | do(x_A = a)) = prod_{j not in A} P(x_j | x_pa(j)) at x_A = a        (truncated factorisation: Pearl, 2009, 1.37)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ..base.arrays import Array, Ints
from ..base.asked import asks
from ..base.checks import generator, instance, known, number, whole
from ..data.tables import Levels, Table, as_table
from ..envs import TabularNetwork
from ..errors import DataError, NotApplicable
from ..graph.adjustment_sets import class_of, member
from ..graph.graph import Graph
from ..graph.order import topological_order
from .mechanisms import CELLS, Laws, Mechanism, complete, fit_mechanism

LEAST = 10  # rows that a mechanism is fitted to


@dataclass(frozen=True, eq=False, repr=False)
class FittedModel:
    """A DAG and the mechanism of each of its variables; ``graph.fit(data)`` makes one.

    graph: a DAG. levels: of each variable its categories, None for a number. mechanisms: of each variable. rows: (d,) rows
    that each was fitted to.
    """

    graph: Graph
    levels: Levels
    mechanisms: tuple[Mechanism, ...]
    rows: Ints

    @asks()
    def sample(
        self, n: int, *, do: Mapping[str, Any] | None = None, seed: int | np.random.Generator = 0
    ) -> pd.DataFrame:
        """n rows, categories by their labels. do: {variable: value}, a number, a category, or n of them: these are set,
        whatever their parents are."""
        values = self._draw(whole("n", n, 1), do, generator("seed", seed))
        named = {
            name: column if level is None else np.array(level, dtype=object)[column.astype(np.int64)]
            for name, column, level in zip(self.graph.nodes, values.T, self.levels, strict=True)
        }
        return pd.DataFrame(named)

    @asks()
    def mean(
        self,
        outcome: str,
        *,
        do: Mapping[str, Any] | None = None,
        state: Any = None,
        n: int = 100_000,
        seed: int | np.random.Generator = 0,
    ) -> float:
        """E[outcome | do], over n draws; of a category the probability of ``state``. The standard error is the deviation
        of the outcome over sqrt(n); the same seed gives the same draws for every ``do``, so that differences have less."""
        j = self._place(outcome)
        column = self._draw(whole("n", n, 1), do, generator("seed", seed))[:, j]
        level = self.levels[j]
        if level is None:
            if state is not None:
                raise DataError(f"{outcome!r} is a number and has no state {state!r}; leave state out")
            return float(column.mean())
        if state is None:
            raise DataError(f"{outcome!r} is a category: state= says whose probability is meant, one of {_few(level)}")
        return float((column == self._code(j, state)).mean())

    def to_network(
        self,
        reward: Mapping[str, Mapping[Any, float]],
        *,
        cost: float | Mapping[str, float] = 0.0,
        gamma: float = 0.9,
    ) -> TabularNetwork:
        """The model as an environment to plan in, every variable an agent that is a category: at each step it is drawn
        from the law of its parents' states one step before, or set by its action (0: left alone, 1 + k: set to state k).

        reward: {variable: {state: worth a step}}. cost: of setting, one number or {variable: number}. After as many steps
        as the longest path an intervention kept up has the effect that ``mean(do=)`` tells. NotApplicable where a variable
        is a number, or where a law has more numbers than a table holds.
        """
        names, adj = self.graph.nodes, self.graph.adj
        worth = instance(
            "reward", reward, Mapping, "a dict of variables, each with a dict of what its states are worth"
        )
        for name in worth:
            self._place(name)
        price = cost if isinstance(cost, Mapping) else dict.fromkeys(names, cost)
        kernels, rewards, reach = [], [], []
        for j, name in enumerate(names):
            law = self.mechanisms[j]
            if not isinstance(law, Laws):
                raise NotApplicable(
                    f"{name!r} has no table of laws: bin the numbers of the table, or drop parents of it"
                )
            kernels.append(self._kernel(j, law))
            reach.append(np.flatnonzero(adj[:, j]).tolist())
            own = worth.get(name, {})
            for state in own:
                self._code(j, state)
            level = self.levels[j] or ()
            earned = np.array([number(f"reward[{name!r}]", own.get(state, 0.0)) for state in level])
            paid = np.zeros(len(level) + 1)
            paid[1:] = number(f"cost of {name!r}", price.get(name, 0.0), 0.0)
            rewards.append(earned[:, None] - paid)
        joined = nx.Graph()
        joined.add_nodes_from(names)
        joined.add_edges_from(self.graph.edges)
        return TabularNetwork(joined, kernels, rewards, gamma, state_parents=reach)

    def _kernel(self, j: int, law: Laws) -> Array:
        """(s of each parent..., action of j, s_j')."""
        states = law.table.shape[1]
        if law.table.size * (states + 1) > CELLS:
            raise NotApplicable(
                f"the law of {self.graph.nodes[j]!r} has too many numbers; merge states, or drop parents of it"
            )
        left = law.table.reshape(*law.sizes, 1, states)
        left = left / left.sum(axis=-1, keepdims=True)
        acted = np.broadcast_to(np.eye(states), (*law.sizes, states, states))
        return np.concatenate([left, acted], axis=-2)

    def _draw(self, n: int, do: Mapping[str, Any] | None, rng: np.random.Generator) -> Array:
        """(n, d) values, codes of categories. Every variable has a stream of its own, so that what is set moves no other's."""
        set_to = {self._place(name): self._setting(name, value, n) for name, value in (do or {}).items()}
        streams = rng.spawn(self.graph.d)
        values = np.zeros((n, self.graph.d))
        for j in topological_order(self.graph.adj) or []:
            given = values[:, np.flatnonzero(self.graph.adj[:, j])]
            values[:, j] = set_to[j] if j in set_to else self.mechanisms[j].draw(given, streams[j])
        return values

    def _place(self, name: str) -> int:
        known(name, self.graph.nodes, f"the model has no variable {name!r}")
        return self.graph.nodes.index(name)

    def _setting(self, name: str, value: Any, n: int) -> Array:
        """(n,) what a variable is set to."""
        j = self._place(name)
        several = list(value) if isinstance(value, list | tuple | np.ndarray | pd.Series) else [value] * n
        if len(several) != n:
            raise DataError(f"do sets {name!r} to {len(several)} values; give one, or one for each of the {n} rows")
        if self.levels[j] is not None:
            codes = {v: self._code(j, v) for v in dict.fromkeys(several)}
            return np.array([codes[v] for v in several], dtype=float)
        return np.array([number(f"do[{name!r}]", v) for v in several])

    def _code(self, j: int, state: Any) -> int:
        level = self.levels[j] or ()
        if not isinstance(state, Hashable) or state not in level:
            raise DataError(f"{self.graph.nodes[j]!r} has no state {state!r}; it has {_few(level)}")
        return level.index(state)

    def __repr__(self) -> str:
        return f"FittedModel({self.graph.d} variables, {len(self.graph.edges)} edges, {int(self.rows.min())} rows and more)"


def _few(level: tuple[Any, ...]) -> str:
    return ", ".join(repr(v) for v in level[:5]) + (f" and {len(level) - 5} more" if len(level) > 5 else "")


def fit_model(graph: Graph, data: Any) -> FittedModel:
    """Fit the mechanism of every variable of a DAG to a table, or to what ``as_table`` takes.

    A class of DAGs is fitted as one of its DAGs, ``model.graph``: effects that the class does not identify are that DAG's.
    A mechanism is fitted to the rows that have the variable and its parents, and in which the variable was not acted on
    (regimes). PAGs, cyclic graphs, variables that are no column, and mechanisms with fewer than 10 rows are refused.
    """
    chosen = member(class_of(graph))
    table = instance("data", data if isinstance(data, Table) else as_table(data), Table, "a table whose rows are kept")
    for name in graph.nodes:
        known(name, table.columns, f"the table has no column {name!r}")
    at = np.array([table.columns.index(name) for name in graph.nodes])
    sizes = np.array([0 if table.levels[k] is None else len(table.levels[k] or ()) for k in at])
    values = table.values[:, at]
    alone = np.ones(values.shape, bool)
    if table.regimes is not None:
        alone = ~table.regimes.acted_on(graph.nodes)[table.regimes.code]
    mechanisms, rows = [], np.zeros(graph.d, np.int64)
    for j, name in enumerate(graph.nodes):
        parents = np.flatnonzero(chosen[:, j])
        use = complete(values[:, [j, *parents]]) & alone[:, j]
        rows[j] = use.sum()
        if rows[j] < LEAST:
            raise DataError(
                f"{name!r} and its parents are complete, and not acted on, in {rows[j]} rows; a mechanism needs {LEAST}"
            )
        mechanisms.append(fit_mechanism(values[use, j], int(sizes[j]), values[use][:, parents], sizes[parents]))
    dag = Graph(graph.nodes, chosen)
    return FittedModel(dag, tuple(table.levels[k] for k in at), tuple(mechanisms), rows)
