"""Networks to plan in, fitted to transitions: who acts on whom is given or learned, the laws are counted.

    P_i(s' | s_N, a_i)  =  (count(s_N, a_i, s') + P_i(s' | s_i, a_i)) / (count(s_N, a_i) + 1)

so that a cell without rows falls back on what the agent's own state and action say, as if by one row.
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from ..base.arrays import Array, Ints
from ..base.asked import asks
from ..base.checks import array_of, instance, number
from ..data import Transitions
from ..envs import TabularNetwork
from ..errors import DataError, NotApplicable
from .mechanisms import CELLS


@asks()
def fit_network(transitions: Transitions, gamma: float = 0.9, influence: Any = None) -> TabularNetwork:
    """A TabularNetwork of agents that moves, and pays, as the transitions did; pass it to ``TabularEnv`` or an exact solver.

    influence: (n, n) bool, influence[j, i]: the state of j moves i; None takes ``transitions.neighbours``. An agent's state is
    the number of its components' values in little-endian mixed radix, each with the values that were seen. Its action moves
    itself alone; its reward is the mean of its own state and action. First states are those of step 0. NotApplicable where a
    law has more numbers than a table holds: give a smaller influence, such as a learned graph.
    """
    instance("transitions", transitions, Transitions, "Transitions; data.collect and as_transitions make them")
    number("gamma", gamma)
    if len(transitions.domains) > 1:
        raise DataError(f"these transitions are of {len(transitions.domains)} domains; take one with of_domain(name)")
    n = transitions.n_agents
    near = transitions.neighbours.toarray().T if influence is None else array_of("influence", influence)
    if near.shape != (n, n):
        raise DataError(f"influence has shape {near.shape}, and must have ({n}, {n})")
    near = near.astype(bool) | np.eye(n, dtype=bool)
    radices = np.maximum(transitions.states.max(axis=0), transitions.next_states.max(axis=0)).astype(np.int64) + 1
    stride = np.cumprod(np.concatenate([np.ones((n, 1), np.int64), radices[:, :-1]], axis=1), axis=1)
    s, after = ((part * stride).sum(axis=2) for part in (transitions.states, transitions.next_states))
    sizes, actions = radices.prod(axis=1), transitions.actions.max(axis=0).astype(np.int64) + 1
    reach = [[i, *(j for j in np.flatnonzero(near[:, i]).tolist() if j != i)] for i in range(n)]
    graph = nx.empty_graph(n)
    graph.add_edges_from((j, i) for i in range(n) for j in reach[i][1:])
    first = transitions.step == 0
    tables = [
        _tables(transitions, i, s[:, row], after[:, i], [*sizes[row].tolist(), int(actions[i])])
        for i, row in enumerate(reach)
    ]
    initial = [_law(np.bincount(s[first, i], minlength=sizes[i]).astype(float)) for i in range(n)]
    kernels, rewards = zip(*tables, strict=True)
    return TabularNetwork(graph, kernels, rewards, gamma, initial=initial, state_parents=reach, n_actions=actions)


def _tables(transitions: Transitions, i: int, given: Ints, after: Ints, shape: list[int]) -> tuple[Array, Array]:
    """Kernel and reward of agent i. given (R, k): codes of its state parents, itself first; shape: of the kernel's law."""
    own, states = [shape[0], shape[-1]], shape[0]
    if float(np.prod(np.array(shape, float))) * states > CELLS:
        raise NotApplicable(
            f"the law of agent {transitions.agents[i]!r} given {len(shape) - 1} agents has too many numbers; give influence="
        )
    a = transitions.actions[:, i].astype(np.int64)
    near = np.ravel_multi_index((*given.T, a), shape)
    mine = np.ravel_multi_index((given[:, 0], a), own)
    base = np.bincount(mine * states + after, minlength=int(np.prod(own)) * states).reshape(*own, states).astype(float)
    base = (base + _law(base.sum(axis=(0, 1)))) / (base.sum(axis=-1, keepdims=True) + 1.0)
    count = np.bincount(near * states + after, minlength=int(np.prod(shape)) * states).reshape(*shape, states)
    lean = base.reshape(own[0], *[1] * (len(shape) - 2), own[1], states)
    kernel = (count + lean) / (count.sum(axis=-1, keepdims=True) + 1.0)
    paid = transitions.rewards[:, i]
    times = np.bincount(mine, minlength=int(np.prod(own)))
    total = np.bincount(mine, weights=paid, minlength=int(np.prod(own)))
    reward = (total + paid.mean()) / (times + 1.0)
    return kernel / kernel.sum(axis=-1, keepdims=True), reward.reshape(own)


def _law(count: Array) -> Array:
    """Shares of counts, as if one more row was spread evenly."""
    return np.asarray((count + 1.0 / len(count)) / (count.sum() + 1.0))
