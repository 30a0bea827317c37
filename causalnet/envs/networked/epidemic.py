"""Keep a network healthy at little cost: susceptible-infected-susceptible contagion with protective effort.

The epidemic example of arXiv 1912.02906, section 2. s_i in {0 susceptible, 1 infected}, a_i in {0, 1 protect}:
P(infected' | susceptible, a) = 1 - prod over infected neighbours j of (1 - beta(a_i, a_j)),
beta(a_i, a_j) = beta (1 - e a_i)(1 - e a_j); an infected agent recovers with probability delta.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numba import njit
from scipy import sparse

from ...base.arrays import AnyArray, Array, Codes, Ints
from ...base.checks import number, numbers, whole
from .base import CodedNetwork
from .checks import check_adjacency
from .neighbourhoods import adjacency_of
from .streams import Seed, Words, uniform


class EpidemicTables(NamedTuple):
    """Contacts in CSR form; infection beta (n,) of the susceptible side, recovery delta (n,), protection e, cost, start."""

    indptr: Codes
    indices: Codes
    infection: Array
    recovery: Array
    protection: float
    cost: float
    start: float


@njit(cache=True)
def epidemic_reset(net: EpidemicTables, states: AnyArray, streams: Words) -> None:
    """First states (E, n): everyone infected with probability ``start``, independently."""
    for e in range(states.shape[0]):
        for i in range(states.shape[1]):
            states[e, i] = uniform(streams[e]) < net.start


@njit(cache=True)
def epidemic_step(net: EpidemicTables, states: AnyArray, actions: Ints, rewards: Array, streams: Words) -> None:
    """One step of every environment, in place: states, actions, rewards (E, n), streams (E, 2)."""
    for e in range(states.shape[0]):
        before, action, stream = states[e].copy(), actions[e], streams[e]
        for i in range(before.size):
            rewards[e, i] = (1.0 - before[i] + net.cost * (1 - action[i])) / (1.0 + net.cost)
            if before[i]:
                chance = 1.0 - net.recovery[i]
            else:
                healthy = 1.0
                for k in range(net.indptr[i], net.indptr[i + 1]):
                    j = net.indices[k]
                    if before[j]:
                        mine, theirs = 1.0 - net.protection * action[i], 1.0 - net.protection * action[j]
                        healthy *= 1.0 - net.infection[i] * mine * theirs
                chance = 1.0 - healthy
            states[e, i] = uniform(stream) < chance


class Epidemic(CodedNetwork):
    """SIS on any undirected contact graph (networkx, or a sparse adjacency). Agents without contacts never fall ill.

    infection: beta, a number or (n,). recovery: delta, a number or (n,). protection: e, how much effort on either side
    of a contact lowers beta. cost: of effort. start: chance of being infected at first. Reward of the current state and
    action, scaled to [0, 1]: r_i = (1 - 1[infected] + cost (1 - a_i)) / (1 + cost).
    """

    component_names = ("infected",)

    def __init__(
        self,
        contacts: nx.Graph | sparse.csr_matrix,
        *,
        infection: Any = 0.3,
        recovery: Any = 0.3,
        protection: float = 0.8,
        cost: float = 0.2,
        start: float = 0.2,
        horizon: int | None = 50,
        n_envs: int | None = None,
        seed: Seed = None,
    ) -> None:
        labels: list[Hashable] | None = None
        if sparse.issparse(contacts):
            self.adjacency = check_adjacency(contacts, symmetric=True)
        else:
            self.adjacency, labels = adjacency_of(contacts, directed=False), list(contacts.nodes)
        n = whole("the number of agents", self.adjacency.shape[0], 1)
        both = np.full(n, 2)
        super().__init__(both[:, None], both, horizon=horizon, n_envs=n_envs, seed=seed, labels=labels)
        contact = self.adjacency.indptr.astype(np.int32), self.adjacency.indices.astype(np.int32)
        beta, delta = numbers("infection", infection, (n,), 0, 1), numbers("recovery", recovery, (n,), 0, 1)
        e, cost = number("protection", protection, 0, 1), number("cost", cost, 0)
        self.tables = EpidemicTables(*contact, beta, delta, e, cost, number("start", start, 0, 1))

    def _start(self) -> None:
        epidemic_reset(self.tables, self.state, self.streams)

    def _advance(self, actions: Ints) -> None:
        epidemic_step(self.tables, self.state, actions, self.reward, self.streams)

    def _initial(self, agent: int) -> Array:
        return np.array([1 - self.tables.start, self.tables.start])

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        net = self.tables
        mine = neighbours == agent
        effort = 1 - net.protection * a
        beta = net.infection[agent] * effort[:, mine] * effort[:, ~mine]
        healthy = np.where(s[:, ~mine] == 1, 1 - beta, 1.0).prod(axis=1)
        ill = np.where(s[:, mine][:, 0] == 1, 1 - net.recovery[agent], 1 - healthy)
        reward = (1 - s[:, mine] + net.cost * (1 - a[:, mine]))[:, 0] / (1 + net.cost)
        return np.column_stack([1 - ill, ill]), reward
