"""Tables larger than memory: one pass over a file, and what the methods need of it is kept, the rows are not.

Numbers become :class:`Moments` (means and covariances, d^2 numbers); categories become :class:`Counts` (the distinct
rows, at most 4 million, and at most 65,536 categories of a column). Which column is which is decided as for
:func:`as_table`. The pass goes on past what is wrong, so that one error names all of it.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..base.arrays import Array, Bools
from ..base.asked import asks
from ..base.checks import file_name, flag
from ..errors import DataError, NotApplicable
from .batches import CATEGORY, DATE, OTHER, TEXT, Part, chosen, find_parts, same_columns
from .counts import Counts, Tally
from .moments import Moments, Sums, add_up, merge
from .reading import column_names, read_frame, wanted_discrete
from .scanning import EXTREME, Scan, split_unequal
from .sealed import freeze
from .stream_columns import Column
from .tables import Table, as_table

MOST_COLUMNS = 20_000  # their covariance takes 3 GiB, and a pass two of that size
STREAMED_FROM = 1 << 30  # bytes of float64 from which load_table streams a file


class Outline(NamedTuple):
    """What is known of a file before it is read: its columns, and about how many bytes its cells take as float64."""

    columns: tuple[str, ...]
    size: int

    @property
    def large(self) -> bool:
        """Is it rather streamed than read?"""
        return self.size > STREAMED_FROM

    def told(self, name: str) -> str:
        """Why a file is streamed, and what that means, in a sentence."""
        return (
            f"{name} takes about {self.size / 2**30:.1f} GiB as a table, so it is streamed: means and covariances of "
            "numbers, or counts of categories, are kept, the rows are not"
        )


@asks()
def outline(path: str | Path) -> Outline:
    """The outline of a file, or of a folder of parts."""
    files = [Part(part) for part in find_parts(path)]
    return Outline(files[0].columns, sum(part.size for part in files))


@asks("path", "columns", "discrete")
def load_table(
    path: str | Path, columns: Sequence[str] | None = None, discrete: str | Sequence[str] | bool | None = None
) -> Table | Moments | Counts:
    """A file as a Table; streamed where it takes more than STREAMED_FROM bytes, with a warning, or is a folder of parts."""
    found = outline(path)
    if found.large:
        warnings.warn(found.told(Path(path).name), UserWarning, stacklevel=3)
    elif not Path(path).is_dir():
        frame = read_frame(path)
        return as_table(frame[list(chosen(columns, column_names(frame)))], discrete=discrete)
    return stream_table(path, columns, discrete)


@asks("path", "columns", "discrete")
def stream_table(
    path: str | Path,
    columns: Sequence[str] | None = None,
    discrete: str | Sequence[str] | bool | None = None,
    *,
    drop_missing: bool = False,
) -> Moments | Counts:
    """Read a .parquet, .csv or .tsv file (.gz after it or not), or a folder of such parts, in one pass.

    columns: the wanted ones, None for all. discrete: as for :func:`as_table`. drop_missing: leave out rows with a
    missing cell, with a warning that counts them; otherwise missing cells are an error that counts them by column.
    Memory: one batch of rows, d^2 numbers, the distinct rows of categories. Raises DataError naming all columns with
    missing cells, infinities, one value only, numbers too large, copies; and for a file that ends early, columns that
    change from part to part, or numbers beside categories.
    """
    flag("drop_missing", drop_missing)
    name = file_name(path, "table.parquet").name
    parts = find_parts(path)
    wanted = [discrete] if isinstance(discrete, str) else discrete
    as_text = frozenset(map(str, wanted)) if wanted is not None and not isinstance(wanted, bool) else frozenset()
    files = [Part(part, as_text) for part in parts]
    there = chosen(columns, same_columns(files))
    if len(there) > MOST_COLUMNS:
        size = 8 * len(there) ** 2 / 2**30
        raise DataError(f"the covariance of {len(there)} columns takes {size:.0f} GiB; name fewer with columns=[...]")
    asked = wanted_discrete(wanted, there)
    first = files[0]
    if not isinstance(wanted, bool):  # the names of the categories say nothing of texts beside them
        asked = {c: asked[c] for c in asked if asked[c] or first.holds(c) not in (TEXT, CATEGORY)}
    told = [Column(c, first.holds(c), asked.get(c), first.counts(c), first.plain) for c in there]
    _refuse_kinds(name, told)
    stream = Stream(told, drop_missing)
    for part in files:
        for batch in part.batches(there):
            stream.take(batch)
    return stream.result(name)


class Stream:
    """The pass: batches go in, Moments or Counts come out.

    As long as every column may be continuous, batches are summed up; as long as every column may be discrete, their
    rows are counted; neither, once they are of both kinds, or once something is wrong with them.
    """

    def __init__(self, columns: list[Column], drop_missing: bool) -> None:
        d = len(columns)
        self._columns = columns
        self._drop = drop_missing
        self._dropped = 0
        self._read = 0  # rows
        self._n = 0  # rows that count
        self._block = np.empty((d, 0))
        self._work = np.empty((d, 0))
        self._low: Array = np.full(d, np.inf)
        self._high: Array = np.full(d, -np.inf)
        self._sums: Sums | None = None
        self._tally: Tally | None = Tally(d)
        self._alike = [list(range(d))] if d > 1 else []  # columns that were equal so far

    def take(self, batch: Any) -> None:
        """One batch of rows, a pyarrow.RecordBatch of the columns."""
        m = batch.num_rows
        if m == 0:
            return
        if self._block.shape[1] < m:
            self._block, self._work = np.empty((2, len(self._columns), m))
        block = self._block[:, :m]
        for row, column, cells in zip(block, self._columns, batch.columns, strict=True):
            row[:] = column.read(cells)
        low, high = block.min(axis=1), block.max(axis=1)
        if not (np.isfinite(low) & np.isfinite(high)).all():
            kept = self._without_gaps(block)
            block = np.ascontiguousarray(block[:, kept])
            m = block.shape[1]
            if m == 0:
                self._read += batch.num_rows
                return
            low, high = block.min(axis=1), block.max(axis=1)
        self._read += batch.num_rows
        self._n += m
        np.minimum(self._low, low, out=self._low)
        np.maximum(self._high, high, out=self._high)
        self._alike = split_unequal(self._alike, block)
        self._keep(block)

    def _keep(self, block: Array) -> None:
        codes = [column.code(row) for column, row in zip(self._columns, block, strict=True)]
        if self._tally is not None:
            if any(code is None for code in codes):
                self._tally = None
            else:
                self._tally.add(np.array(codes))
        safe = max(-self._low.min(), self._high.max()) <= EXTREME  # the rest is not summed up, only looked at
        if safe and not any(column.surely_discrete for column in self._columns):
            sums = add_up(block, self._work[:, : block.shape[1]])
            self._sums = sums if self._sums is None else merge(self._sums, sums)

    def _without_gaps(self, block: Array) -> Bools:
        """Which rows are whole; the cells that are not are counted by column."""
        gaps, wide = np.isnan(block), np.isinf(block)
        for j, column in enumerate(self._columns):
            for odd, count, first in ((gaps, "missing", "first_missing"), (wide, "infinite", "first_infinite")):
                found = np.flatnonzero(odd[j])
                if len(found):
                    if not getattr(column, count):
                        setattr(column, first, self._read + int(found[0]) + 1)
                    setattr(column, count, getattr(column, count) + len(found))
        self._dropped += int(gaps.any(axis=0).sum())
        return np.asarray(~(gaps | wide).any(axis=0))

    # ---- what comes out -------------------------------------------------------------------------------------

    def result(self, name: str) -> Moments | Counts:
        """Moments or Counts; DataError with all that stands in the way. name: of the file."""
        if self._read == 0:
            raise DataError(f"{name} has a header but no rows")
        wrong = self._wrong()
        if wrong:
            raise DataError(
                f"{name} cannot be used as it is: {'; '.join(wrong)}",
                python="columns=[...] names those to read, drop_missing=True leaves out rows with a missing cell",
                shell="--drop leaves columns out",
            )
        if self._dropped:
            warnings.warn(
                f"{name}: {self._dropped} of {self._read} rows have a missing cell and were left out",
                UserWarning,
                stacklevel=4,
            )
        columns, d = tuple(column.name for column in self._columns), len(self._columns)
        if self._n < d + 2:
            raise DataError(
                f"{self._n} rows for {d} variables: at least {d + 2} rows are needed; add rows, or select fewer columns"
            )
        numbers = [column.name for column in self._columns if column.levels is None]
        if not numbers:
            return self._counts(columns)
        if len(numbers) < d:
            self._refuse_mixed(name, numbers)
        assert self._sums is not None
        return Moments.of(columns, self._sums)

    def _wrong(self) -> list[str]:
        """What is wrong with the columns, a phrase for each kind of it that names all columns concerned."""
        told = []
        columns = self._columns
        gaps = [f"{c.name!r} {c.missing} (the first in row {c.first_missing})" for c in columns if c.missing]
        wide = [f"{c.name!r} {c.infinite} (the first in row {c.first_infinite})" for c in columns if c.infinite]
        if gaps and not (self._drop and self._n):
            told.append(f"cells are missing: {', '.join(gaps)}")
        if wide:
            told.append(f"numbers are infinite: {', '.join(wide)}")
        if self._n == 0:
            return told or ["no row is without a gap"]
        flat = [f"{c.name!r} (always {self._shown(j)})" for j, c in enumerate(columns) if self._low[j] == self._high[j]]
        if flat:
            told.append(f"constant: {', '.join(flat)}")
        none = np.zeros(len(columns), np.int64)
        found = Scan(self._low, self._high, none, none, none > 0)
        far = np.flatnonzero(found.extreme & ~found.constant)
        if len(far):
            names = ", ".join(repr(columns[j].name) for j in far)
            told.append(f"numbers too large or too close together to compute with: {names}")
        for group in self._alike:
            for same in self._really_alike([j for j in group if self._low[j] < self._high[j]]):
                names = " and ".join(repr(columns[j].name) for j in same)
                told.append(f"{names} are identical")
        as_text = [repr(c.name) for c in columns if c.holds == TEXT and c.levels is not None and c.holds_many_numbers]
        if as_text:
            told.append(f"numbers written as texts: {', '.join(as_text)}")
        return told

    def _shown(self, j: int) -> str:
        column = self._columns[j]
        return repr(column.labels()[0][0]) if column.worded else f"{self._low[j]:g}"

    def _really_alike(self, group: list[int]) -> list[list[int]]:
        """Texts are alike where their codes agree in the order of the labels too, as in a Table."""
        found: dict[bytes, list[int]] = {}
        for j in group:
            column = self._columns[j]
            found.setdefault(column.labels()[1].tobytes() if column.worded else b"", []).append(j)
        return [same for same in found.values() if len(same) > 1]

    def _counts(self, columns: tuple[str, ...]) -> Counts:
        assert self._tally is not None
        codes, times = self._tally.rows()
        labels = [column.labels() for column in self._columns]
        distinct = np.array([new[row] for (_, new), row in zip(labels, codes, strict=True)], dtype=np.int32)
        order = np.lexsort(distinct[::-1])
        levels = tuple(tuple(label) for label, _ in labels)
        return Counts(columns, levels, freeze(distinct[:, order].T), freeze(times[order]))

    def _refuse_mixed(self, name: str, numbers: list[str]) -> None:
        categories = [column for column in self._columns if column.levels is not None]
        words = [repr(column.name) for column in categories]
        as_numbers = "" if any(column.worded for column in categories) else "read all as numbers with discrete=False, "
        fewer = min(numbers, [column.name for column in categories], key=len)
        raise NotApplicable(
            f"{name} has numbers ({', '.join(map(repr, numbers))}) and categories ({', '.join(words)}), and a stream keeps "
            "means and covariances of numbers or counts of categories",
            python=f"{as_numbers}name columns of one kind with columns=[...], or read the whole table with read_table",
            shell=f"leave out those of one kind: --drop {shlex.quote(','.join(fewer))}",
        )


def _refuse_kinds(name: str, columns: list[Column]) -> None:
    """DataError naming all columns whose type no method takes, or that are not what the user says."""
    told = []
    for kind, remedy in ((DATE, "leave them out, or write seconds since the start"), (OTHER, "leave them out")):
        odd = [repr(column.name) for column in columns if column.holds == kind]
        if odd:
            told.append(f"{', '.join(odd)} hold{'s' if len(odd) == 1 else ''} {kind}: {remedy}")
    text = [repr(column.name) for column in columns if column.worded and column.asked is False]
    if text:
        told.append(f"{', '.join(text)} hold{'s' if len(text) == 1 else ''} text, not numbers: add to discrete=")
    if told:
        raise DataError(f"{name} cannot be used as it is: {'; '.join(told)}")
