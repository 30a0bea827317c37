"""The fault-alarm network as an array environment: a batch of independent copies, stepped together.

Each step repairs one cell (device, alarm type) of each copy and lets ``window`` seconds pass. E copies, D devices, V
types, C = D * V cells; cell and action numbers are device * V + type.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base import checks
from ...base.arrays import AnyArray, Array, Bools, Floats, Ints
from ...base.asked import asks
from ...base.checks import one_of, whole
from ...errors import CausalnetError, DataError
from . import state as plain
from .controls import oldest_kernel, oracle_kernel
from .files import load_instance
from .generate import generate_instance
from .instance import Instance
from .kernel import observe_kernel, reset_kernel, step_kernel

Observation = Literal["counts", "ages", "paper"]
MODES: Mapping[str, int] = {"counts": plain.COUNTS, "ages": plain.AGES, "paper": plain.PAPER}
MOST_ENVS, MOST_STEPS = 1_000_000, 1_000_000_000


class FaultAlarm:
    """Clear the alarms of a network with few repairs: reward (m - N') / m - step / max_steps at each step.

    N' alarms after the step, m those before it without the repaired cell's own (their removal earns nothing);
    the first term is 1 if N' or m is 0; rounded to two decimals. This is arXiv 2402.04869 as its code counts; the
    text divides by N, the alarms before the step, instead of m. An episode ends with no alarm left, or with more than
    ``max_alarms``; ``max_steps`` steps truncate it. A repair removes the cell's alarms with all that they caused.

    instance: a seed (an instance is generated), a folder, or an ``Instance``. hard: see ``Instance.harden``.
    n_devices: size of a generated instance, 50 by default.
    observation: "counts" (C) live alarms per cell; "ages" (2 C) per cell the seconds since the oldest alarm's start
    (zero where none; also for an alarm that starts after the clock, as children of transient alarms can) and the count;
    "paper" (2 C) per cell the newest alarm's raw start time and the count. Where times are seen, they are flattened
    from (D, V, 2) in C order, the time first.
    seed: of the first reset. A finished copy stays as it is, with reward 0, until it is reset: there is no autoreset.
    """

    def __init__(
        self,
        instance: int | str | Path | Instance = 0,
        *,
        n_envs: int = 1,
        observation: Observation = "counts",
        max_steps: int = 100,
        seed: int | None = None,
        hard: bool = False,
        n_devices: int | None = None,
    ) -> None:
        one_of("observation", observation, MODES)
        self.n_envs = whole("n_envs", n_envs, 1, MOST_ENVS)
        self.max_steps = whole("max_steps", max_steps, 1, MOST_STEPS)
        self.observation: Observation = observation
        self.instance = _instance(instance, checks.flag("hard", hard), n_devices)
        d, v, c = self.instance.n_devices, self.instance.n_types, self.instance.n_cells
        self.n_actions = c
        self.n_obs = c if observation == "counts" else 2 * c
        self.shape = (d, v)
        self.variables = self.instance.types
        self.action_variables = np.tile(np.arange(v), d)
        self.action_units = np.repeat(np.arange(d), v)
        rules = self.instance.rules
        slots = plain.room(rules, v)
        self._state = plain.new_state(self.n_envs, c, slots)
        self._sim = plain.Simulation(self.instance.tables, rules, self._state, plain.new_scratch(slots))
        self._seed: int | None = seed if seed is None else whole("seed", seed, 0)
        self._fresh = True
        # Freeing one large block tells the C allocator to keep blocks of a step's size instead of handing their pages
        # back to the system after every step, which costs more than the step itself.
        large = np.empty(4 * self.n_envs * (self.n_obs + 2 * c), np.float32)
        del large

    # ---- the loop -----------------------------------------------------------------------------------------

    @asks()
    def reset(
        self, seed: int | Sequence[int] | None = None, which: ArrayLike | None = None
    ) -> tuple[Floats, dict[str, AnyArray]]:
        """Start an episode in every copy, or in those of ``which`` (E,) bool: obs (E, n_obs), info {"counts"}.

        seed: copy e draws from stream e of the seed; a sequence of E seeds gives each copy stream 0 of its own, as
        in a batch of one. Without a seed every copy's stream goes on (drawn from the system at the very first).
        """
        chosen = self._which(which)
        if self._fresh and seed is None:
            seed = secrets.randbits(63) if self._seed is None else self._seed
        if seed is not None:
            for e in np.flatnonzero(chosen):
                self._state.random[e] = _stream(seed, int(e), self.n_envs)
        self._fresh = False
        self._raise(reset_kernel(self._sim, chosen))
        obs = np.empty((self.n_envs, self.n_obs), np.float32)
        observe_kernel(self._state, MODES[self.observation], obs)
        return obs, {"counts": self.counts_now()}

    def step(self, actions: ArrayLike) -> tuple[Floats, Array, Bools, Bools, dict[str, AnyArray]]:
        """Repair ``actions`` (E,): obs (E, n_obs), reward (E,), terminated (E,), truncated (E,), info.

        info: "counts" (E, D, V) alarms after the step; "started" those that began during it, "cleared" those that
        were repaired or ended in it: counts before + started - cleared = counts after.
        """
        acted = self._actions(actions)
        if self._state.done.all():
            what = "reset the environment first" if self._fresh else "every episode is over; call reset()"
            raise CausalnetError(f"there is nothing to step: {what}")
        e = self.n_envs
        reward, ended = np.empty(e), np.empty((2, e), np.bool_)
        change, obs = np.empty((3, e, self.n_actions), np.int16), np.empty((e, self.n_obs), np.float32)
        mode = MODES[self.observation]
        self._raise(step_kernel(self._sim, acted, self.max_steps, reward, ended, change, mode, obs))
        counts, started, cleared = change.reshape(3, e, *self.shape)
        return obs, reward, ended[0], ended[1], {"counts": counts, "started": started, "cleared": cleared}

    # ---- what may be read ----------------------------------------------------------------------------------

    @property
    def finished(self) -> Bools:
        """(E,) bool: episodes that are over (or never began)."""
        return self._state.done.copy()

    @property
    def clock(self) -> Array:
        """(E,) seconds since the network was switched on."""
        return self._state.clock.copy()

    def counts(self, obs: ArrayLike) -> Ints:
        """(..., D, V) live alarms per device and type, from observations (..., n_obs)."""
        array = checks.array_of("obs", obs)
        if array.shape[-1:] != (self.n_obs,):
            raise DataError(f"an observation of this environment has {self.n_obs} entries, got the shape {array.shape}")
        if not np.isfinite(array).all():
            raise DataError("the observation holds a value that is not a finite number")
        per_cell = array if self.observation == "counts" else array[..., 1::2]
        return per_cell.astype(np.int64).reshape(*array.shape[:-1], *self.shape)

    def counts_now(self) -> NDArray[np.int16]:
        """(E, D, V) live alarms."""
        return self._state.counts.reshape(self.n_envs, *self.shape).copy()

    def action_masks(self) -> Bools:
        """(E, A) bool: cells with an alarm; all of them where there is none."""
        present = self._state.counts > 0
        return present | ~present.any(axis=1, keepdims=True)

    def obs_high(self) -> Floats:
        """(n_obs,) upper bounds of an observation; the lower ones are 0."""
        rules = self.instance.rules
        most_alarms = rules.max_alarms + rules.initial_roots + self.instance.n_types + 2
        windows = plain.MAX_ROUNDS + self.max_steps + 1
        latest = rules.root_window + rules.warmup + windows * rules.window + plain.LONGEST * rules.mean_length
        if self.observation == "counts":
            return np.full(self.n_obs, most_alarms, np.float32)
        return np.tile(np.array([latest + rules.shortest, most_alarms], np.float32), self.n_actions)

    # ---- controls that see more than a learner may ---------------------------------------------------------

    def oracle(self) -> Ints:
        """(E,) a control, not for learners: an alarm that no live alarm caused, with the most live children."""
        return oracle_kernel(self._state)

    def oldest(self) -> Ints:
        """(E,) a control: the cell of the alarm that was seen first, ties broken at random; it knows no graph."""
        return oldest_kernel(self._state)

    # ---- checkpoints ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, AnyArray]:
        """Copies of all that the next steps depend on, as plain arrays (it holds what learners may not see)."""
        used = max(int(self._state.n.max()), 1)
        return {
            name: array[:, :used].copy() if name in plain.PER_ALARM else array.copy()
            for name, array in self._state._asdict().items()
        }

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Go on from ``state_dict()`` of an environment with the same instance, batch and settings."""
        own = self._state._asdict()
        checks.instance("state", state, Mapping, "what state_dict() gave")
        if set(state) != set(own):
            odd = ", ".join(sorted(set(state) ^ set(own)))
            raise DataError(f"the state does not fit this environment: {odd} missing or unknown")
        given = {name: np.asarray(state[name]) for name in own}
        used = given["cell"].shape[-1] if given["cell"].ndim == 2 else 0
        for name, array in given.items():
            want = (self.n_envs, used) if name in plain.PER_ALARM else own[name].shape
            if array.shape != want or array.dtype != own[name].dtype or used > own["cell"].shape[1]:
                raise DataError(
                    f"the state's {name} is {array.dtype} {array.shape}; this environment has {own[name].dtype} {want}"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise DataError(f"the state's {name} holds a value that is not a finite number")
        n, cell = given["n"], given["cell"]
        live = np.arange(used) < n[:, None]
        if n.min() < 0 or n.max() > used or not ((cell >= 0) & (cell < self.n_actions))[live].all():
            raise DataError("the state names more alarms than it holds, or cells that the instance does not have")
        if not ((given["father"] >= -1) & (given["father"] < np.arange(used)))[live].all():
            raise DataError("the state holds an alarm that stands before its father")
        for name, array in given.items():
            (own[name][:, :used] if name in plain.PER_ALARM else own[name])[...] = array
        self._fresh = False

    # ---- inside --------------------------------------------------------------------------------------------

    def _actions(self, actions: ArrayLike) -> Ints:
        array = checks.shaped("actions", checks.array_of("actions", actions), (self.n_envs,), "one for each copy")
        if array.dtype.kind not in "iu":
            raise DataError(f"actions are whole numbers device * {self.shape[1]} + type; got {array.dtype}")
        if array.min() < 0 or array.max() >= self.n_actions:
            odd = array[(array < 0) | (array >= self.n_actions)][0]
            raise DataError(f"the action {odd} is outside the space: 0 to {self.n_actions - 1}")
        return array.astype(np.int64, copy=False)

    def _which(self, which: ArrayLike | None) -> Bools:
        if which is None:
            return np.ones(self.n_envs, np.bool_)
        chosen = checks.array_of("which", which)
        if chosen.shape != (self.n_envs,) or chosen.dtype != np.bool_:
            raise DataError(f"which is a boolean per copy, shape ({self.n_envs},); got {chosen.dtype} {chosen.shape}")
        if self._fresh and not chosen.all():
            raise DataError("the first reset starts every copy: leave out which")
        return chosen

    def _raise(self, fault: int) -> None:
        if fault == plain.TOO_MANY:
            raise CausalnetError("one window started more alarms than can be held; lower the instance's rates alpha")
        if fault == plain.NEVER_ENOUGH:
            raise CausalnetError(
                f"after {plain.MAX_ROUNDS} windows the reset has not reached {self.instance.rules.initial_alarms} alarms; "
                "lower initial_alarms in the instance's rules, or raise its rates"
            )


def _instance(given: int | str | Path | Instance, hard: bool, n_devices: int | None) -> Instance:
    if isinstance(given, int | np.integer):
        size = 50 if n_devices is None else n_devices
        return generate_instance(int(given) if not isinstance(given, bool) else given, n_devices=size, hard=hard)
    if n_devices is not None:
        raise DataError("n_devices is the size of a generated instance; a given one has its own: leave it out")
    if isinstance(given, str | Path):
        given = load_instance(given)
    checks.instance("instance", given, Instance, "a seed, a folder or an Instance")
    return given.harden() if hard and not given.hard else given


def _stream(seed: int | Sequence[int], e: int, n_envs: int) -> AnyArray:
    """The start of copy e's random stream."""
    own, key = seed, e
    if isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str):
        if len(seed) != n_envs:
            raise DataError(f"{len(seed)} seeds for {n_envs} copies; give one seed, or one for each")
        own, key = seed[e], 0
    return np.random.SeedSequence(whole("seed", own, 0), spawn_key=(key,)).generate_state(4, np.uint64)
