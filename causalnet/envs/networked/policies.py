"""Own-state policies pi_i(a | s_i) as tables (n, S, A), and their return on any networked environment.

S and A are the largest ``n_states`` and ``n_actions``; rows of states that an agent does not have are never read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ...base.arrays import AnyArray, Array, Codes, Floats, Ints
from ...base.checks import array_of, improper, number, numbers, shaped
from ...errors import DataError
from .. import answers
from .checks import check_codes, networked
from .protocols import AgentNetwork, CodedEnv
from .streams import Seed, Words, draw, spawn, uniform

_APART = 2**32  # first stream of policies: the streams below belong to environments


@njit(cache=True)
def sample_batch(cumulative: Array, states: AnyArray, actions: Ints, streams: Words) -> None:
    """Draw a_i ~ pi_i(. | s_i) in every environment, in place: states, actions (E, n), streams (E, 2).

    cumulative (n, S, A - 1): see :func:`cumulated`.
    """
    for e in range(states.shape[0]):
        for i in range(states.shape[1]):
            u = uniform(streams[e])
            row = cumulative[i, states[e, i]]
            a = 0
            for k in range(row.size):
                a += u >= row[k]
            actions[e, i] = a


@njit(cache=True)
def act(s: AnyArray, view: Codes, cumulative: Floats, stream: Words, n_states: Ints, codes: Codes, a: Ints) -> bool:
    """What the agents of one copy see and do: s (n,) -> codes, a (n,). False: a state is out of range.

    view (n or 1, states): the code an agent sees in each local state. cumulative (n, S, A). One 64-bit draw of the
    stream serves two agents; a = the number of cumulative probabilities that a uniform number passes.
    """
    width = cumulative.shape[2]
    shared = view.shape[0] == 1
    bits = np.uint64(0)
    for i in range(s.size):
        state = np.int64(s[i])
        if state < 0 or state >= n_states[i]:
            return False
        code = view[0 if shared else i, state]
        codes[i] = code
        if i % 2 == 0:
            bits = draw(stream)
        u = np.float32(bits >> np.uint64(40)) * np.float32(2.0**-24)
        bits <<= np.uint64(32)
        chosen = 0
        for k in range(width - 1):
            chosen += u >= cumulative[i, code, k]
        a[i] = chosen
    return True


def uniform_policy(env: CodedEnv) -> Array:
    """pi_i(a | s_i) = 1 / n_actions[i], as a table (n, S, A)."""
    networked(env)
    shape = (env.n_agents, int(env.n_states.max()), int(env.n_actions.max()))
    real = np.arange(shape[2]) < env.n_actions[:, None]
    return np.broadcast_to((real / env.n_actions[:, None])[:, None], shape).copy()


def cumulated(policy: Array, env: CodedEnv) -> Array:
    """The policy's table as sums over actions, without the last, (n, S, A - 1): what :func:`sample_batch` reads."""
    shape = (env.n_agents, int(env.n_states.max()), int(env.n_actions.max()))
    policy = numbers("the policy", policy)
    shaped("the policy", policy, shape, "agents, states, actions; it may belong to another network")
    own = np.arange(shape[1]) < env.n_states[:, None]
    beyond = own & ((policy > 0) & (np.arange(shape[2]) >= env.n_actions[:, None])[:, None]).any(2)
    for wrong, why in (
        (own & improper(policy), "is no probability law"),
        (beyond, "uses an action that the agent does not have"),
    ):
        if wrong.any():
            i, s = np.argwhere(wrong)[0]
            raise DataError(f"the policy of agent {i} in state {s} {why}: {policy[i, s].tolist()}")
    sums = np.cumsum(policy, axis=2)[:, :, :-1]
    last = (env.n_actions - 1)[:, None]  # never past the agent's own last action, whatever the rounding
    return np.where(np.arange(shape[2] - 1) < last[:, :, None], sums, np.inf)


def policy_returns(env: CodedEnv, policy: Array, *, discount: float = 1.0, seed: Seed = None) -> Array:
    """sum_t discount^t r_i(t) of each agent over one episode in each environment of the batch, (E, n).

    The environments draw from ``streams(seed, E)`` and the policy from others, so that two policies compared under one
    seed meet the same arrivals.
    """
    networked(env)
    if env.horizon is None:
        raise DataError("a return needs an episode's end; give the environment a horizon")
    discount = number("discount", discount, 0, 1)
    count = env.n_envs or 1
    if isinstance(seed, np.random.Generator):
        seed = int(seed.integers(2**63))
    given = (
        int(np.bitwise_xor.reduce(seed, axis=None))
        if isinstance(seed, np.ndarray) and seed.size and seed.dtype.kind in "iu"
        else seed
    )
    own = spawn(given, count, _APART)
    shape = (count, int(env.n_agents))
    sums, action, total = cumulated(policy, env), np.empty(shape, np.int64), np.zeros(shape)
    s, _ = answers.reset(env, seed=seed)
    for t in range(env.horizon):
        sample_batch(sums, as_states(env, s), action, own)
        s, r, *_ = answers.step(env, action if env.n_envs is not None else action[0])
        total += discount**t * as_rewards(env, r)
    return total


def as_states(env: CodedEnv, s: Any) -> Ints:
    """State codes of an environment, with the axis E, as (E, n) int64; DataError where they are not what it says of itself."""
    shape = (int(env.n_agents),) if env.n_envs is None else (int(env.n_envs), int(env.n_agents))
    return check_codes("state", s, np.asarray(env.n_states, np.int64), shape).reshape(-1, shape[-1])


def as_rewards(env: AgentNetwork, r: Any) -> Array:
    """Local rewards (E, n) of a step, with the axis E; DataError where they are not finite numbers, one an agent."""
    copies = getattr(env, "n_envs", None)
    shape = (int(env.n_agents),) if copies is None else (int(copies), int(env.n_agents))
    rewards = array_of("rewards", r)
    if rewards.shape != shape or rewards.dtype.kind not in "biuf":
        raise DataError(
            f"the environment gave rewards {rewards.dtype} of shape {rewards.shape}, and must give {shape} numbers, one an agent"
        )
    rewards = rewards.astype(np.float64).reshape(-1, shape[-1])
    if not np.isfinite(rewards).all():
        copy, agent = np.argwhere(~np.isfinite(rewards))[0]
        raise DataError(
            f"the environment gave agent {agent} the reward {rewards[copy, agent]} in copy {copy}; rewards are finite"
        )
    return rewards
