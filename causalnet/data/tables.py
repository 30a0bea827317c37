"""A table that a discovery backend can trust: named columns, finite numbers, no constants, no duplicates."""

from __future__ import annotations

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
from .reading import FEW_LEVELS, MISSING, column_names, finite, read_frame, wanted_discrete
from .scanning import Scan, constant_columns, equal_columns, has_few_levels, scan
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

    columns: d names. values: (n, d) float64, read-only; a discrete column holds the codes 0 .. k-1.
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
    def covariance(self) -> Array:
        """(d, d) maximum-likelihood covariance (divided by n), read-only."""
        return freeze(sum_rows(self.values).products / self.n)

    @cached_property
    def correlation(self) -> Array:
        """(d, d) Pearson correlation, read-only."""
        return correlate(self.covariance, self.columns)

    @cached_property
    def codes(self) -> Codes:
        """(n, d) int32 category codes; only for tables whose columns are all discrete."""
        if not self.discrete.all():
            name = self.columns[int(np.flatnonzero(~self.discrete)[0])]
            raise DataError(f"column {name!r} is continuous; bin it, or pass discrete=[{name!r}] for categories")
        return freeze(self.values.astype(np.int32))

    @cached_property
    def cardinality(self) -> Codes:
        """(d,) number of categories of each column (0 where continuous)."""
        return freeze(np.array([0 if level is None else len(level) for level in self.levels], dtype=np.int32))

    def frame(self, labels: bool = False) -> pd.DataFrame:
        """A fresh DataFrame; with ``labels`` the original category labels instead of the codes."""
        frame = pd.DataFrame(self.values.copy(), columns=list(self.columns))
        for j, (name, level) in enumerate(zip(self.columns, self.levels, strict=True)):
            if level is not None:
                code = self.values[:, j].astype(int)
                frame[name] = [level[c] for c in code] if labels else code
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
    *,
    allow_few_rows: bool = False,
) -> Table:
    """Validate a DataFrame (or an array with ``names``) and freeze it.

    discrete: True or False for all columns, or the names of the categorical ones. By default text, boolean and
    category columns are discrete, and whole numbers with at most 10 distinct values.
    Raises DataError, naming the column or row, for NaN, infinities, constants, duplicates, text among numbers,
    duplicate names, and fewer rows than variables.
    """
    if isinstance(data, Table):
        return data
    frame = _as_frame(data, names)
    columns = column_names(frame)
    if frame.shape[0] == 0 or frame.shape[1] == 0:
        raise DataError(f"the table is empty: {frame.shape[0]} rows, {frame.shape[1]} columns")
    wanted = wanted_discrete(discrete, columns)
    values, levels, found = _parse_all(frame, columns, wanted)
    if not allow_few_rows and values.shape[0] < values.shape[1] + 2:
        raise DataError(
            f"{values.shape[0]} rows for {values.shape[1]} variables: at least {values.shape[1] + 2} rows are needed; "
            "add rows, or select fewer columns"
        )
    _refuse_constant(np.flatnonzero(found.constant), values, columns, levels)
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
    """(n, d) values of their own, the d level tuples, and what a scan of them found; plain reals are read in one step."""
    values = np.empty(frame.shape)
    if all(kind == np.float64 for kind in frame.dtypes) and not any(wanted.values()):
        for at in range(0, len(frame), BLOCK):
            values[at : at + BLOCK] = frame.iloc[at : at + BLOCK].to_numpy()
        found = scan(values)
        if not (found.missing.any() or found.infinite.any()) and (bool(wanted) or not found.whole.any()):
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
    missing = np.flatnonzero(column.isna().to_numpy()) if words is None else words.missing
    if len(missing):
        raise DataError(
            f"column {name!r} has {len(missing)} missing value{'s' if len(missing) > 1 else ''}, the first in row "
            f"{missing[0] + 1}; drop those rows (frame.dropna()) or fill them before discovery "
            f"(in a file, empty cells and {', '.join(MISSING[1:4])}, NaN and null count as missing)"
        )
    if words is not None and not isinstance(kind, pd.CategoricalDtype) and discrete is not True:
        odd = words.not_numbers
        if len(odd) == 0:
            column, words = pd.Series(words.numbers[words.codes]), None
        elif len(odd) <= 0.5 * len(column):
            raise DataError(
                f"column {name!r} holds numbers, but row {odd[0] + 1} has the text {words.label(odd[0])!r} "
                f"({len(odd)} such row{'s' if len(odd) > 1 else ''}); correct it, or pass discrete=[{name!r}] "
                "if the column holds categories"
            )
    if words is not None and discrete is False:
        raise DataError(f"column {name!r} holds text ({column.iloc[0]!r}), not numbers; add {name!r} to discrete=")
    if words is None:
        if pd.api.types.is_complex_dtype(kind):
            raise DataError(f"column {name!r} holds complex numbers; take the real part or the modulus first")
        values = finite(column, name)
        if discrete is None:
            discrete = pd.api.types.is_bool_dtype(kind) or has_few_levels(values, FEW_LEVELS)
        if not discrete:
            return values, None
        words = code(column)
    return words.sorted()


def refuse_constants(values: Array, columns: tuple[str, ...], levels: Levels | None = None) -> None:
    """Raise DataError naming the columns of ``values`` (n, d) that hold one value only."""
    _refuse_constant(constant_columns(values), values, columns, levels)


def _refuse_constant(flat: Ints, values: Array, columns: tuple[str, ...], levels: Levels | None) -> None:
    if not len(flat):
        return
    names = [columns[j] for j in flat]
    held = [levels[j] if levels else None for j in flat]
    always = [f"{values[0, j]:g}" if level is None else repr(level[0]) for j, level in zip(flat, held, strict=True)]
    told = [f"{name!r} (always {value})" for name, value in zip(names, always, strict=True)]
    one = (
        f"column {names[0]!r} is constant in this sample (always {always[0]}): nothing can be learnt about it; drop it"
    )
    many = f"columns {', '.join(told)} are constant in this sample: nothing can be learnt about them; drop them"
    raise DataError(f"{one if len(flat) == 1 else many}: frame.drop(columns={names!r}), or draw a larger sample")


def _refuse_extremes(found: Scan, columns: tuple[str, ...]) -> None:
    far = np.flatnonzero(found.extreme)
    if len(far):
        size, spread = found.size_and_spread
        told = [f"{columns[j]!r} holds" if len(far) == 1 else f"{columns[j]!r}" for j in far]
        sizes = [f"{columns[j]!r} up to {size[j]:.3g}, spread {spread[j]:.3g}" for j in far]
        raise DataError(
            f"column{'s' if len(far) > 1 else ''} {', '.join(told)}{' hold' if len(far) > 1 else ''} numbers too large or "
            f"too close together to compute with ({'; '.join(sizes)}); rescale, for instance to standard deviations"
        )


def _refuse_duplicates(values: Array, columns: tuple[str, ...]) -> None:
    groups = [[columns[j] for j in group] for group in equal_columns(values)]
    if groups:
        told = "; ".join(f"columns {' and '.join(map(repr, group))} are identical" for group in groups)
        spare = [name for group in groups for name in group[1:]]
        raise DataError(f"{told}; keep one: frame.drop(columns={spare!r})")
