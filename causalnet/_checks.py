"""Checks of single arguments that several layers share; each gives the value back, or an error that is a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DataError, NotApplicable


def whole(name: str, value: Any, least: int) -> int:
    """``value`` as an int from ``least`` on; DataError for anything else, also for True and 3.0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise DataError(f"{name} is a whole number from {least} on, got {value!r}")
    return int(value)


def discrete_env(what: str, env: Any) -> Any:
    """``env``; NotApplicable unless it is one Gymnasium environment with a finite set of actions."""
    import gymnasium

    if not isinstance(env, gymnasium.Env):
        several = isinstance(env, gymnasium.vector.VectorEnv)
        hint = "one copy, not a vector of them" if several else "such as gymnasium.make(id)"
        raise NotApplicable(f"{what} needs a Gymnasium environment, {hint}; got {env!r}")
    if not isinstance(env.action_space, gymnasium.spaces.Discrete):
        raise NotApplicable(
            f"{what} needs a Discrete action space; this one has {env.action_space}: wrap the environment so that its "
            "actions are Discrete(n)"
        )
    return env
