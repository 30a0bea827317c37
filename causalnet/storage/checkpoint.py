"""Checkpoints: one npz file (no pickles) with a JSON header, replaced whole or not at all."""

from __future__ import annotations

import inspect
import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..base.arrays import AnyArray
from ..base.checks import file_name
from ..base.npz import read_members
from ..errors import DataError
from .files import target, whole_file

_HEADER = "header"
_EXAMPLE = "agent.npz"
Arrays = dict[str, AnyArray]
Restored = TypeVar("Restored")
_DAMAGE: tuple[type[Exception], ...] = (OSError, EOFError, ValueError, LookupError, AttributeError, TypeError)
_DAMAGE += (SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error)  # the first two of numpy's headers
_DAMAGE += (MemoryError, OverflowError, RuntimeError)


@dataclass(frozen=True)
class Kind:
    """What a checkpoint is of: its format's name and newest version, who writes it, and whether every array is shrunk."""

    format: str
    version: int
    writer: str
    shrink: bool = False


AGENT = Kind("causalnet-agent", 1, "an agent of causalnet")


def write(path: str | Path, header: dict[str, Any], arrays: Arrays, kind: Kind = AGENT) -> Path:
    """Write header and arrays beside ``path``, then put the new file in its place; the old one stays until then."""
    text = json.dumps({"format": kind.format, "version": kind.version, **header})
    with whole_file(file_name(path, _EXAMPLE)) as raw, zipfile.ZipFile(raw, "w") as file:
        _put(file, _HEADER, np.frombuffer(text.encode(), np.uint8), kind.shrink)
        for name, array in arrays.items():
            _put(file, name, array, kind.shrink)
    return target(path)


def _put(file: zipfile.ZipFile, name: str, array: AnyArray, shrink: bool) -> None:
    """One array; bytes (states as counts, masks) shrink well and are compressed."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), allow_pickle=False)
    shrinks = array.nbytes > 4096 and (shrink or array.dtype == np.uint8)
    file.writestr(
        f"{name}.npy", out.getbuffer(), zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED, compresslevel=1
    )


def read(path: str | Path, kind: Kind = AGENT) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays; DataError if the file is none of ours, of a newer version, or damaged."""
    path = file_name(path, _EXAMPLE)
    if not path.is_file():
        raise DataError(f"there is no checkpoint {path}; give a file that {kind.writer} has written")
    try:
        with path.open("rb") as raw, zipfile.ZipFile(raw) as file:
            arrays = read_members(file, path)
        told = arrays.pop(_HEADER)
        header = json.loads(str(told) if told.dtype.kind == "U" else told.tobytes().decode())  # text: att-bic in 0.1.0
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{path} is no whole checkpoint ({type(error).__name__}): it was cut short or damaged, or is another kind of "
            "file; take an older copy, or learn anew"
        ) from error
    if not isinstance(header, dict) or str(header.get("format")).partition("/")[0] != kind.format:
        raise DataError(f"{path} was not written by {kind.writer}")
    version = header.get("version", header["format"].partition("/")[2])  # 0.1.0: also "causalnet.att_bic/1"
    if str(version) not in map(str, range(1, kind.version + 1)):
        raise DataError(
            f"{path} has checkpoint version {version}, and this causalnet reads version {kind.version}; "
            "load it with the release that wrote it"
        )
    return header, arrays


def restore(
    path: str | Path, kind: Kind, what: str, restored: Callable[[dict[str, Any], Arrays], Restored]
) -> Restored:
    """What ``restored`` makes of header and arrays; DataError as by ``read``, and where something in them is missing or odd."""
    header, arrays = read(path, kind)
    try:
        return restored(header, arrays)
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} is no whole {what} ({type(error).__name__}: {error})") from error


def claim(path: str | Path, home: Path | None, learner: type) -> Path:
    """The file that a run will write its checkpoints to; DataError if it is there and not the one that the run goes on with.

    home: what ``write`` gave back, or the resolved path that was read; None for a run that has neither. learner: the class
    whose ``load`` goes on from a file of its own, for the error.
    """
    path = file_name(path, _EXAMPLE)
    if path.exists() and path.resolve() != home:
        raise DataError(
            f"{path} exists, and this agent does not continue it; {_remedy(path, learner)}give another name"
        )
    return target(path)


def _remedy(path: Path, learner: type) -> str:
    """The call that goes on from the file, if it is one of this class."""
    try:
        header, _ = read(path)
    except DataError:
        return ""
    if header.get("class") != learner.__name__:
        return ""
    _, on, *_ = inspect.signature(learner.load).parameters  # type: ignore[attr-defined]
    return f"go on with {learner.__name__}.load({str(path)!r}, {on}), or "


def nested(arrays: Arrays, prefix: str) -> Arrays:
    """The arrays whose name starts with ``prefix.``, without it."""
    return {name[len(prefix) + 1 :]: a for name, a in arrays.items() if name.startswith(f"{prefix}.")}


def flat(prefix: str, arrays: Arrays) -> Arrays:
    """The same the other way round."""
    return {f"{prefix}.{name}": a for name, a in arrays.items()}
