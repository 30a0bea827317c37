"""Methods with their parameters as text: ``pc``, ``pc:alpha=0.05``, ``thp:hops=[0, 1]:decay=null``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..base.text import read_value, split
from ..errors import DataError

_BARE = re.compile(r"[A-Za-z_][\w.-]*")


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


def _value(value: Any) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value) and value not in ("true", "false", "null", "NaN", "Infinity"):
        return value
    return json.dumps(value, sort_keys=True)
