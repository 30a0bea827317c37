"""The copies inside a vector environment: what they offer beside Gymnasium's interface, and how one of them is reset.

``gymnasium.make_vec`` gives a SyncVectorEnv (copies in this process), an AsyncVectorEnv (a process each) or a class of the
environment's own. The first two can reset single copies with a seed, in every autoreset mode: so each episode follows from
its number, as in one environment. A class of its own resets by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper

from ..errors import DataError

STATE = "mask_state"


def attribute(env: Any, name: str) -> Any:
    """What has that name in the wrappers of an environment, or of the first copy in a vector of them; None if nothing."""
    if not isinstance(env, VectorEnv):
        return env.get_wrapper_attr(name) if env.has_wrapper_attr(name) else None
    found = _of_vector(env, name)
    if found is not None:
        return found
    core = env.unwrapped
    if isinstance(core, SyncVectorEnv):
        return attribute(core.envs[0], name)
    if isinstance(core, AsyncVectorEnv) and core.call("has_wrapper_attr", name)[0]:
        return core.get_attr(name)[0]
    return getattr(core, name, None)


def method_of_copies(env: Any, name: str) -> Callable[[], Any] | None:
    """What asks every copy for a method's answer, or the vector for all of them at once; None where neither has it."""
    found = _of_vector(env, name)
    if callable(found):
        return found
    core = env.unwrapped
    if isinstance(core, SyncVectorEnv) and all(one.has_wrapper_attr(name) for one in core.envs):
        methods = [one.get_wrapper_attr(name) for one in core.envs]
        return (lambda: [method() for method in methods]) if all(map(callable, methods)) else None
    if isinstance(core, AsyncVectorEnv) and all(core.call("has_wrapper_attr", name)):
        return lambda: core.call(name)
    method = getattr(core, name, None)
    return method if callable(method) and not isinstance(core, SyncVectorEnv | AsyncVectorEnv) else None


def _of_vector(env: Any, name: str) -> Any:
    """An attribute that a wrapper of the whole vector has itself."""
    while isinstance(env, VectorWrapper):
        found = getattr(type(env), name, None) or vars(env).get(name)
        if found is not None:
            return getattr(env, name)
        env = env.env
    return None


def autoreset_mode(env: Any) -> AutoresetMode:
    """How the vector resets copies whose episode ended; DataError where its metadata do not say."""
    mode = env.metadata.get("autoreset_mode")
    try:
        return AutoresetMode(mode)
    except ValueError:
        raise DataError(
            f"{env} does not say how it resets a copy whose episode has ended: set metadata['autoreset_mode'] to a "
            "gymnasium.vector.AutoresetMode"
        ) from None


def resets_copies(env: Any) -> bool:
    """Can single copies be reset with a seed (``reset(seed=[...], options={"reset_mask": ...})``) whenever they end?"""
    core = env.unwrapped
    if isinstance(core, AsyncVectorEnv):  # its processes forget a reset that is due only where memory is shared
        return bool(core.shared_memory) or autoreset_mode(env) != AutoresetMode.NEXT_STEP
    return isinstance(core, SyncVectorEnv) or autoreset_mode(env) == AutoresetMode.DISABLED


def one_copy(env: Any) -> Any:
    """An environment as each copy is, to be asked and not played: the first, or one made anew where they are processes."""
    core = env.unwrapped
    if isinstance(core, SyncVectorEnv):
        return core.envs[0]
    if isinstance(core, AsyncVectorEnv):
        return core.env_fns[0]()
    return None


def copies_of(env: Any, one: Any) -> list[Any]:
    """The environments of a vector where they are in this process; else ``one`` for each."""
    core = env.unwrapped
    return list(core.envs) if isinstance(core, SyncVectorEnv) else [one] * int(env.num_envs)


def learned_state(env: Any) -> Any:
    """What the masks of an environment, or of each copy of a vector, have learned and drawn (``mask_state``); or None."""
    if not isinstance(env, VectorEnv):
        return attribute(env, STATE)
    found = _of_vector(env, STATE)
    if found is not None:
        return found
    core = env.unwrapped
    if isinstance(core, SyncVectorEnv):
        return [attribute(one, STATE) for one in core.envs] if attribute(env, STATE) is not None else None
    return (
        list(core.get_attr(STATE)) if isinstance(core, AsyncVectorEnv) and attribute(env, STATE) is not None else None
    )


def restore_state(env: Any, state: Any) -> None:
    """Give it back, where there is one and the environment has a place for it."""
    if state is None or attribute(env, STATE) is None:
        return
    if not isinstance(env, VectorEnv):
        if isinstance(state, dict):
            env.set_wrapper_attr(STATE, state)
        return
    wrapper = env
    while isinstance(wrapper, VectorWrapper):
        if getattr(type(wrapper), STATE, None) is not None:
            setattr(wrapper, STATE, state)
            return
        wrapper = wrapper.env
    if isinstance(state, list) and len(state) == env.num_envs:
        env.unwrapped.set_attr(STATE, state)
