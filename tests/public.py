"""Every public callable with one call of it, valid where its arguments are known, for the sweep of ``test_arguments.py``."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from samples import LATER, NETWORK, OBS, OWN, STATE, objects, samples, write_files

from causalnet.errors import CausalnetError

HOMES = (
    "",
    ".agents",
    ".backends",
    ".data",
    ".datasets",
    ".effects",
    ".envs",
    ".graph",
    ".locality",
    ".report",
    ".representation",
    ".training",
)
BETWEEN_FILES = {
    "accept",
    "admit",
    "fingerprint_parts",
    "grow",
    "improve",
    "kept",
    "make_callable",
    "of",
    "pay",
    "reopened",
    "resume",
    "roll_out",
    "most",
    "lasting",
    "masked",
    "table",
    "acting",
    "check_names",
    "congestion",
    "uniform",
    "mask_of",
    "find_file",
    "require",
    "by_chain",
    "data_kind",
}
"""Names that only other files of the package call."""


def valid(label: str, call: Any) -> dict[str, Any]:
    """The arguments of one call that is answered: what is then wrong with it is the one argument that the sweep changes."""
    own, told = {**OWN.get(label, {}), **LATER.get(label, dict)()}, samples()
    networked = ".networked" in call.__module__ or ".locality" in call.__module__
    more = {
        "env": NETWORK if networked else told["env"],
        "target": NETWORK,
        "s": STATE,
        "obs": STATE if networked else OBS,
        "action": 0,
        "sources": [NETWORK],
        "actions": np.zeros(4, int) if label == "Wireless.step" else [0, 0],
    }
    if label.endswith(".learn"):
        own = {"episodes": 1, **own}
    given = {name: value for name, value in own.items() if label == "CausalMask"}
    for name, parameter in inspect.signature(call).parameters.items():
        if name in own or (parameter.default is parameter.empty and parameter.kind not in (2, 4) and name != "self"):
            given[name] = own.get(name, more.get(name, told.get(name)))
    return given


def public() -> Iterator[tuple[str, Any]]:
    """Every public function and class, and the public methods of the classes, by name."""
    seen = set()
    for home in HOMES:
        module = importlib.import_module(f"causalnet{home}")
        names = getattr(module, "__all__", None) or [name for name in vars(module) if name[0] != "_"]
        for name in sorted(names):
            thing = getattr(module, name)
            inside = getattr(thing, "__module__", "").startswith("causalnet") and not isinstance(thing, ModuleType)
            if not (inside and callable(thing)) or thing in seen or name in BETWEEN_FILES:
                continue
            seen.add(thing)
            if not isinstance(thing, type):
                yield name, thing
            elif not (issubclass(thing, CausalnetError) or Protocol in thing.__mro__ or inspect.isabstract(thing)):
                yield name, thing
                yield from ((f"{name}.{method}", call) for method, call in methods(thing))


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    for name in sorted(dir(kind)):
        call = getattr(kind, name)
        inside = (getattr(call, "__module__", None) or "").startswith("causalnet")
        if name[0] != "_" and callable(call) and inside and name not in BETWEEN_FILES:
            yield name, call


def calls() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Each public callable that takes arguments, with those of a valid call; methods of a fresh object. Files are left in the
    current folder."""
    write_files()
    for label, call in public():
        kind, _, method = label.partition(".")
        told = inspect.signature(call).parameters
        if method and list(told)[:1] == ["self"]:
            if len(told) == 1 or (kind in objects() and objects()[kind] is None):
                continue
            thing = objects()[kind]()  # KeyError: say above how an object of the new class is made
            if method == "step":
                thing.reset(seed=0)
            call = getattr(thing, method)
        yield label, call, valid(label, call)
