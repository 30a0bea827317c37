"""A lock on a file that the system lets go of when its process ends, on every system that Python runs on."""

from __future__ import annotations

import os
import sys


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file, False where another one holds it; OSError where the file system knows no locks."""
    if sys.platform == "win32":
        import msvcrt

        try:
            os.lseek(descriptor, _BEYOND, os.SEEK_SET)  # the note at the begin of the file stays readable
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_note(descriptor: int) -> str:
    """The text at the begin of a lock's file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 200).decode(errors="replace").strip()


def write_note(descriptor: int, text: str) -> None:
    """Put a text there."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text.encode(errors="replace"))


_BEYOND = 1 << 20  # the byte that is locked, far beyond the note
