"""A table that a discovery backend can trust: named columns, finite or missing cells, no constants, no duplicates."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..errors import DataError
from .coding import code
from .kinds import Data, data_kind, refuse_unfinished
from .moments import correlate, sum_rows
from .reading import FEW_LEVELS, column_names, finite, read_frame, wanted_discrete
from .scanning import Scan, equal_columns, has_few_levels, scan
from .sealed import freeze

BLOCK = 1 << 14  # rows of a frame copied at a time

Levels = tuple[tuple[Any, ...] | None, ...]  # of each column its category labels, None where continuous


@runtime_checkable
class Frame(Protocol):
    """A data frame of another library, such as polars or pyarrow."""

    def to_pandas(self) -> pd.DataFrame:
        """The same rows and columns as a pandas DataFrame."""


@data_kind
@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """n rows of d named variables; build it with :func:`as_table`.

    columns: d names. values: (n, d) float64, read-only; a discrete column holds the codes 0 .. k-1, a missing cell NaN.
    discrete: (d,) bool. levels: for each column the tuple of its category labels (code order), None if continuous.
    """

    kinds: ClassVar[tuple[str, ...]] = ("continuous", "discrete", "mixed")
    columns: tuple[str, ...]
    values: Array
    discrete: Bools
    levels: Levels

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def d(self) -> int:
        """Number of variables."""
        return int(self.values.shape[1])

    @property
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
        """What a method must handle to take this table ("missing", "few rows"), each with the facts, as a sentence."""
        found = {}
        if self.incomplete:
            gaps = [f"{k} in {name!r}" for k, name in zip(self.missing.sum(axis=0), self.columns, strict=True) if k]
            more = f" and {len(gaps) - 5} more columns" if len(gaps) > 5 else ""
            found["missing"] = f"it has missing cells (NaN): {', '.join(gaps[:5])}{more}"
        if self.n < self.d + 2:
            found["few rows"] = f"it has {self.n} rows for {self.d} variables, and needs {self.d + 2}"
        return found

    @cached_property
    def covariance(self) -> Array:
        """(d, d) maximum-likelihood covariance (divided by n), read-only; only for tables without missing cells."""
        if self.incomplete:
            raise DataError(f"no covariance of this table: {self.demands['missing']}; fill them, or drop their rows")
        return freeze(sum_rows(self.values).products / self.n)

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

    def take(self, rows: Ints) -> Table:
        """The table of the given rows (repeats allowed: a bootstrap resample). Not validated again."""
        return Table(self.columns, freeze(self.values[rows]), self.discrete, self.levels)

    def resample(self, rng: np.random.Generator) -> Table:
        """A bootstrap resample: as many rows, drawn with repeats."""
        return self.take(rng.integers(0, self.n, self.n))

    def fingerprint_parts(self) -> Iterator[Any]:
        """Values, which columns are discrete, and their levels."""
        yield from (self.values.astype(np.float32), self.discrete, self.levels)

    def __repr__(self) -> str:
        return f"Table({self.n} rows x {self.d} {self.kind} variables)"

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("columns", "values", "discrete", "levels")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("values", "discrete"):
            getattr(self, name).setflags(write=False)


def as_table(
    data: Any,
    names: Sequence[str] | None = None,
    discrete: Sequence[str] | bool | None = None,
) -> Table:
    """Validate a DataFrame (or an array with ``names``) and freeze it.

    discrete: True or False for all columns, or the names of the categorical ones. By default text, boolean and
    category columns are discrete, and whole numbers with at most 10 distinct values.
    Empty cells (None, NaN, NaT) are kept as missing; fewer rows than variables are kept too: a backend says what it
    can take (``Backend.handles``). Raises DataError, naming the column or row, for infinities, columns without any
    value, constants, duplicates, text among numbers, and duplicate names.
    """
    if isinstance(data, Table):
        return data
    frame = _as_frame(data, names)
    columns = column_names(frame)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise DataError(f"the table is empty: {frame.shape[0]} rows, {frame.shape[1]} columns")
    wanted = wanted_discrete(discrete, columns)
    values, levels, found = _parse_all(frame, columns, wanted)
    _refuse_constant(found, columns, levels)
    _refuse_extremes(found, columns)
    _refuse_duplicates(values, columns)
    mask = np.array([level is not None for level in levels])
    values.setflags(write=False)  # a copy already
    return Table(columns, values, freeze(mask), levels)


def as_data(data: Any) -> Data:
    """Data of any kind as it is, anything else as a table; DataError for what is neither."""
    if isinstance(data, Data):
        return data
    refuse_unfinished(data)
    return as_table(data)


def read_table(path: str | Path, discrete: Sequence[str] | bool | None = None) -> Table:
    """Read and validate a .csv or .parquet file; the first CSV line holds the column names."""
    return as_table(read_frame(path), discrete=discrete)


def _as_frame(data: Any, names: Sequence[str] | None) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        if names is not None and list(names) != [str(c) for c in data.columns]:
            raise DataError("names= is for arrays, and this DataFrame has its own (rename them with frame.rename)")
        return data
    if isinstance(data, str | Path):
        raise DataError(f"got the text {str(data)!r}; read the file first: causalnet.data.read_table({str(data)!r})")
    if isinstance(data, Frame):
        return pd.DataFrame(data.to_pandas())
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(f"a table has two dimensions (rows, variables); got an array of shape {array.shape}")
    names = [f"x{j}" for j in range(array.shape[1])] if names is None else names
    if len(names) != array.shape[1]:
        raise DataError(f"{len(names)} names for {array.shape[1]} columns")
    return pd.DataFrame(array, columns=list(names), copy=False)


def _parse_all(frame: pd.DataFrame, columns: tuple[str, ...], wanted: dict[str, bool]) -> tuple[Array, Levels, Scan]:
    """(n, d) values of their own, the d level tuples, and a scan of the values; plain reals are read in one step."""
    values = np.empty(frame.shape)
    if all(kind == np.float64 for kind in frame.dtypes) and not any(wanted.values()):
        for at in range(0, len(frame), BLOCK):
            values[at : at + BLOCK] = frame.iloc[at : at + BLOCK].to_numpy()
        found = scan(values)
        if found.clean and (bool(wanted) or not found.whole.any()):
            return values, (None,) * len(columns), found
    levels = []
    for j, name in enumerate(columns):
        values[:, j], level = _parse(frame.iloc[:, j], name, wanted.get(name))
        levels.append(level)
    return values, tuple(levels), scan(values)


def _parse(column: pd.Series, name: str, discrete: bool | None) -> tuple[AnyArray, tuple[Any, ...] | None]:
    """(n,) codes with their labels for a discrete column, (n,) floats with None for a continuous one."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        raise DataError(f"column {name!r} holds dates; drop it, or make it a number, such as seconds since the start")
    kind = column.dtype
    worded = not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    words = code(column) if worded else None
    missing = column.isna().to_numpy() if words is None else words.codes < 0
    if missing.all():
        raise DataError(f"column {name!r} has no value in any row", **_without([name]))
    if words is not None and not isinstance(kind, pd.CategoricalDtype) and discrete is not True:
        odd = words.not_numbers
        if len(odd) == 0:
            column, words = pd.Series(words.cells), None
        elif len(odd) <= 0.5 * (~missing).sum():
            raise DataError(
                f"column {name!r} holds numbers, but row {odd[0] + 1} has the text {column.iloc[odd[0]]!r} "
                f"({len(odd)} such row{'s' if len(odd) > 1 else ''}); correct it",
                python=f"if the column holds categories, pass discrete=[{name!r}]",
                shell=f"if the column holds categories, add --discrete {name}",
            )
    if words is not None and discrete is False:
        raise DataError(
            f"column {name!r} holds text ({column.iloc[0]!r}), not numbers",
            python=f"add {name!r} to discrete=",
            shell=f"add {name} to --discrete",
        )
    if words is None:
        if pd.api.types.is_complex_dtype(kind):
            raise DataError(f"column {name!r} holds complex numbers; take the real part or the modulus first")
        values = finite(column, name)
        if discrete is None:
            discrete = pd.api.types.is_bool_dtype(kind) or has_few_levels(values, FEW_LEVELS)
        if not discrete:
            return values, None
        words = code(column)
    codes, labels = words.sorted()
    return np.where(missing, np.nan, codes) if missing.any() else codes, labels


def refuse_constants(values: Array, columns: tuple[str, ...], levels: Levels | None = None) -> None:
    """Raise DataError naming the columns of ``values`` (n, d) that hold one value only, missing cells apart."""
    _refuse_constant(scan(values), columns, levels)


def _refuse_constant(found: Scan, columns: tuple[str, ...], levels: Levels | None) -> None:
    flat = np.flatnonzero(found.constant)
    if len(flat):
        held = [levels[j] if levels else None for j in flat]
        always = [f"{found.low[j]:g}" if level is None else repr(level[0]) for j, level in zip(flat, held, strict=True)]
        names = [columns[j] for j in flat]
        told = ", ".join(f"{name!r} (always {value})" for name, value in zip(names, always, strict=True))
        raise DataError(
            f"column {names[0]!r} is constant in this sample (always {always[0]}): nothing can be learnt about it"
            if len(flat) == 1
            else f"columns {told} are constant in this sample: nothing can be learnt about them",
            **_without(names),
        )


def _without(names: Sequence[str]) -> dict[str, str]:
    """How to leave out columns, in a program and on the command line."""
    them = "it" if len(names) == 1 else "them"
    return {
        "python": f"drop {them}: frame.drop(columns={list(names)!r})",
        "shell": f"leave {them} out: --drop {shlex.quote(','.join(names))}",
    }


def _refuse_extremes(found: Scan, columns: tuple[str, ...]) -> None:
    far = np.flatnonzero(found.extreme)
    if len(far):
        names = ", ".join(repr(columns[j]) for j in far)
        sizes = ", ".join(f"up to {found.size[j]:.3g}, spread {found.spread[j]:.3g}" for j in far)
        raise DataError(
            f"column{'s' if len(far) > 1 else ''} {names} hold{'s' if len(far) == 1 else ''} numbers too large or too close "
            f"together to compute with ({sizes}); rescale, for instance to standard deviations"
        )


def _refuse_duplicates(values: Array, columns: tuple[str, ...]) -> None:
    groups = [[columns[j] for j in group] for group in equal_columns(values)]
    if groups:
        told = "; ".join(f"columns {' and '.join(map(repr, group))} are identical" for group in groups)
        raise DataError(told, **_without([name for group in groups for name in group[1:]]))
