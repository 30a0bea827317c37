"""Checks of single arguments that several layers share; each gives the value back, or an error that is a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DataError


def whole(name: str, value: Any, least: int) -> int:
    """``value`` as an int from ``least`` on; DataError for anything else, also for True and 3.0."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise DataError(f"{name} is a whole number from {least} on, got {value!r}")
    return int(value)
