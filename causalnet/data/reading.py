"""Files of tables as data frames, with their names as written and a sentence about what is wrong."""

from __future__ import annotations

import csv
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base import checks
from ..base.arrays import AnyArray, Array
from ..base.npz import DAMAGE, read_members, read_npy
from ..errors import DataError, UnknownNameError, nearest
from .decimals import sign_of
from .headers import Head, open_bytes, read_head
from .json_rows import read_json, read_lines
from .numerals import POINTED
from .remarks import rows_alone

# of text files by their suffix, .gz after it or not, where their lines do not tell another
SEPARATORS = {".csv": ",", ".txt": ",", ".dat": ",", ".data": ",", ".tsv": "\t"}
NAMED = {
    ",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces", "^": "carets", "~": "tildes", ":": "colons",
}  # fmt: skip
LINES = (".jsonl", ".ndjson")  # a JSON object a line
STDIN = "-"
RESCANNED = 1 << 24  # bytes up to which rows of too few cells are told from empty ones
SWOLLEN = 1 << 29  # bytes of cells from which a file must not be a hundred times smaller than they are
# what the readers raise for a broken file: most errors of pandas and arrow are ValueErrors or LookupErrors
UNREADABLE = (ValueError, OSError, EOFError, ImportError, LookupError, NotImplementedError, TypeError, zlib.error)
FEW_LEVELS = 10  # whole numbers with at most this many distinct values are read as categories
NAMELESS = ("None", "nan", "<NA>", "NaT")  # what a missing name is printed as
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL")  # texts of a file that mean a missing value


def read_frame(path: str | Path, as_text: Callable[[str], bool] | None = None, skip_bad_rows: int = 0) -> pd.DataFrame:
    """A text file (.csv, .tsv, .txt, .dat, .gz after it or not), .json, .jsonl, .parquet or "-" (standard input) as a DataFrame.

    as_text: which columns of a text file are not to be read as numbers, by their names. skip_bad_rows: so many rows with more cells than the
    header are left out, counted in ``frame.attrs["skipped"]``. ``frame.attrs["notes"]`` says what was guessed.
    Anything else, or a broken file, is a DataError.
    """
    path = stored(path)
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    kind = table_format(path)
    refuse_swollen(path)
    try:
        if kind == "parquet":
            return _read_parquet(path)
        if kind in ("json", "jsonl"):
            return read_json(path) if kind == "json" else read_lines(path)
        return _read_csv(path, as_text, skip_bad_rows)
    except DataError:
        raise
    except pd.errors.ParserError as error:
        raise DataError(_ragged(path.name, kind, str(error))) from error
    except UNREADABLE as error:
        raise DataError(f"{path.name} cannot be read as {kind}: {str(error).strip()}") from error
    except RuntimeError as error:  # a compressed or damaged file, in the words of its library
        raise DataError(f"{path.name} cannot be read as {kind}: {error}") from error


def refuse_swollen(path: Path) -> None:
    """DataError for a compressed text that is far larger than its file, before it is read."""
    size = path.stat().st_size
    if path.suffix.lower() != ".gz" or size * 1032 < SWOLLEN:  # deflate does not shrink further
        return
    total = 0
    try:
        with open_bytes(path) as file:
            while part := file.read(1 << 22):
                total += len(part)
                if total > SWOLLEN and total > 100 * size:
                    raise DataError(
                        f"{path.name} unpacks to more than {total >> 20} MiB from {size >> 20} MiB, as no table of measured "
                        "numbers does; unpack and look at it first"
                    )
    except (OSError, EOFError, zlib.error):
        return  # told by the reader


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    told = file.metadata
    cells = told.num_rows * max(1, told.num_columns)
    if cells * 8 > max(SWOLLEN, 1000 * path.stat().st_size):
        raise DataError(
            f"{path.name} unpacks to {told.num_rows} rows of {told.num_columns} columns from {path.stat().st_size} bytes, as no "
            "table of measured numbers does"
        )
    return pd.DataFrame(file.read().to_pandas())


def _ragged(name: str, kind: str, message: str) -> str:
    """What pandas says of a row with too many cells, as a sentence."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if not found:
        return f"{name} cannot be read as {kind}: {message.strip()}"
    return (
        f"{name}: line {found[2]} has {found[3]} cells, and the lines above {found[1]}; quote cells that contain the "
        "separator, or drop the line (of a log: skip_bad_rows=1, --skip-bad-rows 1)"
    )


def stored(path: str | Path) -> Path:
    """The path; what comes in on standard input ("-") is stored in a file of its own first, once."""
    return _piped() if str(path) == STDIN else checks.file_name(path, "table.csv")


@cache
def _piped() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="causalnet-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    content = sys.stdin.buffer.read()
    if not content.strip():
        raise DataError("standard input is empty; pipe a table into it")
    first = content.lstrip()[:1]
    name = "stdin.parquet" if content[:4] == b"PAR1" else "stdin.json" if first in (b"{", b"[") else "stdin.csv"
    target = folder / (f"{name}.gz" if content[:2] == b"\x1f\x8b" else name)
    target.write_bytes(content)
    return target


def table_format(path: Path) -> str:
    """ "parquet", "json", "jsonl", "csv" or "tsv" by the name of a file; DataError for any other."""
    suffix = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if path.suffix.lower() == ".parquet":
        return "parquet"
    if suffix in (*LINES, ".json"):
        return "jsonl" if suffix in LINES else "json"
    if suffix not in SEPARATORS:
        raise DataError(
            f"cannot read {path.name!r}: give a .csv, .tsv or .parquet file, or .txt, .dat, .json, .jsonl (pickles are never read)"
        )
    return "tsv" if suffix == ".tsv" else "csv"


def head_of(path: Path) -> Head:
    """Encoding, separator and column names of a text file."""
    return read_head(path, usual_separator(path))


def usual_separator(path: Path) -> str:
    """The separator that the name of a text file tells."""
    return "\t" if table_format(path) == "tsv" else ","


def read_array(path: Path, key: str | None = None) -> AnyArray:
    """The array of a .npy file, or the one called ``key`` of a .npz; pickled objects are refused like broken files."""
    try:
        if key is None:
            return read_npy(path)
        with zipfile.ZipFile(path) as file:
            return read_members(file, path)[key]
    except DataError:
        raise
    except (*DAMAGE, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} cannot be read as a plain numpy array: {error}") from error


def pattern(separator: str) -> str:
    """A separator as pandas takes it: any number of spaces are one."""
    return r"\s+" if separator == " " else separator


def _read_csv(path: Path, as_text: Callable[[str], bool] | None, skip_bad_rows: int) -> pd.DataFrame:
    """CSV with its header kept as written: pandas would rename duplicate columns silently."""
    head = head_of(path)
    names, separator = head.names, head.separator
    long: list[list[str]] = []
    how: dict[str, Any] = {"low_memory": False}
    if skip_bad_rows:
        how = {"engine": "python", "on_bad_lines": lambda cells: long.append(cells)}
    texts = {j: str for j, name in enumerate(names) if as_text is not None and as_text(name)}
    try:
        frame = pd.read_csv(
            path,
            sep=pattern(separator),
            header=None,
            skiprows=head.skipped,
            encoding=head.encoding,
            skipinitialspace=True,
            index_col=False,
            keep_default_na=False,
            na_values=list(MISSING),
            dtype=texts or None,
            **how,
        )
    except pd.errors.EmptyDataError:
        raise DataError(f"{path.name} has a header but no rows") from None
    if len(names) < frame.shape[1] and frame.iloc[:, len(names) :].isna().all(axis=None):  # a separator ends every row
        frame = frame.iloc[:, : len(names)]
    if frame.shape[1] == len(names) + 1 and _labels_rows(frame.iloc[:, 0]):  # R writes no name above its row names
        names = ["", *names]
    if frame.shape[1] != len(names):
        raise DataError(
            f"{path.name}: the header names {len(names)} columns but row 1 has {frame.shape[1]} cells; quote cells that contain "
            "the separator, give every column a name, or drop the lines above the names"
        )
    if len(names) == 1 and re.search("[,;\t]", names[0]) and frame[0].astype(str).str.contains("[,;\t]").all():
        raise DataError(f"{path.name}: every line is one quoted cell; take the quotation marks around the lines away")
    if len(names) == 1 and frame[0].astype(str).str.contains(r"[;\t|]").mean() > 0.5:
        raise DataError(
            f"{path.name}: the first line names one column, and the rows hold several cells; name each of them"
        )
    frame = _between_thousands(path, head, frame)
    frame, told = rows_alone(frame, names, set(texts))
    names = [str(name) for name in frame.columns]
    frame.attrs["skipped"] = len(long)
    frame.attrs["notes"], frame.attrs["told"] = [], [*head.notes, *told]
    frame.attrs["separator"], frame.attrs["index"] = separator, head.labels
    if separator != usual_separator(path) and len(names) > 1:
        what = NAMED[separator]
        frame.attrs["notes"] += [f"{path.name} separates its columns by {what}"]
    short = _short_rows(path, head, frame)
    if short:
        rows = f"{short[0]}" if len(short) == 1 else f"{short[0]} and {len(short) - 1} more"
        frame.attrs["told"].append(
            f"{path.name}: row {rows} with fewer cells than columns: those left are read as missing"
        )
    return frame


def _between_thousands(path: Path, head: Head, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with numbers such as 1.037 as texts, where they stand between semicolons and no cell shows points before decimals."""
    points = [j for j, kind in enumerate(frame.dtypes) if pd.api.types.is_float_dtype(kind)]
    if head.separator != ";" or not points or sign_of(frame.assign().pipe(_parted)) != ",":
        return frame
    how: dict[str, Any] = {
        "sep": ";",
        "header": None,
        "skiprows": head.skipped,
        "encoding": head.encoding,
        "keep_default_na": False,
    }
    texts = pd.read_csv(path, usecols=points, dtype=str, na_values=list(MISSING), index_col=False, **how)
    cells = [texts[j].dropna().str.strip() for j in points]
    if all(column.str.fullmatch(rf"{POINTED.pattern}|[+-]?\d+").all() for column in cells):
        for j, column in zip(points, cells, strict=True):
            if column.str.contains(".", regex=False).any():
                frame.isetitem(j, texts[j].array)
    return frame


def _parted(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["separator"] = ";"
    return frame


def _short_rows(path: Path, head: Head, frame: pd.DataFrame) -> list[int]:
    """The rows, from 1, of fewer cells than there are columns, among those that lack the last; of large files none."""
    lacking = frame.iloc[:, -1].isna().to_numpy() if frame.shape[1] > 1 else np.zeros(0, bool)
    if head.separator == " " or not lacking.any() or path.stat().st_size > RESCANNED:
        return []
    with open_bytes(path) as file:
        lines = file.read().decode(head.encoding, errors="replace").splitlines()[head.skipped :]
    rows = [row for row in csv.reader(lines, delimiter=head.separator) if row]
    return [
        k + 1 for k in np.flatnonzero(lacking).tolist() if len(rows) == len(frame) and len(rows[k]) < frame.shape[1]
    ]


def _labels_rows(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return bool((column.to_numpy() == np.arange(1, len(column) + 1)).all())
    return bool(column.is_unique)


def column_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """The column names as text; DataError for a repeated or empty one."""
    return proper_names(frame.columns)


def proper_names(given: Iterable[Any]) -> tuple[str, ...]:
    """Names of columns as texts; DataError for a repeated or empty one."""
    columns = tuple("" if not isinstance(name, str) and str(name) in NAMELESS else str(name) for name in given)
    met: set[str] = set()
    for j, name in enumerate(columns):
        if name in met:
            raise DataError(f"name {name!r} occurs twice (columns {columns.index(name) + 1} and {j + 1}); rename one")
        if not name.strip():
            raise DataError(f"column {j + 1} has no name; give it one")
        met.add(name)
    return columns


def finite(column: pd.Series, name: Any) -> Array:
    """(n,) float64 of a numeric column, NaN where missing; DataError, naming the row, for an infinite value."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(np.isinf(values))
    if len(bad):
        others = f" ({len(bad)} such rows; also {shown_rows(bad[1:])})" if len(bad) > 1 else ""
        raise DataError(
            f"column {name!r} has the infinite value {values[bad[0]]} in row {bad[0] + 1}{others}; correct it"
        )
    return values


def shown_rows(places: Iterable[int]) -> str:
    """Places of rows, from 0, as the numbers of rows, from 1: the first few."""
    numbers = [str(int(place) + 1) for place in places]
    return ", ".join(numbers[:5]) + (", ..." if len(numbers) > 5 else "")


def wanted_discrete(
    discrete: Sequence[str] | bool | None, columns: tuple[str, ...], option: str = "discrete"
) -> dict[str, bool]:
    """Of each column whether it is discrete, where the user says so; UnknownNameError for a name that is no column."""
    if discrete is None:
        return {}
    if isinstance(discrete, bool):
        return dict.fromkeys(columns, discrete)
    if isinstance(discrete, str):
        discrete = [discrete]
    discrete = checks.names(option, discrete)
    for name in discrete:
        if name not in columns:
            raise UnknownNameError(f"{option} names {name!r}, which is not a column.{nearest(name, columns)}")
    return {name: name in discrete for name in columns}
