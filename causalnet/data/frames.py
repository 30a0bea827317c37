"""Tables of any library, and arrays with names, as pandas frames."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..base.checks import entries
from ..errors import DataError
from .findings import Findings


@runtime_checkable
class Frame(Protocol):
    """A table that knows how to become a frame of pandas, such as one of xarray or Spark."""

    def to_pandas(self) -> pd.DataFrame:
        """The same rows and columns as a pandas DataFrame."""


@runtime_checkable
class ArrowStream(Protocol):
    """Rows of another library that hands out Arrow data."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows as an Arrow stream."""


def as_frame(data: Any, names: Sequence[str] | None) -> pd.DataFrame:
    """A pandas frame of what is one, can become one, or is an array (n, d) with d names."""
    found = data if isinstance(data, pd.DataFrame) else _of_library(data)
    if found is None:
        return _of_array(data, names)
    if names is not None and entries("names", names, "names of columns") != [str(c) for c in found.columns]:
        raise DataError("names= is for arrays, and this DataFrame has its own (rename them with frame.rename)")
    return found


def _of_library(data: Any) -> pd.DataFrame | None:
    """The frame of another library (polars, pyarrow, a relation of DuckDB, ...) as one of pandas; None for no frame."""
    if isinstance(data, str | Path):
        raise DataError(f"got the text {str(data)!r}; read the file first: causalnet.data.read_table({str(data)!r})")
    if isinstance(data, Mapping) or (isinstance(data, list) and data and isinstance(data[0], Mapping)):
        raise DataError(
            f"got a {'dict' if isinstance(data, Mapping) else 'list of dicts'}; make it a frame first: pandas.DataFrame(...)"
        )
    if data is None or isinstance(data, np.ndarray | np.generic | list | tuple | int | float | complex):
        return None
    import narwhals.stable.v2 as nw

    try:
        known = nw.from_native(data, pass_through=True, allow_series=True)
        if isinstance(known, nw.Series):
            raise DataError("one column is no table; make it a frame first")
        if isinstance(known, nw.DataFrame | nw.LazyFrame):
            return _of_arrow((known.collect() if isinstance(known, nw.LazyFrame) else known).to_arrow())
        if isinstance(data, ArrowStream):
            import pyarrow as pa

            return _of_arrow(pa.table(data))
        if isinstance(data, Frame):
            return pd.DataFrame(data.to_pandas())
    except Exception as error:  # a stranger's frame raises what it likes
        raise DataError(f"the {type(data).__name__} cannot be read as a table: {error}") from error
    return None


def _of_arrow(table: Any) -> pd.DataFrame:
    """An Arrow table as a frame; times of day, which pandas lacks, as texts."""
    from pyarrow import types

    for at, kind in enumerate(table.schema.types):
        if types.is_time(kind):
            table = table.set_column(at, table.field(at).name, table.column(at).cast("string"))
    return pd.DataFrame(table.to_pandas(date_as_object=False))


def _of_array(data: Any, names: Sequence[str] | None) -> pd.DataFrame:
    if callable(getattr(data, "toarray", None)):
        raise DataError(f"got a sparse matrix of shape {data.shape}; pass its cells: matrix.toarray()")
    try:
        array = np.ma.asanyarray(data) if isinstance(data, np.ma.MaskedArray) else np.asarray(data)
    except (ValueError, TypeError) as error:
        raise DataError(f"got {type(data).__name__}, no table: {error}") from error
    if array.dtype.names:
        deep = [name for name in array.dtype.names if array[name].ndim != 1]
        if deep:
            raise DataError(f"the field {deep[0]!r} of the array holds several numbers a row; give each a field")
        return pd.DataFrame({name: _unmasked(array[name]) for name in array.dtype.names})
    if array.ndim != 2:
        what = f"an array of shape {array.shape}" if array.ndim else f"{type(data).__name__}"
        raise DataError(f"a table has two dimensions (rows, variables); got {what}")
    names = [f"x{j}" for j in range(array.shape[1])] if names is None else names
    if not isinstance(names, Sequence | np.ndarray | pd.Index) or isinstance(names, str):
        raise DataError(f"names is {names!r}, and must be a list of names, one a column")
    if len(names) != array.shape[1]:
        raise DataError(f"{len(names)} names for {array.shape[1]} columns")
    if odd := [name for name in names if not isinstance(name, Hashable)]:
        raise DataError(f"a name of a column is {odd[0]!r}, and must be a text or a number")
    return pd.DataFrame(_unmasked(array), columns=pd.Index(list(names), dtype=object), copy=False)


def _unmasked(array: Any) -> Any:
    """Masked cells as missing ones."""
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if not array.mask.any():
        return array.data
    plain: Any = array.astype(np.float64 if array.dtype.kind in "biuf" else object)
    return plain.filled(np.nan if array.dtype.kind in "biuf" else None)


def note_index(frame: pd.DataFrame, found: Findings) -> None:
    """Note times that index the rows and are not in order."""
    index = frame.index
    if isinstance(index, pd.DatetimeIndex) and not index.is_monotonic_increasing:
        text = "the times that index the rows are not ascending, and the rows are taken in the order given"
        found.note("", text, told=True, python="methods for time series need frame.sort_index()")
