"""Checkpoints: one npz file (no pickles) with a JSON header, replaced whole or not at all."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CausalnetError, DataError
from .files import sentence, target

FORMAT, VERSION = "causalnet-agent", 1
_HEADER = "header"
Arrays = dict[str, NDArray[Any]]


def write(path: str | Path, header: dict[str, Any], arrays: Arrays) -> Path:
    """Write header and arrays beside ``path``, then put the new file in its place; the old one stays until then."""
    path = target(_named(path))
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    text = json.dumps({"format": FORMAT, "version": VERSION, **header})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(draft, "w") as file:
            _put(file, _HEADER, np.frombuffer(text.encode(), np.uint8))
            for name, array in arrays.items():
                _put(file, name, array)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise CausalnetError(sentence(path, error)) from error
    return path


def _named(path: str | Path) -> Path:
    """A path; DataError for what is none."""
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"path is {path!r}; give the name of a file, such as 'agent.npz'")
    return Path(path)


def _put(file: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    """One array; bytes (states as counts, masks) shrink well and are compressed."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), allow_pickle=False)
    shrinks = array.dtype == np.uint8 and array.nbytes > 4096
    kind = zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED
    file.writestr(f"{name}.npy", out.getbuffer(), kind, compresslevel=1)


def read(path: str | Path) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays; DataError if the file is none of ours, of another version, or damaged."""
    path = _named(path)
    if not path.is_file():
        raise DataError(f"there is no checkpoint {path}; give a file that an agent has written")
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop(_HEADER).tobytes().decode())
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path} is no whole checkpoint ({type(error).__name__}): it was cut short or damaged, or is another kind of "
            "file; take an older copy, or learn anew"
        ) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(f"{path} was not written by an agent of causalnet")
    if header.get("version") != VERSION:
        raise DataError(
            f"{path} has checkpoint version {header.get('version')}, and this causalnet reads version {VERSION}; "
            "load it with the release that wrote it"
        )
    return header, arrays


def nested(arrays: Arrays, prefix: str) -> Arrays:
    """The arrays whose name starts with ``prefix.``, without it."""
    return {name[len(prefix) + 1 :]: a for name, a in arrays.items() if name.startswith(f"{prefix}.")}


def flat(prefix: str, arrays: Arrays) -> Arrays:
    """The same the other way round."""
    return {f"{prefix}.{name}": a for name, a in arrays.items()}
