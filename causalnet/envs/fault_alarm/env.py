"""``causalnet/FaultAlarm-v0``: repair a network whose alarms cause one another (arXiv 2402.04869), for Gymnasium.

Where the paper's text and its published code differ, the environment follows the code:

* alarms are point events with a constant hazard while their cause lives, not Poisson counts with a kernel (Eq. 27);
* A_k = (D^-1 A D^-1)^k, not D^-1/2 A D^-1/2, with hops 0 and 1 for "max hop 2"; alpha belongs to one hop;
* the reward divides by the alarms before the step without those of the repaired cell, not by all of them;
* grandchildren, too, may start at any time of the window, so a child can predate its father within one;
* an alarm that has ended is still seen once and goes, with all that it caused, at the end of the next step.

Two things are done differently: which of several simultaneous noise alarms is kept is drawn (the code always takes
the one that a fixed seed names), and the limit of 100 steps truncates the episode (the code treats it as neither
an end nor a truncation).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arrays import AnyArray, Bools, Floats, Ints
from ...base.asked import asks
from ...base.checks import one_of, whole
from ...errors import CausalnetError, DataError
from .core import FaultAlarm, Observation
from .instance import Instance


class FaultAlarmEnv(gymnasium.Env[Floats, int]):
    """Clear the alarms of one network with few repairs; see ``FaultAlarm`` for reward, observations and arguments.

    Action a = device * V + type. As :mod:`causalnet.envs.protocols` has it: ``variables`` (V,) and ``units`` (D,), the
    names of types and devices; ``topology``, links between devices; ``action_variables``, ``action_units`` (A,), the type
    and the device that an action repairs; ``step_seconds``. info: "counts", "started", "cleared", each (D, V); see
    ``FaultAlarm.step``.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(
        self,
        instance: int | str | Path | Instance = 0,
        *,
        observation: Observation = "counts",
        max_steps: int = 100,
        seed: int | None = None,
        hard: bool = False,
        n_devices: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None:
            one_of("render_mode", render_mode, ["rgb_array"])
        self.core = FaultAlarm(
            instance, observation=observation, max_steps=max_steps, seed=seed, hard=hard, n_devices=n_devices
        )
        self.render_mode = render_mode
        self.instance = self.core.instance
        self.units, self.topology = self.instance.devices, self.instance.topology
        self.step_seconds = self.instance.rules.window
        self.variables = self.core.variables
        self.action_variables = self.core.action_variables
        self.action_units = self.core.action_units
        self.action_space = gymnasium.spaces.Discrete(self.core.n_actions)
        high = self.core.obs_high()
        self.observation_space = gymnasium.spaces.Box(np.zeros_like(high), high, dtype=np.float32)
        self._action = np.zeros(1, np.int64)
        self._last: int | None = None

    @asks()
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Start an episode; ``seed`` restarts the random stream. There are no options."""
        super().reset(seed=seed)
        if options:
            raise DataError(f"the environment's reset has no options, got {', '.join(map(str, options))}")
        obs, info = self.core.reset(seed)
        self._last = None
        return obs[0], {name: array[0] for name, array in info.items()}

    def step(self, action: int) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Repair cell ``action`` and let one window pass."""
        if isinstance(action, np.ndarray) and action.ndim == 0:
            action = action[()]
        what = f"the action, device * {len(self.variables)} + type,"
        self._action[0] = self._last = whole(what, action, 0, self.core.n_actions - 1)
        obs, reward, terminated, truncated, info = self.core.step(self._action)
        row = {name: array[0] for name, array in info.items()}
        return obs[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), row

    @property
    def fingerprint(self) -> str:
        """What a checkpoint of an agent keeps, so that it is not continued on another instance."""
        return self.instance.fingerprint

    def counts(self, obs: ArrayLike) -> Ints:
        """(..., D, V) live alarms per device and type, from observations (..., n_obs)."""
        return self.core.counts(obs)

    def action_masks(self) -> Bools:
        """(A,) bool: cells with an alarm; all of them where there is none."""
        return self.core.action_masks()[0]

    def oracle(self) -> int:
        """A control, not for learners: the cell of a causeless alarm with the most live children."""
        return int(self.core.oracle()[0])

    def oldest(self) -> int:
        """A control: the cell of the alarm that was seen first."""
        return int(self.core.oldest()[0])

    def state_dict(self) -> dict[str, AnyArray]:
        """Copies of all that the next steps depend on, as plain arrays."""
        return self.core.state_dict()

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Go on from ``state_dict()`` of an environment with the same instance and settings."""
        self.core.load_state_dict(state)

    def render(self) -> NDArray[np.uint8] | None:
        """A frame (H, W, 3): devices on the topology with their alarms, one colour a type; None without a render mode."""
        if self.render_mode is None:
            raise CausalnetError("nothing is drawn: make the environment with render_mode='rgb_array'")
        from .render import draw_frame

        return draw_frame(self.core, self._last)
