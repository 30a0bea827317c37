"""Doors: names of a folder that load on first use, methods that stand on a higher floor, modules that can be called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from ..errors import NotInstalled

UPWARD: Mapping[str, str] = {  # Class.method or function: module:function of a higher floor; the only ways up
    "Graph.effect": "effects.total:effect",
    "Graph.fit": "effects.fitted:fit_model",
    "Graph._repr_html_": "report.portrait:to_html",
    "Graph.to_svg": "report.portrait:to_svg",
    "record": "envs.networked.trajectories:record",
    "collect": "training.collecting:collect",
}

EXTRAS = {"torch": "rl", "pettingzoo": "marl", "libsumo": "sumo", "distributed": "dask", "tensorboard": "tensorboard"}


class Reach:
    """A method whose code stands on a higher floor: ``UPWARD`` says where, and the first call imports it."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"{owner.__name__}.{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return partial(above(self.name), instance)


def above(name: str) -> Callable[..., Any]:
    """A function whose code stands on a higher floor, by its name in ``UPWARD``."""
    module, _, function = UPWARD[name].partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(f"{__name__.partition('.')[0]}.{module}"), function)
    return found


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def make_callable(module_name: str) -> None:
    """Let the module be called like the function of its own name."""
    sys.modules[module_name].__class__ = _CallableModule


def door(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a folder whose names load on first use.

    homes: the modules, as seen from the folder, each with the names that it hands out, separated by spaces; a name that
    is another one at home is written ``here=there``, and the names under "" are modules of the folder themselves.
    """
    pairs = [(module, *name.partition("=")[::2]) for module, names in homes.items() for name in names.split()]
    where = {here: (module, there or here) for module, here, there in pairs}

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, there = where[name]
        if not module:
            return importlib.import_module(f".{there}", package)
        try:
            value = getattr(importlib.import_module(f".{module}", package), there)
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                raise
            raise NotInstalled(
                f"{name} needs {error.name}: not installed: pip install 'causalnet[{EXTRAS[error.name]}]'"
            ) from error
        setattr(sys.modules[package], name, value)
        return value

    return load, lambda: sorted(where), sorted(where)
