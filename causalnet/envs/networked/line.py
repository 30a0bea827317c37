"""Keep a message alive on a line and bring it to agent 0: the synthetic task of arXiv 2305.17568.

s_i, a_i in {0, 1}, all s_i = 1 at first. s_0' = s_1; s_i' = 0 if a_i = 0, 1 if a_i = 1 and s_{i+1} = 1, and 1 with
probability 0.8 if a_i = 1 and s_{i+1} = 0; the last agent's s' is its action. Rewards are paid on the next state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from scipy import sparse

from ...base.arrays import AnyArray, Array, Ints
from ...base.checks import number, whole
from .base import CodedNetwork
from .checks import MOST_AGENTS
from .streams import Seed, Words, uniform


class LineTables(NamedTuple):
    """success: chance that action 1 sets the bit without a message behind it. reward (n,): paid while s_i' = 1."""

    success: float
    reward: Array


@njit(cache=True)
def line_step(net: LineTables, states: AnyArray, actions: Ints, rewards: Array, streams: Words) -> None:
    """One step of every environment, in place: states, actions, rewards (E, n), streams (E, 2)."""
    last = states.shape[1] - 1
    for e in range(states.shape[0]):
        state, action, stream = states[e], actions[e], streams[e]
        for i in range(state.size):  # agent i reads s_{i+1}, which is still the old one
            if i == 0:
                new = state[1] == 1
            elif i == last:
                new = action[i] == 1
            else:
                new = action[i] == 1 and (state[i + 1] == 1 or uniform(stream) < net.success)
            state[i] = new
            rewards[e, i] = net.reward[i] * new


class Line(CodedNetwork):
    """The line of ``n_agents`` (at least 2). Reward 1 for agent 0 and 0.1 for the others while s_i' = 1."""

    component_names = ("message",)

    def __init__(
        self,
        n_agents: int = 10,
        *,
        success: float = 0.8,
        reward_first: float = 1.0,
        reward_other: float = 0.1,
        horizon: int | None = 125,
        n_envs: int | None = None,
        seed: Seed = None,
    ) -> None:
        n = whole("n_agents", n_agents, 2, MOST_AGENTS)
        both = np.full(n, 2)
        super().__init__(both[:, None], both, horizon=horizon, n_envs=n_envs, seed=seed)
        reward = np.full(n, number("reward_other", reward_other))
        reward[0] = number("reward_first", reward_first)
        self.tables = LineTables(number("success", success, 0, 1), reward)
        ones = np.ones(n - 1, bool)
        self.adjacency = sparse.csr_matrix(sparse.diags_array([ones, ones], offsets=[-1, 1], dtype=bool))

    def _start(self) -> None:
        self.state[:] = 1

    def _advance(self, actions: Ints) -> None:
        line_step(self.tables, self.state, actions, self.reward, self.streams)

    def _initial(self, agent: int) -> Array:
        return np.array([0.0, 1.0])

    def _outcomes(self, agent: int, neighbours: Ints, s: Ints, a: Ints) -> tuple[Array, Array]:
        me = int(np.flatnonzero(neighbours == agent)[0])
        if agent == 0:
            one: Any = s[:, 1].astype(np.float64)
        elif agent == self.n_agents - 1:
            one = a[:, me].astype(np.float64)
        else:
            one = a[:, me] * np.where(s[:, me + 1] == 1, 1.0, self.tables.success)
        return np.column_stack([1 - one, one]), one * self.tables.reward[agent]
