"""Files of tables as data frames, with their names as written and a sentence about what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array
from ..errors import DataError

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL")  # texts of a file that mean a missing value


def read_frame(path: str | Path) -> pd.DataFrame:
    """Read .csv, .tsv or .parquet into a DataFrame; anything else, or a broken file, is a DataError."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        if path.suffix.lower() not in {".csv", ".tsv", ".txt"}:
            raise DataError(f"cannot read {path.name!r}: give a .csv, .tsv or .parquet file (pickles are never read)")
        return _read_csv(path)
    except DataError:
        raise
    except (ValueError, OSError, ImportError) as error:  # pandas' own errors are ValueErrors
        raise DataError(f"{path.name} cannot be read as {path.suffix[1:]}: {error}") from error


def read_array(path: Path, key: str | None = None) -> AnyArray:
    """The array of a .npy file, or the one called ``key`` of a .npz; pickled objects are refused like broken files."""
    try:
        loaded = np.load(path, allow_pickle=False)
        return np.asarray(loaded if key is None else loaded[key])
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise DataError(f"{path.name} cannot be read as a plain numpy array: {error}") from error


def _read_csv(path: Path) -> pd.DataFrame:
    """CSV with its header kept as written: pandas would rename duplicate columns silently."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    if b"\x00" in path.read_bytes()[:65536]:
        raise DataError(f"{path.name} is not text: it holds zero bytes; save it as CSV (UTF-8)")
    header = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str, keep_default_na=False, encoding="utf-8")
    names = [str(name).strip().removeprefix("\ufeff") for name in header.iloc[0]]
    if pd.to_numeric(pd.Series(names), errors="coerce").notna().all():
        raise DataError(f"{path.name}: the first line holds numbers only; write a line of column names above it")
    with path.open(encoding="utf-8") as file:
        blank = next(i for i, line in enumerate(file) if line.strip())  # lines before the header
    for other, what in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and other in names[0]:
            raise DataError(
                f"{path.name} seems to separate its columns by {what}; read it with "
                f"pandas.read_csv({path.name!r}, sep={other!r}) and save it with commas (tabs are read from .tsv files)"
            )
    try:
        frame = pd.read_csv(
            path,
            sep=separator,
            header=None,
            skiprows=blank + 1,
            low_memory=False,
            encoding="utf-8",
            index_col=False,
            keep_default_na=False,
            na_values=list(MISSING),
        )
    except pd.errors.EmptyDataError:
        raise DataError(f"{path.name} has a header but no rows") from None
    if frame.shape[1] != len(names):
        raise DataError(
            f"{path.name}: the header names {len(names)} columns but row 1 has {frame.shape[1]} cells; "
            "quote cells that contain the separator"
        )
    frame.columns = pd.Index(names)
    return frame


def column_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """The column names as text; DataError for a repeated or empty one."""
    columns = tuple(str(name) for name in frame.columns)
    for j, name in enumerate(columns):
        if name in columns[:j]:
            raise DataError(f"name {name!r} occurs twice (columns {columns.index(name) + 1} and {j + 1}); rename one")
        if not name.strip():
            raise DataError(f"column {j + 1} has no name; give it one")
    return columns


def finite(column: pd.Series, name: Any) -> Array:
    """(n,) float64 of a numeric column, NaN where missing; DataError, naming the row, for an infinite value."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(np.isinf(values))
    if len(bad):
        raise DataError(f"column {name!r} has the infinite value {values[bad[0]]} in row {bad[0] + 1}; correct it")
    return values
