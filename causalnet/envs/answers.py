"""What environments answer to ``reset`` and ``step``: asked here, so that what is not the interface is refused in a sentence.

The interface is Gymnasium's, which networks of agents share: ``reset(seed=...)`` gives (observation, info), ``step(action)``
(observation, reward, terminated, truncated, info). What an environment raises itself goes on to its author as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any

import numpy as np

from ..base.arrays import Array
from ..base.checks import array_of, shown
from ..errors import DataError

INTERFACE = {
    "reset": "reset(seed=None) -> (observation, info)",
    "step": "step(action) -> (observation, reward, terminated, truncated, info)",
}
INFO = "; info is a dict, {} where there is nothing to tell"
CALLERS = ("causalnet", "gymnasium", "pettingzoo")
UNFIT = (
    "to unpack",
    "cannot unpack",
    "unexpected keyword argument",
    "positional argument",
    "keyword-only argument",
    "array element with a sequence",
    "Output array",
)
"""What Python says of a call, or of an answer, of another form than the caller expects."""


def reset(env: Any, **how: Any) -> tuple[Any, dict[str, Any]]:
    """The first observation, and the info; DataError for an answer of another form."""
    answer = _ask(env, "reset", (), how)
    if isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[1], dict):
        return answer[0], answer[1]
    raise DataError(_refused(env, "reset", answer) + INFO)


def step(env: Any, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """Observation, reward, terminated, truncated, info; DataError for an answer of another form."""
    answer = _ask(env, "step", (action,), {})
    if isinstance(answer, tuple | list) and len(answer) == 5 and isinstance(answer[4], dict):
        return answer  # type: ignore[return-value]
    old = isinstance(answer, tuple | list) and len(answer) == 4
    told = "; in place of done say apart whether it ended (terminated) or was cut off (truncated)" if old else INFO
    raise DataError(_refused(env, "step", answer) + told)


def finite_reward(reward: Any, where: str) -> float:
    """The reward as a float; DataError if it is NaN or infinite, or no number."""
    try:
        value: Any = float(reward)
    except (TypeError, ValueError):
        value = shown(reward)
    if isinstance(value, str) or not math.isfinite(value):
        raise DataError(f"{where}: the reward is {value}; repair the environment that returned it")
    return value


def finite_rewards(rewards: Any, n: int, where: str) -> Array:
    """(n,) of as many copies."""
    given = array_of(f"{where}: rewards", rewards)
    if given.shape != (n,):
        raise DataError(f"{where}: the rewards are of shape {given.shape}, and must be ({n},), one a copy")
    if given.dtype.kind in "biuf" and np.isfinite(given).all():
        return given.astype(np.float64)
    return np.array([finite_reward(reward, f"{where}, copy {i}") for i, reward in enumerate(given)])


def ends(terminated: Any, truncated: Any, shape: tuple[int, ...] = ()) -> tuple[Any, Any]:
    """Whether each episode ended, and whether it was cut off: (*shape) bools each, or one for all of them."""
    if shape == () and type(terminated) is bool and type(truncated) is bool:
        return terminated, truncated
    found = []
    for name, value in (("terminated", terminated), ("truncated", truncated)):
        array = array_of(name, value)
        if array.dtype != np.bool_ or array.shape != shape:
            fits = array.dtype.kind in "biuf" and array.shape in ((), shape) and np.isin(array, (0, 1)).all()
            if not fits:
                raise DataError(
                    f"{name} is {shown(value)}, and must be {f'{shape} bools' if shape else 'True or False'}"
                )
            array = np.broadcast_to(array.astype(bool), shape)
        found.append(array if shape else bool(array))
    return found[0], found[1]


def _ask(env: Any, name: str, args: tuple[Any, ...], how: Mapping[str, Any]) -> Any:
    """The answer; DataError where the call itself does not fit, here or in a wrapper of Gymnasium's."""
    try:
        return getattr(env, name)(*args, **how)
    except (TypeError, ValueError) as error:
        if not any(words in str(error) for words in UNFIT) or not _is_callers(error):
            raise
        raise DataError(
            f"{name} of {_core(env)} is not {INTERFACE[name]} ({error}); write it so, or wrap it in what does"
        ) from error


def _is_callers(error: Exception) -> bool:
    """Was it raised in calling the environment, and not within?"""
    frames = [str(frame.f_globals.get("__name__")).partition(".")[0] for frame, _ in walk_tb(error.__traceback__)]
    while frames[-1] == "numpy":  # which copies of an environment are put together by
        frames.pop()
    return frames[-1] in CALLERS


def _refused(env: Any, name: str, answer: Any) -> str:
    told = f"{len(answer)} values" if isinstance(answer, tuple | list) else shown(answer)
    return f"{name} of {_core(env)} returned {told}, and must be {INTERFACE[name]}"


def _core(env: Any) -> str:
    return type(getattr(env, "unwrapped", env)).__name__
