"""Files of tables as data frames, with their names as written and a sentence about what is wrong."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from ..base.arrays import AnyArray, Array
from ..errors import DataError, UnknownNameError, nearest

SEPARATORS = {".csv": ",", ".txt": ",", ".tsv": "\t"}  # of text files by their suffix, .gz after it or not
# what the readers raise for a broken file: most errors of pandas and arrow are ValueErrors or LookupErrors
UNREADABLE = (ValueError, OSError, EOFError, ImportError, LookupError, NotImplementedError, TypeError, zlib.error)
FEW_LEVELS = 10  # whole numbers with at most this many distinct values are read as categories
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL")  # texts of a file that mean a missing value


def read_frame(path: str | Path) -> pd.DataFrame:
    """Read .csv, .tsv (.gz after it or not) or .parquet into a DataFrame; anything else, or a broken file, is a DataError."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    kind = table_format(path)
    try:
        return pd.read_parquet(path) if kind == "parquet" else _read_csv(path)
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{path.name} cannot be read as {kind}: {error}") from error


def table_format(path: Path) -> str:
    """ "parquet", "csv" or "tsv" by the name of a file; DataError for any other."""
    suffix = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if path.suffix.lower() == ".parquet":
        return "parquet"
    if suffix not in SEPARATORS:
        raise DataError(f"cannot read {path.name!r}: give a .csv, .tsv or .parquet file (pickles are never read)")
    return "tsv" if suffix == ".tsv" else "csv"


def separator_of(path: Path) -> str:
    """What stands between the cells of a text file, by its name."""
    return "\t" if table_format(path) == "tsv" else ","


def _open_bytes(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def read_array(path: Path, key: str | None = None) -> AnyArray:
    """The array of a .npy file, or the one called ``key`` of a .npz; pickled objects are refused like broken files."""
    try:
        loaded = np.load(path, allow_pickle=False)
        return np.asarray(loaded if key is None else loaded[key])
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise DataError(f"{path.name} cannot be read as a plain numpy array: {error}") from error


def read_header(path: Path) -> tuple[list[str], int]:
    """Column names of a text file as written, and the number of lines to skip up to the first row."""
    with _open_bytes(path) as file:
        if b"\x00" in file.read(65536):
            raise DataError(f"{path.name} is not text: it holds zero bytes; save it as CSV (UTF-8)")
        file.seek(0)
        blank = next((i for i, line in enumerate(file) if line.strip()), 0)  # lines before the header
    header = pd.read_csv(
        path, sep=separator_of(path), header=None, nrows=1, dtype=str, keep_default_na=False, encoding="utf-8"
    )
    names = [str(name).strip().removeprefix("\ufeff") for name in header.iloc[0]]
    if pd.to_numeric(pd.Series(names), errors="coerce").notna().all():
        raise DataError(f"{path.name}: the first line holds numbers only; write a line of column names above it")
    for other, what in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and other in names[0]:
            raise DataError(
                f"{path.name} seems to separate its columns by {what}; read it with "
                f"pandas.read_csv({path.name!r}, sep={other!r}) and save it with commas (tabs are read from .tsv files)"
            )
    return names, blank + 1


def _read_csv(path: Path) -> pd.DataFrame:
    """CSV with its header kept as written: pandas would rename duplicate columns silently."""
    names, skipped = read_header(path)
    try:
        frame = pd.read_csv(
            path,
            sep=separator_of(path),
            header=None,
            skiprows=skipped,
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
    return proper_names(frame.columns)


def proper_names(given: Iterable[Any]) -> tuple[str, ...]:
    """Names of columns as texts; DataError for a repeated or empty one."""
    columns = tuple(str(name) for name in given)
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


def wanted_discrete(discrete: Sequence[str] | bool | None, columns: tuple[str, ...]) -> dict[str, bool]:
    """Of each column whether it is discrete, where the user says so; UnknownNameError for a name that is no column."""
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
