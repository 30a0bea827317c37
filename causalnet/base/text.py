"""Texts that hold settings: split outside brackets and quotes, values read as JSON where they can be."""

from __future__ import annotations

import json
from typing import Any

_OPEN, _CLOSE = "([{", ")]}"


def split(text: str, separator: str) -> list[str]:
    """Split at ``separator`` outside brackets and quotes; empty parts are left out."""
    parts, depth, quoted, escaped, start = [], 0, False, False, 0
    for i, letter in enumerate(text):
        if quoted:
            if letter == '"' and not escaped:
                quoted = False
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        else:
            depth += (letter in _OPEN) - (letter in _CLOSE)
            if letter == separator and depth == 0:
                parts.append(text[start:i])
                start = i + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def read_value(text: str) -> Any:
    """A setting's value: JSON where it can be, the text itself otherwise."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def printable(text: str) -> str:
    """A text without characters that drive a terminal, or that UTF-8 and XML cannot hold: their numbers in their place."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def writable(text: str) -> str:
    """A text that UTF-8 can hold: halves of characters, as odd names of files have them, by their numbers."""
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")


def guarded(text: str) -> str:
    """A cell for a spreadsheet, which would compute one that begins like a formula: with an apostrophe before it."""
    return f"'{text}" if text[:1] in tuple("=+-@'\t\r") and text else text


def unguarded(text: str) -> str:
    """What ``guarded`` was given."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@'\t\r") and len(text) > 1 else text
