"""Collect data by playing an environment under a behaviour policy.

Of a networked environment: any with the array contract of ``causalnet.envs.NetworkedEnv`` and states in codes; components are
those that it names (``components`` and ``component_names``), or the whole state as one called "state".
"""

from __future__ import annotations

from typing import Any

from ..base.doors import above
from ..errors import DataError


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
    return above("record")(env, policy, seed=seed, domain=domain, steps=steps)
