"""Settings of an agent: a frozen dataclass, presets on top of its defaults, and the caller's values on top of those."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from ..errors import DataError, UnknownNameError, nearest

S = TypeVar("S")


def resolve(kind: type[S], presets: Mapping[str, Mapping[str, Any]], preset: str | None, given: Mapping[str, Any]) -> S:
    """The settings; UnknownNameError for a name that does not exist, DataError for a value that cannot be."""
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise UnknownNameError(f"there is no setting {name!r}.{nearest(name, known)} Settings: {', '.join(known)}")
    if preset is not None and preset not in presets:
        raise UnknownNameError(
            f"there is no preset {preset!r}.{nearest(preset, presets)} Presets: {', '.join(presets)}"
        )
    return kind(**{**(presets[preset] if preset else {}), **given})


def by_network(settings: S, fits: bool, usual: Mapping[str, Mapping[str, Any]]) -> S:
    """Replace network 'auto' by 'cells' if that fits the environment, else 'mlp', and each None by that network's value."""
    kind: str = settings.network if settings.network != "auto" else "cells" if fits else "mlp"  # type: ignore[attr-defined]
    filled = {name: value for name, value in usual[kind].items() if getattr(settings, name) is None}
    return dataclasses.replace(settings, network=kind, **filled)  # type: ignore[type-var]


def check_range(settings: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """DataError for a number outside its closed range."""
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise DataError(f"{name}={value!r} must lie between {low:g} and {high:g}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """UnknownNameError for a word that is none of the choices."""
    if value not in choices:
        raise UnknownNameError(f"{name}={value!r} is none of {', '.join(choices)}.{nearest(value, choices)}")


def check_widths(widths: Any) -> tuple[int, ...] | None:
    """The widths of the hidden layers as a tuple of positive whole numbers, at least one; None stays."""
    if widths is None:
        return None
    found = tuple(int(w) for w in widths)
    if not found or any(w < 1 for w in found) or any(int(w) != w for w in widths):
        raise DataError(f"hidden={widths!r} must be widths of hidden layers, such as (128, 128)")
    return found
