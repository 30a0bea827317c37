"""Local occupancy measures of networked policies, d_i(s_i, a_i) = (1 - gamma) sum_{t < T} gamma^t P(s_i(t), a_i(t)).

They are shares of discounted time: an episode of T steps gives each agent the mass 1 - gamma^T, and d_i = (1 - gamma)
lambda_i for the unnormalised lambda_i of arXiv 2302.07938. For the average reward every step weighs 1 / T.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ...base.arrays import Array, Codes, Ints
from ...base.checks import number, numbers, one_of
from ...envs.networked import TabularNetwork
from ...envs.networked.exact import Policy, joint, occupancy
from ...errors import DataError
from .rollout import episodes_under


def time_weights(gamma: float, steps: int, objective: str = "discounted") -> Array:
    """What each step counts in d: (1 - gamma) gamma^t, or 1 / T for the average reward; (steps,)."""
    every = np.full(steps, 1.0 / steps) if objective == "average" else (1 - gamma) * gamma ** np.arange(steps)
    return np.asarray(every, dtype=np.float64)


@njit(cache=True)
def count(codes: Codes, a: Ints, weight: Array, out: Array) -> None:
    """out[l, i, s, a] = mean over the copies of learner l of sum_t weight[t] 1[(s_i, a_i)(t) = (s, a)].

    codes, a (T + 1, E, n): the last pair is not counted; weight (T,); out (L, n, S, A).
    """
    per = codes.shape[1] // out.shape[0]
    out[:] = 0.0
    for t in range(weight.size):
        for e in range(codes.shape[1]):
            for i in range(codes.shape[2]):
                out[e // per, i, codes[t, e, i], a[t, e, i]] += weight[t] / per


def occupancies(
    env: Any,
    policy: Array,
    *,
    gamma: float,
    steps: int | None = None,
    episodes: int = 400,
    seed: int = 0,
    view: Any = None,
    objective: str = "discounted",
) -> tuple[Array, Array]:
    """d (L, n, S, A) under fixed own-state policies (L, n, S, A), and undiscounted returns (L,), the mean of all agents.

    As ``returns``: episodes are fixed by ``seed``, whatever the policy. Both are means over them, as many as fill the copies.
    """
    gamma = number("gamma", gamma, 0.0, 1.0)
    one_of("objective", objective, ("discounted", "average"))
    if gamma == 1 and objective == "discounted":
        raise DataError("gamma is 1, where shares of discounted time have no meaning; write objective='average'")
    tables = numbers("the policy", policy)
    if tables.ndim != 4:
        raise DataError(f"policies are probabilities with axes (learners, agents, states, actions), not {policy!r:.60}")
    one, d, total, batches = np.empty(tables.shape), np.zeros(tables.shape), np.zeros(len(tables)), 0
    for path in episodes_under(env, tables, steps=steps, episodes=episodes, seed=seed, view=view):
        count(path.codes, path.a, time_weights(gamma, len(path.r), objective), one)
        d += one
        total += path.r.sum(axis=0).mean(axis=1).reshape(len(total), -1).mean(axis=1)
        batches += 1
    return d / batches, total / batches


def exact_occupancies(model: TabularNetwork, policy: Policy) -> Array:
    """d (n, S, A) of a small network by one linear solve (Lemma 1 of arXiv 1912.02906), without a horizon: mass one."""
    process = joint(model, policy)
    whole = occupancy(process)
    d = np.zeros((model.n_agents, int(model.n_states.max()), int(model.n_actions.max())))
    for i in range(model.n_agents):
        np.add.at(d[i], (process.local_states[:, None, i], process.local_actions[None, :, i]), whole)
    return d
