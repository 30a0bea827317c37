"""Which actions an environment allows now: one reader of the three places where environments say so.

A mask is (A,) bools, or zeros and ones, one entry an action (a column, see ``actions``). It is looked for, in this order, in

1. ``info["action_mask"]``: it came with this very observation, and a wrapper that narrows it writes its own there;
2. ``env.action_masks()``, as sb3-contrib has it: the state that the environment is in now, of the outermost wrapper;
3. ``obs["action_mask"]``, of an observation that is a dict.

The first that is there counts, in training, evaluation and ``CausalMask`` alike, of one environment and of each copy of a
vector of them, where all masks are (E, A).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..base.arrays import Bools
from ..base.checks import array_of, function
from ..errors import DataError
from .actions import Parts
from .copies import method_of_copies

KEY = "action_mask"


class MaskReader:
    """Reads the mask of the state that an environment is in; None where it offers none."""

    def __init__(self, env: Any) -> None:
        self.parts = Parts.of(env.action_space)
        self.n_actions = self.parts.n
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
        if last:
            return as_mask(value, self.n_actions, what, "biuf")
        return some_mask(value, self.parts, what)


class VectorMaskReader:
    """The same for the copies of a vector environment, all at once."""

    def __init__(self, env: Any) -> None:
        self.parts, self.n_envs = Parts.of(env.single_action_space), int(env.num_envs)
        self.method = method_of_copies(env, "action_masks")

    def __call__(
        self, obs: Any, info: Mapping[str, Any], where: str, live: Bools | None = None, asked: Bools | None = None
    ) -> Bools | None:
        """(E, A) bool, a fresh copy, True in the rows not asked for; None where no copy offers a mask.

        live: (E,) the copies in which an action follows (None: all), whose mask must allow one. asked: (E,) whose masks
        are wanted (None: all).
        """
        shape = (self.n_envs, self.parts.n)
        asked = np.ones(self.n_envs, dtype=bool) if asked is None else asked
        told, masks = np.zeros(self.n_envs, dtype=bool), np.ones(shape, dtype=bool)
        sources = (
            (f'info["{KEY}"]', lambda: info.get(KEY)),
            ("action_masks()", lambda: None if self.method is None else self.method()),
            (f'obs["{KEY}"]', lambda: obs.get(KEY) if isinstance(obs, dict) else None),
        )
        for source, read in sources:
            open_ = asked & ~told
            value = read() if open_.any() else None
            if value is None:
                continue
            if source.startswith("info"):
                open_ &= np.asarray(info.get(f"_{KEY}", True))
            what = f"{where}: the action mask of the environment's {source}"
            rows = np.flatnonzero(open_)
            given = value if isinstance(value, np.ndarray) and value.dtype != object else list(value)
            masks[rows] = _bools([given[i] for i in rows], (len(rows), shape[1]), what, "biuf")
            told |= open_
            follows = rows if live is None else rows[live[rows]]
            if not self.parts.choosable(masks[follows]):
                _refuse_empty(masks[follows], self.parts, what)
        return masks if told.any() else None


def mask_of(env: Any, obs: Any, info: Mapping[str, Any]) -> Bools:
    """(A,) bool: the mask that an environment offers in its info, as a method, or in its observation; else all True."""
    read = MaskReader(env)
    mask = read(obs, info)
    return np.ones(read.n_actions, dtype=bool) if mask is None else mask


def as_mask(value: Any, n: int, what: str, kinds: str = "biu") -> Bools:
    """A fresh (n,) bool copy of bools, or of numbers that are all 0 or 1; DataError, which begins with ``what``.

    kinds: of numpy's dtypes that may stand for bools; "biuf" where what is read can be no amount, so that 1.0 is True.
    """
    return _bools(array_of(what, value), (n,), what, kinds)


def some_mask(value: Any, parts: Parts, what: str) -> Bools:
    """:func:`as_mask` of a state in which an action must follow: DataError too if nothing is allowed."""
    mask = as_mask(value, parts.n, what, "biuf")
    if not parts.choosable(mask):
        _refuse_empty(mask, parts, what)
    return mask


def _refuse_empty(mask: Bools, parts: Parts, what: str) -> None:
    several = len(parts.sizes) > 1
    empty = np.argwhere(~parts.each(np.atleast_2d(mask)))[0]
    raise DataError(
        f"{what} allows no action{f' of part {empty[1]}' if several else ''}; say what an empty mask means (for CausalMask: "
        "the argument `empty`), or end the episode there"
    )


def _bools(value: Any, shape: tuple[int, ...], what: str, kinds: str) -> Bools:
    array = np.array(value)
    if array.shape != shape:
        raise DataError(f"{what} has shape {array.shape}, and {shape} is needed: one bool for every entry")
    if array.dtype == np.bool_:
        return array
    wrong = (array != 0) & (array != 1) if array.dtype.kind in kinds else np.ones(shape, dtype=bool)
    if wrong.any():
        shown = f" such as {array[wrong].max()}" if array.dtype.kind in "iuf" else ""
        raise DataError(
            f"{what} holds {array.dtype} values{shown}, and bools (or the integers 0 and 1) are needed; write counts > 0"
        )
    return array.astype(np.bool_)


def method_of(env: Any, name: str) -> Any:
    """The callable of that name in the stack of wrappers, or None."""
    found = env.get_wrapper_attr(name) if env.has_wrapper_attr(name) else None
    return function(f"{name} of the environment", found, "") if callable(found) else None
