"""Rows of a table in JSON: an object a line, or one text that holds a list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import DataError
from .headers import open_bytes

EXAMPLE = 'write {"a": 1, "b": 2} a line (.jsonl), or a list of such objects'


def read_lines(path: Path) -> pd.DataFrame:
    """A JSON object a line, its keys in the order met."""
    return _framed(path.name, (row for _, row in _lines(path)))


def read_json(path: Path) -> pd.DataFrame:
    """A list of objects, an object that holds one such list, columns as pandas writes them, or an object a line."""
    with open_bytes(path) as file:
        raw = file.read()
    try:
        whole = _parsed(raw)
    except (ValueError, RecursionError) as error:
        if raw.lstrip()[:1] == b"{" and b"\n" in raw.strip():
            return read_lines(path)
        raise DataError(f"{path.name} is not valid JSON ({error})") from error
    if isinstance(whole, dict):
        lists = [key for key, value in whole.items() if _objects(value)]
        if len(lists) > 1:
            raise DataError(f"{path.name} holds several lists of objects ({', '.join(lists)}); keep one, {EXAMPLE}")
        if lists:
            whole = whole[lists[0]]
        else:
            columns = _columns(whole)
            if columns is not None:
                return pd.DataFrame(columns)
    if not _objects(whole):
        raise DataError(f"{path.name} holds no list of objects; {EXAMPLE}")
    return _framed(path.name, iter(whole))


def _columns(whole: dict[str, Any]) -> dict[str, list[Any]] | None:
    """The columns of what pandas writes: cells by row, or lists; or names beside a list of rows. None for all else."""
    names, rows = whole.get("columns"), whole.get("data")
    if (
        isinstance(names, list)
        and isinstance(rows, list)
        and all(isinstance(row, list) and len(row) == len(names) for row in rows)
    ):
        whole = {str(name): [row[j] for row in rows] for j, name in enumerate(names)}
    if all(isinstance(cells, dict) for cells in whole.values()) and _counted(whole):
        inner = {key: cells.keys() for key, cells in whole.items()}
        if not any(_counted(keys) for keys in inner.values()) and len({tuple(keys) for keys in inner.values()}) == 1:
            whole = {key: {row: whole[row][key] for row in whole} for key in next(iter(inner.values()))}
    found = {key: list(value.values()) if isinstance(value, dict) else value for key, value in whole.items()}
    lists = all(
        isinstance(value, list) and not any(isinstance(x, dict | list) for x in value) for value in found.values()
    )
    return found if lists and len({len(value) for value in found.values()}) == 1 and all(found.values()) else None


def _counted(keys: Iterable[str]) -> bool:
    """Are they 0, 1, 2, ... as rows are?"""
    return all(key == str(k) for k, key in enumerate(keys))


def _parsed(raw: bytes) -> Any:
    """What a text of JSON holds; ValueError for one with half a character (\\ud800), which no other text can hold."""
    found = json.loads(raw.decode("utf-8-sig"))
    if re.search(rb"\\u[dD][89a-fA-F]", raw):
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    return found


def _objects(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(row, dict) for row in value)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open_bytes(path) as file:
        for at, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = _parsed(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path.name}: line {at} is not valid JSON ({error})") from error
            if not isinstance(row, dict):
                raise DataError(f"{path.name}: line {at} is no JSON object; {EXAMPLE}")
            yield at, row


def objects_of(lines: bytes) -> Iterator[dict[str, Any] | None]:
    """Of each line that is not blank its object, those in it by the names on the way; None of a line that is none."""
    for line in lines.splitlines():
        try:
            row = _parsed(line) if line.strip() else {}
        except (ValueError, RecursionError):
            row = None
        if row != {}:
            yield _flat(row, {}, {}) if isinstance(row, dict) else None


def _framed(name: str, rows: Iterator[dict[str, Any]]) -> pd.DataFrame:
    """The rows as a frame: objects in them as columns of their own (labels.host), lists left out and told."""
    nested: dict[str, None] = {}
    lists: dict[str, None] = {}
    flat = [_flat(row, nested, lists) for row in rows]
    if not flat:
        raise DataError(f"{name} holds no row")
    frame = pd.DataFrame([{key: row[key] for key in row if key not in lists} for row in flat])
    if not frame.shape[1]:
        raise DataError(f"{name} holds nothing but lists, in {', '.join(map(repr, lists))}")
    frame.attrs["notes"] = (
        [f"the objects in {', '.join(map(repr, nested))} are read as columns of their own"] if nested else []
    )
    frame.attrs["told"] = [f"{name}: {', '.join(map(repr, lists))} hold lists and are left out"] if lists else []
    return frame


def _flat(row: dict[str, Any], nested: dict[str, None], lists: dict[str, None]) -> dict[str, Any]:
    """The values of an object and of the objects in it, by the names on the way to each."""
    found: dict[str, Any] = {}
    todo = [(str(key), value) for key, value in row.items()]
    while todo:
        key, value = todo.pop(0)
        if isinstance(value, dict):
            nested.setdefault(key.split(".")[0])
            todo = [(f"{key}.{inner}", deeper) for inner, deeper in value.items()] + todo
        else:
            if isinstance(value, list):
                lists.setdefault(key)
            found[key] = value
    return found
