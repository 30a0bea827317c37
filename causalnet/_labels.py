"""Methods with their parameters as text: ``pc``, ``pc:alpha=0.05``, ``thp:hops=[0, 1]:decay=null``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import DataError

_BARE = re.compile(r"[A-Za-z_][\w.-]*")
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


def label(backend: str, params: Mapping[str, Any]) -> str:
    """The text that stands for a method with its parameters; :func:`parse` reads it back."""
    return ":".join([backend, *(f"{name}={_value(params[name])}" for name in sorted(params))])


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Name and parameters of ``pc:alpha=0.05``. Values are JSON where they can be, text otherwise."""
    parts = split(text, ":")
    if not parts:
        raise DataError("a method's name is empty; `causalnet backends` lists the names")
    params: dict[str, Any] = {}
    for part in parts[1:]:
        name, equals, value = part.partition("=")
        if not equals:
            raise DataError(f"in the method {text!r}, {part!r} is no parameter; write {parts[0]}:name=value")
        params[name.strip()] = read_value(value)
    return parts[0], params


def read_value(text: str) -> Any:
    """A setting's value: JSON where it can be, the text itself otherwise."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _value(value: Any) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value) and value not in ("true", "false", "null", "NaN", "Infinity"):
        return value
    return json.dumps(value, sort_keys=True)
