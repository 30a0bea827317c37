"""Frames between a worker and its parent: two lengths, a JSON object, raw bytes."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

FRAME = struct.Struct(">QQ")  # lengths of the JSON header and of the binary part that follows it


def pack(header: dict[str, Any], blob: bytes = b"") -> bytes:
    """A frame: two lengths, a JSON object, and raw bytes."""
    text = json.dumps(header, default=str).encode()
    return FRAME.pack(len(text), len(blob)) + text + blob


def read_exactly(descriptor: int, n: int) -> bytes | None:
    """n bytes, or None at the end of the stream."""
    parts = bytearray()
    while len(parts) < n:
        part = os.read(descriptor, min(n - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
