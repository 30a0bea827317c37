"""Modules that share their name with their main function: ``cn.compare`` is the module, ``cn.compare(...)`` runs it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def make_callable(module_name: str) -> None:
    """Let the module be called like the function of its own name."""
    sys.modules[module_name].__class__ = _CallableModule
