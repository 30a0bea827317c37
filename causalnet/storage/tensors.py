"""Weights in one file of the safetensors form: a JSON header with names, types, shapes and places, then the raw numbers.

Eight bytes tell the length of the header, which may hold a table ``__metadata__`` of texts; nothing in the file is run.
Format: https://huggingface.co/docs/safetensors, section "Format".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..base.arrays import AnyArray
from ..base.checks import file_name
from ..errors import DataError
from .files import target, whole_file

TYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
LONGEST = 100_000_000  # bytes of a header
EXAMPLE = "policy.safetensors"


def write_tensors(path: str | Path, arrays: Mapping[str, AnyArray], told: Mapping[str, str]) -> Path:
    """Write arrays, with texts beside them, whole or not at all."""
    names = {np.dtype(kind): name for name, kind in TYPES.items()}
    header: dict[str, Any] = {"__metadata__": dict(told)}
    body, at = [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        place = [at, at + len(raw)]
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": place}
        body.append(raw)
        at += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with whole_file(file_name(path, EXAMPLE)) as file:
        file.write(len(text).to_bytes(8, "little") + text + b"".join(body))
    return target(path)


def read_tensors(path: str | Path) -> tuple[dict[str, AnyArray], dict[str, str]]:
    """Arrays, and the texts beside them; DataError for a file that is cut short or of another kind."""
    path = file_name(path, EXAMPLE)
    if not path.is_file():
        raise DataError(f"there is no file {path}; give one that export_policy has written")
    raw = path.read_bytes()
    try:
        length = int.from_bytes(raw[:8], "little")
        if not 2 <= length <= min(LONGEST, len(raw) - 8):
            raise ValueError("its header is longer than the file")
        header = json.loads(raw[8 : 8 + length])
        told = {str(k): str(v) for k, v in header.pop("__metadata__", {}).items()}
        return {name: _array(entry, raw[8 + length :]) for name, entry in header.items()}, told
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} is no whole file of weights ({error}): it was cut short or damaged, or is another kind of file"
        ) from error


def _array(entry: Mapping[str, Any], body: bytes) -> AnyArray:
    first, last = entry["data_offsets"]
    kind, shape = np.dtype(TYPES[entry["dtype"]]), tuple(int(n) for n in entry["shape"])
    if (
        min(shape, default=0) < 0
        or last - first != kind.itemsize * math.prod(shape)
        or not 0 <= first <= last <= len(body)
    ):
        raise ValueError("a tensor does not lie where the header says")
    return np.frombuffer(body[first:last], kind).reshape(shape).copy()
