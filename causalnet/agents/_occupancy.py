"""Local occupancy measures of networked policies, d_i(s_i, a_i) = (1 - gamma) sum_{t < T} gamma^t P(s_i(t), a_i(t)).

They are shares of discounted time: an episode of T steps gives each agent the mass 1 - gamma^T, and d_i = (1 - gamma)
lambda_i for the unnormalised lambda_i of arXiv 2302.07938. For the average reward every step weighs 1 / T.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..envs._streams import streams
from ..envs.tabular import TabularNetwork
from ..errors import DataError
from ..exact import Policy, joint, occupancy
from ._local_policy import cumulate_probabilities
from ._rollout import Trajectory, check_policy, roll, seeds, view_table
from ._sac_inputs import network, number, one_of, whole

Array = NDArray[np.float64]


def time_weights(gamma: float, steps: int, objective: str = "discounted") -> Array:
    """What each step counts in d: (1 - gamma) gamma^t, or 1 / T for the average reward; (steps,)."""
    every = np.full(steps, 1.0 / steps) if objective == "average" else (1 - gamma) * gamma ** np.arange(steps)
    return np.asarray(every, dtype=np.float64)


@njit(cache=True)
def count(codes: NDArray[np.int32], a: NDArray[np.int64], weight: Array, out: Array) -> None:
    """out[l, i, s, a] = mean over the copies of learner l of sum_t weight[t] 1[(s_i, a_i)(t) = (s, a)].

    codes, a (T + 1, E, n): the last pair is not counted; weight (T,); out (L, n, S, A).
    """
    per = codes.shape[1] // out.shape[0]
    out[:] = 0.0
    for t in range(weight.size):
        for e in range(codes.shape[1]):
            for i in range(codes.shape[2]):
                out[e // per, i, codes[t, e, i], a[t, e, i]] += weight[t] / per


@njit(cache=True)
def look_up(codes: NDArray[np.int32], a: NDArray[np.int64], table: Array, add: bool, r: Array) -> None:
    """r[t, e, i] = table[learner, i, s_i(t), a_i(t)], or added to it: table (L, n, S, A), r (T, E, n)."""
    per = codes.shape[1] // table.shape[0]
    for t in range(r.shape[0]):
        for e in range(r.shape[1]):
            for i in range(r.shape[2]):
                value = table[e // per, i, codes[t, e, i], a[t, e, i]]
                r[t, e, i] = r[t, e, i] + value if add else value


def occupancies(
    env: Any, policy: Array, *, gamma: float, steps: int | None = None, episodes: int = 400, seed: int = 0,
    view: Any = None, objective: str = "discounted",
) -> tuple[Array, Array]:  # fmt: skip
    """d (L, n, S, A) under fixed own-state policies (L, n, S, A), and undiscounted returns (L,), the mean of all agents.

    As ``returns``: episodes are fixed by ``seed``, whatever the policy. Both are means over them, as many as fill the copies.
    """
    gamma, episodes, seed = number("gamma", gamma, 0.0, 1.0), whole("episodes", episodes, 1), whole("seed", seed, 0)
    one_of("objective", objective, ("discounted", "average"))
    if gamma == 1 and objective == "discounted":
        raise DataError("gamma is 1, where shares of discounted time have no meaning; write objective='average'")
    steps = None if steps is None else whole("steps", steps, 1)
    try:
        tables = np.asarray(policy, dtype=np.float64)
    except (TypeError, ValueError):
        tables = np.empty(0)
    if tables.ndim != 4:
        raise DataError(f"policies are probabilities with axes (learners, agents, states, actions), not {policy!r:.60}")
    view = view_table(network(env), view)
    check_policy(env, tables, view)
    copies, horizon = env.n_envs or 1, steps or env.horizon
    if horizon is None or (env.horizon is not None and horizon > env.horizon):
        raise DataError(f"steps is {steps}, and the environment's horizon {env.horizon}; give steps within the horizon")
    if copies % len(tables):
        raise DataError(f"{len(tables)} policies cannot share {copies} copies evenly; use a multiple of {len(tables)}")
    cumulative, weight = np.empty(tables.shape, np.float32), time_weights(gamma, horizon, objective)
    cumulate_probabilities(tables, np.asarray(env.n_actions, dtype=np.int64), cumulative)
    path, one, d = Trajectory.empty(horizon, copies, env.n_agents), np.empty(tables.shape), np.zeros(tables.shape)
    total, batches = np.zeros(len(tables)), -(-episodes // (copies // len(tables)))
    for batch in range(batches):
        key = seeds(seed, batch)
        first, _ = env.reset(seed=key)
        roll(env, cumulative, view, streams(key + 1, copies), path, first)
        count(path.codes, path.a, weight, one)
        d += one / batches
        total += path.r.sum(axis=0).mean(axis=1).reshape(len(tables), -1).mean(axis=1) / batches
    return d, total


def exact_occupancies(model: TabularNetwork, policy: Policy) -> Array:
    """d (n, S, A) of a small network by one linear solve (Lemma 1 of arXiv 1912.02906), without a horizon: mass one."""
    process = joint(model, policy)
    whole = occupancy(process)
    d = np.zeros((model.n_agents, int(model.n_states.max()), int(model.n_actions.max())))
    for i in range(model.n_agents):
        np.add.at(d[i], (process.local_states[:, None, i], process.local_actions[None, :, i]), whole)
    return d
