"""Write a file whole or not at all: the old one stays until the new one is complete."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import CausalnetError

_DRAFT = re.compile(r"\..+\.(\d+)(?:\.[0-9a-f]{32})?\.part|checkpoint\.part")  # also those of 0.1.0
_OURS: set[str] = set()  # drafts that this process is writing


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of ``path`` when the block ends well; CausalnetError if it cannot be written."""
    path = target(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft_of(path) as draft:
            with draft.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
    except OSError as error:
        if isinstance(error, CausalnetError):
            raise
        raise CausalnetError(sentence(path, error)) from error


def write_atomic(path: str | Path, content: str | bytes) -> Path:
    """Write text (as UTF-8) or bytes whole; CausalnetError if that cannot be done. The file that was written."""
    with whole_file(path) as file:
        file.write(content if isinstance(content, bytes) else content.encode("utf-8", errors="replace"))
    return target(path)


@contextlib.contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A name beside ``path`` that no other thread or process, running or dead, has; what is left there goes at the end."""
    draft = path.with_name(f".{path.name[:100]}.{os.getpid()}.{uuid.uuid4().hex}.part")
    _OURS.add(draft.name)
    try:
        yield draft
    finally:
        _remove(draft)
        _OURS.discard(draft.name)


def sweep(folder: Path) -> None:
    """Remove the drafts that processes left in a folder when they were killed."""
    for path in folder.iterdir():
        found = _DRAFT.fullmatch(path.name)
        if found and path.name not in _OURS and not _runs(int(found[1] or 0)):
            _remove(path)


def _runs(pid: int) -> bool:
    """Is there such a process, other than this one?"""
    if pid in (0, os.getpid()):
        return False
    if sys.platform == "win32":  # there os.kill ends the process
        return True
    try:
        os.kill(pid, 0)
    except OverflowError:
        return False
    except OSError as error:
        return error.errno == errno.EPERM
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def target(path: str | Path) -> Path:
    """The plain file to write, behind any symbolic link; a folder, device or pipe is refused."""
    path = Path(path)
    if path.is_dir():
        raise CausalnetError(f"{path} is a folder; give the name of a file, such as {path / 'report.html'}")
    if path.exists() and not path.is_file():
        raise CausalnetError(f"{path} is not a plain file and will not be replaced; give the name of a file")
    return path.resolve()


def sentence(path: Path, error: OSError) -> str:
    """What the system says of a file, and what to do."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG):
        return f"{path} cannot be written: {error.strerror}; make room, or choose another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} cannot be written: {error.strerror}; choose a folder that you may write to"
    return f"{path} cannot be written: {error.strerror or error}; choose another name"


def check_writable(path: str | Path) -> None:
    """Raise CausalnetError now if ``write_atomic(path, ...)`` would fail later for want of a place to write."""
    path = target(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft_of(path) as draft:
            draft.touch(exist_ok=False)
    except OSError as error:
        raise CausalnetError(sentence(path, error)) from error


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte."""
    view = memoryview(data)
    while len(view):
        view = view[os.write(descriptor, view) :]
