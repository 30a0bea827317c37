"""Tables of any library, and arrays with names, as pandas frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..errors import DataError
from .findings import Findings


@runtime_checkable
class Frame(Protocol):
    """A data frame of another library, such as polars or pyarrow."""

    def to_pandas(self) -> pd.DataFrame:
        """The same rows and columns as a pandas DataFrame."""


@runtime_checkable
class ArrowStream(Protocol):
    """Rows of another library that hands out Arrow data, such as a relation of DuckDB."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows as an Arrow stream."""


def as_frame(data: Any, names: Sequence[str] | None) -> pd.DataFrame:
    """A pandas frame of what is one, can become one, or is an array (n, d) with d names."""
    if isinstance(data, pd.DataFrame):
        if names is not None and list(names) != [str(c) for c in data.columns]:
            raise DataError("names= is for arrays, and this DataFrame has its own (rename them with frame.rename)")
        return data
    if isinstance(data, str | Path):
        raise DataError(f"got the text {str(data)!r}; read the file first: causalnet.data.read_table({str(data)!r})")
    if isinstance(data, Frame):
        return pd.DataFrame(data.to_pandas())
    if isinstance(data, ArrowStream):
        import pyarrow as pa

        return pd.DataFrame(pa.table(data).to_pandas())
    if isinstance(data, Mapping):
        raise DataError("got a dict; make it a frame first: pandas.DataFrame(...)")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise DataError(f"got {type(data).__name__}, no table: {error}") from error
    if array.dtype.names:
        return pd.DataFrame({name: array[name] for name in array.dtype.names})
    if array.ndim != 2:
        raise DataError(f"a table has two dimensions (rows, variables); got an array of shape {array.shape}")
    names = [f"x{j}" for j in range(array.shape[1])] if names is None else names
    if len(names) != array.shape[1]:
        raise DataError(f"{len(names)} names for {array.shape[1]} columns")
    return pd.DataFrame(array, columns=list(names), copy=False)


def note_index(frame: pd.DataFrame, found: Findings) -> None:
    """Note times that index the rows and are not in order."""
    index = frame.index
    if isinstance(index, pd.DatetimeIndex) and not index.is_monotonic_increasing:
        text = "the times that index the rows are not ascending, and the rows are taken in the order given"
        found.note("", text, told=True, python="methods for time series need frame.sort_index()")
