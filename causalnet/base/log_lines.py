"""What a command tells on stderr while it runs: words and bars, or where ``--log-json`` asked for it one JSON object a line."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from .text import writable

_asked = False


def ask(wanted: bool) -> None:
    """From now on lines of JSON, or words."""
    global _asked
    _asked = wanted


def asked() -> bool:
    """Whether lines of JSON are wanted."""
    return _asked


def write(message: str, level: str = "info", **more: Any) -> None:
    """One line: {"time": seconds since 1970, "level", "message", ...}."""
    line = json.dumps({"time": time.time(), "level": level, "message": message, **more}, ensure_ascii=False)
    sys.stderr.write(writable(line) + "\n")
    sys.stderr.flush()
