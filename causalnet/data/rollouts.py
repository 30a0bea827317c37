"""Collect data by playing an environment under a behaviour policy.

Of a networked environment: any with the array contract of ``causalnet.envs.NetworkedEnv`` and states in codes; components are
those that it names (``components`` and ``component_names``), or the whole state as one called "state".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from ..base.arrays import Ints
from ..base.checks import function, whole
from ..base.doors import above
from ..errors import DataError
from .transitions import from_rollouts

Policy = Callable[[Ints, np.random.Generator], Ints]  # (s (E, n), rng) -> a (E, n)


def collect(
    env: Any,
    policy: Any = None,
    *,
    seed: int = 0,
    domain: str = "domain0",
    steps: int | None = None,
    **how: Any,
) -> Any:
    """Data from play: Transitions of a networked environment, Interactions or Transitions of a Gymnasium environment.

    Of a batch of networked environments (``n_envs``): one episode each, T_e trajectories of one domain. policy: (state
    codes (E, n), rng) -> actions (E, n); None draws uniformly among each agent's actions, so that every action is explored
    in every state. seed: decides all randomness. steps: length of an episode; None: ``env.horizon``.
    Of anything else, see :func:`causalnet.training.collect` for what ``policy``, ``steps`` and further arguments mean.
    """
    if getattr(env, "n_envs", None) is None:
        if isinstance(getattr(env, "n_agents", None), int):
            raise DataError(
                "collect needs a batch of environments: build it with n_envs = the number of trajectories, as in "
                f"gsac_grid(3, n_envs=20); got {type(env).__name__}"
            )
        return above("collect")(env, policy, seed=seed, domain=domain, steps=steps, **how)
    if how:
        raise DataError(f"collect of a networked environment has no argument {sorted(how)[0]!r}")
    function("policy", policy, "a function of the state codes and a Generator, or None")
    length = whole("steps", env.horizon if steps is None else steps, 1)
    if env.horizon is not None and length > env.horizon:
        raise DataError(f"steps is {length}, and episodes of this environment end after {env.horizon}; raise that")
    streams = np.random.SeedSequence(whole("seed", seed, 0)).spawn(2)
    rng = np.random.default_rng(streams[0])
    state, _ = env.reset(seed=int(streams[1].generate_state(1)[0]))
    shape = (env.n_envs, env.n_agents)
    split = getattr(env, "components", None) or (lambda s: np.asarray(s)[..., None])
    names = getattr(env, "component_names", ("state",))
    states, actions, rewards = [split(state)], [], []
    for _ in range(length):
        action = rng.integers(0, env.n_actions, shape) if policy is None else policy(state, rng)
        state, reward, *_rest = env.step(action)
        states.append(split(state))
        actions.append(action)
        rewards.append(reward)
    s, a, r = (np.stack(part, axis=1) for part in (states, actions, rewards))
    reaches = sparse.csr_matrix(sparse.csr_matrix(env.adjacency).T)  # row i: who reaches i
    return from_rollouts(s, a, r, reaches, domain=domain, components=names)
