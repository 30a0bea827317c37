"""Own-state policies pi_i(a | s_i) as tables (n, S, A), and their return on any networked environment.

S and A are the largest ``n_states`` and ``n_actions``; rows of states that an agent does not have are never read.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...base.arrays import Array, Ints
from ...base.checks import number
from ...errors import DataError
from .base import NetworkedEnv, networked
from .streams import Seed, spawn, uniform

_ROW = 1e-9  # how far a row of probabilities may sum from one
_APART = 2**32  # first stream of policies: the streams below belong to environments


@njit(cache=True)
def sample_actions(cumulative: Array, state: NDArray[np.int8], action: Ints, stream: NDArray[np.uint64]) -> None:
    """Draw a_i ~ pi_i(. | s_i) for one environment, in place; to be called inside compiled loops.

    cumulative (n, S, A - 1): see :func:`cumulated`. state, action (n,); stream (2,).
    """
    for i in range(state.size):
        u = uniform(stream)
        row = cumulative[i, state[i]]
        a = 0
        for k in range(row.size):
            a += u >= row[k]
        action[i] = a


@njit(cache=True)
def sample_batch(cumulative: Array, state: NDArray[np.int8], action: Ints, stream: NDArray[np.uint64]) -> None:
    """``sample_actions`` on the rows of state, action (E, n), stream (E, 2)."""
    for e in range(state.shape[0]):
        sample_actions(cumulative, state[e], action[e], stream[e])


def uniform_policy(env: NetworkedEnv) -> Array:
    """pi_i(a | s_i) = 1 / n_actions[i], as a table (n, S, A)."""
    networked(env)
    shape = (env.n_agents, int(env.n_states.max()), int(env.n_actions.max()))
    real = np.arange(shape[2]) < env.n_actions[:, None]
    return np.broadcast_to((real / env.n_actions[:, None])[:, None], shape).copy()


def cumulated(policy: Array, env: NetworkedEnv) -> Array:
    """The policy's table as sums over actions, without the last, (n, S, A - 1): what :func:`sample_actions` reads."""
    shape = (env.n_agents, int(env.n_states.max()), int(env.n_actions.max()))
    try:
        policy = np.asarray(policy, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"The policy is a table of probabilities {shape}: agents, states, actions.") from None
    if policy.shape != shape:
        raise DataError(
            f"The policy is a table {policy.shape}, and this network needs {shape}: agents, states, actions. "
            "It may belong to another network."
        )
    own = np.arange(shape[1]) < env.n_states[:, None]
    off = own & ((policy.min(2) < 0) | ~(np.abs(policy.sum(2) - 1) <= _ROW))
    beyond = own & ((policy > 0) & (np.arange(shape[2]) >= env.n_actions[:, None])[:, None]).any(2)
    for wrong, why in ((off, "is no probability law"), (beyond, "uses an action that the agent does not have")):
        if wrong.any():
            i, s = np.argwhere(wrong)[0]
            raise DataError(f"The policy of agent {i} in state {s} {why}: {policy[i, s].tolist()}.")
    sums = np.cumsum(policy, axis=2)[:, :, :-1]
    last = (env.n_actions - 1)[:, None]  # never past the agent's own last action, whatever the rounding
    return np.where(np.arange(shape[2] - 1) < last[:, :, None], sums, np.inf)


def policy_returns(env: NetworkedEnv, policy: Array, *, discount: float = 1.0, seed: Seed = None) -> Array:
    """sum_t discount^t r_i(t) of each agent over one episode in each environment of the batch, (E, n).

    The environments draw from ``streams(seed, E)`` and the policy from others, so that two policies compared under one
    seed meet the same arrivals.
    """
    networked(env)
    if env.horizon is None:
        raise DataError("A return needs an episode's end; make the environment with horizon=...")
    discount = number("discount", discount, 0, 1)
    count = env.n_envs or 1
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**63))
    given = int(np.bitwise_xor.reduce(seed, axis=None)) if isinstance(seed, np.ndarray) else seed
    own = spawn(given, count, _APART)
    sums, action = cumulated(policy, env), np.empty(env.state.shape, np.int64)
    env.reset(seed)
    total = np.zeros(env.state.shape)
    for t in range(env.horizon):
        sample_batch(sums, env.state, action, own)
        env.step(env._out(action))
        total += discount**t * env.reward
    return total
