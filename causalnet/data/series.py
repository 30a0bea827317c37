"""Series: rows of numbers in order of time, in segments that no lag crosses, resampled in blocks."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools, Ints
from ..base.asked import asks
from ..base.checks import flag, instance, known, whole
from ..errors import DataError, warned
from .frames import as_frame
from .kinds import data_kind
from .sealed import Sealed, freeze
from .stationary import remove
from .steps import order_rows
from .tables import Table, as_table

MONOTONE_FROM = 8  # rows from which a column that only rises, or only falls, is taken for a clock or a counter


@data_kind
class Series(Sealed):
    """n rows of d named variables in order of time.

    columns: d names. values: (n, d) float64, read-only, NaN where a cell is missing. segment: (n,) int64, which run a row
    belongs to; lags stay within one. at: (m,) int64, the rows that are read as "now": all of them, and in a resample
    blocks of them, each with its own true past. clocks: columns that only rise or only fall, which get no edges.
    removed: what was taken out (trend, season). notes: what was found about the times.
    """

    kind: ClassVar[str] = "series"
    _frozen = "a series is", "build another with Series(frame)"

    def __init__(
        self,
        frame: Any,
        time: str | None = None,
        segment: str | None = None,
        *,
        monotone: bool = False,
        trend: bool = False,
        season: int | None = None,
        missing: Sequence[Any] = (),
    ) -> None:
        """Read a data frame, an array, a Table of numbers, or a list of frames, one a run.

        time: the column of times (dates, or numbers); None: the index where it holds dates, and otherwise rows are in
        order. Times out of order are sorted, with a warning; repeated ones are refused. A gap ends a segment; steps that
        vary are told, and read as equal.
        segment: the column that names a row's run or subject. monotone: keep columns that only rise or fall as
        variables like others. trend: take a straight line out of every variable, segment by segment.
        season: rows of a period whose mean at each phase is taken out. Both are recorded in ``removed`` and in the
        ``meta["data"]`` of what is learnt. missing: values and texts that mean a missing cell, beside the usual ones.
        """
        given, time, segment = _together(frame, time, segment)
        rows = order_rows(given, time, segment)
        table = given if isinstance(given, Table) else _numbers(given.iloc[rows.order], (time, segment), missing)
        if table.discrete.any():
            names = ", ".join(repr(c) for c, d in zip(table.columns, table.discrete, strict=True) if d)
            raise DataError(f"a series holds numbers, and {names} hold categories; as_table(..., discrete=False)")
        values = table.values
        self.removed: tuple[str, ...] = ()
        if flag("trend", trend) or season is not None:
            season = None if season is None else whole("season", season, 2, max(2, len(values) // 2))
            values, self.removed = remove(values, rows.segment, rows.step, trend, season)
        self.columns: tuple[str, ...] = table.columns
        self.values: Array = freeze(values)
        self.segment: Ints = freeze(rows.segment)
        self.at: Ints = freeze(np.arange(len(values)))
        self.clocks = () if flag("monotone", monotone) else _monotone(table.values, rows.segment, table.columns)
        self.notes = (*rows.notes, *_about_clocks(self.clocks))
        self._seal()
        warned(list(self.notes))

    @property
    def n(self) -> int:
        """Number of rows that are read as "now"."""
        return len(self.at)

    @property
    def d(self) -> int:
        """Number of variables."""
        return len(self.columns)

    @property
    def segments(self) -> int:
        """Number of stretches of rows that lags stay within."""
        return int(self.segment[-1]) + 1 if len(self.segment) else 0

    @asks()
    def rows(self, depth: int) -> Ints:
        """The rows of ``at`` that have ``depth`` rows before them in their segment, without a missing cell in any.

        DataError, with the longest segment, where there is none.
        """
        whole("depth", depth, 0)
        broken: Bools = np.asarray(np.isnan(self.values).any(axis=1))
        # a row after which counting begins anew: the first of a segment, and the one after a missing cell
        begin = np.concatenate([[True], (np.diff(self.segment) != 0) | broken[:-1]])
        index = np.arange(len(self.values))
        age = index - np.maximum.accumulate(np.where(begin, index, 0))
        found = self.at[(age[self.at] >= depth) & ~broken[self.at]]
        if not len(found):
            longest = int(np.where(broken, 0, age + 1).max(initial=0))
            raise DataError(
                f"{depth + 1} consecutive rows are needed, and the longest stretch without a gap or a missing cell "
                f"has {longest}; use fewer lags"
            )
        return found

    @asks()
    def resample(self, rng: np.random.Generator) -> Series:
        """The rows of sqrt(n) blocks of about sqrt(n) consecutive ones, drawn in a circle, each row once: some 63 % of them.

        Every row keeps its own past, so that no lag is read across the ends of blocks (blocks of blocks: Künsch, Annals of
        Statistics 17, 1989; Politis and Romano 1992). Repeats are dropped, since a test would count them as evidence.
        """
        length = max(1, round(self.n**0.5))
        starts = rng.integers(0, self.n, -(-self.n // length))
        drawn = ((starts[:, None] + np.arange(length)) % self.n).ravel()[: self.n]
        other: Series = object.__new__(Series)
        other.__dict__.update({**self.__dict__, "at": freeze(self.at[np.unique(drawn)])})
        return other

    def frame(self) -> pd.DataFrame:
        """A fresh DataFrame of all rows."""
        return pd.DataFrame(self.values.copy(), columns=list(self.columns))

    def fingerprint_parts(self) -> Iterator[Any]:
        """Values, segments, rows read, and the columns that get no edges."""
        yield from (self.values.astype(np.float32), self.segment, self.at, self.clocks)

    def __repr__(self) -> str:
        parts = f", {self.segments} segments" if self.segments > 1 else ""
        return (
            f"Series({self.n} rows x {self.d} variables{parts}{''.join(f', {what} removed' for what in self.removed)})"
        )


def as_series(data: Any) -> Series:
    """A Series as it is; a Table or a data frame as one whose rows are in order of time, or of its index of dates."""
    return data if isinstance(data, Series) else Series(data)


def _together(data: Any, time: str | None, segment: str | None) -> tuple[Any, str | None, str | None]:
    """One frame, with the run of each row in a column where a list of frames was given."""
    if isinstance(data, Table):
        if time is not None or segment is not None:
            raise DataError("a Table holds variables only; give time= and segment= with the data frame")
        return data, None, None
    if isinstance(data, (list, tuple)) and data and all(isinstance(one, pd.DataFrame) for one in data):
        if segment is not None:
            raise DataError("a list of frames holds a run each already; leave segment out")
        if len({tuple(map(str, one.columns)) for one in data}) > 1:
            raise DataError("the frames of a series must have the same columns in the same order")
        segment = next(name for name in ("run", "run of the list", "\0") if name not in data[0].columns)
        return pd.concat([one.assign(**{segment: k}) for k, one in enumerate(data)]), time, segment
    frame = as_frame(data, None)
    for what, name in (("time", time), ("segment", segment)):
        if name is not None:
            instance(what, name, Hashable, "the name of a column")
            known(name, map(str, frame.columns), f"{what}={name!r} is no column")
    return frame, time, segment


def _numbers(frame: pd.DataFrame, apart: Sequence[str | None], missing: Sequence[Any]) -> Table:
    """The columns that are variables, as numbers."""
    frame = frame.loc[:, [name not in apart for name in frame.columns]].reset_index(drop=True)
    try:
        return as_table(frame, continuous=[str(name) for name in frame.columns], missing=missing)
    except DataError as error:
        what, python, _ = error.parts
        if "discrete=" not in python:
            raise
        raise DataError(  # a table may hold categories
            what,
            python="a series holds numbers: frame.drop(columns=[...]) leaves such columns out, segment= names that of runs",
            shell="a series holds numbers: --drop leaves such columns out, --segment names that of runs",
        ) from error


def _monotone(values: Array, segment: Ints, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that only rise, or only fall, in every segment, as row numbers, clocks and counters do."""
    if len(values) < MONOTONE_FROM:
        return ()
    steps = np.diff(values, axis=0)[np.diff(segment) == 0]
    seen = ~np.isnan(steps)
    rises, falls = (((sign * steps >= 0) | ~seen).all(axis=0) for sign in (1.0, -1.0))
    many = seen.sum(axis=0) >= MONOTONE_FROM - 1
    return tuple(columns[j] for j in np.flatnonzero((rises | falls) & many))


def _about_clocks(clocks: tuple[str, ...]) -> list[str]:
    if not clocks:
        return []
    one = len(clocks) == 1
    return [
        f"{', '.join(map(repr, clocks))} only rise{'s' if one else ''} or fall{'s' if one else ''}, as row numbers, clocks and "
        f"counters do, and get{'s' if one else ''} no edges (Series(frame, monotone=True) gives them; counters are better "
        "replaced by their differences)"
    ]
