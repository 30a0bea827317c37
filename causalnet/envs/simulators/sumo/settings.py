"""How lights switch and how a run of SUMO is set."""

from __future__ import annotations

from dataclasses import dataclass

from ....base.checks import names, number
from ....errors import DataError


@dataclass(frozen=True)
class Signals:
    """Times are in seconds, lengths in metres."""

    interval: float = 10.0
    "time between two decisions; every light chooses a green phase at each"
    yellow: float = 3.0
    "a light that changes its phase shows yellow so long first, within the interval"
    reach: float = 150.0
    "queues are counted up to about so far from the stop line, across roads that join without a light"
    begin: float | None = None
    "start of an episode; None: as the configuration says"
    end: float | None = None
    "end of an episode; None: as the configuration says"
    teleport: float = -1.0
    "a vehicle that stood so long is taken out of its jam by the simulator; below 0: never"
    patience: float = 300.0
    "a simulator that does not answer for so long is stopped"
    options: tuple[str, ...] = ()
    'more of SUMO\'s own options, such as ("--lateral-resolution", "0.8")'

    def __post_init__(self) -> None:
        number("interval", self.interval, above=0)
        number("yellow", self.yellow, 0)
        if self.yellow >= self.interval:
            raise DataError(
                f"yellow is {self.yellow:g} s and the interval {self.interval:g} s; green must remain between"
            )
        number("reach", self.reach, 0)
        number("teleport", self.teleport)
        number("patience", self.patience, above=0)
        for name in ("begin", "end"):
            if getattr(self, name) is not None:
                number(name, getattr(self, name), 0)
        object.__setattr__(self, "options", names("options", self.options))
