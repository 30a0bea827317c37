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
from numpy.typing import NDArray
from scipy import sparse

from ...base.arrays import Array, Ints
from ...base.checks import number, whole
from .base import NetworkedEnv, probabilities
from .neighbourhoods import adjacency_of, check_adjacency
from .streams import Seed, uniform


class EpidemicTables(NamedTuple):
    """Contacts in CSR form; infection beta (n,) of the susceptible side, recovery delta (n,), protection e, cost, start."""

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    infection: NDArray[np.float64]
    recovery: NDArray[np.float64]
    protection: float
    cost: float
    start: float


@njit(cache=True)
def epidemic_reset(net: EpidemicTables, state: NDArray[np.int8], stream: NDArray[np.uint64]) -> None:
    """First state of one environment (n,): everyone infected with probability ``start``, independently."""
    for i in range(state.size):
        state[i] = uniform(stream) < net.start


@njit(cache=True)
def epidemic_step(
    net: EpidemicTables, state: NDArray[np.int8], action: Ints, reward: Array, before: NDArray[np.int8],
    stream: NDArray[np.uint64],
) -> None:  # fmt: skip
    """One step of one environment, in place: state, action, reward (n,), stream (2,); ``before`` (n,) is scratch."""
    before[:] = state
    for i in range(state.size):
        reward[i] = (1.0 - before[i] + net.cost * (1 - action[i])) / (1.0 + net.cost)
        if before[i]:
            chance = 1.0 - net.recovery[i]
        else:
            healthy = 1.0
            for k in range(net.indptr[i], net.indptr[i + 1]):
                j = net.indices[k]
                if before[j]:
                    healthy *= 1.0 - net.infection[i] * (1.0 - net.protection * action[i]) * (
                        1.0 - net.protection * action[j]
                    )
            chance = 1.0 - healthy
        state[i] = uniform(stream) < chance


@njit(cache=True)
def _reset_batch(net: EpidemicTables, state: NDArray[np.int8], stream: NDArray[np.uint64]) -> None:
    for e in range(state.shape[0]):
        epidemic_reset(net, state[e], stream[e])


@njit(cache=True)
def _step_batch(
    net: EpidemicTables, state: NDArray[np.int8], action: Ints, reward: Array, before: NDArray[np.int8],
    stream: NDArray[np.uint64],
) -> None:  # fmt: skip
    for e in range(state.shape[0]):
        epidemic_step(net, state[e], action[e], reward[e], before, stream[e])


class Epidemic(NetworkedEnv):
    """SIS on any undirected contact graph (networkx, or a sparse adjacency). Agents without contacts never fall ill.

    infection: beta, a number or (n,). recovery: delta, a number or (n,). protection: e, how much effort on either side
    of a contact lowers beta. cost: of effort. start: chance of being infected at first. Reward of the current state and
    action, scaled to [0, 1]: r_i = (1 - 1[infected] + cost (1 - a_i)) / (1 + cost).
    """

    component_names = ("infected",)

    def __init__(
        self, contacts: nx.Graph | sparse.csr_matrix, *, infection: Any = 0.3, recovery: Any = 0.3,
        protection: float = 0.8, cost: float = 0.2, start: float = 0.2, horizon: int | None = 50,
        n_envs: int | None = None, seed: Seed = None,
    ) -> None:  # fmt: skip
        labels: list[Hashable] | None = None
        if sparse.issparse(contacts):
            self.adjacency = check_adjacency(contacts)
        else:
            self.adjacency, labels = adjacency_of(contacts), list(contacts.nodes)
        n = whole("the number of agents", self.adjacency.shape[0], 1)
        both = np.full(n, 2)
        super().__init__(both[:, None], both, horizon=horizon, n_envs=n_envs, seed=seed, labels=labels)
        self.tables = EpidemicTables(
            self.adjacency.indptr.astype(np.int32), self.adjacency.indices.astype(np.int32),
            probabilities("infection", infection, (n,)), probabilities("recovery", recovery, (n,)),
            float(probabilities("protection", protection, ())), number("cost", cost, 0), float(probabilities("start", start, ())),
        )  # fmt: skip
        self._before = np.empty(n, self.state.dtype)

    def _start(self) -> None:
        _reset_batch(self.tables, self.state, self.streams)

    def _advance(self, actions: Ints) -> None:
        _step_batch(self.tables, self.state, actions, self.reward, self._before, self.streams)

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
