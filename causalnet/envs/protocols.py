"""What an environment offers beside the interface of Gymnasium, and what code may ask of one that it does not know.

Each Protocol is asked with ``isinstance(env.unwrapped, ...)``; an environment of your own offers what it has as plain
attributes and methods, and inherits nothing. What networks of agents offer is told in ``networked``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import networkx as nx
import numpy as np

from ..base.arrays import AnyArray
from ..base.checks import array_of
from ..errors import DataError


@runtime_checkable
class ActsOnVariables(Protocol):
    """Every action acts on one variable of one unit, and observations show how many of each there are.

    variables: V names. action_variables, action_units: (A,) whole numbers, the variable (-1: none) and the unit that each
    action acts on. A causal mask and learning by doing read these.
    """

    variables: Sequence[str]
    action_variables: Any
    action_units: Any

    def counts(self, obs: Any) -> AnyArray:
        """(units, V) how many of each variable are live at each unit in an observation; 0 where there is none."""
        ...


@runtime_checkable
class HasSeconds(Protocol):
    """A step takes so many seconds; rates that are learned from its outcomes are per second."""

    step_seconds: float


@runtime_checkable
class HasUnits(Protocol):
    """units: the names of the places where variables live, in the order of ``counts``; topology: links between them."""

    units: Sequence[str]
    topology: nx.Graph


@runtime_checkable
class HasFingerprint(Protocol):
    """A text that two environments share iff they behave alike; what was learned in one goes on in no other."""

    fingerprint: str


def counted(env: ActsOnVariables, obs: Any, units: int = 0) -> AnyArray:
    """(D, V) what ``env.counts`` shows of an observation; DataError unless it holds numbers of so many units at least."""
    counts, v = array_of("counts(obs)", env.counts(obs)), len(env.variables)
    if counts.dtype.kind not in "biuf" or counts.ndim != 2 or counts.shape[0] < units or counts.shape[1] != v:
        raise DataError(
            f"counts(obs) is {counts.dtype} of shape {counts.shape}, and must hold numbers of {units} units or more x {v} variables"
        )
    if counts.dtype.kind == "f" and np.isnan(counts).any():
        raise DataError("counts(obs) holds NaN; a variable that shows nothing counts 0")
    return counts


def missing(env: Any, protocol: type) -> list[str]:
    """What an environment lacks of a Protocol, by name, in alphabetical order."""
    offered = {name for name in dir(protocol) if not name.startswith("_")} | set(protocol.__annotations__)
    return sorted(name for name in offered if getattr(env, name, None) is None)
