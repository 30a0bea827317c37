"""What actions act on and observations show, of any environment that a causal mask takes: units, variables and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.arrays import AnyArray, Ints
from ..base.checks import distinct, number
from ..envs.actions import Parts, expanded
from ..envs.protocols import ActsOnVariables, HasSeconds, HasUnits, counted, missing
from ..errors import DataError, NotApplicable
from ..representation.root_causes import RootCauseMask

NAMES = ("variables", "action_variables", "present", "cells")
ALONE = ("unit",)  # the name of the only unit where an environment tells of none


@dataclass(frozen=True)
class Sight:
    """variables: V names; units: D names, or None where the environment does not name them. unit, variable: (A,) what each
    action acts on, -1 for none."""

    core: Any
    variables: tuple[str, ...]
    units: tuple[str, ...] | None
    unit: Ints
    variable: Ints
    rule: RootCauseMask | None
    "reads presence by the user's own functions; None: the environment counts"

    @staticmethod
    def of(who: str, core: Any, space: Any, told: dict[str, Any]) -> Sight:
        """From the unwrapped environment, and where it does not count from what is told (see NAMES); else NotApplicable."""
        parts, told = Parts.of(space), {name: told.get(name) for name in NAMES}
        counts = isinstance(core, ActsOnVariables)
        if not counts and all(value is None for value in told.values()):
            raise NotApplicable(
                f"{who} reads {', '.join(missing(core, ActsOnVariables))} of env.unwrapped, and "
                f"{type(core).__name__} has none: counts(obs) -> (units, variables), the names of the variables, and for "
                "every action its unit and its variable; or give variables, action_variables, and present or cells, as to "
                "CausalMask"
            )
        if counts:
            kinds = expanded(core.action_variables, parts, "action_variables")
            units = expanded(core.action_units, parts, "action_units")
            named = tuple(map(str, core.units)) if isinstance(core, HasUnits) else None
            return Sight(
                core, distinct("variables", core.variables), named, np.where(kinds < 0, -1, units), kinds, None
            )
        for name in ("variables", "action_variables"):
            told[name] = getattr(core, name, None) if told[name] is None else told[name]
            if told[name] is None:
                raise DataError(f"{type(core).__name__} has no attribute {name!r}, so give {name}=")
        kinds = expanded(told["action_variables"], parts, "action_variables")
        variables = distinct("variables", told["variables"])
        rule = RootCauseMask(
            None, variables=variables, action_variables=kinds, present=told["present"], cells=told["cells"]
        )
        return Sight(core, variables, ALONE, np.where(kinds < 0, -1, 0), kinds, rule)

    @property
    def topology(self) -> Any:
        """The links between the units, or None."""
        return self.core.topology if self.rule is None and isinstance(self.core, HasUnits) else None

    @property
    def seconds(self) -> float:
        """What a step takes; 1 where that is not told."""
        return number("step_seconds", self.core.step_seconds, above=0.0) if isinstance(self.core, HasSeconds) else 1.0

    def counts(self, obs: Any) -> AnyArray:
        """(D, V) how many of each variable an observation shows at each unit; presence as 0 and 1 without units."""
        if self.rule is None:
            return counted(self.core, obs, int(self.unit.max(initial=-1)) + 1)
        return self.rule.present(obs)[None].astype(np.int64)

    def names(self, shape: Sequence[int]) -> tuple[str, ...]:
        """The units' names; numbers where none are told."""
        if self.units is not None:
            return self.units
        return ALONE if shape[0] == 1 else tuple(f"unit{i}" for i in range(shape[0]))
