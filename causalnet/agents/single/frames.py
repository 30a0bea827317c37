"""Where experience is kept: a ring of states in which a transition is a state with an action, and points at its successor.

Of one environment the successor stands in the next row; copies of it put a block of rows down at each step. Each state is stored once, as bytes while all of them are whole numbers from 0 to 255 (counts are), else as float32.
Masks are packed, eight actions a byte. Both kinds of learner use it: one as a replay buffer, the other as its rollout.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.arrays import AnyArray, Array, Bools, Floats, Ints
from ...errors import DataError

_START = 1024  # rows allocated at first; doubled until `capacity`


class Frames:
    """States x (n_obs,), masks, and for each state the action taken there (-1: none), its reward, and if it ended all.

    parts: of an action that has several, each a number; rows of ``action`` are (parts,) then.
    """

    def __init__(self, capacity: int | None, n_obs: int, n_actions: int, masked: bool, parts: int = 1) -> None:
        self.capacity, self.n_actions, self.masked = capacity, n_actions, masked
        self.used, self.head = 0, -1  # rows in use; the newest row
        self.current: Ints = np.zeros(0, np.int64)
        "rows of the states that wait for an action, one a copy; used where there are several"
        rows = min(_START, capacity or _START)
        self._x: AnyArray = np.zeros((rows, n_obs), np.uint8)
        self._mask = np.zeros((rows, 0), np.uint8)
        if masked:
            self._keep_masks()
        self.action = np.full((rows, parts) if parts > 1 else rows, -1, np.int64)
        self.follows = np.zeros(rows, np.int64)
        self.reward = np.zeros(rows, np.float64)
        self.terminated = np.zeros(rows, np.bool_)

    def begin(self, x: Floats, mask: Bools | None) -> None:
        """Put the first state of an episode down; without a mask every action counts as allowed."""
        self.head += 1
        if self.head == self.capacity:
            self.head = 0
        elif self.head == len(self.action):
            self._grow()
        if mask is not None and not self.masked:  # an environment may offer its masks in its info alone
            self._keep_masks()
        self.used = max(self.used, self.head + 1)
        self._put(self.head, x)
        self.action[self.head], self.reward[self.head], self.terminated[self.head] = -1, 0.0, False
        self.follows[self.head] = 0
        if self.masked:
            self._mask[self.head] = 255 if mask is None else np.packbits(mask)

    def add(self, action: int, reward: float, terminated: bool, x: Floats, mask: Bools | None) -> None:
        """Note what was done in the newest state, and put its successor x down."""
        here = self.head
        self.begin(x, mask)
        self.action[here], self.reward[here], self.terminated[here] = action, reward, terminated
        self.follows[here] = self.head

    def begin_all(self, x: Floats, masks: Bools | None) -> Ints:
        """The first states x (E, n_obs) of an episode each; the rows they stand in, (E,)."""
        if masks is not None and not self.masked:
            self._keep_masks()
        n = len(x)
        if self.capacity is not None and 4 * n > self.capacity:
            raise DataError(f"buffer_size={self.capacity} is too small for {n} copies; write at least {4 * n}")
        while self.head + n >= len(self.action) and (self.capacity is None or len(self.action) < self.capacity):
            self._grow()
        rows = np.arange(self.head + 1, self.head + 1 + n)
        if self.capacity is not None:
            rows %= self.capacity
        self.head = int(rows[-1])
        self.used = max(self.used, int(rows.max()) + 1)
        self._put(rows, x)
        self.action[rows], self.reward[rows], self.terminated[rows], self.follows[rows] = -1, 0.0, False, 0
        if self.masked:
            self._mask[rows] = 255 if masks is None else np.packbits(masks, axis=1)
        return rows

    def add_all(
        self, action: Ints, reward: Array, terminated: Bools, x: Floats, masks: Bools | None, copies: Ints
    ) -> None:
        """Note what the ``copies`` did in their states (-1: nothing to learn from), and put the successors x down, a row each."""
        here = self.current[copies]
        rows = self.begin_all(x, masks)
        self.action[here], self.reward[here], self.terminated[here] = action, reward, terminated
        self.follows[here] = self.current[copies] = rows

    def acted(self, rows: Any = None) -> Bools:
        """Which rows (None: all in use) hold a transition."""
        action = self.action[: self.used] if rows is None else self.action[rows]
        return (action if action.ndim == 1 else action[:, 0]) >= 0

    def clear(self) -> None:
        """Forget everything but the newest state, of each copy."""
        kept = self.current if len(self.current) else np.array([self.head] if self.head >= 0 else [], np.int64)
        n = len(kept)
        self._x[:n], self._mask[:n] = self._x[kept], self._mask[kept]
        self.action[:n], self.reward[:n], self.terminated[:n], self.follows[:n] = -1, 0.0, False, 0
        self.used, self.head = n, n - 1
        self.current = np.arange(len(self.current))

    def sample(self, n: int, rng: np.random.Generator) -> Ints:
        """n rows that hold a transition, uniformly and with repetition."""
        rows = rng.integers(self.used, size=n)
        while (empty := ~self.acted(rows)).any():
            rows[empty] = rng.integers(self.used, size=int(empty.sum()))
        return rows

    def after(self, rows: Ints) -> Ints:
        """The rows of the successors."""
        return self.follows[rows]

    def states(self, rows: Ints | slice) -> AnyArray:
        """(len, n_obs), uint8 or float32."""
        return self._x[rows]

    def masks(self, rows: Ints | slice) -> Bools | None:
        """(len, A) bool, or None when nothing is masked."""
        if not self.masked:
            return None
        return np.unpackbits(self._mask[rows], axis=1, count=self.n_actions).view(np.bool_)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Everything that is kept, for a checkpoint."""
        n = slice(0, self.used)
        return {
            "x": self._x[n],
            "mask": self._mask[n],
            "action": self.action[n],
            "reward": self.reward[n],
            "terminated": self.terminated[n],
            "head": np.array(self.head),
            "follows": self.follows[n],
            "current": self.current,
        }

    def from_arrays(self, arrays: dict[str, AnyArray]) -> None:
        """Take back what ``to_arrays`` gave."""
        self.used, self.head = len(arrays["action"]), int(arrays["head"])
        while len(self.action) < self.used:
            self._grow()
        self._x = self._x.astype(arrays["x"].dtype)
        if arrays["mask"].shape[1]:
            self._keep_masks()
        n = slice(0, self.used)
        self._x[n], self._mask[n], self.action[n] = arrays["x"], arrays["mask"], arrays["action"]
        self.reward[n], self.terminated[n] = arrays["reward"], arrays["terminated"]
        below = np.arange(1, self.used + 1) % (self.capacity or self.used + 2)  # of a file without them: the next row
        self.follows[n], self.current = arrays.get("follows", below), arrays.get("current", self.current)

    def _keep_masks(self) -> None:
        """Room for masks; whatever is there already allowed every action."""
        self.masked = True
        self._mask = np.full((len(self._mask), -(-self.n_actions // 8)), 255, np.uint8)

    def _put(self, row: Any, x: Floats) -> None:
        if self._x.dtype == np.uint8:
            with np.errstate(invalid="ignore"):
                small = x.astype(np.uint8)
            if not np.array_equal(small, x):
                self._x = self._x.astype(np.float32)
        self._x[row] = x

    def _grow(self) -> None:
        rows = 2 * len(self.action) if self.capacity is None else min(2 * len(self.action), self.capacity)

        def longer(old: AnyArray) -> AnyArray:
            new = np.zeros((rows, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            return new

        self._x, self._mask, self.action = longer(self._x), longer(self._mask), longer(self.action)
        self.follows = longer(self.follows)
        self.reward, self.terminated = longer(self.reward), longer(self.terminated)
