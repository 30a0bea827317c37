"""What a graph is good for: masks of actions and compact states. The names load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {"CausalMask": "mask", "RootCauseMask": "root_causes"}
__all__ = ["CausalMask", "RootCauseMask"]

if TYPE_CHECKING:
    from .mask import CausalMask
    from .root_causes import RootCauseMask


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'causalnet.representation' has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
