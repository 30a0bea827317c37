"""Which actions an environment allows now: one reader of the three places where environments say so.

A mask is (A,) bools, or zeros and ones, one entry an action. It is looked for, in this order, in

1. ``info["action_mask"]``: it came with this very observation, and a wrapper that narrows it writes its own there;
2. ``env.action_masks()``, as sb3-contrib has it: the state that the environment is in now, of the outermost wrapper;
3. ``obs["action_mask"]``, of an observation that is a dict.

The first that is there counts, in training, evaluation and ``CausalMask`` alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..base.arrays import Bools
from ..errors import DataError

KEY = "action_mask"


class MaskReader:
    """Reads the mask of the state that an environment is in; None where it offers none."""

    def __init__(self, env: Any) -> None:
        self.n_actions = int(env.action_space.n)
        self.method = method_of(env, "action_masks")

    def __call__(self, obs: Any, info: Mapping[str, Any], where: str = "", *, last: bool = False) -> Bools | None:
        """(A,) bool, a fresh copy. where: begins an error. last: no action follows, so the mask may allow none."""
        if KEY in info:
            source, value = f'info["{KEY}"]', info[KEY]
        elif self.method is not None:
            source, value = "action_masks()", self.method()
        elif isinstance(obs, dict) and KEY in obs:
            source, value = f'obs["{KEY}"]', obs[KEY]
        else:
            return None
        what = f"{where}{': ' if where else ''}the action mask of the environment's {source}"
        return as_mask(value, self.n_actions, what, "biuf") if last else some_mask(value, self.n_actions, what)


def mask_of(env: Any, obs: Any, info: Mapping[str, Any]) -> Bools:
    """(A,) bool: the mask that an environment offers in its info, as a method, or in its observation; else all True."""
    mask = MaskReader(env)(obs, info)
    return np.ones(int(env.action_space.n), dtype=bool) if mask is None else mask


def as_mask(value: Any, n: int, what: str, kinds: str = "biu") -> Bools:
    """A fresh (n,) bool copy of bools, or of numbers that are all 0 or 1; DataError, which begins with ``what``.

    kinds: of numpy's dtypes that may stand for bools; "biuf" where what is read can be no amount, so that 1.0 is True.
    """
    array = np.array(value)
    if array.shape != (n,):
        raise DataError(f"{what} has shape {array.shape}, and {(n,)} is needed: one bool for every entry")
    if array.dtype == np.bool_:
        return array
    wrong = (array != 0) & (array != 1) if array.dtype.kind in kinds else np.ones(n, dtype=bool)
    if wrong.any():
        shown = f" such as {array[wrong].max()}" if array.dtype.kind in "iuf" else ""
        raise DataError(
            f"{what} holds {array.dtype} values{shown}, and bools (or the integers 0 and 1) are needed; write counts > 0"
        )
    return array.astype(np.bool_)


def some_mask(value: Any, n: int, what: str) -> Bools:
    """:func:`as_mask` of a state in which an action must follow: DataError too if nothing is allowed."""
    mask = as_mask(value, n, what, "biuf")
    if not mask.any():
        raise DataError(
            f"{what} allows no action; say what an empty mask means (for CausalMask: the argument `empty`), or end the "
            "episode there"
        )
    return mask


def method_of(env: Any, name: str) -> Any:
    """The callable of that name in the stack of wrappers, or None."""
    found = env.get_wrapper_attr(name) if env.has_wrapper_attr(name) else None
    return found if callable(found) else None
