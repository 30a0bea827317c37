"""Which experiment a row comes from, and which variables were acted on there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools, Codes, Ints
from ..base.checks import known, names
from ..errors import DataError
from .findings import Findings, Trouble
from .sealed import freeze

MOST = 1000  # regimes
LEAST = 2  # rows of a regime: centring leaves nothing of one
NAMED = 5  # regimes named in a sentence

DEMANDS = (
    "regimes",
    "regimes of categories",
    "regimes of categories with unknown targets",
    "regimes with missing cells",
)  # what a table with regimes asks of a method

Targets = tuple[tuple[str, ...] | None, ...]


@dataclass(frozen=True, eq=False)
class Regimes:
    """The regimes of a table's rows. column: what they were read from. labels: r names. code: (n,) int32, read-only, the regime of each row.

    targets: of each regime the variables that were acted on there, () where none was, None where that is not known.
    """

    column: str
    labels: tuple[str, ...]
    code: Codes
    targets: Targets

    @property
    def unknown(self) -> tuple[str, ...]:
        """The regimes of which the targets are not known."""
        return tuple(label for label, on in zip(self.labels, self.targets, strict=True) if on is None)

    @property
    def sizes(self) -> Ints:
        """(r,) rows of each regime."""
        return np.bincount(self.code, minlength=len(self.labels))

    def acted_on(self, columns: Sequence[str]) -> Bools:
        """(r, d) bool: was the variable a target in the regime? No, where the targets are not known."""
        return np.array([[on is not None and name in on for name in columns] for on in self.targets], dtype=bool)

    def rows(self) -> list[Ints]:
        """The rows of each regime, ascending."""
        order = np.argsort(self.code, kind="stable")
        return np.split(order, np.cumsum(self.sizes)[:-1])

    def take(self, rows: Ints) -> Regimes:
        """The regimes of the given rows; those that have none of them are left out."""
        kept, code = np.unique(self.code[rows], return_inverse=True)
        labels, targets = (tuple(part[k] for k in kept) for part in (self.labels, self.targets))
        return Regimes(self.column, labels, freeze(code.astype(np.int32)), targets)

    def resample(self, rng: np.random.Generator) -> Ints:
        """(n,) rows drawn with repeats, as many of each regime as there are, in the places of its rows."""
        drawn = np.empty(len(self.code), np.int64)
        for own in self.rows():
            drawn[own] = own[rng.integers(0, len(own), len(own))]
        return drawn

    def part(self, rng: np.random.Generator, share: float) -> Ints:
        """A share of the rows of each regime, at least two, each once, in ascending order."""
        parts = [rng.permutation(own)[: max(2, round(share * len(own)))] for own in self.rows()]
        return np.sort(np.concatenate(parts))

    def told(self) -> str:
        """What the column says, in a sentence."""
        parts = [
            f"{label!r} ({size} rows, {_acts(on)})"
            for label, size, on in zip(self.labels, self.sizes, self.targets, strict=True)
        ]
        more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
        return f"{self.column!r} tells the {len(parts)} regimes of the rows: {', '.join(parts[:NAMED])}{more}"

    def __repr__(self) -> str:
        return f"Regimes({self.column!r}, {len(self.labels)} regimes)"

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.code.setflags(write=False)


class Asked(NamedTuple):
    """The column of the regimes, and {regime: variables} acted on there, None where no targets are known."""

    column: str
    targets: Mapping[Any, Any] | None


def _acts(on: tuple[str, ...] | None) -> str:
    return "targets not known" if on is None else f"acts on {', '.join(map(repr, on))}" if on else "acts on nothing"


def split_regimes(frame: pd.DataFrame, asked: Asked, found: Findings) -> tuple[pd.DataFrame, Regimes]:
    """The frame without the column of the regimes, and the regimes; DataError, in a sentence, for what cannot be one."""
    columns = [str(name) for name in frame.columns]
    name = str(asked.column)
    known(name, columns, f"regime names {name!r}, no column of the table")
    if columns.count(name) > 1:
        raise DataError(f"two columns are called {name!r}, and regime names one of them; rename the other")
    given = frame.iloc[:, columns.index(name)]
    gone = np.flatnonzero(given.isna().to_numpy())
    if len(gone):
        raise DataError(
            f"the regime column {name!r} is empty in {len(gone)} of the rows (first: row {gone[0]}); name their regime, or drop them"
        )
    code, kinds = factorized(given)
    labels = tuple(str(kind) for kind in kinds)
    sizes = np.bincount(code)
    _refuse_odd(name, labels, sizes)
    others = tuple(column for column in columns if column != name)
    regimes = Regimes(name, labels, freeze(code.astype(np.int32)), read_targets(asked.targets, labels, others))
    found.note(name, regimes.told(), left_out=True)
    silent = [label for label in labels if asked.targets is not None and label not in {str(k) for k in asked.targets}]
    if silent:
        found.note(name, f"targets says nothing of {_list(silent)}: no variable counts as acted on there")
    return frame.iloc[:, [j for j, column in enumerate(columns) if column != name]], regimes


def factorized(column: pd.Series) -> tuple[Ints, Any]:
    """The codes and the values of a column of labels; DataError where a cell is no label."""
    try:
        return pd.factorize(column)
    except TypeError as error:
        raise DataError(f"column {column.name!r} holds lists or other objects, not labels") from error


def _refuse_odd(name: str, labels: tuple[str, ...], sizes: Ints) -> None:
    if len(set(labels)) < len(labels):
        twice = next(label for at, label in enumerate(labels) if label in labels[:at])
        raise DataError(f"the regime column {name!r} holds {twice!r} both as a text and as a number; write it one way")
    if len({label.strip() for label in labels}) < len(labels):
        padded = next(label for label in labels if label != label.strip())
        raise DataError(
            f"the regime column {name!r} holds {padded!r} with and without blanks around it; write it one way"
        )
    if len(labels) > MOST:
        raise DataError(
            f"the regime column {name!r} has {len(labels)} values, and at most {MOST} are regimes; group them, or name another column"
        )
    few = [label for label, size in zip(labels, sizes, strict=True) if size < LEAST]
    if few:
        plural = len(few) > 1
        raise DataError(
            f"regime{'s' * plural} {_list(few)} of {name!r} {'have one row each' if plural else 'has one row'}, of which centring "
            "within regimes leaves nothing; drop such rows, or give them the name of a regime like theirs"
        )


def read_targets(given: Mapping[Any, Any] | None, labels: Sequence[str], columns: Sequence[str]) -> Targets:
    """Of each regime the variables acted on there; UnknownNameError for a regime or a variable that there is not.

    None: not known, of any regime or of one. A regime that is not named has none.
    """
    if given is None:
        return (None,) * len(labels)
    if not isinstance(given, Mapping):
        raise DataError(f"targets is {given!r}, and must be a dict; write targets={{{labels[0]!r}: ['a variable']}}")
    read: dict[str, tuple[str, ...] | None] = {}
    for regime, on in given.items():
        known(str(regime), labels, f"targets names the regime {str(regime)!r}, which no row has")
        read[str(regime)] = None if on is None else tuple(dict.fromkeys(names(f"targets[{regime!r}]", on)))
        for variable in read[str(regime)] or ():
            known(variable, columns, f"the target {variable!r} of regime {str(regime)!r} is no variable of the table")
    return tuple(read.get(label, ()) for label in labels)


def refuse_targets(regimes: Regimes, columns: tuple[str, ...], values: Array, found: Findings) -> None:
    """Note what makes the causes of a variable unknowable. values: (n, d), missing cells NaN."""
    for label, on in zip(regimes.labels, regimes.targets, strict=True):
        for variable in on or ():
            if variable not in columns:
                found.troubles.append(
                    Trouble(
                        f"the target {variable!r} of regime {label!r} is left out as no variable; leave it out of targets"
                    )
                )
    acted = regimes.acted_on(columns)
    always = [columns[j] for j in np.flatnonzero(acted.all(axis=0))]
    if always:
        found.troubles.append(
            Trouble(
                f"acted on in every regime: {_list(always)}; no row tells what causes such a variable, so add rows in which it is left "
                "alone, or take it out of a regime's targets"
            )
        )
    low, high = spans(regimes, values)
    still = ~((high > low) & ~acted).any(axis=0) & ~acted.all(axis=0)
    for j in np.flatnonzero(still):
        where = "in which it is left alone" if acted[:, j].any() else "there is"
        found.troubles.append(
            Trouble(
                f"column {columns[j]!r} never varies within a regime {where}, so that nothing tells what causes it; drop it, "
                "or merge regimes"
            )
        )


def spans(regimes: Regimes, values: Array) -> tuple[Array, Array]:
    """(r, d) least and greatest value of each column in each regime; -inf twice where there is none."""
    low, high = (np.full((len(regimes.labels), values.shape[1]), -np.inf) for _ in range(2))
    for r, rows in enumerate(regimes.rows()):
        part = values[rows]
        some = ~np.isnan(part).all(axis=0)
        low[r, some], high[r, some] = np.nanmin(part[:, some], axis=0), np.nanmax(part[:, some], axis=0)
    return low, high


def _list(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(map(repr, labels[:NAMED])) + more
