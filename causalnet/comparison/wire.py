"""Frames between a worker and its parent: two lengths, a JSON object, raw bytes."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from typing import Any

FRAME = struct.Struct(">QQ")  # lengths of the JSON header and of the binary part that follows it


def pack(header: dict[str, Any], blob: bytes = b"") -> bytes:
    """A frame: two lengths, a JSON object, and raw bytes."""
    text = json.dumps(header, default=str).encode()
    return FRAME.pack(len(text), len(blob)) + text + blob


def read_frame(descriptor: int) -> tuple[dict[str, Any], bytes] | None:
    """The JSON object and the raw bytes of the next frame; None at the end of the stream."""
    with contextlib.suppress(EOFError):
        header, blob = (_read(descriptor, n) for n in FRAME.unpack(_read(descriptor, FRAME.size)))
        return json.loads(header), blob
    return None


def _read(descriptor: int, n: int) -> bytes:
    """n bytes; EOFError where the stream ends before."""
    parts = bytearray()
    while len(parts) < n:
        part = os.read(descriptor, min(n - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
