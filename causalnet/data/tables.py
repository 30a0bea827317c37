"""A table that a discovery backend can trust: named columns, finite or missing cells, no constants, no duplicates."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array, Bools, Codes, Ints
from ..errors import DataError, UnknownNameError, nearest
from .kinds import Data, data_kind, refuse_unfinished
from .reading import column_names, finite, read_frame
from .sealed import freeze

EXTREME = 1e100  # spreads beyond this, or below its inverse, overflow when they are squared and summed
FEW_LEVELS = 10  # whole numbers with at most this many distinct values are read as categories

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

    @property
    def incomplete(self) -> bool:
        """True when any cell is missing."""
        return bool(self.missing.any())

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
        centred = self.values - self.values.mean(axis=0)
        return freeze(centred.T @ centred / self.n)

    @cached_property
    def correlation(self) -> Array:
        """(d, d) Pearson correlation, read-only."""
        scale = np.sqrt(np.diag(self.covariance))
        if not scale.all():
            name = self.columns[int(np.flatnonzero(scale == 0)[0])]
            raise DataError(f"column {name!r} is constant in this sample, so it has no correlation; drop it")
        rho = self.covariance / np.outer(scale, scale)
        np.fill_diagonal(rho, 1.0)
        return freeze(np.clip(rho, -1.0, 1.0))

    @cached_property
    def codes(self) -> Codes:
        """(n, d) int32 category codes, -1 where missing; only for tables whose columns are all discrete."""
        if not self.discrete.all():
            name = self.columns[int(np.flatnonzero(~self.discrete)[0])]
            raise DataError(f"column {name!r} is continuous; bin it, or pass discrete=[{name!r}] for categories")
        return freeze(np.where(self.missing, -1, self.values).astype(np.int32))

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
    wanted = _wanted_discrete(discrete, columns)
    values, levels = _parse_all(frame, columns, wanted)
    refuse_constants(values, columns, levels)
    _refuse_extremes(values, columns)
    _refuse_duplicates(values, columns)
    mask = np.array([level is not None for level in levels])
    return Table(columns, freeze(values), freeze(mask), levels)


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
    return pd.DataFrame(array, columns=list(names))


def _wanted_discrete(discrete: Sequence[str] | bool | None, columns: tuple[str, ...]) -> dict[str, bool]:
    if discrete is None:
        return {}
    if isinstance(discrete, bool):
        return dict.fromkeys(columns, discrete)
    if isinstance(discrete, str):
        discrete = [discrete]
    for name in discrete:
        if name not in columns:
            raise UnknownNameError(f"discrete names {name!r}, which is not a column.{nearest(name, columns)}")
    return {name: name in discrete for name in columns}


def _parse_all(frame: pd.DataFrame, columns: tuple[str, ...], wanted: dict[str, bool]) -> tuple[Array, Levels]:
    """(n, d) values and the d level tuples; a block of plain reals, the common case, is read in one step."""
    if all(kind == np.float64 for kind in frame.dtypes) and not any(wanted.values()):
        values = frame.to_numpy(dtype=np.float64)
        if np.isfinite(values).all() and (bool(wanted) or (values != np.round(values)).any(axis=0).all()):
            return values, (None,) * len(columns)
    parsed = [_parse(frame.iloc[:, j], name, wanted.get(name)) for j, name in enumerate(columns)]
    values = np.column_stack([column for column, _ in parsed]).astype(np.float64)
    return values, tuple(level for _, level in parsed)


def _parse(column: pd.Series, name: str, discrete: bool | None) -> tuple[AnyArray, tuple[Any, ...] | None]:
    """(n,) codes with their labels for a discrete column, (n,) floats with None for a continuous one."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        raise DataError(f"column {name!r} holds dates; drop it, or make it a number, such as seconds since the start")
    missing = column.isna().to_numpy()
    if missing.all():
        raise DataError(f"column {name!r} has no value in any row", **_without(name))
    kind = column.dtype
    textual = not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    if textual and not isinstance(kind, pd.CategoricalDtype):
        numeric = pd.to_numeric(column, errors="coerce")
        odd = np.flatnonzero(numeric.isna().to_numpy() & ~missing)
        if len(odd) == 0 and discrete is not True:
            column, textual = numeric, False
        elif 0 < len(odd) <= 0.5 * (~missing).sum() and discrete is not True:
            raise DataError(
                f"column {name!r} holds numbers, but row {odd[0] + 1} has the text {column.iloc[odd[0]]!r} "
                f"({len(odd)} such row{'s' if len(odd) > 1 else ''}); correct it",
                python=f"if the column holds categories, pass discrete=[{name!r}]",
                shell=f"if the column holds categories, add --discrete {name}",
            )
    if textual and discrete is False:
        raise DataError(
            f"column {name!r} holds text ({column.iloc[0]!r}), not numbers",
            python=f"add {name!r} to discrete=",
            shell=f"add {name} to --discrete",
        )
    if not textual:
        if pd.api.types.is_complex_dtype(kind):
            raise DataError(f"column {name!r} holds complex numbers; take the real part or the modulus first")
        values = finite(column, name)
        if discrete is None:
            named = pd.api.types.is_bool_dtype(kind) or isinstance(kind, pd.CategoricalDtype)
            present = values[~missing]
            few = (present == np.round(present)).all() and len(np.unique(present)) <= FEW_LEVELS
            discrete = named or few
        if not discrete:
            return values, None
    codes, labels = pd.factorize(column, sort=True)
    return np.where(missing, np.nan, codes), tuple(
        label.item() if isinstance(label, np.generic) else label for label in labels
    )


def refuse_constants(values: Array, columns: tuple[str, ...], levels: Levels | None = None) -> None:
    """Raise DataError naming the first column of ``values`` (n, d) that holds one value only, missing cells apart."""
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    flat = np.flatnonzero(~(low < high))
    if len(flat):
        j = int(flat[0])
        level = levels[j] if levels else None
        always = f"{low[j]:g}" if level is None else repr(level[0])
        raise DataError(
            f"column {columns[j]!r} is constant in this sample (always {always}): nothing can be learnt about it",
            **_without(columns[j]),
        )


def _without(name: str) -> dict[str, str]:
    """How to leave out a column, in a program and on the command line."""
    return {"python": f"drop it: frame.drop(columns=[{name!r}])", "shell": f"leave it out: --drop {shlex.quote(name)}"}


def _refuse_extremes(values: Array, columns: tuple[str, ...]) -> None:
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    size = np.maximum(np.abs(low), np.abs(high))
    unit = np.where(size > 0, size, 1.0)
    spread = (high / unit - low / unit) * size
    far = np.flatnonzero((size > EXTREME) | (spread < 1 / EXTREME))
    if len(far):
        name = columns[int(far[0])]
        raise DataError(
            f"column {name!r} holds numbers too large or too close together to compute with (up to {size[far[0]]:.3g}, "
            f"spread {spread[far[0]]:.3g}); rescale it, for instance to standard deviations"
        )


def _refuse_duplicates(values: Array, columns: tuple[str, ...]) -> None:
    seen: dict[bytes, str] = {}
    for column, name in zip(values.T, columns, strict=True):
        other = seen.setdefault(hashlib.sha256(column.tobytes()).digest(), name)
        if other != name:
            raise DataError(f"columns {other!r} and {name!r} are identical", **_without(name))
