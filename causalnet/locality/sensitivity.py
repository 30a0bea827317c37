"""How far one agent's state or action moves another's next state, action or reward: the matrices E^s, E^a, Pi, C, H.

Rege, Monteleoni, Chen et al., "A Unified Framework for Locality in Scalable MARL" (arXiv 2602.16966); the definitions
follow a published digest of it, as the text was not at hand. Row = affected agent j, column = source i, distances in
total variation. Everything is computed from the local tables, in the sparsity of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp

from ..base.arrays import Array
from ..base.asked import asks
from ..base.checks import entries, shaped
from ..envs.networked import TabularNetwork
from ..envs.networked.checks import frozen
from ..envs.networked.exact import softmax
from ..errors import NotApplicable
from .policy import Links, LocalPolicy, shape_groups

Groups = Sequence[tuple[list[int], Array]]  # [(numbers of the tables, those tables stacked)]
_LARGEST = 1 << 24  # numbers in one table of the exact closed loop


@dataclass(frozen=True, eq=False)
class Sensitivities:
    """The environment's side, all (n, n) CSR, row = affected agent: what a policy's Pi turns into H and its bounds.

    state E^s_{j<-i}, action E^a_{j<-k}: largest move of P_j when s_i, or a_k, alone changes.
    reward_state, reward_action: largest change of r_j when s_i, or a_k, alone changes.
    reward_range: largest max r_j - min r_j over the agents.
    """

    state: sp.csr_array
    action: sp.csr_array
    reward_state: sp.csr_array
    reward_action: sp.csr_array
    reward_range: float


def axis_moves(stack: Array, share: float = 0.5) -> Array:
    """sup of share * ||x - y||_1 over pairs of last-axis rows that differ in one axis alone: (G, d_1..d_k, m) -> (G, k).

    share = 1/2 is total variation between laws, share = 1 with m = 1 the change of a number.
    """
    groups, shape, m = len(stack), stack.shape[1:-1], stack.shape[-1]
    result = np.zeros((groups, len(shape)))
    for axis, size in enumerate(shape):
        moved = np.moveaxis(stack, axis + 1, 1).reshape(groups, size, -1, m)
        for x, y in combinations(range(size), 2):
            distance = share * np.abs(moved[:, x] - moved[:, y]).sum(-1)
            np.maximum(result[:, axis], distance.max(-1), out=result[:, axis])
    return result


def move_matrix(groups: Groups, links: Links, columns: int, share: float = 0.5) -> sp.csr_array:
    """Row j: how far table j moves along each axis, in the columns links[j]; (n, columns) CSR, from stacked tables."""
    ends = np.cumsum([0, *map(len, links)])
    data = np.zeros(ends[-1])
    for indices, stack in groups:
        if stack.ndim > 2:
            data[ends[indices][:, None] + np.arange(stack.ndim - 2)] = axis_moves(stack, share)
    matrix = link_matrix(data, links, columns)
    matrix.eliminate_zeros()
    return matrix


def link_matrix(data: Array, links: Links, columns: int) -> sp.csr_array:
    """Row j holds the next numbers of ``data`` in the columns links[j]; (n, columns) CSR, indices sorted."""
    flat = np.fromiter((i for row in links for i in row), np.int64, len(data))
    matrix = sp.csr_array((data, flat, np.cumsum([0, *map(len, links)])), shape=(len(links), columns))
    matrix.sort_indices()
    return matrix


@asks()
def environment(model: TabularNetwork, reward: Sequence[Array] | None = None) -> Sensitivities:
    """E^s, E^a and the moves of the rewards of a model; ``reward`` replaces the model's, with the same axes."""
    n = model.n_agents
    kernel = move_matrix(shape_groups(model.kernels), both_links(model.state_parents, model.action_parents, n), 2 * n)
    tables = model.rewards if reward is None else _like(model, reward)
    groups = [(indices, stack[..., None]) for indices, stack in shape_groups(tables)]
    moves = move_matrix(groups, both_links(model.reward_states, model.reward_actions, n), 2 * n, 1.0)
    width = max(float(np.ptp(stack.reshape(len(stack), -1), axis=1).max()) for _, stack in groups)
    return Sensitivities(kernel[:, :n], kernel[:, n:], moves[:, :n], moves[:, n:], width)


@asks()
def policy_sensitivity(policy: LocalPolicy) -> sp.csr_array:
    """Pi_{k<-i} = sup TV(pi_k(. | s_{O_k}), pi_k(. | s'_{O_k})) over states that differ in s_i alone; (n, n) CSR."""
    return move_matrix(shape_groups(policy.tables), policy.observes or (), policy.n_agents)


def tempered_sensitivity(policy: LocalPolicy) -> Callable[[float], sp.csr_array]:
    """Pi of the softmax of the policy's logits (log pi where it has none) as a function of the temperature."""
    groups = shape_groups(policy.known_logits())
    return lambda temperature: move_matrix(
        [(indices, softmax(stack / temperature)) for indices, stack in groups], policy.observes or (), policy.n_agents
    )


@asks()
def interdependence(environment: Sensitivities, pi: sp.csr_array) -> sp.csr_array:
    """H = E^s + E^a Pi: an upper bound, entry by entry, of what one closed-loop step lets j feel of i; (n, n) CSR."""
    return sp.csr_array(environment.state + environment.action @ pi)


@asks()
def exact_interdependence(model: TabularNetwork, policy: LocalPolicy) -> sp.csr_array:
    """C_{j<-i} = sup TV between the laws of s_j' when s_i alone changes, actions drawn by the policy; (n, n) CSR.

    Each agent's closed-loop table spans the states of its parents and of all that its parents' policies observe.
    """
    policy.require(model.n_states, model.n_actions)
    tables, links = [], []
    for j in range(model.n_agents):
        states, actions = (model.state_parents or ())[j], (model.action_parents or ())[j]
        seen = [(policy.observes or ())[k] for k in actions]
        union = sorted({*states, *(i for row in seen for i in row)})
        size = model.n_states[union].prod(dtype=float) * model.n_states[j]
        if size > _LARGEST or len(union) + len(actions) > 50:
            raise NotApplicable(
                f"the exact matrix C needs a table of {size:.3g} numbers for agent {j} ({len(union)} agents); use H, its bound"
            )
        label = {i: x for x, i in enumerate(union)}
        act = {k: len(union) + x for x, k in enumerate(actions)}
        out = len(union) + len(actions)
        parts: list[Any] = [model.kernels[j], [*(label[i] for i in states), *(act[k] for k in actions), out]]
        for k, row in zip(actions, seen, strict=True):
            parts += [policy.tables[k], [*(label[i] for i in row), act[k]]]
        tables.append(np.einsum(*parts, [*range(len(union)), out], optimize="greedy"))
        links.append(union)
    return move_matrix(shape_groups(tables), links, model.n_agents)


def _like(model: TabularNetwork, reward: Sequence[Array]) -> list[Array]:
    """Other tables of rewards, with the axes of the model's own."""
    tables = [frozen(f"reward[{i}]", r) for i, r in enumerate(entries("reward", reward, "tables", model.n_agents))]
    for i, (mine, own) in enumerate(zip(tables, model.rewards, strict=True)):
        shaped(f"reward[{i}]", mine, own.shape, "the axes of the model's own")
    return tables


def both_links(states: Links | None, actions: Links | None, n: int) -> list[list[int]]:
    """Of each agent the columns of states, then n plus those of actions, that a table of it depends on."""
    return [[*s, *(n + k for k in a)] for s, a in zip(states or (), actions or (), strict=True)]
