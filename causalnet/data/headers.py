"""The head of a text file of a table: its encoding, its separator, and the names of its columns in one line or several."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from ..errors import DataError
from .numerals import is_mark

HEAD = 1 << 17  # bytes looked at, or so many more that three lines are whole
MOST = 1 << 26
LOOKED = 40  # lines
MOST_LINES = 6  # of a header
RULE = re.compile(r"[-=+:| ]*[-=]{2}[-=+:| ]*")  # a line drawn below the names
COMMENT = re.compile(r"\s*(#|//|%)")
NUMBER = re.compile(r"\s*[+-]?(\d[\d.,]*|[.,]\d+)([eEdD][+-]?\d+)?\s*%?\s*")
WESTERN = (
    frozenset(map(chr, range(128)))
    | frozenset("°µ²³€£¥§·–—‘’“”„…±½¼¾«»ºª¿¡ \u00a0")
    | frozenset("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõöøùúûüýŠšŽžŒœ")
)  # what files of spreadsheets in Western Europe hold
TIME = re.compile(
    r"(<\d{1,3}>\d? ?)?\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|\d{1,2}/[A-Z][a-z]{2}/\d{4}:|\d{9,10}(\.\d+)?\])"
)  # at the begin of a line of a log
NAME = re.compile(r"[^\W\d][\w .-]*")
MONOTONE = 5  # names that are numbers, as those of a spectrum, ascend or descend; so many of them at least
SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=([,;|^~:\t]|\\t)\"?\s*", re.IGNORECASE)
BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)

OTHERS = (  # what a file begins with that is no text of a table, what it is, and what to do with it
    (b"PK\x03\x04", "a spreadsheet (.xlsx) or a zip archive", "save its table as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet (.xls)", "save its table as CSV (UTF-8)"),
    (b"\x1f\x8b", "compressed by gzip", "name it .gz after its suffix (.csv.gz)"),
    (b"PAR1", "a Parquet file", "name it .parquet"),
    (b"%PDF", "a PDF document", "save its table as CSV (UTF-8)"),
    (b"SQLite format 3", "a database", "export its table as CSV (UTF-8)"),
    (b"\x89HDF", "an HDF5 file", "save its table as CSV (UTF-8) or Parquet"),
    (b"<!doctype html", "a web page", "save its table as CSV (UTF-8)"),
    (b"<html", "a web page", "save its table as CSV (UTF-8)"),
    (b"@relation", "a Weka file (.arff)", "save its table as CSV (UTF-8)"),
    (b"/covariance", "a covariance matrix", "give it as causalnet.data.Moments(columns, n, mean, covariance)"),
)


class Head(NamedTuple):
    """names: of the columns, as written. skipped: lines up to the first row. labels: the column that labels the rows, or None.

    notes: what was guessed, as sentences.
    """

    names: list[str]
    skipped: int
    separator: str
    encoding: str
    labels: str | None
    notes: tuple[str, ...]


def read_head(path: Path, usual: str) -> Head:
    """The head of a text file; usual: the separator that its name tells. DataError where there is no header."""
    raw, whole = _peek(path)
    encoding = _encoding(raw, whole, path.name)
    lines = _lines(raw.decode(encoding, errors="replace"))
    if not whole and len(lines) > 2:
        lines = lines[:-1]  # cut short
    if named := SEPARATOR_LINE.fullmatch(lines[0]):  # as spreadsheets write it
        usual, lines[0] = named[1].replace("\\t", "\t"), ""
    start, notes = _start(lines, usual)
    start, notes = _titled(lines, start, usual, notes)
    body = [line for line in lines[start:] if line.strip() and not RULE.fullmatch(line.strip())][:LOOKED]
    if not body:
        raise DataError(f"{path.name} cannot be read as a table: it holds no line of column names")
    separator = found_separator(body[:20], usual)
    rows = [_cells(line, separator) for line in body]
    rows[0][0] = COMMENT.sub("", rows[0][0], count=1) if COMMENT.match(rows[0][0]) and len(rows) > 1 else rows[0][0]
    names = [name.strip().removeprefix("\ufeff") for name in rows[0]]
    _refuse_nameless(path.name, body[0], names, rows[1:])
    tall, index = _height(rows)
    if tall > 1:
        names, told = _joined(rows[:tall], index)
        notes.append(f"{path.name} names its columns in {tall} lines, read as one: {told}")
    notes += _padded(names, rows[tall:])
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"{path.name} is read as {encoding}, not UTF-8")
    skipped = _line_number(lines, start, tall)
    return Head(names, skipped, separator, encoding, names[0] if index and tall > 1 else None, tuple(notes))


def open_bytes(path: Path) -> IO[bytes]:
    """A file, or what is compressed in it."""
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _peek(path: Path) -> tuple[bytes, bool]:
    """The begin of a file, three lines of it at least, and whether it is all."""
    with open_bytes(path) as file:
        raw = file.read(HEAD)
        while len(raw) < MOST and raw.count(b"\n") < 3:
            more = file.read(len(raw))
            if not more:
                return raw, True
            raw += more
        return raw, not file.read(1)


def _lines(text: str) -> list[str]:
    """Lines; a break between quotes, in the first of them, is part of a name."""
    lines = re.split(r"\r\n|\r|\n", text)
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    for more in range(1, 6):
        joined = "\n".join(lines[first : first + more])
        if joined.count('"') % 2 == 0:
            return [*lines[:first], joined, *lines[first + more :]]
    return lines


def _encoding(raw: bytes, whole: bool, name: str) -> str:
    for mark, encoding in BOMS:
        if raw.startswith(mark):
            return encoding
    for mark, what, instead in OTHERS:
        if raw.lstrip()[: len(mark)].lower() == mark.lower():
            raise DataError(f"{name} is {what}, not the text of a table; {instead}")
    if b"\x00" in raw:
        raise DataError(f"{name} is not text: it holds zero bytes; save it as CSV (UTF-8)")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.start < len(raw) - 4:
            if set(raw.decode("cp1252", errors="replace")) <= WESTERN:
                return "cp1252"
            raise DataError(f"{name} cannot be read: it is not UTF-8; save it as CSV (UTF-8)") from error
    return "utf-8"


def _start(lines: Sequence[str], usual: str) -> tuple[int, list[str]]:
    """The line of the header: after blank lines and comments; the last comment itself where it names the columns."""
    at = 0
    last = None
    while at < len(lines) and (not lines[at].strip() or COMMENT.match(lines[at]) or RULE.fullmatch(lines[at].strip())):
        last = at if COMMENT.match(lines[at]) else last
        at += 1
    if last is None:
        return at, []
    after = [line for line in lines[at:] if line.strip()]
    if not after:
        return last, []
    separator = found_separator(after[:20], usual)
    cells = len(_cells(after[0], separator))
    named = [cell for cell in _cells(COMMENT.sub("", lines[last], count=1), separator) if cell.strip()]
    numbers = all(NUMBER.fullmatch(cell) for cell in _cells(after[0], separator) if cell.strip())
    if len(named) == cells and (numbers or not COMMENT.sub("", lines[last])[:1].isspace()) and cells > 1:
        return last, []
    return at, [f"{last + 1} lines of comments above the column names are left out"]


def _titled(lines: Sequence[str], start: int, usual: str, notes: list[str]) -> tuple[int, list[str]]:
    """The line of the header below a title: the first line with a name in every cell, and as many cells as all after it."""
    at = [k for k in range(start, len(lines)) if lines[k].strip()][:LOOKED]
    found: dict[int, int] = {}  # line -> cells without a name
    for k in range(min(len(at) - 2, MOST_LINES + 4)):
        part = [lines[j] for j in at[k : k + 20] if not RULE.fullmatch(lines[j].strip())]
        separator = found_separator(part, usual)
        rows = [_cells(line, separator) for line in part]
        named = sum(bool(cell.strip()) for cell in rows[0]) if rows else 0
        if separator == " " or (k == 0 and (named != 1 or not rows[0][0].strip())):
            return start, notes
        if {len(row) for row in rows} == {len(rows[0])} and named >= max(2, len(rows[0]) - 1):
            found[k] = len(rows[0]) - named
    head = min(found, key=lambda k: (found[k], k), default=0)
    if head == 0 or (head == 1 and len(_cells(lines[at[1]], found_separator(lines[at[1] :][:20], usual))) == 2):
        return start, notes
    return at[head], [*notes, f"{head} lines above the column names are left out ({lines[at[0]].strip()[:40]!r})"]


def _refuse_nameless(file: str, line: str, names: list[str], below: list[list[str]]) -> None:
    """DataError where the first line is a row of numbers and words, or begins with a time as the lines of a log do."""
    if all(NUMBER.fullmatch(name) for name in names):
        raise DataError(f"{file}: the first line holds numbers only; write a line of column names above it")
    if TIME.match(line.lstrip('"')):
        raise DataError(
            f"{file} begins with a time, as the lines of a log do, and not with the names of columns; write a line of names above "
            "it, and of a log a table with the columns event, timestamp and device"
        )
    rows = [row for row in below if len(row) == len(names) and list(map(str.strip, row)) != names]
    if len(rows) < 3 or len(names) < 2:
        return
    cells = [[row[j].strip() for row in rows] for j in range(len(names))]
    numeric = [j for j, column in enumerate(cells) if _numeric(column)]
    numbers = [float(names[j]) for j in numeric if re.fullmatch(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?", names[j])]
    met = [names[j] in cells[j] for j in range(len(names)) if j not in numeric]
    steps = np.diff(numbers)
    spectrum = len(numbers) >= MONOTONE and bool((steps > 0).all() or (steps < 0).all())
    if len(numbers) < len(numeric) or spectrum:
        return
    if (met and all(met)) or any(number != round(number) or number < 0 for number in numbers):
        shown = ", ".join(repr(name) for name in names[:3])
        raise DataError(f"{file}: the first line seems to be a row ({shown}); write a line of column names above it")


def _cells(line: str, separator: str) -> list[str]:
    if separator == " ":
        separator, line = " ", line.strip().replace("\t", " ")
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=separator == " "), [""]) or [""]
    except csv.Error:  # a quotation mark that opens and never closes
        return line.split(separator)


def _line_number(lines: Sequence[str], start: int, tall: int) -> int:
    """Lines of the file up to the first row, blank ones among the header's included."""
    at = start
    while tall and at < len(lines):
        tall -= bool(lines[at].strip())
        at += 1
    while at < len(lines) and RULE.fullmatch(lines[at].strip()):
        at += 1
    return at


def _height(rows: list[list[str]]) -> tuple[int, bool]:
    """How many lines name the columns, and whether the first column labels the rows.

    Lines below the first belong to it where they hold texts over columns that hold numbers from there on.
    """
    width = len(rows[0])
    below = [row for row in rows[MOST_LINES:] or rows[2:] if len(row) == width]
    if len(below) < 2 or width < 2:
        return 1, False
    numeric = [j for j in range(width) if _numeric([row[j] for row in below])]
    if len(numeric) < max(2, (width - 1) / 2):
        return 1, False
    tall, index = 1, False
    for row in rows[1:MOST_LINES]:
        if len(row) != width:
            break
        over = [row[j].strip() for j in numeric]
        if row[0].strip() and not any(cell.strip() for cell in row[1:]) and not NUMBER.fullmatch(row[0]):
            tall, index = tall + 1, True
            break
        words = [cell for cell in over if cell]
        if any(NUMBER.fullmatch(cell) or is_mark(cell) for cell in words) or len(words) < len(over) / 2:
            break
        tall += 1
    return (1, False) if tall == MOST_LINES else (tall, index)


def _padded(names: list[str], rows: list[list[str]]) -> list[str]:
    """A sentence for each column of whole numbers that are written with zeros before them."""
    told = []
    for j, name in enumerate(names):
        cells = [row[j].strip() for row in rows if len(row) == len(names)]
        zeros = [cell for cell in cells if re.fullmatch(r"0\d+", cell)]
        if zeros and all(re.fullmatch(r"\d*", cell) for cell in cells):
            told.append(
                f"column {name!r} writes numbers with zeros before them ({zeros[0]}), as codes do; without an option they are numbers, "
                "and the zeros are left off"
            )
    return told


def _numeric(cells: list[str]) -> bool:
    told = [cell for cell in cells if cell.strip() and not is_mark(cell)]
    return bool(told) and sum(NUMBER.fullmatch(cell) is not None for cell in told) >= 0.9 * len(told)


def _joined(rows: list[list[str]], index: bool) -> tuple[list[str], str]:
    """A name a column of the lines of a header, and an example; a second line under distinct names holds units."""
    levels = [[cell.strip().removeprefix("\ufeff") for cell in row] for row in (rows[:-1] if index else rows)]
    for level in levels[:-1]:
        for j in range(2, len(level)):
            level[j] = level[j] or level[j - 1]  # merged cells
    distinct = len(set(levels[0])) == len(levels[0]) and all(levels[0][1:])
    if len(levels) == 2 and distinct:
        names = [name + (f" ({unit.strip('()[]')})" if unit else "") for name, unit in zip(*levels, strict=True)]
    else:
        names = [".".join(filter(None, parts)) for parts in zip(*levels, strict=True)]
    if index:
        names[0] = rows[-1][0].strip()
    return names, repr(names[1])


def found_separator(lines: Sequence[str], usual: str = ",") -> str:
    """The separator that occurs in the first line, and equally often in all others; the usual one where none does."""
    if not lines:
        return usual
    bare = [re.sub(r'"[^"]*"', '""', line) for line in lines]
    kept: list[tuple[str, int]] = []
    for mark in dict.fromkeys((usual, ",", "\t", ";", "|", "^", "~", ":")):
        if mark == ":" and kept:  # of hours
            break
        if mark == ":" and not all(NAME.fullmatch(cell.strip()) for cell in bare[0].split(":")):
            break
        counts = {line.count(mark) for line in bare}
        if counts == {bare[0].count(mark)} and bare[0].count(mark):
            kept.append((mark, bare[0].count(mark)))
    if kept:
        return next((mark for mark, _ in kept if mark == usual), max(kept, key=lambda pair: pair[1])[0])
    if any(mark in bare[0] for mark in (usual, ",")):
        return usual
    split = [line.split() for line in bare]
    widths = {len(cells) for cells in split[1:]}  # R writes no name above its row names
    even = len(widths) == 1 and len(split[0]) > 1 and widths <= {len(split[0]), len(split[0]) + 1}
    if even and all(any(re.match(r"[+-]?\.?\d", cell) for cell in cells) for cells in split[1:]):
        return " "
    return next((mark for mark in ("\t", ";", "|") if mark in bare[0]), usual)
