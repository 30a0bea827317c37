"""Any discovery backend as a source of causal masks: a two-slice table and the knowledge that goes with it.

One row a transition of one agent; columns its own and its neighbours' components and actions at t - 1, the domain index (a
surrogate for the unknown factor), and its components and reward at t. Time gives the directions and rules out edges
within a slice (arXiv 2510.21427, appendix F), which is exactly what :class:`causalnet.Knowledge` can say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..base.asked import asks
from ..base.checks import flag, function, instance
from ..data.tables import Table, as_table
from ..data.transitions import Transitions
from ..errors import DataError
from ..graph import Graph, Knowledge
from ..graph.causal_masks import CausalMasks
from .mask_search import reward_codes

Discover = Callable[..., Graph]  # discover(table, knowledge=knowledge) -> Graph
DOMAIN, REWARD, ACTION = "domain", "reward", "action"


@dataclass(frozen=True)
class TwoSlice:
    """The table of one agent, the knowledge, and what was left out of it: constants (which nothing can be learned about),
    and ``copies``, pairs (source, next component) that are identical in every row: certain edges."""

    table: Table
    knowledge: Knowledge
    constants: tuple[str, ...]
    copies: tuple[tuple[str, str], ...]


def unroll(transitions: Transitions, agents: int | Sequence[int], *, discrete: bool = True) -> TwoSlice:
    """The two-slice table of an agent, or of several alike stacked, whose k-th neighbours then share columns.

    discrete: codes as categories, else as numbers (for backends that take continuous data). Names: ``b_1`` (own),
    ``b_1@0`` (of the first neighbour), ``action``, ``action@0``, ``domain``, ``b_1'`` (next), ``reward``.
    """
    for name in transitions.components:
        if name in (DOMAIN, REWARD, ACTION) or "@" in name or name.endswith("'"):
            raise DataError(
                f"the component name {name!r} means something else in this table: rename it, not to {DOMAIN}, {REWARD} or "
                f"{ACTION}, without an @ and without a ' at the end"
            )
    of = np.atleast_1d(np.asarray(agents))
    if of.size == 0 or of.dtype.kind not in "iu" or of.min() < 0 or of.max() >= transitions.n_agents:
        raise DataError(f"agents run from 0 to {transitions.n_agents - 1}, and at least one is needed; got {agents!r}")
    pointer = transitions.neighbours.indptr
    widths = np.unique(np.diff(pointer)[of])
    if widths.size > 1:
        raise DataError(f"agents stacked in one table need equally many neighbours; these have {widths.tolist()}")
    near = np.array([transitions.neighbours.indices[pointer[i] : pointer[i + 1]] for i in of]).reshape(of.size, -1)
    past: dict[str, np.ndarray] = {}
    for suffix, who in [("", of), *((f"@{k}", near[:, k]) for k in range(near.shape[1]))]:
        for c, name in enumerate(transitions.components):
            past[name + suffix] = transitions.states[:, who, c].T.ravel()
        past[ACTION + suffix] = transitions.actions[:, who].T.ravel()
    past[DOMAIN] = np.tile(transitions.domain, of.size)
    future: dict[str, np.ndarray] = {
        f"{name}'": transitions.next_states[:, of, c].T.ravel() for c, name in enumerate(transitions.components)
    }
    rewards = transitions.rewards[:, of]
    future[REWARD] = (reward_codes(rewards) if discrete else rewards).T.ravel()
    columns = {**past, **future}
    constants = [name for name, column in columns.items() if (column == column[0]).all()]
    copies = [
        (source, name)
        for name, column in future.items()
        if name not in constants
        for source in past
        if np.array_equal(past[source], column)
    ]
    dropped = {*constants, *(name for _, name in copies)}
    before = [name for name in past if name not in dropped]
    after = [name for name in future if name not in dropped]
    if not after:
        raise DataError("no next component and no reward varies in these rows: there is nothing to find causes of")
    frame = pd.DataFrame({name: columns[name] for name in (*before, *after)})
    within = [(a, b) for side in (before, after) for a in side for b in side if a != b]
    knowledge = Knowledge(tiers=(tuple(before), tuple(after)), forbidden=tuple(within))
    return TwoSlice(as_table(frame, discrete=discrete), knowledge, tuple(constants), tuple(copies))


@asks()
def component_graph(masks: CausalMasks) -> Graph:
    """The graph over the components: l -> k iff component l of an agent, or of a neighbour, acts on the next k of some agent.

    Its weight is the share of the agents in which it does. Reward, actions, the domain and every component's own past are
    left out; cycles are possible, as the edges lead from one time to the next.
    """
    c, n = masks.n_components, masks.n_agents
    of = masks.own[:, :c, :c].copy()
    np.logical_or.at(of, masks.pairs[0], masks.other[:, :c, :c])
    share = np.asarray(of.mean(axis=0)).T * ~np.eye(c, dtype=bool)
    return Graph(masks.components, share > 0, share, meta={"source": "two time slices", "agents": n})


def masks_by(transitions: Transitions, discover: Discover, *, discrete: bool = True) -> CausalMasks:
    """The masks of every agent from graphs that ``discover(table, knowledge=knowledge)`` learns, one an agent.

    ``functools.partial(cn.discover, backend="pc", ci_test="g2")`` is one, as is any function with the same promise; for
    backends of continuous data pass discrete=False. An edge counts when it leads from the past to the future, or is undirected
    between them. meta["graphs"] holds the graphs, one an agent.
    """
    instance("transitions", transitions, Transitions, "Transitions")
    such = f"a Graph, such as functools.partial(causalnet.discover, backend={discover if isinstance(discover, str) else 'pc'!r})"
    function("discover", discover, "table, knowledge=", such, needed=True)
    flag("discrete", discrete)
    n, c = transitions.n_agents, transitions.n_components
    own, domain = np.zeros((n, c + 1, c + 1), bool), np.zeros((n, c + 1), bool)
    other = np.zeros((transitions.neighbours.nnz, c + 1, c + 1), bool)
    sources = {name: k for k, name in enumerate((*transitions.components, ACTION))}
    targets = {**{f"{name}'": k for k, name in enumerate(transitions.components)}, REWARD: c}
    graphs = []
    for i in range(n):
        part = unroll(transitions, i, discrete=discrete)
        graph = discover(part.table, knowledge=part.knowledge)
        instance(f"what discover returned for agent {i}", graph, Graph, "a Graph")
        part.knowledge.check(graph.align(part.table.columns))
        graphs.append(graph)
        edges = [(graph.nodes[a], graph.nodes[b]) for a, b in np.argwhere(graph.adj) if graph.nodes[a] not in targets]
        for source, target in [*edges, *part.copies]:
            name, _, slot = source.partition("@")
            if source == DOMAIN:
                domain[i, targets[target]] = True
            elif slot:
                other[transitions.neighbours.indptr[i] + int(slot), targets[target], sources[name]] = True
            else:
                own[i, targets[target], sources[name]] = True
    return CausalMasks(own, other, domain, transitions.neighbours, transitions.components, {"graphs": tuple(graphs)})
