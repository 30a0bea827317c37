"""Files of arrays that may come from anywhere: no pickles, and no more memory than the file is worth."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .arrays import AnyArray

MOST = 1 << 29  # bytes of arrays from which a file must not be much smaller than they are
SWOLLEN = 100  # times
# what a broken file makes the readers raise
DAMAGE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, MemoryError, OverflowError, RuntimeError, SyntaxError),
    tokenize.TokenError,  # of a head that numpy cannot parse
)


def read_members(file: zipfile.ZipFile, path: Path) -> dict[str, AnyArray]:
    """The arrays of an open npz file; DataError where they are far larger than the file, one of DAMAGE where it is broken."""
    members = file.infolist()
    total = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if total > MOST and total > SWOLLEN * packed:
        raise DataError(
            f"{path} would take {total / 2**30:.1f} GiB from {packed / 2**20:.0f} MiB, as no file of measured or learned "
            "numbers does"
        )
    return {member.filename.removesuffix(".npy"): _array(_unpacked(file, member)) for member in members}


def _unpacked(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, and not more than its entry says."""
    with file.open(member) as part:
        data = part.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise ValueError(f"{member.filename} is not as long as its entry says")
    return data


def read_npy(path: Path) -> AnyArray:
    """The array of a .npy file; ValueError where it does not hold what its head says."""
    return _array(path.read_bytes())


def _array(raw: bytes) -> AnyArray:
    data = io.BytesIO(raw)
    version = np.lib.format.read_magic(data)
    read_head: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read_head(data)
    size = math.prod(shape) * kind.itemsize
    if kind.hasobject or min(shape, default=0) < 0 or data.tell() + size != len(raw):
        raise ValueError("the file does not hold what its head says, or holds pickled objects")
    data.seek(0)
    return np.lib.format.read_array(data, allow_pickle=False)
