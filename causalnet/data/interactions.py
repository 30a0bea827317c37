"""Interactions: what was seen before and after each action on one variable of one unit, validated and frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..base.arrays import AnyArray, Array, Bools, Ints
from ..base.checks import distinct
from ..errors import DataError, NotApplicable, nearest
from .kinds import data_kind
from .sealed import Sealed, freeze
from .topology import checked_topology, links

NOTHING = -1  # the unit and the variable of a row in which nothing was acted on


@data_kind
class Interactions(Sealed):
    """T actions on V variables of D units (devices, agents; one unit is enough), in the order they happened.

    before, after: (T, D, V) whole numbers from 0 on, how many alarms (or which 0/1 state) each cell held.
    started, cleared: (T, D, V) what began and what ended meanwhile, before + started - cleared = after; when the log
        does not tell, leave both out: the net rise and the net fall stand in for them.
    unit, variable: (T,) the cell acted on, as codes (0 .. D-1, 0 .. V-1) or names; -1 or None, both together, in a row
        in which nothing was acted on. seconds: (T,) or one number.
    topology: networkx.Graph over the units; None when each unit stands alone.

    A row whose ``before`` is not the previous ``after`` opens a new run (an episode).
    Raises DataError, naming the row, for anything that cannot be right.
    """

    kind = "interactions"
    _frozen = ("interactions are", "build another Interactions(...)")

    def __init__(
        self,
        variables: Sequence[Any],
        units: Sequence[Any],
        before: ArrayLike,
        after: ArrayLike,
        *,
        unit: ArrayLike,
        variable: ArrayLike,
        started: ArrayLike | None = None,
        cleared: ArrayLike | None = None,
        seconds: ArrayLike = 1.0,
        topology: nx.Graph | None = None,
    ) -> None:
        self.variables, self.units = distinct("variables", variables), distinct("units", units)
        shape = (len(self.units), len(self.variables))
        self.before: Ints = _counts(before, "before", shape)
        self.after: Ints = _counts(after, "after", shape)
        if (started is None) != (cleared is None):
            raise DataError("started and cleared come together: give both, or leave both out")
        rise = self.after - self.before
        self.net = started is None
        self.started: Ints = freeze(np.maximum(rise, 0)) if started is None else _counts(started, "started", shape)
        self.cleared: Ints = freeze(np.maximum(-rise, 0)) if cleared is None else _counts(cleared, "cleared", shape)
        n = len(self.before)
        for name in ("after", "started", "cleared"):
            if len(getattr(self, name)) != n:
                raise DataError(f"before has {n} rows, but {name} has {len(getattr(self, name))}; one row an action")
        if n == 0:
            raise DataError("there is not one interaction to learn from")
        wrong = np.argwhere(self.started - self.cleared != rise)
        if len(wrong):
            t, d, v = wrong[0]
            raise DataError(
                f"row {t}: before + started - cleared must equal after, but unit {self.units[d]!r}, variable "
                f"{self.variables[v]!r} has {self.before[t, d, v]} + {self.started[t, d, v]} - "
                f"{self.cleared[t, d, v]} and not {self.after[t, d, v]}"
            )
        self.unit: Ints = codes(unit, self.units, "unit", n)
        self.variable: Ints = codes(variable, self.variables, "variable", n)
        half = np.flatnonzero((self.unit == NOTHING) != (self.variable == NOTHING))
        if len(half):
            raise DataError(
                f"row {half[0]} names a unit without a variable, or a variable without a unit; give both, or None for both "
                "where nothing was acted on"
            )
        self.seconds: Array = _positive(seconds, n)
        self.topology = checked_topology(topology, self.units)
        self._seal()

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables that a graph is learnt over."""
        return self.variables

    @property
    def n(self) -> int:
        """Number of actions."""
        return len(self.before)

    @property
    def d(self) -> int:
        """Number of variables."""
        return len(self.variables)

    def resample(self, rng: np.random.Generator) -> Interactions:
        """Refused: every row goes on from the one before."""
        raise NotApplicable(
            "the rows of an interaction log depend on one another and cannot be resampled; learn its graph on several "
            "logs instead"
        )

    def fingerprint_parts(self) -> Iterator[Any]:
        """Units, counts, what was acted on for how long, and the links."""
        yield from (self.units, self.before, self.after, self.started, self.cleared, self.unit, self.variable)
        yield from (self.seconds.astype(np.float32), links(self.topology, self.units))

    def frame(self) -> pd.DataFrame:
        """A fresh DataFrame, one row for each action and cell that held, started or cleared something or was acted on."""
        acted = np.zeros(self.before.shape, dtype=bool)
        some = np.flatnonzero(self.unit != NOTHING)
        acted[some, self.unit[some], self.variable[some]] = True
        at = np.nonzero(acted | (self.before + self.started + self.cleared > 0))
        cells = {"unit": np.array(self.units)[at[1]], "variable": np.array(self.variables)[at[2]]}
        counts = {name: getattr(self, name)[at] for name in ("before", "started", "cleared", "after")}
        return pd.DataFrame({"action": at[0], **cells, **counts, "acted": acted[at], "seconds": self.seconds[at[0]]})

    def __repr__(self) -> str:
        wired = "no topology" if self.topology is None else f"{self.topology.number_of_edges()} links"
        return f"Interactions({self.n} actions, {self.d} variables, {len(self.units)} units, {wired})"


def codes(given: ArrayLike, known: Sequence[str], what: str, n: int) -> Ints:
    """(n,) positions in ``known`` of codes or names, NOTHING for None and -1; DataError with the row for an unknown one."""
    array = _array(given, what)
    if array.shape != (n,):
        raise DataError(f"{what} has shape {array.shape}, expected ({n},): the {what} acted on, one for each row")
    if array.dtype.kind in "US" or array.dtype == object:
        index = {name: i for i, name in enumerate(known)}
        index |= {} if "None" in index else {"None": NOTHING}
        for row, name in enumerate(array):
            if str(name) not in index:
                raise DataError(f"row {row}: there is no {what} {str(name)!r}.{nearest(str(name), known)}")
        return freeze(np.array([index[str(name)] for name in array], dtype=np.int64))
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.floor(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise DataError(f"{what} holds {array.dtype} values; write codes 0 to {len(known) - 1} or names")
    bad = np.flatnonzero((array < NOTHING) | (array >= len(known)))
    if len(bad):
        raise DataError(f"row {bad[0]}: there is no {what} with code {array[bad[0]]}; they are 0 to {len(known) - 1}")
    return freeze(array.astype(np.int64))


def _array(given: ArrayLike, name: str) -> AnyArray:
    try:
        return np.asarray(given)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no array: {error}") from None


def _counts(given: ArrayLike, name: str, shape: tuple[int, int]) -> Ints:
    """A frozen (T, D, V) copy of whole numbers from 0 on; rows may come as (T, V) when there is one unit."""
    array = _array(given, name)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} holds {array.dtype} values; write counts: whole numbers from 0 on")
    if array.ndim == 2 and shape[0] == 1:
        array = array[:, None, :]
    if array.ndim != 3 or array.shape[1:] != shape:
        raise DataError(
            f"{name} has shape {np.shape(given)}, expected (rows, {shape[0]}, {shape[1]}) for {shape[0]} units and "
            f"{shape[1]} variables"
        )
    if array.dtype.kind == "f":
        _refuse(~np.isfinite(array), array, name, "is no number; drop the row or fill the state in")
        _refuse(array != np.floor(array), array, name, "is no whole number; write counts, or 0 and 1")
    _refuse(array < 0, array, name, "is negative; counts start at 0")
    return freeze(array.astype(np.int64))


def _refuse(bad: Bools, array: AnyArray, name: str, why: str) -> None:
    if bad.any():
        t, d, v = np.argwhere(bad)[0]
        raise DataError(f"row {t}: {name} of unit {d}, variable {v} is {array[t, d, v]}, which {why}")


def _positive(seconds: ArrayLike, n: int) -> Array:
    try:
        array = np.broadcast_to(np.asarray(seconds, dtype=np.float64), (n,))
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"seconds is one positive number, or {n}, one for each action; got {seconds!r}") from error
    bad = np.flatnonzero(~(np.isfinite(array) & (array > 0)))
    if len(bad):
        raise DataError(f"row {bad[0]}: an action took {array[bad[0]]} seconds; it must be a positive number")
    return freeze(array)
