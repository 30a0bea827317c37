"""Files of tables read a batch of rows at a time: Parquet, CSV, compressed CSV, and folders of such parts.

Nothing is kept between two batches, so that a table may be larger than the memory. What a file holds is decided by its
schema (Parquet) or its first block (CSV); a later block that holds something else is an error that names the row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, UnknownNameError, nearest
from .headers import Head
from .reading import MISSING, UNREADABLE, head_of, proper_names, table_format

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 16384  # of a batch: twenty columns of it stay in the processor's cache
CELLS = 1 << 22  # and at most so many cells
BLOCK = 1 << 22  # bytes of a text file parsed at once; no line is longer
BUFFER = 1 << 20  # bytes of a Parquet column read at once
EXPANDS = 4  # a compressed text file has about so many times its own size

# what a column holds
TEXT, CATEGORY, NUMBER, FLAG, DATE, OTHER = "text", "categories", "numbers", "true or false", "dates", "lists or bytes"


def find_parts(path: str | Path) -> list[Path]:
    """The files of a table: the file itself, or those of a folder by their names (hidden ones, and _ ones, left out)."""
    path = Path(path)
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"no such file: {path}.{nearest(path.name, beside)}")
    if not path.is_dir():
        _refuse_json({table_format(path)})
        return [path]
    entries = sorted(p for p in path.iterdir() if not p.name.startswith((".", "_")))
    folders = [p.name for p in entries if p.is_dir()]
    if folders:
        raise DataError(
            f"the folder {path.name} holds folders ({', '.join(folders[:3])}), and what their names say would be lost; "
            "give one of them, or write the parts into one folder"
        )
    if not entries:
        raise DataError(f"the folder {path.name} holds no .parquet or .csv file")
    kinds = {table_format(p) for p in entries}
    _refuse_json(kinds)
    if len(kinds) > 1:
        raise DataError(
            f"the folder {path.name} holds parts of different formats ({', '.join(sorted(kinds))}); keep one"
        )
    return entries


def _refuse_json(kinds: set[str]) -> None:
    if kinds & {"json", "jsonl"}:
        raise DataError("JSON is not read in batches; read_table reads it whole, and Parquet or CSV is streamed")


@dataclass(frozen=True)
class Part:
    """One file of a table. as_text: the columns to read as texts whatever their first rows look like (CSV)."""

    path: Path
    as_text: frozenset[str] = frozenset()

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns and types, row names that pandas wrote left out."""
        return self._first_block if self.plain else self._footer.schema.to_arrow_schema()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Column names, checked."""
        try:
            hidden = (self.schema.pandas_metadata or {}).get("index_columns", [])
        except ValueError:  # what pandas wrote about itself is spoilt
            hidden = []
        return proper_names(name for name in self.schema.names if name not in hidden)

    def holds(self, name: str) -> str:
        """What a column holds: TEXT, CATEGORY, NUMBER, FLAG, DATE or OTHER."""
        kind = what_it_holds(self.schema.field(name).type)
        return TEXT if kind == CATEGORY and self.plain else kind

    def counts(self, name: str) -> bool:
        """Does a column hold whole numbers by its type?"""
        from pyarrow import types

        return bool(types.is_integer(self.schema.field(name).type))

    @property
    def plain(self) -> bool:
        """Is it a text file, whose cells have no type but what they look like?"""
        return table_format(self.path) != "parquet"

    @property
    def size(self) -> int:
        """Bytes that its cells take as float64, about."""
        if not self.plain:
            return 8 * int(self._footer.num_rows) * max(1, len(self.columns))
        packed = self.path.suffix.lower() == ".gz"
        return self.path.stat().st_size * (EXPANDS if packed else 1)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of the named columns in batches; DataError, naming the file, where it is broken or ends early."""
        rows = max(256, min(ROWS, CELLS // max(1, len(columns))))
        read = self._from_text if self.plain else self._from_parquet
        seen = 0
        try:
            for batch in read(list(columns), rows):
                seen += batch.num_rows
                yield batch.select(list(columns))
        except DataError:
            raise
        except UNREADABLE as error:
            raise DataError(self._broken(str(error), columns, seen)) from error

    # ---- parquet --------------------------------------------------------------------------------------------

    @cached_property
    def _footer(self) -> Any:
        import pyarrow.parquet as pq

        try:
            return pq.read_metadata(self.path)
        except UNREADABLE as error:
            raise DataError(
                f"{self.path.name} cannot be read as parquet: {error} (a file that ends early has no footer)"
            ) from error

    def _from_parquet(self, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        coded = [name for name in columns if self.holds(name) == TEXT]
        how = {"buffer_size": BUFFER, "pre_buffer": False, "page_checksum_verification": True}
        with pq.ParquetFile(self.path, read_dictionary=coded, **how) as file:
            worded = [name for name in columns if self.holds(name) in (TEXT, CATEGORY)]
            for batch in file.iter_batches(batch_size=rows, columns=columns, use_threads=False):
                for name in worded:  # arrow trusts the codes that the file holds
                    batch.column(name).validate(full=True)
                yield batch

    # ---- text -----------------------------------------------------------------------------------------------

    @cached_property
    def _head(self) -> Head:
        try:
            return head_of(self.path)
        except DataError:
            raise
        except UNREADABLE as error:
            raise DataError(f"{self.path.name} cannot be read as {table_format(self.path)}: {error}") from error

    @cached_property
    def _first_block(self) -> pa.Schema:
        import pyarrow as pa

        names = proper_names(self._head.names)
        try:
            with self._open(None, None) as reader:
                found = reader.schema
        except UNREADABLE as error:
            raise DataError(self._broken(str(error), names, 0)) from error
        coded = pa.dictionary(pa.int32(), pa.string())
        texts = [name in self.as_text or what_it_holds(found.field(name).type) == TEXT for name in names]
        return pa.schema(
            [(name, coded if text else found.field(name).type) for name, text in zip(names, texts, strict=True)]
        )

    def _open(self, columns: list[str] | None, types: dict[str, Any] | None) -> Any:
        import pyarrow.csv

        head = self._head
        return pyarrow.csv.open_csv(
            self.path,
            pyarrow.csv.ReadOptions(
                column_names=head.names,
                skip_rows=head.skipped,
                block_size=BLOCK,
                use_threads=False,
                encoding=head.encoding.removesuffix("-sig"),
            ),
            pyarrow.csv.ParseOptions(delimiter=head.separator),
            pyarrow.csv.ConvertOptions(
                null_values=list(MISSING), strings_can_be_null=True, include_columns=columns or [], column_types=types
            ),
        )

    def _from_text(self, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        numeric = {name: pa.float64() for name in columns if self.holds(name) == NUMBER}
        types = {name: numeric.get(name, self.schema.field(name).type) for name in columns}
        with self._open(columns, types) as reader:
            for block in reader:
                for at in range(0, block.num_rows, rows):
                    yield block.slice(at, rows)

    # ---- errors ---------------------------------------------------------------------------------------------

    def _broken(self, message: str, columns: Collection[str], seen: int) -> str:
        """Arrow's message as a sentence with the column and the row of the table."""
        file, message = self.path.name, " ".join(message.split())
        cell = re.search(r"CSV column #(\d+): Row #(\d+): CSV conversion error to (\w+): (.*)", message, re.DOTALL)
        ragged = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message)
        if cell:
            name, row = self._head.names[int(cell[1])], int(cell[2]) - self._head.skipped
            if "UTF8" in cell[4]:
                return f"{file} cannot be read: column {name!r} is not UTF-8 in row {row}; save the file as UTF-8"
            value = cell[4].removeprefix("invalid value ")
            return (
                f"{file}: column {name!r} holds {self.holds(name)} at first, but row {row} has {value}; correct it, or "
                f"pass discrete=[{name!r}] if the column holds categories"
            )
        if ragged:
            row, wanted, got = int(ragged[1]) - self._head.skipped, ragged[2], ragged[3]
            early = "; or the file ends early" if int(got) < int(wanted) else ""
            return (
                f"{file}: the header names {wanted} columns but row {row} has {got} cells; quote cells that contain the "
                f"separator{early}"
            )
        return f"{file} cannot be read after row {seen}: {message}; the file is broken or ends early: write it again"


def what_it_holds(kind: pa.DataType) -> str:
    """TEXT, CATEGORY, NUMBER, FLAG, DATE or OTHER for an arrow type; a column without any value may hold numbers."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return CATEGORY
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return TEXT
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind):
        return NUMBER
    if types.is_boolean(kind):
        return FLAG
    return DATE if types.is_temporal(kind) else OTHER


def same_columns(parts: Sequence[Part]) -> tuple[str, ...]:
    """The columns of the first part; DataError naming the part and all columns in which another one differs from it."""
    first = parts[0]
    for part in parts[1:]:
        lost = [repr(name) for name in first.columns if name not in part.columns]
        new = [repr(name) for name in part.columns if name not in first.columns]
        kept = [name for name in first.columns if name in part.columns and part.holds(name) != first.holds(name)]
        told = [f"it has no {', '.join(lost)}"] if lost else []
        told += [f"it has {', '.join(new)} besides"] if new else []
        told += [f"{name!r} holds {part.holds(name)} there and {first.holds(name)} before" for name in kept]
        if told:
            raise DataError(f"the columns change in {part.path.name}: {'; '.join(told)}; write all parts alike")
    return first.columns


def chosen(columns: Sequence[str] | None, there: tuple[str, ...]) -> tuple[str, ...]:
    """The wanted columns, in the order given, or all; UnknownNameError naming those that are not there."""
    if columns is None:
        return there
    if isinstance(columns, str):
        columns = [columns]
    wanted = proper_names(columns)
    for name in wanted:
        if name not in there:
            raise UnknownNameError(f"columns names {name!r}, which is not a column.{nearest(name, there)}")
    if not wanted:
        raise DataError("columns is empty; name at least one, or leave it out for all")
    return wanted
