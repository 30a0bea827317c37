"""Transitions from the play of a batch of networked environments: what the data's ``collect`` does with one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from ...base.arrays import AnyArray, Ints
from ...base.checks import array_of, function, whole
from ...data.transitions import Transitions, from_rollouts
from ...errors import DataError
from .. import answers
from .checks import check_adjacency, check_codes
from .identity import network
from .policies import as_rewards, as_states
from .protocols import CodedEnv

Policy = Callable[[Ints, np.random.Generator], Ints]  # (s (E, n), rng) -> a (E, n)


def record(env: CodedEnv, policy: Policy | None, *, seed: int, domain: str, steps: int | None) -> Transitions:
    """One episode in every copy; see :func:`causalnet.data.collect`."""
    network(env)
    function("policy", policy, "states, rng", "actions (E, n)")
    length = whole("steps", env.horizon if steps is None else steps, 1)
    if env.horizon is not None and length > env.horizon:
        raise DataError(f"steps is {length}, and episodes of this environment end after {env.horizon}; raise that")
    streams = np.random.SeedSequence(whole("seed", seed, 0)).spawn(2)
    rng = np.random.default_rng(streams[0])
    shape, kinds = (whole("n_envs", env.n_envs, 1), int(env.n_agents)), np.asarray(env.n_actions, np.int64)
    names = tuple(getattr(env, "component_names", ("state",)))
    s, _ = answers.reset(env, seed=int(streams[1].generate_state(1)[0]))
    states, actions, rewards = [_components(env, s, len(names))], [], []
    for _ in range(length):
        action = (
            rng.integers(0, kinds, shape) if policy is None else check_codes("action", policy(s, rng), kinds, shape)
        )
        s, reward, *_rest = answers.step(env, action)
        states.append(_components(env, s, len(names)))
        actions.append(action)
        rewards.append(as_rewards(env, reward))
    reaches = sparse.csr_matrix(check_adjacency(env.adjacency).T)  # row i: who reaches i
    path, moves, gains = (np.stack(part, axis=1) for part in (states, actions, rewards))
    return from_rollouts(path, moves, gains, reaches, domain=domain, components=names)


def _components(env: CodedEnv, s: AnyArray, many: int) -> AnyArray:
    """(E, n, c) the named components of states in codes."""
    states = as_states(env, s)
    split = getattr(env, "components", None)
    parts = states[..., None] if split is None else array_of("what components gives", split(states))
    if parts.shape != (*states.shape, many):
        raise DataError(
            f"components of {type(env).__name__} gives the shape {parts.shape}, and must give {(*states.shape, many)}: one "
            "number for each of component_names"
        )
    return parts
