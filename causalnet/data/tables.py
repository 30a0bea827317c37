"""A table that a discovery backend can trust: named columns, finite or missing cells, no constants, no duplicates."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..base.arrays import Array, Bools, Codes, Ints
from ..base.asked import asks
from ..base.checks import instance, number, rows_of
from ..errors import DataError
from .decimals import sign_of
from .findings import Findings, Note, Trouble
from .flaws import note_constant, note_empty, note_equal, note_extreme, note_matrix
from .frames import as_frame, note_index
from .gaps import declared_missing
from .identifiers import row_labels
from .kinds import Data, data_kind, is_data, refuse_unfinished
from .moments import correlate, sum_rows
from .parsing import EXACT, holds_words, note_levels, note_rounded, parse, too_many_cells, wanted_kinds
from .plain import as_categories, plain_numbers
from .reading import column_names, read_frame
from .regimes import Asked, Regimes, refuse_targets, split_regimes
from .scanning import Scan, scan
from .sealed import freeze, settle

Levels = tuple[tuple[Any, ...] | None, ...]  # of each column its category labels, None where continuous


@data_kind
@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """n rows of d named variables; build it with :func:`as_table`.

    columns: d names. values: (n, d) float64, read-only; a discrete column holds the codes 0 .. k-1, a missing cell NaN.
    discrete: (d,) bool. levels: for each column the tuple of its category labels (code order), None if continuous.
    notes: what was decided while it was read, by column, and which line decides otherwise (:func:`causalnet.look`).
    regimes: the experiment that each row comes from, None where all rows come from one.
    """

    kinds: ClassVar[tuple[str, ...]] = ("continuous", "discrete", "mixed")
    columns: tuple[str, ...]
    values: Array
    discrete: Bools
    levels: Levels
    notes: tuple[Note, ...] = ()
    regimes: Regimes | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def d(self) -> int:
        """Number of variables."""
        return int(self.values.shape[1])

    @cached_property
    def kind(self) -> str:
        """'continuous', 'discrete' or 'mixed'."""
        if self.discrete.all():
            return "discrete"
        return "mixed" if self.discrete.any() else "continuous"

    @cached_property
    def missing(self) -> Bools:
        """(n, d) bool, read-only: the cells without a value."""
        return freeze(np.isnan(self.values))

    @cached_property
    def incomplete(self) -> bool:
        """True when any cell is missing."""
        return bool(np.isnan(self.values.sum()))

    @property
    def demands(self) -> dict[str, str]:
        """What a method must handle to take this table ("missing", "few rows", "regimes"), each with the facts, as a sentence."""
        found = {}
        if self.incomplete:
            gaps = [f"{k} in {name!r}" for k, name in zip(self.missing.sum(axis=0), self.columns, strict=True) if k]
            more = f" and {len(gaps) - 5} more columns" if len(gaps) > 5 else ""
            found["missing"] = f"it has missing cells (NaN): {', '.join(gaps[:5])}{more}"
        if self.n < self.d + 2:
            found["few rows"] = f"it has {self.n} rows for {self.d} variables, and needs {self.d + 2}"
        if self.regimes is not None:
            more = " of categories" if self.discrete.any() else ""
            more += " with unknown targets" if more and self.regimes.unknown else ""
            more = " with missing cells" if self.incomplete else more
            what = f"{len(self.regimes.labels)} regimes{more} (column {self.regimes.column!r})"
            found[f"regimes{more}"] = f"its rows come from {what}"
        return found

    @cached_property
    def covariance(self) -> Array:
        """(d, d) maximum-likelihood covariance (divided by n), read-only; only for tables without missing cells."""
        if self.incomplete:
            raise DataError(f"no covariance of this table: {self.demands['missing']}; fill them, or drop their rows")
        products = sum_rows(self.values).products
        products /= self.n
        return settle(products)

    @cached_property
    def correlation(self) -> Array:
        """(d, d) Pearson correlation, read-only."""
        return correlate(self.covariance, self.columns)

    @cached_property
    def codes(self) -> Codes:
        """(n, d) int32 category codes, -1 where missing; only for tables whose columns are all discrete."""
        if not self.discrete.all():
            name = self.columns[int(np.flatnonzero(~self.discrete)[0])]
            raise DataError(f"column {name!r} is continuous; bin it, or pass discrete=[{name!r}] for categories")
        return freeze((np.where(self.missing, -1, self.values) if self.incomplete else self.values).astype(np.int32))

    @cached_property
    def cardinality(self) -> Codes:
        """(d,) number of categories of each column (0 where continuous)."""
        return freeze(np.array([0 if level is None else len(level) for level in self.levels], dtype=np.int32))

    def frame(self, labels: bool = False) -> pd.DataFrame:
        """A fresh DataFrame; with ``labels`` the original category labels instead of the codes."""
        frame = pd.DataFrame(self.values.copy(), columns=list(self.columns))
        for j, (name, level) in enumerate(zip(self.columns, self.levels, strict=True)):
            if level is not None:
                code = np.where(self.missing[:, j], -1, self.values[:, j]).astype(int)
                named = [level[c] if c >= 0 else None for c in code] if labels else code
                frame[name] = named if labels or code.min() >= 0 else self.values[:, j]
        return frame

    @asks()
    def take(self, rows: Ints) -> Table:
        """The table of the given rows (repeats allowed: a bootstrap resample). Not validated again."""
        rows = rows_of("rows", rows, self.n)
        regimes = None if self.regimes is None else self.regimes.take(rows)
        return Table(self.columns, freeze(self.values[rows]), self.discrete, self.levels, regimes=regimes)

    @asks()
    def resample(self, rng: np.random.Generator) -> Table:
        """A bootstrap resample: as many rows, drawn with repeats, within regimes where there are any."""
        return self._varied(rng.integers(0, self.n, self.n) if self.regimes is None else self.regimes.resample(rng))

    @asks()
    def part(self, rng: np.random.Generator, share: float) -> Table:
        """A share of the rows, each at most once, in their order; of every regime, where there are any."""
        regimes, some = self.regimes, max(1, round(number("share", share, 0.0, 1.0) * self.n))
        return self._varied(np.sort(rng.permutation(self.n)[:some]) if regimes is None else regimes.part(rng, share))

    def _varied(self, rows: Ints) -> Table:
        """These rows, and of each column that varies in the table and not in them two that differ: a rare state ends no study."""
        for j in np.flatnonzero(_flat(self.values[rows]) & ~_flat(self.values)):
            rows = np.sort(np.append(rows, [np.nanargmin(self.values[:, j]), np.nanargmax(self.values[:, j])]))
        return self.take(rows)

    def fingerprint_parts(self) -> Iterator[Any]:
        """Values, which columns are discrete, and their levels; regimes and targets where there are any."""
        yield from (self.values.astype(np.float32), self.discrete, self.levels)
        if self.regimes is not None:
            yield from (self.regimes.code, self.regimes.labels, self.regimes.targets)

    def __repr__(self) -> str:
        among = "" if self.regimes is None else f", {len(self.regimes.labels)} regimes"
        return f"Table({self.n} rows x {self.d} {self.kind} variables{among})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("columns", "values", "discrete", "levels", "notes", "regimes")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("values", "discrete"):
            getattr(self, name).setflags(write=False)


def _flat(values: Array) -> Bools:
    """(d,) columns of one value, missing cells apart."""
    return np.asarray(~(np.fmin.reduce(values, initial=np.inf) < np.fmax.reduce(values, initial=-np.inf)))


def as_table(
    data: Any,
    names: Sequence[str] | None = None,
    discrete: Sequence[str] | bool | None = None,
    *,
    continuous: Sequence[str] | None = None,
    missing: Sequence[Any] = (),
    regime: str | None = None,
    targets: Mapping[Any, Any] | None = None,
) -> Table:
    """Validate a DataFrame (or an array with ``names``) and freeze it.

    discrete: True or False for all columns, or the names of the categorical ones. By default text, boolean and
    category columns are discrete, and whole numbers with at most 10 distinct values. continuous: names of columns that
    are numbers whatever their levels; the rest goes by that rule, apart from those in ``discrete``. missing: values and
    texts that mean a missing cell, beside the usual ones.
    regime: the column that names the experiment of each row; it is no variable. targets: {regime: variables acted on
    there}; None, for all or for one regime, where that is not known; a regime that is not named has none. A *hard*
    intervention sets a variable, whatever its causes do; a *soft* one only changes how it answers to them (an inhibitor
    that lowers the activity of a molecule). Methods that take regimes do the same with both: what they say of the
    causes of a variable rests on the rows in which it was left alone, so that a soft one wastes rows and misleads nobody.
    Empty cells (None, NaN, NaT) are kept as missing; fewer rows than variables are kept too: a backend says what it
    can take (``Backend.handles``). What is guessed (numbers written as texts, marks of missing cells, columns that only
    label the rows and are left out) is warned of and kept in ``notes``. Raises DataError, naming all columns concerned,
    for infinities, columns without any value, constants, duplicates, text among numbers, and duplicate names.
    """
    if isinstance(data, Table):
        if regime is not None or targets is not None:
            raise DataError("this is a table already; pass the frame with regime= and targets=")
        return data
    table, found = survey(data, names, discrete, continuous, missing, asked_regimes(regime, targets))
    found.tell()
    found.refuse()
    assert table is not None
    return table


def survey(
    data: Any,
    names: Sequence[str] | None = None,
    discrete: Sequence[str] | bool | None = None,
    continuous: Sequence[str] | None = None,
    missing: Sequence[Any] = (),
    regimes: Asked | None = None,
) -> tuple[Table | None, Findings]:
    """The table, None where something is wrong, and all that was noticed: neither warned of nor refused here."""
    found = Findings()
    frame = as_frame(data, names)
    frame, parts = (frame, None) if regimes is None else split_regimes(frame, regimes, found)
    for word in ("notes", "told"):
        for text in frame.attrs.get(word, []):
            found.note("", text, told=word == "told")
    note_index(frame, found)
    given = [str(name) for name in frame.columns]
    asked = wanted_kinds(discrete, continuous, tuple(given)) if not isinstance(discrete, bool) else {}
    labels = row_labels(frame, lambda name: name in asked, found)
    called: Any = frame.iloc[:, labels[0]] if labels else [] if isinstance(frame.index, pd.RangeIndex) else frame.index
    called = list(map(str, called if len(frame) <= frame.shape[1] else []))
    if labels:
        frame = frame.iloc[:, [j for j in range(frame.shape[1]) if j not in labels]]
    columns = column_names(frame)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise DataError(f"the table is empty: {frame.shape[0]} rows, {frame.shape[1]} columns")
    if missing is not None and (not isinstance(missing, list | tuple) or missing):
        frame = declared_missing(frame, missing, found)
    wanted = wanted_kinds(discrete, continuous, columns) if isinstance(discrete, bool) else asked
    if discrete is not None and continuous is None and not isinstance(discrete, bool):
        wanted = {c: wanted[c] for c in columns if wanted.get(c) or not holds_words(frame.iloc[:, columns.index(c)])}
    found.names = columns
    columns, values, levels, seen = _parse_all(frame, columns, wanted, found)
    note_empty(found)
    if columns:
        found.keep(columns, levels, values, seen)
        note_constant(seen, columns, levels, found)
        note_extreme(seen, columns, found)
        note_equal(values, columns, found)
        note_matrix(called, values, columns, found)
        if parts is not None:
            refuse_targets(parts, columns, values, found)
    elif not found.troubles:
        found.troubles.append(Trouble("no column is left: each one labels the rows"))
    if found.troubles:
        return None, found
    wide = too_many_cells(columns, levels, len(values))
    if wide:
        found.note("", wide, told=True)
    mask = np.array([level is not None for level in levels])
    values.setflags(write=False)  # a copy already
    return Table(columns, values, freeze(mask), levels, tuple(found.notes), parts), found


def asked_regimes(regime: str | None, targets: Mapping[Any, Any] | None) -> Asked | None:
    """The column of regimes and the targets as they were given; DataError for targets without a column."""
    if regime is None and targets is not None:
        raise DataError(
            "targets needs the column that tells the regimes",
            python="write regime='column'",
            shell="write --regime COLUMN",
        )
    if regime is None:
        return None
    return Asked(instance("regime", regime, Hashable, "the name of a column"), targets)


def as_data(data: Any) -> Data:
    """Data of any kind as it is, anything else as a table; DataError for what is neither."""
    if is_data(data):
        return data
    refuse_unfinished(data)
    return as_table(data)


def read_table(
    path: str | Path,
    discrete: Sequence[str] | bool | None = None,
    *,
    continuous: Sequence[str] | None = None,
    missing: Sequence[Any] = (),
    regime: str | None = None,
    targets: Mapping[Any, Any] | None = None,
) -> Table:
    """Read and validate a file (.csv, .tsv, .txt, .dat, .gz after it or not, .jsonl, .parquet, "-" for standard input).

    The first line of a text holds the column names; its separator is found. The rest is as for :func:`as_table`.
    """
    kinds = {"discrete": discrete, "continuous": continuous}
    return as_table(read_frame(path), **kinds, missing=missing, regime=regime, targets=targets)  # type: ignore[arg-type]


def _parse_all(
    frame: pd.DataFrame, columns: tuple[str, ...], wanted: dict[str, bool], found: Findings
) -> tuple[tuple[str, ...], Array, Levels, Scan]:
    """The columns that are variables, their (n, d) values and d level tuples, and a scan; plain numbers in one step."""
    kinds = list(frame.dtypes)
    plain = plain_numbers(frame, kinds, columns, wanted)
    values, easy = plain.values, plain.easy
    for j in np.flatnonzero(np.maximum(-plain.seen.low, plain.seen.high) > EXACT).tolist():
        if easy[j] or j in plain.levels:
            note_rounded(columns[j], kinds[j], np.inf, found)
    if easy.all():
        return columns, values, (None,) * len(columns), plain.seen
    found.decimals = sign_of(frame)
    levels: list[tuple[Any, ...] | None] = []
    kept: list[str] = []
    for j, name in enumerate(columns):
        if j in plain.levels:
            read: Any = as_categories(values[:, j], plain.levels[j], kinds[j].kind != "f")
            note_levels(name, len(read[1]), found)
        else:
            read = (values[:, j], None) if easy[j] else parse(frame.iloc[:, j], name, wanted.get(name), found)
        if read is not None:
            values[:, len(kept)] = read[0]
            kept.append(name)
            levels.append(read[1])
    if len(kept) < len(columns):
        values = np.ascontiguousarray(values[:, : len(kept)])
    return tuple(kept), values, tuple(levels), scan(values) if kept else Scan(*np.zeros((5, 0)))
