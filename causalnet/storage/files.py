"""Write a file whole or not at all: the old one stays until the new one is complete."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from ..errors import CausalnetError


def write_atomic(path: str | Path, text: str) -> Path:
    """Write UTF-8 ``text`` through a temporary file beside ``path``; CausalnetError if that cannot be done."""
    path = target(path)
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        if error.errno != errno.EEXIST:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        raise CausalnetError(sentence(path, error)) from error
    return path


def target(path: str | Path) -> Path:
    """The plain file to write, behind any symbolic link; a folder, device or pipe is refused."""
    path = Path(path)
    if path.is_dir():
        raise CausalnetError(f"{path} is a folder; give the name of a file, such as {path / 'report.html'}")
    if path.exists() and not path.is_file():
        raise CausalnetError(f"{path} is not a plain file and will not be replaced; give the name of a file")
    return path.resolve()


def sentence(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{path} cannot be written: {error.strerror}; make room, or choose a file on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written: {error.strerror}; choose a folder that you may write to"
    return f"{path} cannot be written: {error.strerror or error}; choose another file name"


def check_writable(path: str | Path) -> None:
    """Raise CausalnetError now if ``write_atomic(path, ...)`` would fail later for want of a place to write."""
    path = target(path)
    probe = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise CausalnetError(sentence(path, error)) from error


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte."""
    view = memoryview(data)
    while len(view):
        view = view[os.write(descriptor, view) :]
